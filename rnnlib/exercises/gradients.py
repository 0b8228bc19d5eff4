"""Chapters 3 and 4: the way back, what it costs, and what is left of the gradient."""

import numpy as np

from rnnlib.losses import softmax_cross_entropy

_rng = np.random.default_rng(7)


def _draw(*shape):
    return _rng.uniform(-1, 1, shape)


def _dscores(scores, target):
    _, dlogits = softmax_cross_entropy(scores[None, None], np.array([[target]]))
    return dlogits[0, 0]


def _one_step_back(W, h, dh):
    return np.diag(1 - h**2).dot(W).T @ dh


def _dW_by_step(W, hs, dhs):
    """Each step has its own copy of W, and each loss its own way back."""
    T, H = hs.shape
    items = np.zeros((T, H, H))
    for t in range(T):
        dh = dhs[t]
        for k in range(t, 0, -1):
            items[k] += np.outer((1 - hs[k] ** 2) * dh, hs[k - 1])
            dh = _one_step_back(W, hs[k], dh)
    return items


def _pairs_kept(tau, w):
    return int(np.tri(tau).sum() - np.tri(tau, k=-w).sum())


def _best_segment(tau):
    s = np.arange(1, tau + 1)
    return int(s[np.argmin(np.ceil(tau / s) + s)])


def _steps_until(rho, share):
    n = 0
    while rho**n > share:
        n += 1
    return n


def _scale_to(W, rho):
    return W * (rho / np.abs(np.linalg.eigvals(W)).max())


def _peak(W):
    return int(np.argmax([np.linalg.norm(np.linalg.matrix_power(W, n), 2) for n in range(201)]))


def _must_vanish(W, gamma):
    return bool(gamma * np.linalg.svd(W, compute_uv=False)[0] < 1)


def _arriving(W, hs):
    product = np.eye(len(W))
    for h in hs[1:]:
        product = (1 - h**2)[:, None] * W @ product
    return float(np.linalg.norm(product, 2))


EXERCISES = {
    "3.1": (_dscores, [(_draw(4), 2), (_draw(2), 0), (np.array([900.0, -900.0, 0.0]), 1)]),
    "3.2": (_one_step_back, [(_draw(H, H), _draw(H), _draw(H)) for H in (1, 3)]),
    "3.3": (_dW_by_step, [(_draw(3, 3), _draw(T, 3), _draw(T, 3)) for T in (1, 2, 6)]),
    "3.4": (_pairs_kept, [(5, 5), (5, 1), (12, 4), (3, 10)]),
    "3.5": (_best_segment, [(1,), (16,), (20,), (1000,)]),
    "4.1": (_steps_until, [(0.9, 0.01), (0.5, 0.25), (0.99, 0.5), (0.7, 1.0)]),
    "4.2": (_scale_to, [(_draw(4, 4), 0.9), (np.array([[0.0, 1.0], [-1.0, 0.0]]), 1.2)]),
    "4.3": (_peak, [
        (np.array([[0.9, 5.0], [0.0, 0.9]]),),
        (np.array([[0.9, 0.0], [0.0, -0.5]]),),
        (np.array([[0.5, 3.0], [0.0, 0.5]]),),
        (0.97 * np.eye(3) + np.diag([1.0, 1.0], k=1),),
    ]),
    "4.4": (_must_vanish, [
        (np.array([[0.9, 5.0], [0.0, 0.9]]), 1.0),
        (np.array([[0.9, 0.0], [0.0, 0.8]]), 1.0),
        (np.array([[3.0, 0.0], [0.0, -2.0]]), 0.25),
        (np.array([[0.0, 1.5], [0.0, 0.0]]), 1.0),
    ]),
    "4.5": (_arriving, [(_draw(3, 3), _draw(T, 3)) for T in (1, 2, 8)]),
}
