"""LSTM: a cell state with gates that say what is kept, what is written and what is shown."""

from typing import ClassVar

import numpy as np

from rnnlib import checks
from rnnlib.cells import Cell, Trace
from rnnlib.functions import (
    before,
    block_size,
    blocks,
    gate_scale,
    gate_views,
    sigmoid_slope,
    squash,
    staggered,
    steps_back,
    tanh_slope,
    through,
)
from rnnlib.memory import fresh
from rnnlib.records import record
from rnnlib.starts import check_start, recurrent, uniform


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
        check_start(start, gain)
        if forget_bias is not None:
            checks.number("forget_bias", forget_bias)
        rng = checks.generator("rng", rng)
        (U,) = uniform(rng, H, (4 * H, D))
        W = recurrent(start, H, rng, gain=gain, gates=4)
        (b,) = uniform(rng, H, (4 * H,))
        if forget_bias is not None:
            b[H : 2 * H] = forget_bias
        return cls(U, W, b)

    def _forward(self, xs, state):
        (T, B, D), H = xs.shape, self.hidden_size
        hx, a, gates, cs, ig, tanh_c = fresh(
            xs.dtype, (T + 1, B, H + D + 1), *[(T, B, 4 * H)] * 2, (T + 1, B, H), *[(B, H)] * 2
        )
        (x, h), (c_prev, c) = self._lay(hx, xs, state[0]), staggered(cs, state[1])
        i, f, g, o = gate_views(gates, 4)
        P, scale = self._joined(), gate_scale("ssts", H, xs.dtype)
        for hx_t, a_t, gates_t, i_t, f_t, g_t, o_t, c_prev_t, c_t, h_t in zip(
            hx[:-1], a, gates, i, f, g, o, c_prev, c, h, strict=True
        ):
            np.dot(hx_t, P.T, out=a_t)                          # a_t = W h_{t-1} + U x_t + b
            squash(a_t, *scale, out=gates_t)                    # i_t, f_t, g_t, o_t
            np.multiply(f_t, c_prev_t, out=c_t)
            c_t += np.multiply(i_t, g_t, out=ig)                # c_t = f_t c_{t-1} + i_t g_t
            np.multiply(o_t, np.tanh(c_t, out=tanh_c), out=h_t)  # h_t = o_t tanh(c_t)
        return LSTMTrace(x, *gate_views(a, 4), i, f, g, o, c, h, state, self)

    def _backward(self, trace, dhs, dlast, d):
        (T, B, D), H, size = trace.x.shape, self.hidden_size, block_size(*trace.x.shape[:2])
        dhx, da, dgates, dcs, dh_dc, tanh_c, joint, more = fresh(
            dhs.dtype, (T + 1, B, H + D + 1), *[(T, B, 4 * H)] * 2, (T + 1, B, H), (T, B, H),
            (size, B, H), (size, B, H + D + 1), (B, H),
        )
        (dx, dh), (dc_prev, dc) = self._lay_back(dhx, dlast[0]), staggered(dcs, 0)
        P, das, dis = self._joined(), gate_views(da, 4), gate_views(dgates, 4)
        da_ifg, dc_row, dc[-1] = da.reshape(T, B, 4, H)[:, :, :3], dc[:, :, None], dlast[1]
        for block in reversed(blocks(T, B)):
            partners = self._at_gates(trace, block, das, dh_dc[block], tanh_c)
            for (
                dhs_t, dh_t, dh_dc_t, dc_t, dc_row_t, da_ifg_t, da_o_t, da_t, f_t, dhx_t, dc_prev_t
            ) in steps_back(
                block, dhs, dh, dh_dc, dc, dc_row, da_ifg, das[3], da, trace.f, dhx, dc_prev
            ):
                dh_t += dhs_t                                   # the loss's own part of dh_t
                dc_t += np.multiply(dh_t, dh_dc_t, out=more)    # dc_t += o_t tanh'(c_t) dh_t
                da_ifg_t *= dc_row_t                            # da_i, da_f, da_g: through c_t
                da_o_t *= dh_t                                  # da_o: through h_t alone
                np.dot(da_t, P, out=dhx_t)                      # dh_{t-1} = Wᵀ da_t, dx_t = Uᵀ da_t
                np.multiply(dc_t, f_t, out=dc_prev_t)           # dc_{t-1} = f_t dc_t
            for dgate, partner, dv in zip(dis, partners, (dc, dc, dc, dh), strict=True):
                np.multiply(partner, dv[block], out=dgate[block])  # di_t = g_t dc_t, ...
            self._sum(d, da, trace, block, joint)               # dW = Σ_t da_t h_{t-1}ᵀ, dU, db
        dstate = np.stack([dhx[0, :, :H], dcs[0]])
        return LSTMTrace(dx, *das, *dis, dc, dh, dstate, None)

    def _at_gates(self, trace, block, das, dh_dc, tanh_c):
        """Fill in all that needs no gradient yet: da_t as far as the gates go, dh_t/dc_t.

        Returns what each gate is multiplied by.
        """
        i, f, g, o = (getattr(trace, name)[block] for name in "ifgo")
        tanh_c = np.tanh(trace.c[block], out=tanh_c[: len(i)])
        partners = g, before(trace.state[1], trace.c, block), i, tanh_c
        slopes = sigmoid_slope, sigmoid_slope, tanh_slope, sigmoid_slope
        for slope, gate, partner, da in zip(slopes, (i, f, g, o), partners, das, strict=True):
            through(slope, gate, partner, out=da[block])
        through(tanh_slope, tanh_c, o, out=dh_dc)
        return partners
