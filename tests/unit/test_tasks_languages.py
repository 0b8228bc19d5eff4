"""Reber strings and Elman's sentences: a second recogniser, mutants, known shares."""

import re
from collections import Counter

import numpy as np
import pytest

from rnnlib import tasks

# The automaton once more, as a regular expression. From the upper branch X leads into the lower
# one, and from there P back to the middle: v is what is read from the state after "TS*X".
_MIDDLE = "(?:XT*VP)*(?:S|XT*VV)"
REBER = f"B(?:TS*X{_MIDDLE}|PT*V(?:V|P{_MIDDLE}))E"
PATTERNS = {False: re.compile(REBER), True: re.compile(f"B(?:T{REBER}T|P{REBER}P)E")}

# Examples of two teaching pages on the grammar (Schraudolph; Orr).
LEGAL = ["BTSSXXTVVE", "BPVVE", "BTXXVPSE", "BPVPXVPXVPXVVE", "BTSSXXVPSE"]
ILLEGAL = ["BTSSPXSE", "BPTVVB", "BTXXVVSE", "BPVSPSE", "BTSSSE"]


# --- Reber ------------------------------------------------------------------------------------


@pytest.mark.parametrize("string", LEGAL)
def test_published_reber_strings_are_legal(string):
    assert tasks.is_reber(string) and not tasks.is_reber(string, embedded=True)
    for letter, other in ("TP", "PT"):
        assert tasks.is_reber(f"B{letter}{string}{letter}E", embedded=True)
        assert not tasks.is_reber(f"B{letter}{string}{other}E", embedded=True)


@pytest.mark.parametrize("string", ILLEGAL)
def test_published_strings_that_are_not_reber_are_refused(string):
    if string == "BTXXVVSE":  # legal up to its last letter but one
        assert tasks.legal_next("BTXXVV") == "E"
    assert not tasks.is_reber(string) and not PATTERNS[False].fullmatch(string)


@pytest.mark.parametrize("embedded, mean, least", [(False, 8, 5), (True, 12, 9)])
def test_ten_thousand_strings_are_accepted_twice_and_long_as_foretold(embedded, mean, least):
    strings = tasks.reber_strings(10_000, embedded=embedded, rng=1)
    assert all(tasks.is_reber(s, embedded=embedded) for s in strings)
    assert all(PATTERNS[embedded].fullmatch(s) for s in strings)
    lengths = np.array([len(s) for s in strings])
    assert abs(lengths.mean() - mean) < 4 * lengths.std() / 100 and lengths.min() == least


def test_the_letter_to_remember_is_second_and_last_but_one():
    strings = tasks.reber_strings(10_000, embedded=True, rng=2)
    assert all(s[1] == s[-2] and s[2] == "B" and s[-3] == "E" for s in strings)
    assert abs(np.mean([s[1] == "T" for s in strings]) - 0.5) < 0.025
    assert abs(np.mean([s[3] == s[1] for s in strings]) - 0.5) < 0.025  # inside it says nothing


@pytest.mark.parametrize("embedded", [False, True])
def test_mutants_are_refused_unless_the_other_recogniser_takes_them_too(embedded):
    rng = np.random.default_rng(3)
    refused = 0
    for string in tasks.reber_strings(2000, embedded=embedded, rng=rng):
        place = rng.integers(len(string))
        letter = "BTSXPVE"[rng.integers(7)]
        for mutant in (string[:place] + letter + string[place + 1:],
                       string[:place] + string[place + 1:], string + letter):
            legal = bool(PATTERNS[embedded].fullmatch(mutant))
            assert tasks.is_reber(mutant, embedded=embedded) == legal, mutant
            refused += not legal
        assert not tasks.is_reber(string[:-1], embedded=embedded)
    assert refused > 4000


