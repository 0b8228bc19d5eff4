"""Accuracy against depth: only the right tree carries what was learned to deeper expressions."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np

from rnnlib import live, results, style

#: label of the choice -> the model in experiments/list_operations.py
MODELS = {
    "its own tree": "tree",
    "its own tree, asked everywhere": "tree asked everywhere",
    "GRU": "GRU",
    "chain": "chain",
    "balanced tree": "balanced",
    "right-branching tree": "right-branching",
}
NAMES = {
    "tree": "own tree",
    "tree asked everywhere": "own tree, asked\neverywhere",
    "GRU": "GRU",
    "chain": "chain",
    "balanced": "balanced",
    "right-branching": "right-branching",
}
TOLD = ("tree", "tree asked everywhere")  # these know where the brackets are
#: label of the choice -> the operations
SETS = {"max, min, first, last": "max min first last", "max, min, sum": "max min sum"}
TRAINED = 4  # operations, one in the other: the deepest expressions of the training
GUESSING = 0.1  # every digit is equally likely, at every depth
GAP = 0.062  # the least from label to label, as a share of the axis
END = 8.2  # where the labels begin


@cache
def accuracy(operations, model):
    """What was found for a model and operations, an entry for each depth, rising.

    {"depth", "mean", "low", "high", "networks"}, each (8,): the share of right answers, its mean
    over the networks with Student's 95% interval, and how many networks there are.
    """
    rows = results.find(results.load("list_operations_summary"), operations=operations,
                        model=model)
    rows.sort(key=lambda row: row["depth"])
    return {name: np.array([row[name] for row in rows])
            for name in ("depth", "mean", "low", "high", "networks")}


def list_operations():
    """The share of right answers by the depth of the expression, for six ways of reading it."""
    return live.LiveFigure(
        _setup,
        _update,
        title="Which reader is still right when expressions get deeper?",
        controls={
            "model": live.Choice("reader", list(MODELS)),
            "operations": live.Choice("operations", list(SETS)),
        },
        presets=_presets(),
        rc=style.RC,
        colours=style.COLOURS,
    )


def _presets():
    plain, sums = SETS
    return {
        "The GRU fails where it gets deeper": {"model": "GRU", "operations": plain},
        "A wrong tree: 43% at four deep": {"model": "balanced tree", "operations": plain},
        "Sums are hard for all": {"model": "its own tree", "operations": sums},
    }


def _setup():
    fig, ax = plt.subplots(figsize=(6.4, 4.3))
    fig.subplots_adjust(left=0.085, right=0.715, bottom=0.12, top=0.93)
    depths = accuracy(SETS[next(iter(SETS))], "tree")["depth"]
    ax.set(xlim=(0.7, END - 0.05), ylim=(0, 1.02), xticks=depths,
           xlabel="operations, one inside the other (each is two joins)")
    ax.set_title("right answers", fontsize=10, x=-0.09)
    ax.set_yticks((0, 0.25, 0.5, 0.75, 1), ("0", "25%", "50%", "75%", "100%"))
    ax.axvspan(0.7, TRAINED + 0.5, color=style.MUTED, alpha=0.13, lw=0)
    ax.text((TRAINED + 1.2) / 2, 0.03, "depths of the training", ha="center", fontsize=9.5)
    ax.text(TRAINED + 0.7, 0.03, "deeper than ever seen", fontsize=9.5)
    ax.axhline(GUESSING, color=style.MUTED, lw=1, ls=":")
    ax.text(0.8, GUESSING + 0.013, "guessing: 10%", fontsize=9.5, color=style.MUTED)
    empty = np.zeros_like(depths)
    beside = {"va": "center", "fontsize": 10, "linespacing": 1.15}
    return fig, {
        "lines": {model: ax.plot(depths, empty)[0] for model in MODELS.values()},
        "labels": {model: ax.text(END, 0, "", **beside) for model in MODELS.values()},
        "bars": ax.vlines(depths, empty, empty, color=style.INK, lw=1.3, zorder=4),
        "dots": ax.plot(depths, empty, "o", color=style.INK, ms=5.5, zorder=4)[0],
        "heads": [ax.text(END, 0, text, color=style.INK, **beside)
                  for text in ("knows the brackets:", "sees only the tokens:")],
    }


def _update(artists, model, operations):
    chosen, found = MODELS[model], accuracy(SETS[operations], MODELS[model])
    for name, line in artists["lines"].items():
        on = name == chosen
        line.set_ydata(accuracy(SETS[operations], name)["mean"])
        line.set(color=style.INK if on else style.MUTED, linewidth=2.6 if on else 1.1,
                 linestyle="-" if name in TOLD else (0, (4, 1.6)), zorder=3 if on else 2)
    artists["dots"].set_ydata(found["mean"])
    artists["bars"].set_segments([[(x, low), (x, high)] for x, low, high in
                                  zip(found["depth"], found["low"], found["high"], strict=True)])
    _place_labels(artists, chosen, SETS[operations])
    return _sentence(model, operations, found)


def _place_labels(artists, chosen, operations):
    """At the ends of the lines, in their order, without overlaps; each group has its heading."""
    ends = {name: accuracy(operations, name)["mean"][-1] for name in artists["labels"]}
    order = sorted(ends, key=ends.get)
    top = -np.inf                                       # of the highest label so far
    for head, group in ((1, [name for name in order if name not in TOLD]),
                        (0, [name for name in order if name in TOLD])):
        for name in group:
            half = GAP * (1 + NAMES[name].count("\n")) / 2
            y = max(ends[name], top + half)
            artists["labels"][name].set_y(round(float(y), 3))
            top = y + half
        artists["heads"][head].set_y(round(float(top + GAP / 2), 3))
        top += 1.5 * GAP
    for name, text in artists["labels"].items():
        on = name == chosen
        text.set(text=f"{NAMES[name]}  {ends[name]:.0%}", weight="bold" if on else "normal",
                 color=style.INK if on else style.MUTED)


def _sentence(model, operations, found):
    def at(depth):
        k = list(found["depth"]).index(depth)
        mean, low, high = (f"{found[name][k]:.0%}" for name in ("mean", "low", "high"))
        return mean if low == high else f"{mean} ({low} to {high})"

    knows = "knows the brackets" if MODELS[model] in TOLD else "sees only the tokens"
    return (f"{model[0].upper()}{model[1:]} ({knows}), operations {operations}: right in {at(1)} "
            f"where they are 1 deep, {at(TRAINED)} at {TRAINED} deep, the deepest of the training, "
            f"and {at(8)} at 8 deep. Means of {found['networks'][0]:.0f} networks, 95% intervals.")
