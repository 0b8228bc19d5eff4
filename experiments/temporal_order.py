"""Clipping and a pull against vanishing: which learn temporal order, and how soon? (chapter 10)

The task of Pascanu, Mikolov and Bengio (2013, section 4.1.1), `rnnlib.tasks.temporal_order`: name
the order of two symbols that stand a tenth and half of the way through a sequence. As there, a tanh
network of 50 units, batches of 20 new sequences, plain gradient descent at rate 0.01, and

    SGD      nothing else
    SGD-C    the gradient clipped at norm 1
    SGD-CR   4 Ω added to the loss, then clipped; Ω of their equation 9, `rnnlib.regularisers.omega`

A run succeeds when fewer than 1% of 10,000 new sequences are named wrongly, and ends there. That
is tested every 50 updates at which at most 1% of the last 1,000 training sequences were wrong, and
after the last of UPDATES updates, where they allowed 5 million. A gradient that is not a finite
number ends a run, too, as a failure (`diverged`).

Starts: `sparse`, their "smart tanh": 15 weights normal(0, 1) into each unit, scaled to ρ(W) = 0.95,
U and V normal(0, 0.01²), biases 0. `dense`, their "basic tanh": W, U, V normal(0, 0.1²), which
makes ρ(W) about 0.7. The numbers 0.01 and 0.1 are standard deviations in their published code.

A row has, of 100 new sequences, the median of ‖dL/dh_1‖ / ‖dL/dh_T‖ before training and at the end,
the spectral radius of W likewise, the largest norm of a gradient before it was clipped, and the
error on 10,000 new sequences at the end. A seed draws weights, training and test sequences; the
methods of a seed, start and length see the same weights and sequences. Numbers are float32, the
passes those of lean_rnn.py (a test asserts that they are rnnlib's).

`longer`: networks trained by SGD-CR from the sparse start and tested on 1,000 sequences of each of
TESTED: those of length 40, the longest at which all succeed, trained once more to the same weights,
and others that see for each update a length drawn from 20 to 40. These are not tested once more
after the last update: `solved` means by the tests on the way. (The authors' networks, trained on
lengths drawn from 50 to 200, made no error in 10,000 up to length 5,000.)

`patient`: SGD-CR from the sparse start at length 60 again, allowed three times as many updates.

    python experiments/temporal_order.py        # a part of it with --starts, --methods, --lengths

Writes temporal_order.csv (a row per network), temporal_order_summary.csv (a row per start, method
and length, Wilson's intervals), temporal_order_curve.csv (the same after fewer updates) and
temporal_order_longer.csv and temporal_order_patient.csv (a row per network).
"""

import argparse
import itertools
import sys

import numpy as np
import runner
import table
from lean_rnn import Passes, as_network, gradients
from success_by_lag import gradient_ratio

from rnnlib import tasks

HIDDEN, INPUTS, CLASSES = 50, len(tasks.ORDER_SYMBOLS), len(tasks.ORDER_CLASSES)
BATCH, RATE, CLIP, WEIGHT = 20, 0.01, 1.0, 4.0
UPDATES, PATIENCE = 10_000, 30_000
SOLVED, TESTS, LOOK, PROMISING = 0.01, 10_000, 50, 0.01
LENGTHS = {"sparse": (20, 40, 60), "dense": (20, 40)}
LONG, SLOW, SHORTEST, TESTED = 40, 60, (20, 40), (20, 30, 40, 60, 100, 200, 500, 1000, 2000)
METHODS = {"SGD": (False, 0.0), "SGD-C": (True, 0.0), "SGD-CR": (True, WEIGHT)}
GRID = (100, 150, 200, 250, 300, 400, 500, 600, 700, 800, 1000, 1200, 1500, 2000, 2500, 3000, 4000,
        5000, 6000, 8000, 10_000)  # updates after which temporal_order_curve.csv counts successes
KEY = ("start", "method", "length", "seed")


