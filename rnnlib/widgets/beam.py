"""Greedy search and beam search: the beginnings of a date that are kept, symbol after symbol."""

from functools import cache
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from rnnlib import live, search, seq2seq, style
from rnnlib.widgets import date_translators as translators

NETWORK = "additive 200"  # half trained: still in doubt
#: dates of days that are in no training -> how they should be written
DATES = {
    "Dienstag, 26. Dezember 2000": "2000-12-26",
    "2060. augusztus 13., péntek": "2060-08-13",
    "August 20, 2055": "2055-08-20",
    "domingo, 4 de abril de 2066": "2066-04-04",
    "Wednesday, October 6, 2027": "2027-10-06",
}
WIDTHS = (1, 2, 3, 5)
SYMBOLS = 11  # of a date, with the stop
ROWS = 6
WIDTH, HEIGHT, LEFT, COLUMN, PITCH = 461, 248, 20, 25, 27
TOP = 156  # the middle of the first row
SHARES, BARS, LONG = LEFT + SYMBOLS * COLUMN + 36, LEFT + SYMBOLS * COLUMN + 42, 48
NOTHING = Path(np.zeros((1, 2)))


def beam():
    """A date is written by beam search, one symbol a step; width 1 is greedy search.

    Each row is a beginning, the likeliest above; what it shares with a row above stands there only,
    so that the rows are a tree. Bars: its probability by the network, the product over its symbols.
    Grey: dropped in this step, and the greedy one for as long as it is out of the beam. In an
    orange box: not what should stand there. The network, of experiments/dates.py, is half trained.
    """
    return live.LiveFigure(
        _setup,
        _update,
        title="Beam search",
        controls={
            "date": live.Choice("date", DATES),
            "width": live.Range("beginnings kept", values=WIDTHS, value=3),
            "step": live.Step("symbols written", 1, SYMBOLS, value=SYMBOLS),
        },
        presets=PRESETS,
        rc=style.RC,
        colours=style.COLOURS,
    )


DECEMBER, AUGUST, _, APRIL, OCTOBER = DATES
PRESETS = {
    "Greedy search: wrong": {"date": DECEMBER, "width": 1, "step": SYMBOLS},
    "A beam keeps both": {"date": DECEMBER, "width": 2, "step": 6},
    "The century in doubt": {"date": AUGUST, "width": 2, "step": 1},
    "Likelier, and wrong": {"date": APRIL, "width": 2, "step": SYMBOLS},
    "Sure: greedy is enough": {"date": OCTOBER, "width": 3, "step": SYMBOLS},
}


# --- what is computed -------------------------------------------------------------------------


class Beginning(NamedTuple):
    """Symbols, their probability, and whether they are in the beam and what greedy search wrote."""

    symbols: tuple
    share: float
    kept: bool
    greedy: bool


@cache
def kept(date, width, step):
    """Return the beginnings in a beam after so many symbols: [(symbols, log-probability)]."""
    letters, networks = translators.stored()
    model, (xs, lengths) = networks[NETWORK], translators.encode([date], letters)
    _, source = seq2seq.encode(model, xs, lengths=lengths)
    found = search.explore(
        *search.decoder_step(model.decoder, **source, batch=1, dtype=np.float32),
        np.array([translators.START]), stop=translators.STOP, max_steps=step, width=width)
    return [(tuple(found.symbols[:length, 0, k].tolist()), float(log_p))
            for k, (length, log_p) in enumerate(
                zip(found.lengths[0], found.log_probability[0], strict=True)) if log_p > -np.inf]


def tree(date, width, step):
    """Return the rows of the picture, at most ROWS: the kept `Beginning`s, then the dropped."""
    now = kept(date, width, step)
    (greedy, log_p), = kept(date, 1, step)
    rows = [Beginning(symbols, np.exp(p), True, symbols == greedy) for symbols, p in now]
    before = kept(date, width, step - 1) if step > 1 else []
    dropped = [Beginning(symbols, np.exp(p), False, False) for symbols, p in before
               if not any(one[: len(symbols)] == symbols for one, _ in now)]
    if greedy not in dict(now):
        dropped = [Beginning(greedy, np.exp(log_p), False, True),
                   *(one for one in dropped if one.symbols != greedy[: len(one.symbols)])]
    return rows + dropped[: ROWS - len(rows)]


