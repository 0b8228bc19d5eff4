"""The leak detector: causal models pass, every kind of leak is found and named."""

import numpy as np
import pytest

from rnnlib import (
    Bidirectional,
    GRUCell,
    JordanCell,
    LeakyRNNCell,
    LSTMCell,
    RNNCell,
    SkipRNNCell,
    Stack,
    forward,
)
from rnnlib.causality import check_causal, influence, leaks

T, B, D, H = 6, 3, 2, 4
XS = np.random.default_rng(7).normal(size=(T, B, D))
CELLS = {
    "rnn": RNNCell.init(D, H),
    "relu": RNNCell.init(D, H, activation="relu"),
    "lstm": LSTMCell.init(D, H),
    "gru": GRUCell.init(D, H),
    "paper": GRUCell.init(D, H, reset_after=False),
    "stack": Stack((LSTMCell.init(D, H), GRUCell.init(H, 3))),
}
BOTH = Bidirectional(GRUCell.init(D, H), RNNCell.init(D, 3, rng=1))
DEEP = Stack((RNNCell.init(D, H), Bidirectional(RNNCell.init(H, 2), LSTMCell.init(H, 2))))
LENGTHS = [6, 4, 1]


def hs(cell, **more):
    """The model xs -> h of a network."""
    return lambda xs: forward(cell, xs, **more).h


def ahead(steps):
    """All pairs of an output and the last input."""
    return [(t, steps - 1) for t in range(steps - 1)]


@pytest.mark.parametrize("name", CELLS)
def test_cells_that_read_from_the_start_do_not_leak(name):
    model = hs(CELLS[name])
    assert leaks(model, XS) == [] and leaks(hs(CELLS[name], lengths=LENGTHS), XS) == []
    assert check_causal(model, XS) is None
    # row k, column t: from the input k on every later output moves, and no earlier one
    np.testing.assert_array_equal(influence(model, XS), np.triu(np.ones((T, T), bool)))


@pytest.mark.parametrize("cell", [BOTH, DEEP])
def test_reading_from_both_ends_leaks_from_every_input_into_every_output(cell):
    assert not cell.causal
    assert influence(hs(cell), XS).all()
    assert leaks(hs(cell), XS) == ahead(T)
    with pytest.raises(ValueError, match=r"the output of step 0 depends on the input of step 5, "
                                         r"and 4 later outputs leak too"):
        check_causal(hs(cell), XS)


def test_with_lengths_both_ends_leak_up_to_the_longest_end_and_not_beyond():
    short = hs(BOTH, lengths=[4, 3, 1])
    assert leaks(short, XS) == ahead(4)
    seen = influence(short, XS)
    assert seen[:4, :4].all() and not seen[4:].any()        # the padding changes nothing
    assert leaks(hs(BOTH, lengths=[1, 1, 1]), XS) == []     # one step: no future


@pytest.mark.parametrize("cell", [
    JordanCell.init(D, H, 2), LeakyRNNCell.init(D, H), SkipRNNCell.init(D, H),
], ids=lambda cell: type(cell).__name__)
def test_a_leak_is_found_exactly_where_the_network_says_it_is_not_causal(cell):
    assert cell.causal and leaks(hs(cell), XS) == []


def test_the_input_shifted_by_one_is_found_and_the_delay_is_not():
    early = lambda xs: forward(CELLS["gru"], np.roll(xs, -1, axis=0)).h     # noqa: E731
    late = lambda xs: forward(CELLS["gru"], np.roll(xs, 1, axis=0)).h       # noqa: E731
    # Output t sees inputs 1 .. t + 1, the last one input 0 as well.
    assert leaks(early, XS) == [(t, t + 1) for t in range(T - 1)]
    # Rolled the other way, the first output sees the last input: a wrap-round leaks, too.
    assert leaks(late, XS) == [(t, T - 1) for t in range(T - 1)]

    def delayed(xs):
        return forward(CELLS["gru"], np.concatenate([np.zeros_like(xs[:1]), xs[:-1]])).h

    assert leaks(delayed, XS) == []
    np.testing.assert_array_equal(influence(delayed, XS), np.triu(np.ones((T, T), bool), 1))


def test_normalising_over_the_whole_sequence_is_found():
    def centred(xs):
        return forward(CELLS["rnn"], xs - xs.mean(axis=0)).h

    assert leaks(centred, XS) == ahead(T)

    def so_far(xs):
        return forward(CELLS["rnn"], xs - np.cumsum(xs, 0) / np.arange(1, T + 1)[:, None, None]).h

    assert leaks(so_far, XS) == []


def test_sequences_turned_within_their_lengths_are_found():
    def turned(xs):
        ends = [xs[: n, b][::-1] for b, n in enumerate(LENGTHS)]
        return np.stack([np.concatenate([end, xs[len(end) :, b]]) for b, end in enumerate(ends)], 1)

    model = lambda xs: forward(CELLS["rnn"], turned(xs), lengths=LENGTHS).h     # noqa: E731
    assert leaks(model, XS) == ahead(T)                     # of the longest sequence


