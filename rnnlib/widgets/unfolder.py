"""The unfolder: a folded graph beside its unfolding, with the causal cone of one output lit."""

from functools import cache

import numpy as np
from matplotlib.patches import Rectangle

from rnnlib import live, style
from rnnlib.plots import graph
from rnnlib.plots.numerals import subscript
from rnnlib.widgets.unfolder_patterns import ENCODER, PATTERNS, TEACHER, matrices, split, unfold

MAX_TAU = 8
WIDTH, HEIGHT = 461, 284
LEFT, GAP = 150, 36.2  # where column 0 stands, and from one column to the next
ROWS = {"x": 82, "C": 82, "h": 158, "s": 158, "o": 234}
ROWS_WITH_TARGETS = {"x": 82, "h": 136, "o": 190, "y": 244}
TITLE, CONTEXT, KEYS = 272, 62, (31, 12)  # heights of the texts
NAMES = {"x": "x", "h": "h", "o": "ŷ", "y": "y", "C": "C", "s": "s"}
COLOURS = {"x": style.X, "o": style.INK, "y": style.INK}  # every other kind is a state


def unfolder():
    """A small network with a loop, and the same network without: one copy for each step.

    h_t = f(h_{t-1}, x_t; θ), applied τ times. Seven ways to wire it, after figures 10.3 to 10.12
    of Deep Learning (2016).
    """
    return live.LiveFigure(
        _setup,
        _update,
        title="The unfolder",
        controls={
            "pattern": live.Choice("pattern", list(PATTERNS), value=next(iter(PATTERNS))),
            "tau": live.Range("length τ", 1, MAX_TAU, step=1, value=5),
            "t": live.Step("time step t", 0, MAX_TAU, value=3),
        },
        presets={
            "One answer at the end": {"pattern": "one output at the end", "tau": 8, "t": 8},
            "Cut by the teacher": {"pattern": TEACHER, "tau": 7, "t": 5},
            "Read, then write": {"pattern": ENCODER, "tau": 8, "t": 6},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


def _setup():
    fig, ax = graph.canvas(WIDTH, HEIGHT)
    now = ax.add_patch(Rectangle((0, 52), GAP, 208, color=style.H, alpha=0.09, linewidth=0))
    ax.plot([129, 129], [52, TITLE + 6], color=style.MUTED, alpha=0.4, linewidth=0.8)
    ax.text(8, TITLE, "folded", va="center")
    centred = {"ha": "center", "va": "center_baseline", "fontsize": 9.5}
    artists = {
        "now": now,
        "title": ax.text(LEFT - 11, TITLE, "", va="center"),
        "folded": graph.create(ax, labels=6, letters="UWVRQ"),
        "squares": ax.scatter([], [], s=34, marker="s", color=style.INK, zorder=6),
        "unfolded": graph.create(ax, labels=4 * MAX_TAU + 1, letters="UWVRQ"),
        "contexts": [ax.text(82, CONTEXT, "C: context", **centred) for _ in range(2)],
    }
    return fig, artists | _key(ax)


def _key(ax):
    """Say what the colours and the looks mean; return the texts that change."""
    upper, lower = KEYS
    key = graph.create(ax, labels=0, letters="", radius=4)
    colours = (style.X, style.H, style.INK)
    nodes = [graph.Node((x, upper), "", c) for x, c in zip((160, 214, 268), colours, strict=True)]
    for x, look in ((14, "lit"), (160, "dim")):
        nodes += [graph.Node((x + 10 * k, lower), "", c, look) for k, c in enumerate(colours)]
    nodes.append(graph.Node((314, lower), "", style.INK, "later"))
    graph.place(key, nodes, [graph.Arrow([(362, upper), (384, upper)])])
    ax.scatter([14], [upper], s=34, marker="s", color=style.INK)
    texts = [(23, upper, "one step later"), (168, upper, "input"), (222, upper, "state")]
    texts += [(390, upper, "parameters"), (188, lower, "reached, not needed")]
    texts += [(322, lower, "not reached yet"), (276, upper, ""), (42, lower, "")]
    made = [ax.text(*text, va="center_baseline", fontsize=9.5) for text in texts]
    return {"key of outputs": made[-2], "key of the cone": made[-1]}


def _update(artists, pattern, tau, t):
    short = pattern == ENCODER and tau < 2
    tau = 2 if short else tau
    unfolded, asked = _unfold(pattern, tau), t
    t = min(t, tau)
    graph.place(artists["folded"], *_folded(pattern)[:2])
    artists["squares"].set_offsets(_folded(pattern)[2])
    graph.place(artists["unfolded"], *_drawn(pattern, tau, t))
    _show_context(artists["contexts"], pattern, tau)
    artists["now"].set(x=_column(t) - GAP / 2)
    artists["title"].set_text(f"unfolded: {tau} step{'s' * (tau > 1)}")
    focus = unfolded.output(t)
    cone = f"what {_name(focus)} depends on" if focus else "given at the start"
    artists["key of the cone"].set_text(cone)
    artists["key of outputs"].set_text("output, target" if pattern == TEACHER else "output")
    end = f"The sequence ends at τ = {tau}. " if asked > tau else ""
    note = "Reading and writing need two steps at least, so two are drawn. " if short else ""
    return f"{note}{_counted(pattern, tau)} {end}{_dependence(unfolded, t)}"


def _show_context(texts, pattern, tau):
    """Name C below it, in both graphs."""
    for text in texts:
        text.set_visible(pattern == ENCODER)
    if pattern == ENCODER:
        n_in = split(tau)[0]
        texts[1].set(x=_column(n_in + 1), text=f"C: context, a copy of {_name(('h', n_in))}")


_unfold = cache(unfold)


def _column(t):
    return LEFT + GAP * t


def _name(node):
    kind, index = node
    return NAMES[kind] if index is None else NAMES[kind] + subscript(index)


# --- the unfolded graph -------------------------------------------------------------------------


def _drawn(pattern, tau, t):
    """The nodes and arrows of the unfolding after t steps."""
    unfolded = _unfold(pattern, tau)
    focus = unfolded.output(t)
    cone = unfolded.cone(focus) if focus else set(unfolded.given())
    rows = _rows(pattern)

    def look(node, *before):
        if unfolded.when[node] > t:
            return "later"
        return "lit" if node in cone and cone.issuperset(before) else "dim"

    nodes = [
        graph.Node(
            _place(node, unfolded, rows),
            _name(node),
            COLOURS.get(node[0], style.H),
            look(node),
        )
        for node in unfolded.when
    ]
    arrows = [_arrow(edge, unfolded, rows, look(edge[1], edge[0])) for edge in unfolded.edges]
    return nodes, arrows


def _rows(pattern):
    return ROWS_WITH_TARGETS if pattern == TEACHER else ROWS


def _place(node, unfolded, rows):
    """A node stands in the column of its step; the context below the step after it."""
    return _column(unfolded.when[node] + (node[0] == "C")), rows[node[0]]


def _arrow(edge, unfolded, rows, look):
    """A straight arrow, or an elbow where one node feeds every later step."""
    source, target, letter = edge
    start, end = _place(source, unfolded, rows), _place(target, unfolded, rows)
    points = [start, end]
    if source[0] in "xC" and end[0] > start[0]:
        first = end[0] - GAP <= start[0]
        points = [start if first else (end[0] - GAP, start[1]), (end[0], start[1]), end]
    bare = source[0] in "xC" and len(points) == 3 and not first
    points = graph.trimmed(points, start=0) if bare else graph.trimmed(points)
    return graph.Arrow(points, look, letter, _beside(points), copy=not letter)


def _beside(points):
    """Where a letter stands: right of a vertical arrow, above a level one, else beside it.

    Low beside a vertical arrow and high beside a slanting one, so that they do not meet.
    """
    (x0, y0), (x1, y1) = points[-2:]
    if abs(x1 - x0) < 1:
        return x1 + 8, y1 + 0.75 * (y0 - y1)
    if abs(y1 - y0) < 1:
        return (x0 + x1) / 2 - 1, y1 + 10
    if y0 - y1 > 70:  # past a row of other nodes: above them
        return x0 + 0.16 * (x1 - x0) + 9, y0 + 0.16 * (y1 - y0)
    return x1 - 0.7 * (x1 - x0) + 10, y1 - 0.7 * (y1 - y0) + 2


# --- the folded graph ---------------------------------------------------------------------------


@cache
def _folded(pattern):
    """Nodes, arrows and delay squares of the graph with its loops."""
    unfolded, rows = _unfold(pattern, MAX_TAU), _rows(pattern)
    decoder = ("C", None) in unfolded.when
    edges, delayed = {}, set()
    for source, target, letter in unfolded.edges:
        pair = source[0], target[0]
        edges[pair] = letter
        if source[0] in "hosy" and unfolded.when[source] < unfolded.when[target]:
            delayed.add(pair)
    kinds = dict.fromkeys(kind for pair in edges for kind in pair)
    across = {k: (26 if k in "xh" else 82) if decoder else 60 for k in kinds}
    spots = {k: (across[k], rows[k]) for k in kinds}
    nodes = [graph.Node(spots[k], NAMES[k], COLOURS.get(k, style.H), "dim") for k in kinds]
    arrows, squares = [], []
    for (source, target), letter in edges.items():
        if (source, target) not in delayed:
            points = graph.trimmed([spots[source], spots[target]])
            arrows.append(graph.Arrow(points, "dim", letter, _beside(points), copy=not letter))
            continue
        points, square, at = _loop(spots[source], spots[target])
        arrows.append(graph.Arrow(points, "dim", letter, at))
        squares.append(square)
    return nodes, arrows, squares


def _loop(start, end):
    """The way back of a recurrence: its points, its delay square, where its letter stands."""
    (x, y0), (_, y1) = start, end
    if y0 == y1:  # a circle beside the node, cut where it enters the node
        angles = np.linspace(2.4, -2.4, 25)
        points = np.stack([x + 20 + 13 * np.cos(angles), y0 + 13 * np.sin(angles)], axis=1)
        return points, (x + 33, y0), (x + 35, y0 + 14)
    angles = np.linspace(0.5, 1.5, 25) * np.pi  # half an ellipse, left of the nodes
    middle, height = (y0 + y1) / 2, (y0 - y1) / 2
    points = np.stack([x - 13 + 28 * np.cos(angles), middle + height * np.sin(angles)], axis=1)
    return points, (x - 41, middle), (x - 27, middle)


# --- what it says -------------------------------------------------------------------------------


def _counted(pattern, tau):
    """Say how often the function is applied, and how many matrices that takes."""
    applied = f"one function applied {_times(tau)}"
    if pattern == ENCODER:
        n_in, n_out = split(tau)
        applied = f"the encoder applied {_times(n_in)}, the decoder {_times(n_out)}"
    letters = matrices(pattern)
    return f"τ = {tau}: {applied}, still {len(letters)} parameter matrices ({', '.join(letters)})."


def _dependence(unfolded, t):
    """Say which given values the focus depends on, and which inputs it cannot see."""
    focus = unfolded.output(t)
    if focus is None:
        given = " and ".join(_name(node) for node in unfolded.given())
        return f"At t = 0 nothing is computed yet: {given} {_is(len(unfolded.given()))} given."
    cone = unfolded.cone(focus)
    what = f"At t = {t}, " if focus[0] == "o" else f"No output yet at t = {t}: the state "
    text = f"{what}{_name(focus)} depends on {_listed('xyo', cone - {focus})}"
    if ("C", None) in cone:
        return f"{text}, and only through C, the copy of {_name(('h', unfolded.when['C', None]))}."
    if sum(kind == "h" for kind, _ in cone) == 1 < t and ("y", t) in unfolded.when:
        return f"{text} alone: no step waits for the one before it."
    unseen = [n for n in unfolded.when if n[0] == "x" and n not in cone]
    return f"{text}, not on {_listed('x', unseen)}." if unseen else f"{text}."


def _listed(kinds, nodes):
    """ "x₁ to x₄ and y₃": the nodes of these kinds, each kind as a range of its indices."""
    ranges = []
    for kind in kinds:
        numbers = sorted(i for k, i in nodes if k == kind)
        ends = [_name((kind, i)) for i in dict.fromkeys(numbers[:1] + numbers[-1:])]
        ranges += [(" to " if len(numbers) > 2 else ", ").join(ends)] if ends else []
    return " and ".join(ranges)


def _times(n):
    return "once" if n == 1 else "twice" if n == 2 else f"{n} times"


def _is(count):
    return "is" if count == 1 else "are"
