"""How deep a tree is: exact means against all shapes counted, drawn trees and the figure."""

import gzip
import importlib
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import RendererAgg

from rnnlib.trees import Tree
from rnnlib.widgets.log_depth import (
    DISCS,
    DOUBLING,
    FLOOR,
    HEIGHT,
    KINDS,
    LEAVES,
    LEFT,
    MOST,
    OCTAVE,
    TREE,
    draw_tree,
    drawn,
    mean_depths,
    weights,
)

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.log_depth")
RANDOM = ("random shape", "random splits")


@pytest.fixture(scope="module")
def figure():
    return module.log_depth()


def shown(figure, **values):
    text, _ = figure.frame(values)
    return text, figure.scene.artists


def shapes(n, first=0):
    """Every binary tree of n leaves as nested pairs, with its probability under random splits."""
    if n == 1:
        return [(first, 1.0)]
    return [((left, right), p * q / (n - 1)) for k in range(1, n)
            for left, p in shapes(k, first) for right, q in shapes(n - k, first + k)]


def counted(kind, n):
    """{nested pairs: probability} of all shapes of n leaves."""
    every = shapes(n)
    return {tree: 1 / len(every) if kind == "random shape" else p for tree, p in every}


# --- numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", RANDOM)
@pytest.mark.parametrize("n", range(1, 9))
def test_mean_depths_are_those_of_all_shapes_counted(kind, n):
    chances = counted(kind, n)
    assert sum(chances.values()) == pytest.approx(1)
    mean = sum(p * Tree.from_nested(tree)[0].depth.max() for tree, p in chances.items())
    assert mean_depths(kind)[n - 1] == pytest.approx(mean, rel=1e-12, abs=1e-12)
    assert mean_depths(kind, 8)[n - 1] == pytest.approx(mean, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("kind", ["chain", "balanced"])
def test_depths_without_chance_are_those_of_the_trees(kind):
    n = [1, 2, 3, 4, 5, 31, 32, 33, 512, 513, 1023, 1024]
    assert mean_depths(kind)[np.subtract(n, 1)].tolist() == [
        getattr(Tree, kind)(leaves).depth.max() for leaves in n]


@pytest.mark.parametrize("kind", RANDOM)
def test_trees_are_drawn_as_often_as_they_should_be(kind):
    rng, draws, chances = np.random.default_rng(0), 4000, counted(kind, 5)
    seen = Counter(draw_tree(kind, 5, rng).fold(range(5), lambda a, b: (a, b))[-1]
                   for _ in range(draws))
    assert set(seen) == set(chances) and len(chances) == 14  # Catalan
    chi2 = sum((seen[tree] - draws * p) ** 2 / (draws * p) for tree, p in chances.items())
    assert chi2 < 34.5  # 13 degrees of freedom: p = 0.001


@pytest.mark.parametrize("kind", RANDOM)
def test_drawn_trees_are_on_average_as_deep_as_said(kind):
    rng = np.random.default_rng(1)
    depths = [draw_tree(kind, 64, rng).depth.max() for _ in range(300)]
    error = np.std(depths, ddof=1) / np.sqrt(len(depths))
    assert abs(np.mean(depths) - mean_depths(kind)[63]) < 3 * error < 1.2


def test_the_asymptotes_are_met_from_below():
    shape, splits = mean_depths("random shape"), mean_depths("random splits")
    assert 0.9 < shape[-1] / (2 * np.sqrt(np.pi * MOST)) < 1
    assert 0.6 < splits[-1] / (4.311 * np.log(MOST)) < 1
    assert 2 < shape[1023] / shape[255] < 2.2          # four times the leaves: a square root
    assert splits[1023] - splits[255] < 4 * np.log(4)  # and a logarithm


def test_weights_are_the_catalan_numbers():
    catalan = [1, 1, 2, 5, 14, 42]
    np.testing.assert_allclose(weights("random shape", 6)[1:] * 4.0 ** np.arange(6), catalan)


# --- the drawing ------------------------------------------------------------------------------


def test_every_state_can_be_drawn_and_the_page_stays_light(figure):
    assert figure.drive() >= len(KINDS)
    assert figure.states == len(KINDS) * len(LEAVES)
    assert len(gzip.compress(figure.bake().encode())) < 75_000
    assert figure.scene.smallest_text() >= 9


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("leaves", LEAVES)
def test_the_dot_the_head_and_the_names_tell_the_depths(figure, kind, leaves):
    text, artists = shown(figure, kind=kind, leaves=leaves)
    depth = int(drawn(kind, leaves).depth.max())
    (x,), (y,) = artists["dot"].get_data()
    assert 2 ** ((x - LEFT) / OCTAVE + 1) == pytest.approx(leaves, rel=0.002)
    assert 2 ** ((y - FLOOR) / DOUBLING) == pytest.approx(depth, rel=0.004)
    assert artists["head"].get_text().endswith(f": {depth:,} joins deep")
    assert f"{leaves:,} leaves: " in text and f"is {depth:,} joins deep" in text
    assert artists["above"].get_text() == f"mean depth at n = {leaves:,}"
    assert artists["this"].get_text() == f"this tree: {depth:,}"
    for name in KINDS:
        mean = float(artists["means"][name].get_text().replace(",", ""))
        assert abs(mean - mean_depths(name)[leaves - 1]) <= 0.0501
        assert artists["names"][name].get_text() == artists["kinds"][name].get_text() == name
        assert {artists[part][name].get_fontweight() for part in ("names", "kinds", "means")} == (
            {"bold" if name == kind else "normal"})
    (x, above), (low, high) = artists["guide"].get_data()
    assert x == above and low == FLOOR
    assert 2 ** ((high - FLOOR) / DOUBLING) == pytest.approx(leaves - 1, rel=0.004)


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_covers_another_nor_the_table_a_curve(figure, kind):
    renderer = RendererAgg(461, 366, 72)
    for leaves in LEAVES:
        _, artists = shown(figure, kind=kind, leaves=leaves)
        texts = [text for text in figure.scene.figure.axes[0].texts if text.get_text()]
        boxes = [text.get_window_extent(renderer) for text in texts]
        for (i, one), (j, other) in combinations(enumerate(boxes), 2):
            names = texts[i].get_text(), texts[j].get_text()
            assert min(one.x1, other.x1) <= max(one.x0, other.x0) or (
                min(one.y1, other.y1) <= max(one.y0, other.y0) + 2.5), names
        assert min(box.x0 for box in boxes) >= 0 and max(box.x1 for box in boxes) <= 461
        means = [artists["means"][name].get_window_extent(renderer) for name in KINDS]
        tree = artists["tree"]["leaves"].get_ydata()
        assert max(box.y1 for box in means) < np.min(tree)
        for box in means:
            n = min(2 ** ((box.x1 - LEFT) / OCTAVE + 1), MOST)
            assert box.y0 > FLOOR + DOUBLING * np.log2(n) + 2  # above the chain's curve


@pytest.mark.parametrize("kind", KINDS)
def test_the_bold_line_is_the_mean_depth(figure, kind):
    _, artists = shown(figure, kind=kind, leaves=64)
    x, y = artists["bold"].get_data()
    n = np.round(2 ** ((x - LEFT) / OCTAVE + 1)).astype(int)
    n[x > LEFT + 5.5 * OCTAVE] = 0  # a tenth of a unit is more than one leaf out there
    kept = n > 0
    np.testing.assert_allclose(
        2 ** ((y[kept] - FLOOR) / DOUBLING), mean_depths(kind)[n[kept] - 1], rtol=0.02)
    assert 2 ** ((y[-1] - FLOOR) / DOUBLING) == pytest.approx(mean_depths(kind)[-1], rel=0.004)
    assert x[0] == LEFT and y[0] == FLOOR


def test_the_tree_is_the_one_drawn_and_stays_in_its_box(figure):
    left, right, root, height = TREE
    for kind in KINDS:
        for leaves in LEAVES:
            _, artists = shown(figure, kind=kind, leaves=leaves)
            x, y = artists["tree"]["edges"].get_data()
            assert left <= np.nanmin(x) and np.nanmax(x) <= right
            assert root - height - 0.1 <= np.nanmin(y) and np.nanmax(y) == root < HEIGHT - 30
            assert artists["tree"]["nodes"].get_visible() == (leaves <= DISCS)
            depth = drawn(kind, leaves).depth
            steps = (root - artists["tree"]["leaves"].get_ydata()) / min(height / depth.max(), 24)
            np.testing.assert_allclose(steps, depth[:leaves], rtol=0, atol=0.6)


def test_presets_keep_their_promises(figure):
    of = {name: figure.opening | values for name, values in figure.presets.items()}
    assert all(values["leaves"] == 1024 for values in of.values())
    depths = {name: int(drawn(**values).depth.max()) for name, values in of.items()}
    assert depths == {
        "Chain, 1,024 leaves: 1,023 deep": 1023,
        "Balanced, 1,024 leaves: 10 deep": 10,
        "Random shape, 1,024 leaves: 99 deep": 99,
        "Random splits, 1,024 leaves: 23 deep": 23,
    }
    assert [name.split(",")[0].lower() for name in of] == [values["kind"] for values in of.values()]


def test_random_splits_are_as_much_deeper_than_balance_as_the_docstring_says():
    assert round(mean_depths("random splits")[1023] / mean_depths("balanced")[1023], 1) == 2.2
    assert round(4.311 * np.log(2), 2) == 2.99
    assert "4.311 ln n = 2.99 log₂ n" in module.log_depth.__doc__


def test_a_drawn_tree_can_be_one_leaf():
    for kind in KINDS:
        assert draw_tree(kind, 1, np.random.default_rng(0)).nodes == 1
