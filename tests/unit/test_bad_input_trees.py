"""Malformed trees, and malformed calls of the recursive networks on them."""

from dataclasses import replace

import numpy as np
import pytest
from bad_input import (
    CELL,
    NAMES,
    NOT_NUMBERS,
    POSITIVE,
    RNG,
    SEEDS,
    SHARED,
    SIZES,
    TRACE,
    XS,
    family,
    holding,
    refused,
    rows,
)

from rnnlib import forward, trees
from rnnlib.trees import RecursiveCell, Tree

TREE, RECURSIVE = Tree.balanced(5), RecursiveCell.init(3, 4, rng=RNG)
LEAVES, TREE_DHS = RNG.normal(size=(5, 3)), np.zeros((9, 4))
TREE_TRACE = trees.forward(RECURSIVE, TREE, LEAVES)
TREE_DTRACE, _ = trees.backward(RECURSIVE, TREE_TRACE, TREE_DHS)
SHARED += [TREE, RECURSIVE, LEAVES, TREE_DHS, TREE_TRACE, TREE_DTRACE]

CALLS = family([
    ("leaves", lambda v: Tree(v, [], [])),
    ("leaves", lambda v: Tree.chain(v)),
    ("leaves", lambda v: Tree.balanced(v)),
    ("leaves", lambda v: Tree.right_branching(v)),
    ("input_size", lambda v: RecursiveCell.init(v, 4, rng=RNG)),
    ("hidden_size", lambda v: RecursiveCell.init(3, v, rng=RNG)),
], SIZES)
CALLS += family([("rng", lambda v: RecursiveCell.init(3, 4, rng=v))], SEEDS)
CALLS += family([("gain", lambda v: RecursiveCell.init(3, 4, gain=v, rng=RNG))], POSITIVE)
CALLS += family([
    ("activation", lambda v: RecursiveCell.init(3, 4, activation=v, rng=RNG)),
    ("activation", lambda v: replace(RECURSIVE, activation=v)),
    ("start", lambda v: RecursiveCell.init(3, 4, start=v, rng=RNG)),
], NAMES | {"sigmoid": ("sigmoid", ValueError)})
CALLS += family([
    ("xs", lambda v: trees.forward(RECURSIVE, TREE, v)),
    ("dhs", lambda v: trees.backward(RECURSIVE, TREE_TRACE, v)),
], NOT_NUMBERS)
CALLS += [
    (name, lambda name=name, value=value: replace(RECURSIVE, **{name: value}), kind,
     f"replace(RECURSIVE) with {what}")
    for name in RECURSIVE.SHAPES
    for what, (value, kind) in {
        "NaN": (holding(np.nan, getattr(RECURSIVE, name)), ValueError), "None": (None, TypeError),
        "booleans": (getattr(RECURSIVE, name) > 0, TypeError), "a number": (0.0, ValueError),
        "an axis more": (getattr(RECURSIVE, name)[None], ValueError),
        "another size": (np.ones((3, 7, 7)), ValueError),
    }.items()
]
CALLS += [  # the shape of a tree
    ("left", lambda: Tree(2, [0.0], [1]), TypeError),
    ("left", lambda: Tree(2, [-1], [1]), ValueError),
    ("left", lambda: Tree(2, [2**40], [1]), ValueError),
    ("left", lambda: Tree(2, None, [1]), TypeError),
    ("left", lambda: Tree(2, 0, [1]), ValueError),
    ("left", lambda: Tree(2, "0", [1]), TypeError),
    ("left", lambda: Tree(2, [[0]], [[1]]), ValueError),
    ("right", lambda: Tree(2, [0], [1, 1]), ValueError),
    ("right", lambda: Tree(2, [0], [True]), TypeError),
    ("right", lambda: Tree(2, [0], []), ValueError),
    ("left, right", lambda: Tree(2, [0], [2]), ValueError),             # its own child
    ("left, right", lambda: Tree(3, [0, 2], [4, 1]), ValueError),
    ("left, right", lambda: Tree(2, [0, 0], [1, 1]), ValueError),       # two parents
    ("left, right", lambda: Tree(2, [0], [0]), ValueError),
    ("left, right", lambda: Tree(2, [1], [0]), ValueError),
    ("left, right", lambda: Tree(300, list(range(298, -1, -1)), [299] * 299), ValueError),
    ("nested", lambda: Tree.from_nested(()), ValueError),
    ("nested", lambda: Tree.from_nested(("a",)), ValueError),
    ("nested", lambda: Tree.from_nested((("a", "b", "c"), "d")), ValueError),
    ("nested", lambda: Tree.from_nested(["a", "b"]), ValueError),
    ("nested", lambda: Tree.from_nested(("a", ["b", "c"])), ValueError),
    ("trees", lambda: Tree.forest([]), ValueError),
    ("trees", lambda: Tree.forest(TREE), TypeError),
    ("trees[1]", lambda: Tree.forest([TREE, ("a", "b")]), TypeError),
    ("leaves", lambda: TREE.fold("abcd", max), ValueError),
    ("leaves", lambda: TREE.fold(5, max), TypeError),
]
CALLS += [  # the passes
    ("cell", lambda: trees.forward(CELL, TREE, LEAVES), TypeError),
    ("cell", lambda: trees.forward(RecursiveCell, TREE, LEAVES), TypeError),
    ("cell", lambda: trees.backward(CELL, TREE_TRACE, TREE_DHS), TypeError),
    ("cell", lambda: forward(RECURSIVE, LEAVES[None]), TypeError),
    ("tree", lambda: trees.forward(RECURSIVE, (0, 1), LEAVES), TypeError),
    ("tree", lambda: trees.forward(RECURSIVE, None, LEAVES), TypeError),
    ("xs", lambda: trees.forward(RECURSIVE, TREE, LEAVES[1:]), ValueError),
    ("xs", lambda: trees.forward(RECURSIVE, TREE, LEAVES[:, 1:]), ValueError),
    ("xs", lambda: trees.forward(RECURSIVE, TREE, LEAVES[None]), ValueError),
    ("trace", lambda: trees.backward(RECURSIVE, TRACE, TREE_DHS), TypeError),
    ("trace", lambda: trees.backward(RECURSIVE, None, TREE_DHS), TypeError),
    ("trace", lambda: trees.backward(replace(RECURSIVE), TREE_TRACE, TREE_DHS), ValueError),
    ("trace", lambda: trees.backward(RECURSIVE, TREE_DTRACE, TREE_DHS), ValueError),
    ("dhs", lambda: trees.backward(RECURSIVE, TREE_TRACE, TREE_DHS[:1]), ValueError),
    ("dhs", lambda: trees.backward(RECURSIVE, TREE_TRACE, TREE_DHS[:, 1:]), ValueError),
    ("dhs", lambda: trees.backward(RECURSIVE, TREE_TRACE, XS), ValueError),
    ("W_l", lambda: replace(RECURSIVE, W_l=RECURSIVE.W_l[:3]), ValueError),
    ("b_x", lambda: replace(RECURSIVE, b_x=RECURSIVE.b_x[1:]), ValueError),
]


@pytest.mark.parametrize(("name", "call", "kind"), rows(CALLS))
def test_a_malformed_call_is_refused_by_name_and_changes_nothing(name, call, kind):
    refused(name, call, kind)
