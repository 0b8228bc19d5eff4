"""Does the highway start open? Forget bias against lag: what is learnt, and what σ(b) predicts."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from rnnlib import live, results, style
from rnnlib.functions import sigmoid
from rnnlib.plots.numerals import scientific, ten

DRAWN = "drawn"  # b_f left as drawn, from ±1/√H: its mean is 0
BIASES = (DRAWN, "0", "1", "2", "3", "4", "5")
LAGS = (5, 10, 20, 40, 80)
UPDATES = (50, 100, 200, 400)
LEFT_OVER = 0.01  # the share of the gradient at which the curve over the diagram is drawn
TOP, DECADES = 1.8, 12  # the right panel shows 10^1.8 to 10⁻¹²
WIDTH, HEIGHT = 461, 298
CELLS = (46, 46, 236, 186)  # left, bottom, width, height of the diagram, in SVG units
BACK = (324, 46, 124, 186)  # and of the panel beside it
ROOM = (0.29, 0.22)  # of a number, on either side of its middle, in cells
TINT = 0.36  # the opacity of a cell that all networks solved


def highway():
    """How many LSTMs learn to keep one bit, by forget bias and lag, and what comes back to it.

        dL/dc_{t-1} = f_t ⊙ dL/dc_t + what comes through h,     f_t ≈ σ(b_f) at the start

    Left: networks that solved the task within so many updates, of 10 (experiments/forget_bias.py);
    dashed: the lag n at which σ(b_f)ⁿ is 1/100. Right, for the chosen bias and lag and before
    training: ‖dL/dc_{T-n}‖ / ‖dL/dc_T‖, median and range of the 10, beside σ(b_f)ⁿ, which is what
    would come along the cell state alone; dotted: 1/100.
    """
    return live.LiveFigure(
        _setup,
        _update,
        title="Does the highway start open?",
        controls={
            "bias": live.Choice("forget bias b at the start", BIASES, value="1"),
            "lag": live.Range("lag: steps from the bit to the answer", values=LAGS, value=40),
            "updates": live.Range("updates", values=UPDATES, value=400),
        },
        presets={
            "Bias 1, lag 40: none learn": {"bias": "1", "lag": 40, "updates": 400},
            "Bias 3, lag 40: all learn": {"bias": "3", "lag": 40, "updates": 400},
            "Bias 1, lag 20: after 100 updates, 6 learn": {"bias": "1", "lag": 20, "updates": 100},
            "Bias 3, lag 80: most learn": {"bias": "3", "lag": 80, "updates": 400},
            "As PyTorch starts, lag 20: none learn": {"bias": DRAWN, "lag": 20, "updates": 400},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


# --- numbers ----------------------------------------------------------------------------------


def forget(bias):
    """σ(b), the forget gate that sees nothing but its bias; σ(0) where the bias is drawn."""
    return float(sigmoid(np.array([float(_number(bias))]))[0])


def reach(bias, left=LEFT_OVER):
    """Return after how many steps n (not a whole number) σ(b)ⁿ is down to `left`."""
    return np.log(left) / np.log(forget(bias))


@cache
def solved(bias, lag, updates):
    """{"solved", "n", "low", "high"}: networks that had solved the task by then, out of n."""
    row, = results.find(results.load("forget_bias_summary"), bias=_stored(bias), lag=lag,
                        updates=updates)
    return {"solved": int(row["solved"]), "n": int(row["n"]), "low": row["low"],
            "high": row["high"]}


@cache
def measured(bias, lag):
    """{"back" (6,), "median", "least", "most"}: ‖dL/dc_{T-n}‖ / ‖dL/dc_T‖, n = 0 .. lag."""
    rows = results.find(results.load("forget_bias_gradient"), bias=_stored(bias), lag=lag)
    rows = [{"back": 0, "median": 1, "least": 1, "most": 1}, *rows]
    return {name: np.array([row[name] for row in rows])
            for name in ("back", "median", "least", "most")}


def _number(bias):
    return "0" if bias == DRAWN else bias


def _stored(bias):
    return bias if bias == DRAWN else float(bias)               # as `results.load` reads it


# --- what stays -------------------------------------------------------------------------------


def _setup():
    fig = plt.figure(figsize=(WIDTH / 72, HEIGHT / 72))
    left, right = (fig.add_axes((x / WIDTH, y / HEIGHT, w / WIDTH, h / HEIGHT))
                   for x, y, w, h in (CELLS, BACK))
    return fig, _setup_cells(fig, left) | _setup_back(fig, right)


def _column(bias):
    """Where a bias stands: at itself; the drawn one to the left of all."""
    return -1.25 if bias == DRAWN else float(bias)


def _setup_cells(fig, ax):
    rows = np.arange(len(LAGS))
    ax.set(xlim=(-1.8, 5.5), ylim=(-0.5, len(LAGS) - 0.5), ylabel="lag: steps to keep the bit",
           xlabel="forget bias b at the start")
    ax.set_xticks([_column(bias) for bias in BIASES], BIASES)
    ax.set_yticks(rows, [str(lag) for lag in LAGS])
    ax.tick_params(length=0, pad=4)
    ax.spines[:].set_visible(False)
    cells, counts = {}, {}
    for bias in BIASES:
        for row, lag in enumerate(LAGS):
            x = _column(bias)
            ax.add_patch(Rectangle((x - 0.5, row - 0.5), 1, 1, fill=False, lw=0.8,
                                   edgecolor=style.MUTED, alpha=0.5))
            cells[bias, lag] = ax.add_patch(
                Rectangle((x - 0.5, row - 0.5), 1, 1, facecolor=style.INK, alpha=0, lw=0))
            counts[bias, lag] = ax.text(x, row, "", ha="center", va="center_baseline", zorder=4)
    _draw_reach(ax)
    here = Rectangle((0, 0), 1, 1, fill=False, edgecolor=style.INK, lw=2.8, zorder=5)
    return {
        "cells": cells, "counts": counts, "here": ax.add_patch(here),
        "head": _line(fig, CELLS[0], 18, fontsize=12, weight="bold"),
        "told": _line(fig, CELLS[0], 36, fontsize=9.5),
    }


def _draw_reach(ax):
    """Draw the lag at which σ(b)ⁿ is 1/100 as a curve over the diagram, broken at its numbers."""
    b = np.linspace(-0.5, 5.5, 301)
    lags = np.log2([reach(x) / LAGS[0] for x in b])
    inside = lags < len(LAGS) - 0.45
    ax.text(b[inside][-1], len(LAGS) - 0.38, "σ(b)ⁿ = 1/100", color=style.KEEP, ha="center",
            fontsize=9.5)
    near = np.maximum(abs(b - b.round()) / ROOM[0], abs(lags - lags.round()) / ROOM[1]) < 1
    lags[near | ~inside] = np.nan
    ax.plot(b, lags, color=style.KEEP, lw=2.2, ls=(0, (4, 2)), zorder=3)


def _line(fig, x, y, text="", **more):
    """A line of text, `x` and `y` SVG units from the top left corner."""
    return fig.text(x / WIDTH, 1 - y / HEIGHT, text, va="baseline", **more)


def _setup_back(fig, ax):
    ax.set(xlim=(0, 1.04), ylim=(-DECADES, TOP), xticks=(0, 0.5, 1))
    powers = range(0, -DECADES - 1, -2)
    ax.set_yticks(powers, [ten(p) if p else "1" for p in powers])
    ax.set_xticklabels(["", "", ""])
    ax.set_xlabel("steps back, n", labelpad=15)
    ax.axhline(np.log10(LEFT_OVER), color=style.MUTED, lw=0.8, ls=":")
    (guide,) = ax.plot([], [], color=style.KEEP, lw=2.2, ls=(0, (4, 2)))
    (dots,) = ax.plot([], [], "o", color=style.GRAD, ms=7, zorder=5, clip_on=False)
    dots.set(markeredgecolor=style.PAPER, markeredgewidth=1)
    spans = ax.vlines(np.zeros(6), 0, 0, color=style.GRAD, lw=3.5, alpha=0.4, zorder=4)
    (gone,) = ax.plot([1], [-DECADES], "v", color=style.KEEP, ms=8, zorder=5, clip_on=False)
    _line(fig, BACK[0] - 32, 36, "● median; bar: all networks", color=style.GRAD, fontsize=9.5)
    _line(fig, BACK[0] + 90, 51, "··· 1/100", color=style.MUTED, fontsize=9.5)
    ticks = [ax.annotate("", (x, 0), (0, -8), xycoords=("data", "axes fraction"),
                         textcoords="offset points", ha="center", va="top", fontsize=9.5)
             for x in (0, 0.5, 1)]
    return {
        "guide": guide, "dots": dots, "spans": spans, "gone": gone, "ticks": ticks,
        "back": _line(fig, BACK[0] - 32, 18, fontsize=12, weight="bold"),
        "power": _line(fig, BACK[0] - 32, 51, color=style.KEEP, fontsize=9.5),
    }


# --- what moves -------------------------------------------------------------------------------


def _update(artists, bias, lag, updates):
    for (column, row), cell in artists["cells"].items():
        found = solved(column, row, updates)
        cell.set_alpha(round(TINT * found["solved"] / found["n"], 3))
        artists["counts"][column, row].set_text(str(found["solved"]))
    artists["here"].set_xy((_column(bias) - 0.5, LAGS.index(lag) - 0.5))
    _show_back(artists, bias, lag)
    found = solved(bias, lag, updates)
    artists["head"].set_text(
        f"b {'' if bias == DRAWN else '= '}{bias}, lag {lag}: {found['solved']} learn it")
    artists["told"].set_text(f"of {found['n']} networks, after {updates} updates")
    artists["back"].set_text(f"gradient left: {amount(measured(bias, lag)['median'][-1])}")
    return _sentence(bias, lag, updates)


def _show_back(artists, bias, lag):
    found, slope = measured(bias, lag), lag * np.log10(forget(bias))
    end = min(1, DECADES / -slope)
    artists["guide"].set_data([0, round(end, 3)], [0, round(end * slope, 3)])
    artists["gone"].set(xdata=[round(end, 3)], visible=bool(end < 1))
    share = found["back"] / lag
    low, middle, high = (_heights(found[name]) for name in ("least", "median", "most"))
    shown = middle > -DECADES
    artists["dots"].set_data(share[shown], middle[shown])
    artists["spans"].set_segments([[(x, a), (x, b)] for x, a, b in
                                   zip(share, low, high, strict=True)])
    for text, n in zip(artists["ticks"], (0, lag / 2, lag), strict=True):
        text.set_text(f"{n:g}")
    artists["power"].set_text(f"- - σ({_number(bias)})ⁿ = {forget(bias):.3g}ⁿ")


def _heights(values):
    """Powers of ten, kept in the picture."""
    return np.round(np.clip(np.log10(values), -DECADES, TOP), 3)


def amount(share):
    """Say how large that is, once it was 1: "4·10⁻⁶", "0.3%", "14%", "1.2×"."""
    if share >= 0.995:
        return f"{share:.1f}×"
    return f"{100 * share:.2g}%" if share >= 0.001 else scientific(share)


def _sentence(bias, lag, updates):
    found, back = solved(bias, lag, updates), measured(bias, lag)["median"][-1]
    share = f"{amount(back)}{' of' if back < 0.995 else ''}"
    return (f"Forget bias {bias}, lag {lag}: {found['solved']} of {found['n']} networks learn to "
            f"keep the bit within {updates} updates (95% interval {found['low']:.0%} to "
            f"{found['high']:.0%}). Before training the gradient of the cell state at the bit is "
            f"{share} that at the answer; along the cell state alone it would be "
            f"σ({_number(bias)})ⁿ = {amount(forget(bias)**lag)}.")
