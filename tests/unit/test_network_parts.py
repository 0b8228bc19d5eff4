"""The parts of a network: whose states are whose, at every step and beyond the end."""

import numpy as np
import pytest

from rnnlib import Bidirectional, GRUCell, JordanCell, LSTMCell, RNNCell, Stack, backward, forward


def test_beyond_the_end_the_gradient_of_a_state_is_what_is_sent_into_it():
    """A kept state hands on dlast and the losses that still come; dtrace knows its lengths."""
    cell, rng = LSTMCell.init(2, 3), np.random.default_rng(6)
    trace = forward(cell, rng.normal(size=(6, 2, 2)), lengths=(6, 2))
    dhs, dlast = rng.normal(size=(6, 2, 3)), rng.normal(size=(2, 2, 3))
    dtrace, _ = backward(cell, trace, dhs, dlast=dlast)
    for t in range(2, 6):
        np.testing.assert_allclose(dtrace.h[t, 1], dlast[0, 1] + dhs[t:, 1].sum(axis=0))
        assert np.array_equal(dtrace.c[t, 1], dlast[1, 1])
    assert dtrace.lengths == trace.lengths == (6, 2)


def test_the_parts_of_both_directions():
    """States of two widths: which part is whose."""
    ahead, back = RNNCell.init(3, 4, rng=0), GRUCell.init(3, 1, rng=1)
    network, rng = Bidirectional(ahead, back), np.random.default_rng(2)
    xs, lengths = rng.normal(size=(6, 2, 3)), (6, 4)
    states = rng.normal(size=(2, 4)), rng.normal(size=(2, 1))
    trace = forward(network, xs, states, lengths=lengths)
    assert (trace.h_ahead.shape, trace.h_back.shape) == ((6, 2, 4), (6, 2, 1))
    assert all(map(np.array_equal, trace.state, states))
    assert np.array_equal(trace.last[0], trace.ahead.h[-1])
    assert np.array_equal(trace.last[1], trace.back.h[-1])
    assert np.array_equal(trace.h_back[0], trace.last[1])           # it ends at the start
    dtrace, _ = backward(network, trace, rng.normal(size=trace.h.shape))
    assert np.array_equal(dtrace.h_ahead, dtrace.ahead.h)
    assert np.array_equal(dtrace.h_back[:4, 1], dtrace.back.h[:4, 1][::-1])
    assert trace.lengths == dtrace.lengths == lengths


def test_a_stack_knows_its_state_after_every_step():
    stack, rng = Stack((LSTMCell.init(3, 4), RNNCell.init(4, 2))), np.random.default_rng(0)
    xs = rng.normal(size=(6, 2, 3))
    trace = forward(stack, xs)
    for t in range(7):
        expected = forward(stack, xs[:t]).last if t else trace.state
        for one, other in zip(trace.state_after(t), expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12)
    assert trace.lengths is None
    assert forward(stack, xs, lengths=[6, 3]).lengths == (6, 3)
    assert stack.astype(np.float32).dtype == np.float32
    assert Stack([*stack.cells]).cells == stack.cells               # a list becomes a tuple


def test_what_has_no_meaning_is_refused():
    both = Bidirectional(RNNCell.init(2, 3), RNNCell.init(2, 3, rng=1))
    for trace in (forward(both, np.ones((4, 1, 2))), forward(Stack([both]), np.ones((4, 1, 2)))):
        with pytest.raises(ValueError, match="trace: expected one direction of time"):
            trace.steps(1, 3)
        with pytest.raises(ValueError, match="trace: expected one direction of time"):
            trace.state_after(2)
    jordan = JordanCell.init(2, 3, 3)
    with pytest.raises(AttributeError, match="no h_prev: what comes back is y_prev"):
        _ = forward(jordan, np.ones((4, 1, 2))).h_prev
