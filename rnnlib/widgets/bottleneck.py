"""The bottleneck: how long a sequence a vector of fixed size can carry, and attention beside it."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from rnnlib import live, results, style

TRAINED, LONGEST = 10, 20  # lengths: trained up to, tested up to
SYMBOLS = 8  # kinds of symbols: 3 bits each
#: model of experiments/bottleneck.py -> its name in the picture, and how its line looks
MODELS = {
    "attention": ("vector and attention", {"color": style.INK, "lw": 2.6, "marker": "o", "ms": 5}),
    "reversed": ("vector, source reversed", {"color": style.H, "lw": 2, "marker": "s", "ms": 4.5}),
    "forward": ("vector", {"color": style.H, "lw": 1.8, "ls": (0, (4, 2)), "marker": "o", "ms": 4.5,
                           "mfc": style.PAPER}),
}
FAINT = 0.16  # opacity of the intervals
ASIDE = (-0.18, 0.18, 0)  # how far the rings of each model stand beside the place of their size


@cache
def sizes():
    """The sizes H of the experiment, rising."""
    return tuple(sorted({int(row["size"]) for row in results.load("bottleneck_summary")}))


@cache
def copied(model, size):
    """The share of sequences copied without a mistake, at lengths 1 to 20: (mean, low, high).

    Each (20,): means over the seeds of experiments/bottleneck.py and Student's 95% intervals, cut
    at 0 and 1.
    """
    rows = results.find(results.load("bottleneck_summary"), model=model, size=size)
    rows.sort(key=lambda row: row["length"])
    return tuple(np.clip([row[name] for row in rows], 0, 1) for name in ("mean", "low", "high"))


@cache
def each(model, length):
    """The share that each network copies at that length: sizes and shares, one entry a network."""
    rows = results.find(results.load("bottleneck"), model=model)
    return (np.array([row["size"] for row in rows]),
            np.array([row[f"exact_{length}"] for row in rows]))


@cache
def looking(size):
    """Where attention looks in sources of 20 symbols, at the outputs 1 to 20.

    (20,): the share of sources in which the largest weight is at the symbol that is due. With a
    teacher; means over the seeds.
    """
    rows = results.find(results.load("bottleneck_places"), size=size)
    rows.sort(key=lambda row: row["output"])
    return np.array([row["at"] for row in rows])


def not_looking(size):
    """In how many networks attention was of no use: output 1 does not look at place 1."""
    row = results.find(results.load("bottleneck_places"), size=size)[0]
    return int(row["n"] - row["looking"])


def seeds():
    """How many networks of each kind and size there are."""
    row = results.load("bottleneck_summary")[0]
    return int(row["n"])


def bottleneck():
    """The share of sequences copied exactly, against their length and against the size H.

    Three encoder-decoders of experiments/bottleneck.py: all that the decoder is given is a vector
    of H numbers; the same, with the source read from its end; and, beside the vector, additive
    attention. Means over seeds, with Student's 95% intervals.
    """
    return live.LiveFigure(
        _setup,
        _update,
        title="The bottleneck",
        controls={
            "size": live.Range("numbers in the vector, H", values=sizes(), value=32),
            "length": live.Step("length of the sequence", 1, LONGEST, value=TRAINED),
        },
        presets={
            "Twice the numbers": {"size": 64, "length": TRAINED},
            "8 numbers: attention, where it is learned": {"size": 8, "length": TRAINED},
            "Short enough for the vector": {"size": 32, "length": 3},
            "Longer than trained: attention fails too": {"size": 32, "length": 14},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


def _setup():
    fig, (left, right) = plt.subplots(
        1, 2, figsize=(6.4, 4.3), width_ratios=(2.1, 1), sharey=True)
    fig.subplots_adjust(left=0.09, right=0.985, bottom=0.165, top=0.7, wspace=0.1)
    left.set(xlim=(0.4, LONGEST + 0.6), ylim=(-0.03, 1.18),
             xlabel="length of the sequence\n(band: 95% interval of the mean)")
    left.set_xticks((1, 5, 10, 15, 20))
    left.set_yticks((0, 0.5, 1), ("0%", "50%", "100%"))
    left.add_patch(
        Rectangle((0.4, -0.03), TRAINED + 0.1, 1.21, color=style.MUTED, alpha=0.13, lw=0))
    for middle, text in ((5.4, "trained: 1 to 10"), (15.6, "longer than any trained")):
        left.text(middle, 1.105, text, ha="center", va="center_baseline", fontsize=9.5)
    places = np.log2(sizes())
    right.set(xlim=(places[0] - 0.4, places[-1] + 0.4),
              xlabel="numbers in the vector, H\n(ring: one network)")
    right.set_xticks(places, sizes())
    right.tick_params(labelleft=False)
    return fig, {
        "columns": [_column(left), _column(right)],
        "bands": _bands(left),
        "networks": _networks(right),
        "by length": _lines(left, np.arange(1, LONGEST + 1), 3),
        "by size": _lines(right, places, 1.5),
        "head": fig.text(0.012, 0.955, "", fontsize=12, weight="bold", va="center"),
        "titles": [ax.set_title("", pad=7) for ax in (left, right)],
        "values": _key(fig),
    }


def _column(ax):
    """What shows the value that is chosen."""
    return ax.axvline(0, ymax=0.875, color=style.MUTED, lw=9, alpha=0.28, zorder=1,
                      solid_capstyle="butt")


def _lines(ax, xs, zorder):
    """For each model the line of its means."""
    return {model: ax.plot(xs, 0 * xs, clip_on=False, zorder=zorder, **look)[0]
            for model, (_, look) in MODELS.items()}


def _bands(ax):
    """For each model the band of its intervals."""
    return {model: ax.fill_between([1, LONGEST], [0, 0], color=look["color"], alpha=FAINT, lw=0)
            for model, (_, look) in MODELS.items()}


def _networks(ax):
    """For each model a small ring for every network, a little beside its size, over the mean."""
    return {model: ax.plot([], [], ls="", marker="o", ms=4.5, mfc="none", mec=look["color"],
                           mew=0.9, clip_on=False, zorder=3)[0]
            for model, (_, look) in MODELS.items()}


def _key(fig):
    """A row for each model: how its line looks, its name and, to be filled in, its share."""
    ax = fig.add_axes((0.012, 0.777, 0.976, 0.152), xlim=(0, 1), ylim=(-0.5, 2.5))
    ax.set_axis_off()
    values = {}
    for row, (model, (name, look)) in enumerate(MODELS.items()):
        ax.plot([0.01, 0.04, 0.07], [2 - row] * 3, markevery=[1], **look)
        ax.text(0.09, 2 - row, name, color=look["color"], weight="bold", va="center_baseline")
        values[model] = ax.text(0.47, 2 - row, "", va="center_baseline")
    return values


def _update(artists, size, length):
    for aside, model in zip(ASIDE, MODELS, strict=True):
        mean, low, high = (np.round(part, 3) for part in copied(model, size))
        artists["by length"][model].set_ydata(mean)
        artists["bands"][model].set_verts([_outline(low, high)])
        artists["by size"][model].set_ydata(
            np.round([copied(model, H)[0][length - 1] for H in sizes()], 3))
        at, shares = each(model, length)
        artists["networks"][model].set_data(np.log2(at) + aside, shares)
        here, low, high = (part[length - 1] for part in copied(model, size))
        spread = f"95% interval {percent(low)} to {percent(high)}"
        artists["values"][model].set_text(
            f"{percent(here)}   ({spread if low < high else 'all networks alike'})")
    artists["head"].set_text(f"Length {length}, H = {size}: copied without a mistake")
    for column, x in zip(artists["columns"], (length, np.log2(size)), strict=True):
        column.set_xdata([x, x])
    for title, text in zip(artists["titles"], (f"with H = {size}", f"at length {length}"),
                           strict=True):
        title.set_text(text)
    return _sentence(size, length)


def _outline(low, high):
    """The corners of a band over the lengths: along its low edge, and back along the high one."""
    xs = np.arange(1, LONGEST + 1)
    return np.concatenate([np.stack([xs, low], 1), np.stack([xs, high], 1)[::-1]])


def percent(share):
    """0.024 as "2.4%", 0.52 as "52%"; what would round to none or all of it, but is not, so."""
    if 0 < share < 0.0005:
        return "under 0.1%"
    if 0.995 <= share < 1:
        return "over 99%" if share < 0.9995 else "over 99.9%"
    return f"{100 * share:.1f}%" if 0 < share < 0.0995 else f"{share:.0%}"


def _sentence(size, length):
    shares = {model: percent(copied(model, size)[0][length - 1]) for model in MODELS}
    text = (f"Sequences of {length} symbol{'s' * (length > 1)} of {SYMBOLS} kinds: "
            f"{shares['forward']} are copied without a mistake through a vector of {size} numbers, "
            f"{shares['reversed']} if read from the end, {shares['attention']} with attention "
            f"(means of {seeds()} networks).")
    return text + (_beyond(size, length) if length > TRAINED else _blind(size))


def _blind(size):
    count = not_looking(size)
    if not count:
        return f" All {seeds()} with attention look."
    return f" {count} of the {seeds()} with attention {'does' if count == 1 else 'do'} not look."


def _beyond(size, length):
    at = looking(size)
    return (f" Asked for {LONGEST}, attention looks at the right symbol in "
            f"{percent(at[TRAINED - 1])} at output {TRAINED}, in {percent(at[length - 1])} at "
            f"{length}.")
