"""A plain recurrent layer with one answer at the end, there and back without rnnlib's checks.

Used by experiments/temporal_order.py, whose hundreds of thousands of updates are of one small
network each. P = [W U b] (H, H + D + 1) and Q = [V c_out] (K, H + 1); `as_network` is the same for
rnnlib, whose loss, gradient and Ω a test finds equal to those made here.
"""

import numpy as np

from rnnlib import OutputLayer, RNNCell

TINY = 1e-30  # of ||dh_t||²: below it float32 has no digits left, and Ω leaves the step out


def as_network(P, Q):
    """The same as a cell and an output layer of rnnlib."""
    P, Q = np.asarray(P, float), np.asarray(Q, float)
    H = len(P)
    return RNNCell(U=P[:, H:-1], W=P[:, :H], b=P[:, -1]), OutputLayer(V=Q[:, :-1], c_out=Q[:, -1])


class Passes:
    """There and back through an RNNCell, in arrays that every update uses again.

    The same as rnnlib's forward, backward and omega for an answer at the end. P (H, H + D + 1) says
    how large they are, and of which type; sequences are at most `longest`, B at a time.
    """

    def __init__(self, longest, P, B):
        H, width = P.shape
        self.hx = np.ones((longest + 1, B, width), P.dtype)         # [h_{t-1}; x_t; 1]
        self.hx[0, :, :H] = 0
        self.a = np.empty((B, H), P.dtype)
        self.dh = np.empty((longest + 1, B, H), P.dtype)            # dL/dh_0 .. dL/dh_T
        self.da, self.slope = np.empty((2, longest, B, H), P.dtype)

    def forward(self, P, xs):
        """[h_T; 1], (B, H + 1)."""
        hx, T, H = self.hx, len(xs), len(P)
        hx[:T, :, H:-1] = xs
        hs = hx[1:, :, :H]
        for hx_t, h_t in zip(hx[:T], hs[:T], strict=True):
            np.dot(hx_t, P.T, out=self.a)
            np.tanh(self.a, out=h_t)
        return np.concatenate([hs[T - 1], hx[0, :, -1:]], axis=1)

    def backward(self, P, dh_end, T):
        """d[W U b]."""
        dh, da, H = self.dh, self.da, len(P)
        W = np.ascontiguousarray(P[:, :H])
        slope = np.square(self.hx[1 : T + 1, :, :H], out=self.slope[:T])
        np.subtract(1, slope, out=slope)                            # tanh'(a_t)
        dh[T] = dh_end
        for t in range(T - 1, -1, -1):
            np.multiply(slope[t], dh[t + 1], out=da[t])
            np.dot(da[t], W, out=dh[t])
        return _sum_outer(da[:T], self.hx[:T])

    def omega(self, T):
        """Ω, and its immediate gradient dW; r_t = ||dh_{t-1}|| / ||dh_t||, nothing comes between.

        A step whose dh_t is not above TINY is left out.
        """
        squares = np.einsum("tbh,tbh->tb", self.dh[: T + 1], self.dh[: T + 1])
        counts = (squares[1:] > TINY) & (squares[:-1] > TINY)
        below = np.where(counts, squares[1:], 1)
        r = np.sqrt(np.where(counts, squares[:-1] / below, 1))
        pull = (2 * (r - 1) / (r * below) / len(self.a))[..., None]
        pulled = np.multiply(pull, self.da[:T], out=self.slope[:T])
        return np.square(r - 1).sum() / len(self.a), _sum_outer(pulled, self.dh[:T])


def _sum_outer(left, right):
    return left.reshape(-1, left.shape[-1]).T @ right.reshape(-1, right.shape[-1])


def gradients(passes, P, Q, xs, targets, weight):
    """(wrong answers, d[W U b], d[V c]) of the cross-entropy, and of weight Ω."""
    he, B = passes.forward(P, xs), len(targets)
    logits = he @ Q.T
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    wrong = int((logits.argmax(axis=1) != targets).sum())
    p[np.arange(B), targets] -= 1
    p /= B                                                      # dL/dlogits
    dP = passes.backward(P, p @ Q[:, :-1], len(xs))
    if weight:
        dP[:, : len(P)] += P.dtype.type(weight) * passes.omega(len(xs))[1]
    return wrong, dP, p.T @ he
