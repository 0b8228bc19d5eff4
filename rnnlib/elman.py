"""The task generators of Elman (1990) used in chapters 1 and 2: bits, letters, shifts.

Source: J. L. Elman, "Finding Structure in Time", Cognitive Science 14, 179-211 (1990).
Everything here is plain numpy; `rng` is an int or a numpy Generator.
"""

from collections.abc import Iterable
from itertools import combinations

import numpy as np

from rnnlib import checks

WORDS = {"b": "ba", "d": "dii", "g": "guuu"}
FEATURES = ("consonant", "vowel", "interrupted", "high", "back", "voiced")
# Elman 1990, Table 1, in the order of FEATURES.
LETTERS = {
    "b": (1, 0, 1, 0, 0, 1),
    "d": (1, 0, 1, 1, 0, 1),
    "g": (1, 0, 1, 0, 1, 1),
    "a": (0, 1, 0, 0, 1, 1),
    "i": (0, 1, 0, 1, 0, 1),
    "u": (0, 1, 0, 1, 1, 1),
}
POSITIONS = ("consonant", "first vowel", "later vowel")


def xor_bits(n_bits=3000, *, rng=0):
    """Temporal exclusive-or: b1 b2 (b1 xor b2) b3 b4 (b3 xor b4) ...

    Every third bit follows from the two before it; the others are fair coins.

    Returns
    -------
    int array (n_bits,) of 0 and 1. Bit i is determined when i % 3 == 2.

    Raises
    ------
    ValueError : n_bits is not a positive multiple of 3.

    Source: Elman (1990), p. 185.
    """
    n_bits = checks.whole("n_bits", n_bits, least=None)
    if n_bits <= 0 or n_bits % 3:
        raise ValueError(f"n_bits: expected a positive multiple of 3, got {n_bits}")
    pairs = checks.generator("rng", rng).integers(0, 2, (n_bits // 3, 2))
    return np.column_stack([pairs, pairs[:, 0] ^ pairs[:, 1]]).ravel()


def letter_text(n_words=1000, *, rng=0):
    """Random words ba, dii, guuu without spaces, as one string.

    Elman drew 1,000 consonants and put each one's vowels after it, so the text has
    1,000 words and about 3,000 letters.

    Raises
    ------
    ValueError : n_words < 1.

    Source: Elman (1990), pp. 187-188.
    """
    n_words = checks.whole("n_words", n_words)
    picks = checks.generator("rng", rng).integers(0, len(WORDS), n_words)
    words = list(WORDS.values())
    return "".join(words[i] for i in picks)


def encode(text):
    """Letters to feature vectors: float array (len(text), 6), columns as in FEATURES.

    Raises
    ------
    ValueError : a letter that is not one of b d g a i u.
    """
    unknown = sorted(set(checks.instance("text", text, str, "a text")) - set(LETTERS))
    if unknown:
        raise ValueError(f"text: expected letters among {''.join(LETTERS)}, got {unknown[0]!r}")
    return np.array([LETTERS[letter] for letter in text], dtype=float).reshape(-1, len(FEATURES))


def split_words(text):
    """Cut a text back into its words: "diiba" gives ["dii", "ba"].

    Raises
    ------
    ValueError : the text is not a run of whole words.
    """
    words, start = [], 0
    checks.instance("text", text, str, "a text")
    while start < len(text):
        word = WORDS.get(text[start], "")
        if not word or not text.startswith(word, start):
            known, there = ", ".join(WORDS.values()), text[start : start + 4]
            raise ValueError(f"text: expected {known}, got no word at {start}: {there!r}")
        words.append(word)
        start += len(word)
    return words


def letter_positions(text):
    """Place of each letter in its word: 0 consonant, 1 first vowel, 2 later vowel.

    Returns an int array (len(text),); the numbers index POSITIONS.
    """
    places = [min(i, 2) for word in split_words(text) for i in range(len(word))]
    return np.array(places, dtype=int)


def predict_next(sequence):
    """(inputs, targets) for "what comes next?"; the first symbol follows the last.

    A sequence (n, ...) gives two arrays of that shape. The wrap-round is Elman's (p. 188).

    Raises
    ------
    ValueError : fewer than two symbols.
    """
    sequence = checks.real("sequence", sequence, float)
    if sequence.ndim == 0 or len(sequence) < 2:
        raise ValueError(f"sequence: expected two symbols or more, got shape {sequence.shape}")
    return sequence, np.roll(sequence, -1, axis=0)


def shifted_patterns(length=9, width=3):
    """A block of `width` ones at every shift in `length` zeros.

    Returns int array (length - width + 1, length); row s holds the block at shift s.
    Elman's example (p. 181) is rows 1 and 3 of the default: 011100000 and 000111000.

    Raises
    ------
    ValueError : unless 1 <= width <= length.
    """
    _check_block(length, width)
    shifts = np.arange(length - width + 1)
    places = np.arange(length)
    return ((places >= shifts[:, None]) & (places < shifts[:, None] + width)).astype(int)


def distractors(length=9, width=3):
    """Every string with `width` ones that are not all in one block.

    Returns int array (n, length) in lexicographic order of the places of the ones; n is
    "length choose width" less the length - width + 1 shifted blocks. Counting ones
    cannot tell these from `shifted_patterns`: only the order can.

    Raises
    ------
    ValueError : unless 1 <= width <= length.
    """
    _check_block(length, width)
    chosen = [c for c in combinations(range(length), width) if c[-1] - c[0] >= width]
    strings = np.zeros((len(chosen), length), dtype=int)
    for row, places in zip(strings, chosen, strict=True):
        row[list(places)] = 1
    return strings


def binary_strings(length=9):
    """All 2**length strings of 0 and 1, counting upwards: int array (2**length, length).

    Raises
    ------
    ValueError : unless 1 <= length <= 20.
    """
    if checks.whole("length", length) > 20:
        raise ValueError(f"length: expected at most 20, got {length}")
    return (np.arange(2**length)[:, None] >> np.arange(length)[::-1]) & 1


def occurrences(strings, width=3):
    """Where a block of `width` ones starts: bool (n, length - width + 1) of strings (n, length).

    Raises
    ------
    ValueError : unless 1 <= width <= length.
    """
    strings = checks.array("strings", strings, ("n", "length"))
    _check_block(strings.shape[-1], width)
    views = np.lib.stride_tricks.sliding_window_view(strings, width, axis=-1)
    return (views == 1).all(axis=-1)


def split_by_shift(strings, trained, *, width=3, rng=0):
    """Share strings out so that some shifts of the block are never trained on.

    A string goes to the training side if it holds the block at `trained` shifts only, to the
    test side if at other shifts only; one with both is left out. Strings without the block
    are halved at random.

    Returns four int arrays of row numbers: training with and without the block, test with
    and without.

    Raises
    ------
    ValueError : if `trained` names no shift, every shift, or one that does not exist.
    """
    found = occurrences(strings, width)
    shifts = np.arange(found.shape[1])
    checks.instance("trained", trained, Iterable, "a list of shifts")
    trained = {checks.whole("trained", shift, least=0) for shift in trained}
    known = np.isin(shifts, list(trained))
    if not trained <= set(shifts.tolist()) or known.all() or not known.any():
        words = f"some, not all, of the shifts 0 to {shifts[-1]}"
        raise ValueError(f"trained: expected {words}, got {sorted(trained)}")
    rng = checks.generator("rng", rng)
    at_known, at_new = found[:, known].any(axis=1), found[:, ~known].any(axis=1)
    without = rng.permutation(np.flatnonzero(~found.any(axis=1)))
    half = (len(without) + 1) // 2
    return (
        np.flatnonzero(at_known & ~at_new),
        np.sort(without[:half]),
        np.flatnonzero(at_new & ~at_known),
        np.sort(without[half:]),
    )


def _check_block(length, width):
    length = checks.whole("length", length)
    if checks.whole("width", width) > length:
        raise ValueError(f"width: expected at most the length, {length}, got {width}")
