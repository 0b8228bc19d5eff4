"""Recursive networks: one step for every node of a binary tree, and the gradient at every node.

    tree, words = Tree.from_nested((("the", "cat"), "sleeps"))
    cell = RecursiveCell.init(input_size=4, hidden_size=3)  # parameters U, b_x, W_l, W_r, b
    trace = forward(cell, tree, xs)                         # xs (n, D): one row for each leaf
    dtrace, dcell = backward(cell, trace, dhs)              # the same records, holding gradients

n leaves, N nodes, R roots, D inputs, H hidden units; `dX` is dL/dX, the total derivative.
"""

import dataclasses
from collections.abc import Iterable
from functools import cached_property, reduce
from typing import ClassVar

import numpy as np

from rnnlib import checks
from rnnlib.cells import HIDDEN
from rnnlib.functions import ACTIVATIONS, affine, sum_outer, sum_steps
from rnnlib.records import Parameters, Record, record
from rnnlib.starts import recurrent, uniform


@record
class Tree(Record):
    """The shape of a binary tree, or of a forest: who joins whom, and nothing about their values.

    The nodes are numbered: first the leaves, 0 .. n-1 in reading order, then the inner nodes, each
    after its children. Node n + k joins left[k] and right[k], neighbours in reading order that have
    no other parent; a node without one is a root. `leaves` is n, which left and right (N-n,) do not
    tell, as a root may be a leaf. Anything else raises ValueError or TypeError.
    """

    leaves: int
    left: np.ndarray
    right: np.ndarray

    def __post_init__(self):
        n = checks.whole("leaves", self.leaves)
        left = _numbers("left", self.left, "N-n")
        right = _numbers("right", self.right, len(left))
        pairs, got = np.stack([left, right]), checks.came([left.tolist(), right.tolist()])
        if (pairs >= n + np.arange(len(left))).any():
            raise ValueError(f"left, right: expected children before parents, got {got}")
        if (np.bincount(pairs.ravel()) > 1).any():
            raise ValueError(f"left, right: expected one parent for a node, got {got}")
        for name, value in (("leaves", n), ("left", left), ("right", right)):
            object.__setattr__(self, name, value)
        first, last = self.span.T
        if (last[left] + 1 != first[right]).any():
            raise ValueError(f"left, right: expected neighbours in reading, got {got}")
        super().__post_init__()

    @classmethod
    def from_nested(cls, nested):
        """(tree, list of its leaves) of nested pairs like (("a", "b"), "c"), in tuples."""
        todo, items = [nested], []
        while todo:
            items.append(todo.pop())                                # a pair, its right, its left
            todo += items[-1] if isinstance(items[-1], tuple) else ()
        items.reverse()                                             # left, right, then their pair
        for item in items:
            if isinstance(item, list) or (isinstance(item, tuple) and len(item) != 2):
                came = f"{type(item).__name__} of {len(item)}"
                raise ValueError(f"nested: expected pairs as tuples of 2, got a {came}")
        values = [item for item in items if not isinstance(item, tuple)]
        left, right, waiting, leaf = [], [], [], iter(range(len(values)))
        for item in items:                                          # as in reverse Polish notation
            if isinstance(item, tuple):
                right.append(waiting.pop())
                left.append(waiting.pop())
                waiting.append(len(values) + len(left) - 1)
            else:
                waiting.append(next(leaf))
        return cls(len(values), left, right), values

    @classmethod
    def chain(cls, leaves):
        """(((a b) c) d): every step adds one leaf on the right, as an RNN that reads on does."""
        leaves = range(checks.whole("leaves", leaves))
        return cls.from_nested(reduce(lambda read, leaf: (read, leaf), leaves))[0]

    @classmethod
    def right_branching(cls, leaves):
        """(a (b (c d))): the chain of a reader who starts at the end."""
        leaves = range(checks.whole("leaves", leaves))
        return cls.from_nested(reduce(lambda read, leaf: (leaf, read), reversed(leaves)))[0]

    @classmethod
    def balanced(cls, leaves):
        """((a b) (c d)): halves of halves, of depth ceil(log2 n), the least there is."""
        return cls.from_nested(_halves(0, checks.whole("leaves", leaves)))[0]

    @classmethod
    def forest(cls, trees):
        """Several trees as one, a batch: the leaves of the first, then those of the second, ..."""
        trees = list(checks.instance("trees", trees, Iterable, "a list of trees"))
        if not trees:
            raise ValueError("trees: expected at least one, got none")
        for i, tree in enumerate(trees):
            checks.instance(f"trees[{i}]", tree, Tree, "a Tree")
        leaf = np.cumsum([0] + [tree.leaves for tree in trees])     # each tree's first leaf
        inner = leaf[-1] + np.cumsum([0] + [len(tree.left) for tree in trees])
        children = [
            tree.children + np.where(tree.children < tree.leaves, i, k - tree.leaves)
            for tree, i, k in zip(trees, leaf, inner, strict=False)
        ]
        return cls(int(leaf[-1]), *np.concatenate(children).T)

    def fold(self, leaves, join):
        """The values of all N nodes: those of the leaves, and join(left value, right value).

        tree.fold(words, lambda left, right: (left, right))[-1] is the tree in nested pairs again.
        """
        values = list(checks.instance("leaves", leaves, Iterable, "a list of values"))
        if len(values) != self.leaves:
            raise ValueError(f"leaves: expected {self.leaves} values, got {len(values)}")
        for left, right in zip(self.left.tolist(), self.right.tolist(), strict=True):
            values.append(join(values[left], values[right]))
        return values

    @property
    def nodes(self) -> int:
        """N, the number of nodes."""
        return self.leaves + len(self.left)

    @cached_property
    def children(self):
        """(N-n, 2): the left and the right child of each inner node."""
        return _fixed(np.stack([self.left, self.right], axis=1))

    @cached_property
    def span(self):
        """(N, 2): the first and the last leaf below each node."""
        return _fixed(self.fold([(i, i) for i in range(self.leaves)], lambda a, b: (a[0], b[1])))

    @cached_property
    def roots(self):
        """(R,): the nodes without a parent, in reading order."""
        roots = np.setdiff1d(np.arange(self.nodes), self.children)
        return _fixed(roots[np.argsort(self.span[roots, 0])])

    @cached_property
    def depth(self):
        """(N,): the steps from each node up to its root; depth.max() is that of the tree."""
        depth = np.zeros(self.nodes, int)
        for nodes in reversed(self.levels):
            depth[self.children[nodes - self.leaves]] = depth[nodes, None] + 1
        return _fixed(depth)

    @cached_property
    def height(self):
        """(N,): the steps from each node down to the deepest leaf below it; 0 for a leaf."""
        return _fixed(self.fold([0] * self.leaves, lambda left, right: 1 + max(left, right)))

    @cached_property
    def levels(self):
        """The inner nodes of height 1, those of height 2, ...: those of a level do not wait."""
        heights = self.height[self.leaves :]
        order = _fixed(self.leaves + np.argsort(heights, kind="stable"))
        return tuple(np.split(order, np.cumsum(np.bincount(heights)[1:]))[:-1])


