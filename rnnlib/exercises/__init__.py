"""The chapters' exercises, graded: `grade("1.2", your_function)` tells whether it is right.

Each entry of EXERCISES holds the book's own answer and the arguments that both are tried on. The
answers stand here so that the notebooks need not show them; looking is allowed, after trying.

    recurrence  chapters 1 and 2
    gradients   chapters 3 and 4
    gates       chapters 5 and 6
    both_ways   chapter 7
    sequences   chapter 8
    structure   chapter 9
    descent     chapter 10
"""

from collections.abc import Callable

import numpy as np

from rnnlib import checks
from rnnlib.exercises import (
    both_ways,
    descent,
    gates,
    gradients,
    recurrence,
    sequences,
    structure,
)

EXERCISES = (
    recurrence.EXERCISES | gradients.EXERCISES | gates.EXERCISES | both_ways.EXERCISES
    | sequences.EXERCISES | structure.EXERCISES | descent.EXERCISES
)


def grade(name, answer):
    """Try `answer` on the cases of exercise `name`; return one line that says how it went.

    A function that returns None counts as not answered yet. ValueError for an unknown exercise.
    """
    first, *_, last = EXERCISES
    words = f"an exercise from {first} to {last}, such as '2.3'"
    if checks.instance("name", name, str, words) not in EXERCISES:
        raise ValueError(f"name: expected {words}, got {checks.came(name)}")
    checks.instance("answer", answer, Callable, "a function")
    ours, cases = EXERCISES[name]
    for number, arguments in enumerate(cases, 1):
        got = answer(*arguments)
        if got is None:
            return f"Exercise {name}: not answered yet."
        expected = ours(*arguments)
        if not _same(got, expected):
            where = f"case {number} of {len(cases)}"
            return f"Exercise {name}: {where}: expected {expected}, got {got}."
    return f"Exercise {name}: right in all {len(cases)} cases."


def _same(got, expected):
    if isinstance(expected, (bool, set)):
        return got == expected
    return np.shape(got) == np.shape(expected) and np.allclose(got, expected, 1e-9, 1e-12)
