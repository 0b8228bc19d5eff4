"""Chapters 1 and 2: unfolding, the causal cone, one step of a recurrent network."""

from functools import reduce

import numpy as np

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
}
