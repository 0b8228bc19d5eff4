"""What the tests of malformed calls share: values, things that must not change, and the check.

A row is (the argument at fault, the call, the kind of error). The message must read
"argument: expected ..., got ...", in one line, and everything must be as it was before the call.
A composite names the path: "cells[1]", "state[0]", "grads[1].U".
"""

import linecache
import random
import re
import sys
from dataclasses import fields, is_dataclass, replace
from functools import partial

import numpy as np
import pytest

from rnnlib import (
    Bidirectional,
    GRUCell,
    JordanCell,
    LSTMCell,
    OutputLayer,
    RNNCell,
    Stack,
    backward,
    forward,
)

RNG = np.random.default_rng(0)  # handed to the calls: whoever refuses must not have drawn from it
CELL, JORDAN = RNNCell.init(3, 4, rng=RNG), JordanCell.init(3, 4, 2, rng=RNG)
LSTM, GRU = LSTMCell.init(3, 4, rng=RNG), GRUCell.init(3, 4, rng=RNG)
STACK = Stack((LSTM, RNNCell.init(4, 2, rng=RNG)))
BOTH = Bidirectional(CELL, LSTM)
TWIN = replace(CELL)
OUT = OutputLayer.init(4, 5, rng=RNG)
XS, DHS, STATE = RNG.normal(size=(5, 2, 3)), RNG.normal(size=(5, 2, 4)), np.zeros((2, 4))
TEACHER = RNG.normal(size=(5, 2, 2))
TRACE, JORDAN_TRACE = forward(CELL, XS), forward(JORDAN, XS, teacher=TEACHER)
DTRACE, DCELL = backward(CELL, TRACE, DHS)
LOGITS, TARGETS = OUT.logits(TRACE.h), np.zeros((5, 2), int)
SHARED = [RNG, CELL, JORDAN, LSTM, GRU, STACK, BOTH, TWIN, OUT, XS, DHS, STATE, TEACHER, TRACE,
          JORDAN_TRACE, DTRACE, DCELL, LOGITS, TARGETS]


def holding(value, array=XS):
    """The array with one entry replaced."""
    array = array.copy()
    array.flat[3 % array.size] = value
    return array


SPOILT = DCELL.gradient(U=holding(np.nan, DCELL.U), W=DCELL.W, b=DCELL.b)

# What is no array of real numbers, whichever argument it is given for.
NOT_NUMBERS = {
    "strings": ([[["a", "b", "c"]]], TypeError),
    "one string": ("dogs", TypeError),
    "bytes": (b"dogs", TypeError),
    "None": (None, TypeError),
    "objects": (np.array([[[None, 1, 2]]]), TypeError),
    "a dict": ({"x": 1}, TypeError),
    "a generator": ((x for x in XS), TypeError),
    "complex": (XS + 1j, TypeError),
    "booleans": (XS > 0, TypeError),
    "half precision": (XS.astype(np.float16), TypeError),
    "extended precision": (XS.astype(np.longdouble), TypeError),
    "dates": (np.zeros((5, 2, 3), "datetime64[s]"), TypeError),
    "huge integers": ([[[10**30, 0, 0]]], TypeError),
    "masked": (np.ma.masked_array(XS, XS > 0), TypeError),
    "ragged": ([[[1, 2, 3]], [[1, 2]]], ValueError),
    "NaN": (holding(np.nan), ValueError),
    "infinity": (holding(np.inf), ValueError),
    "minus infinity": (holding(-np.inf), ValueError),
    "NaN in float32": (holding(np.nan).astype(np.float32), ValueError),
}
# What is no whole number from 1 up, no number above 0, ...
SIZES = {
    "0": (0, ValueError), "-1": (-1, ValueError), "2.5": (2.5, TypeError), "3.0": (3.0, TypeError),
    "'3'": ("3", TypeError), "None": (None, TypeError), "True": (True, TypeError),
    "an array": (np.array([3]), TypeError), "1j": (1j, TypeError), "NaN": (np.nan, TypeError),
}
NUMBERS = {
    "NaN": (np.nan, ValueError), "infinity": (np.inf, ValueError), "'0.1'": ("0.1", TypeError),
    "True": (True, TypeError), "1j": (1j, TypeError), "10**400": (10**400, ValueError),
    "an array": (XS, TypeError),
}
NOT_NEGATIVE = NUMBERS | {"-0.1": (-0.1, ValueError)}
POSITIVE = NOT_NEGATIVE | {"0": (0, ValueError)}
BELOW_ONE = NOT_NEGATIVE | {"1": (1, ValueError), "None": (None, TypeError)}
FLAGS = {"1": (1, TypeError), "'no'": ("no", TypeError), "None": (None, TypeError)}
SEEDS = {
    "None": (None, TypeError), "1.5": (1.5, TypeError), "'0'": ("0", TypeError),
    "True": (True, TypeError), "-1": (-1, ValueError), "np.random": (np.random, TypeError),
    "a RandomState": (np.random.RandomState(0), TypeError),
}
NAMES = {"cube": ("cube", ValueError), "Tanh": ("Tanh", ValueError), "''": ("", ValueError),
         "a function": (np.tanh, TypeError), "a list": (["tanh"], TypeError)}
