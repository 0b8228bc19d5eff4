"""Three ways to give a decoder what was read, and how far each symbol then has to travel."""

from functools import cache

from matplotlib.patches import Polygon

from rnnlib import live, style
from rnnlib.plots import graph
from rnnlib.plots.numerals import subscript

WORD = "dogs"
S = len(WORD)
STATE, INPUT, LOOK = "a vector, as first state", "a vector, at every step", "vector and attention"
WAYS = (STATE, INPUT, LOOK)
WIDTH, HEIGHT = 461, 320
READ, WRITTEN, GAP, NECK = 62, 279, 47, 241  # where encoder and decoder begin; the vector
ROWS = {"x": 60, "y": 60, "h": 132, "C": 132, "d": 132, "c": 192, "o": 246}
STEPS = 278  # height of the numbers above the outputs
READY = 263  # right end of the name of what the decoder reads
ASIDE = 21  # how far a context stands beside the column of its output
BUS = 96  # height at which the vector travels to every step
COLOURS = {"x": style.X, "o": style.INK, "y": style.INK}  # every other kind is a state


def decoder_contexts():
    """An encoder-decoder that copies "dogs", and in it the way of one letter to its output.

    A step is an arrow between states, from state to context included. With a vector as first state
    the letter read at place s takes S - s + t steps to output t, with the vector at every step
    S - s + 1, with attention 1 (`rnnlib.decoder`).
    """
    return live.LiveFigure(
        _setup,
        _update,
        title="How a decoder is told what was read",
        controls={
            "t": live.Step("output", 1, S, value=2),
            "way": live.Choice("the decoder is given", WAYS, value=LOOK),
            "from_end": live.Toggle("source read from its end"),
        },
        presets=PRESETS,
        rc=style.RC,
        colours=style.COLOURS,
    )


PRESETS = {
    "Attention: one step for every letter": {"t": 1, "way": LOOK, "from_end": False},
    "A vector: far for every letter": {"t": 2, "way": STATE, "from_end": False},
    "From its end: the first letter is near": {"t": 1, "way": STATE, "from_end": True},
    "From its end: the last letter is far": {"t": S, "way": STATE, "from_end": True},
    "A vector at every step": {"t": 3, "way": INPUT, "from_end": False},
}


def place(t, from_end):
    """The place of the source, from 1, at which the letter of output t is read."""
    return S + 1 - t if from_end else t


@cache
def edges(way):
    """Every arrow (source, target) of the graph; nodes are pairs (kind, index).

    Kinds: x source, h encoder, C the vector (a copy of h_S), y the output one step earlier, d the
    decoder (h′ in the picture), c context, o output.
    """
    steps = range(1, S + 1)
    found = [(("x", s), ("h", s)) for s in steps] + [(("y", t), ("d", t)) for t in steps]
    found += [(("d", t), ("o", t)) for t in steps]
    found += [((kind, s - 1), (kind, s)) for kind in "hd" for s in steps[1:]]
    found += [(("h", S), ("C", 0))]
    found += [(("C", 0), ("d", t)) for t in (steps if way == INPUT else [1])]
    if way == LOOK:
        found += [(("h", s), ("c", t)) for t in steps for s in steps]
        found += [pair for t in steps for pair in ((("d", t), ("c", t)), (("c", t), ("o", t)))]
    return tuple(found)


@cache
def cone(way, t):
    """Every node that output t depends on, itself included."""
    found, waiting = set(), [("o", t)]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += [source for source, target in edges(way) if target == node]
    return frozenset(found)


@cache
def path(way, t, from_end=False):
    """The shortest way from the letter of output t to that output: nodes, the source first."""
    ways = [[("x", place(t, from_end))]]
    while ways[0][-1] != ("o", t):
        first = ways.pop(0)
        ways += [[*first, target] for source, target in edges(way) if source == first[-1]]
        ways.sort(key=len)
    return tuple(ways[0])


def hops(way, t, from_end=False):
    """How many steps the letter of output t takes: arrows between states, or to a context."""
    nodes = path(way, t, from_end)
    pairs = zip(nodes, nodes[1:], strict=False)
    return sum(start[0] in "hCd" and end[0] in "hdc" for start, end in pairs)


def _setup():
    fig, ax = graph.canvas(WIDTH, HEIGHT)
    _hourglass(ax)
    left = {"x": 6, "va": "center_baseline", "weight": "bold"}
    ax.text(y=ROWS["x"], s="source", color=style.X, **left)
    ax.text(y=ROWS["h"], s="states", color=style.H, **left)
    centred = {"ha": "center", "va": "center_baseline"}
    ax.text(_column("h", (S + 1) / 2), 31, "encoder reads the source", **centred)
    ax.text(_column("d", (S + 1) / 2), 31, "decoder reads its last output", **centred)
    for y, word in ((ROWS["y"] + 6, "last"), (ROWS["y"] - 6, "output")):
        ax.text(READY, y, word, ha="right", va="center_baseline", fontsize=9.5, weight="bold")
    _key(ax)
    ax.text(NECK - 14, ROWS["C"] - 26, "vector", color=style.H, weight="bold", **centred)
    _row(ax, ROWS["o"], "output", style.INK)
    _row(ax, STEPS, "steps on the way", style.INK)
    return fig, {
        "graph": graph.create(ax, labels=5 * S + 2, letters=""),
        "told": ax.text(6, HEIGHT - 14, "", fontsize=12, weight="bold", va="center_baseline"),
        "context": _row(ax, ROWS["c"] + 7, "", style.H),
        "steps": [ax.text(_column("o", t), STEPS, "", **centred) for t in range(1, S + 1)],
    }


