"""Is this c soft? What two readers know at each letter, and on which letters the answer rests."""

import numpy as np
from matplotlib.patches import Rectangle

from rnnlib import live, style
from rnnlib.functions import sigmoid
from rnnlib.plots import graph
from rnnlib.tasks.spelling import soft_c
from rnnlib.widgets.next_letter_networks import BOTH, READERS, WORDS, seen

ONE, LATE = list(READERS)[:2]
PLACES = ("the first c", "the second c")
MOST = max(map(len, WORDS)) + 1  # columns: the longest word, and the step after it
WIDTH, HEIGHT, LEFT, COLUMN = 461, 376, 84, 41
LETTERS, SAYS = 294, 326  # heights of the words
TOP, AHEAD, BACK, HEAT = 276, 204, 118, 72  # the states' pictures: edges; how high one of two is
ALONE = 148  # the lower edge where one reads alone, with more units
FLOOR, TALL = 28, 72  # where the bars stand, and how high one for 100% would be
LEVELS = 15  # of opacity, from -1 to 1


def next_letter():
    """The letters of a word, both readers' states below them, and what the answer rests on.

    The tag of a c is soft before e, i, y, else hard: p(soft) = σ(o_soft - o_hard). The bars are
    each letter's share of the influence, ‖d(o_soft - o_hard)/dx_k‖, by backward. Networks of about
    700 numbers, trained by experiments/soft_letters.py on words of Alice, none of them shown here.
    """
    return live.LiveFigure(
        _setup,
        _update,
        title="Is this c soft?",
        controls={
            "word": live.Choice("word", WORDS),
            "place": live.Choice("asked about", PLACES),
            "reader": live.Choice("network", list(READERS), value=ONE),
        },
        presets={
            "Both directions: it has seen the i": {
                "word": "circus", "place": PLACES[0], "reader": BOTH},
            "One letter late: enough here": {
                "word": "accident", "place": PLACES[1], "reader": LATE},
            "Late, and wrong: a y is rare": {
                "word": "bicycle", "place": PLACES[0], "reader": LATE},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


def place_of(word, place):
    """The place of the letter, from 0, that is asked about."""
    return list(soft_c(word))[PLACES.index(place)]


def answer(reader, word, place):
    """("soft" or "hard", how sure it is, whether that is right) of the c at this place."""
    soft = float(sigmoid(np.array([seen(reader, word, place)[1]]))[0])
    says_soft = soft > 0.5
    right = says_soft == soft_c(word)[place]
    return "soft" if says_soft else "hard", max(soft, 1 - soft), right


def shares(reader, word, place):
    """Each letter's share of the influence on the answer; of a late reader, without the end."""
    influence = seen(reader, word, place)[2]
    return influence / influence.sum()


def _column(t):
    """The middle of the column of step t = 0, 1, ..."""
    return LEFT + COLUMN * (t + 0.5)


def _setup():
    fig, ax = graph.canvas(WIDTH, HEIGHT)
    band = Rectangle((0, 10), COLUMN, 334, color=style.MUTED, alpha=0.14, lw=0, zorder=-2)
    ax.add_patch(band)
    left = {"x": 4, "va": "center_baseline", "linespacing": 1.25}
    ax.text(y=SAYS, s="it says", weight="bold", **left)
    ax.text(y=LETTERS, s="letter x", color=style.X, weight="bold", **left)
    ax.text(y=AHEAD + HEAT / 2, s="state h→\nfrom the\nstart", color=style.H, weight="bold", **left)
    back = ax.text(y=BACK, s="", weight="bold", **left)
    ax.text(y=FLOOR + 28, s="influence\non this\nanswer", color=style.GRAD, weight="bold", **left)
    ax.plot([LEFT, LEFT + MOST * COLUMN], [FLOOR, FLOOR], color=style.INK, lw=0.8)
    artists = {"band": band, "back": back} | _draw_columns(ax)
    paper = Rectangle((LEFT, BACK), MOST * COLUMN, TOP - BACK, color=style.PAPER, lw=0, zorder=-1)
    ax.add_patch(paper)                                     # the band must not shine through
    for name in ("h→", "h←"):
        artists[name] = ax.imshow(np.zeros((1, 1, 4), np.uint8), interpolation="none",
                                  aspect="auto", extent=(0, 1, BACK, TOP))
        artists["read " + name] = ax.add_patch(
            Rectangle((0, BACK), COLUMN, HEAT, fill=False, edgecolor=style.INK, lw=2, zorder=4))
    ax.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    artists["told"] = ax.text(4, HEIGHT - 15, "", fontsize=12, weight="bold")
    ax.text(WIDTH - 4, HEIGHT - 15, "state: pale −1, strong 1", fontsize=9.5, ha="right")
    return fig, artists


def _draw_columns(ax):
    centred = {"ha": "center", "va": "center_baseline"}
    places = [_column(t) for t in range(MOST)]
    return {
        "letters": [ax.text(x, LETTERS, "", fontsize=17, **centred) for x in places],
        "says": [ax.text(x, SAYS, "", fontsize=9.5, linespacing=1.2, ha="center", va="center")
                 for x in places],
        "bars": [ax.add_patch(Rectangle((x - 12, FLOOR), 24, 0, color=style.GRAD, lw=0))
                 for x in places],
        "shares": [ax.text(x, 0, "", fontsize=9.5, **centred) for x in places],
        "under": [ax.text(x, FLOOR - 11, "", fontsize=11, **centred) for x in places],
    }


def _update(artists, word, place, reader):
    t, delay = place_of(word, place), READERS[reader]
    _show_letters(artists, word, t, reader)
    _show_states(artists, word, t, reader)
    _show_bars(artists, shares(reader, word, t))
    artists["band"].set_x(LEFT + COLUMN * t)
    said, sure, right = answer(reader, word, t)
    which = place.removeprefix("the ").removesuffix(" c")
    artists["told"].set_text(f"{word}, {which} c: it says {said}, {'right' if right else 'wrong'}")
    return _sentence(word, t, reader, said, sure, right, delay)


def _show_letters(artists, word, t, reader):
    for k in range(MOST):
        letter = word[k] if k < len(word) else "·" if k < len(word) + READERS[reader] else ""
        asked = k in soft_c(word)
        artists["letters"][k].set(text=letter, weight="bold" if k == t else "normal",
                                  color=style.INK if asked else style.X)
        artists["under"][k].set(text="blank" if letter == "·" else letter,
                                weight="bold" if k == t else "normal")
        artists["says"][k].set(text=_spoken(reader, word, k) if asked else "",
                               weight="bold" if k == t else "normal")


def _spoken(reader, word, place):
    said, sure, right = answer(reader, word, place)
    return f"{said} {'✓' if right else '✗'}\n{_percent(sure)}"


def _percent(sure):
    return f"{100 * sure:.0f}%" if sure < 0.995 else ">99%"


def _show_states(artists, word, t, reader):
    """The states of one or two readers, and a frame around those that the answer is read from."""
    both, trace = reader == BOTH, seen(reader, word, t)[0]
    states = {"h→": (trace.h_ahead, AHEAD, TOP) if both else (trace.h, ALONE, TOP),
              "h←": (trace.h_back if both else None, BACK, BACK + HEAT)}
    for name, (h, bottom, top) in states.items():
        image, frame = artists[name], artists["read " + name]
        image.set_visible(h is not None)
        frame.set_visible(h is not None)
        if h is not None:
            image.set_data(painted(h[:, 0]))
            image.set_extent((LEFT, LEFT + COLUMN * len(h), bottom, top))
            left = LEFT + COLUMN * (t + READERS[reader])
            frame.set(x=left, y=bottom, height=top - bottom)
    artists["back"].set(text="state h←\nfrom the\nend" if both else "nobody reads from the end",
                        y=BACK + HEAT / 2 if both else (BACK + ALONE) / 2,
                        color=style.H if both else style.MUTED)


def painted(h):
    """States (T, H) as a picture, a row a unit: transparent at -1, the state's colour at 1."""
    image = np.empty((*h.T.shape, 4), np.uint8)
    image[..., :3] = [int(style.H[i : i + 2], 16) for i in (1, 3, 5)]
    image[..., 3] = np.round((h.T + 1) / 2 * LEVELS) * (255 // LEVELS)
    return image


def _show_bars(artists, share):
    for k in range(MOST):
        height = round(TALL * float(share[k]), 1) if k < len(share) else 0
        artists["bars"][k].set_height(height)
        percent = f"{100 * share[k]:.0f}%" if height and share[k] >= 0.005 else ""
        artists["shares"][k].set(text=percent, y=FLOOR + height + 7)


def _sentence(word, t, reader, said, sure, right, delay):
    share, after = shares(reader, word, t), f"“{word[t + 1]}”"
    how = _percent(sure).replace(">", "over ")
    verdict = f"{reader.capitalize()}: {said}, {how} sure, and {'right' if right else 'wrong'}."
    if not share[t + 1 : len(word)].any():
        return (f"{verdict} By the rule the {after} after this c decides, but it has no influence "
                f"here: all of it lies on “{word[: t + 1]}”.")
    other = max((k for k in range(len(word)) if k != t + 1), key=lambda k: share[k])
    side = "after" if other > t else "before"
    where = "this c itself" if other == t else f"the “{word[other]}” {side} it"
    late = (" The answer comes one step later; the blank step is there for the last letter's."
            if delay else "")
    return (f"{verdict} By the rule the {after} after this c decides. It has "
            f"{100 * share[t + 1]:.0f}% of the influence; next is {where}, "
            f"{100 * share[other]:.0f}%.{late}")
