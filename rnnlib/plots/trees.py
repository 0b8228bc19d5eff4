"""Draw a binary tree, or a forest: leaves in reading order, every node above its children.

    xy = positions(tree)                        # (N, 2), one unit from leaf to leaf, level to level
    artists = create_tree(ax)                   # three artists, whatever the tree
    place_tree(artists, tree, xy * (12, 20) + (40, 30))     # can be called again and again

All edges are one line, all inner nodes one, all leaves one, so that a live figure has little to
move. Labels are the caller's: `xy` says where, and `is_clear` whether there is room for one.
"""

import numpy as np

from rnnlib import checks, style

BY = ("height", "depth")


def positions(tree, *, by="height"):
    """Where the nodes of a `rnnlib.trees.Tree` stand, (N, 2): x to the right, y upwards.

    Leaf j stands at x = j, an inner node above the middle between its children.
    by: "height", y is how many joins lead from the deepest leaf below up to the node: all leaves
    stand in one line at y = 0. "depth", y is minus how many joins lead from the node up to the
    root: the roots stand in one line at y = 0, and a leaf hangs as low as it is deep. Drawn by
    depth, edges never cross.
    Raises ValueError for another `by`.
    """
    checks.choice("by", by, BY)
    x = tree.fold(range(tree.leaves), lambda left, right: (left + right) / 2)
    return np.stack([x, tree.height if by == "height" else -tree.depth], axis=1).astype(float)


def edges(tree, xy):
    """The edges as points of one line, (4 (N-n), 2): left child, node, right child, a gap (NaN)."""
    parent = xy[tree.leaves :]
    gap = np.full_like(parent, np.nan)
    return np.stack([xy[tree.left], parent, xy[tree.right], gap], axis=1).reshape(-1, 2)


def along(tree, xy, *, each=60):
    """Points along all edges, (2 (N-n) each, 2): `each` on every edge, its two ends included."""
    ends = edges(tree, xy).reshape(-1, 4, 2)
    lower, upper = np.concatenate([ends[:, [0, 1]], ends[:, [2, 1]]]).transpose(1, 0, 2)
    share = np.linspace(0, 1, each)[:, None, None]
    return (lower + share * (upper - lower)).reshape(-1, 2)


def is_clear(box, *, boxes, points):
    """Whether a box (left, bottom, right, top) overlaps none of `boxes` (M, 4), holds no point.

    points (P, 2). Boxes that only touch do not overlap.
    """
    (left, bottom, right, top), others = box, np.reshape(boxes, (-1, 4))
    overlap = ((others[:, :2] < (right, top)) & (others[:, 2:] > (left, bottom))).all(axis=1)
    inside = ((points > (left, bottom)) & (points < (right, top))).all(axis=1)
    return not (overlap.any() or inside.any())


def create_tree(ax, *, node=3.5, leaf=3.5, edge=1.2):
    """Add the artists of a tree without nodes; return {"edges", "nodes", "leaves"}, three lines.

    node, leaf: diameters of the discs, blue as h and green as x; edge: width of the pink edges,
    which carry W_l and W_r. All in points.
    """
    (lines,) = ax.plot([], [], color=style.THETA, linewidth=edge, zorder=2)
    discs = {"linestyle": "none", "marker": "o", "markeredgewidth": 0, "clip_on": False}
    (nodes,) = ax.plot([], [], color=style.H, markersize=node, zorder=3, **discs)
    (leaves,) = ax.plot([], [], color=style.X, markersize=leaf, zorder=3, **discs)
    return {"edges": lines, "nodes": nodes, "leaves": leaves}


def place_tree(artists, tree, xy):
    """Let the artists of `create_tree` show this tree, its nodes at xy (N, 2)."""
    artists["edges"].set_data(*edges(tree, xy).T)
    artists["nodes"].set_data(*xy[tree.leaves :].T)
    artists["leaves"].set_data(*xy[: tree.leaves].T)