@pytest.mark.parametrize("both", [False, True])
def test_a_language_model_with_an_embedding_takes_whole_numbers(both):
    E = np.random.default_rng(0).normal(size=(9, D))
    codes = np.random.default_rng(1).integers(0, 9, (T, B))
    cell = BOTH if both else CELLS["lstm"]

    def model(codes):
        assert codes.dtype.kind == "i" and codes.min() >= 0 and codes.max() < 9
        return forward(cell, E[codes]).h

    assert leaks(model, codes) == (ahead(T) if both else [])
    assert influence(model, codes).all() == both


def test_the_very_last_step_can_leak_into_one_output_only():
    def model(xs):
        out = xs.copy()
        out[2, 1, 0] += 1e-12 * xs[4, 1, 1]
        return out

    assert leaks(model, XS) == [(2, 4)]
    with pytest.raises(ValueError, match=r"step 2 depends on the input of step 4 \(steps"):
        check_causal(model, XS)
    expected = np.eye(T, dtype=bool)
    expected[4, 2] = True
    np.testing.assert_array_equal(influence(model, XS), expected)


def test_a_saturated_or_dead_unit_does_not_hide_a_leak():
    future = lambda xs: np.roll(xs, -1, axis=0).sum(axis=-1)                # noqa: E731
    saturated = lambda xs: np.tanh(40 + future(xs))                         # noqa: E731
    dead = lambda xs: np.maximum(future(xs) - 50, 0)                        # noqa: E731
    assert np.ptp(saturated(XS)) == np.ptp(dead(XS)) == 0
    for model in (saturated, dead):
        assert leaks(model, XS) == [(t, t + 1) for t in range(T - 1)]


def test_what_only_two_later_inputs_together_can_move_is_a_leak():
    def model(xs):
        out = xs.copy()
        out[0] += xs[3] * xs[4]
        return out

    empty = np.zeros_like(XS)                               # each alone leaves the product 0
    assert not influence(model, empty)[3:, 0].any()
    assert leaks(model, empty) == [(0, 3)]


def test_nan_in_the_outputs_is_equal_to_itself_and_new_nan_is_a_change():
    def padded(xs):
        out = xs.copy()
        out[4:] = np.nan
        return out

    def poisoned(xs):
        return np.where(np.roll(xs, -1, axis=0) == np.roll(XS, -1, axis=0), xs, np.nan)

    assert leaks(padded, XS) == []
    assert leaks(poisoned, XS) == [(t, t + 1) for t in range(T - 1)]


def test_float32_and_models_that_overflow_or_write_into_their_input():
    seen = []

    def model(xs):
        seen.append(xs.dtype)
        xs *= 0.5
        return np.exp(100 * np.cumsum(xs, axis=0))

    before = XS.astype(np.float32)
    kept = before.copy()
    assert leaks(model, before) == []
    assert set(seen) == {np.dtype(np.float32)} and (before == kept).all()


def test_the_same_seed_changes_the_inputs_in_the_same_way():
    def tried(rng):
        seen = []
        leaks(lambda xs: seen.append(xs) or xs, XS, rng)
        return np.array(seen)

    np.testing.assert_array_equal(tried(3), tried(np.random.default_rng(3)))
    assert (tried(3) != tried(4)).any()


@pytest.mark.parametrize("find", [influence, leaks, check_causal])
def test_what_is_no_model_is_refused(find):
    with pytest.raises(TypeError, match="model: expected a function of xs, got RNNCell"):
        find(CELLS["rnn"], XS)
    with pytest.raises(ValueError, match=r"model: expected numbers of shape \(6, ...\), got "):
        find(lambda xs: xs[-1:], XS)
    with pytest.raises(ValueError, match="model: expected numbers of shape"):
        find(lambda xs: ["a"] * T, XS)
    noise = np.random.default_rng(0)
    with pytest.raises(ValueError, match="model: expected the same outputs for the same xs"):
        find(lambda xs: xs + noise.normal(size=xs.shape), XS)
    with pytest.raises(ValueError, match=r"xs: expected shape \(T, B, ...\), no size zero, got"):
        find(hs(CELLS["rnn"]), XS[0, 0])
    with pytest.raises(ValueError, match="xs: expected finite numbers"):
        find(hs(CELLS["rnn"]), XS * np.nan)
    with pytest.raises(ValueError, match="xs: expected at least two different codes, got 4 only"):
        find(lambda codes: codes, np.full((T, B), 4))
    with pytest.raises(TypeError, match="rng: expected a whole number or a numpy Generator"):
        find(hs(CELLS["rnn"]), XS, "seed")
