"""Checkpointed BPTT: the same bits with less memory. Truncated BPTT: what it leaves out."""

import functools
import tracemalloc

import numpy as np
import pytest
from cases import MAKE, case_of, networks, seeds
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlib import Bidirectional, GRUCell, LSTMCell, RNNCell, Stack, backward, bptt, forward, memory
from rnnlib.records import leaves


def same_bits(one, other):
    one, other = leaves("v", one), leaves("v", other)
    return one.keys() == other.keys() and all(
        v.tobytes() == other[k].tobytes() for k, v in one.items()
    )


def close(one, other):
    for path, value in leaves("v", one).items():
        np.testing.assert_allclose(value, leaves("v", other)[path], rtol=1e-11, atol=1e-12)


@settings(deadline=None, max_examples=60)
@given(networks(directions=False), st.integers(1, 150), seeds, st.floats(1, 20))
def test_checkpointed_gives_the_bits_of_backward(network, T, seed, times):
    case = case_of(network, T, 2, np.random.default_rng(seed))
    xs, state = case.inputs["xs"], case.inputs["state"]
    trace = case.trace
    dtrace, dnetwork = backward(network, trace, case.dhs)
    needed = least_budget(network, xs)
    for budget in (None, 10**9, int(needed * times), needed):
        result = bptt.checkpointed(network, xs, case.dhs, state, budget=budget)
        assert same_bits(result.dcell, dnetwork)
        assert same_bits(result.dstate, dtrace.state)
        assert same_bits(result.last, trace.last)
        assert result.steps_run >= T
        assert budget is None or result.bytes_kept <= budget


def least_budget(network, xs):
    with pytest.raises(ValueError, match="budget: expected at least") as refused:
        bptt.checkpointed(network, xs, np.zeros((*xs.shape[:2], network.output_size)), budget=1)
    return int(str(refused.value).split()[4])


def test_the_loss_may_be_asked_for_segment_by_segment():
    cell, rng = LSTMCell.init(3, 4), np.random.default_rng(0)
    xs, targets = rng.normal(size=(100, 2, 3)), rng.normal(size=(100, 2, 4))
    _, dcell = backward(cell, trace := forward(cell, xs), trace.h - targets)
    result = bptt.checkpointed(cell, xs, lambda t, hs: hs - targets[t : t + len(hs)])
    assert same_bits(result.dcell, dcell)


def test_the_root_of_tau_costs_one_more_forward_pass():
    cell, rng = RNNCell.init(2, 8), np.random.default_rng(0)
    xs, dhs = rng.normal(size=(1024, 1, 2)), np.ones((1024, 1, 8))
    result = bptt.checkpointed(cell, xs, dhs)
    assert result.steps_run == 1024 + 1024 - 32  # all but the last segment, twice
    assert bptt.checkpointed(cell, xs, dhs, budget=10**9).steps_run == 1024


def test_memory_grows_like_the_root_and_is_what_the_result_says():
    cell, rng = LSTMCell.init(4, 8), np.random.default_rng(0)
    peaks = []
    for T in (4096, 16384):
        xs = rng.normal(size=(T, 4, 4))
        dh = np.ones((128, 4, 8))
        memory.release()                        # what earlier tests left for reuse is not counted
        tracemalloc.start()
        result = bptt.checkpointed(cell, xs, lambda t, hs: dh[: len(hs)])  # noqa: B023
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert 0.6 < peaks[-1] / result.bytes_kept < 1.6
    assert peaks[1] / peaks[0] < 2.5                                # four times the steps
    whole = forward(cell, xs)
    held = 2 * sum(v.nbytes for v in whole.fields().values())
    assert peaks[1] < 0.05 * held


@functools.cache
def least_cost(n, slots):
    """Steps run again in the best of all ways: Griewank and Walther's recursion, by brute force."""
    if n == 1 or slots == 0:
        return n * (n - 1) // 2
    return min(
        y + least_cost(n - y, slots - 1) + least_cost(y, slots) for y in range(1, n)
    )


def cost(n, slots):
    if n == 1:
        return 0
    y = bptt.split(n, slots)
    return y + cost(n - y, slots - 1) + cost(y, slots)


def test_no_way_of_keeping_states_repeats_fewer_steps():
    for n in range(1, 60):
        for slots in range(9):
            assert cost(n, slots) == least_cost(n, slots), (n, slots)


