"""Memory for traces, used again.

A trace of 200 steps, 32 sequences and 64 LSTM units takes 30 MB, its gradient as much. Memory that
is new to the process costs as much time as the arithmetic: the system clears it, page by page, and
takes it back as soon as the trace is gone. So what a trace no longer needs is kept for the next.
Nothing of a trace that anybody still holds is ever touched.
"""

import math
import weakref

import numpy as np

LEAST = 2**18  # bytes; smaller arrays are left to the system
MOST = 2**28  # bytes kept at any time for what comes next

_free = {}  # buffers that no array uses, the longest free first


def fresh(dtype, *shapes):
    """Uninitialised arrays of these shapes, side by side in one piece of memory."""
    sizes = [math.prod(shape) for shape in shapes]
    memory, arrays, start = _memory(sum(sizes), np.dtype(dtype)), [], 0
    for size, shape in zip(sizes, shapes, strict=True):
        arrays.append(memory[start : start + size].reshape(shape))
        start += size
    return arrays


def release():
    """Give back to the system all that is kept and not in use."""
    _free.clear()


def _memory(size, dtype):
    needed = size * dtype.itemsize
    if needed < LEAST:
        return np.empty(size, dtype)
    buffer = _take(needed)
    memory = np.frombuffer(buffer, dtype, size)
    # Every array cut from `memory` keeps it alive; when the last is gone, the buffer is free.
    weakref.finalize(memory, _keep, buffer).atexit = False
    return memory


def _take(needed):
    sizes = {place: len(buffer) for place, buffer in _free.copy().items()}
    fitting = [place for place, size in sizes.items() if needed <= size <= 1.5 * needed]
    for place in sorted(fitting, key=sizes.get):
        buffer = _free.pop(place, None)
        if buffer is not None:                                      # no other thread was faster
            return buffer
    return np.empty(needed, np.uint8).data


def _keep(buffer):
    _free[id(buffer)] = buffer
    kept = _free.copy()
    surplus = sum(map(len, kept.values())) - MOST
    for place, oldest in kept.items():
        if surplus > 0 and _free.pop(place, None) is not None:
            surplus -= len(oldest)
