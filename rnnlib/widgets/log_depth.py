"""How deep is a tree of n leaves? Balanced: log₂ n. A chain: n - 1. A random one: in between."""

from functools import cache

import numpy as np

from rnnlib import live, style
from rnnlib.plots.graph import canvas
from rnnlib.plots.trees import create_tree, place_tree, positions
from rnnlib.trees import Tree

KINDS = ("chain", "random shape", "random splits", "balanced")
LEAVES = (4, 8, 16, 32, 64, 128, 256, 1024)
MOST, SEED = LEAVES[-1], 0
DISCS = 64  # leaves of the largest tree whose nodes are drawn as discs
WIDTH, HEIGHT = 461, 366  # SVG units
TREE = 8, 453, 326, 118  # the tree's box: left, right, root, height
LEFT, FLOOR, OCTAVE, DOUBLING = 52, 38, 28, 12.4  # chart: n = 2 at its left, depth 1 on its floor
CEILING = FLOOR + 10 * DOUBLING
ROWS, ROW, KEY = 189, 13, 55  # the table's head, from row to row, and the key of the dot


def log_depth():
    """Depth against number of leaves, both on log scales, and one tree of the kind chosen.

    chain: n - 1. balanced: ceil(log2 n). random shape: each of the C_{n-1} (Catalan) shapes alike
    likely; the mean depth comes near 2 √(π n) (Flajolet and Odlyzko 1982), slowly. random splits:
    the root divides the leaves at any of the n - 1 places alike likely, and so on below. For n to
    infinity the mean is 4.311 ln n = 2.99 log₂ n (Devroye 1986), three times the balanced depth in
    the limit; at 1,024 leaves it is 2.2 times. Lines of random trees are their exact mean depths
    (`mean_depths`), the dot is the tree that is drawn. Depth counts joins, one above the other.
    """
    return live.LiveFigure(
        _setup,
        _update,
        title="How deep is a tree?",
        controls={
            "kind": live.Choice("tree", KINDS, value="random shape"),
            "leaves": live.Range("leaves n", values=LEAVES, value=64),
        },
        presets={
            "Chain, 1,024 leaves: 1,023 deep": {"kind": "chain", "leaves": 1024},
            "Balanced, 1,024 leaves: 10 deep": {"kind": "balanced", "leaves": 1024},
            "Random shape, 1,024 leaves: 99 deep": {"kind": "random shape", "leaves": 1024},
            "Random splits, 1,024 leaves: 23 deep": {"kind": "random splits", "leaves": 1024},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


@cache
def weights(kind, most=MOST):
    """w_1 .. w_most after a zero: n leaves fall into k and n-k in proportion to w_k w_{n-k}.

    "random splits": all 1. "random shape": C_{k-1} / 4^(k-1); C_{k-1} (Catalan) is the number of
    shapes of k leaves.
    """
    k = np.arange(1, most)
    steps = (2 * k - 1) / (2 * k + 2) if kind == "random shape" else np.ones(most - 1)
    return np.concatenate([[0, 1], np.cumprod(steps)])


@cache
def mean_depths(kind, most=MOST):
    """Mean depth of a tree of 1, 2, ..., `most` leaves, (most,): exact but for rounding.

        P(depth <= d | n) = Σ_k p(k | n) P(depth <= d-1 | k) P(depth <= d-1 | n-k)
        E(depth | n) = Σ_{d >= 0} (1 - P(depth <= d | n))

    p(k | n) of the random kinds as `weights` says.
    """
    n = np.arange(1, most + 1)
    if kind in ("chain", "balanced"):
        return n - 1.0 if kind == "chain" else np.ceil(np.log2(n))
    w, mean = weights(kind, most), np.zeros(most + 1)
    ways, within = np.convolve(w, w)[: most + 1], np.where(np.arange(most + 1) < 2, 1.0, 0.0)
    while 1 - within.min() > 1e-12:
        mean += 1 - within
        within[2:] = np.convolve(w * within, w * within)[2 : most + 1] / ways[2:]
    return mean[1:]


def draw_tree(kind, leaves, rng):
    """One tree of a kind; the random ones are drawn with the generator `rng`."""
    if kind in ("chain", "balanced"):
        return getattr(Tree, kind)(leaves)
    w, todo, splits = weights(kind), [(0, leaves)], []
    while todo:
        start, stop = todo.pop()
        if stop - start > 1:
            likely = w[1 : stop - start] * w[stop - start - 1 : 0 : -1]
            middle = start + 1 + int(rng.choice(len(likely), p=likely / likely.sum()))
            splits.append((start, middle, stop))
            todo += [(start, middle), (middle, stop)]
    splits.reverse()                                                # children before parents
    node = {(start, stop): leaves + i for i, (start, _, stop) in enumerate(splits)}
    left = [node.get((start, middle), start) for start, middle, _ in splits]
    return Tree(leaves, left, [node.get((middle, stop), middle) for _, middle, stop in splits])


@cache
def drawn(kind, leaves):
    """The tree that the figure draws."""
    return draw_tree(kind, leaves, np.random.default_rng((SEED, leaves)))


def _setup():
    fig, ax = canvas(WIDTH, HEIGHT)
    _draw_axes(ax)
    for kind in KINDS:
        ax.plot(*_line(kind).T, color=style.INK, linewidth=1, alpha=0.55)
    x, middle = LEFT + 9 * OCTAVE + 10, {"va": "center_baseline"}
    names = {kind: ax.text(x, _heights(mean_depths(kind)[-1]), kind, **middle) for kind in KINDS}
    (bold,) = ax.plot([], [], color=style.INK, linewidth=2.6)
    (guide,) = ax.plot([], [], color=style.MUTED, linewidth=0.8, alpha=0.7)
    disc = {"markersize": 8, "markeredgecolor": style.PAPER, "markeredgewidth": 1.2}
    (dot,) = ax.plot([], [], "o", color=style.INK, zorder=5, clip_on=False, **disc)
    return fig, {"tree": create_tree(ax), "names": names, "bold": bold, "guide": guide,
                 "dot": dot} | _create_texts(ax, x, disc)


def _create_texts(ax, x, disc):
    """The heads, the table of means in the empty corner of the chart, and its key on the right."""
    small = {"fontsize": 9.5, "va": "center_baseline"}
    ax.text(WIDTH - 8, ROWS, "trees: heights not to one scale", ha="right", **small)
    ax.plot([x + 5], [KEY], "o", color=style.INK, **disc)
    ax.plot([x, x + 10], [KEY - ROW] * 2, color=style.INK, linewidth=2.6)
    ax.text(x + 15, KEY - ROW, "the mean of its kind", **small)
    return {
        "head": ax.text(4, HEIGHT - 18, "", fontsize=15, weight="bold"),
        "told": ax.text(WIDTH - 4, HEIGHT - 18, "", fontsize=11, ha="right"),
        "above": ax.text(LEFT + 8, ROWS, "", **small),
        "kinds": {kind: ax.text(LEFT + 8, ROWS - i * ROW, kind, **small)
                  for i, kind in enumerate(KINDS, start=1)},
        "means": {kind: ax.text(LEFT + 124, ROWS - i * ROW, "", ha="right", **small)
                  for i, kind in enumerate(KINDS, start=1)},
        "this": ax.text(x + 15, KEY, "", **small),
    }


def _draw_axes(ax):
    right = LEFT + 9 * OCTAVE
    ax.plot([LEFT, LEFT, right], [CEILING, FLOOR, FLOOR], color=style.INK, linewidth=0.8)
    for power in range(0, 11, 2):
        ax.text(LEFT - 7, FLOOR + power * DOUBLING, f"{2**power:,}", fontsize=9.5, ha="right",
                va="center_baseline")
    for power in range(1, 11, 3):
        ax.text(LEFT + (power - 1) * OCTAVE, FLOOR - 13, f"{2**power:,}", fontsize=9.5,
                ha="center")
    ax.text((LEFT + right) / 2, 6, "leaves, n", ha="center")
    ax.text(9, (FLOOR + CEILING) / 2, "depth", rotation=90, ha="center", va="center")


def _across(leaves):
    return np.round(LEFT + OCTAVE * (np.log2(leaves) - 1), 1)


def _heights(depths):
    return np.round(FLOOR + DOUBLING * np.log2(depths), 1)


def _line(kind):
    """The mean depths of a kind against n, as points of the chart."""
    eighths = np.round(2 ** np.arange(1, 10.01, 0.125))
    stairs = np.concatenate([[n, n + 1] for n in 2 ** np.arange(1, 10)] + [[MOST]])
    n = stairs if kind == "balanced" else np.unique(eighths).astype(int)
    return np.stack([_across(n), _heights(mean_depths(kind)[n - 1])], axis=1)


def _update(artists, kind, leaves):
    tree = drawn(kind, leaves)
    depth = int(tree.depth.max())
    _place_tree(artists["tree"], tree, depth)
    x = _across(leaves)
    artists["guide"].set_data([x, x], [FLOOR, _heights(leaves - 1)])
    artists["bold"].set_data(*_line(kind).T)
    artists["dot"].set_data([x], [_heights(depth)])
    for name in KINDS:
        artists["means"][name].set_text(_mean(name, leaves))
        for part in ("names", "kinds", "means"):
            artists[part][name].set(color=style.INK if name == kind else style.MUTED,
                                    weight="bold" if name == kind else "normal")
    artists["head"].set_text(f"{kind[0].upper()}{kind[1:]}: {depth:,} joins deep")
    artists["told"].set_text(f"{leaves:,} leaves")
    artists["above"].set_text(f"mean depth at n = {leaves:,}")
    artists["this"].set_text(f"this tree: {depth:,}")
    return _sentence(kind, leaves, depth)


def _place_tree(artists, tree, depth):
    left, right, root, height = TREE
    n = tree.leaves
    across = min((right - left) / n, 48)
    scale = across, min(height / depth, 24)
    xy = positions(tree, by="depth") * scale + ((left + right - across * (n - 1)) / 2, root)
    place_tree(artists, tree, np.round(xy, 1))
    artists["edges"].set_linewidth(1.2 if n <= DISCS else 0.7)
    for name in ("nodes", "leaves"):
        artists[name].set_visible(n <= DISCS)


def _mean(kind, leaves):
    """The mean depth as text: whole for a kind that is not random."""
    mean = mean_depths(kind)[leaves - 1]
    return f"{mean:.1f}" if kind.startswith("random") else f"{mean:,.0f}"


def _sentence(kind, leaves, depth):
    others = [f"{name} {_mean(name, leaves)}" for name in KINDS if name != kind]
    told = f"{depth:,} joins deep"
    if kind.startswith("random"):
        told = f"this tree of {kind} is {told}, one of its kind {_mean(kind, leaves)} on average"
    else:
        told = f"a {kind}{' tree' * (kind == 'balanced')} is {told}"
    return f"{leaves:,} leaves: {told}. The others: {others[0]}, {others[1]}, {others[2]}."
