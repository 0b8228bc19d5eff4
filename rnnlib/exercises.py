"""The chapters' exercises, graded: `grade("1.2", your_function)` tells whether it is right.

Each entry holds the book's own answer and the arguments that both are tried on. The answers stand
here so that the notebooks need not show them; looking is allowed, after trying.
"""

from collections.abc import Callable
from functools import reduce

import numpy as np

from rnnlib import checks
from rnnlib.losses import softmax_cross_entropy

_rng = np.random.default_rng(7)


def _draw(*shape):
    return _rng.uniform(-1, 1, shape)


def _count(D, H, tau):
    return H * D + H * H + H


def _unfold(f, state, xs):
    states = [state]
    for x in xs:
        states.append(f(states[-1], x))
    return states[1:]


def _cone(pattern, t, tau):
    return {t} if pattern == "the target feeds back" else set(range(1, t + 1))


def _leaks(model, xs, t):
    changed = np.array(xs, copy=True)
    changed[t + 1 :] = np.random.default_rng(11).normal(size=len(xs) - t - 1)
    return bool(model(xs)[t] != model(changed)[t])


def _stable_points(w, b):
    s = np.linspace(-1.5, 1.5, 300_001)
    sign = np.sign(np.tanh(w * s + b) - s)
    roots = s[:-1][sign[:-1] * sign[1:] <= 0]
    roots = roots[np.diff(roots, prepend=-9) > 1e-3]
    return int(np.sum(np.abs(w * (1 - roots**2)) < 1))


def _step(U, W, b, h_prev, x):
    return np.tanh(b + W @ h_prev + U @ x)


def _sequence_loss(logits, targets):
    return softmax_cross_entropy(logits[:, None], np.array(targets)[:, None])[0]


def _needs_memory(word):
    successors = {}
    for letter, following in zip(word, word[1:], strict=False):
        successors.setdefault(letter, set()).add(following)
    return any(len(found) > 1 for found in successors.values())


def _linear_state(U, W, xs):
    return reduce(lambda h, x: W @ h + U @ x, xs, np.zeros(len(W)))


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
    "1.1": (_count, [(1, 1, 1), (3, 5, 2), (3, 5, 200)]),
    "1.2": (_unfold, [
        (lambda s, x: 0.5 * s + x, 0.0, [1.0, 0.0, 2.0]),
        (lambda s, x: max(s, x), 0.0, [3.0, 1.0, 4.0, 1.0]),
        (lambda s, x: s + x, 1.0, []),
    ]),
    "1.3": (_cone, [
        ("an output at every step", 2, 5),
        ("one output at the end", 4, 4),
        ("the target feeds back", 3, 5),
    ]),
    "1.4": (_leaks, [
        (np.cumsum, _draw(6), 2),
        (lambda xs: np.cumsum(xs[::-1])[::-1], _draw(6), 2),
        (lambda xs: xs - np.mean(xs), _draw(6), 0),
        (lambda xs: xs + np.append(np.diff(xs[1:]), [0.0, 0.0]), _draw(6), 1),
        (lambda xs: np.sort(np.cumsum(np.abs(xs))), _draw(6), 5),
    ]),
    "1.5": (_stable_points, [(0.5, 0.0), (2.0, 0.0), (2.0, 1.0), (-2.0, 0.0), (1.5, 0.05)]),
    "2.1": (_step, [(_draw(3, 2), _draw(3, 3), _draw(3), _draw(3), _draw(2)) for _ in range(3)]),
    "2.2": (lambda U, W: np.hstack([U, W]), [
        (_draw(3, 2), _draw(3, 3)),
        (_draw(2, 4), _draw(2, 2)),
    ]),
    "2.3": (_sequence_loss, [(_draw(3, 4), [0, 3, 1]), (1000 * _draw(2, 3), [1, 1])]),
    "2.4": (_needs_memory, [("dogs",), ("noon",), ("banana",), ("letter",), ("aa",)]),
    "2.5": (_linear_state, [(_draw(3, 2), _draw(3, 3), _draw(T, 2)) for T in (1, 2, 7)]),
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


def grade(name, answer):
    """Try `answer` on the cases of exercise `name`; return one line that says how it went.

    A function that returns None counts as not answered yet. ValueError for an unknown exercise.
    """
    checks.choice("name", name, EXERCISES)
    checks.instance("answer", answer, Callable, "a function")
    ours, cases = EXERCISES[name]
    for number, arguments in enumerate(cases, 1):
        got = answer(*arguments)
        if got is None:
            return f"Exercise {name}: not answered yet."
        expected = ours(*arguments)
        if not _same(got, expected):
            where = f"case {number} of {len(cases)}"
            return f"Exercise {name}: {where}: expected {expected}, got {got}."
    return f"Exercise {name}: right in all {len(cases)} cases."


def _same(got, expected):
    if isinstance(expected, (bool, set)):
        return got == expected
    return np.shape(got) == np.shape(expected) and np.allclose(got, expected, 1e-9, 1e-12)
