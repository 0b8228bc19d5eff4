"""How often does a network learn to keep one bit, by how long it must be kept? (chapter 4)

The latching task of Bengio, Simard and Frasconi (1994), as `rnnlib.tasks.latch` makes it: the first
input is +1 or -1, the others are noise of variance 0.2, and the answer is asked after the last. The
lag is the number of steps in between. Every network learns by itself, from its own seed.

    uniform     RNNCell, W from ±1/√H, as torch starts
    gaussian    RNNCell, W from normal(0, 1/H): spectral radius about 1
    orthogonal  RNNCell, W Wᵀ = I
    leaky       LeakyRNNCell, α = 0.9: a time-scale of 1 / (1 - α) = 10 steps; W from ±1/√H
    skip        SkipRNNCell, a second way through time from 10 steps ago; W from ±1/√H
    fast        as uniform, but at rate 3
    adam        as uniform, but trained by Adam
    lstm        LSTMCell of 10 units, forget bias 1, trained by Adam (chapter 5; to lag 80)
    lstm_5      the same with forget bias 5

The same for all: 10 units, tanh, an output layer of two classes, cross-entropy of the last answer,
600 updates with 20 new sequences each, the gradient clipped at norm 1, plain gradient descent at
rate 1 (Adam: 0.03), the best of three in a pilot (experiments/README.md; `fast` was added when a
larger rate turned out to be better still). A seed draws weights, training and test sequences; all
variants of a seed and lag see the same sequences.

Solved: at least 95% of 1,000 new sequences right. `gradient_ratio` is ‖dL/dh_1‖ / ‖dL/dh_T‖ before
training, the median over 100 sequences.

Guessing: one tanh unit that answers with the sign of h_T has three weights (U, W, b); draw them
from uniform(-100, 100) until they solve the task, as "Evaluating Long-Term Dependency Benchmark
Problems by Random Guessing" does (2001, idsia.ch/~juergen/guessing2001, latch variant II). A draw
is shown 20 sequences; if all are right it is tested like a trained network, and the test counts
as sequences seen, too.

Writes success_by_lag.csv (a row per network), success_by_lag_summary.csv (Wilson's intervals),
success_by_lag_guessing.csv (a row per seed and lag) and success_by_lag_guessing_summary.csv.
"""

import argparse
import itertools
import sys
from math import comb

import numpy as np
import runner
import table

from rnnlib import LeakyRNNCell, LSTMCell, OutputLayer, RNNCell, forward, optim, tasks, train
from rnnlib.skip import SkipRNNCell
from rnnlib.watch import Answering

HIDDEN, BATCH, UPDATES, CLIP = 10, 20, 600, 1.0
TESTED, SOLVED = 1000, 0.95
BOUND = 100.0  # of the guessed weights
ANSWERS = Answering("cross_entropy")  # of the one answer after the last step
UNITS = {
    "uniform": lambda rng: RNNCell.init(1, HIDDEN, rng=rng),
    "gaussian": lambda rng: RNNCell.init(1, HIDDEN, start="gaussian", rng=rng),
    "orthogonal": lambda rng: RNNCell.init(1, HIDDEN, start="orthogonal", rng=rng),
    "leaky": lambda rng: LeakyRNNCell.init(1, HIDDEN, alpha=0.9, rng=rng),
    "skip": lambda rng: SkipRNNCell.init(1, HIDDEN, skip=10, rng=rng),
}
#: variant -> (how its cell begins, its optimiser)
VARIANTS = {name: (init, optim.SGD) for name, init in UNITS.items()}
VARIANTS |= {"fast": (UNITS["uniform"], optim.SGD), "adam": (UNITS["uniform"], optim.Adam)}
VARIANTS |= {
    "lstm": (lambda rng: LSTMCell.init(1, HIDDEN, rng=rng), optim.Adam),
    "lstm_5": (lambda rng: LSTMCell.init(1, HIDDEN, forget_bias=5, rng=rng), optim.Adam),
}
RATES = dict.fromkeys(UNITS, 1.0) | {"fast": 3.0} | dict.fromkeys(("adam", "lstm", "lstm_5"), 0.03)
LAGS = (5, 10, 15, 20, 40, 80, 160, 320)
LONGEST = {"lstm": 80, "lstm_5": 80}  # the lag at which a variant ends, if not the last
KEY = ("variant", "lag", "rate", "updates", "seed")
GUESS_KEY = ("lag", "seed")


def gradient_ratio(cell, out, batch):
    """‖dL/dh_1‖ / ‖dL/dh_T‖, the median over the sequences of the batch."""
    _, dtrace = ANSWERS.look((cell, out), batch)
    norms = np.linalg.norm(dtrace.h, axis=-1)
    return np.median(norms[0] / norms[-1])


def accuracy(says, lag, rng):
    """The share of new sequences that says(xs), a class for each, is right about."""
    batch = tasks.latch(TESTED, lag + 1, rng=rng)
    return (says(batch.xs) == batch.targets[0]).mean()


