"""The optimisers against torch's, and on trees of parameters."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlib import JordanCell, OutputLayer, RNNCell, optim
from rnnlib.records import leaves

T = torch.optim
RULES = {
    "sgd": (optim.SGD(0.1), lambda p: T.SGD(p, 0.1)),
    "momentum": (optim.SGD(0.05, momentum=0.9), lambda p: T.SGD(p, 0.05, momentum=0.9)),
    "adagrad": (optim.Adagrad(), lambda p: T.Adagrad(p)),
    "adagrad, other settings": (
        optim.Adagrad(0.5, 1e-3, 0.1), lambda p: T.Adagrad(p, 0.5, lr_decay=0.1, eps=1e-3)
    ),
    "rmsprop": (optim.RMSprop(), lambda p: T.RMSprop(p)),
    "rmsprop, other settings": (
        optim.RMSprop(0.1, 0.6, 1e-3, 0.8), lambda p: T.RMSprop(p, 0.1, 0.6, 1e-3, momentum=0.8)
    ),
    "adadelta": (optim.Adadelta(), lambda p: T.Adadelta(p)),
    "adadelta, other settings": (
        optim.Adadelta(0.3, 0.5, 1e-3), lambda p: T.Adadelta(p, 0.3, 0.5, 1e-3)
    ),
    "adam": (optim.Adam(0.01), lambda p: T.Adam(p, 0.01)),
    "adam, other settings": (
        optim.Adam(0.3, (0.5, 0.8), 1e-3), lambda p: T.Adam(p, 0.3, (0.5, 0.8), 1e-3)
    ),
}
CELL, OUT = RNNCell.init(3, 4, rng=0), OutputLayer.init(4, 2, rng=1)


def gradient_of(record, rng):
    return record.gradient(**{n: rng.normal(size=a.shape) for n, a in record.fields().items()})


def worst_error_against_torch(ours, theirs, grads):
    """The largest |p - torch's p| / max(|torch's p|, 1) on the way; grads: (steps, ...)."""
    params = np.ones_like(grads[0])
    state, worst = ours.init(params), 0
    tensor = torch.tensor(params, requires_grad=True)
    reference = theirs([tensor])
    for g in grads:
        params, state = ours.update(params, g, state)
        tensor.grad = torch.tensor(g)
        reference.step()
        expected = tensor.detach().numpy()
        worst = max(worst, np.max(np.abs(params - expected) / np.maximum(np.abs(expected), 1)))
    assert state.t == len(grads)
    return worst


@pytest.mark.parametrize(("ours", "theirs"), RULES.values(), ids=RULES)
@pytest.mark.parametrize("size", [1e-7, 1, 1e4])
def test_three_hundred_steps_as_torch(ours, theirs, size):
    grads = size * np.random.default_rng(0).normal(size=(300, 4, 3))
    grads[10:20, 0] = 0  # a parameter may have no gradient for a while
    grads[:, 1] += size
    assert worst_error_against_torch(ours, theirs, grads) < 1e-12


FRACTION, SMALL = st.floats(0, 0.99), st.floats(1e-9, 1e-2)
RATE = st.floats(1e-4, 0.5)


@settings(max_examples=25, deadline=None)
@given(lr=RATE, a=FRACTION, b=FRACTION, eps=SMALL, seed=st.integers(0, 99))
def test_any_settings_as_torch(lr, a, b, eps, seed):
    grads = np.random.default_rng(seed).normal(size=(20, 3))
    pairs = [
        (optim.SGD(lr, a), lambda p: T.SGD(p, lr, a)),
        (optim.Adagrad(lr, eps, a), lambda p: T.Adagrad(p, lr, lr_decay=a, eps=eps)),
        (optim.RMSprop(lr, a, eps, b), lambda p: T.RMSprop(p, lr, a, eps, momentum=b)),
        (optim.Adadelta(lr, a, eps), lambda p: T.Adadelta(p, lr, a, eps)),
        (optim.Adam(lr, (a, b), eps), lambda p: T.Adam(p, lr, (a, b), eps)),
    ]
    for ours, theirs in pairs:
        assert worst_error_against_torch(ours, theirs, grads) < 1e-12, ours


@pytest.mark.parametrize("rule", [optim.Adagrad, optim.RMSprop, optim.Adadelta, optim.Adam])
def test_the_settings_are_torchs_unless_given(rule):
    theirs = getattr(T, rule.__name__)([torch.zeros(1)]).defaults
    assert {name: theirs[name] for name in vars(rule())} == vars(rule())


def test_the_first_steps_by_hand():
    """With g = 3 at p = 0, at the usual settings and lr = 1: the size of the gradient is gone."""
    first = {}
    for rule in (optim.Adagrad, optim.RMSprop, optim.Adadelta, optim.Adam):
        optimizer, zero = rule(lr=1.0), np.zeros(1)
        first[rule.__name__] = -optimizer.update(zero, np.full(1, 3.0), optimizer.init(zero))[0][0]
    assert first["Adagrad"] == pytest.approx(1)
    assert first["RMSprop"] == pytest.approx(1 / np.sqrt(1 - 0.99))  # no bias correction: 10
    assert first["Adadelta"] == pytest.approx(3 * np.sqrt(1e-6 / (0.1 * 9)), rel=1e-5)  # 0.003
    assert first["Adam"] == pytest.approx(1)


@pytest.mark.parametrize("optimizer", [rule for rule, _ in RULES.values()], ids=RULES)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda a, b: (a, b),
        lambda a, b: [a, b],
        lambda a, b: {"cell": a, "out": b},
        lambda a, b: {"both": (a, [b])},
    ],
)
def test_a_tree_is_updated_leaf_by_leaf(optimizer, wrap):
    rng = np.random.default_rng(0)
    dcell, dout = gradient_of(CELL, rng), gradient_of(OUT, rng)
    tree, grads = wrap(CELL, OUT), wrap(dcell, dout)
    together, _ = optimizer.update(tree, grads, optimizer.init(tree))
    cell, _ = optimizer.update(CELL, dcell, optimizer.init(CELL))
    out, _ = optimizer.update(OUT, dout, optimizer.init(OUT))
    assert type(together) is type(tree)
    assert values(together) == values(wrap(cell, out))


def values(tree):
    return {path: a.tolist() for path, a in leaves("p", tree).items()}


@pytest.mark.parametrize("optimizer", [rule for rule, _ in RULES.values()], ids=RULES)
def test_update_is_pure_and_keeps_type_settings_and_dtype(optimizer):
    cell = JordanCell.init(2, 3, 2, activation="relu", out_activation="tanh").astype(np.float32)
    grads = gradient_of(cell, np.random.default_rng(0))  # float64
    before, state = values(cell), optimizer.init(cell)
    first, once = optimizer.update(cell, grads, state)
    again, _ = optimizer.update(cell, grads, state)
    assert values(cell) == before
    assert values(first) == values(again) != before
    assert (state.t, once.t) == (0, 1)
    assert type(first) is JordanCell
    assert (first.activation, first.out_activation, first.dtype) == ("relu", "tanh", np.float32)


@pytest.mark.parametrize("shape", [(), (2,), (1, 2, 1)])
def test_plain_arrays(shape):
    sgd, ones = optim.SGD(0.5, momentum=0.5), np.ones(shape)
    state = sgd.init(ones)
    params, state = sgd.update(ones, np.asarray(2 * ones), state)
    assert np.array_equal(params, 0 * ones)
    params, state = sgd.update(params, np.zeros(shape), state)  # what came out goes in again
    assert np.array_equal(params, -0.5 * ones)


def test_an_update_that_overflows_is_refused_by_the_parameters():
    huge = replace(CELL, b=np.full(4, -1.7e308))
    optimizer = optim.SGD(1.7e308)
    with np.errstate(over="ignore"), pytest.raises(ValueError, match="b: expected finite"):
        optimizer.update(huge, replace(CELL, b=np.ones(4)), optimizer.init(huge))
