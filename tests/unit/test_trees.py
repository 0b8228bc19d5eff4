"""Recursive networks: the shapes of trees, and every gradient at every node."""

from dataclasses import FrozenInstanceError, replace
from math import ceil, log2

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from references import NUMPY, TORCH, central_differences, relative_error
from tree_cases import at_roots, cases, nested_pairs, recursion, run, seeds

import rnnlib
from rnnlib import OutputLayer, RNNCell, losses, optim, train, trees
from rnnlib.trees import RecursiveCell, Tree, TreeTrace, backward, forward

SHAPES = {"chain": Tree.chain, "right_branching": Tree.right_branching, "balanced": Tree.balanced}
PAIR = lambda left, right: (left, right)  # noqa: E731


def assert_same(cell, other):
    for name, value in cell.fields().items():
        assert relative_error(getattr(other, name), value) < 1e-12, name


def test_a_small_tree_by_hand():
    tree, words = Tree.from_nested((("the", "cat"), ("sleeps", ("all", "day"))))
    assert words == ["the", "cat", "sleeps", "all", "day"]
    assert (tree.leaves, tree.nodes, tree.roots.tolist()) == (5, 9, [8])
    assert tree.children.tolist() == [[0, 1], [3, 4], [2, 6], [5, 7]]
    assert tree.depth.tolist() == [2, 2, 2, 3, 3, 1, 2, 1, 0]
    assert tree.height.tolist() == [0, 0, 0, 0, 0, 1, 1, 2, 3]
    assert [level.tolist() for level in tree.levels] == [[5, 6], [7], [8]]
    assert tree.span[5:].tolist() == [[0, 1], [3, 4], [2, 4], [0, 4]]
    assert repr(tree) == "Tree(leaves=5, left (4,), right (4,))"


@given(nested_pairs)
def test_nested_pairs_and_back(nested):
    tree, values = Tree.from_nested(nested)
    assert tree.fold(values, PAIR)[tree.roots[0]] == nested


@pytest.mark.parametrize("n", [*range(1, 201), 5000])  # more than Python's functions may nest
def test_the_depth_of_each_shape(n):
    assert Tree.chain(n).depth.max() == n - 1
    assert Tree.right_branching(n).depth.max() == n - 1
    balanced = Tree.balanced(n)
    assert balanced.depth.max() == ceil(log2(n)) == len(balanced.levels) == balanced.height.max()
    assert np.ptp(balanced.depth[:n]) <= 1  # no leaf is more than one step ahead of another
    assert Tree.chain(n).depth[:n].tolist() == [n - 1, *range(n - 1, 0, -1)][:n]


def test_the_three_shapes_as_a_forest():
    """Its roots are in the order of its trees, though the leaf "h" has an earlier number."""
    forest = Tree.forest([Tree.chain(4), Tree.right_branching(3), Tree.chain(1), Tree.balanced(4)])
    written = forest.fold("abcdefghijkl", PAIR)
    expected = ((("a", "b"), "c"), "d"), ("e", ("f", "g")), "h", (("i", "j"), ("k", "l"))
    assert tuple(written[root] for root in forest.roots) == expected
    assert forest.depth[forest.roots].tolist() == [0, 0, 0, 0]
    assert Tree.forest(tree for tree in [forest, forest]).roots.shape == (8,)


def test_a_tree_never_changes():
    left = np.array([0, 3])
    tree = Tree(3, left, [1, 2])
    left[0] = 2
    assert tree.left.tolist() == [0, 3]
    derived = [tree.children, tree.depth, tree.height, tree.span, tree.roots, *tree.levels]
    for array in [tree.left, tree.right, *derived]:
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0
    with pytest.raises(FrozenInstanceError):
        tree.leaves = 4
    assert tree.depth is tree.depth  # found once


@pytest.mark.parametrize(("left", "right", "words"), [
    ([0], [2], "children before parents"),  # its own child: a cycle
    ([0, 3], [1, 3], "one parent for a node"),
    ([0, 3], [2, 1], "neighbours in reading"),
])
def test_what_is_no_tree_is_refused(left, right, words):
    with pytest.raises(ValueError, match=f"^left, right: expected {words}, got "):
        Tree(2 if len(left) == 1 else 3, left, right)


