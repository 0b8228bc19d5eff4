"""Skip connections through time: gradients, the last d states, and what the skips are for."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from cases import activations, case_of, seeds, sizes
from hypothesis import given, settings
from hypothesis import strategies as st
from references import TORCH, central_differences, relative_error, skip_loop

from rnnlib import LSTMCell, RNNCell, Stack, backward, bptt, bridge, forward
from rnnlib.records import leaves
from rnnlib.skip import SkipRNNCell


@st.composite
def skip_cases(draw, most_steps=9, most_skip=6):
    """T is shorter than d, equal to it, and longer."""
    B, D, H = (draw(sizes) for _ in "BDH")
    T, d = draw(st.integers(1, most_steps)), draw(st.integers(2, most_skip))
    rng = np.random.default_rng(draw(seeds))
    cell = SkipRNNCell.init(D, H, skip=d, activation=draw(activations), rng=rng)
    return case_of(cell, T, B, rng)


def same_bits(one, other):
    one, other = leaves("v", one), leaves("v", other)
    return one.keys() == other.keys() and all(
        v.tobytes() == other[k].tobytes() for k, v in one.items()
    )


@given(skip_cases())
def test_forward_equals_the_step_by_step_loop(case):
    trace, found = case.trace, {}
    case.run_loop(note=lambda name, t, value: found.setdefault((name, t), value))
    for (name, t), value in found.items():
        np.testing.assert_allclose(getattr(trace, name)[t], value, rtol=1e-12, atol=1e-14)


@given(skip_cases())
def test_parameters_inputs_and_states_against_differences(case):
    dtrace, dcell = backward(case.cell, case.trace, case.dhs, dlast=case.dlast)
    assert list(dcell.fields()) == ["U", "W", "W_d", "b"]
    case.assume_far_from_kinks()
    for name, value in case.cell.fields().items():
        differences = central_differences(
            lambda p: case.loss(forward(replace(case.cell, **{name: p}), **case.inputs)),  # noqa: B023
            value,
        )
        assert relative_error(getattr(dcell, name), differences) < 1e-8, name
    for name, gradient in (("xs", dtrace.x), ("state", dtrace.state)):
        differences = central_differences(
            lambda v: case.loss(forward(case.cell, **{**case.inputs, name: v})),  # noqa: B023
            case.inputs[name],
        )
        assert relative_error(gradient, differences) < 1e-8, name


@given(skip_cases())
def test_inner_fields_against_differences(case):
    """dtrace.f[t] is the total derivative: what L does when f_t alone is nudged on its way."""
    dtrace, _ = backward(case.cell, case.trace, case.dhs, dlast=case.dlast)
    case.assume_far_from_kinks()
    for field in ("a", "h"):
        def nudged(nudges, field=field):
            hs = case.run_loop(lambda name, t, v: v + nudges[t] if name == field else v)
            last = [*hs[::-1], *case.inputs["state"]][: case.cell.skip]
            return np.sum(case.dhs * np.stack(hs)) + np.sum(case.dlast * np.stack(last))

        gradient = getattr(dtrace, field)
        differences = central_differences(nudged, np.zeros_like(gradient))
        assert relative_error(gradient, differences) < 1e-8, field


@settings(deadline=None)
@given(skip_cases(most_steps=40, most_skip=20))
def test_everything_against_torch(case):
    dtrace, dcell = backward(case.cell, case.trace, case.dhs, dlast=case.dlast)
    leaf = lambda v: torch.tensor(v, requires_grad=True)  # noqa: E731
    p = {name: leaf(v) for name, v in case.cell.fields().items()}
    xs, state, kept = leaf(case.inputs["xs"]), leaf(case.inputs["state"]), {"a": [], "h": []}

    def note(name, t, value):
        value.retain_grad()
        kept[name].append(value)
        return value

    hs = skip_loop(case.cell, TORCH, p, xs, state, note)
    last = torch.stack([*hs[::-1], *state][: case.cell.skip])
    loss = (torch.stack(hs) * torch.tensor(case.dhs)).sum()
    (loss + (last * torch.tensor(case.dlast)).sum()).backward()
    expected = {"x": xs.grad, "state": state.grad}
    expected |= {name: torch.stack([v.grad for v in kept[name]]) for name in kept}
    for name, value in expected.items():
        assert relative_error(getattr(dtrace, name), value.numpy()) < 1e-10, name
    for name, value in p.items():
        theirs = 0 * value.detach() if value.grad is None else value.grad
        assert relative_error(getattr(dcell, name), theirs.numpy()) < 1e-10, name


def test_without_its_skips_it_is_the_vanilla_cell():
    plain, rng = RNNCell.init(3, 4, rng=0), np.random.default_rng(1)
    cell = SkipRNNCell(plain.U, plain.W, 0 * plain.W, plain.b, skip=3)
    xs, state, dhs = rng.normal(size=(9, 2, 3)), rng.normal(size=(3, 2, 4)), np.ones((9, 2, 4))
    one, other = forward(cell, xs, state), forward(plain, xs, state[0])
    (done, dcell), (dother, dplain) = backward(cell, one, dhs), backward(plain, other, dhs)
    for got, expected in ((one.h, other.h), (done.x, dother.x), (dcell.W, dplain.W)):
        assert np.array_equal(got, expected)
    assert np.array_equal(done.state, [dother.state, 0 * dother.state, 0 * dother.state])


@pytest.mark.parametrize("d", [2, 5, 10])
def test_a_gradient_goes_back_tau_steps_in_tau_over_d(d):
    """Identity units of weight 1/2: what comes back is the sum over all paths, W or W_d."""
    def came_back(W, W_d):
        cell = SkipRNNCell([[1]], [[W]], [[W_d]], [0], skip=d, activation="identity")
        trace = forward(cell, np.zeros((41, 1, 1)))
        return backward(cell, trace, dh_end=[[1]])[0].h[::-1, 0, 0]     # [τ]: dL/dh_{T-τ}

    skips = came_back(0, 0.5)
    assert np.array_equal(skips[::d], 0.5 ** np.arange(len(skips[::d])))
    assert not np.delete(skips, np.s_[::d]).any()
    assert np.array_equal(came_back(0.5, 0), 0.5 ** np.arange(41))
    both = came_back(0.5, 0.5)
    for tau in range(d, 41):
        assert both[tau] == pytest.approx(0.5 * both[tau - 1] + 0.5 * both[tau - d])


@given(skip_cases(), st.data())
def test_the_state_is_the_last_d_hidden_states_the_newest_first(case, data):
    trace, xs, d = case.trace, case.inputs["xs"], case.cell.skip
    known = [*case.inputs["state"][::-1], *trace.h]                     # known[d - 1 + t] is h_t
    for t in range(len(xs) + 1):
        assert np.array_equal(trace.state_after(t), known[t : t + d][::-1])
    assert np.array_equal(trace.last, known[-d:][::-1])
    assert np.array_equal(trace.h_prev, known[d - 1 : -1])
    assert np.array_equal(trace.h_skip, known[: len(xs)])
    start = data.draw(st.integers(0, len(xs) - 1))
    part = trace.steps(start, len(xs))
    again = forward(case.cell, xs[start:], part.state)
    np.testing.assert_allclose(again.h, part.h, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(again.last, trace.last, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("d", [2, 5, 16, 33, 100])
@pytest.mark.parametrize("T", [16, 48, 70])
def test_checkpointed_gives_the_bits_of_backward(d, T):
    """Segments of 16 steps: shorter and longer than the skip."""
    rng = np.random.default_rng(d)
    case = case_of(SkipRNNCell.init(3, 4, skip=d, rng=rng), T, 2, rng)
    case.dhs[: T // 2] = -0.0                                       # the sign of a zero, too
    xs, state = case.inputs["xs"], case.inputs["state"]
    dtrace, dcell = backward(case.cell, case.trace, case.dhs)
    for budget in (None, 10**9):
        result = bptt.checkpointed(case.cell, xs, case.dhs, state, budget=budget)
        assert same_bits(result.dcell, dcell)
        assert same_bits(result.dstate, dtrace.state)
        assert same_bits(result.last, case.trace.last)


@pytest.mark.parametrize("d", [2, 5, 9])
def test_a_window_is_the_sum_of_cut_gradients(d):
    rng, T, window, stride = np.random.default_rng(d), 12, 4, 3
    case = case_of(SkipRNNCell.init(2, 3, skip=d, rng=rng), T, 2, rng)
    trace, summed = case.trace, dict.fromkeys(case.cell.SHAPES, 0)
    for start in range(0, T, stride):
        stop = start + stride
        first = max(0, stop - window)
        part = forward(case.cell, case.inputs["xs"][first:stop], trace.state_after(first))
        own = np.where(np.arange(first, stop)[:, None, None] < start, 0, case.dhs[first:stop])
        _, dcell = backward(case.cell, part, own)
        summed = {name: summed[name] + getattr(dcell, name) for name in summed}
    found = bptt.truncated(case.cell, trace, case.dhs, window=window, stride=stride)
    for name, value in summed.items():
        np.testing.assert_allclose(getattr(found, name), value, rtol=1e-11, atol=1e-12)


def test_an_item_that_only_the_skip_can_carry():
    """W = 0, d = 4: the loss of step 9 reaches the steps 9, 5 and 1, and no other."""
    rng = np.random.default_rng(0)
    cell = replace(SkipRNNCell.init(3, 4, skip=4, rng=rng), W=np.zeros((4, 4)))
    trace = forward(cell, rng.normal(size=(12, 1, 3)))
    items, (dtrace, dcell) = (
        way(cell, trace, np.ones((12, 1, 4))) for way in (bptt.itemised, backward)
    )
    assert np.flatnonzero(items.a[:, 9].any(axis=-1)).tolist() == [1, 5, 9]
    np.testing.assert_allclose(items.state.sum(axis=-2), dtrace.state[:, 0], atol=1e-13)
    np.testing.assert_allclose(items.cell.W_d, dcell.W_d, atol=1e-13)


def test_it_begins_as_the_vanilla_cell_does():
    """U, W and b from the same numbers; W_d is drawn after them, as W is."""
    plain = RNNCell.init(2, 6, start="orthogonal", gain=0.5, rng=4)
    cell = SkipRNNCell.init(2, 6, skip=7, activation="relu", start="orthogonal", gain=0.5, rng=4)
    assert all(np.array_equal(getattr(cell, n), getattr(plain, n)) for n in "UWb")
    np.testing.assert_allclose(cell.W_d @ cell.W_d.T, 0.25 * np.eye(6), atol=1e-14)
    assert not np.isin(cell.W_d, cell.W).any()
    assert (cell.skip, cell.activation, cell.states) == (7, "relu", 7)
    assert np.abs(SkipRNNCell.init(2, 100).W_d).max() <= 0.1


def test_in_a_stack_its_state_is_one_of_the_tuple():
    network = Stack((SkipRNNCell.init(3, 4, skip=3), LSTMCell.init(4, 2)))
    trace = forward(network, np.ones((5, 2, 3), np.float32))
    dtrace, dnetwork = backward(network, trace, dh_end=np.ones((2, 2)))
    assert [one.shape for one in trace.last] == [(3, 2, 4), (2, 2, 2)]
    assert {v.dtype for v in leaves("g", (dtrace.state, dnetwork)).values()} == {np.dtype("f4")}
    assert dnetwork.cells[0].skip == 3


def test_torch_has_no_such_cell():
    with pytest.raises(TypeError, match="cell: expected one of RNNCell, .* got SkipRNNCell"):
        bridge.to_torch(SkipRNNCell.init(2, 3))


def test_with_lengths_the_last_state_is_that_of_each_sequence_alone():
    cell, xs = SkipRNNCell.init(3, 4, skip=3), np.random.default_rng(0).normal(size=(6, 3, 3))
    trace = forward(cell, xs, lengths=[6, 4, 1])
    for b, length in enumerate(trace.lengths):
        alone = forward(cell, xs[:length, b : b + 1])
        np.testing.assert_allclose(trace.last[:, b : b + 1], alone.last, rtol=1e-12)
        for t in range(7):
            state = alone.state_after(min(t, length))
            np.testing.assert_allclose(trace.state_after(t)[:, b : b + 1], state, rtol=1e-12)
