"""Malformed calls for data: tasks with wrong sizes, sets with wrong shares, letters, Elman's."""

import datetime
from functools import partial

import numpy as np
import pytest
from bad_input import (
    FLAGS,
    LENGTHS,
    LOGITS,
    NOT_NEGATIVE,
    RNG,
    SEEDS,
    SHARED,
    SIZES,
    XS,
    family,
    refused,
    rows,
    source,
)

from rnnlib import datasets, elman, tasks
from rnnlib.datasets.samples import Samples

pytest.importorskip("babel")  # for names and dates
EMBEDDED = tasks.reber_strings(3, embedded=True)
BATCH = tasks.reber_batch(4, rng=RNG)
LEGAL = np.ones((5, 2, 7), bool)
SCORES = RNG.normal(size=(5, 2, 7))
SAMPLES = Samples(np.arange(20) % 4, tuple("abcd"))
WORDS = datasets.Texts(np.arange(4), tuple("abcd"), np.array(["an", "be", "ce", "de"]), "abcden")
SERIES = datasets.nino()[:10]
STRINGS = elman.binary_strings(5)
SHARED += [BATCH, LEGAL, SCORES, SAMPLES, WORDS, SERIES, STRINGS]

# Tasks: every size, every pair of lengths, every seed.
DRAWN = {  # the tasks that take lengths, with the least length of each
    tasks.parity: 1, tasks.adding: 2, tasks.temporal_order: 10,
    partial(tasks.latch, shown=3): 4,
}
CALLS = []
for task, least in DRAWN.items():
    for what, (length, kind) in (SIZES | {
        "too short": (least - 1, ValueError), "one of a pair": ((12,), ValueError),
        "three": ((12, 13, 14), ValueError), "none": ([], ValueError),
        "a pair in the wrong order": ((20, 12), ValueError),
        "a pair too short": ((least - 1, 20), ValueError),
        "a pair of floats": ((12.0, 13), TypeError),
        "a pair with None": ((12, None), TypeError), "a range": (range(12, 20), TypeError),
        "a negative pair": ([-20, -12], ValueError), "a pair of strings": (("1", "2"), TypeError),
    }).items():
        words = getattr(task, "func", task).__name__
        CALLS.append(
            ("length", partial(task, 3, length, rng=RNG), kind, f"{words} of length {what}")
        )
