"""From which forget bias does an LSTM learn to keep one bit, and over how many steps? (chapter 5)

`keep` is the latching task of chapter 4 (`rnnlib.tasks.latch`, success_by_lag.py), with the same
noise, number of units, batch, clipping and bar; in place of the plain cells an LSTM that starts
with

    b_f = 0, 1, 2, 3, 4 or 5, or "drawn": from ±1/√H, like every other entry (forget_bias=None)

10 units, an output layer of two classes, cross-entropy, Adam at rate 0.003 for every bias (pilot:
experiments/README.md), 20 new sequences an update, the gradient clipped at norm 1. A seed draws
weights, training and test sequences: all biases of a seed and lag see the same sequences, and start
with the same weights, but for b_f.

Solved: at least 95% of 1,000 new sequences right. That is asked after 50, 100, 200 and 400 updates,
and a network that has solved its task is trained no longer. `solved_after` is 0 for those that
never did.

Before training, the gradient of the cell state on its way back from the answer,

    gradient_k = ‖dL/dc_{T-n}‖ / ‖dL/dc_T‖,   n = k · lag/5,  k = 1 .. 5     (k = 5: at the bit)

is the median over 100 sequences. At first order it is σ(b_f)ⁿ: the cell state's own path, and
forget gates that see nothing but their bias.

`drop` asks for the opposite, a state that must not stay as it is: the parity of the bits so far, at
each of 10 steps (`rnnlib.tasks.parity`). The rest is as above, but the rate is 0.01; it is asked
after every 10 of 400 updates, and solved means 95% of the 10,000 answers. The gradient stays empty.

    nice -n 10 python experiments/forget_bias.py --jobs 1       # about 6 minutes of one busy core

Writes forget_bias.csv (a row per network), forget_bias_summary.csv (how many had solved it by then,
Wilson's intervals), forget_bias_gradient.csv (median, least and most over the networks) and
forget_bias_drop_summary.csv (updates until solved, Student's intervals).
"""

import argparse
import sys

import numpy as np
import runner
import table

from rnnlib import LSTMCell, OutputLayer, forward, optim, tasks
from rnnlib.watch import Answering

HIDDEN, BATCH, CLIP = 10, 20, 1.0
RATES = {"keep": 0.003, "drop": 0.01}            # of Adam
TESTED, SOLVED, PROBED, PARTS = 1000, 0.95, 100, 5
BIASES = ("drawn", "0", "1", "2", "3", "4", "5")
LAGS = (5, 10, 20, 40, 80)
BITS = 10                                       # the length of `drop`
MOMENTS = {"keep": (50, 100, 200, 400), "drop": tuple(range(10, 401, 10))}
KEY = ("task", "bias", "lag", "seed")
ANSWERS = Answering("cross_entropy")


def network(bias, streams):
    """A cell of 10 units and its output layer, before training."""
    chosen = None if bias == "drawn" else float(bias)
    cell = LSTMCell.init(1, HIDDEN, forget_bias=chosen, rng=streams)
    return cell, OutputLayer.init(HIDDEN, 2, rng=streams)


def draw(job, count, rng):
    """That many sequences of the job's task."""
    if job["task"] == "keep":
        return tasks.latch(count, job["lag"] + 1, rng=rng)
    return tasks.parity(count, BITS, rng=rng)


def gradients(params, batch):
    """‖dL/dc_{T-n}‖ / ‖dL/dc_T‖ for n = 0 .. T - 1, (T,): the median over the sequences."""
    _, dtrace = ANSWERS.look(params, batch)
    norms = np.linalg.norm(dtrace.c, axis=-1)[::-1]
    return np.median(norms / norms[0], axis=1)


def accuracy(params, batch):
    """The share of the batch's answers that are right."""
    cell, out = params
    trace = forward(cell, batch.xs)
    hs = trace.h_end[None] if batch.at_end else trace.h
    return (out.logits(hs).argmax(axis=-1) == batch.targets).mean()


