"""The small LSTMs whose gates chapter 5 looks at: trainings, tests, and what a unit carries.

Two tasks of rnnlib.tasks, alike in this: something is *written* at known steps, must be *held*, and
is *asked* for at a later step.

    task      written                 asked                        what is held
    adding    the two marked steps    the last step                the sum of the marked numbers
    Reber     the second letter       the last letter but one      T (+1) or P (-1)

A *twin* is the same sequence with another thing to hold: the first marked number is half the range
away, or T and P are exchanged. Where the cell states of twins differ, there it is remembered.
"""

from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace

import numpy as np

from rnnlib import optim, results, tasks, train
from rnnlib.lstm import LSTMCell
from rnnlib.outputs import OutputLayer
from rnnlib.unroll import forward
from rnnlib.watch import Answering

CLIP, LENGTH = 1.0, 20
#: streams of random numbers of one seed; update k + 1 draws from stream k
TEST, CHOICE, START = 2**31, 2**31 + 1, 2**31 + 2
#: after how many updates the weights are looked at
MOMENTS = (0, 20, 50, 100, 200, 300, 400, 500, 700, 1000, 1500, 2000)
TESTED, FEW = 500, 20  # sequences of a test; a correlation of fewer means little
SOLVED = {"adding": 0.01, "Reber": 0.05}  # the error must be under this


@dataclass(frozen=True)
class Setting:
    """How a task is learned: widths, the loss, the rate of Adam, how many sequences a batch has."""

    inputs: int
    units: int
    outputs: int
    answers: Answering
    rate: float
    sequences: int


SETTINGS = {
    "adding": Setting(2, 4, 1, Answering("mse"), 0.01, 32),
    "Reber": Setting(7, 6, 7, Answering("cross_entropy"), 0.02, 16),
}


@dataclass(frozen=True, eq=False)
class Sequences:
    """Sequences with their twins, and when what happens.

    batch: a `tasks.Batch`; twin (T, B, D): the inputs of the twins; written, held (T, B): where the
    thing to be kept comes in, and the steps after the first such up to the one that is asked;
    asked (B,): the index of that step; wanted (T, B): what is to be held by then; strings: those
    of Reber.
    """

    batch: tasks.Batch
    twin: np.ndarray = field(repr=False)
    written: np.ndarray = field(repr=False)
    held: np.ndarray = field(repr=False)
    asked: np.ndarray = field(repr=False)
    wanted: np.ndarray = field(repr=False)
    strings: tuple = ()

    @property
    def elsewhere(self):
        """(T, B), True at the steps up to the asked one at which nothing is written."""
        return (np.arange(len(self.twin))[:, None] <= self.asked) & ~self.written

    @property
    def full(self):
        """(T, B), True from the step at which the last of it is written up to the asked one."""
        t = np.arange(len(self.twin))[:, None]
        return (t <= self.asked) & (np.cumsum(self.written, axis=0) == self.written.sum(axis=0))


def adding(count, rng):
    """So many sequences of the adding problem, LENGTH steps each."""
    batch = tasks.adding(count, LENGTH, rng=rng)
    written, n = batch.xs[..., 1] == 1, np.arange(count)
    first, t = written.argmax(axis=0), np.arange(LENGTH)[:, None]
    twin = batch.xs.copy()
    twin[first, n, 0] = (twin[first, n, 0] + 0.5) % 1
    last = np.full(count, LENGTH - 1)
    return Sequences(batch, twin, written, t > first, last,
                     np.cumsum(batch.xs[..., 0] * written, axis=0))


def reber(strings):
    """Strings of the embedded Reber grammar."""
    batch = tasks.next_symbols(strings)
    other = {"T": "P", "P": "T"}
    twins = [s[0] + other[s[1]] + s[2:-2] + other[s[-2]] + s[-1] for s in strings]
    asked, t = np.array([len(s) - 3 for s in strings]), np.arange(len(batch.xs))[:, None]
    wanted = np.array([1.0 if s[1] == "T" else -1.0 for s in strings]) * np.ones((len(t), 1))
    written = np.broadcast_to(t == 1, (len(t), len(strings)))
    held = (t > 1) & (t <= asked)
    return Sequences(batch, tasks.next_symbols(twins).xs, written, held, asked, wanted,
                     tuple(strings))


