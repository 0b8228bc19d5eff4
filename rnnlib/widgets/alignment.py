"""Where does the writer look? The weights of an attention that translates dates, step by step."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from rnnlib import live, search, style
from rnnlib.plots.numerals import percent
from rnnlib.widgets import date_translators as book

LONGEST = 30  # letters; a longer text would be drawn too small
SYMBOLS = 10  # steps that are drawn: a date has so many
#: updates of the training -> name of the stored network
NETWORKS = {k: f"additive {k}" for k in book.MOMENTS} | {1000: "additive"}
LEAST = 0.01  # a smaller weight would be a square of less than two points, and is not drawn
CLEAR = 0.2  # of the weight on one letter: below that, the writer looks nowhere in particular
WIDTH, HEIGHT, LEFT, SPAN = 461, 309, 66, 390
WIDEST, PITCH, FLOOR = 20, 18, 8  # a column at most; from row to row; foot of the last row
LETTERS = FLOOR + SYMBOLS * PITCH + 20  # the baseline of the text
BARS, TALL = LETTERS + 17, 40  # foot of the bars, and the height of a weight of 1
NOTHING = Path(np.zeros((1, 2)))


def alignment():
    """Attention weights of a network that writes "1999-12-31" for "jeudi 31 décembre 1999".

        weight_ts = softmax_s(v · tanh(W_q q_t + W_k k_s))

    q_t: state of the writer at step t; k_s: state of the reader after letter s. A row for each
    symbol written, a square for each letter, its area the weight; bars: the same for the last step
    shown; in an orange box: not the right symbol. The network is "additive" of seed 0 of
    experiments/dates.py, at six moments of its training; it feeds itself what it writes. It was
    trained on no day that is offered here.
    """
    return live.LiveFigure(
        _setup,
        _update,
        title="Where the writer looks",
        controls={
            "date": live.Word("date", list(book.HELD_OUT), accepts=refusal),
            "step": live.Step("symbols written", 1, SYMBOLS, value=SYMBOLS),
            "updates": live.Range("updates of training", values=list(NETWORKS), value=1000),
        },
        presets=PRESETS,
        rc=style.RC,
        colours=style.COLOURS,
    )


FIRST, FINNISH, FAILS = "jeudi 23 septembre 1976", "tiistai 17. joulukuuta 2097", "09.08.2057"
PRESETS = {
    "The month: from its name": {"date": FIRST, "step": 7, "updates": 1000},
    "The century: known at its second digit": {"date": FIRST, "step": 1, "updates": 1000},
    "Untrained: everywhere alike": {"date": FIRST, "step": 10, "updates": 0},
    "Half trained: December taken for July": {"date": FINNISH, "step": 7, "updates": 200},
    "Trained, and wrong": {"date": FAILS, "step": 10, "updates": 1000},
}


def refusal(text):
    """Return what is wrong with a text, as a message, or None: up to 30 letters of the dates."""
    if not 1 <= len(text) <= LONGEST:
        return f"expected 1 to {LONGEST} letters, got {len(text)}"
    if strange := set(text) - set(book.stored()[0]):
        return f"expected letters that occur in the dates it learned from, got {min(strange)!r}"
    return None


@cache
def written(text, updates):
    """Return (symbols (T,) up to STOP, probability of each, attention weights (T, S))."""
    letters, networks = book.stored()
    found = search.greedy(networks[NETWORKS[updates]], *book.encode([text], letters),
                          start=book.START, stop=book.STOP, max_steps=book.STEPS)
    logits = found.trace.logits[:, 0].astype(float)
    y_hat = np.exp(logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True))
    symbols = found.symbols[:, 0]
    return symbols, y_hat[np.arange(len(symbols)), symbols], found.trace.attention.weights[:, 0]


# --- what is drawn ----------------------------------------------------------------------------


def _setup():
    fig = plt.figure(figsize=(WIDTH / 72, HEIGHT / 72))
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    ax.axis("off")
    ax.text(LEFT - 10, LETTERS, "reads", fontsize=9.5, ha="right", color=style.MUTED)
    ax.text(LEFT - 10, LETTERS - 15, "writes", fontsize=9.5, ha="right", color=style.MUTED)
    ax.text(LEFT - 10, BARS + TALL - 8, "weight 1", fontsize=9.5, ha="right", color=style.MUTED)
    for height in (0, TALL):
        ax.plot([LEFT, LEFT + SPAN], [BARS + height] * 2, color=style.MUTED, linewidth=0.6,
                alpha=0.6)
    return fig, _moving(ax)


def _moving(ax):
    band = Rectangle((0, 0), WIDTH, PITCH, color=style.H, alpha=0.13, linewidth=0, zorder=0.5)
    top, heights = HEIGHT - 20, [_middle(k) for k in range(SYMBOLS)]
    beside = {"ha": "center", "va": "center_baseline"}
    return {
        "band": ax.add_patch(band),
        "bars": ax.add_patch(PathPatch(NOTHING, facecolor=style.H, linewidth=0)),
        "rows": [ax.add_patch(PathPatch(NOTHING, facecolor=style.H, linewidth=0)) for _ in heights],
        "letters": [ax.text(0, LETTERS, "", fontsize=13, ha="center", color=style.X)
                    for _ in range(LONGEST)],
        "symbols": [ax.text(LEFT - 16, y, "", fontsize=13, **beside) for y in heights],
        "wrong": [ax.add_patch(Rectangle((LEFT - 23, y - 7.5), 14, 15, fill=False, linewidth=1.2,
                                         edgecolor=style.GRAD, visible=False)) for y in heights],
        "key": ax.text(WIDTH - 4, BARS + TALL + 7, "", fontsize=9.5, ha="right", color=style.GRAD),
        "chance": ax.text(LEFT - 28, 0, "", fontsize=9.5, ha="right", va="center_baseline"),
        "head": ax.text(4, top, "", fontsize=17, weight="bold"),
        "told": ax.text(WIDTH - 4, top, "", fontsize=11.5, ha="right"),
    }


def _middle(row):
    """Return the height of the middle of a row, the first above."""
    return FLOOR + (SYMBOLS - row - 0.5) * PITCH


def _column(text):
    """Return the width of a column, in whole points: the page holds thousands of squares."""
    return min(SPAN // len(text), WIDEST)


def _boxes(lefts, feet, widths, heights):
    """Return a path of rectangles."""
    points = []
    for x, y, w, h in zip(*np.broadcast_arrays(lefts, feet, widths, heights), strict=True):
        points += [(x, y), (x, y + h), (x + w, y + h), (x + w, y), (x, y)]
    codes = [Path.MOVETO, *[Path.LINETO] * 3, Path.CLOSEPOLY] * (len(points) // 5)
    return Path(np.round(points, 1), codes) if points else NOTHING


def _squares(weights, row, column):
    """Return the squares of a row, their areas as the weights."""
    shown = np.flatnonzero(weights >= LEAST)
    half = _rounded(np.sqrt(weights[shown]) * min(column, PITCH) * 0.47, 0.25)
    return _boxes(LEFT + (shown + 0.5) * column - half, _middle(row) - half, 2 * half, 2 * half)


def _bars(weights, column):
    """Return the bars of a row."""
    heights = _rounded(TALL * weights, TALL / 50)
    shown, half = np.flatnonzero(heights), round(0.3 * column)
    return _boxes(LEFT + (shown + 0.5) * column - half, BARS, 2 * half, heights[shown])


def _rounded(values, step):
    """Round to whole steps: equal numbers cost little in a page."""
    return np.round(values / step) * step


def _update(artists, date, step, updates):
    symbols, chances, weights = written(date, updates)
    truth, column, now = book.HELD_OUT.get(date), _column(date), step - 1
    for k, letter in enumerate(artists["letters"]):
        letter.set(text=date[k : k + 1].replace(" ", "␣"), x=round(LEFT + (k + 0.5) * column, 1))
    for row in range(SYMBOLS):
        there = row < min(step, len(symbols))
        symbol = book.SYMBOLS[symbols[row]] if there else ""
        wrong = there and truth is not None and symbol != truth[row]
        artists["symbols"][row].set(text=symbol, weight="bold" if row == now else "normal",
                                    color=style.GRAD if wrong else style.INK)
        artists["wrong"][row].set_visible(wrong)
        artists["rows"][row].set_path(_squares(weights[row], row, column) if there else NOTHING)
    boxed = any(box.get_visible() for box in artists["wrong"])
    artists["key"].set_text("in a box: wrong" if boxed else "")
    artists["band"].set(y=round(_middle(now) - PITCH / 2, 1))
    there = now < len(symbols)
    artists["bars"].set_path(_bars(weights[now], column) if there else NOTHING)
    artists["chance"].set(text=percent(chances[now]) if there else "", y=_middle(now))
    return _tell(artists, date, truth, step, updates)


# --- what is said -----------------------------------------------------------------------------


def _tell(artists, date, truth, step, updates):
    """Write the head of the picture; return the sentences below it."""
    symbols, chances, weights = written(date, updates)
    answer, now = book.write(symbols), step - 1
    first = answer[:SYMBOLS]
    verdict = "a text of your own" if truth is None else "right" if answer == truth else \
        f"wrong: it is {truth}"
    if first != answer:
        verdict = f"it did not stop; {verdict}"
    done = step == SYMBOLS
    artists["head"].set_text(first if done else book.write(symbols[:step]))
    artists["told"].set_text(verdict if done else f"{step} of {SYMBOLS} symbols")
    begun = f"“{date}” after {updates} updates: "
    end = f" Written: {first}, {verdict}." if done else ""
    if now >= len(symbols):
        return f"{begun}it has ended already, after step {len(symbols)}.{end}"
    symbol = book.SYMBOLS[symbols[now]]
    right = "" if truth is None else " (right)" if symbol == truth[now] else \
        f" (wrong: {truth[now]})"
    return (f"{begun}step {step} writes “{symbol}” with probability {percent(chances[now])}{right} "
            f"and {_looks(date, weights[now])}.{end}")


def _looks(text, weights):
    """Say which letters have most of the weight."""
    first, second = np.argsort(-weights, kind="stable")[:2] if len(text) > 1 else (0, 0)
    if weights[first] < CLEAR:
        return f"looks nowhere in particular: no letter has more than {percent(weights[first])} " \
               "of the weight"
    more = f", then {_named(text, second)} ({percent(weights[second])})" \
        if first != second and weights[second] >= 0.1 else ""
    return f"looks at {_named(text, first)} ({percent(weights[first])} of the weight){more}"


def _named(text, place):
    """Name a letter, by where it stands and its word."""
    letter, word = text[place], (text[:place].split(" ")[-1] + text[place:].split(" ")[0])
    if letter == " ":
        return f"letter {place + 1}, a space"
    return f"letter {place + 1}, “{letter}”" + (f" in “{word}”" if len(word) > 1 else "")