@given(cases())
def test_everything_against_differences(case):
    """dtrace.f[j] is the total derivative: what L does when f of node j alone is nudged."""
    cell, tree, xs, dhs = case
    trace, dtrace, dcell = run(*case)
    assume(cell.activation != "relu" or np.abs(trace.a).min() > 5e-3)  # far from the kinks
    p, none = cell.fields(), np.zeros_like(dhs)

    def loss(xs=xs, a=none, h=none, **changed):
        nudges = {"a": a, "h": h}
        hs = recursion(cell, NUMPY, p | changed, tree, xs, lambda f, j, v: v + nudges[f][j])
        return np.sum(dhs * hs)

    arguments = {"xs": (xs, dtrace.x), "a": (none, dtrace.a), "h": (none, dtrace.h)}
    arguments |= {name: (value, getattr(dcell, name)) for name, value in p.items()}
    for name, (value, gradient) in arguments.items():
        differences = central_differences(lambda v: loss(**{name: v}), value)  # noqa: B023
        assert relative_error(gradient, differences) < 1e-8, name


@given(cases())
def test_everything_against_torch(case):
    cell, tree, xs, dhs = case
    trace, dtrace, dcell = run(*case)
    x, inner = torch.tensor(xs, requires_grad=True), {"a": {}, "h": {}}
    p = {name: torch.tensor(v, requires_grad=True) for name, v in cell.fields().items()}

    def note(name, node, value):
        value.retain_grad()
        inner[name][node] = value
        return value

    hs = recursion(cell, TORCH, p, tree, x, note)
    (torch.stack(hs) * torch.tensor(dhs)).sum().backward()
    assert relative_error(dtrace.x, x.grad.numpy()) < 1e-10
    for name, values in inner.items():
        values = [values[node] for node in range(tree.nodes)]
        expected, dexpected = (torch.stack(v) for v in (values, [v.grad for v in values]))
        assert relative_error(getattr(trace, name), expected.detach().numpy()) < 1e-12, name
        assert relative_error(getattr(dtrace, name), dexpected.numpy()) < 1e-10, name
    for name, value in p.items():
        met = value.grad is not None  # a forest of single leaves never meets W_l, W_r and b
        expected = value.grad.numpy() if met else np.zeros(value.shape)
        assert relative_error(getattr(dcell, name), expected) < 1e-10, name


@given(st.lists(nested_pairs, min_size=1, max_size=4), seeds)
def test_a_forest_equals_its_trees_one_by_one(many, seed):
    rng = np.random.default_rng(seed)
    alone = [Tree.from_nested(nested)[0] for nested in many]
    forest, cell = Tree.forest(alone), RecursiveCell.init(2, 3, rng=rng)
    xs, dhs = rng.normal(size=(forest.leaves, 2)), rng.normal(size=(forest.nodes, 3))
    trace, dtrace, dcell = run(cell, forest, xs, dhs)
    first, last, inner, parts = *forest.span[forest.roots].T, forest.leaves, []
    for k, tree in enumerate(alone):
        leaves = np.arange(first[k], last[k] + 1)
        nodes = np.concatenate([leaves, np.arange(inner, inner + len(tree.left))])
        inner += len(tree.left)
        one, done, dpart = run(cell, tree, xs[leaves], dhs[nodes])
        assert relative_error(trace.root[k], one.root[0]) < 1e-13
        assert relative_error(trace.h[nodes], one.h) < 1e-13
        assert relative_error(dtrace.h[nodes], done.h) < 1e-13
        assert relative_error(dtrace.x[leaves], done.x) < 1e-13
        parts.append(dpart)
    total = {name: sum(getattr(part, name) for part in parts) for name in cell.SHAPES}
    assert_same(dcell, dcell.gradient(**total))


