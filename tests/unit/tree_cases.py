"""Random trees with what goes into them, and the recursive network once more, node by node."""

import numpy as np
from hypothesis import strategies as st

from rnnlib.trees import RecursiveCell, Tree, backward, forward

sizes = st.integers(1, 4)
seeds = st.integers(0, 2**32 - 1)
nested_pairs = st.recursive(st.integers(0, 9), lambda pair: st.tuples(pair, pair), max_leaves=8)


@st.composite
def cases(draw, activation=None):
    """A cell, a forest of one to three trees, the inputs of its leaves and a loss's gradients."""
    forest = [Tree.from_nested(draw(nested_pairs))[0] for _ in range(draw(st.integers(1, 3)))]
    D, H, rng = draw(sizes), draw(sizes), np.random.default_rng(draw(seeds))
    activation = activation or draw(st.sampled_from(["tanh", "relu", "identity"]))
    cell, tree = RecursiveCell.init(D, H, activation=activation, rng=rng), Tree.forest(forest)
    return cell, tree, rng.normal(size=(tree.leaves, D)), rng.normal(size=(tree.nodes, H))


def recursion(cell, library, p, tree, xs, note):
    """The equations node by node, from the roots down and up again; returns every node's h."""
    hs = {}

    def visit(node):
        if node < tree.leaves:
            a = p["b_x"] + p["U"] @ xs[node]
        else:
            left, right = (visit(int(side[node - tree.leaves])) for side in (tree.left, tree.right))
            a = p["b"] + p["W_l"] @ left + p["W_r"] @ right
        hs[node] = note("h", node, library[cell.activation](note("a", node, a)))
        return hs[node]

    for root in tree.roots:
        visit(int(root))
    return [hs[node] for node in range(tree.nodes)]


def run(cell, tree, xs, dhs):
    """(trace, dtrace, dcell)."""
    trace = forward(cell, tree, xs)
    return trace, *backward(cell, trace, dhs)


def at_roots(tree, droots):
    """dhs (N, H) of a loss that reads the roots alone."""
    dhs = np.zeros((tree.nodes, droots.shape[1]))
    dhs[tree.roots] = droots
    return dhs
