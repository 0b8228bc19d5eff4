"""Activation functions with their slopes, and what becomes of a recurrence that has none."""

from functools import lru_cache

import matplotlib.pyplot as plt
import numpy as np

from rnnlib import live, style
from rnnlib.cells import RNNCell
from rnnlib.functions import ACTIVATIONS
from rnnlib.plots.matrices import signed
from rnnlib.plots.numerals import subscript
from rnnlib.unroll import forward

#: name -> (the function, its slope in terms of h, what there is to say about it)
CURVES = {
    "sigmoid": (
        "h = 1 / (1 + e⁻ᵃ)", "h (1 − h)",
        "Its slope is nowhere above 0.25.",
    ),
    "tanh": (
        "h = tanh(a)", "1 − h²",
        "Its slope is 1 at a = 0 only, and falls towards 0 on both sides.",
    ),
    "ReLU": (
        "h = max(a, 0)", "1 if h > 0, else 0",
        "It passes all or nothing, and nothing bounds h from above.",
    ),
    "identity": (
        "h = a", "1",
        "It passes everything, but without a bend there is nothing new to compute.",
    ),
}
GRID = np.union1d(np.linspace(-4, 4, 97), [1e-6])  # the extra point makes ReLU's jump upright
EDGE = 4.3  # the axes end at ±EDGE
#: The values of h that are drawn: sigmoid and tanh in full; beyond, an arrow stands at the margin.
FLOOR, CEILING = -1.5, 2.5
#: Half the length of a flat tangent, and how much taller a unit of h is drawn than a unit of a.
TANGENT, STRETCH = 3.2, 1.75


def activations():
    """The curve h = act(a) and its slope, with a point to move along them."""
    return live.LiveFigure(
        _setup_curves,
        _update_curves,
        title="Activation functions and their slopes",
        controls={
            "activation": live.Choice("activation", list(CURVES), value="tanh"),
            "a": live.Range("input a", -4.0, 4.0, step=0.25, value=1.5),
        },
        presets={
            "Saturated": {"activation": "sigmoid", "a": 4.0},
            "Steepest": {"activation": "tanh", "a": 0.0},
            "Dead": {"activation": "ReLU", "a": -1.0},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


def _setup_curves():
    fig, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.3))
    fig.subplots_adjust(left=0.065, right=0.985, bottom=0.15, top=0.89, wspace=0.22)
    artists = {}
    for ax, name, colour in ((left, "value", style.H), (right, "slope", style.GRAD)):
        ax.set(xlim=(-EDGE, EDGE), xticks=range(-4, 5, 2), xlabel="a")
        ax.grid()
        artists[name] = ax.plot(GRID, GRID, color=colour, lw=2)[0]
        artists[f"{name} drop"] = ax.plot([], [], color=style.MUTED, lw=1, ls=":")[0]
        artists[f"{name} point"] = ax.plot([], [], "o", color=style.INK, ms=7, zorder=4)[0]
        artists[f"{name} label"] = ax.text(0, 0, "", weight="bold", va="center")
        artists[f"{name} formula"] = ax.text(0, 1.05, "", transform=ax.transAxes, fontsize=11)
    left.set(ylim=(FLOOR - 0.3, CEILING + 0.1), yticks=(-1, 0, 1, 2))
    right.set(ylim=(-0.06, 1.2), yticks=(0, 0.25, 0.5, 0.75, 1))
    artists["tangent"] = left.plot([], [], color=style.GRAD, lw=2, ls=(0, (4, 2.5)))[0]
    return fig, artists


def _update_curves(artists, activation, a):
    value, slope = ACTIVATIONS[activation.lower()]
    curve = value(GRID)
    at = value(np.array([a]))
    h, steep = float(at[0]), float(slope(at)[0])
    seen = min(max(h, FLOOR), CEILING)
    for name, ys, y, number in (("value", curve, seen, h), ("slope", slope(curve), steep, steep)):
        artists[name].set_ydata(ys)
        artists[f"{name} drop"].set_data([a, a], [0, y])
        artists[f"{name} point"].set_data([a], [y])
        artists[f"{name} label"].set_text(signed(number, 3))
    artists["value point"].set_marker("o" if h == seen else "^" if h > 0 else "v")
    run = TANGENT / np.hypot(1, STRETCH * steep)
    artists["tangent"].set_data([a - run, a + run], [h - steep * run, h + steep * run])
    _place_labels(artists, a, seen, steep)
    return _curves_text(artists, activation, a, h, steep)


def _place_labels(artists, a, h, steep):
    """Both numbers beside their points, where neither the curve nor the axes are."""
    if h == CEILING:
        x, y, side = EDGE - 0.1, h - 0.35, "right"
    elif h == FLOOR or a < -2:  # no curve is below and to the right of its point
        x, y, side = a + 0.3, h if h == FLOOR else h - 0.3, "left"
    else:
        x, y, side = a - 0.3, h + 0.3, "right"
    artists["value label"].set(x=x, y=y, ha=side)
    outwards = 1 if a >= 0 else -1
    near = abs(a) > 2.25  # then the number ends at the edge, above its point
    artists["slope label"].set(
        x=outwards * (EDGE - 0.1) if near else a + outwards * 0.35,
        y=steep + (0.1 if near else 0.08),
        ha="right" if near == (a >= 0) else "left",
    )


def _curves_text(artists, activation, a, h, steep):
    formula, derivative, remark = CURVES[activation]
    artists["value formula"].set_text(formula)
    artists["slope formula"].set_text(f"slope dh/da = {derivative}")
    passes = f"{steep:.1%}" if 0 < steep < 0.1 else f"{steep:.0%}"
    return (
        f"{activation} at a = {signed(a, 2)}: h = {signed(h, 3)}, slope {steep:.3f}: of a "
        f"gradient, this activation passes {passes}. {remark}"
    )


