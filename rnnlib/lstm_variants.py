"""The LSTM with something more, or less: peepholes, and the cell before it could forget."""

from typing import ClassVar

import numpy as np

from rnnlib import checks
from rnnlib.cells import Cell, Trace
from rnnlib.functions import (
    before,
    block_size,
    blocks,
    sigmoid,
    sigmoid_slope,
    staggered,
    sum_steps,
    tanh_slope,
)
from rnnlib.lstm import LSTMCell, LSTMTrace
from rnnlib.memory import fresh
from rnnlib.records import record
from rnnlib.starts import uniform


@record
class PeepholeLSTMCell(Cell):
    """An LSTM whose gates see the cell state (Gers and Schmidhuber 2000, "peepholes").

        a_t = b + W h_{t-1} + U x_t             its rows are a_i, a_f, a_g, a_o; and then
        a_i += p_i ⊙ c_{t-1}    a_f += p_f ⊙ c_{t-1}    a_o += p_o ⊙ c_t
        i, f, o = sigmoid(a_i, a_f, a_o)        g = tanh(a_g)
        c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t         h_t = o_t ⊙ tanh(c_t)

    U (4H, D), W (4H, H), b (4H,) as in `LSTMCell`; p_i, p_f, p_o (H,). All zero: the `LSTMCell`.
    """

    U: np.ndarray
    W: np.ndarray
    b: np.ndarray
    p_i: np.ndarray
    p_f: np.ndarray
    p_o: np.ndarray

    SHAPES: ClassVar = {
        "U": ("4H", "D"), "W": ("4H", "H"), "b": ("4H",),
        "p_i": ("H",), "p_f": ("H",), "p_o": ("H",),
    }
    states: ClassVar = 2

    @classmethod
    def init(cls, input_size, hidden_size, *, rng=0, **options):
        """An `LSTMCell.init` with peepholes from uniform(-1/√H, 1/√H)."""
        rng = checks.generator("rng", rng)
        cell = LSTMCell.init(input_size, hidden_size, rng=rng, **options)
        H = cell.hidden_size
        return cls(cell.U, cell.W, cell.b, *uniform(rng, H, (H,), (H,), (H,)))

    def _forward(self, xs, state):
        hx, a, gates, c_prev, c = _room(self, xs, state[1])
        (x, h), rows = self._lay(hx, xs, state[0]), a.reshape(*xs.shape[:2], -1)
        i, f, g, o = np.moveaxis(gates, 2, 0)
        P, p_if = self._joined(), np.stack([self.p_i, self.p_f])
        for t in range(len(xs)):
            np.dot(hx[t], P.T, out=rows[t])                 # a_t = W h_{t-1} + U x_t + b
            a[t, :, :2] += p_if * c_prev[t][:, None]        # i and f see c_{t-1}
            sigmoid(a[t, :, :2], out=gates[t, :, :2])
            np.tanh(a[t, :, 2], out=g[t])
            c[t] = f[t] * c_prev[t] + i[t] * g[t]
            a[t, :, 3] += self.p_o * c[t]                   # o sees c_t
            sigmoid(a[t, :, 3], out=o[t])
            h[t] = o[t] * np.tanh(c[t])
        return LSTMTrace(x, *np.moveaxis(a, 2, 0), i, f, g, o, c, h, state, self)

    def _backward(self, trace, dhs, dlast, d):
        (T, B, _), H = trace.x.shape, self.hidden_size
        dhx, da, dgates, dc_prev, dc = _room(self, trace.x, 0)
        (dx, dh), rows = self._lay_back(dhx, dlast[0]), da.reshape(T, B, -1)
        P, dc[-1], joint = self._joined(), dlast[1], np.empty_like(dhx[: block_size(T, B)])
        da_i, da_f, _, da_o = np.moveaxis(da, 2, 0)
        for block in reversed(blocks(T, B)):
            c_prev = before(trace.state[1], trace.c, block)
            for t in reversed(range(block.start, block.stop)):
                dh[t] += dhs[t]                             # the loss's own part of dh_t
                i, f, g, o, c = (getattr(trace, name)[t] for name in "ifgoc")
                tanh_c = np.tanh(c)
                da_o[t] = dh[t] * tanh_c * sigmoid_slope(o)
                dc[t] += dh[t] * o * tanh_slope(tanh_c) + self.p_o * da_o[t]
                di, df, dg = dc[t] * g, dc[t] * c_prev[t - block.start], dc[t] * i
                dgates[t] = np.stack([di, df, dg, dh[t] * tanh_c], axis=1)
                da[t, :, :3] = np.stack(
                    [di * sigmoid_slope(i), df * sigmoid_slope(f), dg * tanh_slope(g)], axis=1
                )
                np.dot(rows[t], P, out=dhx[t])              # dh_{t-1} = Wᵀ da_t, dx_t = Uᵀ da_t
                dc_prev[t] = f * dc[t] + self.p_i * da_i[t] + self.p_f * da_f[t]
            sum_steps(da_i[block] * c_prev, into=d.p_i)
            sum_steps(da_f[block] * c_prev, into=d.p_f)
            sum_steps(da_o[block] * trace.c[block], into=d.p_o)
            self._sum(d, rows, trace, block, joint)         # dW = Σ_t da_t h_{t-1}ᵀ, dU, db
        gates = [*np.moveaxis(da, 2, 0), *np.moveaxis(dgates, 2, 0)]
        return LSTMTrace(dx, *gates, dc, dh, np.stack([dhx[0, :, :H], dc_prev[0]]), None)