@record
class TreeTrace(Record):
    """Every quantity of a `RecursiveCell` on a tree; as a gradient, dL/d(that quantity).

    x (n, D) inputs of the leaves; a, h (N, H) pre-activations and hidden states of all nodes; tree;
    cell, the cell that made it (in a gradient: dcell).
    """

    x: np.ndarray
    a: np.ndarray
    h: np.ndarray
    tree: Tree
    cell: "RecursiveCell"

    @property
    def root(self):
        """h of every root, (R, H): what stands for the whole tree."""
        return self.h[self.tree.roots]


@record
class RecursiveCell(Parameters):
    """The recursive cell (Goodfellow et al. 2016, section 10.6; Socher et al. 2011).

        a_j = b_x + U x_j                       of a leaf j
        a_j = b + W_l h_left + W_r h_right      of an inner node j
        h_j = act(a_j)                          act: "tanh", "relu" or "identity"

    U (H, D), b_x (H,), W_l (H, H), W_r (H, H), b (H,). A leaf passes act too: whatever W_l and W_r
    meet, a leaf or a phrase, then lies in the same range, and one output layer reads every node.
    On a chain it is an `RNNCell` with W = W_l, U = W_r and the first leaf's h as its initial state
    that reads the h of the other leaves. Malformed parameters raise ValueError/TypeError.
    """

    U: np.ndarray
    b_x: np.ndarray
    W_l: np.ndarray
    W_r: np.ndarray
    b: np.ndarray
    activation: str = "tanh"

    SHAPES: ClassVar = {"U": ("H", "D"), "b_x": ("H",), "W_l": ("H", "H"), "W_r": ("H", "H"),
                        "b": ("H",)}

    def __post_init__(self):
        checks.choice("activation", self.activation, HIDDEN)
        super().__post_init__()

    @classmethod
    def init(cls, input_size, hidden_size, *, activation="tanh", start="uniform", gain=1.0, rng=0):
        """As `RNNCell.init`: `start` and `gain` are those of W_l and of W_r."""
        D = checks.whole("input_size", input_size)
        H = checks.whole("hidden_size", hidden_size)
        checks.choice("activation", activation, HIDDEN)
        rng = checks.generator("rng", rng)
        W_l, W_r = (recurrent(start, H, rng, gain=gain) for _ in ("left", "right"))
        U, b_x, b = uniform(rng, H, (H, D), (H,), (H,))
        return cls(U, b_x, W_l, W_r, b, activation)

    def _forward(self, tree, xs):
        act, n, H = ACTIVATIONS[self.activation].f, tree.leaves, len(self.b)
        W = np.hstack([self.W_l, self.W_r])                         # (H, 2H): two products in one
        a, h = np.empty((2, tree.nodes, H), xs.dtype)
        affine(xs, self.U, self.b_x, out=a[:n])                     # a_j = b_x + U x_j
        act(a[:n], out=h[:n])
        for nodes in tree.levels:
            pairs = h[tree.children[nodes - n]].reshape(-1, 2 * H)  # h_l and h_r, end to end
            a[nodes] = affine(pairs, W, self.b)                     # a_j = b + W_l h_l + W_r h_r
            h[nodes] = act(a[nodes])                                # h_j = act(a_j)
        return TreeTrace(xs, a, h, tree, self)

    def _backward(self, trace, dhs):
        tree, n, H = trace.tree, trace.tree.leaves, len(self.b)
        W = np.hstack([self.W_l, self.W_r])
        da = ACTIVATIONS[self.activation].slope(trace.h)            # act'(a_j)
        dh = dhs.copy()                                             # what the loss sends into h_j
        for nodes in reversed(tree.levels):
            da[nodes] *= dh[nodes]                                  # da_j = act'(a_j) dh_j
            # dh_l += W_lᵀ da_j, dh_r += W_rᵀ da_j; a node has one parent, so none is met twice.
            dh[tree.children[nodes - n]] += affine(da[nodes], W.T).reshape(-1, 2, H)
        da[:n] *= dh[:n]                                            # da_j of the leaves
        dW = sum_outer(da[n:], trace.h[tree.children].reshape(-1, 2 * H))
        dcell = self.gradient(
            U=sum_outer(da[:n], trace.x),                           # dU = Σ_j da_j x_jᵀ
            b_x=sum_steps(da[:n]),                                  # db_x = Σ_j da_j of the leaves
            W_l=dW[:, :H].copy(), W_r=dW[:, H:].copy(),             # dW_l = Σ_j da_j h_lᵀ, dW_r ...
            b=sum_steps(da[n:]),                                    # db = Σ_j da_j of the others
        )
        return TreeTrace(affine(da[:n], self.U.T), da, dh, tree, dcell), dcell  # dx_j = Uᵀ da_j


