"""Chapters 5 and 6: LSTM and GRU, step by step, and what is left of what was written."""

import numpy as np

from rnnlib.functions import sigmoid

_rng = np.random.default_rng(11)


def _draw(*shape):
    return _rng.uniform(-1, 1, shape)


def _gate(*shape):
    return _rng.uniform(0, 1, shape)


def _count_lstm(D, H):
    return 4 * (H * D + H * H + H)


def _bias_for(T, share):
    f = share ** (1 / T)
    return np.log(f / (1 - f))


def _lstm_step(W, b, h_prev, c_prev, x):
    a_i, a_f, a_g, a_o = np.split(W @ np.concatenate([h_prev, x]) + b, 4)
    c = sigmoid(a_f) * c_prev + sigmoid(a_i) * np.tanh(a_g)
    return sigmoid(a_o) * np.tanh(c), c


def _dc_prev(f, o, c, dh, dc):
    return f * (dc + dh * o * (1 - np.tanh(c) ** 2))


def _written(f, i, g):
    """What each step wrote, and what the later steps left of it."""
    left = np.ones_like(f)
    for k in reversed(range(len(f) - 1)):
        left[k] = left[k + 1] * f[k + 1]
    return left * i * g


def _count_gru(D, H):
    return 3 * (H * D + H * H + H) + H


def _gru_step(U, W, b, h_prev, x):
    (U_r, U_z, U_n), (W_r, W_z, W_n) = np.split(U, 3), np.split(W, 3)
    b_r, b_z, b_n = np.split(b, 3)
    r = sigmoid(W_r @ h_prev + U_r @ x + b_r)
    z = sigmoid(W_z @ h_prev + U_z @ x + b_z)
    n = np.tanh(W_n @ (r * h_prev) + U_n @ x + b_n)
    return (1 - z) * n + z * h_prev


def _orders_agree(W_n, r):
    return bool(np.array_equal(r[:, None] * W_n, W_n * r))


def _weights(z):
    return _written(z, 1 - z, np.ones_like(z))


def _gru_size(D, H):
    sizes = np.arange(1, 4 * H + 1)
    return int(sizes[np.argmin(np.abs(_count_gru(D, sizes) - _count_lstm(D, H)))])


EXERCISES = {
    "5.1": (_count_lstm, [(1, 1), (3, 5), (28, 128)]),
    "5.2": (_bias_for, [(1, 0.5), (40, 0.5), (100, 0.01)]),
    "5.3": (_lstm_step, [
        (2 * _draw(4 * H, H + D), _draw(4 * H), _draw(H), _draw(H), _draw(D))
        for H, D in ((1, 1), (3, 2), (2, 4))
    ]),
    "5.4": (_dc_prev, [(_gate(3), _gate(3), 2 * _draw(3), _draw(3), _draw(3)) for _ in range(2)]),
    "5.5": (_written, [(_gate(T, 2), _gate(T, 2), _draw(T, 2)) for T in (1, 2, 7)]),
    "6.1": (_count_gru, [(1, 1), (3, 5), (28, 128)]),
    "6.2": (_gru_step, [
        (2 * _draw(3 * H, D), 2 * _draw(3 * H, H), _draw(3 * H), _draw(H), _draw(D))
        for H, D in ((1, 1), (3, 2), (2, 4))
    ]),
    "6.3": (_orders_agree, [
        (np.array([[0.5, 1.0], [0.0, 0.5]]), np.array([0.25, 0.75])),
        (np.array([[0.5, 1.0], [0.0, 0.5]]), np.array([0.25, 0.25])),
        (np.array([[2.0, 0.0], [0.0, -1.0]]), np.array([0.25, 0.75])),
        (np.array([[1.0, 2.0, 0.0], [3.0, 4.0, 0.0], [0.0, 0.0, 5.0]]), np.array([0.5, 0.5, 1])),
    ]),
    "6.4": (_weights, [(_gate(T, 2),) for T in (1, 3, 8)]),
    "6.5": (_gru_size, [(1, 1), (2, 16), (20, 64)]),
}
