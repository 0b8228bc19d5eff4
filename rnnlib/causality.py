"""Who sees the future: change an input, and look which outputs move.

    model = lambda xs: forward(cell, xs).h              # any function: xs (T, B, ...) to (T, ...)
    influence(model, xs)                                # [k, t]: does output t depend on input k?
    leaks(model, xs)                                    # [(t, k), ...]: output t depends on k > t
    check_causal(model, xs)                             # raises, if there is a leak

A network that foretells must not see what it foretells. Bidirectional networks, normalisation over
a whole sequence, inputs shifted the wrong way and masks with a wrong corner let it; the loss then
looks better than it is, and no error is raised. These functions know nothing of what is inside the
model, so that they find all of them.

Steps count from 0. Outputs are compared to the bit: a causal model computes the same from the same
inputs, whatever comes later. A dependence that is found is there. One that is not found in a few
random changes may be there, but then it is rare. One thing could deceive: a BLAS whose rounding
depends on how memory is aligned may move the last bits of an output without any dependence. Where a
leak is told that cannot be, subtract the outputs before and after such a change: a difference of
about 1e-16 of the output (1e-7 in float32) is rounding, a leak is mostly far larger.
"""

from collections.abc import Callable

import numpy as np

from rnnlib import checks

#: How large the random changes are, in spreads of xs, each tried in both signs: a saturated unit
#: moves only for large changes of one sign, and those saturate others, which move only for small
#: ones.
SIZES = (1, 0.01, 30, 1000)


def influence(model, xs, rng=0):
    """Which outputs depend on which inputs: bool (T, T), [k, t] True if output t moves with xs[k].

    model: a function of an array like xs that returns (T, ...) outputs, the same at every call.
    xs (T, B, ...), real numbers or, for a model that begins with an embedding, whole numbers;
    these are changed for others of those that xs has. Each input is changed by itself, in all B
    sequences at once, several times at random (`rng`: a whole number or a numpy Generator).
    Raises ValueError or TypeError for a model that is not a function, whose outputs have other
    than T steps or differ between two calls with the same xs, and for xs that are no such array.
    """
    return _moved(model, xs, rng, lambda k: slice(k, k + 1))


def leaks(model, xs, rng=0):
    """The outputs that see the future: [(t, k), ...], output t depends on input k > t, the last.

    [] for a causal model. All inputs from k on are changed together, so that what only several
    inputs at once can move is found too. Arguments and errors as for `influence`.
    """
    moved = _moved(model, xs, rng, lambda k: slice(k, None))
    found = []
    for t in range(len(moved)):
        later = np.flatnonzero(moved[t + 1 :, t])
        if later.size:
            found.append((t, t + 1 + int(later[-1])))
    return found


def check_causal(model, xs, rng=0):
    """Raise ValueError if an output depends on later inputs, naming the first such step.

    Arguments and other errors as for `influence`.
    """
    found = leaks(model, xs, rng)
    if found:
        t, k = found[0]
        more = f", and {len(found) - 1} later outputs leak too" if len(found) > 1 else ""
        raise ValueError(
            f"model: expected outputs that depend on no later input, got a leak: the output of "
            f"step {t} depends on the input of step {k}{more} (steps count from 0)"
        )


def _moved(model, xs, rng, changed):
    """[k, t] True if output t moves when the inputs of the steps changed(k) do."""
    checks.instance("model", model, Callable, "a function of xs")
    xs, rng = _checked_inputs(xs), checks.generator("rng", rng)
    steps = len(xs)
    moved = np.zeros((steps, steps), bool)
    with np.errstate(all="ignore"):                     # large changes may overflow in the model
        usual = _outputs(model, xs)
        if not _same(usual, _outputs(model, xs)).all():
            raise ValueError("model: expected the same outputs for the same xs, got different ones")
        for other in _others(xs, rng):
            for k in range(steps):
                mixed = xs.copy()
                mixed[changed(k)] = other[changed(k)]
                moved[k] |= ~_same(usual, _outputs(model, mixed))
    return moved


def _checked_inputs(xs):
    """A copy of xs: whole numbers as they are, else real ones."""
    array = np.asarray(xs)
    if array.dtype.kind not in "iu":
        array = checks.real("xs", xs)
    if array.ndim < 2 or 0 in array.shape:
        raise ValueError(f"xs: expected shape (T, B, ...), no size zero, got {array.shape}")
    if array.dtype.kind in "iu" and array.min() == array.max():
        raise ValueError(f"xs: expected at least two different codes, got {array.min()} only")
    return array.copy()


def _outputs(model, xs):
    """What the model makes of xs, a row a step: its own array may be one that it uses again."""
    outputs = np.array(model(xs.copy()))
    if outputs.dtype.kind not in "fiub" or outputs.ndim == 0 or len(outputs) != len(xs):
        got = f"{outputs.dtype} of shape {outputs.shape}"
        raise ValueError(f"model: expected numbers of shape ({len(xs)}, ...), got {got}")
    return outputs.reshape(len(xs), -1)


def _same(a, b):
    """(T,) True where two outputs are equal, number by number; NaN is equal to NaN."""
    if a.shape != b.shape:
        raise ValueError(f"model: expected outputs of one shape, got {a.shape} and {b.shape}")
    return ((a == b) | (a != a) & (b != b)).all(axis=1)


def _others(xs, rng):
    """Inputs that differ from xs everywhere: other codes of xs, or xs with noise of each size."""
    if xs.dtype.kind in "iu":
        codes, place = np.unique(xs, return_inverse=True)
        for _ in range(2 * len(SIZES)):
            jump = rng.integers(1, len(codes), xs.shape)
            yield codes[(place.reshape(xs.shape) + jump) % len(codes)]
        return
    spread = float(xs.std()) or 1.0
    for size in SIZES:
        noise = size * spread * rng.normal(size=xs.shape)
        yield (xs + noise).astype(xs.dtype)
        yield (xs - noise).astype(xs.dtype)
