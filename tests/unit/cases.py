"""Random networks with what goes into them, for the tests that hold for every network."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from references import LOOPS, NUMPY

from rnnlib import (
    Bidirectional,
    GRUCell,
    JordanCell,
    LeakyRNNCell,
    LSTM1997Cell,
    LSTMCell,
    PeepholeLSTMCell,
    RNNCell,
    Stack,
    forward,
)
from rnnlib.skip import SkipRNNCell

sizes = st.integers(1, 4)
seeds = st.integers(0, 2**32 - 1)
activations = st.sampled_from(["tanh", "relu", "identity"])
outs = st.sampled_from(["identity", "tanh", "sigmoid", "softmax"])
FIELD = {"xs": "x"}  # the field of the trace where an argument of forward is found, if not its name

#: The cells that a Stack may hold; each is made from (input_size, hidden_size, rng=).
MAKE = {
    "rnn": RNNCell.init,
    "leaky": partial(LeakyRNNCell.init, alpha=0.6),
    "skip": partial(SkipRNNCell.init, skip=3),
    "lstm": LSTMCell.init,
    "lstm without forget gate": LSTM1997Cell.init,
    "lstm with peepholes": PeepholeLSTMCell.init,
    "gru": GRUCell.init,
    "gru, reset before": partial(GRUCell.init, reset_after=False),
}


@dataclass
class Case:
    """A network, what goes into it, and what a loss sends into its output and its last state."""

    cell: object
    inputs: dict
    dhs: np.ndarray
    dlast: object

    @property
    def trace(self):
        return forward(self.cell, **self.inputs)

    def loss(self, trace):
        return np.sum(self.dhs * getattr(trace, self.cell.reads)) + into(trace.last, self.dlast)

    @property
    def inner_fields(self):
        """The fields of the trace that forward was not given."""
        given_fields = {FIELD.get(name, name) for name in self.inputs}
        return [name for name in self.trace.fields() if name not in given_fields]

    def run_loop(self, note):
        """The plain loop of tests/unit/references.py."""
        loop = LOOPS[type(self.cell)]
        return loop(self.cell, NUMPY, self.cell.fields(), note=note, **self.inputs)

    def assume_far_from_kinks(self):
        if getattr(self.cell, "activation", None) == "relu":
            assume(np.abs(self.trace.a).min() > 5e-3)


def into(last, dlast):
    """Σ dlast · last, over the states of all layers."""
    if isinstance(last, tuple):
        return sum(map(into, last, dlast))
    return np.sum(last * dlast)


def state_like(cell, B, rng):
    """A random state of a network."""
    if isinstance(cell, (Stack, Bidirectional)):
        return tuple(state_like(one, B, rng) for one in cell.cells)
    shape = (B, cell.state_size)
    return rng.normal(size=shape if cell.states == 1 else (cell.states, *shape))


def case_of(cell, T, B, rng, **inputs):
    """A case of this network, all numbers drawn from rng."""
    inputs = {
        "xs": rng.normal(size=(T, B, cell.input_size)), "state": state_like(cell, B, rng), **inputs
    }
    return Case(
        cell, inputs, rng.normal(size=(T, B, cell.output_size)), state_like(cell, B, rng)
    )


@st.composite
def rnn_cases(draw):
    T, B, D, H = (draw(sizes) for _ in "TBDH")
    rng = np.random.default_rng(draw(seeds))
    if draw(st.booleans()):
        cell = RNNCell.init(D, H, activation=draw(activations), rng=rng)
    else:
        alpha = draw(st.sampled_from([0.7, tuple(rng.uniform(0, 0.99, H))]))
        cell = LeakyRNNCell.init(D, H, alpha=alpha, activation=draw(activations), rng=rng)
    return case_of(cell, T, B, rng)


@st.composite
def jordan_cases(draw):
    T, B, D, H, K = (draw(sizes) for _ in "TBDHK")
    rng = np.random.default_rng(draw(seeds))
    cell = JordanCell.init(
        D, H, K, activation=draw(activations), out_activation=draw(outs), rng=rng
    )
    taught = {"teacher": rng.normal(size=(T, B, K))} if draw(st.booleans()) else {}
    return case_of(cell, T, B, rng, **taught)


@st.composite
def gated_cases(draw):
    T, B, D, H = (draw(sizes) for _ in "TBDH")
    rng = np.random.default_rng(draw(seeds))
    make = MAKE[draw(st.sampled_from(list(MAKE)[3:]))]
    return case_of(make(D, H, rng=rng), T, B, rng)


cases = st.one_of(rnn_cases(), jordan_cases(), gated_cases())


@st.composite
def networks(draw, most_layers=3, directions=True):
    """A random Stack or Bidirectional of random cells."""
    rng = np.random.default_rng(draw(seeds))
    kinds = st.sampled_from(list(MAKE))
    D, cells = draw(sizes), []
    for _ in range(draw(st.integers(1, most_layers))):
        below = cells[-1].output_size if cells else D
        H = draw(sizes)
        cell = MAKE[draw(kinds)](below, H, rng=rng)
        if directions and draw(st.booleans()):
            cell = Bidirectional(cell, MAKE[draw(kinds)](below, draw(sizes), rng=rng))
        cells.append(cell)
    return cells[0] if len(cells) == 1 and draw(st.booleans()) else Stack(cells)