def branches(rows):
    """Return for each row (the place of its first symbol of its own, the row it comes from).

    The first row has all its symbols, and comes from None, as do those that share none. The last
    common symbol stands in the row that is named: it is the first that shares so many.
    """
    found = []
    for k, row in enumerate(rows):
        common = [_shared(row, other) for other in rows[:k]]
        own = max(common, default=0)
        found.append((own, common.index(own) if own else None))
    return found


def _shared(one, other):
    """Return how many symbols two beginnings have in common at their start."""
    differ = [a != b for a, b in zip(one, other, strict=False)]
    return differ.index(True) if True in differ else len(differ)


# --- what is drawn ----------------------------------------------------------------------------


def _setup():
    fig = plt.figure(figsize=(WIDTH / 72, HEIGHT / 72))
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    ax.axis("off")
    ax.text(BARS, TOP + 21, "probability", fontsize=9.5)
    return fig, _moving(ax)


def _moving(ax):
    ys = [TOP - k * PITCH for k in range(ROWS)]
    letter = {"ha": "center", "va": "center_baseline", "fontsize": 14}
    side = {"va": "center_baseline", "fontsize": 9.5}
    return {
        "head": ax.text(4, HEIGHT - 22, "", fontsize=15, weight="bold"),
        "date": ax.text(4, HEIGHT - 48, "", fontsize=11.5, color=style.X),
        "due": ax.text(WIDTH - 6, HEIGHT - 48, "", fontsize=11.5, color=style.MUTED, ha="right"),
        "letters": [[ax.text(_x(k), y, "", **letter) for k in range(SYMBOLS)] for y in ys],
        "lines": ax.plot([], [], color=style.MUTED, linewidth=1)[0],
        "wrong": ax.add_patch(PathPatch(NOTHING, fill=False, edgecolor=style.GRAD, linewidth=1.2)),
        "key": ax.text(4, TOP + 21, "", fontsize=9.5, color=style.GRAD),
        "bars": ax.add_patch(PathPatch(NOTHING, facecolor=style.INK, linewidth=0)),
        "shares": [ax.text(SHARES, y, "", ha="right", **side) for y in ys],
        "tags": [ax.text(0, y, "", **side) for y in ys],
    }


def _x(place):
    return LEFT + (place + 0.5) * COLUMN


def _update(artists, date, width, step):
    rows, due = tree(date, width, step), DATES[date]
    came = branches([row.symbols for row in rows])
    artists["date"].set_text(date)
    artists["due"].set_text(f"should be {due}")
    for k in range(ROWS):
        _draw_row(artists, k, *((rows[k], came[k][0]) if k < len(rows) else (None, 0)), due, step)
    artists["bars"].set_path(_rectangles(_bars([row.share * row.kept for row in rows])))
    _draw_lines(artists["lines"], came)
    wrong = _wrong(rows, came, due)
    artists["wrong"].set_path(_rectangles(wrong))
    artists["key"].set_text("in a box: wrong" if wrong else "")
    return _tell(artists["head"], rows, date, width, step)


def _symbols(due):
    """Return the symbols of a date, the stop included."""
    return [*map(translators.SYMBOLS.index, due), translators.STOP]


def _draw_row(artists, k, row, own, due, step):
    due = _symbols(due)
    for place, text in enumerate(artists["letters"][k]):
        shown = row is not None and own <= place < len(row.symbols)
        text.set_text(translators.SYMBOLS[row.symbols[place]] if shown else "")
        if shown:
            right = row.symbols[place] == due[place]
            text.set_color(style.MUTED if not row.kept else style.INK if right else style.GRAD)
    share, tag = artists["shares"][k], artists["tags"][k]
    share.set_text("" if row is None else percent(row.share))
    tag.set_text("" if row is None else _tag(row, due, step))
    if row is not None:
        share.set_color(style.INK if row.kept else style.MUTED)
        tag.set_color(style.INK if row.kept else style.MUTED)
        tag.set_x(round(BARS + (LONG * row.share + 6 if row.kept else 0), 1))


