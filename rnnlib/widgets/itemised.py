"""Which step is to blame? The gradient of W item by item, for three cells that read one word.

    dW = Σ_t Σ_k item[k, t]         item[k, t] = dL_t/d(W h_{k-1}) · h_{k-1}ᵀ       k <= t

For an `RNNCell` dL_t/d(W h_{k-1}) is dL_t/da_k. In a cell with gates it holds all of W's rows; what
goes back along the cell state of an LSTM is in it, while dL_t/dh_k alone would leave that out.
"""

from functools import cache

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

from rnnlib import live, losses, style, tasks
from rnnlib.bptt import itemised as itemised_bptt
from rnnlib.cells import RNNCell
from rnnlib.gru import GRUCell
from rnnlib.lstm import LSTMCell
from rnnlib.outputs import OutputLayer
from rnnlib.plots.matrices import blank_axes
from rnnlib.plots.numerals import subscript
from rnnlib.unroll import forward

WORD = "backpropagate"
STEPS = len(WORD) - 1
HIDDEN, SEED = 16, 0
CELLS = {"RNN": RNNCell, "LSTM": LSTMCell, "GRU": GRUCell}
#: The trace fields that W h_{k-1} is added to, in the order of W's rows.
FED = {
    RNNCell: ("a",), LSTMCell: ("a_i", "a_f", "a_g", "a_o"), GRUCell: ("a_r", "a_z", "s"),
}
FALLEN = 0.1  # of its size at the loss's own step: where the band ends


