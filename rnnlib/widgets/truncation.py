"""A window on backpropagation: what is cut from the gradient, and how far it is off."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Polygon

from rnnlib import bptt, live, losses, style
from rnnlib.cells import RNNCell
from rnnlib.outputs import OutputLayer
from rnnlib.results import find, load
from rnnlib.unroll import backward, forward

STEPS, UNITS, DELAY, SEQUENCES = 40, 16, 4, 16
RADII = (0.6, 0.9, 1.0, 1.2)


def problem(rho, seed):
    """A network before training, asked at each step for the bit of 4 steps ago: cell, trace, dhs.

    W = ρ Q with a random orthogonal Q, so that ρ is the spectral radius; bits x_t = ±0.3; the loss
    is the cross-entropy of an untrained output layer, from step 5 on, summed over the steps.
    """
    rng = np.random.default_rng(seed)
    cell = RNNCell.init(1, UNITS, start="orthogonal", gain=rho, rng=rng)
    out = OutputLayer.init(UNITS, 2, rng=rng)
    bits = rng.integers(0, 2, (STEPS, SEQUENCES))
    trace = forward(cell, 0.6 * bits[..., None] - 0.3)
    asked = trace.h[DELAY:]
    _, dlogits = losses.softmax_cross_entropy(out.logits(asked), bits[:-DELAY])
    dhs = np.zeros_like(trace.h)
    dhs[DELAY:], _ = out.backward(asked, dlogits)
    return cell, trace, dhs


def bias(rho, seed, window, stride=1):
    """(angle in degrees, ratio of lengths) between the truncated dW and the whole dW."""
    cell, trace, dhs = problem(rho, seed)
    whole = backward(cell, trace, dhs)[1].W.ravel()
    cut = bptt.truncated(cell, trace, dhs, window=window, stride=stride).W.ravel()
    lengths = np.linalg.norm(cut), np.linalg.norm(whole)
    # atan2 keeps the digits of small angles, which arccos(1 - tiny) loses.
    units = cut / lengths[0], whole / lengths[1]
    half = np.arctan2(np.linalg.norm(units[0] - units[1]), np.linalg.norm(units[0] + units[1]))
    return 2 * np.degrees(half), lengths[0] / lengths[1]


def backward_steps(window, stride):
    """How many steps back `bptt.truncated` runs in all; `backward` runs STEPS."""
    stops = [min(start + stride, STEPS) for start in range(0, STEPS, stride)]
    return sum(min(stop, window) for stop in stops)


# --- the figure ---------------------------------------------------------------------------------

WINDOWS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 25, 30, 35, 40)
WAYS = {"each loss: w steps back": "1", "pieces of w steps": "window"}  # the stride in the result
EACH, PIECES = WAYS
DECADES = 2  # of the size of an item, from the darkest to the faintest


def truncation():
    """Which part of the gradient a window of w steps keeps, and how far dW then is from the whole.

    Left, the network of seed 0: the size of what the loss of step t adds to dW through step k.
    Right, means of 20 such networks and their 95% intervals, from experiments/truncation.py.
    """
    return live.LiveFigure(
        _setup,
        _update,
        title="A window on the gradient",
        controls={
            "w": live.Range("window w", values=WINDOWS, value=8),
            "rho": live.Choice("spectral radius ρ of W", [f"{r:.1f}" for r in RADII], value="1.0"),
            "way": live.Choice("how to cut", list(WAYS)),
        },
        presets={
            "ρ = 0.6: four steps see most": {"w": 4, "rho": "0.6", "way": EACH},
            "ρ = 1.2: four steps miss much": {"w": 4, "rho": "1.2", "way": EACH},
            "In pieces, cheaply": {"w": 8, "rho": "1.0", "way": PIECES},
            "Nothing is cut": {"w": STEPS, "rho": "1.0", "way": EACH},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


@cache
def sizes(rho, seed=0):
    """(T, T): ‖what the loss of step t adds to dW through step k‖, in row k and column t."""
    cell, trace, dhs = problem(rho, seed)
    items = 0
    for b in range(SEQUENCES):
        one = forward(cell, trace.x[:, b : b + 1])
        da = bptt.itemised(cell, one, dhs[:, b : b + 1]).a          # [k, t] = dL_t/da_k
        items = items + np.einsum("kti,kj->ktij", da, one.h_prev[:, 0])
    return np.linalg.norm(items, axis=(2, 3))


@cache
def curve(rho, way):
    """The result for w = 1 .. T as arrays: angle, angle_low, angle_high, ratio, ..., steps."""
    stride = {"1": 1.0}.get(WAYS[way], WAYS[way])                   # as `load` reads numbers
    rows = find(load("truncation_bias"), rho=rho, stride=stride)
    return {name: np.array([row[name] for row in rows]) for name in rows[0] if name != "stride"}


def first_step(w, way):
    """(T,): the first step, counted from 1, that the loss of each step t = 1 .. T reaches."""
    t = np.arange(1, STEPS + 1)
    end = t if way == EACH else np.minimum(-(-t // w) * w, STEPS)
    return np.maximum(end - w, 0) + 1


WIDTH, HEIGHT, SIDE = 461, 270, 204
PANEL = 290, 163  # left end and width of both panels


def _setup():
    fig = plt.figure(figsize=(WIDTH / 72, HEIGHT / 72))
    square = fig.add_axes((36 / WIDTH, 40 / HEIGHT, SIDE / WIDTH, SIDE / HEIGHT))
    left, width = PANEL
    angle = fig.add_axes((left / WIDTH, 134 / HEIGHT, width / WIDTH, 110 / HEIGHT))
    ratio = fig.add_axes((left / WIDTH, 40 / HEIGHT, width / WIDTH, 52 / HEIGHT))
    angle.set(ylim=(-2, 75), yticks=[0, 30, 60], yticklabels=["0°", "30°", "60°"])
    angle.set_title("angle between cut and whole dW", fontsize=10, pad=6)
    ratio.set(ylim=(0, 1.15), yticks=[0, 0.5, 1], yticklabels=["0", "½", "1"])
    ratio.set_xlabel("window w", labelpad=1)
    ratio.set_title("length of the cut dW (whole: 1)", fontsize=10, pad=4)
    for ax in (angle, ratio):
        ax.set(xlim=(0, STEPS + 1), xticks=[1, 10, 20, 30, 40])
    names = angle.text(STEPS + 1, 74, "", ha="right", va="top", fontsize=9.5, linespacing=1.3)
    return fig, _draw_square(square) | {
        "angle": _draw_panel(angle), "ratio": _draw_panel(ratio), "names": names,
    }


def _draw_square(ax):
    ax.set(xlim=(0.5, STEPS + 0.5), ylim=(STEPS + 0.5, 0.5), xticks=[1, 10, 20, 30, 40],
           yticks=[1, 10, 20, 30, 40], xlabel="loss of step t", ylabel="through step k")
    ax.xaxis.labelpad = ax.yaxis.labelpad = 1
    ax.set_title("what each loss adds to dW (stronger: more)", fontsize=10, pad=6)
    for spine in ax.spines.values():
        spine.set(visible=True, color=style.MUTED)
    empty = np.zeros((STEPS, STEPS, 4), np.uint8)
    image = ax.imshow(empty, extent=(0.5, STEPS + 0.5, STEPS + 0.5, 0.5), interpolation="none")
    cut = ax.add_patch(Polygon(np.zeros((3, 2)), facecolor=style.PAPER, alpha=0.82, lw=0))
    (edge,) = ax.plot([], [], color=style.INK, lw=1.4, solid_joinstyle="miter")
    bold = {"ha": "center", "va": "center", "weight": "bold"}
    texts = {
        "kept": ax.text(13, 33, "", linespacing=1.35, ha="center", va="center"),
        "cut": ax.text(29, 7, "cut", **bold),
    }
    return {"image": image, "wash": cut, "edge": edge, **texts}


def _draw_panel(ax):
    """Grey lines for all ρ; over them the present one with its interval and a disc at w."""
    w = np.arange(1, STEPS + 1)
    paper = {"facecolor": style.PAPER, "alpha": 0.75, "lw": 0, "pad": 0.5}
    return {
        "others": [ax.plot(w, 0 * w, color=style.MUTED, lw=1, alpha=0.7)[0] for _ in RADII],
        "band": ax.fill_between(w, 0 * w, 0 * w, color=style.GRAD, alpha=0.25, lw=0),
        "line": ax.plot(w, 0 * w, color=style.GRAD, lw=2.2)[0],
        "now": ax.plot([], [], "o", color=style.INK, ms=6, zorder=5)[0],
        "value": ax.text(0, 0, "", weight="bold", va="bottom", zorder=6, bbox=paper),
    }


def _update(artists, w, rho, way):
    rho = float(rho)
    _show_square(artists, w, rho, way)
    for name in ("angle", "ratio"):
        _show_panel(artists[name], name, w, rho, way)
    others = ", ".join(f"{r:.1f}" for r in RADII if r != rho)
    artists["names"].set_text(f"thick: ρ = {rho:.1f}\ngrey, lowest angle first:\n{others}")
    return _sentence(w, rho, way)


def _show_square(artists, w, rho, way):
    artists["image"].set_data(_painted(rho))
    first = first_step(w, way)
    x = np.arange(0.5, STEPS + 1).repeat(2)[1:-1]                   # both ends of each column
    y = np.minimum(first, STEPS).repeat(2) - 0.5
    artists["wash"].set_xy([(0.5, 0.5), *zip(x, y, strict=True), (STEPS + 0.5, 0.5)])
    artists["edge"].set_data(x, y)
    artists["edge"].set_visible(w < STEPS)
    artists["cut"].set_visible(w <= 12)
    count = int((np.arange(1, STEPS + 1) - first + 1).sum())
    steps = backward_steps(w, 1 if way == EACH else w)
    of_all = f"kept: {count} of {STEPS * (STEPS + 1) // 2}"
    artists["kept"].set_text(f"{of_all}\ncost: {steps} steps back\nall uncut: {STEPS}")


@cache
def _painted(rho):
    """The items in the gradient's colour, on a log scale of the opacity."""
    share = np.maximum(sizes(rho) / sizes(rho).max(), 1e-30)
    opacity = np.where(share > 1e-29, np.clip(1 + np.log10(share) / DECADES, 0.06, 1), 0)
    image = np.empty((STEPS, STEPS, 4), np.uint8)
    image[..., :3] = [int(style.GRAD[i : i + 2], 16) for i in (1, 3, 5)]
    image[..., 3] = np.round(opacity * 15) * 17                     # few levels: a small picture
    return image


