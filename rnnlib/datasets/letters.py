"""Letters as numbers: a character's place in the alphabet is its code.

    letters = alphabet(["dog", "go"])               # "dgo"
    codes, lengths = encode(["dog", "go"], letters) # [[0, 1], [2, 2], [1, 0]], [3, 2]

Time comes first, one text a column. Past a text's length its codes are 0 and mean nothing.
"""

import numpy as np

from rnnlib import checks


def alphabet(texts):
    """Every character that occurs in the texts, once, in the order of Unicode."""
    return "".join(sorted(set().union(*_texts(texts))))


def encode(texts, letters):
    """The codes (T, B) of B texts, T that of the longest, and their lengths (B,).

    Raises ValueError for an empty text and for a character that is not in `letters`.
    """
    texts, code = _texts(texts), {letter: k for k, letter in enumerate(_letters(letters))}
    strange = set().union(*texts) - code.keys()
    if strange:
        raise ValueError(f"texts: expected characters of the alphabet, got {min(strange)!r}")
    lengths = np.array([len(text) for text in texts])
    codes = np.zeros((lengths.max(), len(texts)), int)
    for b, text in enumerate(texts):
        codes[: len(text), b] = [code[letter] for letter in text]
    return codes, lengths


def decode(codes, letters, lengths=None):
    """The texts of codes (T, B), cut to their lengths where these are given: back from `encode`."""
    codes = checks.classes("codes", codes, ("T", "B"), len(_letters(letters)))
    T, B = codes.shape
    lengths = (T,) * B if lengths is None else checks.lengths("lengths", lengths, T, B)
    pairs = zip(codes.T, lengths, strict=True)
    return ["".join(letters[k] for k in column[:length]) for column, length in pairs]


def _texts(texts):
    checks.instance("texts", texts, (list, tuple, np.ndarray), "a list of texts")
    for text in texts:
        checks.instance("texts", text, str, "a list of texts")
    if not len(texts) or not all(texts):
        got = "an empty one" if len(texts) else "none"
        raise ValueError(f"texts: expected at least one, and none of them empty, got {got}")
    return texts


def _letters(letters):
    checks.instance("letters", letters, str, "an alphabet")
    if not letters or len(set(letters)) < len(letters):
        raise ValueError(f"letters: expected different characters, got {checks.came(letters)}")
    return letters
