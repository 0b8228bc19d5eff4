"""Which language is this word? What three networks believe after each letter, and why."""

import unicodedata
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from rnnlib import live, style
from rnnlib.plots.numerals import percent
from rnnlib.widgets import language_readers as readers

#: words of the test part of seed 0, in no training of the stored networks -> their language
WORDS = {
    "etiopiska": "Swedish",
    "lakotų": "Lithuanian",
    "Ukrajina": "Czech",
    "Vlaams": "Dutch",
    "mantšu": "Finnish",
    "Belgique": "French",
    "Bulgarian": "English",
    "careliano": "Italian",
    "Jütisch": "German",
    "Malgaşça": "Turkish",
    "Manaweg": "Welsh",
    "Melanézia": "Hungarian",
    "Nederlands": "Dutch",
    "osseto": "Portuguese",
    "túvalúska": "Icelandic",
    "Węgry": "Polish",
}
LONGEST = 12  # letters; a longer word would be drawn too small
ROWS = 6  # languages that have a row of their own; the others share the last
#: how a network reads -> its name in the file
READS = {"forward": "forward", "backward": "backward", "both ways": "both"}
ARROWS = {"forward": "reads →", "backward": "reads ←", "both": "reads ⇄"}
WAYS = {"forward": "forward", "backward": "from its end", "both": "both ways"}
WIDTH, HEIGHT, LEFT, SPAN = 461, 338, 84, 332
TALL, PITCH, FLOOR = 20, 25, 10  # a full bar, from row to row, foot of the last row
CAPTION = FLOOR + (ROWS + 1) * PITCH - 1  # what the black bars are
LETTERS = CAPTION + 19  # the letters' baseline
LEAST, MOST, DECADE = -0.6, 2, 21  # factors of ten in the picture, and the height of one
ZERO = LETTERS + 23 - LEAST * DECADE  # where hiding a letter changes nothing
CEILING = ZERO + (MOST + 0.2) * DECADE
NOTHING = Path(np.zeros((1, 2)))


def which_language(words=None):
    """ŷ after each letter of a word, by a network that reads forward, backward or both ways.

        ŷ = softmax(c + V h_end),    h_end the state after the letters read so far

    Black bars: the probability of each language if the word consisted of the letters read so far:
    its first ones or, read from the end, its last. Orange bars: by how much the answer's ŷ is
    divided where that letter is hidden from the network. The three networks are those of seed 0 of
    experiments/languages.py, as many parameters each; `words` maps words to their languages, and
    those shown by default were in no training.
    Raises ValueError for a word that cannot be drawn.
    """
    words = dict(WORDS if words is None else words)
    for word in words:
        if message := refusal(word):
            raise ValueError(f"words: {message}")
    return live.LiveFigure(
        _setup,
        lambda artists, **values: _update(artists, words, **values),
        title="Which language is this word?",
        controls={
            "word": live.Word("word", list(words), accepts=refusal),
            "reads": live.Choice("the network reads", READS),
            "letters": live.Range("letters read", 1, LONGEST, value=8),
        },
        presets=PRESETS if words == WORDS else None,
        rc=style.RC,
        colours=style.COLOURS,
    )


PRESETS = {
    "One more letter turns it": {"word": "etiopiska", "reads": "forward", "letters": LONGEST},
    "From its end: one letter is enough": {"word": "lakotų", "reads": "backward", "letters": 1},
    "Only both ways is right": {"word": "Ukrajina", "reads": "both ways", "letters": LONGEST},
    "Only forward is right": {"word": "Vlaams", "reads": "forward", "letters": LONGEST},
    "A neighbour instead": {"word": "mantšu", "reads": "both ways", "letters": LONGEST},
}


def refusal(word):
    """Return what is wrong with a word, as a message, or None: up to 12 letters of Latin script."""
    if not 1 <= len(word) <= LONGEST:
        return f"expected 1 to {LONGEST} letters, got {len(word)}"
    for letter in word:
        if "LATIN" not in unicodedata.name(letter, "") and letter not in "'" + readers.stored()[0]:
            return f"expected letters of the Latin script, got {letter!r}"
    return None


# --- what is computed -------------------------------------------------------------------------


