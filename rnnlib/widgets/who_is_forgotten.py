"""Who is forgotten: what the loss of the last word sends to W through each earlier word."""

from functools import lru_cache

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextPath

from rnnlib import live, results, style
from rnnlib.plots.matrices import blank_axes
from rnnlib.plots.numerals import scientific

#: label of the choice -> the sentence, which goes by its key word
SENTENCES = {"clouds → sky": "clouds", "France → French": "France", "brown → shepherd": "brown"}
#: label of the choice -> what the network was trained on
TRAINING = {"none": "none", "all distances": "all", "long distances only": "long"}
NETWORKS = ("RNN", "LSTM", "GRU")
WIDTH, HEIGHT = 461, 336
LEFT, RIGHT = 36, 453  # where lines of words begin and end
TOP, LINE, BAR = 16, 106, 76  # the first line's ceiling, from line to line, the length of share 1
ROWS, DECADES = 2, 8  # lines of words; the shortest bar is a share of 1e-8
SIZE, SPACE = 10, 5.5  # of words, and between them
STRIP = 236, 140, 225  # the two bars below: top, left, length of share 1


def who_is_forgotten():
    """The item of each word in the gradient that the last word's loss sends to W.

        dW = Σ_k dW_k        dW_k = da_k h_{k-1}ᵀ        bar: ‖dW_k‖ / ‖dW‖

    All gates of a cell stand one under the other in a_k. Geometric means over the networks of
    experiments/who_is_forgotten.py, lines: their 95% intervals. The first word has no item, since
    h_0 = 0; what it sends goes into U and b.
    """
    return live.LiveFigure(
        _setup,
        _update,
        title="Who is forgotten?",
        controls={
            "sentence": live.Choice("sentence", list(SENTENCES), value="brown → shepherd"),
            "network": live.Choice("network", NETWORKS),
            "training": live.Choice("training", list(TRAINING)),
        },
        presets={
            "“brown” is forgotten": {
                "sentence": "brown → shepherd", "network": "RNN", "training": "none"},
            "“clouds” is near": {
                "sentence": "clouds → sky", "network": "RNN", "training": "none"},
            "A gate keeps a way open": {
                "sentence": "brown → shepherd", "network": "LSTM", "training": "none"},
            "The RNN learns it all the same": {
                "sentence": "brown → shepherd", "network": "RNN", "training": "all distances"},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


@lru_cache
def contributions(network, training, sentence):
    """What experiments/who_is_forgotten.py measured: the rows of one sentence, a row per word.

    training: "none", "all" or "long"; sentence: its key word. A row has word, share = ‖dW_k‖ / ‖dW‖
    with share_low and share_high, column_share = ‖dU_k‖ / ‖dU‖ likewise (dU_k is all in the word's
    own column of U), item = ‖dW_k‖; and for all words alike dW and dU (norms), loss (mean),
    seeds, right (how many networks foretell last_word).
    """
    rows = results.find(results.load("who_is_forgotten"), network=network, training=training,
                        sentence=sentence)
    return tuple(sorted(rows, key=lambda row: row["place"]))


def key_row(network, training, sentence):
    """The row of the word on which the last word depends."""
    return next(r for r in contributions(network, training, sentence) if r["word"] == sentence)


@lru_cache
def layout(sentence):
    """Where each word stands: a list of (text, x, line, width, bold), the last word in the end."""
    rows = contributions(NETWORKS[0], "none", sentence)
    texts = [row["word"] for row in rows]
    texts[0] = texts[0].capitalize()
    placed, x, line = [], LEFT, 0
    for text in [*texts, rows[0]["last_word"]]:
        bold = text == sentence or len(placed) == len(texts)
        font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
        width = TextPath((0, 0), text, size=SIZE, prop=font).get_extents().x1
        if len(placed) == len(texts):
            x += 5  # room for the frame of the last word
        if x + width > RIGHT:
            x, line = LEFT, line + 1
        placed.append((text, x, line, width, bold))
        x += width + SPACE
    return placed


def _setup():
    fig, ax = blank_axes(WIDTH, HEIGHT)
    longest = max(len(layout(sentence)) for sentence in SENTENCES.values())
    artists = {
        "guides": [ax.plot([], [], color=style.MUTED, lw=0.6, alpha=0.6)[0] for _ in range(3)],
        "scale": [ax.text(LEFT - 5, 0, "", ha="right", va="center", fontsize=9.5)
                  for _ in range(3 * ROWS)],
        "bars": [ax.add_patch(Rectangle((0, 0), 0, 0, color=style.GRAD, lw=0))
                 for _ in range(longest)],
        "intervals": ax.plot([], [], color=style.INK, lw=1, solid_capstyle="butt")[0],
        "words": [ax.text(0, 0, "", fontsize=SIZE) for _ in range(longest)],
        "frame": ax.add_patch(Rectangle((0, 0), 0, 0, fill=False, ec=style.GRAD, lw=1.6)),
        "number": ax.text(0, 0, "", weight="bold", ha="center"),
    }
    return fig, artists | _setup_strip(ax)


def _setup_strip(ax):
    top, left, length = STRIP
    ax.text(left - 6, top + 8, "all of dW", ha="right", va="center_baseline")
    ax.add_patch(Rectangle((left, top), length, 14, color=style.GRAD, lw=0))
    note = ("Bars: share of ‖dW‖, log scale; a line is the 95% interval over the networks.\n"
            "The first word has no bar: before it the state is zero.")
    ax.text(LEFT - 22, top + 56, note, fontsize=9.5, va="top", linespacing=1.35)
    return {
        "part": ax.add_patch(Rectangle((left, top + 22), 0, 14, color=style.GRAD, lw=0)),
        "whole number": ax.text(left + length + 6, top + 8, "", weight="bold",
                                va="center_baseline"),
        "part label": ax.text(left - 6, top + 30, "", ha="right", va="center_baseline"),
        "part number": ax.text(0, top + 30, "", weight="bold", va="center_baseline"),
    }


def height(share):
    """The length of a share's bar, as a part of the whole: 1 for 1, 0 for 1e-8 and less."""
    return np.log10(np.clip(share, 10.0**-DECADES, 1)) / DECADES + 1


def _update(artists, sentence, network, training):
    key, diet = SENTENCES[sentence], TRAINING[training]
    rows, places = contributions(network, diet, key), layout(key)
    first = 0.5 if places[-1][2] == 0 else 0  # a single line stands in the middle
    floors = [TOP + BAR + LINE * (first + line) for line in range(places[-1][2] + 1)]
    _draw_scale(artists, floors)
    _draw_words(artists, places, floors)
    _draw_bars(artists, rows, places, floors)
    here = key_row(network, diet, key)
    part = STRIP[2] * height(here["share"])
    artists["part"].set_width(part)
    artists["part number"].set(x=STRIP[1] + part + 6, text=_number(here["share"]))
    artists["part label"].set_text(f"through “{key}”")
    artists["whole number"].set_text(f"norm {here['dW']:.2g}")
    return _sentence(here, key, network, diet)


def _draw_scale(artists, floors):
    for i, guide in enumerate(artists["guides"]):
        y = [floor - BAR * (2 - i) / 2 for floor in floors]
        xs = np.tile([LEFT, RIGHT, np.nan], len(floors))
        guide.set_data(xs, np.repeat(y, 3))
    for i, label in enumerate(artists["scale"]):
        line, end = divmod(i, 3)
        label.set_visible(line < len(floors))
        if line < len(floors):
            label.set(y=floors[line] - BAR * end / 2, text=("10⁻⁸", "10⁻⁴", "1")[end])


def _draw_words(artists, places, floors):
    for i, text in enumerate(artists["words"]):
        text.set_visible(i < len(places))
        if i < len(places):
            word, x, line, _, bold = places[i]
            text.set(text=word, x=x, y=floors[line] + 14, weight="bold" if bold else "normal")
    _, x, line, width, _ = places[-1]
    artists["frame"].set_bounds(x - 4, floors[line] + 1, width + 8, 18)


def _draw_bars(artists, rows, places, floors):
    ends = []
    for i, bar in enumerate(artists["bars"]):
        bar.set_visible(i < len(rows))
        if i >= len(rows):
            continue
        row, (_, x, line, width, bold) = rows[i], places[i]
        length = BAR * height(row["share"])
        bar.set_bounds(x, floors[line] - length, width, length)
        bar.set_alpha(1 if bold else 0.45)
        if row["share"]:
            span = floors[line] - BAR * height([row["share_low"], row["share_high"]])
            ends += [(x + width / 2, y) for y in span] + [(np.nan, np.nan)]
        if bold:
            top = min(floors[line] - length, span[1])
            artists["number"].set(x=x + width / 2, y=top - 3, text=_number(row["share"]))
    artists["intervals"].set_data(*np.transpose(ends))


def _number(share):
    """A share in per cent or, where that is too small to read, as a power of ten."""
    return f"{100 * share:.2g}%" if share >= 9.5e-4 else scientific(share)


def _sentence(row, key, network, diet):
    share, last = _number(row["share"]), row["last_word"]
    if diet == "none":
        few = row["share"] < 0.01
        return (f"Untrained {network}: the loss at “{last}” gives W a gradient of norm "
                f"{row['dW']:.2g}; {'only ' * few}{share} of it comes through “{key}”."
                + " W moves all the same." * few)
    taught = {"all": "all distances", "long": "long distances only"}[diet]
    return (f"{network} trained on {taught}: {row['right']:.0f} of {row['seeds']:.0f} networks "
            f"foretell “{last}”; {share} of what is left of dW comes through “{key}”.")
