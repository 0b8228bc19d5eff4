"""Letters as vectors, and the four of the "dogs" example."""

import numpy as np

from rnnlib import checks

#: The alphabet of the "dogs" example; a letter's place in it is its class.
DOGS_LETTERS = "dogs"


def one_hot(indices, size):
    """Turn integers (...) into vectors (..., size): 1 at the place of the integer, 0 elsewhere."""
    size = checks.whole("size", size)
    shape = checks.real("indices", indices).shape
    return np.eye(size)[checks.classes("indices", indices, shape, size)]


def dogs():
    """Read d, o, g and foretell the next letter each time: o, g, s.

    Returns the plain pair `xs` (3, 1, 4), the letters "dog" one-hot, and `targets` (3, 1), the
    classes of "ogs".
    """
    word = np.array([DOGS_LETTERS.index(letter) for letter in "dogs"])
    xs = one_hot(word[:-1], len(DOGS_LETTERS))[:, None, :]
    return xs, word[1:, None]