@settings(deadline=None, max_examples=40)
@given(networks(directions=False), st.integers(1, 40), st.integers(1, 40), seeds)
def test_a_window_over_everything_is_the_whole_gradient(network, T, stride, seed):
    case = case_of(network, T, 2, np.random.default_rng(seed))
    trace = case.trace
    _, dnetwork = backward(network, trace, case.dhs)
    window = max(T, stride)
    close(bptt.truncated(network, trace, case.dhs, window=window, stride=stride), dnetwork)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 6), seeds)
def test_a_window_is_the_sum_of_cut_gradients(T, stride, more, seed):
    """By the definition: each stride's losses, alone, through a sequence begun `window` ago."""
    rng, window = np.random.default_rng(seed), stride + more
    cell = GRUCell.init(2, 3, rng=rng)
    xs, dhs = rng.normal(size=(T, 2, 2)), rng.normal(size=(T, 2, 3))
    trace, summed = forward(cell, xs), dict.fromkeys(cell.SHAPES, 0)
    for start in range(0, T, stride):
        stop = min(start + stride, T)
        first = max(0, stop - window)
        state = trace.h[first - 1] if first else None
        part = forward(cell, xs[first:stop], state)
        own = np.concatenate([np.zeros((start - first, 2, 3)), dhs[start:stop]])
        _, dcell = backward(cell, part, own)
        summed = {name: summed[name] + getattr(dcell, name) for name in summed}
    found = bptt.truncated(cell, trace, dhs, window=window, stride=stride)
    for name, value in summed.items():
        np.testing.assert_allclose(getattr(found, name), value, rtol=1e-11, atol=1e-12)


def test_truncation_leaves_out_what_lies_further_back():
    """A loss at the end, an input at the start: a window that is too short sends it nothing."""
    cell = RNNCell.init(1, 3)
    xs, dhs = np.zeros((10, 1, 1)), np.zeros((10, 1, 3))
    xs[0], dhs[-1] = 1, 1
    trace = forward(cell, xs)
    assert not bptt.truncated(cell, trace, dhs, window=9).U.any()
    assert bptt.truncated(cell, trace, dhs, window=10).U.any()


def test_what_knows_the_future_or_ends_early_is_not_truncated():
    both = Bidirectional(RNNCell.init(1, 2), RNNCell.init(1, 2))
    xs = np.zeros((3, 2, 1))
    with pytest.raises(ValueError, match="cell: expected one direction of time"):
        bptt.truncated(both, forward(both, xs), np.zeros((3, 2, 4)), window=2)
    with pytest.raises(ValueError, match="cell: expected one direction of time"):
        bptt.checkpointed(both, xs, np.zeros((3, 2, 4)))
    cell = RNNCell.init(1, 2)
    with pytest.raises(ValueError, match="trace: expected one without lengths"):
        bptt.truncated(cell, forward(cell, xs, lengths=[3, 1]), np.zeros((3, 2, 2)), window=2)


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
def test_the_budget_is_used_to_the_byte(make):
    cell, rng = make(3, 4, rng=0), np.random.default_rng(0)
    xs, dhs = rng.normal(size=(64, 2, 3)), np.ones((64, 2, 4))

    def run(budget):
        return bptt.checkpointed(cell, xs, dhs, budget=budget)

    whole = run(10**9)
    assert whole.steps_run == 64
    assert run(whole.bytes_kept).steps_run == 64
    assert run(whole.bytes_kept - 1).steps_run > 64
    with pytest.raises(ValueError, match="budget") as refused:
        run(1)
    least = int(str(refused.value).split()[4])
    assert run(least).bytes_kept == least
    assert run(least).steps_run == 64 + 16 * (3 + 2 + 1)            # one state: all again each time
    with pytest.raises(ValueError, match="budget"):
        run(least - 1)


@pytest.mark.parametrize("slots", range(6))
def test_the_steps_run_are_the_fewest_for_the_states_that_fit(slots):
    cell, segments = RNNCell.init(1, 2), 11
    xs, dhs = np.zeros((16 * segments - 3, 1, 1)), np.ones((16 * segments - 3, 1, 2))
    budget = least_budget(cell, xs) + slots * 2 * 8                 # a state is two numbers
    result = bptt.checkpointed(cell, xs, dhs, budget=budget)
    segments_run = least_cost(segments, slots)
    assert result.steps_run == len(xs) + 16 * segments_run
    assert bptt.checkpointed(cell, xs, dhs, budget=budget + 15).steps_run == result.steps_run