def _tag(row, due, step):
    words = ["greedy"] * row.greedy + ["dropped"] * (not row.kept)
    if step == SYMBOLS and (row.kept or row.greedy):
        words[len(words) - (not row.kept):] = ["right" if list(row.symbols) == due else "wrong"]
    return ", ".join(words)


def _bars(shares):
    """Return the bars as (left, foot, right, top), one for each share that is not 0."""
    return [(BARS, TOP - k * PITCH - 5, BARS + LONG * share, TOP - k * PITCH + 5)
            for k, share in enumerate(shares) if share]


def _rectangles(found):
    """Return one path of rectangles (left, foot, right, top)."""
    points = [point for x, y, right, top in found
              for point in ((x, y), (right, y), (right, top), (x, top), (x, y))]
    codes = [Path.MOVETO, *[Path.LINETO] * 3, Path.CLOSEPOLY] * len(found)
    return Path(np.round(points, 1), codes) if points else NOTHING


def _draw_lines(lines, came):
    """From the row where the last common symbol stands, down and to the first of its own."""
    xs, ys = [], []
    for k, (own, parent) in enumerate(came):
        x, y = LEFT + own * COLUMN, TOP - k * PITCH
        above = TOP - (parent or 0) * PITCH
        if k:
            xs += [x - 5, x, x, x + 5, np.nan]
            ys += [above, above, y, y, np.nan]
    lines.set_data(xs, ys)


def _wrong(rows, came, due):
    """Return the boxes of what should not stand there, in the rows of the beam."""
    found, due = [], _symbols(due)
    for k, (row, (own, _)) in enumerate(zip(rows, came, strict=True)):
        for place in range(own, len(row.symbols) if row.kept else 0):
            if row.symbols[place] != due[place]:
                x, y = _x(place), TOP - k * PITCH
                found.append((x - 7.5, y - 9.5, x + 7.5, y + 9.5))
    return found


def _tell(head, rows, date, width, step):
    inside, due = [row for row in rows if row.kept], DATES[date]
    best, greedy = rows[0], next(row for row in rows if row.greedy)
    searched = f"A beam of {width}" if width > 1 else "Greedy search"
    if step < SYMBOLS:
        head.set_text(f"{searched}, {step} symbol{'s' * (step > 1)} written")
        named = ", ".join(f"{_spell(row)} {percent(row.share)}" for row in inside)
        said = f"After {step} of {SYMBOLS} symbols of “{date}” {_lower(searched)} keeps {named}."
        if not greedy.kept:
            said += f" The greedy beginning {_spell(greedy)} {percent(greedy.share)} is out."
        return said
    right = "right" if _spell(best) == due else "wrong"
    head.set_text(f"{searched}: {_spell(best)}, {right}")
    said = f"“{date}”: {_lower(searched)} writes {_spell(best)} ({percent(best.share)}), {right}"
    if width == 1:
        return said + (f"; it should be {due}." if right == "wrong" else ".")
    if greedy == best:
        return said + ", as greedy search does."
    also = "right" if _spell(greedy) == due else "wrong"
    return said + f"; greedy search writes {_spell(greedy)} ({percent(greedy.share)}), {also}."


def _lower(words):
    return words[0].lower() + words[1:]


def _spell(row):
    return translators.write(row.symbols)


def percent(share):
    """Say a probability in percent, with one decimal below 10, and never 0 or 100."""
    if share < 0.001:
        return "<0.1%"
    if share > 0.995:
        return ">99%"
    return f"{100 * share:.1f}%" if share < 0.0995 else f"{100 * share:.0f}%"
