"""Malformed calls of forward, backward, and of what looks at a trace: bptt, OutputLayer."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from bad_input import (
    BOTH,
    CELL,
    DCELL,
    DHS,
    DTRACE,
    GRU,
    JORDAN,
    JORDAN_TRACE,
    LENGTHS,
    LOGITS,
    LSTM,
    NOT_NUMBERS,
    OUT,
    SHARED,
    SIZES,
    STACK,
    STATE,
    TEACHER,
    TRACE,
    TWIN,
    XS,
    family,
    holding,
    refused,
    rows,
    source,
    world,
)

from rnnlib import (
    LeakyRNNCell,
    LSTM1997Cell,
    PaperGRUCell,
    PeepholeLSTMCell,
    RNNCell,
    Stack,
    backward,
    bptt,
    forward,
)
from rnnlib.skip import SkipRNNCell

PAIR = np.zeros((2, 2, 4))  # h and c of an LSTM
LEAKY, PEEPHOLE = LeakyRNNCell.init(3, 4), PeepholeLSTMCell.init(3, 4)
OLD, PAPER = LSTM1997Cell.init(3, 4), PaperGRUCell(GRU.U, GRU.W, GRU.b)
DEEP, SKIP = Stack((BOTH, RNNCell.init(8, 4))), SkipRNNCell.init(3, 4, skip=3)
LSTM_TRACE, GRU_TRACE = forward(LSTM, XS), forward(GRU, XS)
STACK_TRACE, BOTH_TRACE = forward(STACK, XS), forward(BOTH, XS)
DEEP_TRACE, CUT = forward(DEEP, XS), forward(CELL, XS, lengths=[5, 3])
SINGLE = forward(CELL, XS.astype(np.float32))
DSTACK, DBOTH = DHS[..., :2].copy(), np.concatenate([DHS, DHS], axis=-1)
NETWORKS = [CELL, LEAKY, SKIP, LSTM, PEEPHOLE, OLD, GRU, PAPER, JORDAN, STACK, BOTH, DEEP]
NAME = {cell: type(cell).__name__ for cell in NETWORKS} | {DEEP: "Stack of both ways"}
SHARED += [LEAKY, PEEPHOLE, OLD, PAPER, DEEP, SKIP, PAIR, LSTM_TRACE, GRU_TRACE, STACK_TRACE,
           BOTH_TRACE, DEEP_TRACE, CUT, SINGLE, DSTACK, DBOTH]

# Every network: inputs, lengths, and the state where it is one array.
CALLS = []
for network in NETWORKS:
    run = partial(forward, network)
    wrong = {
        "xs": {
            "a step": (XS[0], ValueError), "an axis more": (XS[None], ValueError),
            "another width": (XS[..., :2], ValueError), "no steps": (XS[:0], ValueError),
            "no sequences": (XS[:, :0], ValueError), "NaN": (holding(np.nan), ValueError),
            "NaN in float32": (holding(np.nan).astype(np.float32), ValueError),
            "None": (None, TypeError),
        },
        "lengths": LENGTHS,
    }
    if network.feeds_back_output:
        wrong["teacher"] = {
            "a step less": (TEACHER[1:], ValueError), "another width": (DHS, ValueError),
            "a batch less": (TEACHER[:, :1], ValueError), "a string": ("yes", TypeError),
            "NaN": (holding(np.nan, TEACHER), ValueError), "True": (True, TypeError),
        }
    else:
        wrong["teacher"] = {"a teacher": (TEACHER, TypeError), "False": (False, TypeError)}
    if network in (STACK, BOTH, DEEP):
        state = (None,) * len(network.cells)
        wrong["state"] = {
            "an array": (STATE, TypeError), "a string": ("zeros", TypeError),
            "a dict": (dict(enumerate(state)), TypeError), "one less": (state[1:], ValueError),
            "one more": ((*state, None), ValueError), "none": ((), ValueError),
            "a trace": (TRACE, TypeError),
        }
    else:
        shape = np.shape(run(XS).state)
        zeros = np.zeros(shape)
        wrong["state"] = {
            "one sequence": (zeros[..., :1, :], ValueError), "an axis less": (zeros[0], ValueError),
            "another width": (zeros[..., 1:], ValueError),
            "an axis more": (zeros[None], ValueError),
            "NaN": (holding(np.nan, zeros), ValueError), "booleans": (zeros > 0, TypeError),
            "a string": ("zeros", TypeError), "a number": (0.0, ValueError),
            "a pair with None": ((STATE, None), ValueError), "a trace": (TRACE, TypeError),
        }
        other = STATE if len(shape) == 3 else PAIR
        wrong["state"]["that of another cell"] = other, ValueError
    for name, values in wrong.items():
        call = partial(lambda run, name, value: run(**{"xs": XS} | {name: value}), run, name)
        CALLS += [
            (name, partial(call, value), kind, f"forward, {NAME[network]}, {what}")
            for what, (value, kind) in values.items()
        ]
CALLS += family([
    ("xs", lambda v: forward(CELL, v)),
    ("dhs", lambda v: backward(CELL, TRACE, v)),
    ("hs", lambda v: OUT.logits(v)),
    ("dlogits", lambda v: OUT.backward(TRACE.h, v)),
    ("dhs", lambda v: bptt.truncated(CELL, TRACE, v, window=2)),
    ("dhs", lambda v: bptt.checkpointed(CELL, XS, v)),
    ("dhs", lambda v: bptt.checkpointed(CELL, XS, lambda t, hs: v)),
], NOT_NUMBERS)
CALLS += family([
    ("teacher", lambda v: forward(JORDAN, XS, teacher=v)),
    ("state", lambda v: forward(CELL, XS, v)),
    ("dlast", lambda v: backward(CELL, TRACE, DHS, dlast=v)),
], {what: given for what, given in NOT_NUMBERS.items() if what != "None"})
CALLS += family([
    ("state", lambda v: forward(LSTM, XS, v)),
    ("dlast", lambda v: backward(LSTM, LSTM_TRACE, DHS, dlast=v)),
    ("state", lambda v: bptt.checkpointed(LSTM, XS, DHS, v)),
    ("state[0]", lambda v: forward(STACK, XS, (v, None))),
    ("state[1]", lambda v: forward(BOTH, XS, (None, v))),
    ("state[0][1]", lambda v: forward(DEEP, XS, ((None, v), None))),
    ("dlast[0]", lambda v: backward(STACK, STACK_TRACE, DSTACK, dlast=[v, None])),
    ("dlast[1]", lambda v: backward(BOTH, BOTH_TRACE, DBOTH, dlast=(None, v))),
    ("dlast[0][1]", lambda v: backward(DEEP, DEEP_TRACE, DHS, dlast=((None, v), None))),
], {
    "h alone": (STATE, ValueError), "two of h": ((STATE[:1], STATE[:1]), ValueError),
    "NaN": (holding(np.nan, PAIR), ValueError), "a string": ("h, c", TypeError),
    "three": (np.zeros((3, 2, 4)), ValueError), "ragged": ((STATE, STATE[0]), ValueError),
    "complex": (PAIR + 1j, TypeError), "infinity": (holding(np.inf, PAIR), ValueError),
})
CALLS += [
    ("xs", lambda: forward(CELL, 1.0), ValueError),
    ("xs", lambda: forward(CELL, []), ValueError),
    ("xs", lambda: forward(CELL, holding(np.nan)[::-1], lengths=[3, 2]), ValueError),
    ("xs", lambda: forward(STACK, holding(np.inf)[::-1], lengths=[3, 2]), ValueError),
    ("xs", lambda: forward(CELL, XS.astype(">f2")), TypeError),
    ("state", lambda: forward(CELL, XS.astype(np.float32), STATE + 1e300), ValueError),
    ("state", lambda: forward(CELL, XS, STATE.T), ValueError),
    ("state", lambda: forward(STACK, XS, LSTM_TRACE.last), TypeError),
    ("state[0]", lambda: forward(STACK, XS, STACK_TRACE.last[::-1]), ValueError),
    ("state[1]", lambda: forward(STACK, XS, (None, STATE)), ValueError),
    ("state[0]", lambda: forward(DEEP, XS, (PAIR, None)), TypeError),
    ("state[0]", lambda: forward(DEEP, XS, ((None,), None)), ValueError),
    ("teacher", lambda: forward(JORDAN, XS, lengths=[5, 3], teacher=TEACHER), ValueError),
]
STRANGERS = {  # no cells
    "None": (None, TypeError), "a string": ("cell", TypeError), "the class": (RNNCell, TypeError),
    "an output layer": (OUT, TypeError), "a trace": (TRACE, TypeError),
    "a list": ([CELL], TypeError),
}
CALLS += family([
    ("cell", lambda v: forward(v, XS)),
    ("cell", lambda v: backward(v, TRACE, DHS)),
    ("cell", lambda v: bptt.checkpointed(v, XS, DHS)),
    ("cell", lambda v: bptt.truncated(v, TRACE, DHS, window=2)),
], STRANGERS)
CALLS += family([  # traces of other cells, and what is no trace
    ("trace", lambda v: backward(CELL, v, DHS)),
    ("trace", lambda v: bptt.truncated(CELL, v, DHS, window=2)),
    ("trace", lambda v: backward(STACK, v, DHS)),
    ("trace", lambda v: backward(BOTH, v, DHS)),
    ("trace", lambda v: bptt.truncated(STACK, v, DHS, window=2)),
], {
    "None": (None, TypeError), "an array": (TRACE.h, TypeError), "a tuple": ((TRACE,), TypeError),
    "a Jordan trace": (JORDAN_TRACE, ValueError), "the cell": (CELL, ValueError),
    "dtrace": (DTRACE, ValueError), "dcell": (DCELL, ValueError),
    "a twin's": (forward(TWIN, XS), ValueError), "a class": (type(TRACE), TypeError),
    "another stack's": (forward(replace(STACK), XS), ValueError),
    "another pair's": (forward(replace(BOTH), XS), ValueError),
})
CALLS += [
    ("trace", lambda: backward(TWIN, TRACE, DHS), ValueError),
    ("trace", lambda: backward(JORDAN, TRACE, DHS), ValueError),
    ("trace", lambda: backward(LSTM, STACK_TRACE, DHS), ValueError),
    ("trace", lambda: backward(STACK, STACK_TRACE.layers[1], DSTACK), ValueError),
    ("trace", lambda: bptt.truncated(CELL, CUT, DHS, window=2), ValueError),
]
for cell, trace, good in [
    (CELL, TRACE, DHS), (LSTM, LSTM_TRACE, DHS), (GRU, GRU_TRACE, DHS), (CELL, CUT, DHS),
    (JORDAN, JORDAN_TRACE, TEACHER), (STACK, STACK_TRACE, DSTACK), (BOTH, BOTH_TRACE, DBOTH),
    (DEEP, DEEP_TRACE, DHS),
]:
    ways = {"backward": backward}
    if cell.causal and trace is not CUT:
        ways["truncated"] = partial(bptt.truncated, window=2)
        ways["checkpointed"] = lambda cell, trace, dhs: bptt.checkpointed(cell, trace.x, dhs)
    CALLS += [
        ("dhs", partial(way, cell, trace, value), ValueError,
         f"{words}, {NAME[cell]}{' cut' * (trace is CUT)}, {what}")
        for words, way in ways.items()
        for what, value in {
            "a step less": good[1:], "a sequence less": good[:, :1], "the last alone": good[-1],
            "another width": np.concatenate([good, good], axis=-1), "a number": 1.0,
            "NaN": holding(np.nan, good),
        }.items()
    ]
CALLS += [
    ("dhs", lambda: backward(JORDAN, JORDAN_TRACE, DHS), ValueError),
    ("dhs", lambda: backward(CELL, SINGLE, DHS * 1e300), ValueError),
    ("dlast", lambda: backward(CELL, TRACE, DHS, dlast=PAIR), ValueError),
    ("dlast", lambda: backward(CELL, TRACE, DHS, dlast=STATE[:1]), ValueError),
    ("dlast", lambda: backward(CELL, SINGLE, DHS, dlast=STATE + 1e300), ValueError),
    ("dlast", lambda: backward(CELL, CUT, DHS, dlast=STATE * np.nan), ValueError),
    ("dlast", lambda: backward(JORDAN, JORDAN_TRACE, TEACHER, dlast=STATE), ValueError),
    ("dlast", lambda: backward(STACK, STACK_TRACE, DSTACK, dlast=PAIR), TypeError),
    ("dlast", lambda: backward(STACK, STACK_TRACE, DSTACK, dlast=(PAIR,)), ValueError),
    ("dlast", lambda: backward(BOTH, BOTH_TRACE, DBOTH, dlast=0), TypeError),
    ("dlast[1]", lambda: backward(STACK, STACK_TRACE, DSTACK, dlast=(PAIR, STATE)), ValueError),
]
CALLS += family([
    ("window", lambda v: bptt.truncated(CELL, TRACE, DHS, window=v)),
    ("stride", lambda v: bptt.truncated(CELL, TRACE, DHS, window=3, stride=v)),
], SIZES)
CALLS += family([
    ("budget", lambda v: bptt.checkpointed(CELL, XS, DHS, budget=v)),
    ("budget", lambda v: bptt.checkpointed(STACK, XS, DSTACK, budget=v)),
], {what: given for what, given in SIZES.items() if what != "None"} | {"9": (9, ValueError)})
CALLS += [
    ("window", lambda: bptt.truncated(CELL, TRACE, DHS, window=2, stride=3), ValueError),
    ("cell", lambda: bptt.truncated(BOTH, BOTH_TRACE, DBOTH, window=2), ValueError),
    ("cell", lambda: bptt.truncated(DEEP, DEEP_TRACE, DHS, window=2), ValueError),
    ("cell", lambda: bptt.checkpointed(BOTH, XS, DBOTH), ValueError),
    ("cell", lambda: bptt.checkpointed(DEEP, XS, DHS), ValueError),
    ("xs", lambda: bptt.checkpointed(CELL, XS[0], DHS), ValueError),
    ("xs", lambda: bptt.checkpointed(CELL, holding(np.nan), DHS), ValueError),
    ("xs", lambda: bptt.checkpointed(STACK, DHS, DSTACK), ValueError),
    ("state", lambda: bptt.checkpointed(CELL, XS, DHS, STATE[:1]), ValueError),
    ("state", lambda: bptt.checkpointed(STACK, XS, DSTACK, STATE), TypeError),
    ("state[1]", lambda: bptt.checkpointed(STACK, XS, DSTACK, (None, STATE)), ValueError),
    ("dhs", lambda: bptt.checkpointed(CELL, XS, lambda t, hs: None), TypeError),
    ("dhs", lambda: bptt.checkpointed(CELL, XS, lambda t, hs: DHS[1:]), ValueError),
    ("dhs", lambda: bptt.checkpointed(JORDAN, XS, lambda t, ys: DHS), ValueError),
    ("hs", lambda: OUT.logits(XS), ValueError),
    ("hs", lambda: OUT.logits(DHS[0]), ValueError),
    ("hs", lambda: OUT.backward(DHS[:0], LOGITS[:0]), ValueError),
    ("dlogits", lambda: OUT.backward(DHS, LOGITS[1:]), ValueError),
    ("dlogits", lambda: OUT.backward(DHS, DHS), ValueError),
]


@pytest.mark.parametrize(("name", "call", "kind"), rows(CALLS))
def test_a_malformed_pass_is_refused_by_name_and_changes_nothing(name, call, kind):
    refused(name, call, kind)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: forward(CELL, np.zeros((5, 3))), "xs: expected shape (T, B, 3), got (5, 3)"),
    (lambda: forward(CELL, np.zeros((0, 2, 3))),
     "xs: expected shape (T, B, 3), no size zero, got (0, 2, 3)"),
    (lambda: forward(LSTM, XS, STATE), "state: expected shape (2, 2, 4), got (2, 4)"),
    (lambda: forward(DEEP, XS, ((None, STATE), None)),
     "state[0][1]: expected shape (2, 2, 4), got (2, 4)"),
    (lambda: forward(STACK, XS, STATE),
     "state: expected a tuple of 2 states, one a cell, got ndarray"),
    (lambda: forward(CELL, XS, lengths=[0, 6]), "lengths: expected lengths 1 to 5, got 0 to 6"),
    (lambda: forward(CELL, XS, lengths=[5.0, 3.0]), "lengths: expected integers, got float64"),
], ids=lambda given: source(given) if callable(given) else "")
def test_the_words_of_a_refusal(call, words):
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    assert str(caught.value) == words


def test_the_check_itself_sees_what_changes():
    state = np.zeros(3)
    SHARED.append(state)
    before = world()
    for change in (lambda: state.fill(1), lambda: state.setflags(write=False),
                   lambda: np.random.random(), lambda: SHARED[0].random()):
        change()
        assert world() != before
        before = world()
    assert SHARED.pop() is state
