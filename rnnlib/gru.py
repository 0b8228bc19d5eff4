"""GRU: one gate that forgets and writes, and one that decides how much of the past is looked at."""

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
    sum_outer,
    sum_steps,
    tanh_slope,
)
from rnnlib.records import record
from rnnlib.starts import recurrent, uniform


@record
class GRUTrace(Trace):
    """Every quantity of an unrolled `GRUCell`; as a gradient, dL/d(that quantity).

    x (T, B, D) inputs; a_r, a_z, a_n (T, B, H) pre-activations; r, z (T, B, H) reset and update
    gate; n (T, B, H) the candidate; s (T, B, H) the past that it sees: b_n + W_n h_{t-1} or, with
    the reset gate before the product, r_t ⊙ h_{t-1}; h (T, B, H) hidden states; state (B, H) the
    state before the first step; cell, the cell that made it.
    """

    x: np.ndarray
    a_r: np.ndarray
    a_z: np.ndarray
    a_n: np.ndarray
    r: np.ndarray
    z: np.ndarray
    s: np.ndarray
    n: np.ndarray
    h: np.ndarray
    state: np.ndarray
    cell: "GRUCell"
    lengths: tuple | None = None

    @property
    def h_prev(self):
        """h one step earlier, (T, B, H)."""
        return np.concatenate([self.state[None], self.h[:-1]])