# What are no lengths of two sequences of at most five steps.
LENGTHS = {
    "one": ([5], ValueError), "a number": (5, ValueError), "a matrix": ([[5, 5]], ValueError),
    "0": ([0, 5], ValueError), "-1": ([5, -1], ValueError), "6 of 5": ([5, 6], ValueError),
    "2**63": (np.array([2**63, 5], np.uint64), ValueError), "10**30": ([10**30, 5], TypeError),
    "floats": ([5.0, 3.0], TypeError), "NaN": ([5, np.nan], TypeError),
    "booleans": ([True, True], TypeError), "a string": ("53", TypeError),
    "strings": (["5", "3"], TypeError), "a None": ([5, None], TypeError),
    "ragged": ([5, [3]], ValueError), "none": ([], ValueError),
    "masked": (np.ma.masked_array([5, 3], [0, 1]), TypeError),
}


def family(calls, values):
    """Every call with every value: rows. calls: pairs (argument, a function of the value)."""
    return [
        (name, partial(call, value), kind, f"{source(call)} of {what}")
        for name, call in calls
        for what, (value, kind) in values.items()
    ]


def rows(calls):
    """The rows as cases of pytest, each with the words of its call; none stands there twice."""
    cases = {}
    for name, call, kind, *words in calls:
        id_ = f"{name}: {words[0] if words else source(call)}"
        assert id_ not in cases, f"two rows: {id_}"
        cases[id_] = pytest.param(name, call, kind, id=id_)
    return list(cases.values())


def source(function):
    """The words of a lambda's body, to name its case by."""
    places = [p for p in function.__code__.co_positions() if None not in p and p[3] > p[2]]
    (top, left), (bottom, right) = min((p[0], p[2]) for p in places), max(
        (p[1], p[3]) for p in places
    )
    lines = [linecache.getline(function.__code__.co_filename, k) for k in range(top, bottom + 1)]
    lines[-1] = lines[-1].encode()[:right].decode()     # the columns count bytes
    lines[0] = lines[0].encode()[left:].decode()
    return " ".join(" ".join(lines).split())


def refused(name, call, kind):
    """The call is refused by name, with what was expected and what came; nothing changes."""
    before = world()
    with pytest.raises(kind, match=rf"^{re.escape(name)}: expected .*, got ") as caught:
        call()
    assert type(caught.value) is kind
    words = str(caught.value)
    assert "\n" not in words and len(words) < 250
    assert world() == before


def world():
    """All that a call might change: what the calls share, and the state of the libraries."""
    _, drawn, *place = np.random.get_state()
    torch = sys.modules.get("torch")
    theirs = torch and torch.get_rng_state().numpy().tobytes()
    libraries = random.getstate(), drawn.tobytes(), place, theirs, np.geterr()
    return bits(SHARED, set()), libraries, np.get_printoptions()


def bits(thing, seen):
    """The thing to the last bit, as something that can be compared; each record but once."""
    if isinstance(thing, np.ndarray):
        return thing.shape, thing.dtype, thing.flags.writeable, thing.tobytes()
    if isinstance(thing, (tuple, list)):
        return [bits(value, seen) for value in thing]
    if isinstance(thing, dict):
        return {key: bits(value, seen) for key, value in thing.items()}
    if isinstance(thing, np.random.Generator):
        return thing.bit_generator.state
    if not is_dataclass(thing):
        return repr(thing)
    if id(thing) in seen:
        return id(thing)
    seen.add(id(thing))
    return [bits(getattr(thing, field.name), seen) for field in fields(thing)]
