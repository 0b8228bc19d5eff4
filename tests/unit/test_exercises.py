"""The graders accept the book's answers, refuse others, and wait for an answer."""

import numpy as np
import pytest

from rnnlib import GRUCell, forward
from rnnlib.exercises import EXERCISES, grade

WRONG = {
    "1.1": lambda D, H, tau: (H * D + H * H + H) * tau,
    "1.2": lambda f, state, xs: [f(state, x) for x in xs],
    "1.3": lambda pattern, t, tau: set(range(1, tau + 1)),
    "1.4": lambda model, xs, t: bool(model(xs)[t] != model(xs + (np.arange(len(xs)) > t))[t]),
    "1.5": lambda w, b: 1,
    "2.1": lambda U, W, b, h, x: np.tanh(b + W.T @ h + U @ x),
    "2.2": lambda U, W: np.hstack([W, U]),
    "2.3": lambda logits, targets: 0.0,
    "2.4": lambda word: len(set(word)) < len(word),
    "2.5": lambda U, W, xs: W @ (U @ xs.sum(0)),
    "3.1": lambda scores, target: np.exp(scores) / np.exp(scores).sum(),
    "3.2": lambda W, h, dh: W @ ((1 - h**2) * dh),
    "3.3": lambda W, hs, dhs: np.einsum(  # no way back: each loss blames its own step
        "ki,kj->kij", (1 - hs**2) * dhs, np.concatenate([np.zeros((1, len(W))), hs[:-1]])),
    "3.4": lambda tau, w: tau * w,
    "3.5": lambda tau: round(tau**0.5) + 1,
    "4.1": lambda rho, share: int(np.log(share) / np.log(rho)),
    "4.2": lambda W, rho: W * rho / np.linalg.norm(W, 2) * 0.99,
    "4.3": lambda W: 0,
    "4.4": lambda W, gamma: bool(gamma * np.abs(np.linalg.eigvals(W)).max() < 1),
    "4.5": lambda W, hs: float(np.linalg.norm(W, 2) ** (len(hs) - 1)) + len(hs) - 1.5,
    "5.1": lambda D, H: 4 * (H * D + H * H),
    "5.2": lambda T, share: np.log(share / (1 - share)),
    "5.3": lambda W, b, h, c, x: _lstm_rows_in_another_order(W, b, h, c, x),
    "5.4": lambda f, o, c, dh, dc: f * (dc + dh * o),
    "5.5": lambda f, i, g: np.cumprod(f, axis=0) * i * g,
    "6.1": lambda D, H: 3 * (H * D + H * H + H),
    "6.2": lambda U, W, b, h, x: _gru_with_the_reset_after(U, W, b, h, x),
    "6.3": lambda W, r: True,
    "6.4": lambda z: 1 - z,
    "6.5": lambda D, H: round(4 * H / 3),
    "7.1": lambda t, T, network: set(range(1, T + 1)),
    "7.2": lambda xs, lengths: xs[::-1],
    "7.3": lambda ahead, back, lengths: np.concatenate([ahead[-1], back[-1]], axis=-1),
    "7.4": lambda D, H: H // 2,
    "7.5": lambda model, xs, d: model(xs[d:]),
    "8.1": lambda targets, start: targets,
    "8.2": lambda q, keys: keys.mean(axis=0),
    "8.3": lambda scores, length: _softmax(scores) * (np.arange(len(scores)) < length),
    "8.4": lambda s, S, way: {"forward": S - s, "reversed": s, "attention": 0}[way],
    "8.5": lambda scores, log_p, width: _greedy_of_each(scores, log_p, width),
    "9.1": lambda tree: str(tree).count("("),
    "9.2": lambda n: (n, n // 2),
    "9.3": lambda tree, W_l, W_r, b: _root_with_sides_swapped(tree, W_l, W_r, b),
    "9.4": lambda W_l, W_r, turns, hs, dh: _blame_from_the_leaf(W_l, W_r, turns, hs, dh),
    "9.5": lambda tokens: max(t for t in tokens if not isinstance(t, str)),
    "10.1": lambda g, v: np.clip(g, -v, v),
    "10.2": lambda gs, v: 0.0,
    "10.3": lambda g, v: g if not np.linalg.norm(g) > v else g * v / np.linalg.norm(g),
    "10.4": lambda gs, lr, beta1, beta2: lr * np.sign(gs),
    "10.5": lambda W, h, dh: np.linalg.norm((dh * (1 - h**2)) @ W.T, axis=-1),
}


def _lstm_rows_in_another_order(W, b, h, c, x):
    a_f, a_i, a_g, a_o = np.split(W @ np.concatenate([h, x]) + b, 4)
    sigmoid = lambda a: 1 / (1 + np.exp(-a))  # noqa: E731
    c = sigmoid(a_f) * c + sigmoid(a_i) * np.tanh(a_g)
    return sigmoid(a_o) * np.tanh(c), c


def _gru_with_the_reset_after(U, W, b, h, x):
    H = len(h)
    cell = GRUCell(U, W, b, np.zeros(H))
    return forward(cell, x[None, None], h[None]).h[0, 0]


def _softmax(scores):
    weights = np.exp(scores - scores.max())
    return weights / weights.sum()


def _greedy_of_each(scores, log_p, width):
    best = log_p.argmax(axis=1)
    return np.stack([np.arange(len(scores)), best], axis=1)[np.arange(width) % len(scores)]


def _root_with_sides_swapped(tree, W_l, W_r, b):
    if not isinstance(tree, tuple):
        return tree
    left, right = (_root_with_sides_swapped(part, W_l, W_r, b) for part in tree)
    return np.tanh(b + W_r @ left + W_l @ right)


def _blame_from_the_leaf(W_l, W_r, turns, hs, dh):
    for turn, h in zip(reversed(turns), reversed(hs), strict=True):
        dh = {"l": W_l, "r": W_r}[turn].T @ ((1 - h**2) * dh)
    return dh


@pytest.mark.parametrize("name", EXERCISES)
def test_grader(name):
    ours, cases = EXERCISES[name]
    assert grade(name, ours) == f"Exercise {name}: right in all {len(cases)} cases."
    assert "expected" in grade(name, WRONG[name])
    assert grade(name, lambda *arguments: None) == f"Exercise {name}: not answered yet."


def test_a_second_bias_is_told_from_one():
    def with_two(D, H):
        count = 4 * (np.arange(1, H + 1) * (D + 2) + np.arange(1, H + 1) ** 2)
        return int((2 * count <= count[-1]).sum())

    assert "expected" in grade("7.4", with_two)


def _clipped_means(gs, v):
    norms = np.linalg.norm(gs, axis=1, keepdims=True)
    return (gs * np.minimum(1, v / norms)).mean(axis=0), gs.mean(axis=0)


def _by_arccos(gs, v):
    a, b = _clipped_means(gs, v)
    return np.degrees(np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b)))


def _by_arccos_of_units(gs, v):
    a, b = (mean / np.linalg.norm(mean) for mean in _clipped_means(gs, v))
    return np.arccos(np.clip((a * b).sum(), -1, 1)) * 180 / np.pi


def _by_atan2(gs, v):
    a, b = _clipped_means(gs, v)
    across = b - a * (a @ b) / (a @ a)
    return np.degrees(np.arctan2(np.linalg.norm(across), a @ b / np.linalg.norm(a)))


@pytest.mark.parametrize("answer", [_by_arccos, _by_arccos_of_units, _by_atan2])
def test_every_way_to_an_angle_is_right(answer):
    assert "right in all" in grade("10.2", answer)
    ours, cases = EXERCISES["10.2"]
    angles = sorted(ours(*case) for case in cases)
    assert angles[0] == 0 and angles[1] > 5


def test_unknown_exercise():
    with pytest.raises(ValueError, match="name: expected an exercise from 1.1 to 10.5"):
        grade("9.9", len)