def itemised():
    """The sizes of all items of dW, each loss against each step, in an RNN, an LSTM and a GRU."""
    return live.LiveFigure(
        _setup,
        _update,
        title="Which step is to blame?",
        controls={
            "t": live.Step("loss of step t", 1, STEPS, value=STEPS),
            "k": live.Step("through step k", 1, STEPS, value=8),
        },
        presets={
            "Ten steps back": {"t": 12, "k": 2},
            "Nothing before step 1": {"t": 12, "k": 1},
            "The future is never to blame": {"t": 4, "k": 9},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


def contributions(cell, trace, dhs):
    """The items of dW, (T, T, rows of W, H): what the loss of step t sends into it at step k.

        items[k, t] = dL_t/d(W h_{k-1}) · h_{k-1}ᵀ      zero for k > t; Σ_k Σ_t items = dW

    cell: an `RNNCell`, `LSTMCell` or `GRUCell`; trace, dhs (T, 1, H) as for `bptt.itemised`.
    Raises TypeError for another cell.
    """
    if type(cell) not in FED:
        known = ", ".join(kind.__name__ for kind in FED)
        raise TypeError(f"cell: expected one of {known}, got {type(cell).__name__}")
    dtrace = itemised_bptt(cell, trace, dhs)
    sent = np.concatenate([getattr(dtrace, name) for name in FED[type(cell)]], axis=-1)
    return np.einsum("kti,kj->ktij", sent, trace.h_prev[:, 0])


def shares(items):
    """How much of dW each item is, (T, T): its part along dW over ‖dW‖. They add up to 1.

        share[k, t] = ⟨item[k, t], dW⟩ / ‖dW‖²          negative if it pulls the other way
    """
    total = items.sum((0, 1))
    return np.einsum("ktij,ij->kt", items, total) / np.sum(total**2)


@cache
def reading(name):
    """(cell, output layer, trace, dhs): the untrained cell of that name reads WORD.

    The letters are one-hot; at each step the next letter is due, with cross-entropy.
    """
    letters = sorted(set(WORD))
    places = np.array([[letters.index(letter)] for letter in WORD])
    rng = np.random.default_rng(SEED)
    cell = CELLS[name].init(len(letters), HIDDEN, rng=rng)
    out = OutputLayer.init(HIDDEN, len(letters), rng=rng)
    trace = forward(cell, tasks.one_hot(places[:-1], len(letters)))
    _, dlogits = losses.softmax_cross_entropy(out.logits(trace.h), places[1:])
    return cell, out, trace, out.backward(trace.h, dlogits)[0]


@cache
def measured(name):
    """(sizes, shares), each (12, 12), of the items of dW for the cell of that name."""
    cell, _, trace, dhs = reading(name)
    items = contributions(cell, trace, dhs)
    return np.linalg.norm(items, axis=(2, 3)), shares(items)


def column(name, t):
    """‖item[k, t]‖ over ‖item[t, t]‖ for k = t, t-1, ..., 2: how L_t's blame falls off."""
    sizes, now = measured(name)[0], t - 1
    return sizes[now:0:-1, now] / sizes[now, now] if t > 1 else np.zeros(0)


def row(name, k):
    """‖item[k, t]‖ over ‖item[k, k]‖ for t = k, k+1, ..., 12: which losses reach step k."""
    sizes, now = measured(name)[0], k - 1
    return sizes[now, now:] / sizes[now, now] if k > 1 else np.zeros(0)


def reach(name, t):
    """How many steps before t the items of L_t first fall below 1/10; None if they do not."""
    below = np.flatnonzero(column(name, t) < FALLEN)
    return int(below[0]) if len(below) else None


# --- drawing ------------------------------------------------------------------------------------

WIDTH, HEIGHT = 461, 378
TILE, TOP = 10.5, 32
SIDE = STEPS * TILE
LEFTS = dict(zip(CELLS, (46, 186, 326), strict=True))  # of the three maps
PANELS = {"column": 46, "row": 270}  # left edges
PANEL = (232, 150, 92)  # top, width, height
LINES = {"RNN": ("-", "o"), "LSTM": ("--", "s"), "GRU": (":", "^")}
DECADES = 2  # below its largest item a map fades away
FAINT = 0.04  # what is left of it then


def _setup():
    fig, ax = blank_axes(WIDTH, HEIGHT)
    maps = {name: _draw_map(ax, name, left) for name, left in LEFTS.items()}
    ax.text(8, TOP + SIDE / 2, "through step k", rotation=90, ha="center", va="center")
    for i, letter in enumerate(WORD[:-1]):
        y = TOP + (i + 0.5) * TILE
        ax.text(31, y, str(i + 1), fontsize=9.5, ha="right", va="center_baseline")
        ax.text(38, y, letter, fontsize=9.5, weight="bold", color=style.X, ha="center",
                va="center_baseline")
    ax.text(LEFTS["LSTM"] + SIDE / 2, TOP + SIDE + 27, "loss of step t, by the letter due",
            ha="center")
    _draw_scale(ax)
    panels = {name: _draw_panel(fig, name, left) for name, left in PANELS.items()}
    return fig, {"maps": maps, "panels": panels}


def strength(sizes):
    """0 to 1 for a hundredth of the largest size to the largest itself, on a log scale."""
    return np.clip(1 + np.log10(np.maximum(sizes, 1e-300) / sizes.max()) / DECADES, FAINT, 1)


def _draw_map(ax, name, left):
    sizes = measured(name)[0]
    spots = [(k, t) for k, t in np.ndindex(sizes.shape) if sizes[k, t] > 0]
    corners = TILE * np.array([(0.04, 0.04), (0.96, 0.04), (0.96, 0.96), (0.04, 0.96)])
    squares = [corners + (left + t * TILE, TOP + k * TILE) for k, t in spots]
    paints = [to_rgba(style.GRAD, float(strength(sizes)[spot])) for spot in spots]
    ax.add_collection(PolyCollection(squares, facecolors=paints, linewidths=0))
    ax.add_patch(Rectangle((left, TOP), SIDE, SIDE, fill=False, edgecolor=style.MUTED, lw=0.8))
    ax.text(left, TOP - 8, name, fontsize=11, weight="bold")
    for i, letter in enumerate(WORD[1:]):
        ax.text(left + (i + 0.5) * TILE, TOP + SIDE + 11, letter, fontsize=9.5, ha="center")
    first, lit = left == LEFTS["RNN"], {"fill": False, "edgecolor": style.INK}
    before = 29 if first else 0
    return {
        "row": ax.add_patch(Rectangle((left - before, 0), SIDE + before, TILE, lw=0.9, **lit)),
        "column": ax.add_patch(Rectangle((0, TOP), TILE, SIDE + 15, lw=0.9, **lit)),
        "frame": ax.add_patch(Rectangle((0, 0), TILE, TILE, lw=2.4, **lit)),
        "share": ax.text(left + SIDE, TOP - 8, "", ha="right"),
    }


def _draw_scale(ax):
    y, x = TOP + SIDE + 41, 46
    for power, label in enumerate(("1", "1/10", "1/100")):
        paint = {"facecolor": style.GRAD, "alpha": max(1 - power / DECADES, FAINT), "lw": 0}
        ax.add_patch(Rectangle((x, y - 8.5), TILE, TILE, **paint))
        ax.text(x + 15, y, label, fontsize=9.5)
        x += 24 + 5.6 * len(label)
    ax.text(x, y, "or less, of a map’s largest item. Empty: nothing is sent.", fontsize=9.5)
    about = "% of dW: the part of the item along dW. All parts of a map add up to 100%."
    ax.text(46, HEIGHT - 6, about, fontsize=9.5)


def _draw_panel(fig, name, left):
    top, width, height = PANEL
    box = (left / WIDTH, 1 - (top + height) / HEIGHT, width / WIDTH, height / HEIGHT)
    ax = fig.add_axes(box, yscale="log", xlim=(-0.4, STEPS - 1.8), ylim=(5e-4, 2.5))
    ax.set(yticks=[1e-3, 0.01, 0.1, 1], yticklabels=["1/1000", "1/100", "1/10", "1"])
    ax.set(xticks=range(0, STEPS, 2),
           xlabel={"column": "steps back from t", "row": "steps from k to the loss"}[name])
    ax.xaxis.labelpad = 1
    ax.minorticks_off()
    ax.axhline(FALLEN, color=style.INK, lw=0.9, dashes=(4, 3))
    lines = {
        cell: ax.plot([], [], ls, marker=marker, color=style.GRAD, lw=1.5, ms=3.6)[0]
        for cell, (ls, marker) in LINES.items()
    }
    behind = {"facecolor": style.PAPER, "lw": 0, "pad": 0.5}
    return {
        "lines": lines,
        "labels": [ax.text(0, 1, cell, va="center", bbox=behind) for cell in lines],
        "title": ax.text(-0.4, 4.2, "", fontsize=10),
        "now": ax.plot([], [], color=style.INK, lw=1.4, alpha=0.55, zorder=1)[0],
        "note": ax.text(STEPS / 2 - 1, 0.008, "", ha="center", va="center", linespacing=1.4),
    }


def _update(artists, t, k):
    for name, parts in artists["maps"].items():
        x, y = LEFTS[name] + (t - 1) * TILE, TOP + (k - 1) * TILE
        parts["row"].set_y(y)
        parts["column"].set_x(x)
        parts["frame"].set_xy((x, y))
        parts["share"].set_text(f"{percent(measured(name)[1][k - 1, t - 1])} of dW")
    for which, profile, at in (("column", column, t), ("row", row, k)):
        panel = artists["panels"][which]
        _update_panel(panel, [profile(name, at) for name in CELLS])
        there = 1 < k <= t
        panel["now"].set_data([t - k] * 2 if there else [], [5e-4, 2.5] if there else [])
    artists["panels"]["column"]["title"].set_text(f"column: ‖item‖ of L{subscript(t)}")
    artists["panels"]["row"]["title"].set_text(f"row: ‖item‖ through step {k}")
    return _sentence(t, k)


def _update_panel(panel, profiles):
    """Three lines, and at the end of each its name, with room between the names."""
    for line, profile in zip(panel["lines"].values(), profiles, strict=True):
        line.set_data(np.arange(len(profile)), profile)
    count = len(profiles[0])
    ends = np.log10([max(p[-1], 7e-4) if count else 1 for p in profiles])
    order, gap = np.argsort(ends), 0.42
    ends[order] = spread(ends[order], gap)
    ends -= max(ends.max() - 0.1, 0)  # clear of the title
    for label, height in zip(panel["labels"], ends, strict=True):
        label.set_visible(count > 0)
        label.set_position((count - 0.5, 10**height))
    panel["note"].set_text("" if count else "nothing: at step 1\nW met h₀ = 0")


def spread(heights, gap):
    """Rising heights moved apart, as little as it takes for `gap` between neighbours."""
    heights = np.array(heights, dtype=float)
    for _ in range(50):
        short = np.maximum(gap - np.diff(heights), 0) / 2
        heights[:-1] -= short
        heights[1:] += short
    return heights


def percent(share):
    """A share as text with about two digits, a true minus sign, and none before a zero."""
    if share == 0:
        return "0%"
    digits = 1 if abs(100 * share) >= 0.95 else 2
    return f"{round(100 * share, digits) + 0:.{digits}f}%".replace("-", "−")


def _sentence(t, k):
    loss = f"L{subscript(t)}"
    if k > t:
        return f"Step {k} comes after {loss}: it sends nothing there, in any cell."
    if k == 1:
        return f"At step 1 W met h₀ = 0: no loss, {loss} or another, moves it through that step."
    if t == 2:
        return f"{loss} through its own step: its only item, since W met h₀ = 0 before."
    if k == t:
        told = f"{loss} through its own step: the item that its others are compared with"
    else:
        sizes = ", ".join(f"{column(name, t)[t - k]:.2g} ({name})" for name in CELLS)
        told = f"{loss} through step {k}: ‖item‖ is {sizes} of that of its own step"
    return f"{told}. {_reaches(loss, t)}"


def _reaches(loss, t):
    ends = {name: reach(name, t) for name in CELLS}
    if not any(ends.values()):
        return f"In no cell do the items of {loss} fall below 1/10 of that."
    told = ", ".join(
        f"{'never' if end is None else end} ({name})" for name, end in ends.items()
    )
    return f"Steps back until ‖item‖ is below 1/10: {told}."
