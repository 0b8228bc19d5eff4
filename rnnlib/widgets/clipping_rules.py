"""Three ways to clip one gradient: which keeps its direction, and how far the others bend it."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyArrow, Rectangle

from rnnlib import live, style
from rnnlib.cells import RNNCell
from rnnlib.clipping import clip_by_norm, clip_by_value, norm
from rnnlib.unroll import backward, forward

UNITS, STEPS, RADIUS, SEED = 3, 20, 1.6, 5
TENSORS = ("U", "W", "b")
#: name -> (gradients, v) -> clipped gradients
RULES = {
    "element by element": clip_by_value,
    "one norm for all": lambda grads, v: clip_by_norm(grads, v)[0],
    "a norm per tensor": lambda grads, v: clip_by_norm(grads, v, per="tensor")[0],
}
ELEMENTS, ALL, EACH = RULES
THRESHOLDS = (0.1, 0.3, 1, 3, 10, 30)
TALLEST = 7.2  # of the bars' axis
GAP = 1.4  # between the bars of two tensors
WIDTH, HEIGHT = 461, 262
BARS, FAN = (40, 62, 262, 158), (330, 62, 122, 158)  # left, bottom, width, height in SVG units


def clipping_rules():
    """The gradient of a small network, clipped by value, by its norm, and by each tensor's norm.

        by value: g_j = min(max(g_j, -v), v)     by norm: g v / ‖g‖ if ‖g‖ > v

    See `gradient` for the network. The coloured bars are enlarged to the length before clipping:
    where the direction is kept, they fill the outlines.
    """
    return live.LiveFigure(
        _setup,
        _update,
        title="Three ways to clip one gradient",
        controls={
            "rule": live.Choice("rule", RULES),
            "v": live.Range("threshold v", values=THRESHOLDS, value=1),
        },
        presets={
            "Element by element: bent": {"rule": ELEMENTS, "v": 1},
            "One norm for all: only shorter": {"rule": ALL, "v": 1},
            "A norm per tensor: bent": {"rule": EACH, "v": 1},
            "v = 30: nothing is clipped": {"rule": ELEMENTS, "v": 30},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


@cache
def gradient(seed=SEED):
    """Return dcell of a tanh network with 3 units, 1 input and ρ(W) = 1.6 after 20 steps.

    Inputs are normal(0, 0.3²); the loss is the mean squared distance of the last state to three
    random signs. Of the seeds 0 .. 11 the one drawn has the longest gradient.
    """
    rng = np.random.default_rng(seed)
    cell = RNNCell.init(1, UNITS, rng=rng)
    W = rng.normal(size=(UNITS, UNITS))
    W *= RADIUS / np.abs(np.linalg.eigvals(W)).max()
    cell = RNNCell(cell.U, W, cell.b, "tanh")
    trace = forward(cell, 0.3 * rng.normal(size=(STEPS, 1, 1)))
    targets = rng.choice([-1.0, 1.0], size=(1, UNITS))
    return backward(cell, trace, dh_end=2 / UNITS * (trace.h_end - targets))[1]


def flat(grads):
    """Return the entries of U, W and b in one row, (15,)."""
    return np.concatenate([getattr(grads, name).ravel() for name in TENSORS])


def angle(a, b):
    """Return the angle in degrees between two vectors, none of them zero.

    By atan2, which keeps the digits of small angles: arccos(1 - tiny) loses them.
    """
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    return 2 * np.degrees(np.arctan2(np.linalg.norm(a - b), np.linalg.norm(a + b)))


def _places():
    """The left end of each bar, and the middle of each tensor's bars."""
    sizes = [getattr(gradient(), name).size for name in TENSORS]
    lefts, middles, x = [], [], 0.0
    for size in sizes:
        lefts += [x + j for j in range(size)]
        middles.append(x + size / 2)
        x += size + GAP
    return lefts, middles


def _setup():
    fig = plt.figure(figsize=(WIDTH / 72, HEIGHT / 72))
    bars, fan = (fig.add_axes(np.divide(box, (WIDTH, HEIGHT) * 2)) for box in (BARS, FAN))
    return fig, _draw_bars(bars) | _draw_fan(fan)


