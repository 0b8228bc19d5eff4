"""LSTM: a cell state with gates that say what is kept, what is written and what is shown."""

from typing import ClassVar

import numpy as np

from rnnlib import checks
from rnnlib.cells import Cell, Trace
from rnnlib.functions import (
    affine,
    before,
    blocks,
    fresh,
    gate_scale,
    sigmoid_slope,
    squash,
    staggered,
    steps,
    steps_back,
    tanh_slope,
)
from rnnlib.records import record
from rnnlib.starts import recurrent, uniform


@record
class LSTMTrace(Trace):
    """Every quantity of an unrolled LSTM; as a gradient, dL/d(that quantity).

    x (T, B, D) inputs; a_i, a_f, a_g, a_o (T, B, H) pre-activations; i, f, o (T, B, H) input,
    forget and output gate; g (T, B, H) the candidate; c, h (T, B, H) cell and hidden state;
    state (2, B, H): h and c before the first step; cell, the cell that made it.
    """

    x: np.ndarray
    a_i: np.ndarray
    a_f: np.ndarray
    a_g: np.ndarray
    a_o: np.ndarray
    i: np.ndarray
    f: np.ndarray
    g: np.ndarray
    o: np.ndarray
    c: np.ndarray
    h: np.ndarray
    state: np.ndarray
    cell: "Cell"
    lengths: tuple | None = None

    CARRIES: ClassVar = ("h", "c")

    @property
    def h_prev(self):
        """h one step earlier, (T, B, H)."""
        return np.concatenate([self.state[:1], self.h[:-1]])

    @property
    def c_prev(self):
        """c one step earlier, (T, B, H)."""
        return np.concatenate([self.state[1:], self.c[:-1]])


@record
class LSTMCell(Cell):
    """Long short-term memory (Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000).

        a_t = b + W h_{t-1} + U x_t             its rows are a_i, a_f, a_g, a_o
        i, f, o = sigmoid(a_i, a_f, a_o)        g = tanh(a_g)
        c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t
        h_t = o_t ⊙ tanh(c_t)

    U (4H, D), W (4H, H), b (4H,): the rows of i, f, g, o one under the other, as in torch.
    The state between steps is the pair (h, c), an array (2, B, H).
    """

    U: np.ndarray
    W: np.ndarray
    b: np.ndarray

    SHAPES: ClassVar = {"U": ("4H", "D"), "W": ("4H", "H"), "b": ("4H",)}
    states: ClassVar = 2

    @classmethod
    def init(
        cls, input_size, hidden_size, *, forget_bias=1.0, start="uniform", gain=1.0, rng=0
    ):
        """A cell with every entry from uniform(-1/√H, 1/√H), and b_f = forget_bias.

        forget_bias=None leaves b_f as drawn, as torch does. start, gain, rng as in `RNNCell.init`.
        """
        D = checks.whole("input_size", input_size)
        H = checks.whole("hidden_size", hidden_size)
        rng = checks.generator("rng", rng)
        (U,) = uniform(rng, H, (4 * H, D))
        W = recurrent(start, H, rng, gain=gain, gates=4)
        (b,) = uniform(rng, H, (4 * H,))
        if forget_bias is not None:
            b[H : 2 * H] = checks.number("forget_bias", forget_bias)
        return cls(U, W, b)

    def _forward(self, xs, state):
        (T, B, _), H = xs.shape, self.hidden_size
        Wh, ig, tanh_c = fresh(xs.dtype, (B, 4 * H), (B, H), (B, H))
        a, gates, hs, cs = fresh(xs.dtype, *[(T, B, 4 * H)] * 2, *[(T + 1, B, H)] * 2)
        (h_prev, h), (c_prev, c) = staggered(hs, state[0]), staggered(cs, state[1])
        (i, f, g, o), scale = np.split(gates, 4, axis=-1), gate_scale("ssts", H, xs.dtype)
        for block in blocks(T):
            affine(xs[block], self.U, self.b, out=a[block])         # a_t = b + U x_t ...
            for h_prev_t, a_t, gates_t, i_t, f_t, g_t, o_t, c_prev_t, c_t, h_t in steps(
                block, h_prev, a, gates, i, f, g, o, c_prev, c, h
            ):
                a_t += np.dot(h_prev_t, self.W.T, out=Wh)        # ... + W h_{t-1}
                squash(a_t, *scale, out=gates_t)                    # i_t, f_t, g_t, o_t
                np.multiply(f_t, c_prev_t, out=c_t)
                c_t += np.multiply(i_t, g_t, out=ig)                # c_t = f_t c_{t-1} + i_t g_t
                np.multiply(o_t, np.tanh(c_t, out=tanh_c), out=h_t)     # h_t = o_t tanh(c_t)
        return LSTMTrace(xs, *np.split(a, 4, axis=-1), i, f, g, o, c, h, state, self)

    def _backward(self, trace, dhs, dlast, d):
        (T, B, D), H = trace.x.shape, self.hidden_size
        scratch, dh_dc, dx, da, dgates, dh, dc = fresh(
            dhs.dtype, (B, H), (T, B, H), (T, B, D), *[(T, B, 4, H)] * 2, *[(T + 1, B, H)] * 2
        )
        (dh_prev, dh), (dc_prev, dc) = staggered(dh, 0), staggered(dc, 0)
        dh[:], dc[-1] = dhs, dlast[1]                               # the loss's own part
        dh[-1] += dlast[0]
        rows = da.reshape(T, B, 4 * H)
        for block in reversed(blocks(T)):
            slopes, partners = self._at_gates(trace, block, dh_dc[block])
            for k in range(4):
                np.multiply(slopes[k], partners[k], out=da[block][:, :, k])
            for dh_t, dc_t, da_t, row_t, f_t, dh_prev_t, dc_prev_t, dh_dc_t in steps_back(
                block, dh, dc, da, rows, trace.f, dh_prev, dc_prev, dh_dc
            ):
                dc_t += np.multiply(dh_t, dh_dc_t, out=scratch)     # dc_t += o_t tanh'(c_t) dh_t
                da_t[:, :3] *= dc_t[:, None]                        # da_i, da_f, da_g: through c_t
                da_t[:, 3] *= dh_t                                  # da_o: through h_t alone
                dh_prev_t += np.dot(row_t, self.W, out=scratch)     # dh_{t-1} += Wᵀ da_t
                np.multiply(dc_t, f_t, out=dc_prev_t)               # dc_{t-1} = f_t dc_t
            for k, through in enumerate((dc, dc, dc, dh)):          # di_t = g_t dc_t, ...
                np.multiply(partners[k], through[block], out=dgates[block][:, :, k])
            self._sum(d, rows, trace, block, dx)                    # dU, dW, db, dx_t
        gates = [*np.moveaxis(da, 2, 0), *np.moveaxis(dgates, 2, 0)]
        return LSTMTrace(dx, *gates, dc, dh, np.stack([dh_prev[0], dc_prev[0]]), None)

    def _at_gates(self, trace, block, dh_dc):
        """For i, f, g, o: their slopes, and what each is multiplied by; fill in dh_t/dc_t."""
        i, f, g, o = (getattr(trace, name)[block] for name in "ifgo")
        tanh_c = np.tanh(trace.c[block])
        np.multiply(o, tanh_slope(tanh_c), out=dh_dc)
        slopes = sigmoid_slope(i), sigmoid_slope(f), tanh_slope(g), sigmoid_slope(o)
        return slopes, (g, before(trace.state[1], trace.c, block), i, tanh_c)