CALLS += family([
    ("batch_size", lambda n: tasks.parity(n, 5, rng=RNG)),
    ("batch_size", lambda n: tasks.adding(n, 5, rng=RNG)),
    ("batch_size", lambda n: tasks.adding_1997(n, 50, rng=RNG)),
    ("batch_size", lambda n: tasks.temporal_order(n, (10, 20), rng=RNG)),
    ("batch_size", lambda n: tasks.temporal_xor(n, 6, rng=RNG)),
    ("batch_size", lambda n: tasks.copying(n, 5, rng=RNG)),
    ("batch_size", lambda n: tasks.latch(n, 5, rng=RNG)),
    ("batch_size", lambda n: tasks.reber_batch(n, rng=RNG)),
    ("batch_size", lambda n: tasks.expressions(n, 2, rng=RNG)),
    ("length", lambda n: tasks.temporal_xor(3, n, rng=RNG)),
    ("length", lambda n: tasks.adding_1997(3, n, rng=RNG)),
    ("delay", lambda n: tasks.copying(3, n, rng=RNG)),
    ("symbols", lambda n: tasks.copying(3, 5, symbols=n, rng=RNG)),
    ("delay", lambda n: tasks.copying_baseline(n)),
    ("symbols", lambda n: tasks.copying_baseline(5, symbols=n)),
    ("shown", lambda n: tasks.latch(3, 5, shown=n, rng=RNG)),
    ("n", lambda n: tasks.reber_strings(n, rng=RNG)),
    ("n", lambda n: tasks.draw_sentences(n, rng=RNG)),
    ("n", lambda n: tasks.next_words(n, rng=RNG)),
    ("size", lambda n: tasks.one_hot([0, 1], n)),
    ("n", lambda n: datasets.dates(n, rng=RNG)),
    ("n_words", lambda n: elman.letter_text(n, rng=RNG)),
    ("n_bits", lambda n: elman.xor_bits(n, rng=RNG)),
    ("length", lambda n: elman.binary_strings(n)),
    ("length", lambda n: elman.shifted_patterns(n)),
    ("width", lambda n: elman.shifted_patterns(9, n)),
    ("width", lambda n: elman.distractors(9, n)),
    ("width", lambda n: elman.occurrences(STRINGS, n)),
], SIZES)
CALLS += family([
    ("rng", lambda seed: tasks.parity(3, 5, rng=seed)),
    ("rng", lambda seed: tasks.adding(3, 5, rng=seed)),
    ("rng", lambda seed: tasks.adding_1997(3, 50, rng=seed)),
    ("rng", lambda seed: tasks.temporal_order(3, 10, rng=seed)),
    ("rng", lambda seed: tasks.temporal_xor(3, 6, rng=seed)),
    ("rng", lambda seed: tasks.copying(3, 5, rng=seed)),
    ("rng", lambda seed: tasks.latch(3, 5, rng=seed)),
    ("rng", lambda seed: tasks.reber_batch(3, rng=seed)),
    ("rng", lambda seed: tasks.next_words(3, rng=seed)),
    ("rng", lambda seed: tasks.draw_expression(2, rng=seed)),
    ("rng", lambda seed: tasks.expressions(3, 2, rng=seed)),
    ("rng", lambda seed: datasets.dates(3, rng=seed)),
    ("rng", lambda seed: SAMPLES.split(rng=seed)),
    ("rng", lambda seed: elman.xor_bits(9, rng=seed)),
    ("rng", lambda seed: elman.letter_text(9, rng=seed)),
    ("rng", lambda seed: elman.split_by_shift(STRINGS, [0], rng=seed)),
], SEEDS)
CALLS += family([
    ("at_end", lambda v: tasks.parity(3, 5, at_end=v, rng=RNG)),
    ("embedded", lambda v: tasks.reber_strings(3, embedded=v, rng=RNG)),
    ("embedded", lambda v: tasks.is_reber("BE", embedded=v)),
    ("embedded", lambda v: tasks.legal_next("B", embedded=v)),
    ("embedded", lambda v: tasks.legal_successors(EMBEDDED, embedded=v)),
    ("unique", lambda v: datasets.names(unique=v)),
], FLAGS)
CALLS += family([("noise", lambda v: tasks.latch(3, 5, noise=v, rng=RNG))], NOT_NEGATIVE)
CALLS += family([
    ("share", lambda v: SAMPLES.split(v, RNG)),
    ("share", lambda v: WORDS.split(v, RNG)),
], NOT_NEGATIVE | {"0": (0, ValueError), "1": (1, ValueError), "none left": (0.01, ValueError),
                   "all": (0.99, ValueError)})
