"""Which languages are taken for which: the mistakes of those who read names."""

from functools import cache

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from rnnlib import live, results, style
from rnnlib.plots.matrices import blank_axes

COUNTED = "n-grams, logistic regression"
READERS = {"both directions": "both", "one direction": "forward", COUNTED: "logistic"}
CELL, LEFT, TOP = 15.0, 84.0, 74.0  # SVG units: a square, and where the matrix begins
STRONGEST = 0.25  # the share of a language's names from which a square has its full colour
LEVELS = 12  # of opacity: fewer bytes in the page
TOLD = 3  # mistakes that are named


def confusion():
    """Of the names of each language (rows), the share that is said to be of another (columns).

    Test names of all seeds of experiments/languages.py together. The diagonal, where names are
    known for what they are, is grey, so that the mistakes stand out; the right names' share is
    written behind each row. A square has its full colour from a quarter of the row's names.
    """
    return live.LiveFigure(
        _setup,
        _update,
        title="Which languages are taken for which?",
        controls={
            "language": live.Choice("names that are", list(languages()), value="Finnish"),
            "reader": live.Choice("read by", list(READERS)),
        },
        presets={
            "Finnish: one neighbour": {"language": "Finnish", "reader": "both directions"},
            "Spanish: two neighbours": {"language": "Spanish", "reader": "both directions"},
            "Lithuanian: hardly any": {"language": "Lithuanian", "reader": "both directions"},
            "Finnish by n-grams: better": {"language": "Finnish", "reader": COUNTED},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


@cache
def languages():
    """The twenty languages, in the order of their English names."""
    return tuple(sorted({row["truth"] for row in results.load("languages_confusion")}))


@cache
def shares(reader):
    """(20, 20): of the names of the language of each row, the share said to be of each column.

    reader: "forward", "backward", "both", "n-grams", "logistic".
    """
    counts = np.zeros((len(languages()),) * 2)
    for row in results.find(results.load("languages_confusion"), reader=reader):
        counts[languages().index(row["truth"]), languages().index(row["said"])] = row["count"]
    return counts / counts.sum(axis=1, keepdims=True)


def mistakes(reader, language):
    """[(language, share)]: what the names of `language` are most often taken for."""
    row = shares(reader)[languages().index(language)].copy()
    row[languages().index(language)] = -1
    return [(languages()[k], row[k]) for k in np.argsort(-row, kind="stable")[:TOLD]]


def painted(reader):
    """The matrix as an image (20, 20, 4): mistakes in the colour of errors, right ones in grey."""
    opacity = np.minimum(shares(reader) / STRONGEST, 1)
    image = np.empty((*opacity.shape, 4))
    image[..., :3] = to_rgb(style.GRAD)
    image[..., 3] = np.round(opacity * LEVELS) / LEVELS
    right = np.eye(len(opacity), dtype=bool)
    image[right] = (*to_rgb(style.MUTED), 0.3)
    return image


def _setup():
    n = len(languages())
    fig, ax = blank_axes(461, TOP + n * CELL + 26)
    right, bottom = LEFT + n * CELL, TOP + n * CELL
    ax.add_patch(Rectangle((LEFT, TOP), n * CELL, n * CELL, fill=False, ec=style.MUTED, lw=0.8))
    ax.text(4, 16, "rows: the language of the name; columns: what was said", fontsize=9.5)
    ax.text(4, 30, f"stronger: more names (full from {STRONGEST:.0%})", fontsize=9.5)
    ax.text(right + 8, TOP - 8, "right", weight="bold", fontsize=9.5)
    artists = {
        "image": ax.imshow(painted("both"), extent=(LEFT, right, bottom, TOP), aspect="auto",
                           interpolation="none", zorder=1),
        "row": ax.add_patch(Rectangle((LEFT, TOP), n * CELL, CELL, fill=False, ec=style.INK, lw=2,
                                      zorder=3)),
        "told": ax.text(LEFT, bottom + 17, "", fontsize=10),
    }
    ax.set(xlim=(0, 461), ylim=(bottom + 26, 0))
    return fig, artists | _names(ax, right)


def _names(ax, right):
    """The languages beside their rows and above their columns, and the right names' shares."""
    own, middles = {"fontsize": 9.5}, [(k + 0.5) * CELL for k in range(len(languages()))]
    beside, above = own | {"va": "center_baseline"}, own | {"rotation": 90, "ha": "center"}
    named = list(zip(middles, languages(), strict=True))
    return {
        "names": [ax.text(LEFT - 6, TOP + y, name, ha="right", **beside) for y, name in named],
        "right": [ax.text(right + 8, TOP + y, "", **beside) for y in middles],
        "columns": [ax.text(LEFT + x, TOP - 5, name[:3], va="bottom", **above)
                    for x, name in named],
    }


def _update(artists, language, reader):
    which, here = READERS[reader], languages().index(language)
    table, found = shares(which), mistakes(which, language)
    artists["image"].set_data(painted(which))
    artists["row"].set_y(TOP + here * CELL)
    wrong = {name for name, _ in found}
    for k, name in enumerate(languages()):
        artists["names"][k].set_weight("bold" if k == here else "normal")
        artists["right"][k].set(text=f"{table[k, k]:.0%}", weight="bold" if k == here else "normal")
        artists["columns"][k].set(weight="bold" if name in wrong else "normal",
                                  color=style.INK if name in wrong else style.MUTED)
    told = ", ".join(f"{name} {share:.0%}" for name, share in found)
    artists["told"].set_text(f"taken for: {told}")
    return (f"{language}, read by {reader}: {table[here, here]:.0%} of its names are known for "
            f"what they are; most often they are taken for {told}.")
