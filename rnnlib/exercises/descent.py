"""Chapter 10: clipping, what an average makes of it, Adam by hand, and the regulariser's ratio."""

import numpy as np

_rng = np.random.default_rng(23)


def _draw(*shape):
    return _rng.uniform(-1, 1, shape)


def _clip(g, v):
    norm = np.linalg.norm(g)
    return g * v / norm if norm > v else g


def _angle(gs, v):
    mean = np.mean([_clip(g, v) for g in gs], axis=0)
    whole = np.mean(gs, axis=0)
    a, b = mean / np.linalg.norm(mean), whole / np.linalg.norm(whole)
    # Half the angle: arccos(a @ b) is no better than 1e-8 where the two nearly agree.
    return 2 * np.degrees(np.arctan2(np.linalg.norm(a - b), np.linalg.norm(a + b)))


def _clip_or_skip(g, v):
    return _clip(g, v) if np.isfinite(g).all() else np.zeros_like(g)


def _adam(gs, lr, beta1, beta2):
    """The step p_before - p_after of every update; eps is 1e-8."""
    m = v = 0.0
    steps = []
    for t, g in enumerate(gs, 1):
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        steps.append(lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + 1e-8))
    return np.array(steps)


def _stretch(W, h, dh):
    back = (dh * (1 - h**2)) @ W
    return np.linalg.norm(back, axis=-1) / np.linalg.norm(dh, axis=-1)


#: their mean (2, 2, 2, 2) has norm 4: every way to an angle of 0 is exact
_SQUARE = np.array([[4.0, 0.0, 4.0, 0.0], [0.0, 4.0, 0.0, 4.0]])
_SPIKE = np.where(np.arange(12) == 5, 100.0, 1.0)

EXERCISES = {
    "10.1": (_clip, [(np.array([3.0, 4.0]), 1.0), (np.array([0.3, 0.4]), 1.0), (np.zeros(3), 2.0),
                     (50 * _draw(4), 5.0)]),
    "10.2": (_angle, [(np.array([[10.0, 0.0], [0.0, 1.0]]), 1.0),
                      (_SQUARE, 20.0), (5 * _draw(4, 3), 2.0)]),
    "10.3": (_clip_or_skip, [(np.array([3.0, 4.0]), 1.0), (np.array([1.0, np.nan]), 1.0),
                             (np.array([-np.inf, 2.0]), 1.0), (np.array([0.1, 0.1]), 1.0)]),
    "10.4": (_adam, [(np.ones(4), 0.1, 0.9, 0.999), (_SPIKE, 0.01, 0.9, 0.999),
                     (_draw(6), 0.1, 0.0, 0.5)]),
    "10.5": (_stretch, [(2 * _draw(3, 3), _draw(4, 3), _draw(4, 3)),
                        (_draw(2, 2), np.zeros((3, 2)), _draw(3, 2))]),
}
