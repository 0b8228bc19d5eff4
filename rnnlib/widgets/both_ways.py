"""Which inputs an output can depend on: read from the start, from both ends, or a little late."""

from functools import cache

from matplotlib.patches import Rectangle

from rnnlib import live, style
from rnnlib.plots import graph
from rnnlib.plots.numerals import subscript

STEPS = 7
ONE, BOTH = "one direction", "both directions"
#: reader -> how many steps after its input an output is given
READERS = {ONE: 0, "one direction, answer 1 step late": 1, "one direction, answer 2 steps late": 2,
           BOTH: 0}
WIDTH, HEIGHT, LEFT, GAP = 461, 250, 80, 41
ASIDE = 9  # how far the two states of a step stand beside its column
ROWS = {"x": 44, "h→": 100, "h←": 150, "ŷ": 206}
COLOURS = {"x": style.X, "ŷ": style.INK}  # every other kind is a state


def both_ways():
    """The unfolded graph of a reader of 7 inputs, and in it all that one output depends on.

        h→_t = f(h→_{t-1}, x_t),    h←_t = f(h←_{t+1}, x_t),    ŷ_t = g(h→_t, h←_t)

    With one direction ŷ_t = g(h→_t) or, d steps late, g(h→_{t+d}).
    """
    return live.LiveFigure(
        _setup,
        _update,
        title="What an output can see",
        controls={
            "t": live.Step("output ŷ of step t", 1, STEPS, value=3),
            "reader": live.Choice("network", list(READERS)),
        },
        presets={
            "Both directions: every input": {"t": 3, "reader": BOTH},
            "Two steps late: two inputs more": {
                "t": 3, "reader": "one direction, answer 2 steps late"},
            "At the end nothing is missed": {"t": STEPS, "reader": ONE},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


@cache
def edges(reader):
    """Every arrow (source, target) of the graph; nodes are pairs (kind, step)."""
    delay, steps = READERS[reader], range(1, STEPS + 1)
    found = [(("x", t), ("h→", t)) for t in steps]
    found += [(("h→", t - 1), ("h→", t)) for t in range(2, STEPS + delay + 1)]
    found += [(("h→", t + delay), ("ŷ", t)) for t in steps]
    if reader == BOTH:
        found += [(("x", t), ("h←", t)) for t in steps]
        found += [(("h←", t), ("h←", t - 1)) for t in steps[1:]]
        found += [(("h←", t), ("ŷ", t)) for t in steps]
    return tuple(found)


@cache
def cone(reader, t):
    """Every node that the output ŷ_t depends on, itself included."""
    found, waiting = set(), [("ŷ", t)]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += [source for source, target in edges(reader) if target == node]
    return frozenset(found)


def inputs_seen(reader, t):
    """The steps whose inputs the output ŷ_t can depend on, in order."""
    return sorted(step for kind, step in cone(reader, t) if kind == "x")


def _setup():
    fig, ax = graph.canvas(WIDTH, HEIGHT)
    column = ax.add_patch(Rectangle((0, 22), GAP, 204, color=style.MUTED, alpha=0.12, lw=0))
    left = {"x": 6, "va": "center_baseline"}
    ax.text(y=ROWS["x"], s="input x", color=style.X, weight="bold", **left)
    ax.text(y=ROWS["h→"], s="h→ from\nthe start", color=style.H, weight="bold", **left)
    back = ax.text(y=ROWS["h←"], s="", color=style.H, weight="bold", **left)
    return fig, {
        "column": column,
        "graph": graph.create(ax, labels=4 * STEPS + 2, letters=""),
        "back": back,
        "marks": [ax.text(_column(t), 12, "", ha="center", va="center_baseline", fontsize=9.5)
                  for t in range(1, STEPS + 1)],
        "told": ax.text(6, HEIGHT - 14, "", fontsize=12, weight="bold"),
        "output": ax.text(y=ROWS["ŷ"], s="", weight="bold", **left),
    }


def _given(reader, t):
    """The step at which the answer of step t is read from the state."""
    return t + READERS[reader]


def _column(t):
    return LEFT + GAP * (t - 0.35)


def _place(node, reader):
    """Where a node stands: an answer above the state it is read from."""
    kind, t = node
    if kind == "ŷ":
        t = _given(reader, t)
    aside = {"h→": -ASIDE, "h←": ASIDE}.get(kind, 0) if reader == BOTH else 0
    return _column(t) + aside, ROWS[kind]


def _update(artists, t, reader):
    seen, lit = inputs_seen(reader, t), cone(reader, t)
    nodes = [
        graph.Node(_place(node, reader), _label(node), COLOURS.get(node[0], style.H),
                   "lit" if node in lit else "dim")
        for node in sorted({node for edge in edges(reader) for node in edge})
    ]
    arrows = [
        graph.Arrow(graph.trimmed([_place(node, reader) for node in edge]),
                    "lit" if lit.issuperset(edge) else "dim")
        for edge in edges(reader)
    ]
    graph.place(artists["graph"], nodes, arrows)
    artists["column"].set(x=_column(_given(reader, t)) - GAP / 2)
    artists["back"].set_text("h← from\nthe end" if reader == BOTH else "")
    delay = READERS[reader]
    late = f",\n{delay} step{'s' * (delay > 1)} late" if delay else ""
    artists["output"].set_text(f"output ŷ{late}")
    for step, mark in enumerate(artists["marks"], 1):
        mark.set_text("seen" if step in seen else "unseen")
        mark.set(color=style.X if step in seen else style.MUTED,
                 weight="bold" if step in seen else "normal")
    when = f", given at step {_given(reader, t)}," if delay else ""
    artists["told"].set_text(f"ŷ{subscript(t)}{when} sees {len(seen)} of {STEPS} inputs")
    return _sentence(t, reader, seen)


def _label(node):
    return node[0][0] + subscript(node[1])


def _sentence(t, reader, seen):
    name, delay = f"ŷ{subscript(t)}", READERS[reader]
    if reader == BOTH:
        ahead, back = _range(range(1, t + 1)), _range(range(t, STEPS + 1))
        return (f"Both directions: {name} depends on all {STEPS} inputs, on {ahead} through h→ and "
                f"on {back} through h←. It cannot be given before x{subscript(STEPS)} is read.")
    unseen = [step for step in range(1, STEPS + 1) if step not in seen]
    missed = f"; it cannot know {_range(unseen)}" if unseen else ", the whole sequence"
    late = ""
    if delay:
        given = _given(reader, t)
        late = (f" It is given at step {given}, from h{subscript(given)}, {delay} "
                f"step{'s' * (delay > 1)} after x{subscript(t)}.")
    return (f"One direction: {name} depends on {_range(seen)}, {len(seen)} of {STEPS} "
            f"inputs{missed}.{late}")


def _range(steps):
    """"x₁ to x₃", or "x₁"."""
    ends = [f"x{subscript(step)}" for step in dict.fromkeys((steps[0], steps[-1]))]
    return " to ".join(ends)
