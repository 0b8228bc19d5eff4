"""Stacks, both directions of time, and sequences of unequal length."""

from dataclasses import replace

import numpy as np
import pytest
from cases import MAKE, case_of, networks, seeds, state_like
from hypothesis import given, settings
from hypothesis import strategies as st
from references import central_differences, relative_error

from rnnlib import Bidirectional, GRUCell, LSTMCell, RNNCell, Stack, backward, forward
from rnnlib.records import leaves, rebuild

rng = np.random.default_rng(3)


def close(got, expected):
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-13)


def test_a_stack_is_one_forward_after_the_other():
    low, high = LSTMCell.init(3, 4, rng=rng), GRUCell.init(4, 2, rng=rng)
    xs, dhs = rng.normal(size=(20, 2, 3)), rng.normal(size=(20, 2, 2))
    trace = forward(Stack((low, high)), xs)
    below = forward(low, xs)
    above = forward(high, below.h)
    for name, value in below.fields().items():
        assert np.array_equal(getattr(trace.layers[0], name), value)
    assert np.array_equal(trace.h, above.h)
    dtrace, dstack = backward(trace.cell, trace, dhs)
    dabove, dhigh = backward(high, above, dhs)
    dbelow, dlow = backward(low, below, dabove.x)
    assert np.array_equal(dtrace.x, dbelow.x)
    for got, expected in zip(dstack.cells, (dlow, dhigh), strict=True):
        assert all(map(np.array_equal, got.fields().values(), expected.fields().values()))


def test_both_directions_are_two_runs_one_of_them_turned():
    ahead, back = RNNCell.init(3, 4, rng=rng), LSTMCell.init(3, 2, rng=rng)
    xs, dhs = rng.normal(size=(20, 2, 3)), rng.normal(size=(20, 2, 6))
    trace = forward(Bidirectional(ahead, back), xs)
    assert np.array_equal(trace.h_ahead, forward(ahead, xs).h)
    assert np.array_equal(trace.h_back, forward(back, xs[::-1]).h[::-1])
    dtrace, both = backward(trace.cell, trace, dhs)
    dahead, _ = backward(ahead, forward(ahead, xs), dhs[..., :4])
    dback, dcell = backward(back, forward(back, xs[::-1]), dhs[::-1, :, 4:])
    assert np.array_equal(dtrace.x, dahead.x + dback.x[::-1])
    assert np.array_equal(both.back.W, dcell.W)


@settings(deadline=None, max_examples=25)
@given(networks(), st.integers(1, 4), st.integers(1, 2), seeds)
def test_networks_against_differences(network, T, B, seed):
    """Every parameter, the inputs and the initial states of a network of any build."""
    case = case_of(network, T, B, np.random.default_rng(seed))
    dtrace, dnetwork = backward(network, case.trace, case.dhs, dlast=case.dlast)
    arrays = leaves("p", network)
    for path, gradient in leaves("p", dnetwork).items():
        differences = central_differences(
            lambda p: case.loss(  # noqa: B023
                forward(rebuild("p", network, {**arrays, path: p}), **case.inputs)  # noqa: B023
            ),
            arrays[path],
        )
        assert relative_error(gradient, differences) < 1e-8, path
    differences = central_differences(
        lambda xs: case.loss(forward(network, **{**case.inputs, "xs": xs})), case.inputs["xs"]
    )
    assert relative_error(dtrace.x, differences) < 1e-8
    states = leaves("s", case.inputs["state"])
    for path, gradient in leaves("s", dtrace.state).items():
        differences = central_differences(
            lambda v: case.loss(forward(network, **{  # noqa: B023
                **case.inputs,
                "state": rebuild("s", case.inputs["state"], {**states, path: v}),  # noqa: B023
            })),
            states[path],
        )
        assert relative_error(gradient, differences) < 1e-8, path


@settings(deadline=None, max_examples=40)
@given(networks(), st.lists(st.integers(1, 20), min_size=1, max_size=4), st.integers(0, 3), seeds)
def test_masking_equals_cutting(network, lengths, padding, seed):
    """A padded batch gives each sequence what it gets alone and cut: states and gradients."""
    rng, T, B = np.random.default_rng(seed), max(lengths) + padding, len(lengths)
    case = case_of(network, T, B, rng, lengths=lengths)
    trace = case.trace
    dhs = np.where(np.arange(T)[:, None, None] < np.reshape(lengths, (B, 1)), case.dhs, 0)
    dtrace, dnetwork = backward(network, trace, dhs, dlast=case.dlast)
    summed = dict.fromkeys(leaves("p", network), 0)
    for b, length in enumerate(lengths):
        state = pick(case.inputs["state"], b)
        alone = forward(network, case.inputs["xs"][:length, b : b + 1], state)
        dlast = pick(case.dlast, b)
        dalone, done = backward(network, alone, dhs[:length, b : b + 1], dlast=dlast)
        for whole, one in ((trace, alone), (dtrace, dalone)):
            check_same(whole, one, b, length)
        summed = {path: summed[path] + v for path, v in leaves("p", done).items()}
    for path, value in leaves("p", dnetwork).items():
        close(value, summed[path])


