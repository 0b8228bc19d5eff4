"""Sequences of unequal length in one batch: each is cut at its own end, exactly.

Between one end and the next, only the sequences that still run are computed: nothing is masked that
could leak, and no step is spent on padding. Beyond its end a sequence keeps the state it had there,
so that trace.h[-1] of a cell is the last state of every sequence (trace.h_end of any network); all
other fields are zero there.
"""

import dataclasses

import numpy as np


def stretches(lengths):
    """From one end to the next: (slice of steps, the rows of the sequences that still run)."""
    found, start = [], 0
    for stop in sorted(set(lengths)):
        found.append((slice(start, stop), np.flatnonzero(np.array(lengths) > start)))
        start = stop
    return found


def ended(lengths, T):
    """True (T, B) where a sequence is over."""
    return np.arange(T)[:, None] >= np.array(lengths)


def forward_cut(cell, xs, state, lengths):
    """`cell._forward`, each sequence up to its own length."""
    fields, state_now = {}, state.copy()
    for steps, rows in stretches(lengths):
        part = cell._forward(xs[steps, rows], state_now[..., rows, :])
        state_now[..., rows, :] = part.last
        _write(fields, part, steps, rows, xs.shape[:2])
    over = ended(lengths, len(xs))
    for name, kept in zip(part.CARRIES, _each(state_now), strict=False):  # the newest are fields
        fields[name][over] = np.broadcast_to(kept, fields[name].shape)[over]
    return dataclasses.replace(part, **fields, state=state, cell=cell, lengths=lengths)


def backward_cut(cell, trace, dhs, dlast, d):
    """`cell._backward`, each sequence from its own end.

    What the loss sends into a state that is only kept goes to the step that made it.
    """
    over = ended(trace.lengths, len(dhs))
    into_kept = np.where(over[..., None], dhs, 0)[::-1].cumsum(axis=0)[::-1]
    fields, dstate = {}, dlast.copy()
    _each(dstate)[0] += into_kept[0]
    for steps, rows in reversed(stretches(trace.lengths)):
        part = _read(trace, steps, rows)
        part = cell._backward(part, dhs[steps, rows], dstate[..., rows, :], d)
        dstate[..., rows, :] = part.state
        _write(fields, part, steps, rows, dhs.shape[:2])
    for name, sent in zip(part.CARRIES, _each(dlast), strict=False):
        total = np.broadcast_to(sent, fields[name].shape)
        fields[name][over] = (total + into_kept if name == cell.reads else total)[over]
    return dataclasses.replace(part, **fields, state=dstate, lengths=trace.lengths)


def turned(v, lengths):
    """v (T, B, .) read from the end of each sequence to its start; what lies beyond stays."""
    if lengths is None:
        return v[::-1]
    t, ends = np.arange(len(v))[:, None], np.array(lengths)
    return np.take_along_axis(v, np.where(t < ends, ends - 1 - t, t)[..., None], axis=0)


def _each(state):
    """The vectors of a state one by one: h, or h and c; or h, and h of earlier steps."""
    return state.reshape(-1, *state.shape[-2:])


def _read(trace, steps, rows):
    """The part of a trace that belongs to some steps of some sequences."""
    state = trace.state_after(steps.start)[..., rows, :]
    cut = {n: v[steps, rows] for n, v in trace.fields().items() if n != "state"}
    return dataclasses.replace(trace, **cut, state=state, lengths=None)


def _write(fields, part, steps, rows, shape):
    """Put the arrays of a part where they belong in arrays of the whole batch."""
    for name, v in part.fields().items():
        if name != "state":
            whole = fields.setdefault(name, np.zeros((*shape, v.shape[-1]), v.dtype))
            whole[steps, rows] = v