@given(cases(), seeds)
def test_the_order_of_independent_nodes_changes_nothing(case, seed):
    """Inner nodes numbered anew, in any order that keeps children before their parents."""
    cell, tree, xs, dhs = case
    rng, new = np.random.default_rng(seed), {leaf: leaf for leaf in range(tree.leaves)}
    while len(new) < tree.nodes:
        node = rng.integers(tree.leaves, tree.nodes)
        if node not in new and new.keys() >= set(tree.children[node - tree.leaves]):
            new[node] = len(new)
    old = np.array(sorted(new, key=new.get))
    pairs = [[new[child] for child in tree.children[j - tree.leaves]] for j in old[tree.leaves :]]
    other = Tree(tree.leaves, *np.array(pairs, int).reshape(-1, 2).T)
    trace, dtrace, dcell = run(*case)
    trace_new, dtrace_new, dcell_new = run(cell, other, xs, dhs[old])
    assert relative_error(trace_new.root, trace.root) < 1e-13
    assert relative_error(trace_new.h, trace.h[old]) < 1e-13
    assert relative_error(dtrace_new.h, dtrace.h[old]) < 1e-13
    assert_same(dcell, dcell_new)


def test_float32_in_float32_out_and_a_gradient_of_the_same_type():
    cell, tree = RecursiveCell.init(2, 3, activation="relu"), Tree.balanced(5)
    single = run(cell, tree, np.ones((5, 2), np.float32), np.ones((9, 3)))
    double = run(cell, tree, np.ones((5, 2)), np.ones((9, 3)))
    for (trace, dtrace, dcell), dtype in ((single, np.float32), (double, np.float64)):
        assert type(trace) is type(dtrace) is TreeTrace
        assert (trace.cell, trace.tree, dtrace.cell, dtrace.tree) == (cell, tree, dcell, tree)
        assert (type(dcell), dcell.activation) == (RecursiveCell, "relu")
        arrays = [array for record in (trace, dtrace, dcell) for array in record.fields().values()]
        assert {array.dtype for array in arrays} == {np.dtype(dtype)}
    np.testing.assert_allclose(single[1].x, double[1].x, rtol=1e-4)


def test_one_product_for_each_height_of_the_whole_forest(monkeypatch):
    rows, affine = [], trees.affine
    seen = lambda v, *M, **out: rows.append(len(v)) or affine(v, *M, **out)  # noqa: E731
    monkeypatch.setattr(trees, "affine", seen)
    forest = Tree.forest([Tree.balanced(8)] * 5 + [Tree.chain(1)])
    cell = RecursiveCell.init(2, 3)
    trace = forward(cell, forest, np.zeros((forest.leaves, 2)))
    assert rows == [41, 20, 10, 5]
    backward(cell, trace, np.zeros_like(trace.h))
    assert rows[4:] == [5, 10, 20, 41]


@pytest.mark.parametrize("activation", ["tanh", "relu", "identity"])
@pytest.mark.parametrize("shape", ["chain", "right_branching"])
def test_a_chain_is_a_recurrent_network(shape, activation):
    """W_l is its W, W_r its U (or the reverse); it starts from one end's leaf, reads the others."""
    rng, n = np.random.default_rng(3), 7
    cell, tree = RecursiveCell.init(2, 4, activation=activation, rng=rng), SHAPES[shape](n)
    dhs = np.concatenate([np.zeros((n, 4)), rng.normal(size=(n - 1, 4))])
    trace, dtrace, dcell = run(cell, tree, rng.normal(size=(n, 2)), dhs)
    reads, carry, read = np.arange(n), "W_l", "W_r"
    if shape == "right_branching":
        reads, carry, read = reads[::-1], read, carry
    rnn = RNNCell(getattr(cell, read), getattr(cell, carry), cell.b, activation)
    leaf = trace.h[reads][:, None]
    rnn_trace = rnnlib.forward(rnn, leaf[1:], leaf[0])
    np.testing.assert_allclose(rnn_trace.h[:, 0], trace.h[n:], rtol=1e-12)
    drnn_trace, drnn = rnnlib.backward(rnn, rnn_trace, dhs[n:, None])
    assert relative_error(drnn_trace.h[:, 0], dtrace.h[n:]) < 1e-12
    assert relative_error(drnn_trace.x[:, 0], dtrace.h[reads[1:]]) < 1e-12
    assert relative_error(drnn_trace.state, dtrace.h[reads[:1]]) < 1e-12
    assert_same(replace(dcell, **{carry: drnn.W, read: drnn.U, "b": drnn.b}), dcell)


