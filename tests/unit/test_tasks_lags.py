"""Lag tasks and bits: the answers computed again from the inputs alone, optimal rules, chance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tasks import batch_sizes, lengths_of, ranges, seeds

from rnnlib import losses, tasks

MANY = 20_000


def about(share, expected, n=MANY):
    """Is a share of n draws within five standard errors of what is expected?"""
    return abs(share - expected) < 5 * np.sqrt(expected * (1 - expected) / n)


# --- adding -----------------------------------------------------------------------------------


@settings(deadline=None, max_examples=25)
@given(batch_sizes, ranges(2), seeds)
def test_the_sum_is_that_of_the_two_marked_numbers_one_in_each_half(batch_size, length, seed):
    batch = tasks.adding(batch_size, length, rng=seed)
    for b, n in enumerate(lengths_of(batch)):
        values, marks = batch.xs[:n, b].T
        (first, second) = np.flatnonzero(marks)
        assert first < n // 2 <= second and (marks[[first, second]] == 1).all()
        assert batch.targets[0, b, 0] == values[first] + values[second]
        assert values.min() >= 0 and values.max() < 1


def test_always_answering_one_errs_by_a_sixth():
    batch = tasks.adding(MANY, 20, rng=1)
    loss, _ = losses.mse(np.ones_like(batch.targets), batch.targets)
    spread = ((batch.targets - 1) ** 2).std() / MANY**0.5
    assert tasks.ADDING_BASELINE == 1 / 6 and abs(loss - 1 / 6) < 4 * spread


def test_in_adding_every_step_can_be_marked():
    marks = tasks.adding(MANY, 10, rng=2).xs[..., 1].mean(axis=1)
    assert all(about(share, 0.2) for share in marks)


@settings(deadline=None, max_examples=25)
@given(batch_sizes, st.integers(20, 80), seeds)
def test_the_adding_problem_of_1997_keeps_its_rules(batch_size, length, seed):
    batch = tasks.adding_1997(batch_size, length, rng=seed)
    for b, n in enumerate(lengths_of(batch)):
        values, marks = batch.xs[:n, b].T
        assert length <= n <= length + length // 10
        assert np.flatnonzero(marks == -1).tolist() == [0, n - 1]
        ones = np.flatnonzero(marks == 1)
        assert 1 <= len(ones) <= 2 and ones[0] < max(10, length // 2)
        assert ones[-1] <= length // 2 - 1 or ones[-1] < 10  # at least half of it is the gap
        assert batch.targets[0, b, 0] == pytest.approx(0.5 + values[ones].sum() / 4)
    assert batch.targets.min() >= 0 and batch.targets.max() <= 1


def test_the_places_and_the_baseline_of_1997():
    batch = tasks.adding_1997(MANY, 60, rng=3)
    marks = batch.xs[..., 1] == 1
    assert (marks[:10].sum(axis=0) >= 1).mean() > 0.89  # one in the first ten, save at the first
    assert about((marks.sum(axis=0) == 1).mean(), 0.1 + 0.9 / 29)  # a mark fell on the first pair
    assert marks[10:30].any(axis=1).all() and not marks[30:].any()
    error = np.mean((batch.targets - 0.5) ** 2)
    assert error == pytest.approx((1 - (0.1 + 0.9 / 29) / 2) / 24, rel=0.03) and error < 1 / 24
    assert sorted(set(batch.lengths.tolist())) == [60, 61, 62, 63, 64, 65, 66]


# --- temporal order ---------------------------------------------------------------------------


def order_rule(batch):
    """The class, read off the inputs: the first two of A and B in each sequence."""
    seen = batch.xs.argmax(axis=-1).T
    return [tasks.ORDER_CLASSES.index("".join("AB"[s] for s in row if s < 2)) for row in seen]


@settings(deadline=None, max_examples=25)
@given(batch_sizes, st.integers(10, 80), seeds)
def test_exactly_two_symbols_matter_and_their_order_is_the_class(batch_size, length, seed):
    batch = tasks.temporal_order(batch_size, length, rng=seed)
    assert (batch.xs.sum(axis=-1) == 1).all()
    assert order_rule(batch) == batch.targets[0].tolist()
    first, second = np.nonzero(batch.xs[..., :2].any(axis=-1).T)[1].reshape(-1, 2).T
    tenth = length // 10
    assert (tenth <= first).all() and (first < 2 * tenth).all()
    assert (length // 2 <= second).all() and (second < length // 2 + tenth).all()


def test_temporal_order_is_balanced_and_its_lengths_vary_with_the_places():
    batch = tasks.temporal_order(MANY, (50, 200), rng=1)
    shares = np.bincount(batch.targets[0], minlength=4) / MANY
    assert all(about(share, 0.25) for share in shares)
    second = len(batch.xs) - 1 - batch.xs[::-1, :, :2].any(axis=-1).argmax(axis=0)
    half = batch.lengths // 2
    assert ((half <= second) & (second < half + batch.lengths // 10)).all()
    distractors = batch.xs[..., 2:].sum(axis=(0, 1)) / batch.xs[..., 2:].sum()
    np.testing.assert_allclose(distractors, 0.25, atol=0.002)


# --- copying ----------------------------------------------------------------------------------


@settings(deadline=None, max_examples=25)
@given(batch_sizes, st.integers(1, 30), st.integers(1, 12), seeds)
def test_the_symbols_come_back_after_the_delimiter(batch_size, delay, symbols, seed):
    batch = tasks.copying(batch_size, delay, symbols=symbols, rng=seed)
    T, seen = delay + 2 * symbols, batch.xs.argmax(axis=-1)
    assert batch.xs.shape == (T, batch_size, 10) and (batch.xs.sum(axis=-1) == 1).all()
    for row, target in zip(seen.T.tolist(), batch.targets.T.tolist(), strict=True):
        assert set(row[:symbols]) <= set(range(8))
        assert row[symbols:] == [8] * (delay - 1) + [9] + [8] * symbols
        assert target == [8] * (delay + symbols) + row[:symbols]
        assert row.index(9) == delay + symbols - 1  # the first answer is due right after it


def test_without_memory_copying_costs_s_ln_8():
    batch = tasks.copying(200, 15, symbols=6, rng=4)
    logits = np.full((27, 200, 10), -1e3)
    logits[:21, :, 8], logits[21:, :, :8] = 0, 0
    loss, _ = losses.softmax_cross_entropy(logits, batch.targets)
    assert loss == pytest.approx(6 * np.log(8))
    assert loss / 27 == pytest.approx(tasks.copying_baseline(15, symbols=6))
    assert tasks.copying_baseline(1000) == pytest.approx(10 * np.log(8) / 1020)
    kinds = np.bincount(tasks.copying(MANY // 10, 1, rng=5).targets[-10:].ravel(), minlength=8)
    assert all(about(share, 1 / 8) for share in kinds / MANY)


# --- latch ------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=25)
@given(batch_sizes, st.integers(1, 4), seeds)
def test_the_class_of_a_latch_is_the_sign_of_its_first_steps(batch_size, shown, seed):
    batch = tasks.latch(batch_size, (shown + 1, 30), shown=shown, rng=seed)
    signs = np.where(batch.targets[0] == 1, 1.0, -1.0)
    np.testing.assert_array_equal(batch.xs[:shown, :, 0], np.tile(signs, (shown, 1)))
    assert (np.abs(batch.xs[shown, :, 0]) != 1).all()


def test_the_noise_of_a_latch_has_variance_one_fifth_and_says_nothing():
    batch = tasks.latch(MANY, 12, rng=6)
    noise = batch.xs[1:, :, 0]
    assert noise.var() == pytest.approx(0.2, rel=0.02) and abs(noise.mean()) < 0.005
    assert about(batch.targets.mean(), 0.5)
    assert about(((noise.sum(axis=0) > 0) == batch.targets[0]).mean(), 0.5)
    silent = tasks.latch(4, 9, noise=0).xs
    assert silent[0].all() and not silent[1:].any()


# --- bits -------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=25)
@given(batch_sizes, ranges(1), seeds)
def test_parity_counts_the_ones_and_the_end_is_the_last_step(batch_size, length, seed):
    batch = tasks.parity(batch_size, length, rng=seed)
    last = tasks.parity(batch_size, length, at_end=True, rng=seed)
    np.testing.assert_array_equal(batch.xs, last.xs)
    for b, n in enumerate(lengths_of(batch)):
        bits = batch.xs[:n, b, 0].astype(int).tolist()
        assert batch.targets[:n, b].tolist() == [sum(bits[: t + 1]) % 2 for t in range(n)]
        assert last.targets[0, b] == sum(bits) % 2


def test_with_one_bit_missed_parity_is_a_coin():
    batch = tasks.parity(MANY, 7, rng=9)
    assert set(np.unique(batch.xs)) == {0, 1} and about(batch.xs.mean(), 0.5, 7 * MANY)
    for missed in range(7):
        bits = np.delete(batch.xs[..., 0], missed, axis=0).sum(axis=0) % 2
        assert about((bits == batch.targets[-1]).mean(), 0.5)


def test_every_third_bit_to_foretell_is_the_xor_and_the_others_are_coins():
    batch = tasks.temporal_xor(MANY, 9, rng=2)
    bits, targets = batch.xs[..., 0].astype(int), batch.targets
    np.testing.assert_array_equal(bits[1:], targets[:-1])
    np.testing.assert_array_equal(targets[1::3], bits[0::3] ^ bits[1::3])
    for t in (0, 2, 3, 5, 6, 8):
        assert about(targets[t].mean(), 0.5)
        assert about((targets[t] == bits[t]).mean(), 0.5)
    assert about((targets[-1] == bits[-1] ^ bits[-2]).mean(), 0.5)  # the next triple begins
