"""The race: which descent learns the order of two symbols, for which lengths, and how soon."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from rnnlib import live, results, style

START = "sparse"  # the networks of experiments/temporal_order.py that are drawn
#: method -> (its short name, its colour, its dashes). Ω acts on the weights W alone, hence the
#: colour of parameters; the gradient's colour is kept for gradients.
METHODS = {
    "SGD": ("SGD", style.MUTED, (1, 1.6)),
    "SGD-C": ("C", style.INK, (5, 2.5)),
    "SGD-CR": ("CR", style.THETA, (None, None)),
}
WIDTH, HEIGHT = 461, 334
LEFT, RIGHT, TOP, FLOOR = 36, 262, 66, 256  # the left panel, in SVG units from the upper left
CURVE = 304, 406  # left and right end of the other
PITCH, RADIUS = 20, 3.6  # from column to column; of a network's disc
#: Pascanu et al. (2013, section 4.1.1), whose networks are given far longer
PAPER = "The paper: with Ω, 5 of 5 on lengths 50 to 200 mixed, up to 5,000,000 updates."
APART = 14  # between the labels of the curves


@cache
def lengths():
    """The lengths of the experiment, rising."""
    return sorted({int(row["length"]) for row in _rows("temporal_order")})


@cache
def grid():
    """The numbers of updates at which successes are counted, rising."""
    return sorted({int(row["updates"]) for row in _rows("temporal_order_curve")})


def _rows(name):
    return results.find(results.load(name), start=START)


@cache
def count(method, length, updates):
    """(solved, n, low, high): networks that succeeded by then, of n; Wilson's 95% interval."""
    row, = results.find(_rows("temporal_order_curve"), method=method, length=length,
                        updates=updates)
    return int(row["solved"]), int(row["n"]), row["low"], row["high"]


@cache
def finishes(method, length):
    """The updates after which networks succeeded, rising."""
    rows = results.find(_rows("temporal_order"), method=method, length=length, solved=1)
    return np.sort([row["updates"] for row in rows])


