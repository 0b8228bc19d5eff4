"""Backpropagation through time with less memory, with less time, or item by item.

`backward` needs the whole trace, and its cost is linear in the number of steps τ.

    checkpointed    the same gradient, to the bit, from a few states: the rest is computed again
    truncated       another gradient, which looks back a few steps only
    itemised        the same gradient, item by item: which loss sends what to which step
"""

import dataclasses
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rnnlib import checks
from rnnlib.cells import Cell, Network
from rnnlib.functions import BLOCK
from rnnlib.records import Record


class Checkpointed(NamedTuple):
    """The gradient, and what it took.

    dcell, dstate: dL/d(parameters), dL/d(initial state). last: the state after the last step.
    steps_run: steps computed forward (τ is the least). bytes_kept: the most memory held at once
    for states and traces.
    """

    dcell: object
    dstate: object
    last: object
    steps_run: int
    bytes_kept: int


def checkpointed(cell, xs, dhs, state=None, *, budget=None):
    """BPTT that keeps few states and computes the steps between them again: a `Checkpointed`.

    The sequence is cut into segments. Their first states are kept, the traces are not: each is made
    anew on the way back. Without a budget a segment has about √τ steps (Chen et al. 2016): O(√τ)
    memory for one more forward pass. budget (bytes): at most one more forward pass, less where the
    budget allows; where it is too small even for that, fewer states than segments, and the fewest
    repeated steps for so many (Griewank and Walther 2000; for BPTT, Gruslys et al. 2016).

    xs (T, B, D), all sequences of the same length; dhs (T, B, H), or a function of (t, hs) that
    gets the hidden states of the steps from t on and returns what the loss sends into them, so that
    nothing of all τ steps is held. The gradient has the bits of `backward`. Raises ValueError if
    the budget is too small.
    """
    _check_causal(cell)
    xs = checks.array("xs", xs, ("T", "B", cell.input_size), copy=False)
    T, B, _ = xs.shape
    cell = cell.astype(xs.dtype)
    state = cell._checked_state("state", state, B, xs.dtype)
    if not isinstance(dhs, Callable):
        dhs = checks.array("dhs", dhs, (T, B, cell.output_size), xs.dtype, copy=False)
    if budget is not None:
        budget = checks.whole("budget", budget)
    return _Walk(cell, xs, dhs, *plan(cell, T, B, xs.dtype, budget)).back(state)


class _Walk:
    """One way back, segment by segment, from states that are kept or made again."""

    def __init__(self, cell, xs, dhs, segment, slots):
        self.cell, self.xs, self.dhs, self.segment, self.slots = cell, xs, dhs, segment, slots
        self.count = math.ceil(len(xs) / segment)
        self.steps_run, self.bytes_kept = 0, 0

    def back(self, state):
        states, sums = {0: state}, self.cell._zeros()               # by the segment they begin
        dstate = last = None
        for index, legs, kept in schedule(self.count, self.slots):  # the segment to go back through
            for start, stop in legs:
                states[stop] = self._run(start, stop, states[start])
            trace = self._trace(index, states[index])
            states = {start: states[start] for start in kept}
            if last is None:
                last = _copied(trace.last)
                dstate = self.cell._checked_state("dlast", None, self.xs.shape[1], self.xs.dtype)
            dstate = self._back(index, trace, dstate, sums, len(kept))
            del trace                                               # before the next one is made
        return Checkpointed(
            self.cell._gradient(sums), dstate, last, self.steps_run, self.bytes_kept
        )

    def _trace(self, index, state):
        xs = self.xs[index * self.segment : (index + 1) * self.segment]
        self.steps_run += len(xs)
        return self.cell._unroll(xs, state)

    def _run(self, start, stop, state):
        for index in range(start, stop):
            state = _copied(self._trace(index, state).last)
        return state

    def _back(self, index, trace, dlast, sums, kept):
        start, dhs, read = index * self.segment, self.dhs, getattr(trace, self.cell.reads)
        part = dhs[start : start + len(trace.x)] if isinstance(dhs, np.ndarray) else checks.array(
            "dhs", dhs(start, read), read.shape, read.dtype
        )
        dtrace = self.cell._roll_back(trace, part, dlast, sums)
        held = kept * _bytes(dlast) + 2 * _held(trace)
        self.bytes_kept = max(self.bytes_kept, held)
        return _copied(dtrace.state)


def schedule(count, slots):
    """The way back through `count` segments, the last first: yields (segment, legs, kept).

    legs: pairs (start, stop), the segments start .. stop - 1 to be computed, in this order, before
    the segment itself. kept: the segments whose first states are held meanwhile, rising, the first
    of them 0, and at most `slots` others.
    """
    kept = [0]
    for index in reversed(range(count)):
        now, legs = kept[-1], []
        while now < index:
            ahead = now + split(index + 1 - now, slots + 1 - len(kept))
            legs.append((now, ahead))
            now = ahead
            if now < index:
                kept.append(now)
        yield index, legs, tuple(kept)
        if kept[-1] == index:
            kept.pop()


