"""Many small gated networks trained side by side, one per seed.

A pass through a string of 12 letters costs more in Python than in arithmetic: all networks of a
kind share the loop. Every array has the networks as an axis, the first of a parameter, the second
of a state: (T, S, B, H) for T steps, S networks and B sequences. Networks never mix, and no sum
runs over them: a seed gives the same numbers whichever others run beside it, but for the last bits
on some processors. Sums over the steps go one step at a time; padding adds zeros to them.

The equations are those of `rnnlib.LSTMCell`, `LSTM1997Cell`, `GRUCell` and `RNNCell`; a test
asserts that the gradients are rnnlib's.
"""

import numpy as np

from rnnlib import GRUCell, LSTMCell, OutputLayer, RNNCell
from rnnlib.lstm_variants import LSTM1997Cell

CELLS = {"LSTM 1997": LSTM1997Cell, "LSTM": LSTMCell, "GRU": GRUCell, "RNN": RNNCell}


def side_by_side(networks):
    """Pairs (cell, out) of one kind as a dict of arrays, the networks along the first axis."""
    fields = [cell.fields() | out.fields() for cell, out in networks]
    arrays = sorted(name for name, value in fields[0].items() if isinstance(value, np.ndarray))
    return {name: np.stack([one[name] for one in fields]) for name in arrays}


def network(kind, params, s):
    """Network s as a pair (cell, out)."""
    mine = {name: array[s].copy() for name, array in params.items()}
    out = OutputLayer(V=mine.pop("V"), c_out=mine.pop("c_out"))
    return CELLS[kind](**mine), out


def gradients(kind, params, xs, targets, mask, state=None):
    """(loss (S,), gradients, state after the last step) of the cross-entropy.

    It is summed over the steps and averaged over the sequences. xs (T, S, B, D); targets and mask
    (T, S, B): classes, and 1 where they count, 0 in the padding. state: what an earlier call
    returned, to go on from there; zeros if None. The gradient does not go back into it.
    """
    forward, backward = PASSES[kind]
    if state is None:
        zeros = np.zeros((*xs.shape[1:3], params["W"].shape[-1]))
        state = dict.fromkeys(("h", "c") if "LSTM" in kind else ("h",), zeros)
    kept = forward(params, xs, state)
    logits = kept["h"] @ _turned(params["V"]) + params["c_out"][:, None]
    logits -= logits.max(axis=-1, keepdims=True)
    log_sum = np.log(np.exp(logits).sum(axis=-1))
    weight = mask / xs.shape[2]
    asked = np.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
    loss = _over_steps(((log_sum - asked) * weight).sum(axis=-1))
    dlogits = np.exp(logits - log_sum[..., None]) - np.eye(logits.shape[-1])[targets]
    dlogits *= weight[..., None]
    grads = backward(params, xs, kept, dlogits @ params["V"])
    grads |= {"V": _outer(dlogits, kept["h"]), "c_out": _sum(dlogits)}
    return loss, {name: grads[name] for name in params}, {name: kept[name][-1] for name in state}


def clipped(grads, norm):
    """The gradients, those of each network together scaled down to that norm."""
    squares = sum((g * g).reshape(len(g), -1).sum(axis=1) for g in grads.values())
    scale = np.minimum(1.0, norm / np.sqrt(np.maximum(squares, 1e-300)))
    return {name: g * scale.reshape(-1, *[1] * (g.ndim - 1)) for name, g in grads.items()}


# --- the cells: (params, xs, state) -> what is kept; with dL/dh of every step -> gradients -------


def _lstm(p, xs, state):
    """Gates along the fourth axis: i, f, g, o, or without f in the cell of 1997."""
    gates, W = _from_input(p, xs), _turned(p["W"])
    gates = gates.reshape(*xs.shape[:3], -1, W.shape[1])
    (h_prev, h), (c_prev, c) = _staggered(xs, state["h"]), _staggered(xs, state["c"])
    for t in range(len(xs)):
        a = gates[t]
        a += (h_prev[t] @ W).reshape(a.shape)
        g = np.tanh(a[..., -2, :])
        a[:] = _sigmoid(a)
        a[..., -2, :] = g
        kept = c_prev[t] if len(a[0, 0]) == 3 else c_prev[t] * a[..., 1, :]
        c[t] = kept + a[..., 0, :] * g
        h[t] = a[..., -1, :] * np.tanh(c[t])
    return {"h_prev": h_prev, "h": h, "c_prev": c_prev, "c": c, "gates": gates}


