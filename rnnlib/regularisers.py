"""Regularisers: terms added to a loss. Each returns (value, gradient) as the losses do.

    penalty, more = l2(params, weight)
    loss, grads = loss + penalty, add(grads, more)
"""

import numpy as np

from rnnlib import checks
from rnnlib.cells import RNNCell, RNNTrace
from rnnlib.clipping import matching_leaves, real_leaves
from rnnlib.functions import ACTIVATIONS, affine, sum_outer
from rnnlib.lengths import ended
from rnnlib.records import rebuild


def l2(params, weight, *, biases=False):
    """The squared length of the weights, and its gradient: (penalty, grads).

        penalty = weight/2 Σ p²
        dp = weight p

    The sum goes over the arrays of two axes or more; biases=True adds the others, whose gradient is
    zero otherwise. weight >= 0. `grads` has the structure of `params`. Under SGD it is the
    weight_decay of torch.optim.SGD. Small weights explode less, and vanish more.
    Raises ValueError or TypeError for malformed arguments, and if the penalty overflows.
    """
    arrays, weight = real_leaves("params", params), checks.number("weight", weight, least=0)
    biases = checks.flag("biases", biases)
    counted = {path: biases or p.ndim >= 2 for path, p in arrays.items()}
    with np.errstate(over="ignore"):
        squares = [np.square(p, dtype=float).sum() for path, p in arrays.items() if counted[path]]
        penalty = float(weight / 2 * np.sum(squares))
        grads = {path: np.asarray(weight * counted[path] * p) for path, p in arrays.items()}
    if not np.isfinite([penalty, *(np.abs(g).max(initial=0) for g in grads.values())]).all():
        raise ValueError(f"params: expected a finite penalty at weight {weight:g}, got infinity")
    return penalty, rebuild("params", params, grads)


def add(grads, more):
    """The sum of two gradient trees of one structure, of the type of the first.

    Raises ValueError if they differ in structure or shape, hold NaN or infinity, or overflow.
    """
    arrays = real_leaves("grads", grads)
    others = matching_leaves("more", more, "grads", arrays)
    with np.errstate(over="ignore"):
        sums = {path: np.asarray(g + others[path]) for path, g in arrays.items()}
    for path, total in sums.items():
        if not np.isfinite(total).all():
            raise ValueError(f"{path}: expected a finite sum with more, got an infinite one")
    return rebuild("grads", grads, sums)


def omega(cell, trace, dtrace):
    """The regulariser against vanishing gradients, and its immediate gradient: (value, dcell).

        Ω = 1/B Σ_b Σ_t (r_t - 1)²,  r_t = ||Wᵀ (act'(a_t) dh_t)|| / ||dh_t||

    Pascanu, Mikolov and Bengio (2013, equation 9), with h_t for their state: r_t is by how much the
    step back from t to t - 1 stretches the error dh_t = dL/dh_t. Summed over the steps 1 .. T of a
    sequence, averaged over the batch; a step whose dh_t is zero is left out, and so is what lies
    beyond the end of a shorter sequence.

    `dcell` holds zeros but for W, and is immediate, as their equation 10: only the W written in r_t
    is varied, while states and dh_t are held fixed. It is not the total derivative. (The code they
    published has r_t² in the place of r_t, and the mean over the steps for the sum.) Where r_t = 0,
    as behind a ReLU whose units are all off, Ω has a corner: no gradient comes from that step.

    cell: an `RNNCell`; trace: of forward(cell, ...); dtrace: of backward(cell, trace, ...).
    Raises ValueError or TypeError for another cell, a trace of another cell, NaN or infinity.
    """
    slope, dh = _error_signal(cell, trace, dtrace)
    W, batch = cell.astype(dh.dtype).W, dh.shape[1]
    counts = np.abs(dh).max(axis=-1, keepdims=True)                 # 0 where the step is left out
    u = np.divide(dh, counts, out=np.zeros_like(dh), where=counts > 0)  # lest tiny squares vanish
    length = np.linalg.norm(u, axis=-1, keepdims=True)
    s = slope * np.divide(u, length, out=u, where=counts > 0)       # act'(a_t) dh_t / ||dh_t||
    Ws = affine(s, W.T)
    r = np.linalg.norm(Ws, axis=-1, keepdims=True)                  # r_t = ||Wᵀ s_t||
    off = np.where(counts > 0, r - 1, 0)
    value = float(np.square(off, dtype=float).sum() / batch)        # Ω
    pull = np.divide(2 * off, r, out=np.zeros_like(r), where=r > 0)
    dW = sum_outer(pull * s, Ws) / batch                            # Σ_t 2 (r_t - 1)/r_t s (Wᵀs)ᵀ
    U, b = np.zeros_like(cell.U, dW.dtype), np.zeros_like(cell.b, dW.dtype)
    return value, cell.gradient(U=U, W=dW, b=b)


def _error_signal(cell, trace, dtrace):
    """act'(a_t) and dh_t, both (T, B, H), of arguments that belong together."""
    checks.instance("cell", cell, RNNCell, "an RNNCell (Ω is of its recurrence)")
    checks.instance("trace", trace, RNNTrace, "the trace that forward(cell, ...) returned")
    checks.instance("dtrace", dtrace, RNNTrace, "the dtrace that backward(cell, ...) returned")
    checks.made_by("cell", cell, trace.cell)
    if dtrace.cell is cell:
        raise ValueError("dtrace: expected what backward returned, got a trace of the forward pass")
    dh = checks.array("dtrace.h", dtrace.h, trace.h.shape, trace.h.dtype)
    if trace.lengths is not None:
        dh[ended(trace.lengths, len(dh))] = 0                       # no step is taken there
    return ACTIVATIONS[cell.activation].slope(trace.h), dh