def draw(task, count, rng):
    """So many random sequences of a task."""
    if task == "adding":
        return adding(count, rng)
    return reber(tasks.reber_strings(count, embedded=True, rng=rng))


# --- training ---------------------------------------------------------------------------------


def network(task, seed):
    """(cell, out) before training: forget bias 1, all else from uniform(-1/√H, 1/√H)."""
    setting, rng = SETTINGS[task], np.random.default_rng([seed, START])
    cell = LSTMCell.init(setting.inputs, setting.units, forget_bias=1.0, rng=rng)
    return cell, OutputLayer.init(setting.units, setting.outputs, rng=rng)


def batch(task, k, seed):
    """The batch that update k + 1 learns from."""
    rng, size = np.random.default_rng([seed, k]), SETTINGS[task].sequences
    if task == "adding":
        return tasks.adding(size, LENGTH, rng=rng)
    return tasks.reber_batch(size, embedded=True, rng=rng)


def trained(task, seed, updates=MOMENTS[-1]):
    """The `train.Run` of a network, with its weights at those of MOMENTS that come so far."""
    setting = SETTINGS[task]
    return train.fit(
        network(task, seed), setting.answers.loss_and_grads, lambda k: batch(task, k, seed),
        optim.Adam(setting.rate), steps=updates, clip=CLIP, progress=False,
        record_at=[k for k in MOMENTS if k <= updates],
    )


def unseen(task, seed, stream=TEST):
    """Sequences that no update of this seed learns from: TEST, or those of CHOICE."""
    return draw(task, TESTED, np.random.default_rng([seed, stream]))


def carrying(task, seed, cell):
    """The units, the carrying one first: chosen on other sequences than those of the test."""
    return order(cell, unseen(task, seed, CHOICE))


# --- what a network does ----------------------------------------------------------------------


def error(task, params, sequences):
    """Mean squared error (adding), or the share of strings with a wrong prediction (Reber).

    Right is a string if, at each step, every legal letter is more active than every other.
    """
    (cell, out), batch = params, sequences.batch
    trace = forward(cell, batch.xs, lengths=batch.lengths)
    if task == "adding":
        return float(((out.logits(trace.h_end[None]) - batch.targets) ** 2).mean())
    legal = tasks.legal_successors(sequences.strings, embedded=True)
    return float(1 - tasks.predicts_legal(out.logits(trace.h), legal).all(axis=0).mean())


def tells(cell, sequences):
    """(H,): how well each c tells what is to be held, once all of it is written; from 0 to 1.

    The squared correlation of c_t with it over the sequences, averaged over the steps t at which
    at least FEW sequences hold it, each step counting as often as there are such sequences.
    Raises ValueError if there is no such step.
    """
    trace = forward(cell, sequences.batch.xs, lengths=sequences.batch.lengths)
    total, weight = 0.0, 0
    for c, y, full in zip(trace.c, sequences.wanted, sequences.full, strict=True):
        if (count := full.sum()) >= FEW:
            c, y = c[full] - c[full].mean(axis=0), y[full] - y[full].mean()
            total += count * (y @ c) ** 2 / np.maximum((c**2).sum(axis=0) * (y**2).sum(), 1e-30)
            weight += count
    if not weight:
        count = len(sequences.asked)
        raise ValueError(f"sequences: expected {FEW} or more that hold something, got {count}")
    return total / weight


def order(cell, sequences):
    """The units, the one that tells best first."""
    return np.argsort(-tells(cell, sequences), kind="stable")


