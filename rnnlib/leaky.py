"""Leaky units: a state that changes slowly, at a pace that is chosen instead of learnt."""

from typing import ClassVar

import numpy as np

from rnnlib import checks
from rnnlib.cells import HIDDEN, Cell, RNNCell, Trace
from rnnlib.functions import ACTIVATIONS, block_size, blocks
from rnnlib.memory import fresh
from rnnlib.records import record


@record
class LeakyTrace(Trace):
    """Every quantity of an unrolled `LeakyRNNCell`; as a gradient, dL/d(that quantity).

    x (T, B, D) inputs; a (T, B, H) pre-activations; n (T, B, H) what is new; h (T, B, H) hidden
    states; state (B, H) the state before the first step; cell, the cell that made it.
    """

    x: np.ndarray
    a: np.ndarray
    n: np.ndarray
    h: np.ndarray
    state: np.ndarray
    cell: "LeakyRNNCell"
    lengths: tuple | None = None


@record
class LeakyRNNCell(Cell):
    """Leaky units (Mozer 1992; Goodfellow et al. 2016, section 10.9.2).

        a_t = b + W h_{t-1} + U x_t
        n_t = act(a_t)                          act: "tanh", "relu" or "identity"
        h_t = α ⊙ h_{t-1} + (1 - α) ⊙ n_t

    U (H, D), W (H, H), b (H,). alpha, from 0 to below 1, is one number or one for each unit, and
    not learnt: a trace of the past lasts about 1 / (1 - α) steps. α = 0 is the `RNNCell`.
    """

    U: np.ndarray
    W: np.ndarray
    b: np.ndarray
    alpha: float | tuple = 0.9
    activation: str = "tanh"

    SHAPES: ClassVar = {"U": ("H", "D"), "W": ("H", "H"), "b": ("H",)}

    def __post_init__(self):
        checks.choice("activation", self.activation, HIDDEN)
        alpha = self.alpha
        object.__setattr__(self, "alpha", None)     # a caller's array is not ours to make read-only
        super().__post_init__()
        object.__setattr__(self, "alpha", _checked_alpha(alpha, self.hidden_size))

    @classmethod
    def init(
        cls, input_size, hidden_size, *,
        alpha=0.9, activation="tanh", start="uniform", gain=1.0, rng=0,
    ):
        """A cell with the parameters of `RNNCell.init`."""
        alpha = _checked_alpha(alpha, checks.whole("hidden_size", hidden_size))
        cell = RNNCell.init(
            input_size, hidden_size, activation=activation, start=start, gain=gain, rng=rng
        )
        return cls(cell.U, cell.W, cell.b, alpha, activation)

    def _forward(self, xs, state):
        (T, B, D), H, act = xs.shape, self.hidden_size, ACTIVATIONS[self.activation].f
        hx, a, n = fresh(xs.dtype, (T + 1, B, H + D + 1), *[(T, B, H)] * 2)
        (x, h), P = self._lay(hx, xs, state), self._joined()
        alpha = np.array(self.alpha, xs.dtype)
        for t in range(T):
            np.dot(hx[t], P.T, out=a[t])                    # a_t = W h_{t-1} + U x_t + b
            act(a[t], out=n[t])                             # n_t = act(a_t)
            h[t] = alpha * hx[t, :, :H] + (1 - alpha) * n[t]    # h_t = α h_{t-1} + (1 - α) n_t
        return LeakyTrace(x, a, n, h, state, self)

    def _backward(self, trace, dhs, dlast, d):
        (T, B, D), H, slope = trace.x.shape, self.hidden_size, ACTIVATIONS[self.activation].slope
        dhx, da, dn, joint = fresh(
            dhs.dtype, (T + 1, B, H + D + 1), *[(T, B, H)] * 2, (block_size(T, B), B, H + D + 1)
        )
        (dx, dh), P = self._lay_back(dhx, dlast), self._joined()
        alpha = np.array(self.alpha, dhs.dtype)
        for block in reversed(blocks(T, B)):
            slope(trace.n[block], out=da[block])            # act'(a_t)
            for t in reversed(range(block.start, block.stop)):
                dh[t] += dhs[t]                             # the loss's own part of dh_t
                dn[t] = (1 - alpha) * dh[t]                 # dn_t = (1 - α) dh_t
                da[t] *= dn[t]                              # da_t = act'(a_t) dn_t
                np.dot(da[t], P, out=dhx[t])                # dh_{t-1} = Wᵀ da_t, dx_t = Uᵀ da_t
                dhx[t, :, :H] += alpha * dh[t]              # dh_{t-1} += α dh_t
            self._sum(d, da, trace, block, joint)           # dW = Σ_t da_t h_{t-1}ᵀ, dU, db
        return LeakyTrace(dx, da, dn, dh, dhx[0, :, :H], None)


def _checked_alpha(alpha, H):
    if not isinstance(alpha, (tuple, list, np.ndarray)) or getattr(alpha, "ndim", 1) == 0:
        return checks.number("alpha", alpha, least=0, below=1)
    if len(alpha) != H:
        words = f"a number, or one for each of {H} units"
        raise ValueError(f"alpha: expected {words}, got {len(alpha)}")
    each = enumerate(alpha)
    return tuple(checks.number(f"alpha[{i}]", one, least=0, below=1) for i, one in each)
