"""The same leaves on three trees: how deep each lies, and how much of the gradient reaches it."""

from functools import cache

import numpy as np
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from rnnlib import live, style
from rnnlib.plots.graph import canvas
from rnnlib.plots.numerals import scientific, ten
from rnnlib.plots.trees import create_tree, place_tree, positions
from rnnlib.trees import RecursiveCell, Tree, backward, forward

SHAPES = {"chain": Tree.chain, "right-branching": Tree.right_branching, "balanced": Tree.balanced}
LEAVES = (2, 3, 4, 5, 8, 11, 16, 32)
GAINS = (0.7, 1, 1.5, 2, 3, 4)
INPUTS, UNITS, SEEDS = 8, 32, range(10)
WIDTH, HEIGHT, LEFT, RIGHT = 461, 366, 52, 410  # SVG units; between the two stand the bars
ROOT, DEEP, LEVEL = 322, 150, 22  # where the root stands; room below it; most from level to level
FLOOR, DECADE, LOWEST, HIGHEST = 30, 11.5, -6, 5  # the bars' ground; the powers of ten they show
ONE = FLOOR - LOWEST * DECADE  # where a bar ends that is as long as the root's gradient


def tree_shapes():
    """‖dL/dh_j‖ at each leaf j of a tree, as a multiple of that at the root: bars, log scale.

        dL/dh_left = W_lᵀ (act'(a) ⊙ dL/dh),    dL/dh_right = W_rᵀ (act'(a) ⊙ dL/dh)

    W_l and W_r are orthogonal matrices times 0.7, or another gain: without act' each join would
    multiply the gradient's length by just that. Each leaf hangs as low as it is deep; one scale for
    the three shapes. Bars are geometric means over 10 networks (`network`), so that they show the
    shape and not the luck of one.
    """
    small, large = ({"leaves": LEAVES[-1], "gain": gain} for gain in (GAINS[0], GAINS[-1]))
    return live.LiveFigure(
        _setup,
        _update,
        title="Chain or tree: what reaches each leaf?",
        controls={
            "shape": live.Choice("tree", tuple(SHAPES)),
            "leaves": live.Range("leaves", values=LEAVES, value=LEAVES[-1]),
            "gain": live.Range("gain of W_l, W_r", values=GAINS),
        },
        presets={
            "Right-branching: the last leaf loses": {"shape": "right-branching"} | small,
            "Balanced: every leaf five joins deep": {"shape": "balanced"} | small,
            "Large weights: the chain explodes": {"shape": "chain"} | large,
            "Large weights, balanced: far less": {"shape": "balanced"} | large,
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


def network(tree, gain, seed=0):
    """Return (cell, xs, dhs): 32 tanh units, inputs of the leaves, and a loss at the root.

    W_l and W_r (32, 32) are orthogonal times `gain`: without tanh each join would multiply the
    gradient's length by just that. U (32, 8) and the biases are uniform(-1/√32, 1/√32), inputs xs
    (n, 8) normal(0, 1). dhs (N, 32) is zero but at the root, where it points anywhere and has
    length 1. One seed gives the same cell, at other gains too, whatever the tree.
    """
    rng = np.random.default_rng(seed)
    cell = RecursiveCell.init(INPUTS, UNITS, start="orthogonal", gain=gain, rng=rng)
    dh, xs = rng.normal(size=UNITS), rng.normal(size=(tree.leaves, INPUTS))
    dhs = np.zeros((tree.nodes, UNITS))
    dhs[tree.roots] = dh / np.linalg.norm(dh)
    return cell, xs, dhs


def leaf_norms(tree, gain, seed=0):
    """Return ‖dL/dh_j‖ of every leaf, (n,), where that of the root is 1."""
    cell, xs, dhs = network(tree, gain, seed)
    dtrace, _ = backward(cell, forward(cell, tree, xs), dhs)
    return np.linalg.norm(dtrace.h[: tree.leaves], axis=1)


@cache
def mean_norms(shape, leaves, gain):
    """Return the geometric means of `leaf_norms` over the 10 networks, (n,)."""
    tree = SHAPES[shape](leaves)
    return np.exp(np.mean([np.log(leaf_norms(tree, gain, seed)) for seed in SEEDS], axis=0))


def _setup():
    fig, ax = canvas(WIDTH, HEIGHT)
    for power in range(LOWEST, HIGHEST, 2):
        y = FLOOR + (power - LOWEST) * DECADE
        ax.text(LEFT - 7, y, ten(power) if power else "1", fontsize=9.5, ha="right",
                va="center_baseline")
        ax.plot([LEFT - 3, LEFT], [y, y], color=style.INK, linewidth=0.8)
    ax.plot([LEFT, LEFT, RIGHT], [FLOOR + (HIGHEST - LOWEST) * DECADE, FLOOR, FLOOR],
            color=style.INK, linewidth=0.8)
    ax.plot([LEFT, RIGHT], [ONE, ONE], color=style.INK, linewidth=0.9, dashes=(5, 3), zorder=3)
    ax.text(RIGHT + 9, ONE, "as at\nthe root", fontsize=9.5, va="center", linespacing=1.1)
    middle = FLOOR + (HIGHEST - LOWEST) * DECADE / 2
    ax.text(9, middle, "gradient, ‖dL/dh‖", rotation=90, ha="center", va="center")
    return fig, {"tree": create_tree(ax)} | _create_rest(ax)


def _create_rest(ax):
    bars = PathPatch(Path(np.zeros((0, 2))), facecolor=style.GRAD, linewidth=0, zorder=2)
    (threads,) = ax.plot([], [], color=style.MUTED, linewidth=0.6, alpha=0.5, zorder=1)
    small = {"fontsize": 9.5, "ha": "center"}
    return {
        "bars": ax.add_patch(bars),
        "threads": threads,
        "head": ax.text(4, HEIGHT - 18, "", fontsize=15, weight="bold"),
        "told": ax.text(WIDTH - 4, HEIGHT - 18, "", fontsize=11, ha="right"),
        "loss": ax.text(0, ROOT + 7, "loss", weight="bold", color=style.GRAD, **small),
        "numbers": [ax.text(0, 0, "", weight="bold", color=style.GRAD, zorder=6, **small)
                    for _ in range(2)],
        "names": [ax.text(0, FLOOR - 14, "", **small) for _ in range(2)],
    }


def _update(artists, shape, leaves, gain):
    tree, norms = SHAPES[shape](leaves), mean_norms(shape, leaves, gain)
    xy = _places(tree)
    place_tree(artists["tree"], tree, xy)
    tops = np.round(FLOOR + (np.log10(norms) - LOWEST) * DECADE, 1)
    artists["bars"].set_path(_bars(xy[:leaves, 0], tops))
    _place_threads(artists["threads"], xy[:leaves], tops)
    _place_labels(artists, xy, tops, norms)
    depth = int(tree.depth.max())
    artists["head"].set_text(f"{shape[0].upper()}{shape[1:]}: {depth} {_joins(depth)} deep")
    artists["told"].set_text(f"{leaves} leaves, gain {gain:g}")
    return _sentence(tree, shape, gain, norms)


def _places(tree):
    """Where the nodes stand: by depth, on a scale that all trees of so many leaves share."""
    n = tree.leaves
    across, down = min((RIGHT - LEFT) / n, 48), min(DEEP / (n - 1), LEVEL)
    left = (LEFT + RIGHT - across * (n - 1)) / 2
    return np.round(positions(tree, by="depth") * (across, down) + (left, ROOT), 1)


def _bars(x, tops):
    """One path of all bars, from the ground up to their tops."""
    half = round(0.3 * min((RIGHT - LEFT) / len(x), 48), 1)
    corners = [[x - half, x - half, x + half, x + half], [FLOOR + 0 * x, tops, tops, FLOOR + 0 * x]]
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO] * len(x)
    return Path(np.transpose(corners, (2, 1, 0)).reshape(-1, 2), codes)


def _place_threads(threads, leaves, tops):
    """A thread from each leaf down to its bar."""
    x, y = leaves.T
    gap = np.full_like(x, np.nan)
    threads.set_data(np.repeat(x, 3), np.stack([y, tops, gap], axis=1).ravel())


def _place_labels(artists, xy, tops, norms):
    """Write a number over the first and the last bar, clear of other bars and the dashed line."""
    x, n = xy[: len(tops), 0], len(tops)
    for text, name, j in zip(artists["numbers"], artists["names"], (0, n - 1), strict=True):
        told = number(norms[j])
        half = 3.2 * len(told)
        middle = np.clip(x[j], LEFT + half + 1, RIGHT - half + 8)
        top = tops[abs(x - middle) < half + 4].max()
        text.set(text=told, x=middle, y=(ONE if ONE - 15 < top < ONE else top) + 4)
        name.set(text=f"leaf {j + 1}", x=max(x[j], LEFT + 14))
    artists["loss"].set_x(xy[-1, 0])  # the last node is the root


def number(value):
    """A ratio as text: 0.66, 3.4, and outside 0.01 to 100 with a power of ten, 2·10⁻⁶."""
    if 0.00995 <= value < 99.5:
        return f"{value:#.2g}".rstrip(".")
    return scientific(value, 2)


def _joins(n):
    return "join" if n == 1 else "joins"


def _sentence(tree, shape, gain, norms):
    first, last = tree.depth[[0, tree.leaves - 1]].tolist()
    return (
        f"{shape.capitalize()}, {tree.leaves} leaves: the first lies {first} {_joins(first)} below "
        f"the root, the last {last}. With W_l and W_r orthogonal matrices times {gain:g}, the "
        f"gradient at the first leaf is {number(norms[0])} of that at the root, at the last "
        f"{number(norms[-1])} (geometric means of {len(SEEDS)} random networks)."
    )
