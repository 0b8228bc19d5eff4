"""Nested list operations: a second evaluator, reading back, what is refused, how values spread."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tasks import seeds

from rnnlib import tasks


def value(tree):
    """A plain recursive evaluator."""
    if not isinstance(tree, tuple):
        return tree
    a, b = map(value, tree[1])
    return {"max": max(a, b), "min": min(a, b), "sum": (a + b) % 10, "first": a, "last": b}[tree[0]]


def depth_of(tree):
    return 1 + max(map(depth_of, tree[1])) if isinstance(tree, tuple) else 0


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 6), st.sampled_from(["any", "left", "right", "balanced"]), seeds)
def test_expressions_are_as_deep_as_asked_and_read_back(depth, shape, seed):
    tree = tasks.draw_expression(depth, shape=shape, operations=tasks.OPERATIONS, rng=seed)
    leaves = tasks.tokens_of(tree)
    assert depth_of(tree) == depth and tasks.evaluate(tree) == value(tree)
    text = tasks.write_expression(tree)
    assert tasks.read_expression(text) == tree
    assert tasks.read_expression(" ".join(map(str, leaves))) == tree  # brackets say nothing new
    assert text.replace("(", "").replace(")", "").split() == [str(leaf) for leaf in leaves]
    operations = sum(isinstance(leaf, str) for leaf in leaves)
    assert len(leaves) == 2 * operations + 1
    assert shape == "any" or operations == (2**depth - 1 if shape == "balanced" else depth)


def test_shapes_lean_the_way_they_say():
    left, right = (tasks.draw_expression(9, shape=s, rng=1) for s in ("left", "right"))
    assert tasks.tokens_of(left)[:9] == [t for t in tasks.tokens_of(left) if isinstance(t, str)]
    assert all(isinstance(t, str) for t in tasks.tokens_of(right)[0:18:2])
    deep = tasks.draw_expression(200, shape="left", rng=2)
    assert 0 <= tasks.evaluate(deep) <= 9 and tasks.read_expression(
        tasks.write_expression(deep)) == deep


def test_the_example_of_the_chapter():
    tree = ("max", (3, ("min", (7, ("sum", (2, 9))))))
    assert tasks.evaluate(tree) == 3 and tasks.write_expression(tree) == "(max 3 (min 7 (sum 2 9)))"
    assert tasks.tokens_of(tree) == ["max", 3, "min", 7, "sum", 2, 9]
    assert tasks.evaluate(("sum", (7, 8))) == 5 and tasks.evaluate(4) == 4
    assert [tasks.evaluate((name, (2, 6))) for name in ("first", "last")] == [2, 6]


@pytest.mark.parametrize("tree", [
    "max", ("max", 3), ("max", (3, 4, 5)), ("med", (3, 4)), ("max", (3, 10)), ("max", (3, True)),
    ("max", (3, 2.0)), (("max", 3), 4), (3, 4), (), ("max", [3, 4]), None,
])
def test_what_is_no_expression_is_refused(tree):
    for use in (tasks.evaluate, tasks.write_expression):
        with pytest.raises(ValueError, match="expression: expected"):
            use(tree)


@pytest.mark.parametrize("text", ["", "max", "max 3", "3 4", "max 3 12", "(max 3 7", "max 3 7)",
                                  "(max (3 7))", "((max 3 7))", "max 3 x"])
def test_text_that_is_no_expression_is_refused(text):
    with pytest.raises(ValueError, match="expected"):
        tasks.read_expression(text)


def test_a_batch_of_expressions_spells_its_trees():
    trees, batch = tasks.expressions(60, 3, rng=4)
    lengths = batch.lengths
    for b, tree in enumerate(trees):
        classes = batch.xs[: lengths[b], b].argmax(axis=-1)
        assert [tasks.TOKENS[i] for i in classes] == tasks.tokens_of(tree)
        assert batch.targets[0, b] == value(tree)
    assert tasks.TOKENS[:10] == tuple(range(10)) and batch.xs.shape[2] == 15


def test_sums_are_even_and_maxima_are_not():
    _, sums = tasks.expressions(3000, 2, shape="balanced", operations=("sum",), rng=5)
    _, large = tasks.expressions(3000, 2, shape="balanced", operations=("max",), rng=5)
    shares = np.bincount(sums.targets[0], minlength=10) / 3000
    np.testing.assert_allclose(shares, 0.1, atol=5 * np.sqrt(0.09 / 3000))
    assert (large.targets[0] == 9).mean() == pytest.approx(1 - 0.9**4, abs=0.045)


@pytest.mark.parametrize("name, call, error", [
    ("depth", lambda: tasks.draw_expression(-1), ValueError),
    ("depth", lambda: tasks.draw_expression(17, shape="balanced"), ValueError),
    ("depth", lambda: tasks.draw_expression(31), ValueError),
    ("shape", lambda: tasks.draw_expression(2, shape="round"), ValueError),
    ("operations", lambda: tasks.draw_expression(2, operations=()), ValueError),
    ("operations", lambda: tasks.draw_expression(2, operations="max"), TypeError),
    ("operations", lambda: tasks.draw_expression(2, operations=("med",)), ValueError),
    ("batch_size", lambda: tasks.expressions(0, 2), ValueError),
    ("text", lambda: tasks.read_expression(7), TypeError),
])
def test_bad_arguments_are_named(name, call, error):
    with pytest.raises(error, match=f"^{name}: expected"):
        call()