def test_steps_run_counts_a_short_last_segment_as_it_is():
    cell = RNNCell.init(1, 2)
    result = bptt.checkpointed(cell, np.zeros((100, 1, 1)), np.ones((100, 1, 2)))
    assert result.steps_run == 100 + 96                             # segments of 16, the last of 4


def test_a_budget_that_is_large_enough_repeats_nothing_whatever_the_length():
    cell = RNNCell.init(1, 2)
    for T in (5, 16, 70):
        xs, dhs = np.zeros((T, 1, 1)), np.ones((T, 1, 2))
        assert bptt.checkpointed(cell, xs, dhs, budget=10**9).steps_run == T


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_input_decides_the_dtype_here_too(dtype):
    xs, other = np.ones((40, 2, 3), dtype), np.ones((40, 2, 4), np.float64)
    for cell in (GRUCell.init(3, 4), GRUCell.init(3, 4).astype(np.float32)):
        trace = forward(cell, xs)
        for dhs in (other, other.astype(np.float32), lambda t, hs: other[t : t + len(hs)]):
            result = bptt.checkpointed(cell, xs, dhs)
            found = [*result.dcell.fields().values(), result.dstate, result.last]
            if not callable(dhs):
                cut = bptt.truncated(cell, trace, dhs, window=3)
                found += cut.fields().values()
            assert {v.dtype for v in found} == {np.dtype(dtype)}


def test_a_kept_state_does_not_keep_its_trace():
    """trace.last of a cell with one state is a view: kept, it would hold all of the trace."""
    cell, dh, peaks = RNNCell.init(4, 8), np.ones((128, 4, 8)), []
    for T in (4096, 16384):
        xs = np.zeros((T, 1, 4))
        tracemalloc.start()
        result = bptt.checkpointed(cell, xs, lambda t, hs: dh[: len(hs), :1])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert result.last.base is None
        assert result.dstate.base is None
    assert peaks[1] / peaks[0] < 2.5                                # four times the steps


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
def test_the_items_add_up_to_the_gradient_and_none_comes_from_the_past(make):
    cell, rng = make(3, 4, rng=0), np.random.default_rng(0)
    trace, dhs = forward(cell, rng.normal(size=(20, 1, 3))), rng.normal(size=(20, 1, 4))
    dtrace, dcell = backward(cell, trace, dhs)
    items = bptt.itemised(cell, trace, dhs)
    for name, v in items.fields().items():
        np.testing.assert_allclose(v.sum(axis=-2), getattr(dtrace, name)[..., 0, :], atol=1e-12)
        if name != "state":
            k, t = np.triu_indices(20, 1)
            assert not v[t, k].any()                                # step t > k, loss L_k
            assert v[k, t].any()
    for name, v in dcell.fields().items():
        np.testing.assert_allclose(getattr(items.cell, name), v, atol=1e-12)


def test_one_item_is_what_that_loss_alone_sends_back():
    cell, rng = RNNCell.init(3, 4), np.random.default_rng(0)
    trace, dhs = forward(cell, rng.normal(size=(6, 1, 3))), rng.normal(size=(6, 1, 4))
    items = bptt.itemised(cell, trace, dhs)
    alone = np.zeros_like(dhs)
    alone[4] = dhs[4]
    dtrace, dcell = backward(cell, trace, alone)
    np.testing.assert_allclose(items.a[:, 4], dtrace.a[:, 0], atol=1e-15)
    dW = sum(np.outer(items.a[k, t], trace.h_prev[k, 0]) for k in range(6) for t in range(6))
    np.testing.assert_allclose(dW, backward(cell, trace, dhs)[1].W, atol=1e-14)
    np.testing.assert_allclose(
        sum(np.outer(items.a[k, 4], trace.h_prev[k, 0]) for k in range(6)), dcell.W, atol=1e-14
    )


def test_items_are_for_one_sequence_of_one_cell():
    cell, rng = RNNCell.init(3, 4), np.random.default_rng(0)
    two, dhs = forward(cell, rng.normal(size=(6, 2, 3))), rng.normal(size=(6, 2, 4))
    with pytest.raises(ValueError, match="trace: expected one sequence without lengths, got"):
        bptt.itemised(cell, two, dhs)
    with pytest.raises(ValueError, match="trace: expected the trace of this very cell, got"):
        bptt.itemised(RNNCell.init(3, 4), two, dhs)
    stack = Stack([cell])
    with pytest.raises(TypeError, match="cell: expected a single cell such as RNNCell, got Stack"):
        bptt.itemised(stack, forward(stack, np.ones((3, 1, 3))), np.ones((3, 1, 4)))