@record
class GRUCell(Cell):
    """Gated recurrent unit, reset gate after the product: torch's and cuDNN's form.

        r_t, z_t = sigmoid(b + W h_{t-1} + U x_t)       rows r and z of each
        s_t = b_n + W_n h_{t-1}
        n_t = tanh(b + r_t ⊙ s_t + U x_t)               rows n of b and U
        h_t = (1 - z_t) ⊙ n_t + z_t ⊙ h_{t-1}

    U (3H, D), W (3H, H), b (3H,): the rows of r, z, n one under the other, as in torch; b_n (H,).
    `init(..., reset_after=False)` makes a `PaperGRUCell`: the form of Cho et al. 2014.
    """

    U: np.ndarray
    W: np.ndarray
    b: np.ndarray
    b_n: np.ndarray

    SHAPES: ClassVar = {"U": ("3H", "D"), "W": ("3H", "H"), "b": ("3H",), "b_n": ("H",)}

    @classmethod
    def init(
        cls, input_size, hidden_size, *, reset_after=True, start="uniform", gain=1.0, rng=0
    ):
        """A cell with every entry from uniform(-1/√H, 1/√H), as torch; the rest as `RNNCell.init`.

        reset_after=False: the reset gate comes before the product with W_n (`PaperGRUCell`).
        """
        D = checks.whole("input_size", input_size)
        H = checks.whole("hidden_size", hidden_size)
        reset_after = checks.flag("reset_after", reset_after)
        rng = checks.generator("rng", rng)
        (U,) = uniform(rng, H, (3 * H, D))
        W = recurrent(start, H, rng, gain=gain, gates=3)
        b, b_n = uniform(rng, H, (3 * H,), (H,))
        return GRUCell(U, W, b, b_n) if reset_after else PaperGRUCell(U, W, b)

    def _forward(self, xs, state):
        (T, B, _), H = xs.shape, self.hidden_size
        a, gates, s, n, hs = fresh(
            xs.dtype, (T, B, 3 * H), (T, B, 2 * H), *[(T, B, H)] * 2, (T + 1, B, H)
        )
        h_prev, h = staggered(hs, state)
        a_rz, a_n = np.split(a, [2 * H], axis=-1)
        (r, z), scale = np.split(gates, 2, axis=-1), gate_scale("ss", H, xs.dtype)
        Wh, rs = fresh(xs.dtype, (B, 3 * H), (B, H))
        for block in blocks(T):
            affine(xs[block], self.U, self.b, out=a[block])         # b + U x_t ...
            for h_prev_t, a_rz_t, rz_t, s_t, r_t, z_t, a_n_t, n_t, h_t in steps(
                block, h_prev, a_rz, gates, s, r, z, a_n, n, h
            ):
                np.dot(h_prev_t, self.W.T, out=Wh)
                a_rz_t += Wh[:, : 2 * H]                            # ... + W h_{t-1}: r and z
                squash(a_rz_t, *scale, out=rz_t)                    # r_t, z_t
                np.add(Wh[:, 2 * H :], self.b_n, out=s_t)           # s_t = b_n + W_n h_{t-1}
                a_n_t += np.multiply(r_t, s_t, out=rs)              # ... + r_t s_t: n
                np.tanh(a_n_t, out=n_t)                             # n_t = tanh(a_n)
                mix(z_t, h_prev_t, n_t, out=h_t)                    # h_t = (1-z) n + z h_{t-1}
        return GRUTrace(xs, *np.split(a, 3, axis=-1), r, z, s, n, h, state, self)

    def _backward(self, trace, dhs, dlast, d):
        (T, B, D), H = trace.x.shape, self.hidden_size
        scratch, dx, da, dWh, dgates, dh = fresh(
            dhs.dtype, (B, H), (T, B, D), *[(T, B, 3, H)] * 3, (T + 1, B, H)
        )
        dh_prev, dh = staggered(dh, 0)
        dh[:] = dhs                                                     # the loss's own part
        dh[-1] += dlast
        rows, Wh_rows = da.reshape(T, B, 3 * H), dWh.reshape(T, B, 3 * H)
        for block in reversed(blocks(T)):
            h_prev = before(trace.state, trace.h, block)
            partners(trace, block, h_prev, trace.s[block], da[block], dgates[block])
            for dh_t, da_t, dWh_t, r_t, z_t, row_t, dh_prev_t in steps_back(
                block, dh, da, dWh, trace.r, trace.z, Wh_rows, dh_prev
            ):
                da_n_t = da_t[:, 2]
                through_gates(da_t, dh_t, da_n_t)                   # da_z, da_n, and then da_r
                dWh_t[:, :2] = da_t[:, :2]
                np.multiply(da_n_t, r_t, out=dWh_t[:, 2])           # ds_t = r_t da_n
                zdh = np.multiply(z_t, dh_t, out=scratch)           # dh_{t-1} += z_t dh_t
                zdh += row_t @ self.W                               #   + Wᵀ (da_r, da_z, ds)
                dh_prev_t += zdh
            through_gates(dgates[block], dh[block], da[block][..., 2, :])   # dr_t, dz_t, dn_t
            d.U += sum_outer(rows[block], trace.x[block])           # dU = Σ_t da_t x_tᵀ
            d.W += sum_outer(Wh_rows[block], h_prev)                # dW = Σ_t (.., ds_t) h_{t-1}ᵀ
            d.b += sum_steps(rows[block])                           # db = Σ_t da_t
            d.b_n += sum_steps(dWh[block][..., 2, :])               # db_n = Σ_t ds_t
            affine(rows[block], self.U.T, out=dx[block])            # dx_t = Uᵀ da_t
        (dr, dz, dn), ds = np.moveaxis(dgates, 2, 0), dWh[:, :, 2]
        return GRUTrace(dx, *np.moveaxis(da, 2, 0), dr, dz, ds, dn, dh, dh_prev[0], None)