def _show_panel(panel, name, w, rho, way):
    for line, other in zip(panel["others"], RADII, strict=True):
        line.set_ydata(np.round(curve(other, way)[name], 3))
    mine = {end: np.round(curve(rho, way)[name + end], 3) for end in ("", "_low", "_high")}
    panel["line"].set_ydata(mine[""])
    panel["band"].set_data(np.arange(1, STEPS + 1), mine["_low"], mine["_high"])
    value = mine[""][w - 1]
    panel["now"].set_data([w], [value])
    panel["value"].set_text(_degrees(value) if name == "angle" else f"{value:.2f}")
    if name == "angle":
        panel["value"].set(x=min(w + 1, 27 if 0 < value < 0.05 else 36), y=value + 3)
    else:
        panel["value"].set(x=min(w, 36) + 1, y=value - 0.38)


def _sentence(w, rho, way):
    angle, ratio = (curve(rho, way)[name][w - 1] for name in ("angle", "ratio"))
    if way == EACH:
        cut = f"each loss sent back w = {w} step{'s' * (w > 1)}"
        cost = (f"One loss at a time, that takes {backward_steps(w, 1)} steps back; "
                f"all together, uncut, {STEPS}.")
    else:
        cut = f"the gradient cut into pieces of w = {w} step{'s' * (w > 1)}"
        cost = f"That takes {STEPS} steps back, as uncut, and needs {w} of the states at a time."
    off = f"dW is on average {_degrees(angle)} off the whole and has {ratio:.2f} of its length"
    if w == STEPS:
        off = "dW is the whole gradient"
    return f"ρ = {rho:.1f}, {cut}: {off}. {cost}"


def _degrees(angle):
    if 1e-6 < angle < 0.05:
        return "under 0.1°"
    return f"{angle:.0f}°" if angle >= 9.95 or angle <= 1e-6 else f"{angle:.1f}°"
