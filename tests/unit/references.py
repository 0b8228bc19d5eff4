"""The recurrences once more, step by step and as plainly as can be, and two oracles of gradients.

Each loop takes the parameters as a dict and hands every quantity of every step to `note`, which
may change it, record it or have torch keep its gradient. The same lines run in numpy and in torch.
"""

import numpy as np
import torch

from rnnlib import (
    GRUCell,
    JordanCell,
    LeakyRNNCell,
    LSTM1997Cell,
    LSTMCell,
    PaperGRUCell,
    PeepholeLSTMCell,
    RNNCell,
)
from rnnlib.skip import SkipRNNCell

NUMPY = {
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0),
    "identity": lambda a: a + 0,
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True),
}
TORCH = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "identity": lambda a: a + 0,
    "sigmoid": torch.sigmoid,
    "softmax": lambda z: torch.softmax(z, dim=-1),
}


def rnn_loop(cell, library, p, xs, state, note):
    """a_t = b + W h_{t-1} + U x_t, h_t = act(a_t); returns all h_t."""
    h, hs = state, []
    for t, x in enumerate(xs):
        a = note("a", t, p["b"] + h @ p["W"].T + x @ p["U"].T)
        h = note("h", t, library[cell.activation](a))
        hs.append(h)
    return hs


def jordan_loop(cell, library, p, xs, state, note, teacher=None):
    """a_t = b + W y_{t-1} + U x_t, y_t = out(c_out + V h_t); returns all y_t."""
    fed, ys = state, []
    for t, x in enumerate(xs):
        a = note("a", t, p["b"] + fed @ p["W"].T + x @ p["U"].T)
        h = note("h", t, library[cell.activation](a))
        logits = note("logits", t, p["c_out"] + h @ p["V"].T)
        y = note("y", t, library[cell.out_activation](logits))
        fed = y if teacher is None else teacher[t]
        ys.append(y)
    return ys


def lstm_loop(cell, library, p, xs, state, note):
    """Gates from b + W h_{t-1} + U x_t; c_t = f c_{t-1} + i g, h_t = o tanh(c_t); all h_t."""
    (h, c), hs = state, []
    for t, x in enumerate(xs):
        a = np.split(np.arange(len(p["b"])), 4)
        a = [p["b"][k] + h @ p["W"][k].T + x @ p["U"][k].T for k in a]
        a = {name: note(f"a_{name}", t, value) for name, value in zip("ifgo", a, strict=True)}
        i, f, o = (note(name, t, library["sigmoid"](a[name])) for name in "ifo")
        g = note("g", t, library["tanh"](a["g"]))
        c = note("c", t, f * c + i * g)
        h = note("h", t, o * library["tanh"](c))
        hs.append(h)
    return hs


def gru_loop(cell, library, p, xs, state, note):
    """r, z, n, and h_t = (1 - z) n + z h_{t-1}; the reset gate after or before the product."""
    h, hs = state, []
    R, Z, N = np.split(np.arange(len(p["b"])), 3)
    for t, x in enumerate(xs):
        kinds = zip("rzn", (R, Z, N), strict=True)
        ux = {k: p["b"][rows] + x @ p["U"][rows].T for k, rows in kinds}
        r, z = (
            note(k, t, library["sigmoid"](note(f"a_{k}", t, ux[k] + h @ p["W"][rows].T)))
            for k, rows in zip("rz", (R, Z), strict=True)
        )
        if isinstance(cell, GRUCell):
            s = note("s", t, p["b_n"] + h @ p["W"][N].T)
            a_n = ux["n"] + r * s
        else:
            s = note("s", t, r * h)
            a_n = ux["n"] + s @ p["W"][N].T
        n = note("n", t, library["tanh"](note("a_n", t, a_n)))
        h = note("h", t, (1 - z) * n + z * h)
        hs.append(h)
    return hs


