"""What all tasks have in common: seeds, shapes, padding, refused arguments."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlib import losses, tasks
from rnnlib.tasks.batch import draw_lengths

TASKS = {
    "adding": lambda rng: tasks.adding(5, (20, 30), rng=rng),
    "adding_1997": lambda rng: tasks.adding_1997(5, 40, rng=rng),
    "temporal_order": lambda rng: tasks.temporal_order(5, (20, 30), rng=rng),
    "copying": lambda rng: tasks.copying(5, 7, symbols=4, rng=rng),
    "latch": lambda rng: tasks.latch(5, (4, 9), shown=3, rng=rng),
    "parity": lambda rng: tasks.parity(5, (8, 19), rng=rng),
    "parity at the end": lambda rng: tasks.parity(5, (8, 19), at_end=True, rng=rng),
    "temporal_xor": lambda rng: tasks.temporal_xor(5, 9, rng=rng),
    "reber": lambda rng: tasks.reber_batch(5, embedded=True, rng=rng),
    "next_words": lambda rng: tasks.next_words(9, rng=rng),
    "expressions": lambda rng: tasks.expressions(5, 3, rng=rng)[1],
}
batch_sizes = st.integers(1, 6)
seeds = st.integers(0, 2**32)


def ranges(least, most=60):
    """A length, or a pair of them, the shorter first."""
    one = st.integers(least, most)
    return one | st.tuples(one, one).map(lambda pair: tuple(sorted(pair)))


def lengths_of(batch):
    """The lengths (B,), also where none are told."""
    T, B = batch.xs.shape[:2]
    return np.full(B, T) if batch.lengths is None else batch.lengths


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_a_seed_gives_the_same_bits_and_another_seed_others(task):
    first, again, other = task(7), task(np.random.default_rng(7)), task(8)
    assert list(first.fields()) == list(again.fields())
    for name, array in first.fields().items():
        np.testing.assert_array_equal(array, again.fields()[name])
    assert not np.array_equal(first.xs, other.xs)


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_a_batch_has_the_promised_shapes_and_zeros_in_the_padding(task):
    batch, (T, B, _) = task(3), task(3).xs.shape
    lengths = lengths_of(batch)
    assert batch.xs.dtype == float and lengths.max() == T and lengths.min() >= 1
    assert batch.targets.shape[:2] in {(T, B), (1, B)} and batch.at_end == (len(batch.targets) == 1)
    assert batch.targets.dtype == (float if batch.targets.ndim == 3 else int)
    for b, length in enumerate(lengths):
        assert not batch.xs[length:, b].any()
        if not batch.at_end:
            assert not batch.targets[length:, b].any()
            assert batch.mask[:, b].tolist() == [t < length for t in range(T)]
    assert batch.mask.shape == batch.targets.shape[:2] and (not batch.at_end or batch.mask.all())


def test_lengths_are_told_only_where_they_differ():
    assert tasks.parity(4, 9).lengths is None and tasks.parity(4, (9, 9)).lengths is None
    assert sorted(set(tasks.parity(500, (3, 6)).lengths.tolist())) == [3, 4, 5, 6]


def test_a_batch_cannot_be_changed():
    batch = tasks.parity(3, (2, 9))
    for array in batch.fields().values():
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
@pytest.mark.parametrize("seed", [-1, 1.5, True, "7", None])
def test_a_seed_that_is_none_is_refused(task, seed):
    with pytest.raises((ValueError, TypeError), match="rng: expected"):
        task(seed)


@pytest.mark.parametrize("name, call, error", [
    ("batch_size", lambda rng: tasks.adding(0, 10, rng=rng), ValueError),
    ("batch_size", lambda rng: tasks.temporal_xor(2.0, 9, rng=rng), TypeError),
    ("batch_size", lambda rng: tasks.copying(True, 9, rng=rng), TypeError),
    ("length", lambda rng: tasks.adding(2, 1, rng=rng), ValueError),
    ("length", lambda rng: tasks.adding_1997(2, 19, rng=rng), ValueError),
    ("length", lambda rng: tasks.adding_1997(2, (20, 30), rng=rng), TypeError),
    ("length", lambda rng: tasks.temporal_order(2, 9, rng=rng), ValueError),
    ("length", lambda rng: tasks.temporal_order(2, (20, 19), rng=rng), ValueError),
    ("length", lambda rng: tasks.temporal_order(2, (20, 30, 40), rng=rng), ValueError),
    ("length", lambda rng: tasks.latch(2, 3, shown=3, rng=rng), ValueError),
    ("length", lambda rng: tasks.latch(2, "9", rng=rng), TypeError),
    ("length", lambda rng: tasks.parity(2, 0, rng=rng), ValueError),
    ("length", lambda rng: tasks.temporal_xor(2, 10, rng=rng), ValueError),
    ("shown", lambda rng: tasks.latch(2, 9, shown=0, rng=rng), ValueError),
    ("noise", lambda rng: tasks.latch(2, 9, noise=-0.1, rng=rng), ValueError),
    ("noise", lambda rng: tasks.latch(2, 9, noise=np.nan, rng=rng), ValueError),
    ("at_end", lambda rng: tasks.parity(2, 9, at_end=1, rng=rng), TypeError),
    ("delay", lambda rng: tasks.copying(2, 0, rng=rng), ValueError),
    ("symbols", lambda rng: tasks.copying(2, 5, symbols=0, rng=rng), ValueError),
    ("delay", lambda rng: tasks.copying_baseline(-1), ValueError),
    ("symbols", lambda rng: tasks.copying_baseline(5, symbols=1.0), TypeError),
    ("size", lambda rng: tasks.one_hot([0], 0), ValueError),
    ("indices", lambda rng: tasks.one_hot([-1], 3), ValueError),
    ("indices", lambda rng: tasks.one_hot([3], 3), ValueError),
    ("indices", lambda rng: tasks.one_hot([0.0], 3), TypeError),
    ("indices", lambda rng: tasks.one_hot("dog", 3), TypeError),
])
def test_bad_arguments_are_named_and_nothing_is_drawn_for_them(name, call, error):
    rng = np.random.default_rng(1)
    with pytest.raises(error, match=f"^{name}: expected"):
        call(rng)
    assert rng.bit_generator.state == np.random.default_rng(1).bit_generator.state


@settings(deadline=None, max_examples=25)
@given(batch_sizes, ranges(1), seeds)
def test_drawn_lengths_lie_where_they_were_asked_for(batch_size, length, seed):
    lengths = draw_lengths(batch_size, length, np.random.default_rng(seed))
    least, most = length if isinstance(length, tuple) else (length, length)
    assert lengths.shape == (batch_size,) and least <= lengths.min() and lengths.max() <= most


def test_one_hot_is_one_at_the_place_and_zero_elsewhere():
    indices = np.random.default_rng(0).integers(0, 5, (3, 2))
    vectors = tasks.one_hot(indices, 5)
    assert vectors.shape == (3, 2, 5)
    np.testing.assert_array_equal(vectors.argmax(axis=-1), indices)
    np.testing.assert_array_equal(np.sort(vectors, axis=-1)[..., -2:], np.broadcast_to([0, 1],
                                                                                     (3, 2, 2)))


def test_one_answer_at_the_end_meets_the_last_logits():
    batch = tasks.temporal_order(30, 20, rng=3)
    logits = np.zeros((20, 30, 4))
    loss, dlogits = losses.softmax_cross_entropy(logits[-len(batch.targets):], batch.targets)
    assert loss == pytest.approx(np.log(4)) and dlogits.shape == (1, 30, 4)
    with pytest.raises(ValueError, match="targets"):
        losses.softmax_cross_entropy(logits, batch.targets)
