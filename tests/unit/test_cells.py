"""What holds for every cell: dtypes, what the caller gave, blocks of steps, the step before."""

import numpy as np
import pytest
from cases import MAKE, state_like

from rnnlib import (
    Bidirectional,
    GRUCell,
    JordanCell,
    LSTMCell,
    backward,
    forward,
    functions,
)
from rnnlib.records import leaves, rebuild


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
def test_prev_of_every_cell_is_one_step_earlier(make):
    cell, rng = make(3, 4, rng=0), np.random.default_rng(1)
    state = state_like(cell, 2, rng)
    trace = forward(cell, rng.normal(size=(5, 2, 3)), state)
    for name, first in zip(trace.CARRIES, state.reshape(-1, 2, 4), strict=False):
        expected = [first, *getattr(trace, name)[:-1]]
        assert np.array_equal(getattr(trace, f"{name}_prev"), expected), name


@pytest.mark.parametrize("lengths", [None, (5, 2)])
@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
def test_single_precision_stays_single_in_every_cell(make, lengths):
    """No state, no dlast, or lengths: zeros that are made have the dtype too."""
    cell, xs = make(3, 4, rng=0), np.ones((5, 2, 3), np.float32)
    trace = forward(cell, xs, lengths=lengths)
    dtrace, dcell = backward(cell, trace, np.ones((5, 2, 4)))
    assert trace.last.dtype == dtrace.state.dtype == np.float32
    for record in (trace, dtrace, dcell):
        assert {v.dtype for v in record.fields().values()} == {np.dtype(np.float32)}


NETWORKS = {
    **{name: make(3, 4, rng=0) for name, make in MAKE.items()},
    "both": Bidirectional(LSTMCell.init(3, 2, rng=0), GRUCell.init(3, 2, rng=1)),
}


@pytest.mark.parametrize("lengths", [None, (5, 2)])
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_no_pass_touches_or_keeps_what_the_caller_gave(network, lengths):
    rng = np.random.default_rng(0)
    xs, dhs = rng.normal(size=(5, 2, 3)), rng.normal(size=(5, 2, 4))
    state = rebuild("s", forward(network, xs).last, {
        path: rng.normal(size=v.shape) for path, v in leaves("s", forward(network, xs).last).items()
    })
    given = [xs, dhs, *leaves("s", state).values()]
    before = [v.copy() for v in given]
    trace = forward(network, xs, state, lengths=lengths)
    dtrace, _ = backward(network, trace, dhs, dlast=state)
    kept = [v for one in (trace, dtrace) for v in leaves("t", (one.x, one.h, one.state)).values()]
    assert all(map(np.array_equal, given, before))
    assert all(v.flags.writeable for v in given)
    assert not any(np.shares_memory(one, v) for one in kept for v in given)


def test_a_taught_jordan_cell_in_single_precision_stays_single():
    cell, xs = JordanCell.init(3, 5, 4), np.ones((6, 2, 3), np.float32)
    trace = forward(cell, xs, teacher=np.ones((6, 2, 4)))
    dtrace, dcell = backward(cell, trace, np.ones((6, 2, 4)))
    for record in (trace, dtrace, dcell):
        assert {v.dtype for v in record.fields().values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
def test_a_sequence_gone_through_in_parts_has_the_same_bits(make):
    """What the blocks of 16 steps promise: parts that begin at a multiple of 16."""
    cell, rng = make(3, 4, rng=0), np.random.default_rng(0)
    xs, dhs = rng.normal(size=(70, 2, 3)), rng.normal(size=(70, 2, 4))
    _, whole = backward(cell, forward(cell, xs), dhs)
    second = forward(cell, xs[48:], (first := forward(cell, xs[:48])).last)
    trace = forward(cell, xs)
    sums = cell._zeros()
    dsecond = cell._backward(second, dhs[48:], 0 * second.last, sums)
    cell._backward(first, dhs[:48], dsecond.state, sums)
    parts = cell._gradient(sums)
    assert np.array_equal(np.concatenate([first.h, second.h]), trace.h)
    assert all(v.tobytes() == getattr(whole, n).tobytes() for n, v in parts.fields().items())


@pytest.mark.parametrize("B", [1, 2, 8, 9, 16, 31, 32, 33, 100])
def test_blocks_are_multiples_of_sixteen_and_cover_every_step_once(B):
    for T in (1, 15, 16, 17, 63, 64, 65, 130):
        found = functions.blocks(T, B)
        assert [t for block in found for t in range(T)[block]] == list(range(T))
        assert all(block.start % 16 == 0 for block in found)
