"""The elementary functions: activations with their slopes, the softmax, products over all steps.

Each activation is a pair. `f(a)` is the function; `slope(h)` is its derivative *written in terms
of its own output* h = f(a), which is what a backward pass has at hand:

    tanh       h = tanh(a)             dh/da = 1 - h²
    sigmoid    h = 1 / (1 + exp(-a))   dh/da = h (1 - h)
    relu       h = max(a, 0)           dh/da = 1 if h > 0 else 0   (0 at a = 0, as in torch)
    identity   h = a                   dh/da = 1

`f(a, out=h)` and `slope(h, out=da)` write where they are told and allocate nothing. These functions
trust their arguments.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Activation(NamedTuple):
    """An activation and its derivative in terms of the output; both elementwise."""

    f: Callable
    slope: Callable


def sigmoid(a, out=None):
    """1 / (1 + exp(-a)), as (1 + tanh(a/2)) / 2, which cannot overflow."""
    out = np.multiply(a, 0.5, out=out)
    np.tanh(out, out=out)
    np.add(out, 1, out=out)
    return np.multiply(out, 0.5, out=out)


def relu(a, out=None):
    """max(a, 0)."""
    return np.maximum(a, 0, out=out)


def tanh_slope(h, out=None):
    """1 - h²."""
    out = np.multiply(h, h, out=out)
    return np.subtract(1, out, out=out)


def sigmoid_slope(h, out=None):
    """h - h²."""
    out = np.multiply(h, h, out=out)
    return np.subtract(h, out, out=out)


def ones(h, out=None):
    """1, whatever h is."""
    out = np.empty_like(h) if out is None else out
    out.fill(1)
    return out


ACTIVATIONS = {
    "tanh": Activation(np.tanh, tanh_slope),
    "sigmoid": Activation(sigmoid, sigmoid_slope),
    "relu": Activation(relu, np.sign),  # h is never negative
    "identity": Activation(np.positive, ones),
}


def softmax(logits, out=None):
    """exp(z_k) / Σ_j exp(z_j) over the last axis; the largest z is taken off first: no overflow."""
    out = np.subtract(logits, logits.max(axis=-1, keepdims=True), out=out)
    np.exp(out, out=out)
    return np.divide(out, out.sum(axis=-1, keepdims=True), out=out)


def gate_views(v, gates):
    """The gates that lie side by side in v (T, B, gates · H): views (T, B, H)."""
    H = v.shape[-1] // gates
    return [v[..., k * H : (k + 1) * H] for k in range(gates)]


@functools.cache
def gate_scale(kinds, H, dtype):
    """(scale, shift) for `squash`: "ssts" is sigmoid, sigmoid, tanh, sigmoid, H units of each."""
    scale = np.repeat([0.5 if kind == "s" else 1.0 for kind in kinds], H).astype(dtype)
    return scale, 1 - scale


def squash(a, scale, shift, out):
    """sigmoid(a) where scale is 1/2, tanh(a) where it is 1: one tanh serves all gates.

    sigmoid(a) = 1/2 + 1/2 tanh(a / 2)
    """
    np.multiply(a, scale, out=out)
    np.tanh(out, out=out)
    out *= scale
    out += shift


def affine(v, M, b=None, out=None):
    """M v + b for every step and sequence at once: (T, B, N), (M, N), (M,) -> (T, B, M).

    The steps are laid under one another, so that it is a single matrix product.
    """
    if out is None:
        out = np.empty((*v.shape[:-1], len(M)), np.result_type(v, M))
    np.matmul(_rows(v), M.T, out=_rows(out))
    if b is not None:
        out += b
    return out


def sum_outer(d, v, into=None):
    """Σ d vᵀ over all steps and sequences, added to `into`: (T, B, M), (T, B, N) -> (M, N).

    The last 16 steps come first, then the 16 before: the sum has the same bits when a sequence is
    gone through in parts.
    """
    into = np.zeros((d.shape[-1], v.shape[-1]), d.dtype) if into is None else into
    for start in reversed(range(0, len(d), BLOCK)):
        into += _rows(d[start : start + BLOCK]).T @ _rows(v[start : start + BLOCK])
    return into


def sum_steps(d, into=None):
    """Σ d over all steps and sequences, added to `into`, as in `sum_outer`: (T, B, M) -> (M,)."""
    into = np.zeros(d.shape[-1], d.dtype) if into is None else into
    for start in reversed(range(0, len(d), BLOCK)):
        into += _rows(d[start : start + BLOCK]).sum(axis=0)
    return into


BLOCK = 16


def block_size(T, B):
    """How many steps a block has: 16, up to 64 where the batch is small, and never more than T."""
    return min(T, BLOCK * max(1, min(4, 32 // B)))


def blocks(T, B):
    """The steps 0 .. T-1 in blocks: slices, in order.

    What needs no loop over time is done once a block, while its numbers are in the processor's
    cache.
    """
    size = block_size(T, B)
    return [slice(start, min(start + size, T)) for start in range(0, T, size)]


def steps(block, *arrays):
    """One step of a block after the other: (a_t, h_t, ...), views to read and to write."""
    return zip(*(v[block] for v in arrays), strict=True)


def steps_back(block, *arrays):
    """The same, the last step of the block first."""
    return zip(*(v[block][::-1] for v in arrays), strict=True)


def joined(h_prev, x, out):
    """[h_{t-1}; x_t; 1] for every step: (T, B, H), (T, B, D) -> (T, B, H + D + 1)."""
    H = h_prev.shape[-1]
    out = out[: len(x)]
    out[..., :H], out[..., H:-1], out[..., -1] = h_prev, x, 1
    return out


def through(slope, gate, partner, out):
    """What a gate's pre-activation does to gate ⊙ partner: slope(gate) ⊙ partner."""
    slope(gate, out=out)
    out *= partner


def staggered(array, first):
    """One array of T + 1 steps seen twice, a step apart: (v_prev, v), where v_prev[t] is v[t-1].

    v_prev[0] becomes `first`, the rest waits to be written.
    """
    array[0] = first
    return array[:-1], array[1:]


def before(first, v, block):
    """v one step earlier, for the steps of a block; before step 0 comes `first`."""
    if block.start:
        return v[block.start - 1 : block.stop - 1]
    return np.concatenate([first[None], v[: block.stop - 1]])


def _rows(v):
    return v.reshape(-1, v.shape[-1])