def train(params, job, training, testing):
    """Train until the task is solved, or to the last moment: (updates or 0, last accuracy)."""
    moments, optimiser = MOMENTS[job["task"]], optim.Adam(RATES[job["task"]])
    state, test = optimiser.init(params), draw(job, TESTED, testing)
    for update in range(1, moments[-1] + 1):
        _, grads = ANSWERS.loss_and_grads(params, draw(job, BATCH, training))
        grads, _ = optim.clip_by_norm(grads, CLIP)
        params, state = optimiser.update(params, grads, state)
        if update in moments and (share := accuracy(params, test)) >= SOLVED:
            return update, share
    return 0, share


def run(job):
    """Look at one network before training, train it, test it: its results."""
    streams = np.random.SeedSequence([job["seed"], job["lag"]]).spawn(4)
    start, training, testing, before = map(np.random.default_rng, streams)
    params, parts = network(job["bias"], start), [""] * PARTS
    if job["task"] == "keep":
        back = gradients(params, draw(job, PROBED, before))
        parts = [table.short(back[k * job["lag"] // PARTS]) for k in range(1, PARTS + 1)]
    after, share = train(params, job, training, testing)
    return {"solved_after": after, "accuracy": table.short(share),
            **{f"gradient_{k}": part for k, part in enumerate(parts, 1)}}


# --- what it comes to -------------------------------------------------------------------------


def groups(rows, task):
    """(bias, lag, the rows of its networks) for each bias and lag of the task."""
    found = {}
    for row in rows:
        if row["task"] == task:
            found.setdefault((row["bias"], int(row["lag"])), []).append(row)
    for (bias, lag), mine in found.items():
        yield bias, lag, mine


def interval(names, values):
    return dict(zip(names, map(table.short, values), strict=True))


def solved_by(rows):
    """A row per bias, lag and number of updates: how many networks had solved it by then."""
    for bias, lag, mine in groups(rows, "keep"):
        for updates in MOMENTS["keep"]:
            solved = sum(0 < int(row["solved_after"]) <= updates for row in mine)
            share = table.share_interval(solved, len(mine))
            yield {"bias": bias, "lag": lag, "updates": updates, "solved": solved, "n": len(mine),
                   **interval(("share", "low", "high"), share)}


def gradient_back(rows):
    """A row per bias, lag and steps back: the gradient over the networks, before training."""
    for bias, lag, mine in groups(rows, "keep"):
        for k in range(1, PARTS + 1):
            values = [float(row[f"gradient_{k}"]) for row in mine]
            found = np.median(values), min(values), max(values)
            yield {"bias": bias, "lag": lag, "back": k * lag // PARTS, "n": len(mine),
                   **interval(("median", "least", "most"), found)}


def until_dropped(rows):
    """A row per bias: how many solved parity, and the mean number of updates they took."""
    for bias, _, mine in groups(rows, "drop"):
        after = [int(row["solved_after"]) for row in mine if int(row["solved_after"])]
        yield {"bias": bias, "solved": len(after), "n": len(mine),
               **interval(("updates", "low", "high"), table.mean_interval(after))}


SUMMARIES = {"forget_bias_summary": solved_by, "forget_bias_gradient": gradient_back,
             "forget_bias_drop_summary": until_dropped}


def main(argv=None):
    """Run what is missing, and sum it up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    runner.add_arguments(parser, seeds=10)
    args = parser.parse_args(argv)
    lags = [("drop", BITS), *(("keep", lag) for lag in LAGS)]
    jobs = [{"task": task, "bias": bias, "lag": lag, "seed": seed} for task, lag in lags
            for seed in runner.seeds(args) for bias in BIASES]
    with table.seconds():
        missing = runner.run(run, jobs, args.out / "forget_bias.csv", KEY, args)
        rows = table.read(args.out / "forget_bias.csv")
        for name, summary in SUMMARIES.items():
            table.write(args.out / f"{name}.csv", list(summary(rows)))
    return missing


if __name__ == "__main__":
    sys.exit(main())
