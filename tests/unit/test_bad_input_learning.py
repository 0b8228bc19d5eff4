"""Malformed calls of what learns: losses, optimisers, clipping, regularisers, training, grading."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from bad_input import (
    BELOW_ONE,
    CELL,
    DCELL,
    DTRACE,
    FLAGS,
    JORDAN,
    JORDAN_TRACE,
    LOGITS,
    NOT_NEGATIVE,
    NOT_NUMBERS,
    OUT,
    POSITIVE,
    SHARED,
    SIZES,
    SPOILT,
    STACK,
    TARGETS,
    TRACE,
    TWIN,
    XS,
    family,
    refused,
    rows,
)

from rnnlib import (
    Bidirectional,
    RNNCell,
    clipping,
    exercises,
    forward,
    losses,
    optim,
    regularisers,
    results,
    train,
)

SGD, ADAM = optim.SGD(0.1), optim.Adam(0.1)
RULES = [optim.SGD, optim.Adagrad, optim.RMSprop, optim.Adadelta, optim.Adam]
PAIR, DPAIR = (CELL, OUT), (DCELL, OUT)
MANY = Bidirectional(CELL, CELL)
MASK = TARGETS == 0
STATES = {rule: rule(0.1).init(PAIR) for rule in RULES}
ROWS = results.load("elman_xor_summary")
SHARED += [PAIR, DPAIR, SPOILT, MANY, MASK, [[state.t, state.moments] for state in STATES.values()]]


def fit(params=CELL, returned=(1.0, DCELL), batches=(None,), **changes):
    arguments = {"optimizer": SGD, "steps": 2, "progress": False} | changes
    function = arguments.pop("loss_and_grads", lambda params, batch: returned)
    return train.fit(params, function, batches, arguments.pop("optimizer"), **arguments)


CALLS = family([
    ("logits", lambda v: losses.softmax_cross_entropy(v, TARGETS)),
    ("y_hat", lambda v: losses.mse(v, XS)),
    ("y", lambda v: losses.mse(XS, v)),
], NOT_NUMBERS)
CALLS += family([
    ("targets", lambda v: losses.softmax_cross_entropy(LOGITS, v)),
], {
    "a step less": (TARGETS[1:], ValueError), "batch first": (TARGETS.T, ValueError),
    "5 of 5 classes": (TARGETS + 5, ValueError), "-1": (TARGETS - 1, ValueError),
    "floats": (TARGETS + 0.0, TypeError), "booleans": (MASK, TypeError),
    "a string": ("dogs", TypeError), "None": (None, TypeError),
    "ragged": ([[0, 1], [0]], ValueError),
    "one-hot": (np.zeros((5, 2, 5), int), ValueError), "a number": (0, ValueError),
    "masked": (np.ma.masked_array(TARGETS, MASK), TypeError), "nothing": ([], ValueError),
})
CALLS += [
    ("logits", lambda: losses.softmax_cross_entropy(LOGITS[0], TARGETS[0]), ValueError),
    ("logits", lambda: losses.softmax_cross_entropy(LOGITS[:0], TARGETS[:0]), ValueError),
    ("y_hat", lambda: losses.mse([], []), ValueError),
    ("y", lambda: losses.mse(XS, XS[:1]), ValueError),
    ("y", lambda: losses.mse(XS, 0), ValueError),
    ("mask", lambda: losses.softmax_cross_entropy(LOGITS, TARGETS, MASK[1:]), ValueError),
    ("mask", lambda: losses.softmax_cross_entropy(LOGITS, TARGETS, MASK * 1), TypeError),
    ("mask", lambda: losses.softmax_cross_entropy(LOGITS, TARGETS, "all"), TypeError),
    ("mask", lambda: losses.softmax_cross_entropy(LOGITS, TARGETS, MASK[..., None]), ValueError),
    ("mask", lambda: losses.mse(XS, XS, MASK[:, :1]), ValueError),
    ("mask", lambda: losses.mse(XS, XS, MASK + 0.5), TypeError),
    ("mask", lambda: losses.mse(XS, XS, ~MASK), ValueError),
    ("mask", lambda: losses.mse(XS, XS, [[True], [True, False]]), ValueError),
]

# Optimisers: their settings, their state, and the gradients they are given.
for rule in RULES:
    def settings(rule, name, value):
        return rule(**{"lr": 0.1} | {name: value})

    names = ["lr", "eps"] if rule is not optim.SGD else ["lr"]
    some = [(name, partial(settings, rule, name)) for name in names]
    CALLS += [
        (name, partial(call, value), kind, f"{rule.__name__}({name}=...) of {what}")
        for name, call in some
        for what, (value, kind) in (POSITIVE | {"None": (None, TypeError)}).items()
    ]
    other = STATES[optim.SGD if rule is not optim.SGD else optim.Adam]
    state = STATES[rule]
    update = partial(rule(0.1).update, PAIR)
    CALLS += [
        (name, partial(update, *call), kind, f"{rule.__name__}.update, {what}")
        for what, name, kind, *call in [
            ("no state", "state", TypeError, DPAIR, None),
            ("a state as a tuple", "state", TypeError, DPAIR, tuple(state)),
            ("the state of one", "state", ValueError, DPAIR, rule(0.1).init(CELL)),
            ("that of a smaller cell", "state", ValueError, DPAIR,
             rule(0.1).init((RNNCell.init(2, 4), OUT))),
            ("no moments", "state", ValueError, DPAIR, optim.State(0, {})),
            ("moments of None", "state.moments", TypeError, DPAIR, optim.State(0, None)),
            ("a time of -1", "state.t", ValueError, DPAIR, optim.State(-1, state.moments)),
            ("a time of None", "state.t", TypeError, DPAIR, optim.State(None, state.moments)),
            ("no gradient", "grads", TypeError, None, state),
            ("a gradient of one", "grads", ValueError, DCELL, state),
            ("a gradient in one", "grads", ValueError, (DCELL,), state),
            ("the other order", "grads", ValueError, DPAIR[::-1], state),
            ("a gradient of None", "grads[1]", TypeError, (DCELL, None), state),
            ("a list of numbers", "grads[0]", TypeError, (1.0, 2.0), state),
            ("another size", "grads[0].U", ValueError, (RNNCell.init(2, 4), OUT), state),
            ("NaN", "grads[0].U", ValueError, (SPOILT, OUT), state),
            ("infinity", "grads[1].V", ValueError, (DCELL, OUT.gradient(V=OUT.V + np.inf)), state),
        ]
    ]
    if rule is not optim.SGD and rule is not optim.Adagrad:     # these have one moment, as SGD's
        CALLS.append(("state", partial(update, DPAIR, other), ValueError,
                      f"{rule.__name__}.update, the state of another rule"))
CALLS += family([
    ("momentum", lambda v: optim.SGD(0.1, momentum=v)),
    ("momentum", lambda v: optim.RMSprop(momentum=v)),
    ("alpha", lambda v: optim.RMSprop(alpha=v)),
    ("rho", lambda v: optim.Adadelta(rho=v)),
    ("betas[0]", lambda v: optim.Adam(betas=(v, 0.9))),
    ("betas[1]", lambda v: optim.Adam(betas=(0.9, v))),
], BELOW_ONE)
CALLS += family([
    ("lr_decay", lambda v: optim.Adagrad(lr_decay=v)),
    ("weight", lambda v: regularisers.l2(CELL, v)),
], NOT_NEGATIVE | {"None": (None, TypeError)})
CALLS += family([
    ("v", lambda v: optim.clip_by_value(DCELL, v)),
    ("v", lambda v: optim.clip_by_norm(DCELL, v)),
    ("v", lambda v: optim.clip_by_norm(DCELL, v, per="tensor")),
    ("clip", lambda v: fit(clip=v)),
], POSITIVE)
CALLS += [
    ("betas", lambda: optim.Adam(betas=0.9), TypeError),
    ("betas", lambda: optim.Adam(betas=[0.9, 0.999]), TypeError),
    ("betas", lambda: optim.Adam(betas=(0.9,)), ValueError),
    ("betas", lambda: optim.Adam(betas=(0.9, 0.9, 0.9)), ValueError),
    ("params", lambda: SGD.init("cell"), TypeError),
    ("params", lambda: SGD.init(()), ValueError),
    ("params[1]", lambda: SGD.init((CELL, None)), TypeError),
    ("params['out']", lambda: SGD.init({"cell": CELL, "out": 3}), TypeError),
    ("params", lambda: SGD.init(np.array([np.nan])), ValueError),
    ("params[0].U", lambda: ADAM.init([SPOILT]), ValueError),
    ("grads.cells[1].U", lambda: SGD.update(STACK, replace(STACK, cells=(
        STACK.cells[0], RNNCell.init(4, 3))), SGD.init(STACK)), ValueError),
    ("grads.ahead.U", lambda: SGD.update(MANY, Bidirectional(RNNCell.init(2, 4), RNNCell.init(
        2, 4)), SGD.init(MANY)), ValueError),
    ("grads", lambda: SGD.update(STACK, MANY, SGD.init(STACK)), ValueError),
]
for clip in (partial(optim.clip_by_value, v=1), partial(optim.clip_by_norm, v=1),
             partial(optim.clip_by_norm, v=1, per="tensor"), clipping.norm,
             partial(regularisers.add, more=DCELL)):
    words = getattr(clip, "func", clip).__name__ + "".join(getattr(clip, "keywords", {}))
    CALLS += [(name, partial(clip, grads), kind, f"{words} of {what}")
              for what, name, kind, grads in [
                  ("None", "grads", TypeError, None), ("a string", "grads", TypeError, "W"),
                  ("nothing", "grads", ValueError, ()), ("an empty dict", "grads", ValueError, {}),
                  ("a number", "grads", TypeError, np.float64(3)),
                  ("a number beside", "grads[1]", TypeError, (DCELL, 3.0)),
                  ("booleans", "grads['W']", TypeError, {"W": XS > 0}),
                  ("complex", "grads['W']", TypeError, {"W": XS + 1j}),
                  ("NaN", "grads.U", ValueError, SPOILT),
                  ("NaN within", "grads[1][0].U", ValueError, [DCELL, (SPOILT,)])]]
CALLS += family([("biases", lambda v: regularisers.l2(CELL, 1, biases=v))], FLAGS)
CALLS += [
    ("per", lambda: optim.clip_by_norm(DCELL, 1, per="array"), ValueError),
    ("per", lambda: optim.clip_by_norm(DCELL, 1, per=None), TypeError),
    ("params", lambda: regularisers.l2("cell", 1), TypeError),
    ("params", lambda: regularisers.l2({}, 1), ValueError),
    ("params", lambda: regularisers.l2(np.full((2, 2), 1e200), 1), ValueError),
    ("params.U", lambda: regularisers.l2(SPOILT, 1), ValueError),
    ("more", lambda: regularisers.add(DCELL, OUT), ValueError),
    ("more", lambda: regularisers.add(DCELL, (DCELL,)), ValueError),
    ("more", lambda: regularisers.add(DCELL, None), TypeError),
    ("more.U", lambda: regularisers.add(DCELL, RNNCell.init(2, 4)), ValueError),
    ("more.U", lambda: regularisers.add(DCELL, SPOILT), ValueError),
    ("grads", lambda: regularisers.add(np.full(2, 1e308), np.full(2, 1e308)), ValueError),
    ("cell", lambda: regularisers.omega(JORDAN, JORDAN_TRACE, DTRACE), TypeError),
    ("cell", lambda: regularisers.omega(None, TRACE, DTRACE), TypeError),
    ("trace", lambda: regularisers.omega(TWIN, TRACE, DTRACE), ValueError),
    ("trace", lambda: regularisers.omega(CELL, JORDAN_TRACE, DTRACE), TypeError),
    ("trace", lambda: regularisers.omega(CELL, DTRACE, TRACE), ValueError),
    ("dtrace", lambda: regularisers.omega(CELL, TRACE, TRACE), ValueError),
    ("dtrace", lambda: regularisers.omega(CELL, TRACE, DCELL), TypeError),
    ("dtrace", lambda: regularisers.omega(CELL, TRACE, DTRACE.h), TypeError),
    ("dtrace.h", lambda: regularisers.omega(CELL, forward(CELL, XS[1:]), DTRACE), ValueError),
    ("dtrace.h", lambda: regularisers.omega(CELL, TRACE, replace(DTRACE, h=DTRACE.h * np.nan)),
     ValueError),
]
CALLS += family([("steps", lambda v: fit(steps=v))], SIZES)
CALLS += family([("progress", lambda v: fit(progress=v))], FLAGS)
CALLS += [  # training
    ("params", lambda: fit(params="cell"), TypeError),
    ("params[1].U", lambda: fit(params=(CELL, SPOILT)), ValueError),
    ("optimizer", lambda: fit(optimizer="adam"), TypeError),
    ("optimizer", lambda: fit(optimizer=optim.SGD), TypeError),
    ("batches", lambda: fit(batches=[]), ValueError),
    ("batches", lambda: fit(batches=3), TypeError),
    ("batches", lambda: fit(batches=(None for _ in range(1))), ValueError),
    ("loss_and_grads", lambda: fit(loss_and_grads=None), TypeError),
    ("loss_and_grads", lambda: fit(returned=None), TypeError),
    ("loss_and_grads", lambda: fit(returned=(1.0,)), ValueError),
    ("loss_and_grads", lambda: fit(returned=(1.0, DCELL, TRACE)), ValueError),
    ("loss", lambda: fit(returned=("low", DCELL)), TypeError),
    ("loss", lambda: fit(returned=(np.nan, DCELL)), ValueError),
    ("loss", lambda: fit(returned=(np.ones(2), DCELL)), TypeError),
    ("grads", lambda: fit(returned=(1.0, OUT)), ValueError),
    ("grads.U", lambda: fit(returned=(1.0, SPOILT)), ValueError),
    ("record_every", lambda: fit(record_every=-1), ValueError),
    ("record_every", lambda: fit(record_every=0.5), TypeError),
    ("record", lambda: fit(record=lambda p: p), ValueError),
    ("record", lambda: fit(record="h", record_every=1), TypeError),
    ("record_at", lambda: fit(record_at=(0, 3)), ValueError),
    ("record_at", lambda: fit(record_at=[-1]), ValueError),
    ("record_at", lambda: fit(record_at=[0.5]), TypeError),
    ("record_at", lambda: fit(record_at=[True]), TypeError),
    ("record_at", lambda: fit(record_at="01"), TypeError),
    ("record_at", lambda: fit(record_at=1), TypeError),
    ("record_at", lambda: fit(record_at=(0, 1), record_every=1), ValueError),
]
CALLS += family([
    ("name", lambda v: results.load(v)),
    ("name", lambda v: exercises.grade(v, len)),
], {"9.9": ("9.9", ValueError), "''": ("", ValueError), "None": (None, TypeError),
    "1.1": (1.1, TypeError), "a list": (["1.1"], TypeError)})
CALLS += [
    ("answer", lambda: exercises.grade("1.1", 9), TypeError),
    ("answer", lambda: exercises.grade("1.1", "H * D"), TypeError),
    ("wanted", lambda: results.find(ROWS, nothing=1), ValueError),
]


@pytest.mark.parametrize(("name", "call", "kind"), rows(CALLS))
def test_a_malformed_call_is_refused_by_name_and_changes_nothing(name, call, kind):
    refused(name, call, kind)