@record
class LSTM1997Trace(Trace):
    """Every quantity of an unrolled `LSTM1997Cell`: those of `LSTMTrace` without a_f and f."""

    x: np.ndarray
    a_i: np.ndarray
    a_g: np.ndarray
    a_o: np.ndarray
    i: np.ndarray
    g: np.ndarray
    o: np.ndarray
    c: np.ndarray
    h: np.ndarray
    state: np.ndarray
    cell: "LSTM1997Cell"
    lengths: tuple | None = None

    CARRIES: ClassVar = ("h", "c")
    c_prev = LSTMTrace.c_prev


@record
class LSTM1997Cell(Cell):
    """The LSTM before it could forget (Hochreiter and Schmidhuber 1997): no gate on c_{t-1}.

        a_t = b + W h_{t-1} + U x_t             its rows are a_i, a_g, a_o
        i, o = sigmoid(a_i, a_o)                g = tanh(a_g)
        c_t = c_{t-1} + i_t ⊙ g_t               h_t = o_t ⊙ tanh(c_t)

    U (3H, D), W (3H, H), b (3H,). The paper squashes g into (-2, 2) and c into (-1, 1) by scaled
    sigmoids; here both are tanh, so that the cell differs from `LSTMCell` in one thing only.
    """

    U: np.ndarray
    W: np.ndarray
    b: np.ndarray

    SHAPES: ClassVar = {"U": ("3H", "D"), "W": ("3H", "H"), "b": ("3H",)}
    states: ClassVar = 2

    @classmethod
    def init(cls, input_size, hidden_size, *, rng=0, **options):
        """The rows i, g, o of an `LSTMCell.init`."""
        cell = LSTMCell.init(input_size, hidden_size, rng=rng, **options)
        i, _, g, o = np.split(np.arange(4 * cell.hidden_size), 4)
        kept = np.concatenate([i, g, o])
        return cls(cell.U[kept], cell.W[kept], cell.b[kept])

    def _forward(self, xs, state):
        hx, a, gates, c_prev, c = _room(self, xs, state[1])
        (x, h), rows = self._lay(hx, xs, state[0]), a.reshape(*xs.shape[:2], -1)
        (i, g, o), P = np.moveaxis(gates, 2, 0), self._joined()
        for t in range(len(xs)):
            np.dot(hx[t], P.T, out=rows[t])                 # a_t = W h_{t-1} + U x_t + b
            sigmoid(a[t], out=gates[t])
            np.tanh(a[t, :, 1], out=g[t])
            c[t] = c_prev[t] + i[t] * g[t]
            h[t] = o[t] * np.tanh(c[t])
        return LSTM1997Trace(x, *np.moveaxis(a, 2, 0), i, g, o, c, h, state, self)

    def _backward(self, trace, dhs, dlast, d):
        (T, B, _), H = trace.x.shape, self.hidden_size
        dhx, da, dgates, dc_prev, dc = _room(self, trace.x, 0)
        (dx, dh), rows = self._lay_back(dhx, dlast[0]), da.reshape(T, B, -1)
        P, dc[-1], joint = self._joined(), dlast[1], np.empty_like(dhx[: block_size(T, B)])
        for block in reversed(blocks(T, B)):
            for t in reversed(range(block.start, block.stop)):
                dh[t] += dhs[t]                             # the loss's own part of dh_t
                i, g, o, tanh_c = trace.i[t], trace.g[t], trace.o[t], np.tanh(trace.c[t])
                dc[t] += dh[t] * o * tanh_slope(tanh_c)
                dgates[t] = np.stack([dc[t] * g, dc[t] * i, dh[t] * tanh_c], axis=1)
                slopes = [sigmoid_slope(i), tanh_slope(g), sigmoid_slope(o)]
                da[t] = dgates[t] * np.stack(slopes, axis=1)
                np.dot(rows[t], P, out=dhx[t])              # dh_{t-1} = Wᵀ da_t, dx_t = Uᵀ da_t
                dc_prev[t] = dc[t]                          # nothing is lost on the way
            self._sum(d, rows, trace, block, joint)         # dW = Σ_t da_t h_{t-1}ᵀ, dU, db
        gates = [*np.moveaxis(da, 2, 0), *np.moveaxis(dgates, 2, 0)]
        return LSTM1997Trace(dx, *gates, dc, dh, np.stack([dhx[0, :, :H], dc_prev[0]]), None)


def _room(cell, xs, c_first):
    """Memory for a pass: hx (or dhx), all a and gates (T, B, gates, H), c a step earlier, and c."""
    (T, B, D), (rows, H) = xs.shape, cell.W.shape
    each_gate = T, B, rows // H, H
    hx, a, gates, cs = fresh(xs.dtype, (T + 1, B, H + D + 1), each_gate, each_gate, (T + 1, B, H))
    return hx, a, gates, *staggered(cs, c_first)
