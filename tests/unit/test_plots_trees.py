"""Where the nodes of a drawn tree stand, and which lines join them."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from tree_cases import nested_pairs

from rnnlib import style
from rnnlib.plots.trees import BY, along, create_tree, edges, is_clear, place_tree, positions
from rnnlib.trees import Tree


def test_a_small_tree_stands_where_its_drawing_on_paper_has_it():
    tree, _ = Tree.from_nested((("a", "b"), "c"))
    by_height = [[0, 0], [1, 0], [2, 0], [0.5, 1], [1.25, 2]]
    np.testing.assert_array_equal(positions(tree), by_height)
    np.testing.assert_array_equal(positions(tree, by="depth")[:, 1], [-2, -2, -1, -1, 0])


@given(nested_pairs)
def test_leaves_stand_in_reading_order_and_parents_over_the_middle_of_their_children(nested):
    tree, n = Tree.from_nested(nested)[0], Tree.from_nested(nested)[0].leaves
    for by in BY:
        xy = positions(tree, by=by)
        assert xy.shape == (tree.nodes, 2) and (xy[:n, 0] == np.arange(n)).all()
        for node, (left, right) in enumerate(tree.children, start=n):
            assert xy[node, 0] == pytest.approx((xy[left, 0] + xy[right, 0]) / 2)
            assert xy[node, 1] > max(xy[left, 1], xy[right, 1])


@given(nested_pairs)
def test_by_height_leaves_are_level_and_by_depth_every_step_goes_one_down(nested):
    tree = Tree.from_nested(nested)[0]
    assert (positions(tree)[: tree.leaves, 1] == 0).all()
    y = positions(tree, by="depth")[:, 1]
    assert y[tree.roots] == [0] and (y[tree.children] == y[tree.leaves :, None] - 1).all()


def side(a, b, c):
    """On which side of the line from a to b the point c lies."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


@given(nested_pairs)
def test_edges_drawn_by_depth_never_cross(nested):
    tree = Tree.from_nested(nested)[0]
    xy = positions(tree, by="depth")
    lines = [(xy[child], xy[node]) for node, pair in enumerate(tree.children, start=tree.leaves)
             for child in pair]
    for (a, b), (c, d) in combinations(lines, 2):
        apart = side(a, b, c) * side(a, b, d) >= -1e-9 or side(c, d, a) * side(c, d, b) >= -1e-9
        assert apart


def test_a_forest_has_its_roots_in_one_line_when_drawn_by_depth():
    forest = Tree.forest([Tree.chain(3), Tree.balanced(4), Tree.chain(1)])
    xy = positions(forest, by="depth")
    assert (xy[forest.roots, 1] == 0).all() and xy[:8, 0].tolist() == list(range(8))


def test_the_edges_are_one_line_that_leaves_the_paper_between_nodes():
    tree = Tree.balanced(4)
    xy = positions(tree)
    line = edges(tree, xy).reshape(-1, 4, 2)
    np.testing.assert_array_equal(line[:, 0], xy[tree.left])
    np.testing.assert_array_equal(line[:, 1], xy[tree.leaves :])
    np.testing.assert_array_equal(line[:, 2], xy[tree.right])
    assert np.isnan(line[:, 3]).all()
    assert edges(Tree.chain(1), positions(Tree.chain(1))).shape == (0, 2)


def test_artists_show_the_tree_they_were_given_last_in_the_colours_of_its_quantities():
    fig, ax = plt.subplots()
    artists = create_tree(ax)
    for tree in (Tree.balanced(8), Tree.chain(3), Tree.chain(1)):
        xy = positions(tree) * (12, 20) + (40, 30)
        place_tree(artists, tree, xy)
        np.testing.assert_array_equal(artists["leaves"].get_xydata(), xy[: tree.leaves])
        np.testing.assert_array_equal(artists["nodes"].get_xydata(), xy[tree.leaves :])
        np.testing.assert_array_equal(artists["edges"].get_xydata(), edges(tree, xy))
    colours = {"edges": style.THETA, "nodes": style.H, "leaves": style.X}
    assert {name: artist.get_color() for name, artist in artists.items()} == colours
    plt.close(fig)


def test_another_way_to_stand_is_refused_by_name():
    with pytest.raises(ValueError, match="by: expected"):
        positions(Tree.chain(2), by="width")


def test_points_along_the_edges_run_from_child_to_parent_evenly():
    tree, _ = Tree.from_nested((("a", "b"), "c"))
    xy = positions(tree, by="depth")
    points = along(tree, xy, each=3)
    pairs = [(child, node) for node, two in enumerate(tree.children, start=3) for child in two]
    expected = {tuple((1 - share) * xy[child] + share * xy[node])
                for child, node in pairs for share in (0, 0.5, 1)}
    assert points.shape == (12, 2) and set(map(tuple, points)) == expected


@pytest.mark.parametrize("boxes, points, clear", [
    ([], np.zeros((0, 2)), True),
    ([(2, 0, 3, 1), (0, 1, 2, 3)], np.array([[2.0, 0.5], [1, 4]]), True),  # these only touch
    ([(5, 5, 6, 6), (1.9, 0.5, 3, 3)], np.zeros((0, 2)), False),
    ([(-1, -1, 4, 4)], np.zeros((0, 2)), False),                          # all around it
    ([(0.5, 0.2, 0.6, 0.3)], np.zeros((0, 2)), False),                    # all inside it
    ([], np.array([[9, 9], [1.9, 0.1]]), False),
])
def test_a_box_is_clear_of_what_it_does_not_cover(boxes, points, clear):
    assert is_clear((0, 0, 2, 1), boxes=boxes, points=points) is clear