#: A network of three units with one input, and the eight inputs that it reads.
INPUTS = np.array([0.9, -0.5, 0.7, 0.8, -0.9, 0.6, 0.5, -0.7])


@lru_cache
def collapse_cell(activation):
    """Three units, ρ(W) = 0.95, with the same weights for every activation."""
    rng = np.random.default_rng(1165)  # chosen: every input leaves a visible trace
    W = rng.standard_normal((3, 3))
    W *= 0.95 / np.abs(np.linalg.eigvals(W)).max()
    U = rng.standard_normal((3, 1))
    return RNNCell(U=U, W=W, b=np.zeros(3), activation=activation)


@lru_cache
def contributions(activation, steps):
    """What each input leaves in h_T when it alone is read, and h_T when all are: (T, H), (H,).

    With the identity the former is W^{T-k} U x_k, and the rows add up to h_T.
    """
    cell = collapse_cell(activation)
    alone = INPUTS[:steps, None] * np.eye(steps)  # column k: the inputs with all but x_k silenced
    return (
        forward(cell, alone[:, :, None]).h[-1],
        forward(cell, INPUTS[:steps, None, None]).h[-1, 0],
    )


def linear_collapse():
    """The state of a linear recurrence is one matrix product of its inputs; of tanh it is not."""
    return live.LiveFigure(
        _setup_collapse,
        _update_collapse,
        title="What is left of each input",
        controls={
            "activation": live.Choice("activation", ["identity", "tanh"], value="identity"),
            "T": live.Step("inputs read, T", 1, len(INPUTS), value=8),
        },
        presets={
            "With tanh": {"activation": "tanh", "T": 8},
            "The first three": {"activation": "identity", "T": 3},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


def _setup_collapse():
    fig, ax = plt.subplots(figsize=(6.4, 3.4))
    fig.subplots_adjust(left=0.075, right=0.985, bottom=0.11, top=0.9)
    count = len(INPUTS)
    places = np.arange(1, count + 3)
    ax.set(xlim=(0.4, count + 2.6), xticks=places, ylim=(-1.9, 2.3), yticks=(-1, 0, 1, 2))
    ax.set_xticklabels([f"x{subscript(k)}" for k in range(1, count + 1)] + ["sum", "h"])
    ax.tick_params(axis="x", length=0)
    ax.axhline(0, color=style.INK, lw=0.8)
    ax.set_title("Bar of xₖ: the state (unit 1) when all other inputs are silenced")
    hollow = {"facecolor": "none", "edgecolor": style.X, "lw": 1.8, "ls": "--"}
    artists = {
        "inputs": list(ax.bar(places[:count], 0, 0.6, color=style.X)),
        "joins": [ax.plot([], [], color=style.X, lw=1)[0] for _ in INPUTS],
        "sum": ax.bar(count + 1, 0, 0.6, **hollow)[0],
        "state": ax.bar(count + 2, 0, 0.6, color=style.H)[0],
        "level": ax.plot([], [], color=style.INK, lw=1, ls=":")[0],
        "sum label": ax.text(count + 1, 0, "", ha="center", weight="bold"),
        "state label": ax.text(count + 2, 0, "", ha="center", weight="bold"),
        "verdict": ax.text(0.6, 2.0, "", fontsize=11, weight="bold", va="center"),
    }
    return fig, artists


def _update_collapse(artists, activation, T):
    alone, together = contributions(activation, T)
    ends = np.concatenate([[0.0], np.cumsum(alone[:, 0])])
    ends = np.append(ends, [0.0] * (len(INPUTS) - T))  # inputs not read yet: bars without height
    for k, (bar, join) in enumerate(zip(artists["inputs"], artists["joins"], strict=True)):
        bar.set_y(ends[k] if k < T else 0.0)
        bar.set_height(ends[k + 1] - ends[k] if k < T else 0.0)
        following = k + 2 if k < T - 1 else len(INPUTS) + 1
        join.set_data([k + 0.7, following + 0.3][: 2 * (k < T)], [ends[k + 1]] * 2 * (k < T))
    h, total = together[0], ends[T]
    for name, value in (("sum", total), ("state", h)):
        artists[name].set_height(value)
        label = artists[f"{name} label"]
        label.set_text(signed(value, 2))
        label.set_y(-0.28 if value >= 0 else 0.1)  # on the free side of the zero line
    artists["level"].set_data([len(INPUTS) + 1.3, len(INPUTS) + 2.35], [total, total])
    return _collapse_text(artists["verdict"], activation, alone, together)


def _collapse_text(verdict, activation, alone, together):
    T, gap = len(alone), np.abs(alone.sum(0) - together).max()
    start = f"{activation}, b = 0, h₀ = 0"
    if T == 1:
        verdict.set_text("one input only: nothing to add up yet")
        return f"{start}: the only input leaves {signed(together[0], 3)} in unit 1."
    if gap < 1e-14:
        verdict.set_text("sum = h: the whole loop is one matrix product")
        end = "All three units agree to rounding (differences below 10⁻¹⁴)."
    else:
        verdict.set_text("sum ≠ h")
        end = f"In the three units, sum and state differ by up to {gap:.2f}."
    return (
        f"{start}: what {T} inputs leave in unit 1 one by one adds up to "
        f"{signed(alone.sum(0)[0], 3)}; reading all of them gives {signed(together[0], 3)}. {end}"
    )