@record
class PaperGRUCell(Cell):
    """Gated recurrent unit, reset gate before the product (Cho et al. 2014, equations 5 to 8).

        r_t, z_t = sigmoid(b + W h_{t-1} + U x_t)       rows r and z of each
        s_t = r_t ⊙ h_{t-1}
        n_t = tanh(b + W_n s_t + U x_t)                 rows n of each
        h_t = (1 - z_t) ⊙ n_t + z_t ⊙ h_{t-1}

    U (3H, D), W (3H, H), b (3H,). Not the same function as `GRUCell`: r ⊙ (W h) is not W (r ⊙ h).
    """

    U: np.ndarray
    W: np.ndarray
    b: np.ndarray

    SHAPES: ClassVar = {"U": ("3H", "D"), "W": ("3H", "H"), "b": ("3H",)}

    def _forward(self, xs, state):
        (T, B, _), H = xs.shape, self.hidden_size
        a, gates, s, n, hs = fresh(
            xs.dtype, (T, B, 3 * H), (T, B, 2 * H), *[(T, B, H)] * 2, (T + 1, B, H)
        )
        h_prev, h = staggered(hs, state)
        (a_rz, a_n), (r, z) = np.split(a, [2 * H], axis=-1), np.split(gates, 2, axis=-1)
        scale, (W_rz, W_n) = gate_scale("ss", H, xs.dtype), np.split(self.W, [2 * H])
        for block in blocks(T):
            affine(xs[block], self.U, self.b, out=a[block])         # b + U x_t ...
            for h_prev_t, a_rz_t, rz_t, r_t, s_t, z_t, a_n_t, n_t, h_t in steps(
                block, h_prev, a_rz, gates, r, s, z, a_n, n, h
            ):
                a_rz_t += h_prev_t @ W_rz.T                         # ... + W h_{t-1}: r and z
                squash(a_rz_t, *scale, out=rz_t)                    # r_t, z_t
                np.multiply(r_t, h_prev_t, out=s_t)                 # s_t = r_t h_{t-1}
                a_n_t += s_t @ W_n.T                                # ... + W_n s_t: n
                np.tanh(a_n_t, out=n_t)                             # n_t = tanh(a_n)
                mix(z_t, h_prev_t, n_t, out=h_t)                    # h_t = (1-z) n + z h_{t-1}
        return GRUTrace(xs, *np.split(a, 3, axis=-1), r, z, s, n, h, state, self)

    def _backward(self, trace, dhs, dlast, d):
        (T, B, D), H = trace.x.shape, self.hidden_size
        dx, da, dgates, ds, dh = fresh(
            dhs.dtype, (T, B, D), *[(T, B, 3, H)] * 2, (T, B, H), (T + 1, B, H)
        )
        dh_prev, dh = staggered(dh, 0)
        dh[:] = dhs                                                     # the loss's own part
        dh[-1] += dlast
        rows, (W_rz, W_n) = da.reshape(T, B, 3 * H), np.split(self.W, [2 * H])
        for block in reversed(blocks(T)):
            h_prev = before(trace.state, trace.h, block)
            partners(trace, block, h_prev, h_prev, da[block], dgates[block])
            for dh_t, da_t, ds_t, row_t, r_t, z_t, dh_prev_t in steps_back(
                block, dh, da, ds, rows, trace.r, trace.z, dh_prev
            ):
                da_t[:, 1:] *= dh_t[:, None]                        # da_z, da_n
                np.dot(da_t[:, 2], W_n, out=ds_t)                   # ds_t = W_nᵀ da_n
                da_t[:, 0] *= ds_t                                  # da_r
                # dh_{t-1} += z_t dh_t + r_t ds_t + Wᵀ (da_r, da_z)
                dh_prev_t += z_t * dh_t + r_t * ds_t + row_t[:, : 2 * H] @ W_rz
            through_gates(dgates[block], dh[block], ds[block])      # dr_t, dz_t, dn_t
            d.U += sum_outer(rows[block], trace.x[block])           # dU = Σ_t da_t x_tᵀ
            d.W[: 2 * H] += sum_outer(rows[block][..., : 2 * H], h_prev)
            d.W[2 * H :] += sum_outer(rows[block][..., 2 * H :], trace.s[block])
            d.b += sum_steps(rows[block])                           # db = Σ_t da_t
            affine(rows[block], self.U.T, out=dx[block])            # dx_t = Uᵀ da_t
        return GRUTrace(
            dx, *np.moveaxis(da, 2, 0), dgates[:, :, 0], dgates[:, :, 1], ds, dgates[:, :, 2],
            dh, dh_prev[0], None,
        )


def mix(z, h_prev, n, out):
    """(1 - z) n + z h_prev."""
    np.subtract(h_prev, n, out=out)
    out *= z
    out += n


def partners(trace, block, h_prev, met, da, dgates):
    """Fill in all of da and dgates that needs no gradient yet: slopes, and what each gate meets."""
    r, z, n = (getattr(trace, name)[block] for name in "rzn")
    for k, (gate, slope, partner) in enumerate([
        (r, sigmoid_slope, met), (z, sigmoid_slope, h_prev - n), (n, tanh_slope, 1 - z),
    ]):
        dgates[..., k, :] = partner
        np.multiply(slope(gate), partner, out=da[..., k, :])


def through_gates(d, dh, ds):
    """What z and n did to h_t, and r to what it met: d (., 3, H) times ds, dh, dh."""
    d[..., 1:, :] *= dh[..., None, :]
    d[..., 0, :] *= ds
