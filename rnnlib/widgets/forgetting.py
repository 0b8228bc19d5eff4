"""Why it has to forget: the cell states over a stream of strings that nobody interrupts."""

from functools import cache

import numpy as np
from matplotlib.patches import Rectangle

from rnnlib import LSTMCell, OutputLayer, forward, live, results, style, tasks
from rnnlib.lstm_variants import LSTM1997Cell
from rnnlib.plots.matrices import CENTRED, blank_axes, signed
from rnnlib.plots.numerals import subscript

#: label of the choice -> the cell in the result file, and how it was trained
CELLS = {"without": "LSTM 1997", "with": "LSTM"}
TRAINING = {"string by string": "strings", "on a stream": "stream"}
CLASSES = {"LSTM 1997": LSTM1997Cell, "LSTM": LSTMCell}
PLACES = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 200, 300, 500, 700, 1000)
STRINGS, SHOWN, SEED = 1004, 36, 97  # read, letters in the window, of the stream
SATURATED = 0.99  # of |tanh c|

WIDTH, HEIGHT = 461, 365
LEFT, PITCH = 30, 10.5  # the first letter's left edge, from letter to letter
RIGHT = LEFT + SHOWN * PITCH
CURVE = 30, 56, 66  # the panel of sizes: top, height, left end
TOP, LANE = 134, 27  # the first unit's ceiling, from unit to unit
STATE, GATE = 15, 7  # heights of the two parts of a lane
UNITS = 6  # lanes
LETTERS = TOP + UNITS * LANE + 9  # line of the letters