def plan(cell, T, B, dtype, budget=None):
    """(steps in a segment, states that may be kept besides the first) for `checkpointed`.

    Segments are whole blocks of 16 steps, which makes the bits those of `backward`.
    """
    if budget is None:
        return BLOCK * math.ceil(math.sqrt(T) / BLOCK), T
    one = cell._unroll(np.zeros((1, B, cell.input_size), dtype),
                       cell._checked_state("state", None, B, dtype))
    a_state = _bytes(one.last)
    a_step = 2 * (_held(one) - _bytes(one.state))                   # in the trace, in its gradient
    fitting = [
        (T - segment * (math.ceil(T / segment) - 1), segment)       # the last one is not repeated
        for segment in range(BLOCK, BLOCK * math.ceil(T / BLOCK) + 1, BLOCK)
        if min(segment, T) * a_step + (math.ceil(T / segment) + 2) * a_state <= budget
    ]
    if fitting:
        return max(fitting)[1], T
    least = min(BLOCK, T) * a_step + 3 * a_state                    # trace, dtrace have one each
    if budget < least:
        raise ValueError(
            f"budget: expected at least {least} bytes, for a state and {BLOCK} steps, got {budget}"
        )
    slots = (budget - least) // a_state
    return BLOCK, slots


def split(n, slots):
    """How many of n segments to run ahead before the next state is kept, `slots` being free.

    With s slots besides the first state and r repetitions at most of any step, one gets back
    through β(s, r) = (s + 1 + r)! / ((s + 1)! r!) segments (Griewank and Walther 2000). This
    choice makes the number of repeated steps least.
    """
    if slots <= 0:
        return n - 1
    r = next(r for r in range(n) if math.comb(slots + 1 + r, r) >= n)
    enough_right = n - math.comb(slots + r, r)                      # leave at most β(s-1, r)
    worth_left = math.comb(slots + r - 1, r - 2) if r > 1 else 1    # take at least β(s, r-2)
    return max(1, enough_right, worth_left)


def truncated(cell, trace, dhs, *, window, stride=1):
    """The gradient of truncated BPTT: dcell (Williams and Peng 1990, their BPTT(h; h')).

    The losses of `stride` steps at a time are sent back through the last `window` steps, counted
    from the end of the stride, and no further. stride=1 gives every loss the same window; stride
    = window is the cheapest, and gives the first loss of a stride a window of one step. The states
    are those of the whole sequence: it is the gradient that is cut, not what the state remembers.
    window >= T gives the gradient of `backward`. Cost: T / stride · window steps.

    trace, dhs: as for `backward`, but without lengths, and not of a `Bidirectional`, whose states
    already know the future.
    """
    _check_causal(cell)
    checks.instance("trace", trace, Record, "the trace that forward(cell, ...) returned")
    checks.made_by("cell", cell, getattr(trace, "cell", None))
    if trace.lengths is not None:
        raise ValueError(f"trace: expected one without lengths, got lengths {trace.lengths}")
    dhs = checks.array("dhs", dhs, getattr(trace, cell.reads).shape, trace.x.dtype)
    stride = checks.whole("stride", stride)
    window = checks.whole("window", window, least=stride)
    cell, T = cell.astype(dhs.dtype), len(dhs)
    sums, none = cell._zeros(), cell._checked_state("dlast", None, dhs.shape[1], dhs.dtype)
    for start in range(0, T, stride):
        stop = min(start + stride, T)
        first = max(0, stop - window)
        into = np.concatenate([np.zeros_like(dhs[first:start]), dhs[start:stop]])
        cell._roll_back(trace.steps(first, stop), into, none, sums)
    return cell._gradient(sums)


def itemised(cell, trace, dhs):
    """What the loss of each step sends to each earlier one: dtrace, in which the batch is the loss.

        dtrace.f[k, t] = dL_t/df_k          L = Σ_t L_t, f any field; zero for k > t

    trace, dhs (T, 1, H): one sequence, without lengths; dhs[t] is dL_t/dh_t. All fields are
    (T, T, .), and their sums over t are the dtrace of `backward`. So is dW the sum over k and t of
    the outer products of dtrace.a[k, t] and h_{k-1}. dtrace.cell is dcell.
    """
    _check_causal(cell)
    checks.instance("cell", cell, Cell, "a single cell such as RNNCell")
    checks.instance("trace", trace, Record, "the trace that forward(cell, ...) returned")
    checks.made_by("cell", cell, getattr(trace, "cell", None))
    if trace.lengths is not None or trace.x.shape[1] != 1:
        raise ValueError("trace: expected one sequence without lengths, got several, or lengths")
    read = getattr(trace, cell.reads)
    dhs, T = checks.array("dhs", dhs, read.shape, read.dtype), len(read)
    fields = {name: np.repeat(v, T, axis=-2) for name, v in trace.fields().items()}
    each = np.where(np.eye(T, dtype=bool)[..., None], dhs, 0)       # (k, t): only k = t is sent
    cell = cell.astype(dhs.dtype)
    sums, none = cell._zeros(), cell._checked_state("dlast", None, T, dhs.dtype)
    dtrace = cell._roll_back(dataclasses.replace(trace, **fields), each, none, sums)
    return dtrace.made_by(cell._gradient(sums))


def _check_causal(cell):
    checks.instance("cell", cell, Network, "a cell such as RNNCell")
    if not cell.causal:
        raise ValueError("cell: expected one direction of time, got a Bidirectional")


def _copied(state):
    return tuple(map(_copied, state)) if isinstance(state, tuple) else state.copy()


def _held(trace):
    return sum(v.nbytes for v in trace.fields().values())


def _bytes(state):
    return sum(map(_bytes, state)) if isinstance(state, tuple) else state.nbytes
