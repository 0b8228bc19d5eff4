"""Chapter 8: teaching a decoder, attention by hand, the way from source to output, a beam."""

import numpy as np

_rng = np.random.default_rng(17)


def _draw(*shape):
    return _rng.uniform(-1, 1, shape)


def _taught(targets, start):
    return [start, *targets[:-1]]


def _attend(q, keys):
    scores = keys @ q / np.sqrt(len(q))
    weights = np.exp(scores - scores.max())
    return weights / weights.sum() @ keys


def _masked(scores, length):
    weights = np.zeros(len(scores))
    weights[:length] = np.exp(scores[:length] - scores[:length].max())
    return weights / weights.sum()


def _steps_between(s, S, way):
    return {"forward": S, "reversed": 2 * s - 1, "attention": 1}[way]


def _go_on(scores, log_p, width):
    total = scores[:, None] + log_p
    best = np.argsort(-total, axis=None)[:width]
    return np.stack(np.unravel_index(best, total.shape), axis=1)


def _log_p(rows, symbols):
    p = _rng.dirichlet(np.ones(symbols), rows)
    return np.log(p)


EXERCISES = {
    "8.1": (_taught, [([3, 1, 4], 9), ([7], 0), ([2, 2, 5, 1], 8)]),
    "8.2": (_attend, [(_draw(4), _draw(3, 4)), (30 * _draw(2), 30 * _draw(5, 2)),
                      (1000 * _draw(3), _draw(4, 3))]),
    "8.3": (_masked, [(_draw(4), 4), (5 * _draw(6), 2), (np.array([1.0, 2.0, 900.0]), 2)]),
    "8.4": (_steps_between, [(1, 6, "forward"), (6, 6, "forward"), (1, 6, "reversed"),
                             (4, 6, "reversed"), (5, 9, "attention")]),
    "8.5": (_go_on, [(np.log([0.6, 0.4]), np.log([[0.5, 0.5 - 1e-9], [0.95, 0.05]]), 2),
                     (-_rng.random(3), _log_p(3, 5), 4), (np.array([0.0]), _log_p(1, 4), 3)]),
}