def network(start, rng):
    """[W U b] (H, H + D + 1) and [V c] (K, H + 1), before training."""
    shapes = (HIDDEN, HIDDEN), (HIDDEN, INPUTS), (CLASSES, HIDDEN)
    if start == "dense":
        W, U, V = (rng.normal(0, 0.1, shape) for shape in shapes)
    else:
        U, V = (rng.normal(0, 0.01, shape) for shape in shapes[1:])
        W = rng.normal(size=(HIDDEN, HIDDEN))
        for row in W:
            row[rng.permutation(HIDDEN)[15:]] = 0
        W *= 0.95 / radius(W)
    return (np.concatenate([W, U, np.zeros((HIDDEN, 1))], axis=1).astype(np.float32),
            np.concatenate([V, np.zeros((CLASSES, 1))], axis=1).astype(np.float32))


def radius(W):
    """ρ(W)."""
    return np.abs(np.linalg.eigvals(np.asarray(W, float))).max()


def some_length(length, rng):
    """`length` itself, or one of the pair (shortest, longest), both included."""
    return length if isinstance(length, int) else int(rng.integers(length[0], length[1] + 1))


def batches(length, rng):
    """For ever: (xs, targets) of 20 new sequences, all of one length."""
    many = BATCH * (LOOK if isinstance(length, int) else 1)
    while True:
        drawn = tasks.temporal_order(many, some_length(length, rng), rng=rng)
        for k in range(0, many, BATCH):
            yield drawn.xs[:, k : k + BATCH], drawn.targets[0, k : k + BATCH]


