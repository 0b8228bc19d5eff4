"""GRU: one gate that forgets and writes, and one that decides how much of the past is looked at."""

from typing import ClassVar

import numpy as np

from rnnlib import checks
from rnnlib.cells import Cell, Trace
from rnnlib.functions import (
    affine,
    before,
    block_size,
    blocks,
    gate_scale,
    gate_views,
    sigmoid_slope,
    squash,
    steps,
    steps_back,
    sum_outer,
    tanh_slope,
    through,
)
from rnnlib.memory import fresh
from rnnlib.records import record
from rnnlib.starts import check_start, recurrent, uniform


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
        check_start(start, gain)
        rng = checks.generator("rng", rng)
        (U,) = uniform(rng, H, (3 * H, D))
        W = recurrent(start, H, rng, gain=gain, gates=3)
        b, b_n = uniform(rng, H, (3 * H,), (H,))
        return GRUCell(U, W, b, b_n) if reset_after else PaperGRUCell(U, W, b)

    def _joined(self):
        """[W U b] with the rows s in the place of n: s_t = W_n h_{t-1} + b_n does not see x_t."""
        P, H = super()._joined(), self.hidden_size
        P[2 * H :, H:-1], P[2 * H :, -1] = 0, self.b_n
        return P

    def _forward(self, xs, state):
        (T, B, D), H = xs.shape, self.hidden_size
        hx, a, rz, a_n, n, rs = fresh(
            xs.dtype, (T + 1, B, H + D + 1), (T, B, 3 * H), (T, B, 2 * H), *[(T, B, H)] * 2, (B, H)
        )
        (x, h), h_prev = self._lay(hx, xs, state), hx[:-1, :, :H]
        (a_r, a_z, s), a_rz, (r, z) = gate_views(a, 3), a[..., : 2 * H], gate_views(rz, 2)
        P, scale = self._joined(), gate_scale("ss", H, xs.dtype)
        for block in blocks(T, B):
            affine(x[block], self.U[2 * H :], self.b[2 * H :], out=a_n[block])  # U_n x_t + b ...
            for hx_t, a_t, a_rz_t, rz_t, r_t, s_t, a_n_t, n_t, z_t, h_prev_t, h_t in steps(
                block, hx, a, a_rz, rz, r, s, a_n, n, z, h_prev, h
            ):
                np.dot(hx_t, P.T, out=a_t)                  # a_r, a_z = W h_{t-1} + U x_t + b; s_t
                squash(a_rz_t, *scale, out=rz_t)            # r_t, z_t
                a_n_t += np.multiply(r_t, s_t, out=rs)      # ... + r_t s_t
                np.tanh(a_n_t, out=n_t)                     # n_t = tanh(a_n)
                mix(z_t, h_prev_t, n_t, out=h_t)            # h_t = (1 - z_t) n_t + z_t h_{t-1}
        return GRUTrace(x, a_r, a_z, a_n, r, z, s, n, h, state, self)

    def _zeros(self):
        d = super()._zeros()
        d.U_n = np.zeros((self.hidden_size, self.input_size + 1), self.dtype)   # [U_n b]
        return d

    def _gradient(self, d):
        H = self.hidden_size
        d.b_n = d.P[2 * H :, -1].copy()
        d.P[2 * H :, H:] = d.U_n
        return super()._gradient(d)

    def _backward(self, trace, dhs, dlast, d):
        (T, B, D), H, size = trace.x.shape, self.hidden_size, block_size(*trace.x.shape[:2])
        dhx, da, da_n, dgates, joint, zdh, dx_n = fresh(
            dhs.dtype, (T + 1, B, H + D + 1), (T, B, 3 * H), (T, B, H), (T, B, 3 * H),
            (size, B, H + D + 1), (B, H), (size, B, D),
        )
        (dx, dh), dh_prev, P = self._lay_back(dhx, dlast), dhx[:-1, :, :H], self._joined()
        (da_r, da_z, ds), (dr, dz, dn) = gate_views(da, 3), gate_views(dgates, 3)
        for block in reversed(blocks(T, B)):
            h_prev = before(trace.state, trace.h, block)
            at_gates(trace, block, trace.s[block], h_prev, (da_r, da_z, da_n), (dr, dz, dn))
            for dhs_t, dh_t, da_z_t, da_n_t, da_r_t, ds_t, da_t, dhx_t, dh_prev_t, r_t, z_t in (
                steps_back(
                    block, dhs, dh, da_z, da_n, da_r, ds, da, dhx, dh_prev, trace.r, trace.z
                )
            ):
                dh_t += dhs_t                               # the loss's own part of dh_t
                da_z_t *= dh_t                              # da_z
                da_n_t *= dh_t                              # da_n
                da_r_t *= da_n_t                            # da_r
                np.multiply(r_t, da_n_t, out=ds_t)          # ds_t = r_t da_n
                np.dot(da_t, P, out=dhx_t)                  # dh_{t-1} = Wᵀ (da_r, da_z, ds_t), dx_t
                dh_prev_t += np.multiply(z_t, dh_t, out=zdh)    # dh_{t-1} += z_t dh_t
            through_gates(block, (dr, dz, dn), (da_n, dh, dh))      # dr_t, dz_t, dn_t
            dx[block] += affine(da_n[block], self.U[2 * H :].T, out=dx_n[: len(h_prev)])
            self._sum(d, da, trace, block, joint)           # dW, dU, db, db_n
            sum_outer(da_n[block], joint[: len(h_prev), :, H:], into=d.U_n)
        return GRUTrace(dx, da_r, da_z, da_n, dr, dz, ds, dn, dh, dhx[0, :, :H], None)


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

    def _joined(self):
        """As [W U b], but the rows n do not meet h_{t-1}: they meet s_t, and that comes later."""
        P, H = super()._joined(), self.hidden_size
        P[2 * H :, :H] = 0
        return P

    def _forward(self, xs, state):
        (T, B, D), H = xs.shape, self.hidden_size
        hx, a, rz, s, n = fresh(
            xs.dtype, (T + 1, B, H + D + 1), (T, B, 3 * H), (T, B, 2 * H), *[(T, B, H)] * 2
        )
        (x, h), h_prev, (r, z) = self._lay(hx, xs, state), hx[:-1, :, :H], gate_views(rz, 2)
        a_r, a_z, a_n = gate_views(a, 3)
        P, W_n, scale = self._joined(), self.W[2 * H :], gate_scale("ss", H, xs.dtype)
        for t in range(T):
            np.dot(hx[t], P.T, out=a[t])                    # a_r, a_z = W h_{t-1} + U x_t + b
            squash(a[t, :, : 2 * H], *scale, out=rz[t])     # r_t, z_t
            np.multiply(r[t], h_prev[t], out=s[t])          # s_t = r_t h_{t-1}
            a_n[t] += s[t] @ W_n.T                          # a_n = W_n s_t + U_n x_t + b
            np.tanh(a_n[t], out=n[t])                       # n_t = tanh(a_n)
            mix(z[t], h_prev[t], n[t], out=h[t])            # h_t = (1 - z_t) n_t + z_t h_{t-1}
        return GRUTrace(x, a_r, a_z, a_n, r, z, s, n, h, state, self)

    def _zeros(self):
        d = super()._zeros()
        d.W_n = np.zeros_like(self.W[2 * self.hidden_size :])
        return d

    def _gradient(self, d):
        d.P[2 * self.hidden_size :, : self.hidden_size] = d.W_n
        return super()._gradient(d)

    def _sum(self, d, da, trace, block, scratch):
        super()._sum(d, da, trace, block, scratch)
        da_n = da[block][..., 2 * self.hidden_size :]
        sum_outer(da_n, trace.s[block], into=d.W_n)         # dW_n = Σ_t da_n s_tᵀ

    def _backward(self, trace, dhs, dlast, d):
        (T, B, D), H, size = trace.x.shape, self.hidden_size, block_size(*trace.x.shape[:2])
        dhx, da, dgates, ds, joint = fresh(
            dhs.dtype, (T + 1, B, H + D + 1), *[(T, B, 3 * H)] * 2, (T, B, H), (size, B, H + D + 1)
        )
        (dx, dh), dh_prev, P = self._lay_back(dhx, dlast), dhx[:-1, :, :H], self._joined()
        (da_r, da_z, da_n), (dr, dz, dn) = gate_views(da, 3), gate_views(dgates, 3)
        W_n = self.W[2 * H :]
        for block in reversed(blocks(T, B)):
            h_was = before(trace.state, trace.h, block)
            at_gates(trace, block, h_was, h_was, (da_r, da_z, da_n), (dr, dz, dn))
            for t in reversed(range(block.start, block.stop)):
                dh[t] += dhs[t]                             # the loss's own part of dh_t
                da_z[t] *= dh[t]                            # da_z
                da_n[t] *= dh[t]                            # da_n
                ds[t] = da_n[t] @ W_n                       # ds_t = W_nᵀ da_n
                da_r[t] *= ds[t]                            # da_r
                np.dot(da[t], P, out=dhx[t])                # dh_{t-1} = Wᵀ (da_r, da_z), dx_t
                dh_prev[t] += trace.z[t] * dh[t] + trace.r[t] * ds[t]   # + z_t dh_t + r_t ds_t
            through_gates(block, (dr, dz, dn), (ds, dh, dh))        # dr_t, dz_t, dn_t
            self._sum(d, da, trace, block, joint)           # dW, dU, db
        return GRUTrace(dx, da_r, da_z, da_n, dr, dz, ds, dn, dh, dhx[0, :, :H], None)


def mix(z, h_prev, n, out):
    """(1 - z) n + z h_prev."""
    np.subtract(h_prev, n, out=out)
    out *= z
    out += n


def at_gates(trace, block, met, h_prev, das, dgates):
    """Fill in all that needs no gradient yet; `met` is what r_t is multiplied by.

    dgates: what each of r, z, n is multiplied by; das: that times the gate's slope.
    """
    dr, dz, dn = (dgate[block] for dgate in dgates)
    r, z, n = gates = [getattr(trace, name)[block] for name in "rzn"]
    dr[:] = met
    np.subtract(h_prev, n, out=dz)
    np.subtract(1, z, out=dn)
    slopes = sigmoid_slope, sigmoid_slope, tanh_slope
    for slope, gate, dgate, da in zip(slopes, gates, (dr, dz, dn), das, strict=True):
        through(slope, gate, dgate, out=da[block])


def through_gates(block, dgates, dvs):
    """dr, dz, dn: what each is multiplied by, times the gradient of what comes of it."""
    for dgate, dv in zip(dgates, dvs, strict=True):
        dgate[block] *= dv[block]
