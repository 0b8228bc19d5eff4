"""forward and backward: the two entry points, for every cell.

    trace = forward(cell, xs)                   # every quantity of every step
    dtrace, dcell = backward(cell, trace, dhs)  # the same records, field f holding dL/df

They check what comes in, once, and leave the computing to the cell. The input decides the dtype:
float32 `xs` are computed in float32, everything else in float64, whatever the cell holds.
"""

import numpy as np

from rnnlib import checks
from rnnlib.cells import Network
from rnnlib.records import Record


def forward(cell, xs, state=None, *, lengths=None, teacher=None):
    """Unroll `cell` over `xs` and return its trace.

    cell: a cell, a `Stack` or a `Bidirectional`. xs (T, B, D), T and B at least 1. state: what
    trace.last of an earlier run is, or None for zeros; (B, H), for an LSTM (2, B, H), h and c.
    lengths (B,), whole numbers 1 .. T: sequence b ends after lengths[b] steps, as if it had been
    cut there (rnnlib.lengths); what xs holds beyond changes nothing.
    `teacher` (T, B, K) is for cells that feed back their output: step t then sees teacher[t-1]
    instead of its own y_{t-1}. Raises ValueError or TypeError, naming the argument, for anything
    malformed.
    """
    checks.instance("cell", cell, Network, "a cell such as RNNCell")
    xs = checks.array("xs", xs, ("T", "B", cell.input_size), copy=False)    # the cell copies it
    steps, batch, dtype = *xs.shape[:2], xs.dtype
    state = cell._checked_state("state", state, batch, dtype)
    lengths = None if lengths is None else checks.lengths("lengths", lengths, steps, batch)
    if teacher is not None:
        teacher = _checked_teacher(cell, teacher, lengths, (steps, batch), dtype)
    trace = cell.astype(dtype)._unroll(xs, state, lengths, teacher)
    return trace.made_by(cell)


def backward(cell, trace, dhs=None, *, dh_end=None, dlast=None):
    """Backpropagation through time: (dtrace, dcell), the gradient of a loss L.

    trace: what `forward` returned for this very cell. dhs: what the loss sends directly into each
    h_t, of the shape of trace.h (for a `JordanCell`: into each y_t); zeros if None. dh_end: what
    it sends into trace.h_end, for an answer at the end. dlast: what comes back into the state after
    the last step, of the shape of trace.last, if the loss goes on from there; for a `Stack` or a
    `Bidirectional` a tuple, in which None stands for zeros.
    Each field of dtrace holds the total derivative dL/dfield, later steps included; dtrace.cell is
    dcell. Raises ValueError or TypeError, also for a trace that belongs to another cell.
    """
    checks.instance("cell", cell, Network, "a cell such as RNNCell")
    checks.instance("trace", trace, Record, "the trace that forward(cell, ...) returned")
    checks.made_by("cell", cell, getattr(trace, "cell", None))
    read = getattr(trace, cell.reads)
    if dhs is None and dh_end is None and dlast is None:
        raise TypeError("dhs: expected a gradient (or dh_end, or dlast), got None")
    dhs = np.zeros_like(read) if dhs is None else checks.array("dhs", dhs, read.shape, read.dtype)
    if dh_end is not None:
        cell._add_at_end(dhs, checks.array("dh_end", dh_end, read.shape[1:], read.dtype))
    dlast = cell._checked_state("dlast", dlast, dhs.shape[1], read.dtype)
    cell = cell.astype(read.dtype)
    sums = cell._zeros()
    dtrace = cell._roll_back(trace, dhs, dlast, sums)
    dcell = cell._gradient(sums)
    return dtrace.made_by(dcell), dcell


def _checked_teacher(cell, teacher, lengths, shape, dtype):
    if not cell.feeds_back_output:
        raise TypeError(
            f"teacher: expected None (only a cell that feeds back its output can be taught), "
            f"got one for {type(cell).__name__}"
        )
    if lengths is not None:
        raise ValueError("teacher: expected None together with lengths, got both")
    return checks.array("teacher", teacher, (*shape, cell.state_size), dtype)
