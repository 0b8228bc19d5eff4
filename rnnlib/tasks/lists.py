"""Nested list operations: expressions over digits, as binary trees, with their values.

    (max 3 (min 7 (sum 2 9)))

Every operation takes two arguments, each a digit or an expression, and gives a digit: the larger,
the smaller, the sum modulo 10, the first, the last. As a tree of pairs this is

    ("max", (3, ("min", (7, ("sum", (2, 9))))))

whose leaves, in reading order, are the tokens max 3 min 7 sum 2 9. Because every operation takes
two arguments, these mean one thing only even without brackets, so a chain can read what a tree can.

Source of the idea: Nangia and Bowman 2018, ListOps, where operations take up to five arguments.
"""

import numpy as np

from rnnlib import checks
from rnnlib.tasks.batch import padded
from rnnlib.tasks.letters import one_hot

_GIVES = {
    "max": max,
    "min": min,
    "sum": lambda a, b: (a + b) % 10,
    "first": lambda a, b: a,
    "last": lambda a, b: b,
}
#: The operations, and every token: a token's place in TOKENS is its class, a digit's the digit.
OPERATIONS = tuple(_GIVES)
TOKENS = (*range(10), *OPERATIONS)

_DEEPEST = {"any": 30, "left": 200, "right": 200, "balanced": 16}  # balanced: 131,071 tokens


def draw_expression(depth, *, shape="any", operations=("max", "min", "sum"), rng=0):
    """Draw an expression with operations nested `depth` deep; depth 0 is a digit.

    shape: "left" or "right", the first or the last argument is nested, the other one a digit;
    "balanced", both are nested equally deep; "any", one of the two, by a coin, is as deep as it can
    be, and the other of any depth from 0 up to that. Depth at most 30 ("any"), 16 ("balanced"),
    200. Digits and operations are drawn uniformly.
    """
    shape = checks.choice("shape", shape, tuple(_DEEPEST))
    depth = checks.whole("depth", depth, least=0)
    if depth > _DEEPEST[shape]:
        raise ValueError(f"depth: expected at most {_DEEPEST[shape]} for {shape!r}, got {depth}")
    checks.instance("operations", operations, (tuple, list), "a tuple or list of operations")
    operations = [checks.choice("operations", name, OPERATIONS) for name in operations]
    if not operations:
        raise ValueError("operations: expected at least one operation, got none")
    return _draw(depth, shape, operations, checks.generator("rng", rng))


def _draw(depth, shape, operations, rng):
    if depth == 0:
        return int(rng.integers(10))
    operation = operations[rng.integers(len(operations))]
    depths = {"left": (depth - 1, 0), "right": (0, depth - 1)}.get(shape, (depth - 1, depth - 1))
    if shape == "any":
        depths = rng.permutation([depth - 1, rng.integers(depth)]).tolist()
    left, right = (_draw(part, shape, operations, rng) for part in depths)
    return (operation, (left, right))


def tokens_of(expression):
    """The leaves of a tree of pairs in reading order, as a list."""
    found, waiting = [], [expression]
    while waiting:
        tree = waiting.pop()
        if isinstance(tree, tuple):
            waiting += reversed(tree)
        else:
            found.append(tree)
    return found


def evaluate(expression):
    """The value, 0 .. 9, of an expression. Raises ValueError if it is not one."""
    return _fold(expression, lambda operation, left, right: _GIVES[operation](left, right))


def write_expression(expression):
    """An expression with brackets: ("max", (3, 7)) becomes "(max 3 7)"."""
    return str(_fold(expression, lambda operation, left, right: f"({operation} {left} {right})"))


def read_expression(text):
    """The expression that a text writes: "(max 3 7)", or with no brackets at all, "max 3 7"."""
    text = checks.instance("text", text, str, "an expression such as (max 3 7)")
    words = text.replace("(", " ").replace(")", " ").split()
    found = [int(word) if word in map(str, range(10)) else word for word in words]
    expression = _from_tokens(found, _pair, text, "text")
    if {"(", ")"} & set(text) and text.split() != write_expression(expression).split():
        raise ValueError(f"text: expected brackets around each operation, got {checks.came(text)}")
    return expression


def _pair(operation, left, right):
    return (operation, (left, right))


def _fold(expression, combine):
    """combine(operation, left, right) at every operation, from the digits up."""
    found = tokens_of(expression)
    if _from_tokens(found, _pair, expression) != expression:
        got = checks.came(expression)
        raise ValueError(f"expression: expected (operation, (left, right)), got {got}")
    return _from_tokens(found, combine, expression)


def _from_tokens(found, combine, given, name="expression"):
    """Read from the last token to the first: an operation takes the two values read before it."""
    values = []
    for token in reversed(found):
        if isinstance(token, str) and token in _GIVES and len(values) >= 2:
            values.append(combine(token, values.pop(), values.pop()))
        elif type(token) is int and 0 <= token <= 9:
            values.append(token)
        else:
            values.clear()
            break
    if len(values) != 1:
        got = checks.came(given)
        raise ValueError(f"{name}: expected operations on two arguments each, got {got}")
    return values[0]


def expressions(batch_size, depth, *, shape="any", operations=("max", "min", "sum"), rng=0):
    """Draw a batch of expressions: (trees, batch).

    trees: a tuple of B nested pairs, for a network on trees. batch: their tokens for one that reads
    a chain, xs (T, B, 15) one-hot over TOKENS, lengths if they differ; targets (1, B), the values.
    Values are not equally likely: `max` makes large ones. What guessing can reach is the share of
    the commonest.
    """
    batch_size, rng = checks.whole("batch_size", batch_size), checks.generator("rng", rng)
    trees = tuple(
        draw_expression(depth, shape=shape, operations=operations, rng=rng)
        for _ in range(batch_size)
    )
    classes = [[TOKENS.index(token) for token in tokens_of(tree)] for tree in trees]
    lengths = np.array([len(row) for row in classes])
    codes = np.array([row + [0] * (lengths.max() - len(row)) for row in classes]).T
    targets = np.array([[evaluate(tree) for tree in trees]])
    return trees, padded(one_hot(codes, len(TOKENS)), targets, lengths)
