"""What the figure of a training follows: its runs, extended as far as somebody looks.

The book's own: temporal order (rnnlib.tasks) over 30 steps, 32 sequences a batch, 16 tanh units and
SGD, from three starts that differ in nothing but W.
"""

from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from rnnlib import checks, optim, tasks, train, watch
from rnnlib.cells import RNNCell
from rnnlib.outputs import OutputLayer

GATES = ("i", "f", "o", "r", "z")  # the fields of traces that are gates
STEPS, SEQUENCES, UNITS, SEED = 30, 32, 16, 1
RATE, CLIP = 0.1, 1.0
STARTS = ("orthogonal (ρ = 1)", "small weights (ρ = 0.5)", "large weights (ρ = 2)")


@dataclass(frozen=True, eq=False)
class Drawn:
    """What is drawn of a moment: norms (T,), eigenvalues (H,) of W or the gates {name: (T,)}."""

    loss: float
    norms: np.ndarray
    eigen: np.ndarray | None = None
    gates: dict = field(default_factory=dict)

    @property
    def radius(self):
        """ρ(W), the largest absolute value of an eigenvalue."""
        return float(abs(self.eigen).max())


def drawn(moment):
    """Reduce a `train.Moment` to what is drawn: of a stack its highest layer, the way ahead.

    Raises ValueError where there is neither a gate nor a square W.
    """
    trace, lengths = moment.trace, moment.trace.lengths
    norms = _over_sequences(np.linalg.norm(moment.dtrace.h, axis=-1), lengths)
    while hasattr(trace, "layers") or hasattr(trace, "ahead"):
        trace = trace.layers[-1] if hasattr(trace, "layers") else trace.ahead
    gates = {g: getattr(trace, g).mean(axis=-1) for g in GATES if hasattr(trace, g)}
    gates = {name: _over_sequences(gate, lengths) for name, gate in gates.items()}
    if gates:
        return Drawn(moment.loss, norms, gates=gates)
    W = trace.cell.W
    if W.shape[0] != W.shape[1]:
        raise ValueError(f"runs: expected cells with gates or with a square W, got {W.shape}")
    return Drawn(moment.loss, norms, eigen=np.linalg.eigvals(W))


def _over_sequences(values, lengths):
    """The mean of values (T, B) at each step, over the sequences that are not over yet."""
    if lengths is None:
        return values.mean(axis=1)
    running = np.arange(len(values))[:, None] < np.array(lengths)
    return (values * running).sum(axis=1) / np.maximum(running.sum(axis=1), 1)


class Watched:
    """A run of the figure. `at(k)` extends it up to k updates and keeps what is drawn on the way.

    What was reached stays, whatever happens later. An iterator of `train.moments` goes on after an
    interrupt; a generator is dead then, and every later moment raises ValueError.
    """

    def __init__(self, name, begin, every):
        if not callable(begin):
            raise TypeError(f"runs[{name!r}]: expected a function that begins it, got {begin!r}")
        self._name, self._begin = name, begin
        self._every = checks.whole("every", every)
        self._moments, self._seen = None, {}

    def at(self, k):
        """What is drawn after k updates, k a multiple of `every`."""
        if self._moments is None:
            self._moments = iter(self._begin())
        while k not in self._seen:
            moment = next(self._moments, None)
            last = max(self._seen, default=None)
            if moment is None:
                raise ValueError(f"{self._name}: the run ended after {last} updates; if it was "
                                 "interrupted, make the figure anew")
            if moment.updates > k:
                raise ValueError(f"{self._name}: expected a moment after {k} updates, got "
                                 f"{last} and then {moment.updates}")
            if moment.updates % self._every == 0:
                self._seen[moment.updates] = drawn(moment)
        return self._seen[k]

    def history(self, k):
        """(updates, losses) of all that is shown up to k updates."""
        ks = np.arange(0, k + 1, self._every)
        return ks, np.array([self.at(int(one)).loss for one in ks])


def book_runs(every):
    """The three trainings of the book, by name: nothing has been computed yet."""
    return {name: partial(moments, name, every) for name in STARTS}


def network(name, seed=SEED):
    """(cell, out) for one of STARTS: U, V and b are those of every start, b zero."""
    rng = np.random.default_rng(seed)
    classes = len(tasks.ORDER_CLASSES)
    cell = RNNCell.init(len(tasks.ORDER_SYMBOLS), UNITS, start="orthogonal", rng=rng)
    out = OutputLayer.init(UNITS, classes, rng=rng)
    G = rng.normal(size=(UNITS, UNITS))
    G /= abs(np.linalg.eigvals(G)).max()
    W = {STARTS[0]: cell.W, STARTS[1]: 0.5 * G, STARTS[2]: 2 * G}[name]
    return replace(cell, W=W, b=np.zeros(UNITS)), out


def batch(k, seed=SEED):
    """The batch that update k + 1 learns from."""
    return tasks.temporal_order(SEQUENCES, STEPS, rng=np.random.default_rng([seed, k]))


def probe(seed=SEED):
    """The batch that is looked at, which no update learns from."""
    return tasks.temporal_order(SEQUENCES, STEPS, rng=np.random.default_rng([seed, 2**31]))


def moments(name, every=1, seed=SEED):
    """The moments of one of STARTS, begun anew."""
    answers = watch.Answering("cross_entropy")
    return train.moments(
        network(name, seed), answers.loss_and_grads, partial(batch, seed=seed), optim.SGD(RATE),
        look=answers.about(probe(seed)), every=every, clip=CLIP,
    )