def leaky_loop(cell, library, p, xs, state, note):
    """n_t = act(b + W h_{t-1} + U x_t), h_t = alpha h_{t-1} + (1 - alpha) n_t; all h_t."""
    h, hs, alpha = state, [], np.array(cell.alpha)
    alpha = torch.tensor(alpha) if library is TORCH else alpha
    for t, x in enumerate(xs):
        a = note("a", t, p["b"] + h @ p["W"].T + x @ p["U"].T)
        n = note("n", t, library[cell.activation](a))
        h = note("h", t, alpha * h + (1 - alpha) * n)
        hs.append(h)
    return hs


def skip_loop(cell, library, p, xs, state, note):
    """a_t = b + W h_{t-1} + W_d h_{t-d} + U x_t, h_t = act(a_t); returns all h_t."""
    past, hs = list(state), []                                      # h_{t-1}, h_{t-2}, ..., h_{t-d}
    for t, x in enumerate(xs):
        a = note("a", t, p["b"] + past[0] @ p["W"].T + past[-1] @ p["W_d"].T + x @ p["U"].T)
        h = note("h", t, library[cell.activation](a))
        past = [h, *past[:-1]]
        hs.append(h)
    return hs


def peephole_loop(cell, library, p, xs, state, note):
    """The LSTM whose gates i and f see c_{t-1}, and o sees c_t; all h_t."""
    (h, c), hs = state, []
    for t, x in enumerate(xs):
        rows = np.split(np.arange(len(p["b"])), 4)
        a = [p["b"][k] + h @ p["W"][k].T + x @ p["U"][k].T for k in rows]
        i = note("i", t, library["sigmoid"](note("a_i", t, a[0] + p["p_i"] * c)))
        f = note("f", t, library["sigmoid"](note("a_f", t, a[1] + p["p_f"] * c)))
        g = note("g", t, library["tanh"](note("a_g", t, a[2])))
        c = note("c", t, f * c + i * g)
        o = note("o", t, library["sigmoid"](note("a_o", t, a[3] + p["p_o"] * c)))
        h = note("h", t, o * library["tanh"](c))
        hs.append(h)
    return hs


def lstm_1997_loop(cell, library, p, xs, state, note):
    """c_t = c_{t-1} + i g, h_t = o tanh(c_t): no forget gate; all h_t."""
    (h, c), hs = state, []
    for t, x in enumerate(xs):
        rows = np.split(np.arange(len(p["b"])), 3)
        a = [p["b"][k] + h @ p["W"][k].T + x @ p["U"][k].T for k in rows]
        a_i, a_g, a_o = (note(f"a_{k}", t, v) for k, v in zip("igo", a, strict=True))
        i, o = (note(k, t, library["sigmoid"](v)) for k, v in (("i", a_i), ("o", a_o)))
        g = note("g", t, library["tanh"](a_g))
        c = note("c", t, c + i * g)
        h = note("h", t, o * library["tanh"](c))
        hs.append(h)
    return hs


LOOPS = {
    RNNCell: rnn_loop, JordanCell: jordan_loop, LeakyRNNCell: leaky_loop, LSTMCell: lstm_loop,
    PeepholeLSTMCell: peephole_loop, LSTM1997Cell: lstm_1997_loop, GRUCell: gru_loop,
    PaperGRUCell: gru_loop, SkipRNNCell: skip_loop,
}


def central_differences(loss, at, eps=2e-4):
    """dL/d(at), entry by entry, of fourth order in eps.

    The error is that of rounding, about 1e-16 |L| / eps = 1e-12 |L|; truncation is far below it.
    """
    gradient = np.zeros_like(at)
    for entry in np.ndindex(at.shape):
        nudge = np.zeros_like(at)
        nudge[entry] = eps
        near = loss(at + nudge) - loss(at - nudge)
        far = loss(at + 2 * nudge) - loss(at - 2 * nudge)
        gradient[entry] = (8 * near - far) / (12 * eps)
    return gradient


def relative_error(got, expected):
    """|got - expected| / |expected|, with 1e-3 as the least denominator (gradients can be zero)."""
    return np.linalg.norm(got - expected) / max(np.linalg.norm(expected), 1e-3)