def error(P, Q, length, rng, tests=TESTS, enough=np.inf):
    """The share of wrong answers to new sequences, drawn a thousand at a time.

    None as soon as it can no longer be under `enough`.
    """
    wrong, W = 0, np.ascontiguousarray(P[:, :HIDDEN].T)
    for _ in range(tests // 1000):
        batch = tasks.temporal_order(1000, some_length(length, rng), rng=rng)
        h = np.zeros((1000, HIDDEN), P.dtype)
        for x in batch.xs.astype(P.dtype):
            h = np.tanh(h @ W + x @ P[:, HIDDEN:-1].T + P[:, -1])
        wrong += int(((h @ Q[:, :-1].T + Q[:, -1]).argmax(axis=1) != batch.targets[0]).sum())
        if wrong >= enough * tests:
            return None
    return wrong / tests


def train(P, Q, method, length, training, testing, limit):
    """Descend until success, or for `limit` updates; P and Q are changed.

    (updates, error or None if it was not tested at the end, largest norm, diverged)
    """
    (clips, weight), passes = METHODS[method], Passes(np.max(length), P, BATCH)
    largest, wrong = 0.0, 0
    drawn = itertools.islice(batches(length, training), limit)
    for update, (xs, targets) in enumerate(drawn, 1):
        missed, dP, dQ = gradients(passes, P, Q, xs, targets, weight)
        norm = float(np.sqrt(np.square(dP, dtype=float).sum() + np.square(dQ, dtype=float).sum()))
        if not np.isfinite(norm):
            return update, None, largest, True
        largest, wrong = max(largest, norm), wrong + missed
        step = P.dtype.type(RATE * (CLIP / norm if clips and norm > CLIP else 1))
        P -= step * dP
        Q -= step * dQ
        if update % LOOK == 0:
            if wrong <= PROMISING * LOOK * BATCH:
                found = error(P, Q, length, testing, enough=SOLVED)
                if found is not None:
                    return update, found, largest, False
            wrong = 0
    return limit, None, largest, False


def begin(job):
    """(P, Q, generators of training, testing and looking) of a job.

    The method draws nothing: all methods begin alike and see the same sequences.
    """
    streams = np.random.SeedSequence([job["seed"], job["length"], job["start"] == "dense"]).spawn(4)
    start, *others = map(np.random.default_rng, streams)
    return *network(job["start"], start), *others


def run(job, limit=UPDATES):
    """Train and test one network: its results."""
    P, Q, training, testing, looking = begin(job)
    length, probe = job["length"], tasks.temporal_order(100, job["length"], rng=looking)
    before = {"radius_start": radius(P[:, :HIDDEN]),
              "ratio_start": gradient_ratio(*as_network(P, Q), probe)}
    updates, found, largest, diverged = train(
        P, Q, job["method"], length, training, testing, limit)
    if found is None:
        found = error(P, Q, length, testing)
    numbers = before | {
        "radius_end": radius(P[:, :HIDDEN]), "ratio_end": gradient_ratio(*as_network(P, Q), probe),
        "largest_norm": largest, "error": found}
    solved = found < SOLVED and not diverged
    return {"solved": int(solved), "updates": updates, "diverged": int(diverged)} | {
        name: table.short(value) for name, value in numbers.items()}


def patient(job):
    """`run` with PATIENCE updates; until UPDATES it is the same training."""
    return run(job, PATIENCE)


def longer(job):
    """Train a network on lengths from job["shortest"] to LONG, and test it on longer sequences."""
    start = {"start": "sparse", "length": LONG, "seed": job["seed"]}
    P, Q, training, testing, looking = begin(start)
    length = LONG if job["shortest"] == LONG else (job["shortest"], LONG)
    updates, found, *_ = train(P, Q, "SGD-CR", length, training, testing, UPDATES)
    errors = {f"at_{T}": table.short(error(P, Q, T, looking, 1000)) for T in TESTED}
    return {"solved": int(found is not None), "updates": updates, **errors}


def successes(rows, updates):
    """How many have succeeded after so many updates, with Wilson's interval."""
    solved = sum(int(row["solved"]) and int(row["updates"]) <= updates for row in rows)
    share = table.texts(table.share_interval(solved, len(rows)), "share", "low", "high")
    return {"solved": solved, "n": len(rows)} | share


def curve(rows):
    """A row per start, method, length and number of updates of GRID."""
    for group, mine in table.groups(rows, KEY[:-1]):
        for updates in GRID:
            yield group | {"updates": updates} | successes(mine, updates)


def summary(rows):
    """A row per start, method and length: how many succeed, and the medians over the networks."""
    for group, mine in table.groups(rows, KEY[:-1]):
        taken = [int(row["updates"]) for row in mine if int(row["solved"])]
        yield group | successes(mine, UPDATES) | {
            "diverged": sum(int(row["diverged"]) for row in mine),
            "updates_of_solved": table.short(np.median(taken)) if taken else ""} | {
            name: table.short(np.median([float(row[name]) for row in mine])) for name in
             ("ratio_start", "ratio_end", "radius_start", "radius_end", "largest_norm")}


def arguments(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    runner.add_arguments(parser, seeds=10)
    parser.add_argument("--starts", nargs="+", choices=list(LENGTHS), default=list(LENGTHS))
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--lengths", nargs="+", type=int, help="if not all")
    return parser.parse_args(argv)


def main(argv=None):
    """Run what is missing, and sum it up."""
    args = arguments(argv)
    jobs = [{"start": start, "method": method, "length": length, "seed": seed}
            for start in args.starts for length in args.lengths or LENGTHS[start]
            for seed in runner.seeds(args) for method in args.methods]
    path = args.out / "temporal_order.csv"
    with table.seconds():
        missing = [runner.run(run, jobs, path, KEY, args), *more(args)]
        if rows := table.read(path):
            table.write(args.out / "temporal_order_summary.csv", list(summary(rows)))
            table.write(args.out / "temporal_order_curve.csv", list(curve(rows)))
    return "\n".join(filter(None, missing)) or None


def more(args):
    """Run what is missing of `longer` and `patient`, if their networks are asked for."""
    asked = "sparse" in args.starts and "SGD-CR" in args.methods
    lengths = (args.lengths or LENGTHS["sparse"]) if asked else ()
    again = [{"shortest": shortest, "seed": seed} for shortest in SHORTEST
             for seed in runner.seeds(args) if LONG in lengths]
    slow = [{"start": "sparse", "method": "SGD-CR", "length": SLOW, "seed": seed}
            for seed in runner.seeds(args) if SLOW in lengths]
    return [runner.run(longer, again, args.out / "temporal_order_longer.csv",
                       ("shortest", "seed"), args),
            runner.run(patient, slow, args.out / "temporal_order_patient.csv", KEY, args)]


if __name__ == "__main__":
    sys.exit(main())
