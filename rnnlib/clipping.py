"""Gradient clipping, and what every function of a gradient tree needs to read one.

A gradient tree is what `backward` returns, or a tuple, list or dict of such: see `records.leaves`.
NaN and infinity are refused by name. A clip that only asks `norm > v` lets them pass, because
NaN > v is False, and the parameter it belongs to is lost.
"""

import numpy as np

from rnnlib import checks
from rnnlib.records import leaves, rebuild


def clip_by_value(grads, v):
    """The gradients with every entry cut off at -v and v.

        g = min(max(g, -v), v)

    v > 0. The direction changes: large entries are cut, small ones are not. The same as
    torch.nn.utils.clip_grad_value_. Mikolov (2012) cut the parts of the gradient that come from
    each time step in this way, say Pascanu et al. (2013, section 3.1).
    Raises ValueError for NaN or infinity, naming the array.
    """
    arrays, v = real_leaves("grads", grads), checks.number("v", v, above=0)
    with np.errstate(over="ignore"):                    # a v beyond float32 cuts nothing there
        cut = {path: np.asarray(np.clip(g, -v, v)) for path, g in arrays.items()}
    return rebuild("grads", grads, cut)


def clip_by_norm(grads, v, *, per="all"):
    """The gradients scaled down to norm v if theirs is larger: (grads, norm before clipping).

        g = g v / ||g||    if ||g|| > v         (Pascanu et al. 2013, algorithm 1)

    v > 0. per="all": ||g|| is one norm over all arrays, and the direction stays; `norm` is a float.
    per="tensor": each array has its own norm; `norm` is a dict from path to float. What is not
    clipped keeps its bits. torch.nn.utils.clip_grad_norm_ divides by ||g|| + 1e-6, and so ends a
    little below v. Raises ValueError for NaN or infinity, naming the array.
    """
    arrays, v = real_leaves("grads", grads), checks.number("v", v, above=0)
    if checks.choice("per", per, ("all", "tensor")) == "all":
        clipped, norms = _scale_down(arrays, v)
    else:
        clipped, norms = {}, {}
        for path, g in arrays.items():
            new, norms[path] = _scale_down({path: g}, v)
            clipped |= new
    return rebuild("grads", grads, clipped), norms


def norm(grads):
    """||g||, the square root of the sum of all squares, over all arrays of the gradients.

    Squares of very large and very small entries neither overflow nor vanish.
    Raises ValueError for NaN or infinity, naming the array.
    """
    largest, relative = _norm(real_leaves("grads", grads))
    return largest * relative


def real_leaves(name, tree):
    """The arrays of a tree by path, to be read: at least one, and all finite real numbers."""
    arrays = leaves(name, tree)
    if not arrays:
        raise ValueError(f"{name}: expected at least one array, got none")
    return {path: checks.real(path, array, copy=False) for path, array in arrays.items()}


def matching_leaves(name, tree, other, arrays):
    """The arrays of `tree` by the paths of `arrays`, the leaves of `other`: same paths and shapes.

    `name` and `other` are the names of the two trees, with which their paths begin.
    """
    found = leaves(name, tree)
    expected = [name + path.removeprefix(other) for path in arrays]
    if list(found) != expected:
        raise ValueError(f"{name}: expected {', '.join(expected)}, got {', '.join(found)}")
    return {
        path: checks.array(own, found[own], array.shape, copy=False)
        for (path, array), own in zip(arrays.items(), expected, strict=True)
    }


def _norm(arrays):
    """The norm as two factors (m, r), m the largest |entry| and 1 <= r <= √n; (0, 1) for zeros.

    Their product may overflow where neither does: four entries of 1e308 have the norm 2e308.
    """
    largest = max(float(np.abs(g).max(initial=0)) for g in arrays.values())
    if largest == 0:
        return 0.0, 1.0
    squares = [np.square(np.divide(g, largest, dtype=float)).sum() for g in arrays.values()]
    return largest, float(np.sqrt(sum(squares)))


def _scale_down(arrays, v):
    largest, relative = _norm(arrays)
    size = largest * relative
    if size <= v:
        return {path: g.copy() for path, g in arrays.items()}, size
    return {
        path: np.asarray(np.divide(g, largest, dtype=float) * (v / relative), g.dtype)
        for path, g in arrays.items()                   # g v / ||g||, with ||g|| = largest relative
    }, size
