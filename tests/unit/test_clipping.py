"""Clipping by value and by norm: against torch, at the edges of floating point, and on trees."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlib import (
    GRUCell,
    JordanCell,
    LSTMCell,
    OutputLayer,
    RNNCell,
    backward,
    clipping,
    forward,
    optim,
)
from rnnlib.clipping import norm
from rnnlib.records import leaves

CELL, OUT = RNNCell.init(3, 4, rng=0), OutputLayer.init(4, 2, rng=1)


def gradient_of(record, rng, size=1.0):
    return record.gradient(
        **{n: size * rng.normal(size=a.shape) for n, a in record.fields().items()}
    )


def tree(seed=0, size=1.0):
    rng = np.random.default_rng(seed)
    return gradient_of(CELL, rng, size), {"out": gradient_of(OUT, rng, size), "E": [np.ones(3)]}


def values(grads):
    return {path: g.tolist() for path, g in leaves("grads", grads).items()}


def flat(grads):
    return np.concatenate([g.ravel() for g in leaves("grads", grads).values()])


def clipped_by_torch(function, grads, v):
    arrays = list(leaves("grads", grads).values())
    parameters = [torch.zeros(g.shape, dtype=torch.float64) for g in arrays]
    for p, g in zip(parameters, arrays, strict=True):
        p.grad = torch.tensor(g)
    result = function(parameters, v)
    return [p.grad.numpy() for p in parameters], result


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 99), st.floats(1e-3, 1e3), st.floats(1e-2, 1e2))
def test_the_global_norm_as_torch_but_for_its_1e_6(seed, size, v):
    grads = tree(seed, size)
    clipped, norm = optim.clip_by_norm(grads, v)
    theirs, their_norm = clipped_by_torch(torch.nn.utils.clip_grad_norm_, grads, v)
    assert norm == pytest.approx(float(their_norm), rel=1e-14)
    if norm > v:  # torch multiplies by v / (norm + 1e-6), not by v / norm
        theirs = [g * (norm + 1e-6) / norm for g in theirs]
    for ours, expected in zip(leaves("g", clipped).values(), theirs, strict=True):
        assert np.abs(ours - expected).max() <= 1e-13 * max(v, np.abs(expected).max())


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 99), st.floats(1e-3, 1e3), st.floats(1e-2, 1e2))
def test_values_to_the_bit_as_torch(seed, size, v):
    grads = tree(seed, size)
    theirs, _ = clipped_by_torch(torch.nn.utils.clip_grad_value_, grads, v)
    ours = optim.clip_by_value(grads, v)
    assert list(values(ours).values()) == [g.tolist() for g in theirs]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 99), st.floats(0.01, 10))
def test_the_global_norm_keeps_the_direction_and_is_v_at_most(seed, v):
    grads = tree(seed)
    g, (clipped, norm) = flat(grads), optim.clip_by_norm(grads, v)
    c = flat(clipped)
    assert norm == pytest.approx(np.linalg.norm(g), rel=1e-14)
    assert np.linalg.norm(c) == pytest.approx(min(v, norm), rel=1e-14)
    assert c @ g == pytest.approx(np.linalg.norm(c) * np.linalg.norm(g), rel=1e-14)  # cosine 1


def test_each_tensor_by_itself():
    grads = {"big": np.array([3.0, 4.0]), "small": np.array([[0.3, 0.4]]), "zero": np.zeros(2)}
    clipped, norms = optim.clip_by_norm(grads, 1, per="tensor")
    assert norms == pytest.approx({"grads['big']": 5, "grads['small']": 0.5, "grads['zero']": 0})
    assert clipped["big"] == pytest.approx([0.6, 0.8], rel=1e-15)
    assert clipped["small"].tolist() == [[0.3, 0.4]]
    together, norm = optim.clip_by_norm(grads, 1)
    assert norm == pytest.approx(np.sqrt(25.25))
    assert together["small"][0, 0] == pytest.approx(0.3 / np.sqrt(25.25))


def test_only_the_global_norm_keeps_the_direction():
    grads = (np.array([3.0]), np.array([4.0]))
    of = {
        "all": optim.clip_by_norm(grads, 1)[0],
        "tensor": optim.clip_by_norm(grads, 1, per="tensor")[0],
        "value": optim.clip_by_value(grads, 1),
    }
    slope = {how: float(b[0] / a[0]) for how, (a, b) in of.items()}
    assert slope == pytest.approx({"all": 4 / 3, "tensor": 1, "value": 1})


def test_the_mean_of_clipped_gradients_is_not_the_clipped_mean():
    """(10, 0) and (0, 1), clipped at 1: 39.3 degrees apart."""
    one, other = np.array([10.0, 0]), np.array([0, 1.0])
    each = optim.clip_by_norm(one, 1)[0] + optim.clip_by_norm(other, 1)[0]
    mean, _ = optim.clip_by_norm((one + other) / 2, 1)
    cosine = each @ mean / np.linalg.norm(each) / np.linalg.norm(mean)
    assert np.degrees(np.arccos(cosine)) == pytest.approx(39.3, abs=0.05)


def naive_clip(g, v):
    """The clip as it is often written."""
    norm = np.sqrt((g**2).sum())
    return g * v / norm if norm > v else g


CLIPS = {
    "norm": lambda g: optim.clip_by_norm(g, 1.0),
    "norm, per tensor": lambda g: optim.clip_by_norm(g, 1.0, per="tensor"),
    "value": lambda g: optim.clip_by_value(g, 1.0),
    "the norm alone": norm,
}


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("clip", CLIPS.values(), ids=CLIPS)
def test_nan_and_infinity_are_refused_by_name(clip, bad):
    dcell, dout = gradient_of(CELL, np.random.default_rng(0)), OUT
    W = dcell.W.copy()
    W[2, 1] = bad
    grads = {"layers": (dcell.gradient(U=dcell.U, W=W, b=dcell.b), dout)}
    with pytest.raises(ValueError, match=r"^grads\['layers'\]\[0\]\.W: expected finite numbers"):
        clip(grads)


def test_a_naive_clip_lets_nan_through_and_makes_zeros_of_infinity():
    assert not np.nan > 1.0  # so the norm of a gradient with NaN counts as small enough
    assert np.isnan(naive_clip(np.array([1e6, np.nan]), 1.0)).tolist() == [False, True]
    assert naive_clip(np.array([1e6, np.nan]), 1.0)[0] == 1e6  # and nothing at all is clipped
    with np.errstate(invalid="ignore"):
        inf = naive_clip(np.array([3.0, np.inf]), 1.0)
    assert inf[0] == 0 and np.isnan(inf[1])


@pytest.mark.parametrize("size", [1e-320, 1e-200, 1e-160, 1.0, 1e160, 1e200, 1e307])
def test_norms_neither_overflow_nor_underflow(size):
    g = size * np.array([3.0, -4.0, 0.0])
    assert norm(g) == pytest.approx(5 * size, rel=1e-3 if size < 1e-300 else 1e-15)
    clipped, before = optim.clip_by_norm(g, size)
    assert before == norm(g)
    assert clipped / size == pytest.approx(g / size / 5, rel=1e-3 if size < 1e-300 else 1e-15)


def test_a_norm_beyond_the_largest_number_is_clipped_all_the_same():
    clipped, norm = optim.clip_by_norm(np.full(4, 1.5e308), 1.0)  # the norm is 3e308
    assert norm == np.inf
    assert clipped.tolist() == [0.5] * 4


def test_very_different_sizes_in_one_tree():
    grads = (np.array([1e200]), np.array([1e-200]), np.array([1e30], np.float32))
    clipped, norm = optim.clip_by_norm(grads, 2.0)
    assert norm == 1e200
    assert [float(g[0]) for g in clipped] == [2, 0, pytest.approx(2e-170, abs=1e-45)]
    assert clipped[2].dtype == np.float32


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_types_and_bits_are_kept(dtype):
    rng = np.random.default_rng(0)
    cell = CELL.astype(dtype)
    dcell = cell.gradient(**{n: rng.normal(size=a.shape).astype(dtype)
                             for n, a in cell.fields().items()})
    grads = (dcell, {"E": [np.array([-0.0, 5e-324, 1], dtype)]})
    before = [(g.tobytes(), g.dtype) for g in leaves("g", grads).values()]
    for unclipped in (
        optim.clip_by_value(grads, 1e300),
        optim.clip_by_norm(grads, 1e300)[0],
        optim.clip_by_norm(grads, 1e300, per="tensor")[0],
    ):
        assert [(g.tobytes(), g.dtype) for g in leaves("g", unclipped).values()] == before
    for clipped in (
        optim.clip_by_value(grads, 0.1),
        optim.clip_by_norm(grads, 0.1)[0],
        optim.clip_by_norm(grads, 0.1, per="tensor")[0],
    ):
        assert type(clipped) is tuple and type(clipped[0]) is RNNCell
        assert clipped[0].activation == "tanh"
        assert {g.dtype for g in leaves("g", clipped).values()} == {np.dtype(dtype)}


def test_a_gradient_that_exploded_comes_back_as_a_record_that_can_be_taken_off():
    cell = replace(CELL, W=300 * CELL.W, activation="identity")
    trace = forward(cell, np.ones((60, 1, 3)))
    _, dcell = backward(cell, trace, np.ones((60, 1, 4)))
    assert norm(dcell) > 1e100
    clipped, _ = optim.clip_by_norm(dcell, 1.0)
    assert norm(clipped) == pytest.approx(1)
    sgd = optim.SGD(0.1)
    after, _ = sgd.update(cell, clipped, sgd.init(cell))
    step = {name: a - getattr(cell, name) for name, a in after.fields().items()}
    assert norm(step) == pytest.approx(0.1)


@pytest.mark.parametrize("kind", [JordanCell, LSTMCell, GRUCell])
def test_every_cell_comes_back_with_its_type_and_names(kind):
    rng = np.random.default_rng(0)
    cell = kind.init(2, 3, 2, rng=rng) if kind is JordanCell else kind.init(2, 3, rng=rng)
    dcell = gradient_of(cell, rng, 1e150)
    for clipped in (optim.clip_by_norm(dcell, 1)[0], optim.clip_by_value(dcell, 1)):
        assert type(clipped) is kind
        assert list(clipped.fields()) == list(dcell.fields())
        assert all((clipped.fields()[n] * g > 0).all() for n, g in dcell.fields().items())
    _, norms = optim.clip_by_norm({"cell": dcell}, 1, per="tensor")
    assert list(norms) == [f"grads['cell'].{name}" for name in dcell.fields()]


def test_nothing_is_changed_in_place():
    grads = tree()
    before = values(grads)
    optim.clip_by_value(grads, 0.1)
    optim.clip_by_norm(grads, 0.1)
    optim.clip_by_norm(grads, 0.1, per="tensor")
    clipped, _ = optim.clip_by_norm(grads, 1e9)
    clipped[1]["E"][0][:] = 7  # the result is no view of what was given
    assert values(grads) == before


def test_scalars_and_zeros():
    clipped, norm = optim.clip_by_norm(np.array(-3.0), 2.0)
    assert isinstance(clipped, np.ndarray) and (float(clipped), norm) == (-2, 3)
    assert isinstance(optim.clip_by_value(np.array(-3.0), 2.0), np.ndarray)
    assert optim.clip_by_norm(np.zeros(3), 1)[1] == 0
    assert clipping.norm((np.zeros(3), np.zeros((0, 2)))) == 0