def test_with_linear_leaves_the_chain_reads_the_inputs_themselves():
    """U = I, b_x = 0, act = identity: no stage in between, x_0 is the initial state."""
    cell, xs = RecursiveCell.init(3, 3, activation="identity"), np.sin(np.arange(18)).reshape(6, 3)
    cell = replace(cell, U=np.eye(3), b_x=np.zeros(3))
    rnn = RNNCell(cell.W_r, cell.W_l, cell.b, "identity")
    expected = rnnlib.forward(rnn, xs[1:, None], xs[:1]).h[-1]
    np.testing.assert_allclose(forward(cell, Tree.chain(6), xs).root, expected, rtol=1e-12)


def leaf_gradients(cell, tree, xs, droot):
    """|dL/dh| of each leaf, for a loss that sends droot into the root."""
    _, dtrace, _ = run(cell, tree, xs, at_roots(tree, droot))
    return np.linalg.norm(dtrace.h[: tree.leaves], axis=1)


@pytest.mark.parametrize("shape", SHAPES)
def test_without_squashing_a_gradient_shrinks_by_the_same_factor_at_every_step(shape):
    cell = RecursiveCell.init(2, 6, activation="identity", start="orthogonal", gain=0.8)
    tree = SHAPES[shape](20)
    norms = leaf_gradients(cell, tree, np.ones((20, 2)), np.eye(6)[:1])
    np.testing.assert_allclose(norms, 0.8 ** tree.depth[:20], rtol=1e-10)


@pytest.mark.parametrize("seed", range(10))
def test_the_chain_starves_its_first_leaves_and_the_balanced_tree_none(seed):
    n, rng = 32, np.random.default_rng(seed)
    cell = RecursiveCell.init(4, 16, start="orthogonal", gain=0.8, rng=rng)
    xs, droot = rng.normal(size=(n, 4)), np.eye(16)[:1]
    chain, right, balanced = (leaf_gradients(cell, make(n), xs, droot) for make in SHAPES.values())
    for norms, make in ((chain, Tree.chain), (right, Tree.right_branching)):
        assert (norms <= 0.8 ** make(n).depth[:n]).all()
        assert norms.max() / norms.min() > 1e3
    assert chain[0] < 1e-3 * chain[-1]
    assert right[-1] < 1e-3 * right[0]
    assert balanced.max() / balanced.min() < 10
    assert balanced.min() > 100 * max(chain[0], right[-1])
    assert chain[-1] > balanced.max()  # the price: the chain's last leaf is one step from the root


def nand_batch(rng, most, count=48):
    """Trees of all shapes, bits at the leaves, and what they come to if a fork is "not both"."""
    makes = rng.choice([*SHAPES.values()], count)
    tree = Tree.forest(make(rng.integers(1, most + 1)) for make in makes)
    bits = rng.integers(0, 2, tree.leaves)
    values = tree.fold(bits.tolist(), lambda left, right: 1 - left * right)
    return tree, 2.0 * bits[:, None] - 1, np.array(values)[None, tree.roots]


def nand_loss(params, batch):
    cell, out = params
    tree, xs, targets = batch
    trace = forward(cell, tree, xs)
    hs = trace.root[None]                                           # (1, R, H): one step, R roots
    loss, dlogits = losses.softmax_cross_entropy(out.logits(hs), targets)
    dhs_root, dout = out.backward(hs, dlogits)
    return loss, (backward(cell, trace, at_roots(tree, dhs_root[0]))[1], dout)


def test_it_learns_an_operation_whose_value_depends_on_the_tree():
    """Trained on up to 5 leaves, it is right on up to 20, whichever way they are bracketed."""
    rng = np.random.default_rng(0)
    start = RecursiveCell.init(1, 8, rng=rng), OutputLayer.init(8, 2, rng=rng)
    batches = lambda step: nand_batch(rng, most=5)  # noqa: E731
    done = train.fit(start, nand_loss, batches, optim.Adam(0.02), steps=150, progress=False)
    assert done.losses[-1] < 0.05 < 0.5 < done.losses[0]
    cell, out = done.params

    def says(tree, xs):
        return out.logits(forward(cell, tree, xs).root[None]).argmax(axis=-1)

    tree, xs, targets = nand_batch(rng, most=20, count=500)
    assert np.mean(says(tree, xs) == targets) > 0.98
    assert says(Tree.chain(3), [[1], [1], [-1]]) == 1               # not(not(1 and 1) and 0)
    assert says(Tree.right_branching(3), [[1], [1], [-1]]) == 0     # not(1 and not(1 and 0))
