"""Time and memory against the number of steps: BPTT whole, and from checkpoints."""

import tracemalloc

import numpy as np
import pytest
from clock import medians_ms

from rnnlib import GRUCell, LSTMCell, RNNCell, backward, bptt, forward, memory

LENGTHS = [100, 1000, 10_000, 100_000]
CELLS = {"RNN": RNNCell, "LSTM": LSTMCell, "GRU": GRUCell}


def peak_mb(run):
    """The most memory that run() held at once, in megabytes."""
    memory.release()
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    memory.release()
    return peak / 1e6


def slope(lengths, values):
    """The power of T: 1 if twice the steps take twice as much."""
    return np.polyfit(np.log(lengths), np.log(values), 1)[0]


@pytest.mark.parametrize("kind", CELLS)
def test_whole_and_checkpointed(kind):
    cell, rng = CELLS[kind].init(8, 32), np.random.default_rng(0)
    rows = []
    for T in LENGTHS:
        xs, dh = rng.normal(size=(T, 1, 8)), np.ones((1, 32))

        def whole(xs=xs, dh=dh):
            trace = forward(cell, xs)
            return backward(cell, trace, np.broadcast_to(dh, trace.h.shape))

        def rooted(xs=xs, dh=dh):
            return bptt.checkpointed(cell, xs, lambda t, hs: np.broadcast_to(dh, hs.shape))

        times = medians_ms([whole, rooted], 9 if T < 10_000 else 3)
        rows.append([*times, peak_mb(whole), peak_mb(rooted)])
        print(f"\n{kind:4} T {T:6}: whole {rows[-1][0]:8.1f} ms {rows[-1][2]:7.2f} MB; "
              f"checkpointed {rows[-1][1]:8.1f} ms {rows[-1][3]:7.2f} MB", end="")
    names = ("time, whole", "time, checkpointed", "memory, whole", "memory, checkpointed")
    powers = [f"{name} T^{slope(LENGTHS[1:], v[1:]):.2f}"
              for name, v in zip(names, np.transpose(rows), strict=True)]
    print(f"\n{kind:4} from T 1000 up: {', '.join(powers)}", end="")


def test_memory_budgets():
    """Less memory for more time: the curve of Gruslys et al. 2016, for an LSTM and 1,000 steps."""
    cell, rng = LSTMCell.init(32, 64), np.random.default_rng(0)
    xs, dhs = rng.normal(size=(1000, 16, 32)), np.ones((1000, 16, 64))
    whole, = medians_ms([lambda: backward(cell, forward(cell, xs), dhs)], 9)
    full = bptt.checkpointed(cell, xs, dhs, budget=10**9).bytes_kept
    for share in (1.0, 0.5, 0.2, 0.1, 0.05, 0.03, 0.025, 0.02):
        try:
            run = bptt.checkpointed(cell, xs, dhs, budget=int(share * full))
        except ValueError as refused:
            print(f"\nbudget {share:6.1%}: {refused}", end="")
            continue
        taken, = medians_ms(
            [lambda share=share: bptt.checkpointed(cell, xs, dhs, budget=int(share * full))], 9
        )
        print(f"\nbudget {share:6.1%}: {run.bytes_kept / full:6.1%} of the memory, "
              f"{run.steps_run} steps forward, {taken / whole:.2f} times the time", end="")