def forward(cell, tree, xs):
    """Run `cell` up `tree`, from the leaves' inputs xs (n, D) to the roots, and return the trace.

    The dtype is that of `rnnlib.forward`. Raises ValueError or TypeError for anything malformed.
    """
    checks.instance("cell", cell, RecursiveCell, "a RecursiveCell")
    n = checks.instance("tree", tree, Tree, "a Tree").leaves
    xs = checks.array("xs", xs, (n, cell.U.shape[1]))
    return dataclasses.replace(cell.astype(xs.dtype)._forward(tree, xs), cell=cell)


def backward(cell, trace, dhs):
    """Backpropagation through the structure: (dtrace, dcell), the gradient of a loss L.

    trace: what `forward` returned for this very cell. dhs (N, H): what the loss sends directly into
    each node's h: zeros, but for the roots, if it reads these alone. dtrace holds the total
    derivatives; dtrace.cell is dcell. Raises as `forward`, also for another cell's trace.
    """
    checks.instance("cell", cell, RecursiveCell, "a RecursiveCell")
    checks.instance("trace", trace, TreeTrace, "the trace that forward(cell, ...) returned")
    checks.made_by("cell", cell, trace.cell)
    dhs = checks.array("dhs", dhs, trace.h.shape, trace.h.dtype, copy=False)
    return cell.astype(dhs.dtype)._backward(trace, dhs)


def _halves(start, stop):
    """The numbers from start to stop - 1 as a pair of halves of halves."""
    middle = (start + stop + 1) // 2
    return start if stop - start == 1 else (_halves(start, middle), _halves(middle, stop))


def _numbers(name, value, size):
    """A new array of node numbers; it is empty where no node is an inner one."""
    may_be_empty = size in ("N-n", 0) and isinstance(value, (list, np.ndarray))
    if may_be_empty and np.iterable(value) and len(value) == 0:
        return np.zeros(0, int)
    return checks.classes(name, value, (size,), 2**31).astype(int)


def _fixed(values):
    """A read-only array: what is derived from a tree is handed out again and again."""
    array = np.array(values)
    array.flags.writeable = False
    return array