def _draw_bars(ax):
    lefts, middles = _places()
    ax.set(xlim=(-0.6, lefts[-1] + 1.6), ylim=(-TALLEST, TALLEST), xticks=(), yticks=(-5, 0, 5))
    ax.set_yticklabels(["−5", "0", "5"])
    ax.spines["bottom"].set_visible(False)
    ax.axhline(0, color=style.INK, lw=0.8)
    title = ax.text(0, 1.06, "", transform=ax.transAxes)
    bars = [ax.add_patch(Rectangle((x + 0.1, 0), 0.8, 0, fc=style.GRAD, alpha=0.75, lw=0))
            for x in lefts]
    for x, value in zip(lefts, flat(gradient()), strict=True):
        ax.add_patch(Rectangle((x + 0.1, 0), 0.8, value, fill=False, ec=style.INK, lw=1))
    below = {"ha": "center", "va": "top", "clip_on": False}
    for name, x in zip(TENSORS, middles, strict=True):
        ax.text(x, -TALLEST - 0.5, f"d{name}", weight="bold", **below)
    norms = [ax.text(x, -TALLEST - 1.8, "", linespacing=1.25, **below) for x in middles]
    ax.text(-3.3, -TALLEST - 1.8, "norm\nafter", linespacing=1.25, va="top", clip_on=False)
    return {"title": title, "bars": bars, "norms": norms}


def _draw_fan(ax):
    ax.set(xlim=(-0.05, 1.2), ylim=(-0.3, 1.32))
    ax.set_aspect("equal", adjustable="box", anchor="SW")
    ax.axis("off")
    turn = np.radians(np.linspace(0, 90, 31))
    ax.plot(np.cos(turn), np.sin(turn), color=style.MUTED, lw=0.8, alpha=0.6)
    look = {"width": 0.012, "head_width": 0.09, "head_length": 0.12, "length_includes_head": True}
    ax.add_patch(FancyArrow(0, 0, 1, 0, fc=style.INK, ec=style.INK, lw=0, **look))
    ax.text(0.5, -0.06, "before", ha="center", va="top")
    arrow = ax.add_patch(FancyArrow(0, 0, 1, 0.1, fc=style.GRAD, ec=style.GRAD, lw=1.2, **look))
    arc = ax.plot([], [], color=style.GRAD, lw=1.4)[0]
    degrees = ax.text(0, 1.2, "", fontsize=15, weight="bold", va="center")
    lengths = ax.text(0, -0.42, "", va="top", clip_on=False)
    return {"arrow": arrow, "arc": arc, "degrees": degrees, "lengths": lengths}


def _update(artists, rule, v):
    before = gradient()
    after = RULES[rule](before, v)
    ratio = norm(before) / norm(after)
    for bar, value in zip(artists["bars"], ratio * flat(after), strict=True):
        bar.set_height(round(float(value), 3))
    for text, name in zip(artists["norms"], TENSORS, strict=True):
        old, new = (norm(getattr(grads, name)) for grads in (before, after))
        text.set_text(f"{old:.3g}\n{new:.2g}" if new < old else f"{old:.3g}\nas it was")
    bent = angle(flat(before), flat(after))
    _show_fan(artists, bent)
    artists["lengths"].set_text(f"norm {norm(before):.3g} → {norm(after):.3g}")
    artists["title"].set_text(_title(ratio))
    return _sentence(rule, v, before, after, bent)


def _title(ratio):
    if ratio == 1:
        return "outline: before; filled: after"
    return f"outline: before; filled: after, enlarged {ratio:.3g} times"


def _show_fan(artists, bent):
    turn = np.radians(np.linspace(0, bent, 16))
    artists["arrow"].set_data(dx=np.cos(turn[-1]), dy=np.sin(turn[-1]))
    artists["arc"].set_data(0.5 * np.cos(turn), 0.5 * np.sin(turn))
    artists["arc"].set_visible(bent > 0.05)
    artists["degrees"].set_text(_degrees(bent))


def _degrees(bent):
    return f"{bent:.0f}°" if bent > 9.95 or bent < 1e-5 else f"{bent:.1f}°"


def _sentence(rule, v, before, after, bent):
    old, new = flat(before), flat(after)
    cut = int((np.abs(new) < np.abs(old)).sum())
    told = f"{rule.capitalize()}, v = {v:g}: "
    if not cut:
        return told + f"no entry and no norm is above v, nothing is clipped; norm {norm(old):.3g}."
    way = "is as it was" if bent < 1e-5 else f"turns by {_degrees(bent)}"
    return told + (f"{cut} of {len(old)} entries become smaller, the norm falls from "
                   f"{norm(old):.3g} to {norm(new):.3g}, and the direction {way}.")