def temporal_order():
    """How many of the networks have learned temporal order, by method, length and updates.

    A disc is a network, filled when it has succeeded; the line beside a column is Wilson's 95%
    interval. Right: the successes of one length over the updates. See
    experiments/temporal_order.py for the task, which is that of Pascanu et al. (2013).
    """
    last = grid()[-1]
    return live.LiveFigure(
        _setup,
        _update,
        title="Who learns the order of two symbols?",
        controls={
            "updates": live.Play("updates allowed", values=grid(), value=last, per_second=3),
            "length": live.Range("length on the right", values=lengths(), value=40),
        },
        presets={
            "After 1,000 updates: CR leads": {"updates": 1000, "length": 20},
            "Length 20: clipping is slower": {"updates": 5000, "length": 20},
            "Length 40: none, some, all": {"updates": last, "length": 40},
            "Length 60: half, with Ω only": {"updates": last, "length": 60},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


# --- the drawing ------------------------------------------------------------------------------


def _setup():
    fig = plt.figure(figsize=(WIDTH / 72, HEIGHT / 72))
    head = fig.text(6 / WIDTH, 1 - 20 / HEIGHT, "", fontsize=15, weight="bold")
    told = fig.text(6 / WIDTH, 1 - 37 / HEIGHT, "")
    fig.text(1 - 6 / WIDTH, 1 - 20 / HEIGHT, "a disc is a network;", ha="right")
    fig.text(1 - 6 / WIDTH, 1 - 35 / HEIGHT, "filled, it has learned the order", ha="right")
    return fig, {"head": head, "told": told} | _setup_columns(fig) | _setup_curves(fig)


def _panel(fig, left, right):
    """Axes from 0 to 1 in height, and in SVG units from `left` in width."""
    ax = fig.add_axes((left / WIDTH, 1 - FLOOR / HEIGHT, (right - left) / WIDTH,
                       (FLOOR - TOP) / HEIGHT))
    ax.set(xlim=(0, right - left), ylim=(0, 1))
    ax.set_yticks((0, 0.5, 1), ("0%", "50%", "100%"))
    return ax


def _columns():
    """(method, length) -> where its column stands."""
    group = (RIGHT - LEFT) / len(lengths())
    return {(method, length): group * (i + 0.5) + PITCH * (j - 1) - 3
            for i, length in enumerate(lengths()) for j, method in enumerate(METHODS)}


def _setup_columns(fig):
    ax, places = _panel(fig, LEFT, RIGHT), _columns()
    ax.set_xticks([])
    below = {"ha": "center", "va": "baseline", "fontsize": 9.5}
    for (method, length), x in places.items():
        n = count(method, length, grid()[-1])[1]
        short, colour, _ = METHODS[method]
        ax.plot([x] * n, _heights(n, n), "o", ms=2 * RADIUS, mfc="none", mec=colour, mew=0.8)
        ax.text(x + 2, _down(ax, 13), short, color=colour, weight="bold", **below)
        if short == "C":
            ax.text(x + 2, _down(ax, 30), f"length {length}", **below | {"fontsize": 10})
    ax.text(-24, _down(ax, 52), "C: clipped at norm 1.  CR: clipped, with the regulariser Ω.  "
            "Upright lines: 95% intervals.", **below | {"ha": "left"})
    ax.text(-24, _down(ax, 68), PAPER, color=style.MUTED, **below | {"ha": "left"})
    return {method: ax.plot([], [], "o", ms=2 * RADIUS, color=colour)[0]
            for method, (_, colour, _) in METHODS.items()} | {
        f"{method} interval": ax.vlines([x for (own, _), x in places.items() if own == method],
                                        0, 1, color=colour, lw=1.4)
        for method, (_, colour, _) in METHODS.items()}


def _heights(some, n):
    """Of the first `some` discs in a column of n."""
    return (np.arange(some) + 0.5) / n


def _down(ax, units):
    """So many SVG units below the floor."""
    return -units / (FLOOR - TOP)


def _across(updates):
    """Where so many updates lie in the right panel."""
    first, last = np.log10(grid()[0]), np.log10(grid()[-1])
    return (np.log10(updates) - first) / (last - first) * (CURVE[1] - CURVE[0])


def _setup_curves(fig):
    ax = _panel(fig, *CURVE)
    decades = [10**p for p in range(2, 5) if grid()[0] <= 10**p <= grid()[-1]]
    ax.set_xticks([_across(u) for u in decades], [f"{u:,}" for u in decades])
    ax.text(_across(grid()[-1]) / 2, _down(ax, 30), "updates", ha="center", va="baseline")
    lines = {f"{method} curve": ax.plot([], [], color=colour, lw=2.2, dashes=dashes, zorder=2.5,
                                        clip_on=False, solid_joinstyle="miter")[0]
             for method, (_, colour, dashes) in METHODS.items()}
    labels = {f"{method} label": ax.text(0, 0, method, color=colour, weight="bold",
                                         va="center_baseline", fontsize=9.5)
              for method, (_, colour, _) in METHODS.items()}
    curtain = Rectangle((0, 0), 0, 1.02, color=style.PAPER, alpha=0.72, lw=0, zorder=3)
    curtain.set_clip_on(False)
    return lines | labels | {
        "curtain": ax.add_patch(curtain),
        "now": ax.plot([], [], color=style.INK, lw=1, zorder=3.1)[0],
        "title": ax.text(0, 1 + 5 / (FLOOR - TOP), "", weight="bold", fontsize=10),
    }


# --- the frames -------------------------------------------------------------------------------


def _update(artists, updates, length):
    for method in METHODS:
        _draw_columns(artists, method, updates)
        _draw_curve(artists[f"{method} curve"], method, length)
    _place_labels(artists, length)
    now = _across(updates)
    artists["curtain"].set(x=now, width=_across(grid()[-1]) - now + 1)
    artists["now"].set_data([now, now], [0, 1])
    artists["title"].set_text(f"length {length}")
    artists["head"].set_text(f"After {updates:,} updates")
    parts = [f"{METHODS[method][0]} {solved}" for method, solved, _ in _totals(updates)]
    n, = {n for *_, n in _totals(updates)}
    artists["told"].set_text(f"of {n} each: " + ", ".join(parts))
    return _sentence(updates, length)


def _draw_columns(artists, method, updates):
    xs, ys, bars = [], [], []
    for (own, length), x in _columns().items():
        if own == method:
            solved, n, low, high = count(method, length, updates)
            xs += [x] * solved
            ys += list(_heights(solved, n))
            bars.append([(x + 7, low), (x + 7, high)])
    artists[method].set_data(xs, ys)
    artists[f"{method} interval"].set_segments(bars)


def _draw_curve(line, method, length):
    n, done = count(method, length, grid()[-1])[1], finishes(method, length)
    times = np.concatenate([[grid()[0]], np.repeat(done, 2), [grid()[-1]]])
    share = np.repeat(np.arange(len(done) + 1), 2) / n
    line.set_data(np.round(_across(times), 1), share)


def _place_labels(artists, length):
    """Beside the ends of the curves, apart from one another; of equals the quicker one is above."""
    ends = {method: len(finishes(method, length)) / count(method, length, grid()[-1])[1]
            for method in METHODS}
    order = sorted(METHODS, key=lambda method: (ends[method], -finishes(method, length).sum()))
    apart, heights = APART / (FLOOR - TOP), []
    for method in order:                                    # upwards from the floor
        heights.append(max(ends[method], heights[-1] + apart if heights else 0.03))
    for k, method in enumerate(order):                      # what stands above the top comes down
        height = min(heights[k], 1 - apart * (len(order) - 1 - k))
        artists[f"{method} label"].set_position((_across(grid()[-1]) + 5, round(height, 3)))


def _totals(updates):
    """(method, successes over all lengths, networks) of each method."""
    for method in METHODS:
        counts = [count(method, length, updates)[:2] for length in lengths()]
        yield method, *np.sum(counts, axis=0)


def _sentence(updates, length):
    parts = []
    for method in METHODS:
        solved, n, low, high = count(method, length, updates)
        parts.append(f"{method} {solved} of {n} ({low:.0%} to {high:.0%})")
    return (f"After {updates:,} updates with sequences of length {length}, so many networks have "
            f"learned the order: {', '.join(parts)}; in brackets 95% intervals.")
