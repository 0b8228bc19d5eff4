"""L2 on the weights, sums of gradients, and Pascanu's Ω, against differences and torch."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from references import central_differences, relative_error

from rnnlib import JordanCell, OutputLayer, RNNCell, backward, forward, optim, regularisers
from rnnlib.records import leaves

CELL, OUT = RNNCell.init(3, 4, rng=0), OutputLayer.init(4, 2, rng=1)
SLOPES = {
    "tanh": lambda a: 1 - np.tanh(a) ** 2,
    "relu": lambda a: (a > 0).astype(float),
    "identity": np.ones_like,
}


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("weight", [0, 0.3, 2])
def test_l2_against_torch(weight, biases):
    params = (CELL, {"out": OUT, "b": np.ones(2)})
    penalty, grads = regularisers.l2(params, weight, biases=biases)
    tensors = {path: torch.tensor(p, requires_grad=True) for path, p in leaves("p", params).items()}
    counted = [p for p in tensors.values() if biases or p.ndim > 1]
    expected = weight / 2 * sum((p**2).sum() for p in counted)
    expected.backward()
    assert penalty == pytest.approx(float(expected.detach()), rel=1e-14)
    assert type(grads[0]) is RNNCell and type(grads[1]["out"]) is OutputLayer
    for path, g in leaves("p", grads).items():
        zero = torch.zeros_like(tensors[path])
        theirs = zero if tensors[path].grad is None else tensors[path].grad
        assert g == pytest.approx(theirs.numpy(), rel=1e-14), path


def test_l2_leaves_biases_alone_unless_told():
    _, grads = regularisers.l2(CELL, 2.0)
    assert grads.b.tolist() == [0] * 4
    assert np.array_equal(grads.W, 2 * CELL.W) and np.array_equal(grads.U, 2 * CELL.U)
    assert np.array_equal(regularisers.l2(CELL, 2.0, biases=True)[1].b, 2 * CELL.b)


def test_l2_is_the_weight_decay_of_sgd():
    p, g = np.ones((2, 2)), np.full((2, 2), 0.5)
    tensor = torch.tensor(p, requires_grad=True)
    tensor.grad = torch.tensor(g)
    torch.optim.SGD([tensor], 0.1, weight_decay=0.2).step()
    sgd = optim.SGD(0.1)
    _, more = regularisers.l2(p, 0.2)
    ours, _ = sgd.update(p, regularisers.add(g, more), sgd.init(p))
    assert ours == pytest.approx(tensor.detach().numpy(), rel=1e-15)


def test_l2_keeps_float32():
    penalty, grads = regularisers.l2(CELL.astype(np.float32), 0.1)
    assert type(penalty) is float
    assert grads.dtype == np.float32
    huge = np.full((1, 1), 1e30, np.float32)  # its square is beyond float32, not beyond a float
    assert regularisers.l2(huge, 0.1)[0] == pytest.approx(5e58)


def test_add_is_leaf_by_leaf_and_of_the_type_of_the_first():
    rng = np.random.default_rng(0)
    one, other = ((RNNCell(*(rng.normal(size=a.shape) for a in CELL.fields().values())),
                   [{"E": rng.normal(size=3)}]) for _ in range(2))
    total = regularisers.add(one, other)
    assert type(total) is tuple and type(total[0]) is RNNCell and type(total[1]) is list
    assert np.array_equal(total[0].W, one[0].W + other[0].W)
    assert np.array_equal(total[1][0]["E"], one[1][0]["E"] + other[1][0]["E"])


def plain_omega(W, activation, a, dh):
    """Ω with every state and dh_t given: equation 9, sequence by sequence and step by step."""
    total = 0.0
    for sequence in range(a.shape[1]):
        for a_t, dh_t in zip(a[:, sequence], dh[:, sequence], strict=True):
            if dh_t.any():
                back = W.T @ (SLOPES[activation](a_t) * dh_t)
                total += (np.sqrt((back**2).sum() / (dh_t**2).sum()) - 1) ** 2
    return total / a.shape[1]


def passes(seed, activation="tanh", sizes=(5, 3, 2, 4), last_only=False):
    rng = np.random.default_rng(seed)
    T, B, D, H = sizes
    cell = RNNCell.init(D, H, activation=activation, rng=rng)
    trace = forward(cell, rng.normal(size=(T, B, D)))
    dhs = rng.normal(size=(T, B, H))
    if last_only:
        dhs[:-1] = 0
    return cell, trace, backward(cell, trace, dhs)[0]


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 999),
    st.sampled_from(sorted(SLOPES)),
    st.tuples(*[st.integers(1, 5)] * 3, st.integers(1, 6)),
)
def test_omega_and_its_immediate_gradient_against_central_differences(seed, activation, sizes):
    cell, trace, dtrace = passes(seed, activation, sizes)
    value, dcell = regularisers.omega(cell, trace, dtrace)

    def fixed(W):  # trace and dtrace stay as they are
        return plain_omega(W, activation, trace.a, dtrace.h)

    assert type(value) is float
    assert value == pytest.approx(fixed(cell.W), rel=1e-12, abs=1e-15)
    assert type(dcell) is RNNCell
    assert not dcell.U.any() and not dcell.b.any()
    back = np.linalg.norm(dtrace.a @ cell.W, axis=-1) / np.linalg.norm(dtrace.h, axis=-1)
    if (back < 2e-2).any():
        return  # a corner of Ω is within reach of the differences
    assert relative_error(dcell.W, central_differences(fixed, cell.W)) < 1e-8


def test_omega_against_torch():
    cell, trace, dtrace = passes(0)
    W = torch.tensor(cell.W, requires_grad=True)
    h, dh = torch.tensor(trace.h), torch.tensor(dtrace.h)
    r = torch.linalg.norm(((1 - h**2) * dh) @ W, dim=-1) / torch.linalg.norm(dh, dim=-1)
    expected = ((r - 1) ** 2).sum(0).mean()
    expected.backward()
    value, dcell = regularisers.omega(cell, trace, dtrace)
    assert value == pytest.approx(float(expected.detach()), rel=1e-13)
    assert relative_error(dcell.W, W.grad.numpy()) < 1e-12


def test_omega_reads_the_step_back_of_backpropagation():
    """Where the loss reads only the last state, r_t is ||dh_{t-1}|| / ||dh_t|| of the backward."""
    cell, trace, dtrace = passes(0, last_only=True)
    dh = np.concatenate([dtrace.state[None], dtrace.h])
    sizes = np.linalg.norm(dh, axis=-1)
    expected = ((sizes[:-1] / sizes[1:] - 1) ** 2).sum(axis=0).mean()
    assert regularisers.omega(cell, trace, dtrace)[0] == pytest.approx(expected, rel=1e-12)


def test_the_gradient_is_not_the_total_derivative():
    """W also moves the states and the errors, which equation 10 holds fixed."""
    cell, trace, dtrace = passes(3)
    xs, dhs = trace.x, np.random.default_rng(1).normal(size=trace.h.shape)

    def total(W):
        moved = replace(cell, W=W)
        moved_trace = forward(moved, xs)
        return regularisers.omega(moved, moved_trace, backward(moved, moved_trace, dhs)[0])[0]

    immediate = regularisers.omega(cell, trace, backward(cell, trace, dhs)[0])[1].W
    whole = central_differences(total, cell.W)
    assert 0.05 < relative_error(immediate, whole) < 5


def test_an_orthogonal_linear_cell_has_omega_zero_and_a_halved_one_a_quarter_for_every_step():
    Q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))
    for W, expected in ((Q, 0), (0.5 * Q, 6 * 0.25), (2 * Q, 6)):
        cell = RNNCell(CELL.U, W, CELL.b, activation="identity")
        trace = forward(cell, np.ones((6, 2, 3)))
        dtrace, _ = backward(cell, trace, np.ones((6, 2, 4)))
        value, dcell = regularisers.omega(cell, trace, dtrace)
        assert value == pytest.approx(expected, abs=1e-12)
        outwards = (dcell.W * W).sum()  # downhill is towards the norm 1, from either side
        assert np.sign(round(outwards, 9)) == np.sign(expected and np.linalg.norm(W, 2) - 1)


def test_steps_without_an_error_are_left_out():
    cell, trace, _ = passes(0)
    dhs = np.zeros_like(trace.h)
    assert regularisers.omega(cell, trace, backward(cell, trace, dhs)[0])[0] == 0
    dhs[1, 0] = 1  # nothing comes back from the steps after 1, nor in the other sequences
    dtrace, _ = backward(cell, trace, dhs)
    value, dcell = regularisers.omega(cell, trace, dtrace)
    assert value == pytest.approx(plain_omega(cell.W, "tanh", trace.a[:2], dtrace.h[:2]), rel=1e-12)
    assert value < 2 / 3 + 1e-12 and dcell.W.any()


def test_sequences_of_unequal_length_count_up_to_their_ends():
    rng = np.random.default_rng(0)
    lengths, xs, dhs = (2, 5, 3), rng.normal(size=(5, 3, 3)), rng.normal(size=(5, 3, 4))
    trace = forward(CELL, xs, lengths=lengths)
    value, dcell = regularisers.omega(CELL, trace, backward(CELL, trace, dhs)[0])
    alone = []
    for b, end in enumerate(lengths):
        cut, sent = forward(CELL, xs[:end, b : b + 1]), dhs[:end, b : b + 1].copy()
        sent[-1] += dhs[end:, b].sum(axis=0)  # what the loss sends into the kept state
        alone.append(regularisers.omega(CELL, cut, backward(CELL, cut, sent)[0]))
    assert value == pytest.approx(np.mean([one for one, _ in alone]), rel=1e-13)
    assert relative_error(dcell.W, np.mean([d.W for _, d in alone], axis=0)) < 1e-12


def test_units_that_are_all_off_count_one_and_pull_nowhere():
    cell = RNNCell(CELL.U, CELL.W, np.full(4, -100.0), activation="relu")
    trace = forward(cell, np.ones((3, 2, 3)))
    value, dcell = regularisers.omega(cell, trace, backward(cell, trace, np.ones((3, 2, 4)))[0])
    assert value == 3
    assert not dcell.W.any()


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1e200, 1e300])
def test_omega_does_not_depend_on_the_size_of_the_error(size):
    """Only directions count, even where the squares of dh_t would vanish or overflow."""
    cell, trace, dtrace = passes(0)
    value, dcell = regularisers.omega(cell, trace, dtrace)
    scaled, dscaled = regularisers.omega(cell, trace, replace(dtrace, h=size * dtrace.h))
    assert scaled == pytest.approx(value, rel=1e-13)
    assert relative_error(dscaled.W, dcell.W) < 1e-12


def test_omega_in_float32():
    cell = CELL.astype(np.float32)
    xs = np.ones((4, 2, 3), np.float32)
    trace = forward(cell, xs)
    value, dcell = regularisers.omega(cell, trace, backward(cell, trace, np.ones((4, 2, 4)))[0])
    assert dcell.dtype == np.float32
    double = forward(CELL, xs.astype(float))
    expected, _ = regularisers.omega(CELL, double, backward(CELL, double, np.ones((4, 2, 4)))[0])
    assert value == pytest.approx(expected, rel=1e-5)


def test_descending_omega_brings_the_error_to_an_even_size():
    """What Ω is for: the errors of 20 steps, which shrank a millionfold, come back."""
    rng = np.random.default_rng(0)
    cell = RNNCell.init(2, 8, rng=rng)
    cell, xs = replace(cell, W=0.8 * cell.W), rng.normal(size=(20, 4, 2))
    dhs = np.zeros((20, 4, 8))
    dhs[-1] = rng.normal(size=(4, 8))
    sgd, shrunk = optim.SGD(0.02), []
    state = sgd.init(cell)
    for _ in range(200):
        trace = forward(cell, xs)
        dtrace, _ = backward(cell, trace, dhs)
        shrunk.append(np.linalg.norm(dtrace.h[0]) / np.linalg.norm(dtrace.h[-1]))
        cell, state = sgd.update(cell, regularisers.omega(cell, trace, dtrace)[1], state)
    assert shrunk[0] < 1e-5
    assert shrunk[-1] > 0.01


@pytest.mark.parametrize("other", [JordanCell.init(3, 4, 2), OUT, "cell", None, RNNCell])
def test_only_an_rnn_cell_has_an_omega(other):
    _, trace, dtrace = passes(0)
    with pytest.raises(TypeError, match="^cell: expected an RNNCell"):
        regularisers.omega(other, trace, dtrace)
