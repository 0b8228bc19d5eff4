"""One expression as a tree: what a trained network says at every sub-expression of it."""

import itertools
from dataclasses import dataclass
from functools import cache

import numpy as np

from rnnlib import OutputLayer, live, results, style, tasks, trees
from rnnlib.functions import softmax
from rnnlib.plots.graph import canvas
from rnnlib.plots.trees import along, create_tree, is_clear, place_tree, positions
from rnnlib.trees import RecursiveCell, Tree

EXPRESSIONS = (
    "(max 3 (min 7 (first 2 9)))",
    "(max (last 0 9) (first 8 8))",
    "(min (first 2 8) (max (max 7 8) (max 7 1)))",
    "(max (max (max 0 1) (last (last 6 8) (last 0 6))) 4)",
    "(min 7 (min (max (min (max 1 8) (min 3 2)) (first 1 7)) 9))",
    "(max (last 1 (last 7 3)) (last 7 (last 2 (last (max 7 1) (max 0 6)))))",
    "(first (max (min 4 (max 5 (max 1 7))) 3) (max (min (max 0 1) 2) 3))",
    "(first (min (max (last (max (last 4 1) (first 6 2)) 5) 7) 3) 8)",
)
OPERATIONS = ("max", "min", "first", "last")  # those the networks have learned
TRAINED = 4  # operations, one in the other: the deepest expressions of the training
MOMENTS = (100, 600, 2400)
#: label of the choice -> the model in the result file
MODELS = {"the whole": "tree", "every part": "tree asked everywhere"}
DEEPEST, LONGEST = 7, 25  # levels of operations, and tokens, that still fit the page

WIDTH, HEIGHT, MARGIN, TOP, FLOOR = 461, 354, 26, 302, 57  # SVG units; where root and tokens stand
PITCH, LEVEL = 56, 40  # the most from leaf to leaf, and from level to level
DISC, TOKEN, NOTES = 12, 26, (28, 30)  # half a disc, an operation's name, a note: 100%, not 2


