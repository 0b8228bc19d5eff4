"""Chapter 9: how deep a tree is, what its root knows, whom its root blames."""

import numpy as np

_rng = np.random.default_rng(19)


def _draw(*shape):
    return _rng.uniform(-1, 1, shape)


def _depth(tree):
    return 1 + max(map(_depth, tree)) if isinstance(tree, tuple) else 0


def _depths(n):
    return n - 1, int(n - 1).bit_length()


def _root(tree, W_l, W_r, b):
    if not isinstance(tree, tuple):
        return tree
    left, right = (_root(part, W_l, W_r, b) for part in tree)
    return np.tanh(b + W_l @ left + W_r @ right)


def _blame(W_l, W_r, turns, hs, dh):
    for turn, h in zip(turns, hs, strict=True):
        dh = {"l": W_l, "r": W_r}[turn].T @ ((1 - h**2) * dh)
    return dh


def _value(tokens):
    gives = {"max": max, "min": min, "sum": lambda a, b: (a + b) % 10}
    waiting = []
    for token in reversed(tokens):
        waiting.append(gives[token](waiting.pop(), waiting.pop()) if token in gives else token)
    return waiting[0]


_SIZES = 2 * _draw(3, 3), 2 * _draw(3, 3)

EXERCISES = {
    "9.1": (_depth, [("a",), (("a", "b"),), ((("a", "b"), "c"),),
                     ((("a", ("b", ("c", "d"))), ("e", "f")),)]),
    "9.2": (_depths, [(2,), (8,), (9,), (1000,), (1,)]),
    "9.3": (_root, [
        ((_draw(3), _draw(3)), *_SIZES, _draw(3)),
        (((_draw(3), _draw(3)), (_draw(3), (_draw(3), _draw(3)))), *_SIZES, _draw(3)),
        (_draw(3), *_SIZES, _draw(3)),
    ]),
    "9.4": (_blame, [(*_SIZES, "l", _draw(1, 3), _draw(3)), (*_SIZES, "lrr", _draw(3, 3), _draw(3)),
                     (*_SIZES, "", _draw(0, 3), _draw(3))]),
    "9.5": (_value, [(["max", 3, 7],), (["max", 3, "min", 7, "sum", 2, 9],),
                     (["sum", "sum", 9, 8, "min", 4, 6],), ([5],)]),
}
