"""Letters whose answer stands after them: the rules, the batch, the counts."""

import numpy as np
import pytest

from rnnlib import datasets
from rnnlib.tasks.spelling import (
    SPELLING_LETTERS,
    guesses_from_past,
    silent_e,
    soft_c,
    tagging,
    words,
)


def test_words_are_lower_case_runs_of_letters_once_each():
    assert words("The cat's CAT; the city-mice, 2 of 'em.") == (
        "cat", "city", "em", "mice", "of", "s", "the")
    book = words(datasets.text())
    assert len(book) == 2551 and {"alice", "rabbit", "accident"} <= set(book)
    assert sum(map(bool, map(soft_c, book))) == 404
    assert sum(map(bool, map(silent_e, book))) == 251


@pytest.mark.parametrize(("word", "answers"), [
    ("city", {0: 1}), ("cat", {0: 0}), ("circus", {0: 1, 3: 0}), ("accident", {1: 0, 2: 1}),
    ("music", {4: 0}), ("icy", {1: 1}), ("face", {2: 1}), ("chat", {}), ("back", {2: 0}),
    ("catch", {0: 0}), ("dog", {}),
])
def test_a_c_is_soft_before_e_i_y(word, answers):
    assert soft_c(word) == answers


@pytest.mark.parametrize(("word", "answers"), [
    ("hat", {1: 0}), ("hate", {1: 1}), ("there", {2: 1}), ("it", {0: 0}), ("ate", {0: 1}),
    ("hated", {}), ("hay", {}), ("boat", {}), ("h", {}), ("he", {}), ("hand", {}), ("bye", {}),
])
def test_a_vowel_is_long_before_a_consonant_and_the_last_e(word, answers):
    assert silent_e(word) == answers


@pytest.mark.parametrize("delay", [0, 1, 3])
def test_a_batch_has_the_letters_and_each_answer_so_many_steps_later(delay):
    texts = ["circus", "ace", "dog"]
    batch = tagging(texts, soft_c, delay=delay)
    assert batch.xs.shape == (6 + delay, 3, 26) and batch.lengths.tolist() == [
        6 + delay, 3 + delay, 3 + delay]
    for b, word in enumerate(texts):
        letters = batch.xs[:, b]
        assert [SPELLING_LETTERS[k] for k in letters[: len(word)].argmax(-1)] == list(word)
        assert letters.sum() == len(word) and not letters[len(word) :].any()
        asked = {t - delay: batch.targets[t, b] for t in np.flatnonzero(batch.mask[:, b])}
        assert asked == soft_c(word)
        assert not batch.targets[~batch.mask[:, b], b].any()
        assert not batch.mask[batch.lengths[b] :, b].any()


def test_guesses_are_the_commonest_answers_after_the_same_letters():
    known = ["ace", "aces", "cat", "cot", "cut"]            # two soft, three hard
    assert guesses_from_past(known, ["city", "cat"], soft_c, 0) == 0.5      # hard, hard
    assert guesses_from_past(known, ["face", "cat"], soft_c, 1) == 0.5      # "c" alone: hard
    assert guesses_from_past(known, ["face", "cat"], soft_c, 2) == 1        # "ac" soft, "^c" hard
    assert guesses_from_past(known, ["face", "cat"], soft_c, 9) == 1        # "fac" was never seen
    assert guesses_from_past(["cat", "city"], ["cell"], soft_c, 1) == 0     # even: the lower class
    assert guesses_from_past(["hat", "mate"], ["hit", "pat"], silent_e, 1) == 1


def test_what_is_no_word_is_refused():
    with pytest.raises(ValueError, match="words: expected letters a to z, got 'Cat'"):
        tagging(["Cat"], soft_c)
    with pytest.raises(ValueError, match="words: expected letters a to z, got ''"):
        tagging(["cat", ""], soft_c)
    with pytest.raises(ValueError, match="words: expected at least one, got none"):
        tagging([], soft_c)
    with pytest.raises(TypeError, match="words: expected a list of words, got str"):
        tagging("cat", soft_c)
    with pytest.raises(ValueError, match="words: expected one that the rule asks about, got none"):
        tagging(["dog"], soft_c)
    with pytest.raises(ValueError, match="delay: expected a whole number >= 0, got -1"):
        tagging(["cat"], soft_c, delay=-1)
    with pytest.raises(ValueError, match="new: expected a word that the rule asks about, got none"):
        guesses_from_past(["cat"], ["dog"], soft_c, 1)
    with pytest.raises(TypeError, match="text: expected a text, got list"):
        words(["cat"])