@pytest.mark.parametrize("embedded", [False, True])
def test_the_legal_successors_are_those_that_occur_with_equal_shares(embedded):
    after = {}
    for string in tasks.reber_strings(20_000, embedded=embedded, rng=4):
        for t in range(min(len(string), 7)):
            after.setdefault(string[:t], Counter())[string[t]] += 1
    for prefix, counts in after.items():
        n = counts.total()
        if n > 100:
            legal = tasks.legal_next(prefix, embedded=embedded)
            assert set(legal) == set(counts) and len(legal) in (1, 2), prefix
            assert len(legal) == 1 or abs(counts[legal[0]] / n - 0.5) < 2.5 / n**0.5, prefix


def test_legal_next_ends_with_nothing_and_refuses_the_impossible():
    assert tasks.legal_next("") == "B" and tasks.legal_next("BT") == "SX"
    assert tasks.legal_next("BP") == "TV" and tasks.legal_next("BPVVE") == ""
    assert tasks.legal_next("BTBPVVE", embedded=True) == "T"
    assert tasks.legal_next("BPBPVVE", embedded=True) == "P"
    for impossible in ("T", "BB", "BPVVEB"):
        with pytest.raises(ValueError, match="prefix: expected"):
            tasks.legal_next(impossible)


@pytest.mark.parametrize("embedded", [False, True])
def test_a_batch_spells_its_strings_and_foretells_the_next_letter(embedded):
    strings = tasks.reber_strings(50, embedded=embedded, rng=5)
    batch = tasks.next_symbols(strings)
    legal = tasks.legal_successors(strings, embedded=embedded)
    np.testing.assert_array_equal(tasks.reber_batch(50, embedded=embedded, rng=5).xs, batch.xs)
    assert batch.lengths.tolist() == [len(s) - 1 for s in strings]
    for b, string in enumerate(strings):
        n = len(string) - 1
        read = [tasks.REBER_SYMBOLS[i] for i in batch.xs[:n, b].argmax(axis=-1)]
        told = [tasks.REBER_SYMBOLS[i] for i in batch.targets[:n, b]]
        assert "".join(read) == string[:-1] and "".join(told) == string[1:]
        for t in range(n):
            allowed = {s for s, yes in zip(tasks.REBER_SYMBOLS, legal[t, b], strict=True) if yes}
            assert allowed == set(tasks.legal_next(string[: t + 1], embedded=embedded))
        assert not legal[n:, b].any()


def test_the_criterion_wants_every_legal_letter_above_every_other():
    strings = tasks.reber_strings(40, embedded=True, rng=6)
    legal = tasks.legal_successors(strings, embedded=True)
    inside = legal.any(axis=-1)
    assert tasks.predicts_legal(legal.astype(float), legal).all()
    assert not tasks.predicts_legal(np.zeros(legal.shape), legal)[inside].any()  # ties are wrong
    forgetful = legal.astype(float)  # one that has lost the second letter: T and P alike
    ends = [len(s) - 3 for s in strings]
    forgetful[ends, np.arange(40), 1] = forgetful[ends, np.arange(40), 4] = 1
    wrong = ~tasks.predicts_legal(forgetful, legal)
    assert np.argwhere(wrong.T)[:, 1].tolist() == ends
    one_of_two = np.where(legal.cumsum(axis=-1) == 1, legal, 0).astype(float)
    assert not tasks.predicts_legal(one_of_two, legal)[legal.sum(axis=-1) == 2].any()


@pytest.mark.parametrize("name, call, error", [
    ("n", lambda: tasks.reber_strings(0), ValueError),
    ("embedded", lambda: tasks.reber_strings(1, embedded=1), TypeError),
    ("batch_size", lambda: tasks.reber_batch(1.0), TypeError),
    ("string", lambda: tasks.is_reber(["B"]), TypeError),
    ("prefix", lambda: tasks.legal_next(None), TypeError),
    ("strings", lambda: tasks.next_symbols("BPVVE"), TypeError),
    ("strings", lambda: tasks.next_symbols([]), ValueError),
    ("strings", lambda: tasks.next_symbols(["B"]), ValueError),
    ("strings", lambda: tasks.next_symbols(["BPVVA"]), ValueError),
    ("strings", lambda: tasks.next_symbols([5]), TypeError),
    ("strings", lambda: tasks.legal_successors(["BPVVB"]), ValueError),
    ("logits", lambda: tasks.predicts_legal(np.ones((2, 1, 6)), np.ones((2, 1, 7), bool)),
     ValueError),
    ("legal", lambda: tasks.predicts_legal(np.ones((2, 1, 7)), np.ones((2, 2, 7), bool)),
     ValueError),
    ("legal", lambda: tasks.predicts_legal(np.ones((2, 1, 7)), np.ones((2, 1, 7))), TypeError),
    ("n", lambda: tasks.draw_sentences(-1), ValueError),
    ("words", lambda: tasks.is_sentence("man eat bread"), TypeError),
])
def test_bad_arguments_are_named(name, call, error):
    with pytest.raises(error, match=f"^{name}: expected"):
        call()