def _lstm_back(p, xs, kept, dhs):
    gates, tanh_c, c_prev = kept["gates"], np.tanh(kept["c"]), kept["c_prev"]
    i, *f, g, o = np.moveaxis(gates, 3, 0)
    das, dh, dc = np.empty_like(gates), 0.0, 0.0
    slopes = gates * (1 - gates)
    slopes[..., -2, :] = 1 - g**2
    dh_dc = o * (1 - tanh_c**2)
    for t in reversed(range(len(xs))):
        dh = dh + dhs[t]
        dc = dc + dh * dh_dc[t]
        dgates = [dc * g[t], *[dc * c_prev[t]] * len(f), dc * i[t], dh * tanh_c[t]]
        das[t] = np.stack(dgates, axis=-2) * slopes[t]
        dh = das[t].reshape(*dhs.shape[1:3], -1) @ p["W"]
        dc = dc * f[0][t] if f else dc
    return _affine_back(das.reshape(*dhs.shape[:3], -1), xs, kept)


def _gru(p, xs, state):
    ax, W, b_n = _from_input(p, xs), _turned(p["W"]), p["b_n"][:, None]
    H = W.shape[1]
    h_prev, h = _staggered(xs, state["h"])
    r, z, s, n = np.empty((4, *h.shape))
    for t in range(len(xs)):
        ah = h_prev[t] @ W
        rz = _sigmoid(ax[t, ..., : 2 * H] + ah[..., : 2 * H])
        r[t], z[t] = rz[..., :H], rz[..., H:]
        s[t] = ah[..., 2 * H :] + b_n
        n[t] = np.tanh(ax[t, ..., 2 * H :] + r[t] * s[t])
        h[t] = (1 - z[t]) * n[t] + z[t] * h_prev[t]
    return {"h_prev": h_prev, "h": h, "r": r, "z": z, "s": s, "n": n}


def _gru_back(p, xs, kept, dhs):
    h_prev, h, r, z, s, n = kept.values()
    das, H, dh = np.empty((*dhs.shape[:3], 3 * h.shape[-1])), h.shape[-1], 0.0
    dss = np.empty_like(das)                                        # as W and b_n get them
    for t in reversed(range(len(xs))):
        dh = dh + dhs[t]
        da_n = dh * (1 - z[t]) * (1 - n[t] ** 2)
        da_z = dh * (h_prev[t] - n[t]) * z[t] * (1 - z[t])
        da_r = da_n * s[t] * r[t] * (1 - r[t])
        das[t] = np.concatenate([da_r, da_z, da_n], axis=-1)
        dss[t] = np.concatenate([da_r, da_z, da_n * r[t]], axis=-1)
        dh = dh * z[t] + dss[t] @ p["W"]
    return {"U": _outer(das, xs), "b": _sum(das), "W": _outer(dss, h_prev),
            "b_n": _sum(dss[..., 2 * H :])}


def _rnn(p, xs, state):
    a, W = _from_input(p, xs), _turned(p["W"])
    h_prev, h = _staggered(xs, state["h"])
    for t in range(len(xs)):
        h[t] = np.tanh(a[t] + h_prev[t] @ W)
    return {"h_prev": h_prev, "h": h}


def _rnn_back(p, xs, kept, dhs):
    h, das, dh = kept["h"], np.empty_like(dhs), 0.0
    for t in reversed(range(len(xs))):
        das[t] = (dh + dhs[t]) * (1 - h[t] ** 2)
        dh = das[t] @ p["W"]
    return _affine_back(das, xs, kept)


PASSES = {"LSTM 1997": (_lstm, _lstm_back), "LSTM": (_lstm, _lstm_back),
          "GRU": (_gru, _gru_back), "RNN": (_rnn, _rnn_back)}


def _from_input(p, xs):
    return xs @ _turned(p["U"]) + p["b"][:, None]                   # U x_t + b


def _affine_back(das, xs, kept):
    """Of a_t = b + W h_{t-1} + U x_t."""
    return {"W": _outer(das, kept["h_prev"]), "U": _outer(das, xs), "b": _sum(das)}


def _outer(das, zs):
    return _over_steps(_turned(das) @ zs)                           # Σ_t da_t z_tᵀ


def _sum(das):
    return _over_steps(das.sum(axis=2))


def _over_steps(array):
    """The sum over the first axis, one after the other."""
    return np.add.reduce(array, axis=0)


def _turned(matrix):
    return matrix.swapaxes(-1, -2)


def _staggered(xs, first):
    """Room for a state of every step, seen a step earlier, beginning with `first`, and as it is."""
    room = np.empty((len(xs) + 1, *first.shape))
    room[0] = first
    return room[:-1], room[1:]


def _sigmoid(a):
    return 1.0 / (1.0 + np.exp(-a))
