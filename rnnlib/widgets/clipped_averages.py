"""Clip the average, or average the clipped: two examples' gradients, and two directions."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyArrow

from rnnlib import live, style
from rnnlib.clipping import clip_by_norm
from rnnlib.widgets.clipping_rules import angle

LENGTHS = (1, 3, 10, 30, 100)
THRESHOLDS = (0.3, 1, 3, 10, 100)
LOW, HIGH = (-1.1, -0.17), (1.22, 1.17)  # corners of the two upper panels, in their unit
WIDTH, HEIGHT = 461, 344
RAW, CLIPPED = (8, 194, 216, 125), (238, 194, 216, 125)  # left, bottom, width, height in SVG units
RESULT = (76, 24, 130, 132)
HEAD = 0.11
SEEN = 0.04  # of a panel's unit: an arrow shorter than that has no name, a circle is not drawn
SHORT = 0.3  # of it: a shorter arrow has its name beyond its tip


def clipped_averages():
    """g1 = (length, 0), g2 of length 1 at an angle to it: averaged before or after clipping.

        clip((g1 + g2) / 2)    and    (clip(g1) + clip(g2)) / 2        clip(g) = g min(1, v / ‖g‖)

    Each panel has its own scale.
    """
    apart = {"length": 10, "between": 90, "v": 1}
    return live.LiveFigure(
        _setup,
        _update,
        title="The mean of clipped gradients is not the clipped mean",
        controls={
            "length": live.Range("length of g₁ (g₂: 1)", values=LENGTHS, value=10),
            "between": live.Range("degrees between g₁ and g₂", 0, 150, step=30, value=90),
            "v": live.Range("threshold v", values=THRESHOLDS, value=1),
        },
        presets={
            "39.3° apart": apart,
            "v = 10: no difference": apart | {"v": 10},
            "Alike in length: no difference": apart | {"length": 1, "v": 0.3},
            "Alike in direction: no difference": apart | {"between": 0},
            "g₁ ever longer, no more weight": apart | {"length": 100},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


def pair(length, between):
    """Return g1 = (length, 0) and g2 of length 1, `between` degrees from it: (2, 2)."""
    turn = np.radians(between)
    return np.array([[length, 0.0], [np.cos(turn), np.sin(turn)]])


def both(gradients, v):
    """Return the clipped mean (2,) of the gradients (n, 2), and each of them clipped (n, 2)."""
    each = np.stack([clip_by_norm(g, v)[0] for g in gradients])
    return clip_by_norm(gradients.mean(axis=0), v)[0], each


def direction(g):
    """Return the angle of (x, y) from the x-axis, in degrees."""
    return float(np.degrees(np.arctan2(g[1], g[0])))


def _setup():
    fig = plt.figure(figsize=(WIDTH / 72, HEIGHT / 72))
    raw, clipped, result = (
        fig.add_axes(np.divide(box, (WIDTH, HEIGHT) * 2)) for box in (RAW, CLIPPED, RESULT)
    )
    fig.text(8 / WIDTH, 168 / HEIGHT, "each panel to its own scale", color=style.MUTED)
    return fig, {
        "raw": _draw_pair(raw, "the gradients and their mean"),
        "clipped": _draw_pair(clipped, "each clipped to v, and their mean"),
        "result": _draw_result(result),
    }


def _arrow(ax, **look):
    arrow = FancyArrow(0, 0, 1, 0, length_includes_head=True, clip_on=False, **look)
    return ax.add_patch(arrow)


def _draw_pair(ax, title):
    ax.set(xlim=(LOW[0], HIGH[0]), ylim=(LOW[1], HIGH[1]))
    ax.axis("off")
    ax.set_title(title, x=0.02, fontsize=10.5, pad=9)
    ax.plot([-1.05, 1.05], [0, 0], color=style.MUTED, lw=0.7, alpha=0.5)
    middle = {"ha": "center", "va": "center"}
    paper = {"facecolor": style.PAPER, "alpha": 0.8, "lw": 0, "pad": 0.5}
    (circle,) = ax.plot([], [], color=style.INK, lw=1, dashes=(3, 2))
    return {
        "circle": circle,
        "v": ax.text(0, 0, "", ha="right", va="top"),
        "arrows": [_arrow(ax, fc=style.GRAD, ec=style.GRAD, lw=0, alpha=0.5) for _ in range(2)],
        "names": [ax.text(0, 0, name, **middle) for name in ("g₁", "g₂")],
        "mean": _arrow(ax, fc=style.GRAD, ec=style.GRAD, lw=1.4),
        "mean name": ax.text(0, 0, "mean", weight="bold", bbox=paper, **middle),
    }


def _draw_result(ax):
    ax.set(xlim=(-0.05, 1.1), ylim=(-0.1, 1.07))
    ax.axis("off")
    ax.plot([0, 1.05], [0, 0], color=style.MUTED, lw=0.7, alpha=0.5)
    (arc,) = ax.plot([], [], color=style.INK, lw=1.2)
    return {
        "arc": arc,
        "one": _arrow(ax, fc=style.PAPER, ec=style.GRAD, lw=1.4),
        "other": _arrow(ax, fc=style.GRAD, ec=style.GRAD, lw=1.4),
        "one name": ax.text(1.2, 0.13, "", va="center"),
        "other name": ax.text(1.2, 0.53, "", va="center"),
        "apart": ax.text(1.2, 0.93, "", fontsize=15, weight="bold", va="center"),
    }


def _update(artists, length, between, v):
    gradients = pair(length, between)
    clipped_mean, each = both(gradients, v)
    mean = each.mean(axis=0)
    _show_pair(artists["raw"], gradients, v)
    _show_pair(artists["clipped"], each, v)
    bent = angle(clipped_mean, mean)
    _show_result(artists["result"], clipped_mean, mean, bent)
    told = (f"g₁ has length {length:g}, g₂ has 1, {between:g}° from it; v = {v:g}. "
            f"The clipped mean points at {_degrees(direction(clipped_mean))}, the mean of the "
            f"clipped at {_degrees(direction(mean))}: ")
    if bent < 1e-5:
        return told + "the same direction."
    ratio = np.divide(*np.linalg.norm(each, axis=1))
    now = "as long as g₂" if np.isclose(ratio, 1) else f"{ratio:.3g} times as long as g₂"
    return told + (f"{_degrees(bent)} apart. Clipped one by one, g₁ is {now}; before, it was "
                   f"{length:g} times as long.")


def _show_pair(artists, gradients, v):
    unit = np.linalg.norm(gradients, axis=1).max()
    for arrow, name, g, side in zip(artists["arrows"], artists["names"], gradients / unit,
                                    (-0.11, 0.13), strict=True):
        _point(arrow, g, 0.022)
        name.set_position(np.round(_beside(g, side), 3))
        name.set_visible(bool(np.linalg.norm(g) > SEEN))
    mean = gradients.mean(axis=0) / unit
    _point(artists["mean"], mean, 0.03)
    aside = np.array([mean[1], -mean[0]]) / np.linalg.norm(mean)
    artists["mean name"].set_position(np.round(0.6 * mean + aside * (0.17, 0.11), 3))
    radius, turn = v / unit, np.radians(np.linspace(0, 180, 41))
    around = np.round(radius * np.array([np.cos(turn), np.sin(turn)]), 3)
    artists["circle"].set_data(*around)
    shown = SEEN < radius <= 1.0001
    artists["circle"].set_visible(shown)
    artists["v"].set(text=f"v = {v:g}" if shown else "", position=(max(0.1 - radius, -0.72), -0.03))


def _beside(g, side):
    """Where an arrow's name stands: so far to its left, or beyond the tip of a short one."""
    way = g / np.linalg.norm(g)
    if np.linalg.norm(g) < SHORT and abs(way[1]) > 0.1:
        return g + 0.13 * way
    return 0.85 * g + side * np.array([-way[1], way[0]])


def _point(arrow, g, width):
    long = float(np.linalg.norm(g))
    head = min(HEAD, 0.7 * long)
    arrow.set_data(dx=float(g[0]), dy=float(g[1]), width=min(width, head / 3), head_length=head,
                   head_width=0.8 * head)


def _show_result(artists, one, other, bent):
    unit = max(np.linalg.norm(one), np.linalg.norm(other))
    _point(artists["one"], one / unit, 0.03)
    _point(artists["other"], other / unit, 0.03)
    ends = np.radians([direction(one), direction(other)])
    turn, radius = np.linspace(*ends, 16), 0.5 * np.linalg.norm(other) / unit
    artists["arc"].set_data(np.round(radius * np.cos(turn), 3), np.round(radius * np.sin(turn), 3))
    artists["apart"].set_text(f"{_degrees(bent)} apart" if bent > 1e-5 else "no difference")
    artists["one name"].set_text(f"open: clipped mean, {_degrees(direction(one))}")
    artists["other name"].set_text(f"filled: mean of clipped, {_degrees(direction(other))}")


def _degrees(x):
    return "0°" if abs(x) < 1e-5 else f"{x:.1f}°".replace(".0°", "°")
