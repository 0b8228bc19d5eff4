"""Chapter 9's three shapes: leaf gradients against Jacobians multiplied out, and the drawing."""

import gzip
import importlib
from itertools import pairwise

import numpy as np
import pytest

from rnnlib.trees import Tree, forward
from rnnlib.widgets.tree_shapes import (
    DECADE,
    FLOOR,
    GAINS,
    HIGHEST,
    LEAVES,
    LEVEL,
    LOWEST,
    ONE,
    ROOT,
    SEEDS,
    SHAPES,
    leaf_norms,
    mean_norms,
    network,
    number,
)

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.tree_shapes")
CHAIN = {"shape": "chain", "leaves": 32, "gain": 0.7}


@pytest.fixture(scope="module")
def figure():
    return module.tree_shapes()


def shown(figure, **values):
    text, _ = figure.frame(values)
    return text, figure.scene.artists


def multiplied_out(tree, gain, seed):
    """‖dL/dh_j‖ of each leaf: the Jacobians on its way from the root, one after the other."""
    cell, xs, dhs = network(tree, gain, seed)
    h, found = forward(cell, tree, xs).h, {}
    todo = [(int(tree.roots[0]), dhs[tree.roots[0]])]
    while todo:
        node, dh = todo.pop()
        if node < tree.leaves:
            found[node] = np.linalg.norm(dh)
            continue
        da = (1 - h[node] ** 2) * dh
        left, right = tree.children[node - tree.leaves]
        todo += [(int(left), cell.W_l.T @ da), (int(right), cell.W_r.T @ da)]
    return [found[leaf] for leaf in range(tree.leaves)]


# --- numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("leaves", "gain"), [(2, 1), (5, 4), (32, 0.7)])
def test_the_norms_are_those_of_the_jacobians_multiplied_out(shape, leaves, gain):
    tree = SHAPES[shape](leaves)
    each = [multiplied_out(tree, gain, seed) for seed in SEEDS]
    np.testing.assert_allclose(leaf_norms(tree, gain, 3), each[3], rtol=1e-10)
    mean = np.prod(np.power(each, 1 / len(SEEDS)), axis=0)
    np.testing.assert_allclose(mean_norms(shape, leaves, gain), mean, rtol=1e-10)


def test_the_network_is_the_one_described_and_the_same_for_every_shape():
    cells = []
    for make in SHAPES.values():
        tree = make(8)
        cell, xs, dhs = network(tree, 1.5, seed=5)
        cells.append((cell, xs))
        for W in (cell.W_l, cell.W_r):
            np.testing.assert_allclose(W @ W.T, 1.5**2 * np.eye(32), atol=1e-12)
        assert np.linalg.norm(dhs[tree.roots[0]]) == pytest.approx(1)
        assert np.count_nonzero(dhs.any(axis=1)) == 1 and cell.activation == "tanh"
    assert not np.allclose(cell.W_l, cell.W_r)
    for cell, xs in cells[1:]:
        assert all((p == q).all() for p, q in zip(cell.U, cells[0][0].U, strict=True))
        np.testing.assert_array_equal(cell.W_r, cells[0][0].W_r)
        np.testing.assert_array_equal(xs, cells[0][1])


def test_a_leaf_cannot_get_more_than_the_gain_to_its_depth():
    for make in SHAPES.values():  # |tanh'| <= 1 and W / gain keeps lengths
        tree = make(16)
        for gain in (0.7, 1):
            assert (leaf_norms(tree, gain) <= gain ** tree.depth[:16] * (1 + 1e-12)).all()


def test_the_chain_favours_the_end_right_branching_the_beginning_balanced_none():
    chain = mean_norms("chain", 32, 0.7)
    assert all(a < b for a, b in pairwise(chain[1:])) and chain[0] < 1e-5 < 0.5 < chain[-1] < 1
    right = mean_norms("right-branching", 32, 0.7)
    assert all(a > b for a, b in pairwise(right[:-1])) and right[-1] < 1e-5 < 0.5 < right[0]
    balanced = mean_norms("balanced", 32, 0.7)
    assert balanced.max() < 1.2 * balanced.min()
    assert 1e4 * chain[0] < balanced[0] < chain[-1]  # the price of the balance


# --- the drawing ------------------------------------------------------------------------------


def test_every_state_can_be_drawn_and_the_page_stays_light(figure):
    assert figure.drive() >= len(SHAPES)
    assert figure.states == len(SHAPES) * len(LEAVES) * len(GAINS) <= 600
    assert len(gzip.compress(figure.bake().encode())) < 70_000
    assert figure.scene.smallest_text() >= 9


