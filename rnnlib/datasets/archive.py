"""Two sets of the UEA archive of multivariate time series (Bagnall et al. 2018, arXiv 1811.00075).

They stand in aeon (BSD licence) as text files: lines of `#` and `@` first, then a line for each
sequence, its channels apart by colons, the label last. Neither names a licence of its own.
"""

from functools import cache

import numpy as np

from rnnlib.datasets.carried import carried
from rnnlib.datasets.samples import Sequences


def japanese_vowels():
    """Nine men say the vowels /ae/; who is speaking? (train, test), 270 and 370 utterances.

    xs (T, B, 12), of unequal lengths, 7 to 29 steps over both sets: twelve cepstrum coefficients
    of a linear prediction of the sound, without unit, from frames of 25.6 ms that start 6.4 ms
    apart (sampled at 10 kHz). labels: the speaker. Training: 30 utterances of each; test: 24 to 88,
    taken on other occasions, unequally many.

    Source: Kudo, Toyama and Shimbo 1999, Pattern Recognition Letters 20:1103; UCI archive.
    """
    channels = tuple(f"cepstrum {d}" for d in range(1, 13))
    return tuple(_load("JapaneseVowels", side, channels, "", 6.4e-3) for side in ("TRAIN", "TEST"))


def basic_motions():
    """Standing, running, walking or badminton, felt at the wrist? (train, test), 40 and 40.

    xs (100, B, 6): acceleration along three axes and rotation about three, from a smart watch, ten
    times a second for ten seconds. The file gives no unit and no order of the six; that the
    accelerometer comes first is the order of its description. Four students did each activity
    five times; who wore the watch is not told, so the test may hold recordings of the same person.

    Source: a student project; UEA archive.
    """
    channels = tuple(f"{kind} {axis}" for kind in ("acceleration", "rotation") for axis in "xyz")
    units = "not stated"
    return tuple(_load("BasicMotions", side, channels, units, 0.1) for side in ("TRAIN", "TEST"))


@cache
def _load(problem, side, channels, units, seconds):
    """One side of one set, as `Sequences`."""
    file = carried("aeon", "datasets", "data", problem, f"{problem}_{side}.ts")
    with file.open(encoding="utf-8") as lines:
        head, rows = _read(lines)
    classes = head["classLabel"].split()[1:]  # the first word says that there are labels
    lengths = np.array([len(steps) for steps, _ in rows])
    xs = np.zeros((lengths.max(), len(rows), len(channels)))
    for b, (steps, _) in enumerate(rows):
        xs[: len(steps), b] = steps
    labels = np.array([classes.index(label) for _, label in rows])
    return Sequences(labels, tuple(classes), xs, lengths, channels, units, seconds)


def _read(lines):
    """The settings at the head of a .ts file, and its rows: (steps (T, D), label)."""
    head, rows = {}, []
    for line in map(str.strip, lines):
        if line.startswith("@"):
            name, _, value = line[1:].partition(" ")
            head[name] = value
        elif line and not line.startswith("#"):
            *channels, label = line.split(":")
            rows.append((np.array([c.split(",") for c in channels], float).T, label))
    return head, rows