@cache
def beliefs(word, direction):
    """Return ŷ (n, 20) after 1 .. n letters; "backward" has read that many of the word's end."""
    return np.exp(_log_beliefs(_pieces(word, direction), direction))


@cache
def needed(word, direction, count):
    """Return by which factor, as log10, hiding each of `count` letters read shrinks the answer's ŷ.

    (count,) in the order of the word; negative where the network is surer without the letter.
    """
    piece = _pieces(word, direction)[count - 1]
    whole = _log_beliefs([piece], direction)[0]
    hidden = _log_beliefs([piece] * count, direction, np.eye(count, dtype=bool))
    return (whole[whole.argmax()] - hidden[:, whole.argmax()]) / np.log(10)


@cache
def languages_of(word):
    """Return the classes that have a row, (ROWS,): where ŷ is highest at some time, by their end.

    The same rows for all three networks, that with the highest ŷ of "both" in the end above.
    """
    each = [beliefs(word, direction) for direction in readers.DIRECTIONS]
    answers = {int(one[-1].argmax()) for one in each}
    peak = np.max([one.max(axis=0) for one in each], axis=0)
    chosen = sorted(range(len(peak)), key=lambda k: (k not in answers, -peak[k]))[:ROWS]
    return tuple(sorted(chosen, key=lambda k: -each[-1][-1, k]))


def _pieces(word, direction):
    """What has been read after 1 .. n letters."""
    ends = range(1, len(word) + 1)
    return [word[-k:] if direction == "backward" else word[:k] for k in ends]


def _log_beliefs(pieces, direction, hidden=None):
    """log ŷ (B, 20) of pieces, each read whole but for its letters at hidden (B, T)."""
    letters, _, networks = readers.stored()
    xs, lengths = readers.encode(readers.turned(pieces, direction), letters)
    if hidden is not None:
        xs = readers.hide(xs, (hidden[:, ::-1] if direction == "backward" else hidden).T)
    return readers.log_belief(networks[direction], xs, lengths)


# --- what is drawn ----------------------------------------------------------------------------


def _setup():
    fig = plt.figure(figsize=(WIDTH / 72, HEIGHT / 72))
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    ax.axis("off")
    ax.text(4, CEILING + 9,
            "hiding a letter (an unknown one instead) divides the answer's probability by",
            fontsize=9.5)
    ax.text(4, CAPTION, "probability of each language, from the letters read so far", fontsize=9.5)
    for decades in (0, 1, 2):
        y = ZERO + decades * DECADE
        ax.plot([LEFT, LEFT + SPAN], [y, y], color=style.MUTED, linewidth=0.6, alpha=0.6)
        ax.text(LEFT - 6, y, 10**decades, ha="right", va="center_baseline", fontsize=9.5)
    for row in range(ROWS + 1):
        y = _foot(row)
        ax.plot([LEFT, LEFT + SPAN], [y, y], color=style.MUTED, linewidth=0.6)
    return fig, _moving(ax)


def _moving(ax):
    top = {"y": HEIGHT - 21}
    band = Rectangle((0, FLOOR - 6), 0, CEILING - FLOOR + 8, color=style.H, alpha=0.13, linewidth=0,
                     zorder=0.5)
    rows = [_bars(ax, style.INK if k < ROWS else style.MUTED) for k in range(ROWS + 1)]
    return {
        "band": ax.add_patch(band),
        "needed": _bars(ax, style.GRAD),
        "rows": rows,
        "letters": [ax.text(0, LETTERS, "", fontsize=15, ha="center") for _ in range(LONGEST)],
        "way": ax.text(LEFT - 6, LETTERS + 1, "", fontsize=11, ha="right"),
        "head": ax.text(4, s="", fontsize=17, weight="bold", **top),
        "told": ax.text(WIDTH - 4, s="", fontsize=11.5, ha="right", **top),
        "names": [ax.text(LEFT - 6, _foot(k) + 3, "", ha="right") for k in range(ROWS + 1)],
        "shares": [ax.text(LEFT + SPAN + 6, _foot(k) + 3, "") for k in range(ROWS + 1)],
    }


def _foot(row):
    """Return the height of a row's zero."""
    return FLOOR + (ROWS - row) * PITCH


def _bars(ax, colour):
    return ax.add_patch(PathPatch(NOTHING, facecolor=colour, linewidth=0))


