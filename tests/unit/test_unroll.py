"""forward: time, batches, dtypes, and what a record promises. Jordan's cell, taught and free."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from cases import MAKE, state_like
from hypothesis import given
from hypothesis import strategies as st

from rnnlib import JordanCell, OutputLayer, RNNCell, backward, forward, functions, losses

rng = np.random.default_rng(7)
CELLS = {
    "tanh": RNNCell.init(3, 4, rng=rng),
    "relu": RNNCell.init(3, 4, activation="relu", rng=rng),
    "identity": RNNCell.init(3, 4, activation="identity", rng=rng),
    "jordan": JordanCell.init(3, 5, 4, out_activation="softmax", rng=rng),
    **{name: make(3, 4, rng=rng) for name, make in MAKE.items() if name != "rnn"},
}
XS = rng.normal(size=(6, 2, 3))
every_cell = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)


def close(got, expected):
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)


def test_the_equations_of_one_step():
    cell, x, h_prev = CELLS["tanh"], XS[0], rng.normal(size=(2, 4))
    trace = forward(cell, x[None], h_prev)
    a = cell.b + h_prev @ cell.W.T + x @ cell.U.T
    close(trace.a[0], a)
    close(trace.h[0], np.tanh(a))
    close(trace.x[0], x)
    close(trace.state, h_prev)


@every_cell
def test_steps_one_by_one_equal_the_sequence(cell):
    whole, state = forward(cell, XS), None
    for t, x in enumerate(XS):
        step = forward(cell, x[None], state)
        state = step.last
        for name in whole.fields().keys() - {"state"}:
            close(getattr(step, name)[0], getattr(whole, name)[t])
    close(state, whole.last)


@every_cell
def test_a_batch_equals_its_sequences_one_by_one(cell):
    dhs = rng.normal(size=(6, 2, 4))
    trace = forward(cell, XS)
    dtrace, dcell = backward(cell, trace, dhs)
    summed = dict.fromkeys(cell.SHAPES, 0)
    for i in range(2):
        one = slice(i, i + 1)
        alone = forward(cell, XS[:, one])
        dalone, dcell_alone = backward(cell, alone, dhs[:, one])
        for name in alone.fields().keys() - {"state"}:
            close(getattr(alone, name), getattr(trace, name)[:, one])
            close(getattr(dalone, name), getattr(dtrace, name)[:, one])
        close(dalone.state, dtrace.state[..., one, :])
        summed = {name: summed[name] + getattr(dcell_alone, name) for name in summed}
    for name, value in summed.items():
        close(getattr(dcell, name), value)


@every_cell
@given(t=st.integers(1, 5), seed=st.integers(0, 1000))
def test_the_future_never_moves_the_past(cell, t, seed):
    changed = XS.copy()
    changed[t:] = np.random.default_rng(seed).normal(size=changed[t:].shape)
    before, after = forward(cell, XS), forward(cell, changed)
    assert np.array_equal(before.h[:t], after.h[:t])
    assert not np.array_equal(before.h[t:], after.h[t:])


@every_cell
def test_no_gradient_comes_from_a_loss_that_is_already_past(cell):
    dhs = np.zeros((6, 2, 4))
    dhs[2] = rng.normal(size=(2, 4))
    dtrace, _ = backward(cell, forward(cell, XS), dhs)
    assert dtrace.x[:3].any(axis=(1, 2)).all()
    assert not dtrace.x[3:].any()


def test_prev_is_one_step_earlier():
    trace = forward(CELLS["tanh"], XS)
    assert np.array_equal(trace.h_prev, [trace.state, *trace.h[:-1]])
    trace = forward(CELLS["jordan"], XS)
    assert np.array_equal(trace.y_prev, [trace.state, *trace.y[:-1]])
    teacher = rng.normal(size=(6, 2, 4))
    trace = forward(CELLS["jordan"], XS, teacher=teacher)
    assert np.array_equal(trace.y_prev, [trace.state, *teacher[:-1]])


@given(seed=st.integers(0, 1000), T=st.integers(1, 6))
def test_a_taught_jordan_cell_in_one_pass_equals_the_loop(seed, T):
    """With the outputs given, no step waits for another: the loop is here, not in rnnlib."""
    rng, cell = np.random.default_rng(seed), CELLS["jordan"]
    xs, teacher, state = (rng.normal(size=size) for size in [(T, 2, 3), (T, 2, 4), (2, 4)])
    trace = forward(cell, xs, state, teacher=teacher)
    said = state
    for t in range(T):
        step = forward(cell, xs[t : t + 1], said)
        for name in ("a", "h", "logits", "y"):
            close(getattr(step, name)[0], getattr(trace, name)[t])
        said = teacher[t]


@pytest.mark.parametrize(("teacher", "passes"), [(None, 6), (np.ones((6, 2, 4)), 1)])
def test_a_taught_jordan_cell_needs_no_time_loop(monkeypatch, teacher, passes):
    calls, out, back = [], JordanCell._out, JordanCell._out_back
    monkeypatch.setattr(JordanCell, "_out", lambda *v: calls.append("forward") or out(*v))
    monkeypatch.setattr(JordanCell, "_out_back", lambda *v: calls.append("backward") or back(*v))
    trace = forward(CELLS["jordan"], XS, teacher=teacher)
    backward(CELLS["jordan"], trace, np.ones((6, 2, 4)))
    assert calls == ["forward"] * passes + ["backward"] * passes


def test_a_cell_that_teaches_itself_goes_free():
    cell = CELLS["jordan"]
    free = forward(cell, XS)
    taught = forward(cell, XS, teacher=free.y)
    close(taught.y, free.y)
    dys = rng.normal(size=free.y.shape)
    assert not np.allclose(backward(cell, free, dys)[1].W, backward(cell, taught, dys)[1].W)


def test_a_linear_network_is_one_matrix_product():
    cell = CELLS["identity"]
    cell = replace(cell, b=np.zeros(4))
    h = sum(x @ cell.U.T @ np.linalg.matrix_power(cell.W, 5 - t).T for t, x in enumerate(XS))
    close(forward(cell, XS).h[-1], h)


@every_cell
@pytest.mark.parametrize("given_dtype", [np.float32, np.float64, np.int64, np.uint8, ">f4", ">f8"])
@pytest.mark.parametrize("cell_dtype", [np.float32, np.float64])
def test_the_input_decides_the_dtype(cell, given_dtype, cell_dtype):
    dtype = np.float32 if np.dtype(given_dtype).type is np.float32 else np.float64
    cell = cell.astype(cell_dtype)
    state = state_like(cell, 2, np.random.default_rng(0))
    trace = forward(cell, np.ones((6, 2, 3), given_dtype), state)
    dtrace, dcell = backward(cell, trace, np.ones((6, 2, 4)))
    for record in (trace, dtrace, dcell):
        assert {array.dtype for array in record.fields().values()} == {np.dtype(dtype)}
    assert trace.cell is cell


def test_single_and_double_precision_agree_to_single_precision():
    cell = CELLS["tanh"]
    np.testing.assert_allclose(
        forward(cell, XS.astype(np.float32)).h, forward(cell, XS).h, rtol=0, atol=1e-6
    )


def test_dtypes_of_the_output_layer_and_the_losses():
    layer, hs = OutputLayer.init(4, 5), np.ones((6, 2, 4), np.float32)
    logits = layer.logits(hs)
    loss, dlogits = losses.softmax_cross_entropy(logits, np.zeros((6, 2), int))
    dhs, dout = layer.backward(hs, dlogits)
    error, dy_hat = losses.mse(logits, np.zeros((6, 2, 5)))
    assert {v.dtype for v in (logits, dlogits, dhs, dout.V, dout.c_out, dy_hat)} == {
        np.dtype(np.float32)
    }
    assert type(loss) is type(error) is float


def test_lists_are_taken_as_float64():
    trace = forward(RNNCell([[1]], [[0]], [0], "identity"), [[[1]], [[2]]])
    assert trace.h.dtype == np.float64
    assert trace.h.tolist() == [[[1.0]], [[2.0]]]


def test_a_cell_of_mixed_precision_is_double():
    cell = CELLS["tanh"].astype(np.float32)
    assert cell.dtype == np.float32
    assert replace(cell, W=np.eye(4)).dtype == np.float64
    assert cell.astype(np.float32) is cell


def test_arguments_are_copied_in():
    xs, W, state = XS.copy(), np.eye(4), np.zeros((2, 4))
    cell = replace(CELLS["tanh"], W=W)
    trace = forward(cell, xs, state)
    before = [trace.x.copy(), trace.state.copy(), cell.W.copy()]
    xs[:], state[:], W[:] = 9, 9, 9
    assert all(map(np.array_equal, before, [trace.x, trace.state, cell.W]))


@every_cell
def test_records_are_read_only(cell):
    trace = forward(cell, XS)
    for record in (cell, trace, *backward(cell, trace, np.ones((6, 2, 4)))):
        for name, array in record.fields().items():
            with pytest.raises(ValueError, match="read-only"):
                array[:] = 0
            with pytest.raises(FrozenInstanceError):
                setattr(record, name, array)


def test_records_print_by_shape_and_are_compared_by_identity():
    cell = CELLS["tanh"]
    text = "RNNCell(U (4, 3), W (4, 4), b (4,), activation='tanh')"
    assert repr(cell) == text
    assert repr(forward(cell, XS)) == (
        f"RNNTrace(x (6, 2, 3), a (6, 2, 4), h (6, 2, 4), state (2, 4), cell={text})"
    )
    assert cell != replace(cell)
    assert len({cell, replace(cell)}) == 2


def test_init_is_uniform_within_one_over_root_h_and_repeats():
    cell = RNNCell.init(50, 100, rng=3)
    for array in (*cell.fields().values(), *OutputLayer.init(100, 50, rng=3).fields().values()):
        assert np.abs(array).max() <= 0.1
        assert array.min() < -0.09
        assert array.max() > 0.09
        assert abs(array.mean()) < 0.025
    assert np.array_equal(cell.W, RNNCell.init(50, 100, rng=np.random.default_rng(3)).W)
    assert not np.array_equal(cell.W, RNNCell.init(50, 100, rng=4).W)
    assert (cell.input_size, cell.hidden_size, cell.state_size) == (50, 100, 100)
    jordan = JordanCell.init(2, 9, 4, activation="relu", out_activation="sigmoid")
    assert (jordan.input_size, jordan.hidden_size, jordan.state_size) == (2, 9, 4)
    assert (jordan.activation, jordan.out_activation) == ("relu", "sigmoid")
    assert max(np.abs(array).max() for array in jordan.fields().values()) <= 1 / 3


def test_an_exploded_gradient_is_shown_not_refused():
    cell = RNNCell([[1.0]], [[1e200]], [0.0], "identity")
    trace = forward(cell, np.zeros((3, 1, 1)))
    with np.errstate(over="ignore", invalid="ignore"):
        dtrace, _ = backward(cell, trace, np.ones((3, 1, 1)))
    assert dtrace.h[:, 0, 0].tolist() == [np.inf, 1e200, 1]


@given(st.floats(-800, 800))
def test_sigmoid_and_softmax_do_not_overflow(z):
    y = functions.softmax(np.array([z, 0]))
    assert y.sum() == pytest.approx(1)
    assert y[0] == pytest.approx(functions.sigmoid(np.array([z]))[0], abs=1e-15)