CALLS += family([
    ("depth", lambda v: tasks.draw_expression(v, rng=RNG)),
    ("depth", lambda v: tasks.expressions(3, v, rng=RNG)),
], {k: v for k, v in SIZES.items() if k != "0"} | {"31 of any": (31, ValueError)})
CALLS += family([
    ("indices", lambda v: tasks.one_hot(v, 5)),
    ("which", lambda v: SAMPLES.take(v)),
    ("codes", lambda v: datasets.decode(v, "doges")),
], {"floats": ([[0.0]], TypeError), "-1": ([[-1]], ValueError), "99": ([[99]], ValueError),
    "booleans": ([[True]], TypeError), "a string": ("dog", TypeError), "None": (None, TypeError),
    "ragged": ([[0], [0, 1]], ValueError), "nothing": ([], ValueError),
})
CALLS += [  # what only one task asks for
    ("length", lambda: tasks.temporal_xor(3, 7, rng=RNG), ValueError),
    ("length", lambda: tasks.adding_1997(3, 19, rng=RNG), ValueError),
    ("length", lambda: tasks.latch(3, 3, shown=3, rng=RNG), ValueError),
    ("depth", lambda: tasks.draw_expression(17, shape="balanced", rng=RNG), ValueError),
    ("depth", lambda: tasks.draw_expression(201, shape="left", rng=RNG), ValueError),
    ("shape", lambda: tasks.draw_expression(2, shape="tall", rng=RNG), ValueError),
    ("shape", lambda: tasks.expressions(3, 2, shape=None, rng=RNG), TypeError),
    ("operations", lambda: tasks.draw_expression(2, operations=(), rng=RNG), ValueError),
    ("operations", lambda: tasks.draw_expression(2, operations="max", rng=RNG), TypeError),
    ("operations", lambda: tasks.draw_expression(2, operations=("pow",), rng=RNG), ValueError),
    ("operations", lambda: tasks.expressions(3, 2, operations=(max, min), rng=RNG), TypeError),
    ("expression", lambda: tasks.evaluate(("max", (3, 12))), ValueError),
    ("expression", lambda: tasks.evaluate(("max", (3, 7, 1))), ValueError),
    ("expression", lambda: tasks.evaluate(["max", 3, 7]), ValueError),
    ("expression", lambda: tasks.evaluate(XS), ValueError),
    ("expression", lambda: tasks.evaluate(True), ValueError),
    ("expression", lambda: tasks.evaluate(None), ValueError),
    ("expression", lambda: tasks.write_expression(("pow", (3, 7))), ValueError),
    ("text", lambda: tasks.read_expression(37), TypeError),
    ("text", lambda: tasks.read_expression(""), ValueError),
    ("text", lambda: tasks.read_expression("(max 3)"), ValueError),
    ("text", lambda: tasks.read_expression("(max 3 12)"), ValueError),
    ("text", lambda: tasks.read_expression("max (3 7)"), ValueError),
    ("prefix", lambda: tasks.legal_next("BX"), ValueError),
    ("prefix", lambda: tasks.legal_next(["B"]), TypeError),
    ("string", lambda: tasks.is_reber(None), TypeError),
    ("strings", lambda: tasks.next_symbols("BTXSE"), TypeError),
    ("strings", lambda: tasks.next_symbols([]), ValueError),
    ("strings", lambda: tasks.next_symbols(["BTXSE", 5]), TypeError),
    ("strings", lambda: tasks.next_symbols(["B"]), ValueError),
    ("strings", lambda: tasks.next_symbols(["dogs"]), ValueError),
    ("strings", lambda: tasks.legal_successors(["BTE"]), ValueError),
    ("strings", lambda: tasks.legal_successors(EMBEDDED), ValueError),
    ("logits", lambda: tasks.predicts_legal(LOGITS, LEGAL), ValueError),
    ("logits", lambda: tasks.predicts_legal(SCORES * np.nan, LEGAL), ValueError),
    ("legal", lambda: tasks.predicts_legal(SCORES, LEGAL[1:]), ValueError),
    ("legal", lambda: tasks.predicts_legal(SCORES, LEGAL * 1), TypeError),
    ("legal", lambda: tasks.predicts_legal(SCORES, None), TypeError),
    ("legal", lambda: tasks.predicts_legal(SCORES, [[[True]], [[True, False]]]), ValueError),
    ("words", lambda: tasks.is_sentence("man eat bread"), TypeError),
]
CALLS += family([  # languages, by the codes of their locales
    ("locales", lambda v: datasets.names(v)),
    ("locales", lambda v: datasets.dates(3, locales=v, rng=RNG)),
], {"one string": ("de", TypeError), "nothing": ((), ValueError), "None": (None, TypeError),
    "klingon": (("de", "klingon"), ValueError), "''": (("",), ValueError),
    "a number": (("de", 3), TypeError), "twice the same": (["de", "de"], ValueError),
    "a set": ({"de", "en"}, TypeError), "a space": (("d e",), ValueError)})