def _set_bars(bars, columns, heights, foot, column):
    """Draw bars in the middle of columns, numbered from the left: all of them one path."""
    half, points = min(0.3 * column, 13), []
    for k, height in zip(columns, heights, strict=True):
        x, top = LEFT + (k + 0.5) * column, foot + height
        corners = ((x - half, foot), (x - half, top), (x + half, top), (x + half, foot))
        points += [*corners, corners[0]] if abs(height) >= 0.1 else []
    codes = [Path.MOVETO, *[Path.LINETO] * 3, Path.CLOSEPOLY] * (len(points) // 5)
    bars.set_path(Path(np.round(points, 1), codes) if points else NOTHING)


def _update(artists, words, word, reads, letters):
    direction, n = READS[reads], len(word)
    count = min(letters, n)
    columns = range(count) if direction != "backward" else range(n - 1, n - 1 - count, -1)
    column = SPAN / n
    artists["band"].set(x=round(LEFT + columns[-1] * column, 1), width=round(column, 1))
    artists["way"].set_text(ARROWS[direction])
    for k, letter in enumerate(artists["letters"]):
        letter.set(text=word[k : k + 1].replace(" ", "␣"), x=round(LEFT + (k + 0.5) * column, 1))
        letter.set(color=style.X if k in columns else style.MUTED)
    factors = needed(word, direction, count)
    heights = np.clip(factors, LEAST, MOST + 0.2) * DECADE
    _set_bars(artists["needed"], sorted(columns), heights, ZERO, column)
    seen = beliefs(word, direction)[:count]
    _draw_rows(artists, word, words.get(word), seen, columns)
    return _tell(artists, word, words.get(word), reads, seen, factors)


def _draw_rows(artists, word, truth, seen, columns):
    languages, chosen = readers.stored()[1], languages_of(word)
    shares = np.column_stack([seen[:, chosen], 1 - seen[:, chosen].sum(axis=1)])
    names = [*(languages[k] for k in chosen), f"{len(languages) - ROWS} others"]
    for k, name in enumerate(names):
        weight = "bold" if name == truth else "normal"
        artists["names"][k].set(text=name, weight=weight)
        artists["shares"][k].set(text=percent(shares[-1, k]), weight=weight)
        _set_bars(artists["rows"][k], columns, TALL * shares[:, k], _foot(k), SPAN / len(word))


def _tell(artists, word, truth, reads, seen, factors):
    """Write the answer above the picture; return the sentences below it."""
    now, languages = seen[-1], readers.stored()[1]
    first, second = np.argsort(-now)[:2]
    answer, n, count, way = languages[first], len(word), len(factors), READS[reads]
    piece = _pieces(word, way)[count - 1]
    artists["head"].set_text(f"{answer}, {percent(now[first])}")
    verdict = "one of your own" if truth is None else "right" if answer == truth else \
        f"wrong: it is {truth}"
    artists["told"].set_text(f"{count} of {n} letters read" if count < n
                             else f"whole word, {verdict}")
    part = f"“{piece}”, {count} of {n} letters of “{word}”" if count < n else f"“{word}”"
    known = "" if truth is None else " (right)" if answer == truth else f" (it is {truth})"
    return (
        f"{part}, read {WAYS[way]}: {answer} {percent(now[first])}{known}, then "
        f"{languages[second]} {percent(now[second])}. "
        f"{_needs(piece, way, seen, factors, languages)}"
    )


def _needs(piece, way, seen, factors, languages):
    """Say which letter is needed most; where it is none, what the newest one did."""
    answers, most = seen.argmax(axis=1), int(factors.argmax())
    answer, share = languages[answers[-1]], seen[-1].max()
    if factors[most] >= np.log10(1.5):
        return (f"It needs “{piece[most]}” most: with an unknown letter in its place, {answer} is "
                f"left with {percent(share / 10 ** factors[most])}.")
    little = "An unknown letter in place of any one changes little"
    newest = 0 if way == "backward" else -1
    if len(seen) == 1 or answers[-1] == answers[-2] or share / 10 ** factors[newest] < 0.5:
        return f"{little}."
    return (f"{little}; even in place of the “{piece[newest]}” it turns {languages[answers[-2]]} "
            f"into {answer}: here it is enough that one more letter came.")

