"""Chapter 7: what both directions see, and where their states are to be read."""

import numpy as np

_rng = np.random.default_rng(13)


def _draw(*shape):
    return _rng.uniform(-1, 1, shape)


def _sees(t, T, network):
    last = {"ahead": t, "back": T, "both": T, "delayed by 2": min(t + 2, T)}[network]
    return set(range(t if network == "back" else 1, last + 1))


def _turned(xs, lengths):
    turned = np.array(xs, copy=True)
    for b, length in enumerate(lengths):
        turned[:length, b] = xs[:length, b][::-1]
    return turned


def _at_end(h_ahead, h_back, lengths):
    last = np.array(lengths) - 1
    return np.concatenate([h_ahead[last, np.arange(len(last))], h_back[0]], axis=-1)


def _half_size(D, H):
    """The largest of two equal cells that together have no more parameters than one of H units."""
    sizes = np.arange(1, H + 1)
    count = 4 * (sizes * D + sizes**2 + sizes)
    return int(sizes[2 * count <= count[-1]].max())


def _delayed(model, xs, d):
    later = np.concatenate([xs, np.zeros((d, *xs.shape[1:]))])
    return model(later)[d:]


EXERCISES = {
    "7.1": (_sees, [(2, 5, "ahead"), (2, 5, "back"), (2, 5, "both"), (4, 5, "delayed by 2")]),
    "7.2": (_turned, [
        (_draw(4, 2, 1), [4, 4]),
        (_draw(5, 3, 2), [5, 2, 1]),
    ]),
    "7.3": (_at_end, [
        (_draw(4, 2, 3), _draw(4, 2, 3), [4, 4]),
        (_draw(5, 3, 2), _draw(5, 3, 2), [5, 2, 1]),
    ]),
    "7.4": (_half_size, [(1, 8), (2, 9), (20, 64), (200, 32)]),
    "7.5": (_delayed, [
        (lambda xs: np.cumsum(xs, axis=0), _draw(6, 1), 1),
        (lambda xs: np.cumsum(xs, axis=0), _draw(6, 2), 3),
        (lambda xs: 2 * xs, _draw(4, 1), 0),
    ]),
}