def expression_tree():
    """ŷ at every node that stands for a number: the digit a network on trees says there.

        h_j = tanh(b_x + U x_j),  of a token;  h_j = tanh(b + W_l h_left + W_r h_right),  of a node
        ŷ_j = softmax(c + V h_j)

    Each operation is joined with the pair of its arguments; a pair itself, a dot in the drawing,
    stands for no number. Filled: the digit is right, with its probability beside it where there is
    room; hollow, with an edge in orange: it is wrong, with what is right. The networks are those of
    seed 0 of experiments/list_operations.py.
    """
    return live.LiveFigure(
        _setup,
        _update,
        title="What does the network say at each sub-expression?",
        controls={
            "expression": live.Word("expression", EXPRESSIONS, accepts=_refusal),
            "updates": live.Range("updates of training", values=MOMENTS, value=MOMENTS[-1]),
            "asked": live.Choice("in training asked for", tuple(MODELS)),
        },
        presets={
            "Six deep: all right": _at(EXPRESSIONS[7]),
            "An error begins at max and climbs": _at(EXPRESSIONS[4]),
            "An error that min hides": _at(EXPRESSIONS[2]),
            "After 100 updates": _at(EXPRESSIONS[7], updates=100),
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


def _at(expression, updates=MOMENTS[-1]):
    return {"expression": expression, "updates": updates, "asked": next(iter(MODELS))}


# --- what the networks say -----------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Reading:
    """What a network says of an expression, node by node.

    tree; tokens, n of them; parts (N,), the sub-expression that ends at each node, or None where
    there is none (tokens, pairs); values (N,), theirs, -1 for none; y_hat (N, 10).
    """

    tree: Tree
    tokens: list
    parts: list
    values: np.ndarray
    y_hat: np.ndarray

    @property
    def asked(self):
        """The nodes that stand for the value of a sub-expression, from below; last the root."""
        return np.flatnonzero(self.values >= 0)

    @property
    def said(self):
        """The digit that is most probable at each node, (N,)."""
        return self.y_hat.argmax(axis=1)

    @property
    def wrong(self):
        """The nodes of `asked` at which another digit is said than is right."""
        return self.asked[self.said[self.asked] != self.values[self.asked]]

    @property
    def sources(self):
        """The nodes of `wrong` below which nothing is wrong: here an error begins."""
        first, last = self.tree.span.T
        return [node for node in self.wrong
                if not any(first[node] <= first[other] and last[other] <= last[node]
                           for other in self.wrong if other != node)]

    @property
    def follows(self):
        """Whether one error explains them all: every node says what the operations give with it."""
        (part, digit), *more = {self.parts[node]: self.said[node] for node in self.sources}.items()
        given = [_value(self.parts[node], part, int(digit)) for node in self.asked]
        return not more and given == self.said[self.asked].tolist()


def _value(expression, part, digit):
    """The value of an expression in which a digit stands in the place of a part."""
    if expression == part or not isinstance(expression, tuple):
        return digit if expression == part else expression
    operation, arguments = expression
    return tasks.evaluate((operation, tuple(_value(one, part, digit) for one in arguments)))


@cache
def network(model, updates):
    """The pair (cell, out) of the result file after so many updates."""
    rows = results.find(results.load("list_operations_networks"), model=model, updates=updates)
    return results.network(rows, (RecursiveCell.init(1, 1), OutputLayer.init(1, 1)))


@cache
def reading(expression, model="tree", updates=MOMENTS[-1]):
    """The `Reading` of an expression (its text) by the network of a model after so many updates."""
    tree, tokens = Tree.from_nested(tasks.read_expression(expression))
    nested = tree.fold(tokens, lambda left, right: (left, right))
    parts = [part if isinstance(part, tuple) and isinstance(part[0], str) else None
             for part in nested]
    values = np.array([-1 if part is None else tasks.evaluate(part) for part in parts])
    cell, out = network(model, updates)
    xs = tasks.one_hot([tasks.TOKENS.index(token) for token in tokens], len(tasks.TOKENS))
    h = trees.forward(cell, tree, xs).h
    return Reading(tree, tokens, parts, values, softmax(out.logits(h[None])[0]))


def depth(expression):
    """How many operations of a nested pair stand one in the other; 0 for a digit."""
    tree, _ = Tree.from_nested(expression)
    return int(tree.height[-1]) // 2


def _refusal(text):
    """What is expected of a text that is no expression for this figure; None if it is one."""
    try:
        expression = tasks.read_expression(text)
    except ValueError:
        return f"expected an expression such as {EXPRESSIONS[0]}, got {text!r}"
    tokens = tasks.tokens_of(expression)
    strange = [token for token in tokens if isinstance(token, str) and token not in OPERATIONS]
    if strange:
        names = ", ".join(OPERATIONS)
        return f"expected operations that the network has learned ({names}), got {strange[0]!r}"
    if len(tokens) == 1:
        return f"expected at least one operation, got {text!r}"
    if len(tokens) > LONGEST:
        return f"expected at most {LONGEST} operations and digits, got {len(tokens)}"
    if depth(expression) > DEEPEST:
        return f"expected operations at most {DEEPEST} deep, got {depth(expression)}"
    return None


# --- the drawing ---------------------------------------------------------------------------------


def _setup():
    fig, ax = canvas(WIDTH, HEIGHT)
    tree = create_tree(ax, node=5, leaf=5, edge=1.4)
    discs = {"linestyle": "none", "zorder": 4, "clip_on": False}
    (right,) = ax.plot([], [], "o", color=style.H, markersize=18, markeredgewidth=0, **discs)
    (wrong,) = ax.plot([], [], "s", color=style.PAPER, markersize=16, markeredgewidth=2.4,
                       markeredgecolor=style.GRAD, **discs)
    middle = {"ha": "center", "va": "center_baseline"}
    most = LONGEST // 2
    _write_legend(ax)
    return fig, {
        "tree": tree,
        "right": right,
        "wrong": wrong,
        "tokens": [ax.text(0, 0, "", color=style.X, weight="bold", fontsize=10.5, zorder=3,
                           **middle) for _ in range(LONGEST)],
        "digits": [ax.text(0, 0, "", weight="bold", fontsize=11.5, zorder=5, **middle)
                   for _ in range(most)],
        "notes": [ax.text(0, 0, "", fontsize=9.5, va="center_baseline", zorder=5)
                  for _ in range(most)],
        "head": ax.text(4, HEIGHT - 17, "", fontsize=14, weight="bold"),
        "told": ax.text(WIDTH - 4, HEIGHT - 17, "", fontsize=10.5, ha="right"),
    }


def _write_legend(ax):
    digit = "blue: the digit it says there, and how sure it is, where there is room"
    ax.text(4, 22, digit, color=style.H, fontsize=9.5)
    ax.text(4, 7, "orange: a wrong one, and what is right", color=style.GRAD, fontsize=9.5)
    ax.text(WIDTH - 4, 7, "dot: two arguments, joined", color=style.H, fontsize=9.5, ha="right")


def _places(tree):
    """Where the nodes stand: by depth, the root at the top, as wide as there is room."""
    across = min((WIDTH - 2 * MARGIN) / (tree.leaves - 1), PITCH)
    down = min((TOP - FLOOR) / tree.depth.max(), LEVEL)
    left = (WIDTH - across * (tree.leaves - 1)) / 2
    return np.round(positions(tree, by="depth") * (across, down) + (left, TOP), 1)


def _update(artists, expression, updates, asked):
    seen = reading(expression, MODELS[asked], updates)
    xy = _places(seen.tree)
    place_tree(artists["tree"], seen.tree, xy)
    for k, text in enumerate(artists["tokens"]):
        if k < len(seen.tokens):
            text.set(text=str(seen.tokens[k]), x=xy[k, 0], y=xy[k, 1] - 10)
        text.set_visible(k < len(seen.tokens))
    _place_answers(artists, seen, xy)
    root, value = seen.asked[-1], seen.values[-1]
    outcome = "right" if seen.said[root] == value else f"wrong, it is {value}"
    artists["head"].set_text(f"It says {seen.said[root]}: {outcome}")
    deep = depth(tasks.read_expression(expression))
    artists["told"].set_text(f"{deep} operation{'s' * (deep > 1)} deep, trained on 1 to {TRAINED}")
    return _sentence(seen, expression, updates, asked)


def _place_answers(artists, seen, xy):
    fine = np.setdiff1d(seen.asked, seen.wrong)
    artists["right"].set_data(*xy[fine].T)
    artists["wrong"].set_data(*xy[seen.wrong].T)
    notes = _notes(seen, xy)
    for k, (digit, note) in enumerate(zip(artists["digits"], artists["notes"], strict=True)):
        digit.set_visible(k < len(seen.asked))
        note.set_visible(k < len(seen.asked))
        if k < len(seen.asked):
            node = seen.asked[k]
            off = node in seen.wrong
            digit.set(text=str(seen.said[node]), x=xy[node, 0], y=xy[node, 1],
                      color=style.INK if off else style.PAPER)
            note.set(color=style.GRAD if off else style.H, weight="bold" if off else "normal",
                     **notes[node])


def _notes(seen, xy):
    """{node: text, x, y, ha} of the notes beside the nodes: what is right, or the probability.

    What is right is always written, if need be across an edge; the other only where it is clear.
    """
    points = along(seen.tree, xy)
    taken = [(x - DISC, y - DISC, x + DISC, y + DISC) for x, y in xy[seen.asked]]
    for token, (x, y) in zip(seen.tokens, xy, strict=False):
        half = 4 if isinstance(token, int) else TOKEN / 2
        taken.append((x - half, y - 16, x + half, y - 4))
    notes = {}
    for node in [*seen.wrong[::-1], *np.setdiff1d(seen.asked, seen.wrong)[::-1]]:
        off = node in seen.wrong
        text = f"not {seen.values[node]}" if off else f"{seen.y_hat[node].max():.0%}"
        places = list(_beside(*xy[node], NOTES[off], node in seen.tree.left))
        free = [place for place in places if is_clear(place[0], boxes=taken, points=points[:0])]
        clear = [place for place in free if is_clear(place[0], boxes=taken, points=points)]
        box, note = (clear or free or places)[0]
        notes[node] = note | {"text": text if clear or off else ""}
        if clear or off:
            taken.append(box)
    return notes


def _beside(x, y, wide, left):
    """Pairs (box, note) of places for a note, the best first: away from the edge that leads up."""
    sides = ("right", "left") if left else ("left", "right")
    for up, ha in itertools.product((4, 9, -2, -8), sides):
        start = x + 13 if ha == "left" else x - 13 - wide
        yield ((start, y + up - 5, start + wide, y + up + 5),
               {"x": x + 13 if ha == "left" else x - 13, "y": y + up, "ha": ha})


def _sentence(seen, expression, updates, asked):
    root, count = seen.asked[-1], len(seen.asked)
    good = seen.said[root] == seen.values[root]
    says = (f"After {updates:,} updates, asked for {asked}, the network says {seen.said[root]} for "
            f"{expression}, with probability {seen.y_hat[root, seen.said[root]]:.0%}: "
            f"{'right' if good else f'wrong, it is {seen.values[root]}'}.")
    if not len(seen.wrong):
        return f"{says} All {count} sub-expressions are right." if count > 1 else says
    source = seen.sources[0]
    part = tasks.write_expression(seen.parts[source])
    began = f"{part} gives {seen.values[source]}, and it says {seen.said[source]}"
    many = f"{len(seen.wrong)} of {count} answers {'is' if len(seen.wrong) == 1 else 'are'} wrong"
    if good:
        how = "hidden further up" if seen.follows else "yet the root is right"
        return f"{says} {many}, {how}: {began}."
    return f"{says} {many}; {'the error begins where' if seen.follows else 'the lowest:'} {began}."
