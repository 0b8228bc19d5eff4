"""Spelling: what a letter stands for is often said by the letters after it, in real words.

    words(datasets.text())                              # 2,551 different ones
    batch = tagging(["city", "cat"], soft_c)            # one-hot letters, a class at each c
    batch = tagging(["city", "cat"], soft_c, delay=1)   # each answer due one step later

Two rules of English, applied by their letter (their exceptions are not known here):

    soft_c      c is soft before e, i and y ("city"), else hard ("cat"): one letter decides.
                Before h it is neither ("chat") and is not asked.
    silent_e    the vowel of a short word is long if its one consonant is followed by a last e
                ("hate"), else short ("hat"): two letters decide.

A rule maps a word to {place: class}: the places (from 0) at which it is asked, and the answers,
1 for soft or long.
"""

import re
from collections import Counter, defaultdict

import numpy as np

from rnnlib import checks
from rnnlib.records import record
from rnnlib.tasks.batch import Batch, inside
from rnnlib.tasks.letters import one_hot

#: The alphabet; a letter's place in it is its column in xs.
SPELLING_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SHORT = re.compile("([^aeiouy]*)[aeiou][^aeiouywxh](e?)")


def words(text):
    """Every different word of a text, in lower case, in alphabetical order: a tuple of strings.

    A word is a run of the letters a to z; an apostrophe ends it.
    """
    checks.instance("text", text, str, "a text")
    return tuple(sorted(set(re.findall("[a-z]+", text.lower()))))


def soft_c(word):
    """{place of a c: 1 if e, i or y follows, else 0}, without any c before h."""
    pairs = zip(word, word[1:] + " ", strict=True)
    return {t: int(after in "eiy") for t, (one, after) in enumerate(pairs)
            if one == "c" and after != "h"}


def silent_e(word):
    """{place of the vowel: 1 if an e ends the word, else 0} of words such as "hat" and "hate".

    Those words have one vowel a, e, i, o, u, one consonant after it (not h, w, x, y), and perhaps
    an e, where they end. Any other word is not asked at all: {}.
    """
    found = _SHORT.fullmatch(word)
    return {len(found[1]): len(found[2])} if found else {}


@record
class Tagging(Batch):
    """A `Batch` with a class at some letters: `asked` (T, B), True where one is.

    xs (T, B, 26), targets (T, B), 0 where nothing is asked, lengths (B,).
    """

    asked: np.ndarray = None

    @property
    def mask(self):
        """`asked`: nothing else counts."""
        return self.asked


def tagging(words, rule, *, delay=0):
    """The words one-hot, and at each letter that `rule` asks for its class: `Tagging`.

    delay=d makes each answer due d steps after its letter. Words then are followed by d steps
    without a letter (zeros), so that lengths are longer by d, too: the end of a word can be seen.
    Raises ValueError for no word, for one that has other letters, or if nothing is asked.
    """
    _check("words", words)
    delay = checks.whole("delay", delay, least=0)
    lengths = np.array([len(word) for word in words])
    codes = np.zeros((lengths.max(), len(words)), int)
    targets = np.zeros((lengths.max() + delay, len(words)), int)
    asked = np.zeros(targets.shape, bool)
    for b, word in enumerate(words):
        codes[: len(word), b] = [SPELLING_LETTERS.index(letter) for letter in word]
        for t, answer in rule(word).items():
            targets[t + delay, b], asked[t + delay, b] = answer, True
    if not asked.any():
        raise ValueError("words: expected one that the rule asks about, got none")
    xs = one_hot(codes, len(SPELLING_LETTERS)) * inside(lengths)[..., None]
    xs = np.concatenate([xs, np.zeros((delay, *xs.shape[1:]))])
    return Tagging(xs, targets, lengths + delay, asked)


def guesses_from_past(known, new, rule, letters):
    """The share of right guesses about `new` words by one who counted in the `known` ones.

    At each letter that is asked, the guess is the commonest answer after the same last `letters`
    letters, itself among them, and after fewer where these were never seen together. A word's
    beginning counts as a letter. letters=0: always the commonest answer of all.
    """
    letters, counts = checks.whole("letters", letters, least=0), defaultdict(Counter)
    for name, some in (("known", known), ("new", new)):
        _check(name, some)
        if not any(rule(word) for word in some):
            raise ValueError(f"{name}: expected a word that the rule asks about, got none")
    for word in known:
        for past, answer in _pasts(word, rule, letters):
            for part in _shorter(past):
                counts[part][answer] += 1
    return float(np.mean([
        _commonest(next(counts[part] for part in _shorter(past) if part in counts)) == answer
        for word in new for past, answer in _pasts(word, rule, letters)
    ]))


def _commonest(answers):
    """The answer with the highest count; the lower class of two that are even."""
    return min(answers, key=lambda answer: (-answers[answer], answer))


def _pasts(word, rule, letters):
    """For each letter that is asked: the last letters up to it, and the answer."""
    for t, answer in rule(word).items():
        so_far = "^" + word[: t + 1]
        yield so_far[len(so_far) - min(letters, len(so_far)) :], answer


def _shorter(past):
    """The past itself, and what is left of it without its first letter, its first two, ..."""
    return [past[i:] for i in range(len(past) + 1)]


def _check(name, words):
    checks.instance(name, words, (list, tuple, np.ndarray), "a list of words")
    if not len(words):
        raise ValueError(f"{name}: expected at least one, got none")
    for word in words:
        checks.instance(name, word, str, "a list of words")
        if not word or set(word) - set(SPELLING_LETTERS):
            raise ValueError(f"{name}: expected letters a to z, got {checks.came(word)}")