def run(job):
    """Train and test one network: its results."""
    lag, streams = job["lag"], np.random.SeedSequence([job["seed"], job["lag"]]).spawn(4)
    start, training, testing, before = map(np.random.default_rng, streams)
    init, optimiser = VARIANTS[job["variant"]]
    cell = init(start)
    out = OutputLayer.init(HIDDEN, 2, rng=start)
    ratio = gradient_ratio(cell, out, tasks.latch(100, lag + 1, rng=before))
    trained = train.fit(
        (cell, out), ANSWERS.loss_and_grads, lambda _: tasks.latch(BATCH, lag + 1, rng=training),
        optimiser(job["rate"]), steps=job["updates"], clip=CLIP, progress=False,
    )
    cell, out = trained.params
    share = accuracy(lambda xs: out.logits(forward(cell, xs).h_end[None])[0].argmax(-1),
                     lag, testing)
    return {"accuracy": table.short(share), "solved": int(share >= SOLVED),
            "gradient_ratio": table.short(ratio)}


def guess(job):
    """Draw one unit's weights until they solve the task: how many draws, and what they saw."""
    lag, rng = job["lag"], np.random.default_rng([job["seed"], job["lag"], 1])
    seen = 0
    for draws in itertools.count(1):
        U, W, b = rng.uniform(-BOUND, BOUND, 3)
        cell = RNNCell(U=np.array([[U]]), W=np.array([[W]]), b=np.array([b]))

        def says(xs, cell=cell):
            return forward(cell, xs).h_end[:, 0] > 0

        batch = tasks.latch(BATCH, lag + 1, rng=rng)
        seen += BATCH
        if (says(batch.xs) == batch.targets[0]).all():
            share = accuracy(says, lag, rng)
            seen += TESTED
            if share >= SOLVED:
                return {"draws": draws, "sequences": seen, "accuracy": table.short(share)}


def summarise(folder):
    """How many are solved, with Wilson's intervals; the median number of draws."""
    groups = {}
    for row in table.read(folder / "success_by_lag.csv"):
        groups.setdefault(tuple(row[name] for name in KEY[:-1]), []).append(row)
    summary = []
    for values, rows in groups.items():
        solved = sum(int(row["solved"]) for row in rows)
        shares = map(table.short, table.share_interval(solved, len(rows)))
        ratio = np.median([float(row["gradient_ratio"]) for row in rows])
        summary.append(dict(zip(KEY[:-1], values, strict=True)) | {
            "solved": solved, "n": len(rows),
            **dict(zip(("share", "low", "high"), shares, strict=True)),
            "gradient_ratio": table.short(ratio),
        })
    if summary:
        table.write(folder / "success_by_lag_summary.csv", summary)
    summarise_guessing(folder)


def median_interval(values):
    """(median, low, high): between two order statistics, at least 95% (binomial)."""
    values, n = np.sort(values), len(values)
    below = np.cumsum([comb(n, k) for k in range(n)]) / 2**n    # P(at most k values lie below)
    k = int(np.searchsorted(below, 0.025, side="right")) - 1    # the last that is under 2.5%
    return np.median(values), values[max(k, 0)], values[n - 1 - max(k, 0)]


def summarise_guessing(folder):
    groups = {}
    for row in table.read(folder / "success_by_lag_guessing.csv"):
        groups.setdefault(row["lag"], []).append(row)
    summary = []
    for lag, rows in groups.items():
        out = {"lag": lag, "n": len(rows)}
        for name in ("draws", "sequences"):
            values = median_interval([int(row[name]) for row in rows])
            names = (name, f"{name}_low", f"{name}_high")
            out |= dict(zip(names, map(table.short, values), strict=True))
        summary.append(out)
    if summary:
        table.write(folder / "success_by_lag_guessing_summary.csv", summary)


def arguments(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    runner.add_arguments(parser, seeds=20)
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--lags", nargs="+", type=int, default=LAGS)
    parser.add_argument("--rates", nargs="+", type=float, help="rates of Adam, if not as usual")
    parser.add_argument("--updates", type=int, default=UPDATES)
    return parser.parse_args(argv)


def to_do(args):
    """All jobs: of training, and of guessing."""
    trained = [
        {"variant": variant, "lag": lag, "rate": rate, "updates": args.updates, "seed": seed}
        for seed in runner.seeds(args)
        for lag in args.lags
        for variant in args.variants
        for rate in args.rates or [RATES[variant]]
        if lag <= LONGEST.get(variant, np.inf)
    ]
    guessed = [{"lag": lag, "seed": seed} for seed in runner.seeds(args) for lag in args.lags]
    return trained, guessed


def main(argv=None):
    args = arguments(argv)
    trained, guessed = to_do(args)
    with table.seconds():
        missing = [
            runner.run(run, trained, args.out / "success_by_lag.csv", KEY, args),
            runner.run(guess, guessed, args.out / "success_by_lag_guessing.csv", GUESS_KEY, args),
        ]
        summarise(args.out)
    return "\n".join(filter(None, missing)) or None


if __name__ == "__main__":
    sys.exit(main())
