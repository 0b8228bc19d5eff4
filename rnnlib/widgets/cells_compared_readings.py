"""What the networks of experiments/adding.py make of a sequence, before, during and after training.

Their weights stand in rnnlib/data/adding_networks.csv: an RNN, an LSTM and a GRU of nearly equal
numbers of parameters, trained on the adding problem at length 50.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from rnnlib import results, tasks, watch
from rnnlib.cells import RNNCell
from rnnlib.gru import GRUCell
from rnnlib.lstm import LSTMCell
from rnnlib.outputs import OutputLayer

CELLS = {"rnn": RNNCell, "lstm": LSTMCell, "gru": GRUCell}
GATES = ("i", "f", "o", "r", "z")  # the fields of traces that are gates
MOMENTS, SEEDS, STEPS = (0, 100, 300, 1000, 3000), (0, 1, 2), 50
SEQUENCE_SEEDS = (2, 37)  # sums far from 1, which is the best answer of who knows nothing
ANSWERS = watch.Answering("mse")


@dataclass(frozen=True, eq=False)
class Reading:
    """What one network makes of one sequence.

    answer, right: its answer and the right one; first: the first marked step, from 0; h (T, H);
    gates {name: (T, H)}; arriving (T,): ‖dL/dh_t‖ / ‖dL/dh_τ‖, for an LSTM ‖dL/dc_t‖ / ‖dL/dc_τ‖;
    by_h (T,): the first of these for every cell.
    """

    answer: float
    right: float
    first: int
    h: np.ndarray
    gates: dict
    arriving: np.ndarray
    by_h: np.ndarray

    @property
    def change(self):
        """How far each unit is from where it was before the first marked step, (T, H)."""
        return np.abs(self.h - (self.h[self.first - 1] if self.first else 0))

    @property
    def unit(self):
        """The unit that has changed most by the last step: who changes and forgets is not it."""
        return int(self.change[-1].argmax())


@cache
def sequences():
    """The sequences to choose from, by name: batches of one."""
    found = {}
    for seed in SEQUENCE_SEEDS:
        batch = tasks.adding(1, STEPS, rng=seed)
        first, second = np.flatnonzero(batch.xs[:, 0, 1]) + 1
        found[f"marked: steps {first} and {second}"] = batch
    return found


@cache
def network(kind, seed, updates):
    """The recorded (cell, out) of that kind ("rnn", "lstm", "gru") after so many updates."""
    rows = results.find(results.load("adding_networks"), variant=kind, seed=seed, updates=updates)
    return results.network(rows, (CELLS[kind].init(1, 1), OutputLayer.init(1, 1)))


@cache
def reading(kind, seed, updates, sequence):
    """What the network `network(kind, seed, updates)` makes of that sequence."""
    batch = sequences()[sequence]
    cell, out = network(kind, seed, updates)
    trace, dtrace = ANSWERS.look((cell, out), batch)
    gates = {name: getattr(trace, name)[:, 0] for name in GATES if hasattr(trace, name)}
    norms = [np.linalg.norm(d[:, 0], axis=-1) for d in (dtrace.h, getattr(dtrace, "c", dtrace.h))]
    by_h, arriving = (norm / norm[-1] for norm in norms)
    first = int(np.flatnonzero(batch.xs[:, 0, 1])[0])
    answer = out.logits(trace.h_end[None]).item()
    return Reading(answer, batch.targets.item(), first, trace.h[:, 0], gates, arriving, by_h)