NEW_YEAR = datetime.date(2000, 1, 1)
CALLS += [  # the sets
    ("formats", lambda: datasets.dates(3, formats=("short",), rng=RNG), ValueError),
    ("formats", lambda: datasets.dates(3, formats="full", rng=RNG), TypeError),
    ("formats", lambda: datasets.dates(3, formats=(), rng=RNG), ValueError),
    ("first, last", lambda: datasets.dates(3, first=NEW_YEAR, last=datetime.date(1999, 1, 1),
                                           rng=RNG), ValueError),
    ("first, last", lambda: datasets.dates(3, first="2000-01-01", rng=RNG), ValueError),
    ("first, last", lambda: datasets.dates(3, last=datetime.datetime(2000, 1, 1), rng=RNG),
     ValueError),
    ("steps", lambda: SERIES[3], TypeError),
    ("series", lambda: datasets.parts(5), TypeError),
    ("series", lambda: datasets.parts(None), TypeError),
    ("shares", lambda: datasets.parts(SERIES, (0.5, 0.6)), ValueError),
    ("shares", lambda: datasets.parts(SERIES, (1.2, -0.2)), ValueError),
    ("shares", lambda: datasets.parts(SERIES, (0.99, 0.01)), ValueError),
    ("shares", lambda: datasets.parts(SERIES, (np.nan, 1)), ValueError),
    ("shares", lambda: datasets.parts(SERIES, 0.8), ValueError),
    ("shares", lambda: datasets.parts(SERIES, "0.8"), TypeError),
    ("shares", lambda: datasets.parts("dogs", ()), ValueError),
    ("text", lambda: datasets.characters(""), ValueError),
    ("text", lambda: datasets.characters(["dog"]), TypeError),
    ("texts", lambda: datasets.encode(["dogs"], "dog"), ValueError),
]
CALLS += family([
    ("texts", lambda v: datasets.alphabet(v)),
    ("texts", lambda v: datasets.encode(v, "dog")),
], {"one text": ("dog", TypeError), "a number": (5, TypeError), "None": (None, TypeError),
    "nothing": ([], ValueError), "an empty one": (["dog", ""], ValueError),
    "numbers": ([1, 2], TypeError), "a generator": ((t for t in ["dog"]), TypeError)})
CALLS += family([
    ("letters", lambda v: datasets.encode(["dog"], v)),
    ("letters", lambda v: datasets.decode([[0]], v)),
], {"a number": (5, TypeError), "None": (None, TypeError), "nothing": ("", ValueError),
    "twice the same": ("dogg", ValueError), "numbers": ([1, 2], TypeError)})
CALLS += family(
    [("lengths", lambda v: datasets.decode(np.zeros((5, 2), int), "dog", v))], LENGTHS
)
CALLS += [  # Elman 1990
    ("n_bits", lambda: elman.xor_bits(10, rng=RNG), ValueError),
    ("text", lambda: elman.encode("bax"), ValueError),
    ("text", lambda: elman.encode(None), TypeError),
    ("text", lambda: elman.split_words("bab"), ValueError),
    ("text", lambda: elman.split_words(["ba"]), TypeError),
    ("text", lambda: elman.letter_positions("dog"), ValueError),
    ("sequence", lambda: elman.predict_next([1]), ValueError),
    ("sequence", lambda: elman.predict_next(1.0), ValueError),
    ("sequence", lambda: elman.predict_next("ba"), TypeError),
    ("sequence", lambda: elman.predict_next([1, np.nan]), ValueError),
    ("width", lambda: elman.shifted_patterns(3, 4), ValueError),
    ("width", lambda: elman.distractors(3, 4), ValueError),
    ("width", lambda: elman.occurrences(STRINGS, 6), ValueError),
    ("length", lambda: elman.binary_strings(21), ValueError),
    ("strings", lambda: elman.occurrences("0110"), TypeError),
    ("strings", lambda: elman.occurrences(1), ValueError),
    ("strings", lambda: elman.occurrences([[1, 1, 1], [1]]), ValueError),
    ("trained", lambda: elman.split_by_shift(STRINGS, [], rng=RNG), ValueError),
    ("trained", lambda: elman.split_by_shift(STRINGS, [0, 1, 2], rng=RNG), ValueError),
    ("trained", lambda: elman.split_by_shift(STRINGS, [3], rng=RNG), ValueError),
    ("trained", lambda: elman.split_by_shift(STRINGS, [-1], rng=RNG), ValueError),
    ("trained", lambda: elman.split_by_shift(STRINGS, [0.5], rng=RNG), TypeError),
    ("trained", lambda: elman.split_by_shift(STRINGS, 0, rng=RNG), TypeError),
]


@pytest.mark.parametrize(("name", "call", "kind"), rows(CALLS))
def test_a_malformed_call_is_refused_by_name_and_changes_nothing(name, call, kind):
    refused(name, call, kind)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: elman.xor_bits(10), "n_bits: expected a positive multiple of 3, got 10"),
    (lambda: elman.split_words("babu"), "text: expected ba, dii, guuu, got no word at 2: 'bu'"),
    (lambda: datasets.decode([[0], [0]], "dog", [3]),
     "lengths: expected lengths 1 to 2, got 3 to 3"),
], ids=lambda given: source(given) if callable(given) else "")
def test_the_words_of_a_refusal(call, words):
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value) == words
