"""Malformed cells: sizes, parameters, starts, and what is put together from cells."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from bad_input import (
    BELOW_ONE,
    BOTH,
    CELL,
    FLAGS,
    GRU,
    JORDAN,
    LSTM,
    NAMES,
    NOT_NUMBERS,
    NUMBERS,
    OUT,
    POSITIVE,
    RNG,
    SEEDS,
    SHARED,
    SIZES,
    STACK,
    XS,
    family,
    holding,
    refused,
    rows,
)

from rnnlib import (
    Bidirectional,
    GRUCell,
    JordanCell,
    LeakyRNNCell,
    LSTM1997Cell,
    LSTMCell,
    OutputLayer,
    PeepholeLSTMCell,
    RNNCell,
    Stack,
)
from rnnlib.skip import SkipRNNCell

LEAKY, PEEPHOLE = LeakyRNNCell.init(3, 4, rng=RNG), PeepholeLSTMCell.init(3, 4, rng=RNG)
OLD, PAPER = LSTM1997Cell.init(3, 4, rng=RNG), GRUCell.init(3, 4, reset_after=False, rng=RNG)
HIGH, SKIP = RNNCell.init(4, 4, rng=RNG), SkipRNNCell.init(3, 4, skip=3, rng=RNG)
RECORDS = [CELL, LEAKY, SKIP, LSTM, PEEPHOLE, OLD, GRU, PAPER, JORDAN, OUT]
SHARED += [LEAKY, PEEPHOLE, OLD, PAPER, HIGH, SKIP]
STARTED = [
    RNNCell, LeakyRNNCell, SkipRNNCell, LSTMCell, PeepholeLSTMCell, LSTM1997Cell, GRUCell
]
CALLS = []


def labelled(kind, calls):
    """Rows of a family, for the class or record that their words call `kind`."""
    return [(name, call, error, f"{kind.__name__}, {words}") for name, call, error, words in calls]


for kind in STARTED:
    make = partial(kind.init, rng=RNG)
    CALLS += labelled(kind, [
        *family([("input_size", lambda n, make=make: make(n, 4)),
                 ("hidden_size", lambda n, make=make: make(3, n))], SIZES),
        *family([("rng", lambda seed, kind=kind: kind.init(3, 4, rng=seed))], SEEDS),
        *family([("start", lambda start, make=make: make(3, 4, start=start))], NAMES),
        *family([("gain", lambda gain, make=make: make(3, 4, gain=gain))], POSITIVE),
    ])
CALLS += family([
    ("input_size", lambda n: JordanCell.init(n, 4, 2, rng=RNG)),
    ("hidden_size", lambda n: JordanCell.init(3, n, 2, rng=RNG)),
    ("output_size", lambda n: JordanCell.init(3, 4, n, rng=RNG)),
    ("hidden_size", lambda n: OutputLayer.init(n, 5, rng=RNG)),
    ("output_size", lambda n: OutputLayer.init(4, n, rng=RNG)),
], SIZES)
CALLS += family([
    ("rng", lambda seed: JordanCell.init(3, 4, 2, rng=seed)),
    ("rng", lambda seed: OutputLayer.init(4, 5, rng=seed)),
], SEEDS)
CALLS += family([
    ("activation", lambda name: RNNCell.init(3, 4, activation=name, rng=RNG)),
    ("activation", lambda name: LeakyRNNCell.init(3, 4, activation=name, rng=RNG)),
    ("activation", lambda name: SkipRNNCell.init(3, 4, activation=name, rng=RNG)),
    ("activation", lambda name: JordanCell.init(3, 4, 2, activation=name, rng=RNG)),
    ("out_activation", lambda name: JordanCell.init(3, 4, 2, out_activation=name, rng=RNG)),
    ("activation", lambda name: replace(CELL, activation=name)),
    ("activation", lambda name: replace(LEAKY, activation=name)),
    ("activation", lambda name: replace(SKIP, activation=name)),
    ("activation", lambda name: replace(JORDAN, activation=name)),
    ("out_activation", lambda name: replace(JORDAN, out_activation=name)),
], NAMES | {"None": (None, TypeError)})
CALLS += family([("reset_after", lambda v: GRUCell.init(3, 4, reset_after=v, rng=RNG))], FLAGS)
CALLS += family([
    ("forget_bias", lambda v: LSTMCell.init(3, 4, forget_bias=v, rng=RNG)),
    ("forget_bias", lambda v: PeepholeLSTMCell.init(3, 4, forget_bias=v, rng=RNG)),
    ("forget_bias", lambda v: LSTM1997Cell.init(3, 4, forget_bias=v, rng=RNG)),
], NUMBERS)
CALLS += family([
    ("alpha", lambda v: LeakyRNNCell.init(3, 4, alpha=v, rng=RNG)),
    ("alpha", lambda v: replace(LEAKY, alpha=v)),
], BELOW_ONE | {
    "an array": (XS, ValueError), "three": ((0.1, 0.2, 0.3), ValueError), "none": ([], ValueError),
    "0-d": (np.array(0.5), TypeError), "a set": ({0.5}, TypeError), "-inf": (-np.inf, ValueError),
})
CALLS += family([
    ("alpha[1]", lambda v: LeakyRNNCell.init(3, 4, alpha=[0.5, v, 0.5, 0.5], rng=RNG)),
    ("alpha[1]", lambda v: replace(LEAKY, alpha=(0.5, v, 0.5, 0.5))),
], BELOW_ONE)
CALLS += family([
    ("skip", lambda v: SkipRNNCell.init(3, 4, skip=v, rng=RNG)),
    ("skip", lambda v: replace(SKIP, skip=v)),
], SIZES | {"1": (1, ValueError)})
CALLS += [
    ("alpha[0]", lambda: replace(LEAKY, alpha=np.full((4, 1), 0.5)), TypeError),
    ("alpha[3]", lambda: replace(LEAKY, alpha=np.array([0, 0, 0, 1.0])), ValueError),
    ("alpha[0]", lambda: replace(LEAKY, alpha=np.array([True] * 4)), TypeError),
    ("activation", lambda: replace(CELL, activation="sigmoid"), ValueError),
    ("activation", lambda: replace(JORDAN, activation="softmax"), ValueError),
    ("out_activation", lambda: replace(JORDAN, out_activation="relu"), ValueError),
]

# Every parameter of every cell.
for one in RECORDS:
    for name, shape in one.SHAPES.items():
        p = getattr(one, name)
        put = partial(lambda one, name, value: replace(one, **{name: value}), one, name)
        wrong = {
            "NaN": (holding(np.nan, p), ValueError), "infinity": (holding(np.inf, p), ValueError),
            "complex": (p + 1j, TypeError), "booleans": (p > 0, TypeError),
            "half precision": (p.astype(np.float16), TypeError), "None": (None, TypeError),
            "a string": ("random", TypeError), "an axis more": (p[None], ValueError),
            "a number": (0.0, ValueError), "nothing": (p[:0], ValueError),
        }
        if name not in ("U", "V") or shape[0][0].isdigit():     # which else tell the sizes
            wrong["a row less"] = p[:-1], ValueError
        CALLS += [
            (name, partial(put, value), kind, f"{type(one).__name__} with {what}")
            for what, (value, kind) in wrong.items()
        ]
CALLS += family([
    ("U", lambda v: RNNCell(v, CELL.W, CELL.b)),
    ("W", lambda v: replace(CELL, W=v)),
    ("b", lambda v: replace(LSTM, b=v)),
    ("V", lambda v: replace(OUT, V=v)),
], NOT_NUMBERS)
CALLS += [
    ("U", lambda: replace(CELL, U=CELL.b), ValueError),
    ("U", lambda: RNNCell(np.zeros((4, 0)), CELL.W, CELL.b), ValueError),
    ("W", lambda: replace(CELL, W=CELL.W[:, :3]), ValueError),
    ("W", lambda: replace(LSTM, W=LSTM.W[:, :3]), ValueError),
    ("W", lambda: replace(GRU, W=LSTM.W), ValueError),
    ("b", lambda: replace(CELL, b=CELL.b[:1]), ValueError),
    ("b", lambda: replace(CELL, b=CELL.b[:, None]), ValueError),
    ("b", lambda: replace(LSTM, b=LSTM.b[:4]), ValueError),
    ("b_n", lambda: replace(GRU, b_n=GRU.b), ValueError),
    ("p_o", lambda: replace(PEEPHOLE, p_o=PEEPHOLE.b), ValueError),
    ("V", lambda: replace(JORDAN, V=JORDAN.V[:, :3]), ValueError),
    ("V", lambda: replace(JORDAN, V=JORDAN.V[:1]), ValueError),
    ("c_out", lambda: replace(OUT, c_out=OUT.c_out[1:]), ValueError),
]
CALLS += family([
    ("dtype", lambda dtype: CELL.astype(dtype)),
    ("dtype", lambda dtype: OUT.astype(dtype)),
    ("dtype", lambda dtype: STACK.astype(dtype)),
    ("dtype", lambda dtype: BOTH.astype(dtype)),
], {
    "int": (int, ValueError), "float16": (np.float16, ValueError), "complex": (complex, ValueError),
    "'floaty'": ("floaty", TypeError), "8": (8, TypeError), "bool": (bool, ValueError),
})
CALLS += family([
    ("cells[0]", lambda v: Stack((v,))),
    ("cells[1]", lambda v: Stack([CELL, v, HIGH])),
    ("ahead", lambda v: Bidirectional(v, CELL)),
    ("back", lambda v: Bidirectional(CELL, v)),
], {
    "None": (None, TypeError), "a string": ("LSTM", TypeError), "the class": (RNNCell, TypeError),
    "an output layer": (OUT, TypeError), "an array": (XS, TypeError), "a list": ([HIGH], TypeError),
    "a Jordan cell": (JordanCell.init(4, 4, 4), TypeError),
})
CALLS += [  # what is put together from cells: the path of the one at fault
    ("cells", lambda: Stack(()), ValueError),
    ("cells", lambda: Stack(CELL), TypeError),
    ("cells", lambda: Stack(None), TypeError),
    ("cells", lambda: Stack("cells"), TypeError),
    ("cells", lambda: Stack({"low": CELL}), TypeError),
    ("cells", lambda: Stack(cell for cell in (CELL, HIGH)), TypeError),
    ("cells", lambda: Stack(np.array([CELL, HIGH])), TypeError),
    ("cells[1]", lambda: Stack((CELL, CELL)), ValueError),
    ("cells[2]", lambda: Stack((CELL, HIGH, LSTM)), ValueError),
    ("cells[1]", lambda: Stack((BOTH, HIGH)), ValueError),
    ("cells[1]", lambda: Stack((STACK, HIGH)), ValueError),
    ("cells[1]", lambda: replace(STACK, cells=STACK.cells[::-1]), ValueError),
    ("cells", lambda: replace(STACK, cells=[]), ValueError),
    ("back", lambda: Bidirectional(CELL, HIGH), ValueError),
    ("back", lambda: Bidirectional(STACK, HIGH), ValueError),
    ("back", lambda: replace(BOTH, ahead=HIGH), ValueError),
]


@pytest.mark.parametrize(("name", "call", "kind"), rows(CALLS))
def test_a_malformed_cell_is_refused_by_name_and_changes_nothing(name, call, kind):
    refused(name, call, kind)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: replace(CELL, W=np.zeros((4, 3))), "W: expected shape (4, 4), got (4, 3)"),
    (lambda: replace(CELL, b=np.zeros((4, 1))), "b: expected shape (4,), got (4, 1)"),
    (lambda: replace(LSTM, U=np.zeros((15, 3))),
     "U: expected shape (4H, D), 4 rows for each unit, got (15, 3)"),
    (lambda: Stack((CELL, CELL)),
     "cells[1]: expected input size 4, the width of the layer below, got 3"),
    (lambda: Bidirectional(CELL, HIGH), "back: expected input size 3, that of ahead, got 4"),
    (lambda: LeakyRNNCell.init(3, 4, alpha=1),
     "alpha: expected a finite number >= 0 and < 1, got 1"),
    (lambda: RNNCell.init(3, True), "hidden_size: expected a whole number, got True"),
], ids=["W", "b", "U", "Stack", "Bidirectional", "alpha", "hidden_size"])
def test_the_words_of_a_refusal(call, words):
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    assert str(caught.value) == words