@settings(deadline=None, max_examples=40)
@given(networks(), st.lists(st.integers(1, 20), min_size=1, max_size=3), seeds)
def test_an_answer_at_the_end_does_not_depend_on_the_company(network, lengths, seed):
    """h_end and the gradient sent into it: in a padded batch as for each sequence alone."""
    rng, T, B = np.random.default_rng(seed), max(lengths) + 1, len(lengths)
    xs = rng.normal(size=(T, B, network.input_size))
    dh_end = rng.normal(size=(B, network.output_size))
    trace = forward(network, xs, lengths=lengths)
    dtrace, _ = backward(network, trace, dh_end=dh_end)
    for b, length in enumerate(lengths):
        alone = forward(network, xs[:length, b : b + 1])
        close(trace.h_end[b], alone.h_end[0])
        dalone, _ = backward(network, alone, dh_end=dh_end[b : b + 1])
        close(dtrace.x[:length, b : b + 1], dalone.x)
        assert not dtrace.x[length:, b].any()


def test_the_end_of_both_directions_is_the_last_state_of_each():
    network = Bidirectional(LSTMCell.init(2, 3, rng=0), GRUCell.init(2, 1, rng=1))
    trace = forward(network, rng.normal(size=(7, 4, 2)))
    ahead, back = trace.last
    assert np.array_equal(trace.h_end, np.concatenate([ahead[0], back], axis=-1))


def test_every_part_of_a_network_knows_its_cell():
    network = Stack((Bidirectional(RNNCell.init(2, 3), GRUCell.init(2, 1)), LSTMCell.init(4, 2)))
    trace = forward(network, np.ones((3, 1, 2), np.float32))
    dtrace, dnetwork = backward(network, trace, dh_end=np.ones((1, 2)))
    for one, cell in ((trace, network), (dtrace, dnetwork)):
        assert one.cell is cell
        assert one.layers[1].cell is cell.cells[1]
        assert one.layers[0].ahead.cell is cell.cells[0].ahead
        assert one.layers[0].back.cell is cell.cells[0].back
    backward(network.cells[1], trace.layers[1], trace.layers[1].h)      # each goes by itself, too


def test_a_trace_with_lengths_is_not_cut_into_steps():
    trace = forward(Stack((RNNCell.init(2, 3),)), np.ones((4, 2, 2)), lengths=(4, 2))
    with pytest.raises(ValueError, match="trace: expected one without lengths, got lengths"):
        trace.steps(1, 3)


def pick(state, b):
    if isinstance(state, tuple):
        return tuple(pick(one, b) for one in state)
    return state[..., b : b + 1, :]


def check_same(whole, one, b, length):
    """One sequence in a padded trace, and the trace of that sequence alone."""
    for layer, layer_alone in zip(simple(whole), simple(one), strict=True):
        close(layer.state[..., b : b + 1, :], layer_alone.state)
        for name, value in layer_alone.fields().items():
            if name != "state":
                close(getattr(layer, name)[:length, b : b + 1], value)


def simple(trace):
    """The traces of single cells in the trace of a network."""
    inside = getattr(trace, "layers", None) or [
        getattr(trace, name) for name in ("ahead", "back") if hasattr(trace, name)
    ]
    return [cell for one in inside for cell in simple(one)] if inside else [trace]


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
def test_what_lies_beyond_the_end_changes_no_bit(make):
    cell, lengths = make(3, 4, rng=np.random.default_rng(0)), (20, 7, 1)
    rng = np.random.default_rng(1)
    xs, dhs = rng.normal(size=(22, 3, 3)), rng.normal(size=(22, 3, 4))
    over = np.arange(22)[:, None] >= np.array(lengths)
    other = np.where(over[..., None], 1e6, xs)
    one, two = forward(cell, xs, lengths=lengths), forward(cell, other, lengths=lengths)
    for name, value in one.fields().items():
        assert value.tobytes() == getattr(two, name).tobytes(), name
        if name in one.CARRIES:
            kept = getattr(one, name)
            for b, length in enumerate(lengths):
                assert (kept[length:, b] == kept[length - 1, b]).all()
        elif name != "state":
            assert not value[over].any()
    (dtrace, _), (other, _) = backward(cell, one, dhs), backward(cell, two, dhs)
    assert dtrace.x.tobytes() == other.x.tobytes()
    assert not dtrace.x[over].any()


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
def test_equal_lengths_are_a_cut_to_the_bit(make):
    rng = np.random.default_rng(2)
    cell = make(3, 4, rng=rng)
    xs, dhs = rng.normal(size=(22, 3, 3)), rng.normal(size=(22, 3, 4))
    dhs[18:] = 0
    padded, cut = forward(cell, xs, lengths=(18, 18, 18)), forward(cell, xs[:18])
    dpadded, dcell = backward(cell, padded, dhs)
    dcut, dcell_cut = backward(cell, cut, dhs[:18])
    for one, other in ((padded, cut), (dpadded, dcut)):
        assert all(
            getattr(one, name)[:18].tobytes() == v.tobytes()
            for name, v in other.fields().items() if name != "state"
        )
    assert all(getattr(dcell, name).tobytes() == v.tobytes()
               for name, v in dcell_cut.fields().items())