def forgetting():
    """The states c of a trained network along 1,000 strings, with a forget gate and without.

    Each lane is a unit: tanh(c_t), from -1 to 1, and under it f_t, from 0 to 1. Framed letters were
    not predicted (`tasks.predicts_legal`). Networks of experiments/continual_reber.py, one seed;
    what is drawn is computed here from their weights.
    """
    return live.LiveFigure(
        _setup,
        _update,
        title="Why it has to forget",
        controls={
            "cell": live.Choice("forget gate", list(CELLS)),
            "training": live.Choice("trained", list(TRAINING), value="on a stream"),
            "place": live.Range("from string", values=PLACES),
        },
        presets={
            "String 700: all units stuck, letters missed": {
                "cell": "without", "training": "on a stream", "place": 700},
            "With a forget gate, c stays small": {
                "cell": "with", "training": "on a stream", "place": 1000},
            "The gate alone is not enough": {
                "cell": "with", "training": "string by string", "place": 1},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


# --- what the networks do ------------------------------------------------------------------------


@cache
def network(kind, training):
    """The pair (cell, out) whose weights experiments/continual_reber.py kept."""
    rows = results.find(results.load("continual_reber_weights"), cell=kind, training=training)
    return results.network(rows, (CLASSES[kind].init(1, 1), OutputLayer.init(1, 1)))


@cache
def stream():
    """(strings, text, ends): the strings, all letters, and one past the end of each string."""
    strings = tasks.reber_strings(STRINGS, embedded=True, rng=SEED)
    return strings, "".join(strings), np.cumsum([len(string) for string in strings])


@cache
def reading(kind, training):
    """(c (T, H), f (T, H) or None, right (T,)): the states, and which letters were predicted.

    The state is zero before the first letter and never again. The first letter counts as predicted.
    """
    strings, text, ends = stream()
    cell, out = network(kind, training)
    codes = [tasks.REBER_SYMBOLS.index(letter) for letter in text]
    trace = forward(cell, tasks.one_hot(codes, len(tasks.REBER_SYMBOLS))[:, None])
    legal = np.zeros((len(text), 1, len(tasks.REBER_SYMBOLS)), dtype=bool)
    each = tasks.legal_successors(strings, embedded=True)
    for b, (string, end) in enumerate(zip(strings, ends, strict=True)):
        legal[end - len(string) : end - 1, 0] = each[: len(string) - 1, b]
    legal[ends - 1, 0, tasks.REBER_SYMBOLS.index("B")] = True        # the next string begins
    predicted = tasks.predicts_legal(out.logits(trace.h), legal)[:, 0]
    f = trace.f[:, 0] if kind == "LSTM" else None
    return trace.c[:, 0], f, np.concatenate([[True], predicted[:-1]])


def sizes(kind, training):
    """(STRINGS,): the largest |c| of a unit at the end of each string."""
    return np.abs(reading(kind, training)[0][stream()[2] - 1]).max(axis=1)


def window(place):
    """The steps that are drawn, from the first letter of string `place`, counted from 1."""
    start = ([0, *stream()[2]])[place - 1]
    return slice(start, start + SHOWN)


# --- the drawing ---------------------------------------------------------------------------------


def _setup():
    fig, ax = blank_axes(WIDTH, HEIGHT)
    return fig, {"curves": _draw_curves(ax)} | _draw_lanes(ax) | _draw_letters(ax)


def _draw_lanes(ax):
    ax.text(LEFT, TOP - 12, "tanh(c) of each unit", color=style.H, weight="bold")
    ax.text(RIGHT + 6, TOP - 12, "last c", color=style.H, weight="bold")
    middles = [TOP + LANE * unit + STATE / 2 for unit in range(UNITS)]
    beside = {"va": "center_baseline", "color": style.H}
    before = {"va": "center_baseline", "ha": "right"}
    return {
        "states": [ax.fill([0, 0, 0], [0, 0, 0], color=style.H, lw=0)[0] for _ in middles],
        "gates": [ax.plot([], [], color=style.KEEP, lw=1.5)[0] for _ in middles],
        "values": [ax.text(RIGHT + 6, y, "", **beside) for y in middles],
        "names": [ax.text(LEFT - 6, y, "", color=style.H, **before) for y in middles],
        "gate names": [ax.text(LEFT - 6, y + STATE / 2 + 4, "", color=style.KEEP, **before)
                       for y in middles],
        "gate heading": ax.text(LEFT + 140, TOP - 12, "", weight="bold", color=style.KEEP),
    }


def _draw_letters(ax):
    ax.text(LEFT - 6, LETTERS, "read", ha="right", va="center_baseline", fontsize=9.5)
    for below, words in ((29, "bold: must repeat the second letter; framed: not predicted"),
                         (43, "(predicted: every legal letter above every other letter)")):
        ax.text(LEFT, LETTERS + below, words, fontsize=9.5)
    lefts = [LEFT + PITCH * k for k in range(SHOWN)]
    return {
        "ends": ax.plot([], [], color=style.MUTED, lw=0.9)[0],
        "letters": [ax.text(x + PITCH / 2, LETTERS, "", **CENTRED) for x in lefts],
        "missed": [ax.add_patch(Rectangle((x, LETTERS - 8), PITCH, 16, fill=False,
                                          edgecolor=style.GRAD, lw=1.6)) for x in lefts],
    }


def _draw_curves(ax):
    """Size against string, both on a log scale, one line for each cell."""
    top, height, left = CURVE
    ax.text(left, top - 14, "the largest |c| of a unit, along the stream", weight="bold")
    ax.plot([left, left, RIGHT], [top, top + height, top + height], color=style.INK, lw=0.8)
    for size, name in ((1, "1"), (100, "100"), (10_000, "10,000")):
        y = _at(1, size)[1]
        ax.plot([left, RIGHT], [y, y], color=style.MUTED, lw=0.6, alpha=0.4)
        ax.text(left - 5, y, name, ha="right", va="center_baseline", fontsize=9.5)
    for place, name in ((1, "string 1"), (10, "10"), (100, "100"), (1000, "1,000")):
        ax.text(_at(place, 1)[0], top + height + 9, name, fontsize=9.5, **CENTRED)
    beside = {"va": "center_baseline", "fontsize": 9.5}
    return {
        "lines": {cell: ax.plot([], [])[0] for cell in CELLS},
        "names": {cell: ax.text(RIGHT + 8, 0, cell, **beside) for cell in CELLS},
        "here": ax.plot([], [], "o", color=style.INK, ms=6)[0],
    }


def _at(place, size):
    """Where a string and a size stand in the panel of sizes."""
    top, height, left = CURVE
    x = left + (RIGHT - left) * np.log10(place) / 3
    return x, top + height * (1 - np.log10(np.clip(size, 1, 1e4)) / 4)


def _update(artists, cell, training, place):
    kind, how = CELLS[cell], TRAINING[training]
    steps = window(place)
    c, f, right = reading(kind, how)
    _show_curves(artists["curves"], cell, how, place)
    _show_lanes(artists, c[steps], None if f is None else f[steps])
    _show_letters(artists, steps, right[steps])
    artists["gate heading"].set(text="no forget gate" if f is None else "and its forget gate f",
                                color=style.MUTED if f is None else style.KEEP)
    return _sentence(cell, training, place)


def _show_curves(artists, cell, how, place):
    strings = np.unique(np.geomspace(1, PLACES[-1], 80).astype(int))
    for other, line in artists["lines"].items():
        size = sizes(CELLS[other], how)
        x, y = _at(strings, size[strings - 1])
        line.set_data(np.round(x, 1), np.round(y, 1))
        mine = other == cell
        line.set(color=style.H if mine else style.MUTED, linewidth=2.2 if mine else 1.2)
        name = artists["names"][other]
        name.set(y=round(y[-1], 1), color=style.H if mine else style.MUTED,
                 weight="bold" if mine else "normal")
        if mine:
            artists["here"].set_data(*[[round(float(v), 1)] for v in _at(place, size[place - 1])])


def _show_lanes(artists, c, f):
    """Areas of tanh(c) about the middle of the upper part of a lane, lines of f in the lower."""
    edges = LEFT + PITCH * np.arange(SHOWN + 1).repeat(2)[1:-1]
    units = c.shape[1]
    for unit in range(UNITS):
        used = unit < units
        for name in ("states", "values", "names"):
            artists[name][unit].set_visible(used)
        artists["gates"][unit].set_visible(used and f is not None)
        artists["gate names"][unit].set_visible(used and f is not None)
        if not used:
            continue
        middle, foot = TOP + LANE * unit + STATE / 2, TOP + LANE * unit + STATE + 1 + GATE
        heights = middle - STATE / 2 * np.tanh(c[:, unit]).repeat(2)
        outline = [(LEFT, middle), *zip(edges, np.round(heights, 1), strict=True), (RIGHT, middle)]
        artists["states"][unit].set_xy(outline)
        artists["values"][unit].set_text(_size(c[-1, unit]))
        artists["names"][unit].set_text(f"c{subscript(unit + 1)}")
        if f is not None:
            artists["gates"][unit].set_data(edges, np.round(foot - GATE * f[:, unit].repeat(2), 1))
            artists["gate names"][unit].set_text(f"f{subscript(unit + 1)}")


def _show_letters(artists, steps, right):
    _, text, ends = stream()
    hard = {end - 2 for end in ends}
    for k, t in enumerate(range(steps.start, steps.stop)):
        letter = artists["letters"][k]
        letter.set(text=text[t], weight="bold" if t in hard else "normal",
                   color=style.INK if right[k] else style.GRAD)
        artists["missed"][k].set_visible(not right[k])
    inside = [end for end in ends if steps.start < end < steps.stop]
    x = LEFT + PITCH * (np.array(inside) - steps.start)
    lines = [(x, x, np.full(len(x), np.nan)), (TOP - 4, LETTERS + 9, np.nan)]
    artists["ends"].set_data(np.transpose(lines[0]).ravel(), np.tile(lines[1], len(x)))


def _size(c):
    """The state as text: whole from 10 on, with a true minus sign."""
    return f"{c:,.0f}".replace("-", "−") if abs(c) >= 9.95 else signed(c, 1)


def _sentence(cell, training, place):
    kind, how = CELLS[cell], TRAINING[training]
    c, _, right = reading(kind, how)
    ends = stream()[2][: PLACES[-1]]                                # of the strings 1 to 1,000
    end = c[ends[place - 1] - 1]
    stuck = np.count_nonzero(np.abs(np.tanh(end)) > SATURATED)
    only = " (only their output gates still change)" if stuck == len(end) else ""
    missed = SHOWN - np.count_nonzero(right[window(place)])
    here = (f"Of these {SHOWN} letters {missed} {'was' if missed == 1 else 'were'} not predicted "
            "(framed)" if missed else f"All of these {SHOWN} letters were predicted")
    return (f"{cell.capitalize()} a forget gate, trained {training}: at the end of string {place:,}"
            f" the largest |c| is {_size(np.abs(end).max())}, and {stuck} of {len(end)} units have"
            f" |tanh(c)| > {SATURATED}{only}. {here}; of the 1,000 letters of the whole stream that"
            f" must repeat the second (bold), {np.count_nonzero(right[ends - 2]):,} were.")