def _key(ax, y=9):
    """What the two colours of the arrows are."""
    for x, colour, text in ((62, style.THETA, "times a matrix"),
                            (202, style.INK, "no matrix: copied or averaged")):
        ax.annotate("", (x + 28, y), (x, y), arrowprops={
            "arrowstyle": "->", "color": colour, "linewidth": 1.8, "shrinkA": 0, "shrinkB": 0})
        ax.text(x + 35, y, text, va="center_baseline", fontsize=9.5)


def _row(ax, y, text, colour):
    """A name left of what the decoder makes."""
    return ax.text(WRITTEN - 38, y, text, color=colour, weight="bold", ha="right",
                   va="center_baseline")


def _hourglass(ax):
    """The narrow place: all that is read goes through it, all that is written comes from it."""
    y, half, narrow = ROWS["h"], 24, 12.5
    first, last = _column("h", 1) - 18, _column("d", S) + 18
    points = [(first, y + half), (_column("h", S), y + half), (NECK, y + narrow)]
    points += [(_column("d", 1), y + half), (last, y + half)]
    points += [(x, 2 * y - height) for x, height in reversed(points)]
    ax.add_patch(Polygon(points, color=style.H, alpha=0.13, lw=0))


def _column(kind, index):
    if kind == "C":
        return NECK
    aside = ASIDE if kind == "c" else 0
    return (READ if kind in "xh" else WRITTEN) + GAP * (index - 1) - aside


def _xy(node):
    return _column(*node), ROWS[node[0]]


def _label(node, from_end):
    kind, index = node
    if kind == "x":
        return WORD[place(index, from_end) - 1]
    if kind == "y":
        return WORD[index - 2] if index > 1 else "·"
    if kind == "o":
        return WORD[index - 1]
    return {"C": "C", "h": "h" + subscript(index), "d": "h′" + subscript(index),
            "c": "κ" + subscript(index)}[kind]


def _update(artists, t, way, from_end):
    lit, reached = path(way, t, from_end), cone(way, t)
    on_path = set(zip(lit, lit[1:], strict=False))
    drawn = [edge for edge in edges(way) if all(kind != "c" or u == t for kind, u in edge)]
    nodes = [graph.Node(_xy(node), _label(node, from_end), COLOURS.get(node[0], style.H),
                        "lit" if node in lit else "dim" if node in reached else "later")
             for node in sorted({node for edge in drawn for node in edge})]
    arrows = [_arrow(edge, "lit" if edge in on_path else "dim" if edge[1] in reached else "later")
              for edge in drawn]
    graph.place(artists["graph"], nodes, arrows)
    artists["context"].set_text("context" if way == LOOK else "")
    for u, text in enumerate(artists["steps"], 1):
        text.set(text=str(hops(way, u, from_end)), weight="bold" if u == t else "normal",
                 fontsize=13 if u == t else 10)
    count = hops(way, t, from_end)
    artists["told"].set_text(
        f"From “{WORD[t - 1]}” read to “{WORD[t - 1]}” written: {_steps(count)}")
    return _sentence(t, way, from_end)


def _arrow(edge, look):
    (kind, _), (to, _) = edge
    start, end = _xy(edge[0]), _xy(edge[1])
    points = [start, end]
    if kind == "C" and end[0] > _column("d", 1):
        points = [start, (NECK + 20, BUS), (end[0] - 24, BUS), end]
    return graph.Arrow(graph.trimmed(points), look, copy=kind == "h" and to in "Cc")


def _steps(count):
    return f"{count} step{'s' * (count > 1)}"


def _sentence(t, way, from_end):
    count, letter, seen = hops(way, t, from_end), WORD[t - 1], _state(t, from_end)
    counts = [hops(way, u, from_end) for u in range(1, S + 1)]
    text = (f"The source is read from its {'end' if from_end else 'start'}. Output {t} has to be "
            f"“{letter}”, read into {seen}. ")
    if way == LOOK:
        by_vector = hops(STATE, t, from_end)
        return (f"{text}It looks at every state of the encoder, at {seen} too: from there "
                f"“{letter}” takes {_steps(count)}. By way of the vector it is {by_vector}.")
    given = "is the decoder’s first state" if way == STATE else "goes into every decoder step"
    return (f"{text}The vector C, a copy of h{subscript(S)}, {given}: “{letter}” takes "
            f"{_steps(count)}. For the outputs 1 to {S} it is {', '.join(map(str, counts))}, a "
            f"mean of {sum(counts) / S:g}.")


def _state(t, from_end):
    """The name of the state into which the letter of output t is read."""
    return "h" + subscript(place(t, from_end))
