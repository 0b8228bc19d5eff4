"""Many networks with a plain recurrent layer and one answer at the end, trained side by side.

rnnlib's `forward` and `backward` take half a millisecond for 16 units and 20 sequences of 20 steps,
most of it in starting numpy's functions. Here a group of networks shares every call: the same
equations over arrays with two more axes in front, I settings and J seeds.

    h_t = act(W h_{t-1} + U x_t + b),  h_0 = 0        answer = c_out + V h_T

Every setting of a seed sees the same sequences, xs (J, T, B, D). Networks never mix: matmul makes
one product per network, and every sum runs over other axes, so that a network gets the same bits
whichever others are trained beside it. They are float32 unless asked otherwise. Tests compare loss
and gradient with `rnnlib.backward`.
"""

import numpy as np

STREAMS = 3  # of a seed: the weights, the training sequences, the test sequences
NAMES = ("U", "W", "b", "V", "c_out")
SLOPES = {"tanh": lambda h: 1 - h**2, "relu": lambda h: (h > 0).astype(h.dtype)}
BLOCK = 40  # networks at a time: what they compute with stays in the processor's cache


def stack(networks, settings, dtype=np.float32):
    """The parameters (cell, out) of J seeds as arrays (settings, J, ...) by name."""
    arrays = {}
    for name in NAMES:
        place = 0 if hasattr(networks[0][0], name) else 1
        one = np.stack([getattr(network[place], name) for network in networks])
        arrays[name] = np.repeat(one[None].astype(dtype), settings, axis=0)
    return arrays


def states(params, xs, activation):
    """h (I, J, T, B, H) of xs (J, T, B, D)."""
    drive = xs @ params["U"].swapaxes(-1, -2)[:, :, None] + params["b"][:, :, None, None]
    W, h = params["W"].swapaxes(-1, -2), None
    for t in range(xs.shape[1]):
        a = drive[:, :, t] + h @ W if t else drive[:, :, 0]
        h = np.tanh(a) if activation == "tanh" else np.maximum(a, 0)
        drive[:, :, t] = h
    return drive


def answers(params, h):
    """(I, J, B, K), read from the last state."""
    return h[:, :, -1] @ params["V"].swapaxes(-1, -2) + params["c_out"][:, :, None]


def losses(scores, targets):
    """(loss (I, J), its gradient (I, J, B, K)).

    targets (J, B): classes, and the loss is the cross-entropy, averaged over the batch; or
    (J, B, K): numbers, and the mean squared error.
    """
    if targets.ndim == 3:
        error = scores - targets
        return (error**2).mean(axis=(-1, -2)), 2 * error / error[0, 0].size
    shifted = scores - scores.max(axis=-1, keepdims=True)
    total = np.exp(shifted).sum(axis=-1, keepdims=True)
    right = np.eye(scores.shape[-1], dtype=scores.dtype)[targets]
    loss = (np.log(total[..., 0]) - (shifted * right).sum(axis=-1)).mean(axis=-1)
    return loss, (np.exp(shifted) / total - right) / scores.shape[2]


def gradient(params, xs, targets, activation):
    """(loss (I, J), gradients by name as params, ‖dL/dh_1‖ and ‖dL/dh_T‖ (2, I, J)).

    The two lengths are means over the batch.
    """
    rows = max(1, BLOCK // len(xs))
    parts = [_gradient({name: p[i : i + rows] for name, p in params.items()}, xs, targets,
                       activation) for i in range(0, len(params["W"]), rows)]
    loss, grads, lengths = zip(*parts, strict=True)
    return (np.concatenate(loss), {name: np.concatenate([g[name] for g in grads])
                                   for name in NAMES}, np.concatenate(lengths, axis=1))


def _gradient(params, xs, targets, activation):
    h = states(params, xs, activation)
    loss, dscores = losses(answers(params, h), targets)
    dh = dscores @ params["V"]
    grads = {"V": dscores.swapaxes(-1, -2) @ h[:, :, -1], "c_out": dscores.sum(axis=2)}
    slope, last = SLOPES[activation](h), np.linalg.norm(dh, axis=-1).mean(axis=-1)
    da = slope                                          # overwritten from the last step on
    for t in reversed(range(h.shape[2])):
        da[:, :, t] *= dh
        if t:
            dh = da[:, :, t] @ params["W"]
    first = np.linalg.norm(dh, axis=-1).mean(axis=-1)
    back = da.reshape(*da.shape[:2], -1, da.shape[-1]).swapaxes(-1, -2)     # (I, J, H, T B)
    B = xs.shape[2]
    grads["U"] = back @ xs.reshape(len(xs), -1, xs.shape[-1])
    grads["W"] = back[..., B:] @ h[:, :, :-1].reshape(*h.shape[:2], -1, h.shape[-1])
    grads["b"] = back.sum(axis=-1)
    return loss, grads, np.stack([first, last])


def norms(grads, axes=2):
    """‖g‖ (I, J) over all arrays of each network; (J,) of one setting's networks, if axes is 1."""
    return np.sqrt(sum(np.square(g, dtype=float).sum(axis=tuple(range(axes, g.ndim)))
                       for g in grads.values()))


def scaled(grads, factor):
    """Every network's gradient times its own factor (I, J)."""
    return {name: g * spread(factor, g).astype(g.dtype) for name, g in grads.items()}


def spread(numbers, like):
    """Numbers (I, J) or (J,) with axes of length 1 behind, to stand beside an array like that."""
    return numbers.reshape(numbers.shape + (1,) * (like.ndim - numbers.ndim))


def batch(make, size, steps, rngs, dtype=np.float32):
    """A batch for each seed: (xs (J, T, B, D), targets (J, B) or (J, B, K))."""
    drawn = [make(size, steps, rng=rng) for rng in rngs]
    targets = np.stack([one.targets[0] for one in drawn])
    whole = targets.dtype.kind == "i"
    return (np.stack([one.xs for one in drawn]).astype(dtype),
            targets if whole else targets.astype(dtype))


def generators(seeds):
    """Those that draw weights, training and test sequences: three lists, one Generator a seed."""
    streams = [np.random.SeedSequence(seed).spawn(STREAMS) for seed in seeds]
    return [[np.random.default_rng(stream) for stream in one]
            for one in zip(*streams, strict=True)]


class Group:
    """I optimisers, each with the same J networks at the start: parameters, averages, updates."""

    def __init__(self, networks, optimisers):
        self.params = stack(networks, len(optimisers))
        self._optimisers = optimisers
        self._states = [one.init(self._of(i)) for i, one in enumerate(optimisers)]

    def _of(self, i):
        return {name: p[i] for name, p in self.params.items()}

    def move(self, i, step, moves=True):
        """One update of setting i along arrays (J, ...) by name.

        moves: True, or (J,): where not, a network's parameters and averages stay as they are.
        """
        old, state = self._of(i), self._states[i]
        new, after = self._optimisers[i].update(old, step, state)
        if not np.all(moves):
            new = {name: np.where(spread(moves, p), p, old[name]) for name, p in new.items()}
            moments = {path: tuple(np.where(spread(moves, m), m, before) for m, before in
                                   zip(those, state.moments[path], strict=True))
                       for path, those in after.moments.items()}
            after = after._replace(moments=moments)
        for name in NAMES:
            self.params[name][i] = new[name]
        self._states[i] = after
