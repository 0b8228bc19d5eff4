"""Draw a binary tree, or a forest: leaves in reading order, every node above its children.

    xy = positions(tree)                        # (N, 2), one unit from leaf to leaf, level to level
    artists = create_tree(ax)                   # three artists, whatever the tree
    place_tree(artists, tree, xy * (12, 20) + (40, 30))     # can be called again and again

All edges are one line, all inner nodes one, all leaves one, so that a live figure has little to
move. Labels are the caller's: `xy` says where.
"""

import numpy as np

from rnnlib import checks, style

BY = ("height", "depth")


def positions(tree, *, by="height"):
    """Where the nodes of a `rnnlib.trees.Tree` stand, (N, 2): x to the right, y upwards.

    Leaf j stands at x = j, an inner node above the middle between its children.
    by: "height", y is the steps down to the deepest leaf below the node: all leaves stand in one
    line at y = 0. "depth", y is minus the steps up to the root: the roots stand in one line at
    y = 0, and a leaf hangs as low as it is deep. Drawn by depth, edges never cross.
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
