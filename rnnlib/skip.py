"""Skip connections through time: a second path from the past, with fewer steps on it."""

from typing import ClassVar

import numpy as np

from rnnlib import checks
from rnnlib.cells import HIDDEN, Cell, RNNCell, Trace
from rnnlib.functions import ACTIVATIONS, block_size, blocks, steps_back, sum_outer
from rnnlib.memory import fresh
from rnnlib.records import record
from rnnlib.starts import recurrent


@record
class SkipTrace(Trace):
    """Every quantity of an unrolled `SkipRNNCell`; as a gradient, dL/d(that quantity).

    x (T, B, D) inputs; a (T, B, H) pre-activations; h (T, B, H) hidden states; state (d, B, H) the
    d states before the first step, the newest first; cell, the cell that made it.
    """

    x: np.ndarray
    a: np.ndarray
    h: np.ndarray
    state: np.ndarray
    cell: "SkipRNNCell"
    lengths: tuple | None = None

    def state_after(self, t):
        """The last d hidden states after t steps, the newest first; (d, B, H).

        With lengths, those before the end of each sequence that is over.
        """
        if self.lengths is None:
            return self._newest(t)
        ends = (min(t, length) for length in self.lengths)
        return np.stack([self._newest(end)[:, b] for b, end in enumerate(ends)], axis=1)

    def _newest(self, t):
        d = len(self.state)
        return np.concatenate([self.h[max(0, t - d) : t][::-1], self.state])[:d]

    @property
    def h_skip(self):
        """h d steps earlier, (T, B, H): what the skip connections bring to each step."""
        return np.concatenate([self.state[::-1], self.h])[: len(self.h)]


@record
class SkipRNNCell(Cell):
    """The vanilla cell with skip connections through time, from d steps ago.

        a_t = b + W h_{t-1} + W_d h_{t-d} + U x_t
        h_t = act(a_t)                          act: "tanh", "relu" or "identity"

    U (H, D), W and W_d (H, H), b (H,); skip is d, at least 2. Over τ steps a gradient vanishes like
    one that goes back τ / d steps, through the skips; through W it can still explode over all τ
    (Lin et al. 1996; Goodfellow et al. 2016, section 10.9.1). The state between steps is the last d
    hidden states, the newest first: an array (d, B, H).
    """

    U: np.ndarray
    W: np.ndarray
    W_d: np.ndarray
    b: np.ndarray
    skip: int = 10
    activation: str = "tanh"

    SHAPES: ClassVar = {"U": ("H", "D"), "W": ("H", "H"), "W_d": ("H", "H"), "b": ("H",)}

    def __post_init__(self):
        checks.choice("activation", self.activation, HIDDEN)
        object.__setattr__(self, "skip", checks.whole("skip", self.skip, least=2))
        super().__post_init__()

    @classmethod
    def init(
        cls, input_size, hidden_size, *,
        skip=10, activation="tanh", start="uniform", gain=1.0, rng=0,
    ):
        """A cell with the parameters of `RNNCell.init`; then W_d, drawn as W is."""
        skip, rng = checks.whole("skip", skip, least=2), checks.generator("rng", rng)
        one = RNNCell.init(
            input_size, hidden_size, activation=activation, start=start, gain=gain, rng=rng
        )
        W_d = recurrent(start, one.hidden_size, rng, gain=gain)
        return cls(one.U, one.W, W_d, one.b, skip, activation)

    @property
    def states(self) -> int:
        """d: how many vectors a step hands to the next."""
        return self.skip

    def _forward(self, xs, state):
        (T, B, D), H, act = xs.shape, self.hidden_size, ACTIVATIONS[self.activation].f
        hx, a, old, more = fresh(xs.dtype, (T + 1, B, H + D + 1), (T, B, H), *[(B, H)] * 2)
        (x, h), P = self._lay(hx, xs, state[0]), self._joined()
        h_skip = [*state[::-1], *h][:T]                     # views, of what will be there
        for hx_t, h_skip_t, a_t, h_t in zip(hx[:-1], h_skip, a, h, strict=True):
            np.copyto(old, h_skip_t)                        # its own memory: the same bits always
            np.dot(hx_t, P.T, out=a_t)                      # a_t = W h_{t-1} + U x_t + b ...
            a_t += np.dot(old, self.W_d.T, out=more)        # ... + W_d h_{t-d}
            act(a_t, out=h_t)                               # h_t = act(a_t)
        return SkipTrace(x, a, h, state, self)

    def _backward(self, trace, dhs, dlast, d):
        (T, B, D), H, skip = trace.x.shape, self.hidden_size, self.skip
        slope, P, h_skip = ACTIVATIONS[self.activation].slope, self._joined(), trace.h_skip
        joint = block_size(T, B), B, H + D + 1
        dhx, da, dskip, joint = fresh(
            dhs.dtype, (T + 1, B, H + D + 1), (T, B, H), (T + skip - 1, B, H), joint
        )
        (dx, dh), dskip[T:] = self._lay_back(dhx, dlast[0]), dlast[:0:-1]
        to_prev = dskip[skip - 1 :]                         # dskip_t is for h_{t-d}, this h_{t-1}
        for block in reversed(blocks(T, B)):
            slope(trace.h[block], out=da[block])            # act'(a_t)
            for dhs_t, dh_t, da_t, dhx_t, dskip_t, to_prev_t in steps_back(
                block, dhs, dh, da, dhx, dskip, to_prev
            ):
                dh_t += dhs_t                               # the loss's own part of dh_t
                da_t *= dh_t                                # da_t = act'(a_t) dh_t
                np.dot(da_t, self.W_d, out=dskip_t)         # W_dᵀ da_t, which waits for h_{t-d}
                np.dot(da_t, P, out=dhx_t)                  # dh_{t-1} = Wᵀ da_t, dx_t = Uᵀ da_t
                dhx_t[:, :H] += to_prev_t                   # dh_{t-1} += W_dᵀ da_{t-1+d}
            self._sum(d, da, trace, block, joint)           # dW = Σ_t da_t h_{t-1}ᵀ, dU, db
            sum_outer(da[block], h_skip[block], into=d.W_d)  # dW_d = Σ_t da_t h_{t-d}ᵀ
        dstate = np.concatenate([dhx[:1, :, :H], dskip[: skip - 1][::-1]])
        return SkipTrace(dx, da, dh, dstate, None)