def measured(cell, sequences, unit):
    """What one unit does, as means over sequences and steps: a dict.

    tells: see `tells`. i_written, i_elsewhere, ig_written, ig_elsewhere: its input gate, and
    |i ⊙ g|, what it adds to c, where something is written and at the other steps up to the asked
    one. f_held, f_others: its forget gate and that of the other units at the held steps. o_asked,
    o_held: its output gate at the asked step and at the held ones before it. share: its part of
    Σ|c - c of the twin| over the units, at the asked step. kept: the share of sequences in which
    c - c of the twin stays, up to the asked step, a quarter or more of what it was when written.
    """
    s, n = sequences, np.arange(len(sequences.asked))
    trace = forward(cell, s.batch.xs, lengths=s.batch.lengths)
    i, f, g, o = (getattr(trace, name)[..., unit] for name in "ifgo")
    before = s.held & (np.arange(len(i))[:, None] < s.asked)
    apart = trace.c - forward(cell, s.twin, lengths=s.batch.lengths).c
    at_end = np.abs(apart[s.asked, n])
    left = apart[..., unit] / apart[s.written.argmax(axis=0), n, unit]
    return {
        "tells": tells(cell, s)[unit],
        "i_written": i[s.written].mean(), "i_elsewhere": i[s.elsewhere].mean(),
        "ig_written": np.abs(i * g)[s.written].mean(),
        "ig_elsewhere": np.abs(i * g)[s.elsewhere].mean(),
        "f_held": f[s.held].mean(),
        "f_others": np.delete(trace.f, unit, axis=-1)[s.held].mean(),
        "o_asked": o[s.asked, n].mean(), "o_held": o[before].mean(),
        "share": (at_end[:, unit] / at_end.sum(axis=1)).mean(),
        "kept": ((left >= 0.25) | ~s.held).all(axis=0).mean(),
    }


# --- the networks that are shown --------------------------------------------------------------


def recorded_seed(task):
    """Which seed the network that is shown has."""
    return int(results.find(results.load("gate_runs_weights"), task=task)[0]["seed"])


@cache
def recorded(task, updates):
    """(cell, out) of the network that is shown, as experiments/gate_runs.py recorded it."""
    rows = results.find(results.load("gate_runs_weights"), task=task, updates=updates)
    return results.network(rows, network(task, 0))


@cache
def shown(task):
    """The sequence that is looked at: the first random one, of Reber the first with 21 letters."""
    rng = np.random.default_rng(0)
    if task == "adding":
        return adding(1, rng)
    strings = tasks.reber_strings(2000, embedded=True, rng=rng)
    return reber((next(s for s in strings if len(s) == LENGTH + 1),))


@cache
def seen(task, updates):
    """What is drawn of one moment: i, f, o, c, twin (T, H), the carrying unit first; and answers.

    twin: c of the twin. error: over the test, see `error`. said: the answer (adding), or
    the probability of the last letter but one (Reber).
    """
    cell, out = params = recorded(task, updates)
    s, units = shown(task), carried_first(task)
    trace = forward(cell, s.batch.xs)
    parts = {name: getattr(trace, name)[:, 0, units] for name in "ifoc"}
    answer = out.logits(trace.h)[s.asked[0], 0]
    if task == "Reber":
        odds = np.exp(answer - answer.max())
        answer = odds[tasks.REBER_SYMBOLS.index(s.strings[0][-2])] / odds.sum()
    return SimpleNamespace(
        **parts, twin=forward(cell, s.twin).c[:, 0, units], said=float(np.squeeze(answer)),
        error=error(task, params, _unseen(task)),
    )


@cache
def carried_first(task):
    """The units, ordered by how well their c tells, after training, what must be held."""
    return carrying(task, recorded_seed(task), recorded(task, MOMENTS[-1])[0])


@cache
def largest(task, updates):
    """(H,): the largest |c| of each unit, of the sequence or its twin, now or after training."""
    moments = seen(task, updates), seen(task, MOMENTS[-1])
    return np.abs([c for one in moments for c in (one.c, one.twin)]).max(axis=(0, 1))


@cache
def _unseen(task):
    return unseen(task, recorded_seed(task))
