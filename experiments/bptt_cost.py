"""What does backpropagation through time cost, whole and from checkpoints?

    OPENBLAS_NUM_THREADS=1 python experiments/bptt_cost.py      # about five minutes of one core

Against the number of steps τ (`LENGTHS`; one sequence, 4 inputs, 16 units): bptt_cost.csv, a row
for each cell, τ and way: "whole" (forward, then backward) or "checkpointed" (no budget: segments of
about √τ steps). Against a memory budget (`SHARES` of the whole; τ = 1000, two sizes of LSTM):
bptt_cost_budgets.csv. That τ is the one of which Gruslys et al. (2016) speak in their abstract.

    bytes               the trace and its gradient; for checkpoints, `bytes_kept`: exact
    steps_run           steps computed forward; τ is the least
    seconds, low, high  median and quartiles of 21
    forward             (whole) median share of the time that the forward pass took
    ratio, ratio_low, ratio_high    time / time of "whole" in the same turn: median, quartiles

Times are this thread's processor time, so that what else the machine does counts little. The ways
take turns, `TURNS` times, and in each turn one run does not count and `TIMED` do: the memory of the
last one is used again, as in training. (New memory is dear: for the larger LSTM it makes the whole
about four times as slow.)
"""

import gc
import time
from itertools import product

import numpy as np
import table
from tqdm import tqdm

from rnnlib import LSTMCell, RNNCell, backward, bptt, forward, memory

LENGTHS = (1000, 2000, 5000, 10_000, 20_000, 50_000)
CELLS = {"RNN": RNNCell, "LSTM": LSTMCell}
SMALL, LARGE = (1, 4, 16), (16, 32, 64)  # sequences, inputs, units
SHARES = (0.6, 0.4, 0.3, 0.2, 0.1, 0.06, 0.05, 0.025, 0.02, 0.019, 0.018, 0.017, 0.0165)
TURNS, TIMED = 7, 3


def setting(kind, steps, size):
    """(cell, xs, dh): the loss sends the same dh (1, B, H) into every step."""
    batch, inputs, units = size
    xs = np.random.default_rng(0).normal(size=(steps, batch, inputs))
    return CELLS[kind].init(inputs, units), xs, np.ones((1, batch, units))


def whole(cell, xs, dh):
    """Keep every step: {bytes, steps_run, forward}, the seconds of the forward pass."""
    start = time.thread_time()
    trace = forward(cell, xs)
    taken = time.thread_time() - start
    dtrace, _ = backward(cell, trace, np.broadcast_to(dh, trace.h.shape))
    held = sum(v.nbytes for record in (trace, dtrace) for v in record.fields().values())
    return {"bytes": held, "steps_run": len(xs), "forward": taken}


def checkpointed(cell, xs, dh, budget=None):
    """Keep a few states: {bytes, steps_run}."""
    result = bptt.checkpointed(cell, xs, lambda t, hs: np.broadcast_to(dh, hs.shape), budget=budget)
    return {"bytes": result.bytes_kept, "steps_run": result.steps_run}


def measure(runs):
    """The columns for each run(), the first being the whole: what it says, and its times."""
    times, shares, facts = np.empty((len(runs), TURNS, TIMED)), [], [None] * len(runs)
    for turn, (j, run) in product(range(TURNS), enumerate(runs)):
        memory.release()
        run()                       # its own memory is at hand for the next ones, as in training
        for i in range(TIMED):
            gc.collect()
            start = time.thread_time()
            facts[j] = run()
            times[j, turn, i] = time.thread_time() - start
            if j == 0:
                shares.append(facts[j].pop("forward") / times[j, turn, i])
    return [
        facts[j] | quartiles(times[j], "seconds", "low", "high")
        | {"forward": "" if j else table.short(np.median(shares))}
        | quartiles(times[j] / times[0], "ratio", "ratio_low", "ratio_high")
        for j in range(len(runs))
    ]


def quartiles(values, *names):
    """{names: median, low and high quartile}."""
    found = np.percentile(values, [50, 25, 75])
    return dict(zip(names, map(table.short, found), strict=True))


def against_length(kind, steps):
    """Two rows: whole and checkpointed."""
    one = setting(kind, steps, SMALL)
    found = measure([lambda: whole(*one), lambda: checkpointed(*one)])
    return [
        {"cell": kind, "steps": steps, "way": way} | columns
        for way, columns in zip(("whole", "checkpointed"), found, strict=True)
    ]


def against_budget(size, steps=1000):
    """A row for the whole, one without a budget, and one for each of the `SHARES`."""
    one = setting("LSTM", steps, size)
    full = whole(*one)["bytes"]
    runs = [lambda: whole(*one), lambda: checkpointed(*one)]
    runs += [lambda share=share: checkpointed(*one, budget=int(share * full)) for share in SHARES]
    names = dict(zip(("batch", "inputs", "units"), size, strict=True))
    found = measure(runs)
    return [
        {"cell": "LSTM", **names, "steps": steps, "budget": budget, "share": share(columns, full)}
        | columns for budget, columns in zip(("whole", "none", *SHARES), found, strict=True)
    ]


def share(columns, full):
    """Which part of the memory of the whole was taken."""
    return table.short(columns["bytes"] / full)


def main():
    """Measure everything and write both files."""
    with table.seconds():
        settings = [(kind, steps) for steps in LENGTHS for kind in CELLS]
        rows = [row for one in tqdm(settings) for row in against_length(*one)]
        table.write(table.RESULTS / "bptt_cost.csv", rows)
        rows = [row for size in tqdm([SMALL, LARGE]) for row in against_budget(size)]
        table.write(table.RESULTS / "bptt_cost_budgets.csv", rows)


if __name__ == "__main__":
    main()