@pytest.mark.parametrize("values", [
    CHAIN, {"shape": "balanced", "leaves": 11, "gain": 1.5},
    {"shape": "right-branching", "leaves": 32, "gain": 4},
    {"shape": "chain", "leaves": 2, "gain": 1},
])
def test_bars_are_the_norms_and_stand_under_their_leaves(figure, values):
    _, artists = shown(figure, **values)
    corners = artists["bars"].get_path().vertices.reshape(-1, 4, 2)
    norms = mean_norms(**values)
    decades = (corners[:, 1, 1] - FLOOR) / DECADE + LOWEST
    np.testing.assert_allclose(decades, np.log10(norms), atol=0.06 / DECADE)
    assert (corners[:, [0, 3], 1] == FLOOR).all()
    x, _ = artists["tree"]["leaves"].get_data()
    np.testing.assert_allclose(corners[:, :, 0].mean(axis=1), x, atol=1e-9)
    assert (np.diff(x) > corners[0, 2, 0] - corners[0, 0, 0]).all()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("leaves", LEAVES)
def test_a_leaf_hangs_as_low_as_it_is_deep_on_a_scale_that_the_shapes_share(figure, shape, leaves):
    _, artists = shown(figure, shape=shape, leaves=leaves)
    tree, (x, y) = SHAPES[shape](leaves), artists["tree"]["leaves"].get_data()
    level = min(150 / (leaves - 1), LEVEL)
    np.testing.assert_allclose(ROOT - y, level * tree.depth[:leaves], atol=0.06)
    assert (np.diff(x) > 0).all() and y.min() > FLOOR + (HIGHEST - LOWEST) * DECADE
    ends = artists["threads"].get_xydata().reshape(leaves, 3, 2)
    np.testing.assert_array_equal(ends[:, 0], np.stack([x, y], axis=1))
    tops = artists["bars"].get_path().vertices.reshape(-1, 4, 2)[:, 1, 1]
    np.testing.assert_array_equal(ends[:, 1, 1], tops)


def test_no_bar_leaves_the_chart():
    for shape in SHAPES:
        for leaves in LEAVES:
            for gain in (GAINS[0], GAINS[-1]):
                powers = np.log10(mean_norms(shape, leaves, gain))
                assert powers.min() > LOWEST and powers.max() < HIGHEST


def test_numbers_are_those_of_the_outer_leaves_and_clear_of_the_dashed_line(figure):
    for values in (CHAIN, CHAIN | {"shape": "balanced"}, CHAIN | {"gain": 1.5, "leaves": 5}):
        text, artists = shown(figure, **values)
        norms = mean_norms(**values)
        told = [number(norms[0]), number(norms[-1])]
        assert [label.get_text() for label in artists["numbers"]] == told
        assert f"{told[0]} of that at the root, at the last {told[1]}" in text
        assert f"W_l and W_r orthogonal matrices times {values['gain']:g}, the gradient" in text
        for label in artists["numbers"]:
            y = label.get_position()[1]
            assert y > ONE or y + 10 < ONE
        assert [name.get_text() for name in artists["names"]] == ["leaf 1", f"leaf {len(norms)}"]


def test_head_and_sentence_tell_the_depths(figure):
    text, artists = shown(figure, **CHAIN)
    assert artists["head"].get_text() == "Chain: 31 joins deep"
    assert "the first lies 31 joins below the root, the last 1." in text
    text, artists = shown(figure, shape="balanced", leaves=11, gain=1)
    assert artists["head"].get_text() == "Balanced: 4 joins deep"
    assert "the first lies 4 joins below the root, the last 3." in text
    text, artists = shown(figure, shape="right-branching", leaves=2)
    assert artists["head"].get_text() == "Right-branching: 1 join deep"
    assert "the first lies 1 join below the root, the last 1." in text


def test_presets_keep_their_promises(figure):
    names = {name.split(":")[0]: figure.opening | values for name, values in figure.presets.items()}
    assert figure.opening == CHAIN and len(names) == len(figure.presets) == 4
    loses = mean_norms(**names["Right-branching"])
    assert loses[-1] < 1e-5 < loses[0]
    five = names["Balanced"]
    assert "Balanced: every leaf five joins deep" in figure.presets
    assert five["leaves"] == 32 and (Tree.balanced(32).depth[:32] == 5).all()
    explodes = mean_norms(**names["Large weights"])
    less = mean_norms(**names["Large weights, balanced"])
    assert explodes.max() > 1e4 and less.max() < explodes.max() / 1000


def test_numbers_are_written_with_two_digits():
    given = (1, 0.657, 12.3, 0.0101, 2.71, 1.8e-6, 18_000, 100)
    told = ["1.0", "0.66", "12", "0.010", "2.7", "1.8·10⁻⁶", "1.8·10⁴", "1.0·10²"]
    assert [number(value) for value in given] == told