# --- sentences --------------------------------------------------------------------------------


def test_there_are_29_words_in_12_classes_and_16_templates():
    assert len(tasks.WORDS) == 29 == len(set(tasks.WORDS)) and len(tasks.WORD_CLASSES) == 12
    twice = Counter(word for words in tasks.WORD_CLASSES.values() for word in words)
    assert {word for word, n in twice.items() if n > 1} == {"break", "see"}
    assert len(set(tasks.TEMPLATES)) == 16
    assert {name for t in tasks.TEMPLATES for name in t} == set(tasks.WORD_CLASSES)
    assert all(t[0].startswith("NOUN") and t[1].startswith("VERB") for t in tasks.TEMPLATES)


def test_who_does_what_to_whom():
    """Each verb with its subjects and, for each, what it is done to ("-": nothing)."""
    found = {}
    for template in tasks.TEMPLATES:
        subject, verb, target = (name.split("-")[1] for name in (*template, "NOUN--")[:3])
        found.setdefault(verb, {}).setdefault(subject, set()).add(target or "-")
    assert found == {
        "EAT": {"HUM": {"FOOD"}, "ANIM": {"FOOD"}, "AGRESS": {"HUM", "ANIM", "FOOD"}},
        "PERCEPT": {"HUM": {"INANIM"}},
        "DESTROY": {"HUM": {"FRAG"}, "AGRESS": {"FRAG"}},
        "INTRAN": {"HUM": {"-"}},
        "TRAN": {"HUM": {"HUM"}, "ANIM": {"ANIM"}},
        "AGPAT": {"HUM": {"INANIM", "-"}, "ANIM": {"INANIM", "-"}, "INANIM": {"-"}},
    }


def test_sentences_fill_templates_evenly():
    drawn = tasks.draw_sentences(20_000, rng=1)
    assert all(tasks.is_sentence(s) for s in drawn)
    assert abs(np.mean([len(s) for s in drawn]) - 2.75) < 5 * 0.433 / 20_000**0.5
    eaters = [s for s in drawn if s[0] in ("dragon", "lion", "monster")]
    assert abs(len(eaters) / 20_000 - 4 / 16) < 0.016
    food = Counter(s[2] for s in eaters if s[1] == "eat")
    assert food["bread"] / food.total() == pytest.approx(1 / 9, abs=0.02)
    assert food["man"] / food.total() == pytest.approx(1 / 12, abs=0.02)


@pytest.mark.parametrize("words", [
    ["eat", "man", "bread"], ["man", "eat"], ["man", "eat", "rock"], ["glass", "move"],
    ["bread", "eat", "man"], [], ["man", "eat", "bread", "man"], ["boy", "think", "dog"],
])
def test_what_fills_no_template_is_no_sentence(words):
    assert not tasks.is_sentence(words)


def test_sentences_are_read_without_a_break():
    drawn = tasks.draw_sentences(300, rng=2)
    words = [word for sentence in drawn for word in sentence]
    batch = tasks.next_words(300, rng=2)
    assert batch.xs.shape == (len(words) - 1, 1, 29)
    assert [tasks.WORDS[i] for i in batch.xs[:, 0].argmax(axis=-1)] == words[:-1]
    assert [tasks.WORDS[i] for i in batch.targets[:, 0]] == words[1:]
