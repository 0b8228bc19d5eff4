"""Memory against time: backpropagation through 1,000 steps with what a budget allows to keep."""

import math
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Polygon, Rectangle

from rnnlib import live, results, style
from rnnlib.bptt import plan, schedule
from rnnlib.lstm import LSTMCell

STEPS = 1000
BATCH, INPUTS, UNITS = 16, 32, 64  # of the LSTM that was measured
PAPER = 0.05, 4 / 3  # memory and time, "95% less" and "one third more" (Gruslys et al. 2016)
LEAST = 0.017  # the smallest budget shown
WIDTH, HEIGHT = 461, 288
LEFT, SPAN = 34, 412
MOST, SLOWEST = 4, 2  # how often a step is computed, and the end of the axis of time


def bptt_cost():
    """What a memory budget keeps of the states of an LSTM, and what must be computed again.

    The times are those of experiments/bptt_cost.py; which steps run is computed here.
    """
    budgets = [round(100 * share, 2) for share in measured()]
    return live.LiveFigure(
        _setup,
        _update,
        title="Keep less, compute again",
        controls={
            "budget": live.Range("memory budget, % of whole BPTT", values=budgets, value=6)
        },
        presets={
            "Keep everything": {"budget": 100},
            "A twentieth of the memory": {"budget": 6},
            "Almost nothing kept": {"budget": 1.7},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


@cache
def measured():
    """The rows of the experiment by budget, a share of whole BPTT's memory; whole BPTT at 1."""
    rows = results.find(results.load("bptt_cost_budgets"), batch=BATCH, inputs=INPUTS, units=UNITS)
    found = {1.0 if row["budget"] == "whole" else row["budget"]: row for row in rows}
    shown = sorted(budget for budget in found.keys() - {"none"} if budget >= LEAST)
    return {budget: found[budget] for budget in shown}


@cache
def walk(budget):
    """(how often each step is computed (1000,), states kept at first, steps kept whole).

    The states, as the steps that they precede, are those kept when the way back begins.
    """
    if budget == 1:
        return np.ones(STEPS, int), [0], STEPS
    cell = LSTMCell.init(INPUTS, UNITS)
    whole = measured()[1.0]["bytes"]
    segment, slots = plan(cell, STEPS, BATCH, np.dtype(float), int(budget * whole))
    count = math.ceil(STEPS / segment)
    way, runs = list(schedule(count, slots)), np.ones(count, int)
    for _, legs, _ in way:
        for start, stop in legs:
            runs[start:stop] += 1
    at_first = [segment * place for place in way[0][2]]
    return np.repeat(runs, segment)[:STEPS], at_first, segment


def _setup():
    fig = plt.figure(figsize=(WIDTH / 72, HEIGHT / 72))
    top = _axes(fig, LEFT, 168, SPAN, 96, xlim=(0, STEPS), ylim=(0, MOST))
    top.set(yticks=range(1, MOST + 1), xticks=[])
    top.set_title("How often each step is computed forward", pad=6)
    top.add_patch(Rectangle((0, 0), STEPS, 1, color=style.H, alpha=0.3, lw=0))
    top.text(STEPS / 2, 0.5, "the first time", ha="center", va="center_baseline")
    again = top.add_patch(Polygon([(0, 0)], color=style.H, lw=0))
    label = top.text(0, 1.5, "again", color=style.PAPER, weight="bold", ha="center",
                     va="center_baseline")
    artists = {"again": again, "label": label}
    low = _axes(fig, LEFT, 112, SPAN, 16, xlim=(0, STEPS), ylim=(0, 1), yticks=[])
    low.set_xticks([1, 250, 500, 750, 1000])
    low.set_xticklabels(["t = 1", "250", "500", "750", "1,000"])
    low.spines[["top", "right"]].set_visible(True)
    artists["whole"] = low.add_patch(Rectangle((0, 0), 0, 1, color=style.H, lw=0))
    (artists["kept"],) = low.plot([], [], "o", color=style.H, markersize=5, clip_on=False)
    artists["said"] = low.text(0, 1.35, "", va="bottom", fontsize=10.5)
    return fig, artists | _bars(fig)


def _axes(fig, x, y, width, height, **settings):
    """Axes measured in points from the lower left corner."""
    box = (x / WIDTH, y / HEIGHT, width / WIDTH, height / HEIGHT)
    return fig.add_axes(box, **settings)


def _bars(fig):
    """What it costs: memory and time as shares of whole BPTT, with the paper's two marks."""
    artists, half = {}, SPAN / 2 - 22
    sides = (("memory", LEFT, 1, [0, 0.5, 1], ["0", "50%", "100%"]),
             ("time", LEFT + half + 44, SLOWEST, [0, 1, 2], ["0", "1×", "2×"]))
    for (name, x, end, ticks, labels), paper in zip(sides, PAPER, strict=True):
        ax = _axes(fig, x, 40, half, 20, xlim=(0, end), ylim=(0, 1), yticks=[])
        ax.set_xticks(ticks, labels)
        ax.plot([1, 1], [0, 1.1], color=style.INK, lw=1.4, ls="--", clip_on=False)
        artists[name] = ax.add_patch(Rectangle((0, 0), 0, 0.9, color=style.H, alpha=0.5, lw=0))
        ax.plot([paper], [0.45], "D", markersize=7, markeredgecolor=style.INK, clip_on=False,
                markerfacecolor=style.PAPER, markeredgewidth=1.4, zorder=4)
        artists[name + " said"] = ax.text(0, 1.25, "", va="bottom", fontsize=10.5)
    for x, text in zip((LEFT, LEFT + half + 44), ("dashed: whole BPTT", "◇ Gruslys et al. 2016"),
                       strict=True):
        fig.text(x / WIDTH, 4 / HEIGHT, text, va="bottom", fontsize=9.5)
    return artists


def _update(artists, budget):
    share = round(budget / 100, 4)
    row = measured()[share]
    runs, kept, whole = walk(share)
    repeated = np.flatnonzero(runs > 1)
    artists["again"].set_xy(outline(runs))
    artists["label"].set_visible(len(repeated) > 0)
    artists["label"].set_x(repeated.mean() if len(repeated) else 0)
    first = whole * ((STEPS - 1) // whole)  # of the last segment: the way back begins there
    artists["whole"].set(x=first, width=STEPS - first)
    artists["kept"].set_data(kept, [0.5] * len(kept))
    artists["kept"].set_visible(whole < STEPS)
    states = f"{len(kept)} state{'s' * (len(kept) > 1)} (•), " * (whole < STEPS)
    artists["said"].set_text(f"Kept as the way back begins: {states}{STEPS - first:,} steps (▮)")
    for name, value, text in (
        ("memory", row["share"], f"{row['share']:.1%}"), ("time", row["ratio"], _times(row))
    ):
        artists[name].set_width(value)
        artists[name + " said"].set_text(f"{name}: {text}")
    return _sentence(row, runs)


def outline(runs):
    """The corners of the area between 1 and how often each step is computed."""
    edges = np.flatnonzero(np.diff(runs)) + 1
    starts, ends = np.append(0, edges), np.append(edges, len(runs))
    tops = [(x, runs[a]) for a, b in zip(starts, ends, strict=True) for x in (a, b)]
    return [(0, 1), *tops, (len(runs), 1)]


def _times(row):
    return f"{row['ratio']:.1f}×"  # its quartiles are 0.1 apart


def _sentence(row, runs):
    if row["budget"] == "whole":
        return "Whole BPTT keeps every step and computes each once: all of the memory, 1× the time."
    ran = f"{int(row['steps_run']):,} steps are computed forward instead of {STEPS:,}"
    most = "none more than twice" if runs.max() == 2 else f"some of them {runs.max()} times"
    return f"With {row['share']:.1%} of the memory, {ran}, {most}. It takes {_times(row)} the time."