def test_a_loss_on_a_state_that_is_only_kept_goes_to_the_step_that_made_it():
    """trace.h[-1] is the last state of every sequence: a loss may read it there."""
    cell, rng = LSTMCell.init(2, 3), np.random.default_rng(5)
    xs, dh = rng.normal(size=(6, 2, 2)), rng.normal(size=(2, 3))
    trace = forward(cell, xs, lengths=(6, 2))
    at_end, at_own_end = np.zeros((2, 6, 2, 3))
    at_end[-1] = dh
    at_own_end[5, 0], at_own_end[1, 1] = dh
    (one, dcell), (two, dcell2) = (backward(cell, trace, d) for d in (at_end, at_own_end))
    close(one.x, two.x)
    close(dcell.W, dcell2.W)
    assert (one.h[1:, 1] == dh[1]).all(axis=-1)[1:].all()


@settings(deadline=None, max_examples=30)
@given(networks(directions=False), st.integers(2, 20), seeds, st.data())
def test_a_sequence_in_two_parts(network, T, seed, data):
    """Forward goes on from trace.last, backward from dtrace.state: the parts are the whole."""
    case = case_of(network, T, 2, np.random.default_rng(seed))
    t = data.draw(st.integers(1, T - 1))
    whole, xs = case.trace, case.inputs["xs"]
    first = forward(network, xs[:t], case.inputs["state"])
    second = forward(network, xs[t:], first.last)
    close(np.concatenate([first.h, second.h]), whole.h)
    dwhole, _ = backward(network, whole, case.dhs, dlast=case.dlast)
    dsecond, _ = backward(network, second, case.dhs[t:], dlast=case.dlast)
    dfirst, _ = backward(network, first, case.dhs[:t], dlast=dsecond.state)
    close(np.concatenate([dfirst.x, dsecond.x]), dwhole.x)


@settings(deadline=None, max_examples=30)
@given(networks(directions=False), st.integers(1, 19), seeds)
def test_the_future_never_moves_the_past_of_a_stack(network, t, seed):
    rng = np.random.default_rng(seed)
    xs = rng.normal(size=(20, 2, network.input_size))
    changed = np.concatenate([xs[:t], rng.normal(size=xs[t:].shape)])
    assert np.array_equal(forward(network, xs).h[:t], forward(network, changed).h[:t])


def test_the_future_does_move_the_past_of_both_directions():
    network = Bidirectional(RNNCell.init(2, 3), RNNCell.init(2, 3, rng=1))
    xs = np.random.default_rng(0).normal(size=(5, 1, 2))
    changed = xs.copy()
    changed[-1] += 1
    before, after = forward(network, xs), forward(network, changed)
    assert np.array_equal(before.h_ahead[:-1], after.h_ahead[:-1])
    assert (before.h_back != after.h_back).any(axis=-1).all()


def test_networks_are_records():
    network = Stack((Bidirectional(RNNCell.init(2, 3), GRUCell.init(2, 1)), LSTMCell.init(4, 2)))
    assert (network.input_size, network.output_size) == (2, 2)
    assert list(leaves("p", network))[:4] == [
        "p.cells[0].ahead.U", "p.cells[0].ahead.W", "p.cells[0].ahead.b", "p.cells[0].back.U"
    ]
    single = network.astype(np.float32)
    assert {v.dtype for v in leaves("p", single).values()} == {np.dtype(np.float32)}
    trace = forward(single, np.ones((2, 1, 2), np.float32), state_like(single, 1, rng))
    assert trace.h.dtype == np.float32
    assert replace(network).cells == network.cells
