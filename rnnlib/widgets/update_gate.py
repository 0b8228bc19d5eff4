"""One unit of a GRU: the update gate goes between the old state and the new candidate."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from rnnlib import live, style
from rnnlib.plots.numerals import subscript

STEPS, ONSET = 60, 10  # steps, and those before the candidate is 1
GATES = (0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
PULSES = (1, 5, 10, 20, 50)  # for how many steps the candidate is 1
MOMENTS = tuple(range(20, STEPS + 1, 5))

WIDTH, HEIGHT, LEFT = 461, 316, 34
PER_STEP, UPPER, LOWER = 6.8, 84, 72  # SVG units: a step; the height of 1, and of the largest bar
FLOORS, ROOM = (182, 38), 18  # of both pictures, and what is free above them
SPAN, BAR, EDGE = STEPS * PER_STEP, 5.2, PER_STEP / 2  # EDGE: where the axes begin
LEAST = 0.2  # SVG units: a lower bar is not to be seen


def update_gate():
    """h_t = (1 - z) n_t + z h_{t-1}: the state goes the share 1 - z of its way to the candidate.

        h_t = Σ_{k=0}^{t-1} (1 - z) zᵏ n_{t-k} + zᵗ h_0

    One unit, z the same at every step, h_0 = 0; the candidate n is 1 for some steps after step 10
    and 0 otherwise. Above n and h; below the weight of each earlier candidate in h_t: together
    they are 1 - zᵗ. Those on which n was 1 add up to h_t. The weights fall to 1/e of the first in
    -1 / log z steps, the time constant. With z = α this is the leaky unit of chapter 4; in a GRU,
    z is computed anew at each step, for each unit.
    """
    return live.LiveFigure(
        _setup,
        _update,
        title="Between old and new",
        controls={
            "z": live.Range("update gate z", values=GATES, value=0.9),
            "pulse": live.Range("steps on which n is 1", values=PULSES, value=10),
            "t": live.Range("step t", values=MOMENTS, value=30),
        },
        presets={
            "z = 0: h is the candidate": {"z": 0, "pulse": 10, "t": 20},
            "z = 0.5: forgotten in a few steps": {"z": 0.5, "pulse": 10, "t": 25},
            "z = 0.98: slow to learn, slow to forget": {"z": 0.98, "pulse": 20, "t": 60},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


def candidates(pulse):
    """Return n_1 .. n_60, (60,): 1 for `pulse` steps after step 10, else 0."""
    n = np.zeros(STEPS)
    n[ONSET : ONSET + pulse] = 1
    return n


def states(z, pulse):
    """Return h_0 .. h_60, (61,): h_t = (1 - z) n_t + z h_{t-1}, h_0 = 0."""
    h = [0.0]
    for n_t in candidates(pulse):
        h.append((1 - z) * n_t + z * h[-1])
    return np.array(h)


def weights(z, t):
    """Return how much each of n_1 .. n_t counts in h_t, (t,): (1 - z) z^(t-s) at step s."""
    return (1 - z) * z ** np.arange(t - 1.0, -1, -1)


def time_constant(z):
    """Return -1 / log z: the steps in which a weight, or a state left alone, falls to 1/e."""
    return -1 / np.log(z) if z > 0 else 0.0


def _setup():
    fig = plt.figure(figsize=(WIDTH / 72, HEIGHT / 72))
    upper, lower = _panel(fig, FLOORS[0], UPPER), _panel(fig, FLOORS[1], LOWER)
    upper.set_yticks([0, UPPER], [0, 1])
    lower.set_yticks([0, LOWER], [0, ""])
    lower.spines["left"].set_bounds(0, LOWER)
    lower.set_xlabel("step", labelpad=1)
    head = fig.text(4 / WIDTH, 1 - 20 / HEIGHT, "", fontsize=15, weight="bold")
    return fig, {"head": head} | _draw_upper(upper) | _draw_lower(lower)


def _panel(fig, floor, high):
    """Axes in SVG units, with a step t at t · PER_STEP and a number for every tenth step."""
    box = (LEFT / WIDTH, floor / HEIGHT, SPAN / WIDTH, (high + ROOM) / HEIGHT)
    ax = fig.add_axes(box, xlim=(EDGE, SPAN + EDGE), ylim=(0, high + ROOM))
    ticks = [1, *range(10, STEPS + 1, 10)]
    ax.set_xticks(np.array(ticks) * PER_STEP, ticks)
    return ax


def _draw_upper(ax):
    n = {"color": style.CANDIDATE, "linewidth": 1.8, "drawstyle": "steps-mid"}
    h = {"color": style.H, "linewidth": 2.6, "drawstyle": "steps-mid", "clip_on": False}
    ax.text((ONSET - 0.3) * PER_STEP, 0.72 * UPPER, "candidate n", ha="right", color=n["color"])
    mark = {"color": style.H, "markersize": 8, "markeredgecolor": style.PAPER, "clip_on": False}
    return {
        "band": _band(ax, UPPER + ROOM),
        "n": ax.plot([], [], **n)[0],
        "h": ax.plot([], [], **h)[0],
        "mark": ax.plot([], [], "o", **mark)[0],
        "value": ax.text(0, 0, "", color=style.H, fontsize=11, weight="bold"),
    }


def _draw_lower(ax):
    (ruler,) = ax.plot([], [], color=style.KEEP, linewidth=1.6, marker="|", markersize=9)
    ruler.set_markeredgewidth(1.6)
    (beyond,) = ax.plot([EDGE + 3], [LOWER / np.e], "<", color=style.KEEP, markersize=7)
    line = {"x": EDGE, "fontsize": 10}
    return {
        "below": _band(ax, LOWER + 4),
        "others": _bars(ax, style.MUTED, 0.5),
        "bars": _bars(ax, style.CANDIDATE, 1),
        "ruler": ruler,
        "beyond": beyond,
        "newest": ax.text(EDGE - 5.5, LOWER, "", fontsize=9.5, ha="right", va="center_baseline"),
        "sum": ax.text(y=LOWER + ROOM + 3, s="", **line),
        "time": ax.text(y=LOWER + ROOM - 11, s="", color=style.KEEP, **line),
    }


def _band(ax, height):
    """The steps on which the candidate is 1, in both pictures."""
    left = (ONSET + 0.5) * PER_STEP
    band = Rectangle((left, 0), 0, height, color=style.CANDIDATE, alpha=0.12, linewidth=0)
    return ax.add_patch(band)


def _bars(ax, colour, alpha):
    """All bars of a colour as one path: a stroke for each."""
    bars = PathPatch(Path(np.zeros((0, 2))), fill=False, edgecolor=colour, alpha=alpha)
    bars.set(linewidth=BAR, capstyle="butt")
    return ax.add_patch(bars)


def _update(artists, z, pulse, t):
    h, n, share = states(z, pulse), candidates(pulse), weights(z, t)
    _show_states(artists, n, h, t)
    tall = LOWER * share / share[-1]
    for name, on in (("bars", n[:t] == 1), ("others", n[:t] == 0)):
        _stroke(artists[name], np.flatnonzero(on & (tall > LEAST)) + 1, tall)
    artists["newest"].set_text(f"{share[-1]:.2f}")
    constant = time_constant(z)
    _show_ruler(artists, t - constant, t, z > 0)
    for name in ("band", "below"):
        artists[name].set_width(pulse * PER_STEP)
    artists["head"].set_text(f"z = {z:g}: {1 - z:.0%} of the way at each step")
    artists["sum"].set_text(
        f"how much each n counts in h{subscript(t)}: in colour {h[t]:.2f}, all {share.sum():.2f}"
    )
    falls = f"; 1/e of it after −1/log z = {constant:.1f} steps" if z else ", and no other"
    artists["time"].set_text(f"the newest 1 − z = {1 - z:.2f}{falls}")
    return _sentence(z, pulse, t, h[t], share)


def _show_states(artists, n, h, t):
    at = np.arange(1, STEPS + 1) * PER_STEP
    artists["n"].set_data(at, n * UPPER)
    artists["h"].set_data(at, np.round(h[1:] * UPPER, 1))
    artists["mark"].set_data([t * PER_STEP], [round(h[t] * UPPER, 1)])
    goes_on = n[t - 1 : t + 1].all()                                # n is 1 in the next step, too
    left = goes_on or t in MOMENTS[-2:]                             # where there is room beside it
    top = max(h[t - 10 : t + 1] if left else [h[t]]) * UPPER
    clear = top < 0.76 * UPPER and not (goes_on and t < ONSET + 11)  # of the line of n
    near = top + 7 if clear else UPPER + 6
    artists["value"].set(x=(t - 0.8 if left else t + 1) * PER_STEP, y=round(float(near), 1))
    artists["value"].set(text=f"h{subscript(t)} = {h[t]:.2f}", ha="right" if left else "left")


def _show_ruler(artists, back, t, seen):
    """From step t back to where the weights are 1/e of the newest; an arrow if before step 1."""
    cut = back * PER_STEP < EDGE
    ends = [EDGE if cut else back * PER_STEP, t * PER_STEP]
    artists["ruler"].set_data(np.round(ends, 1), [LOWER / np.e] * 2)
    artists["ruler"].set(visible=seen, markevery=[1] if cut else None)
    artists["beyond"].set_visible(bool(seen and cut))


def _stroke(bars, steps, tall):
    """Let the bars stand at these steps; tall (t,): the height of each, step 1 first."""
    x, ends = steps * PER_STEP, np.zeros(len(steps))
    points = np.stack([np.repeat(x, 2), np.stack([ends, tall[steps - 1]], 1).ravel()], axis=1)
    codes = [Path.MOVETO, Path.LINETO] * len(steps)
    bars.set_path(Path(np.round(points, 1), codes) if codes else Path(np.zeros((0, 2))))
    bars.set_visible(bool(codes))


def _sentence(z, pulse, t, h, share):
    back = "" if z == 0 else f", falling to 1/e in {time_constant(z):.1f} steps"
    return (
        f"With z = {z:g} the state goes {1 - z:.0%} of its way to the candidate at each step: with "
        f"n = 1 on {pulse} step{'s' * (pulse > 1)} from step {ONSET + 1} on, h is {h:.2f} at step "
        f"{t}. The newest candidate counts {1 - z:.2f} in it{back}; all together {share.sum():.2f}."
    )
