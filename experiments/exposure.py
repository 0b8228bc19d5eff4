"""What becomes of a writer that was never shown its own mistakes? (chapter 8)

An encoder-decoder (GRU, 40 units, no attention) reads digits and writes them: six of any kind
once ("list"), or three or four different ones round and round, ten in all. Three trainings, on
the same sequences from the same weights. At each step the decoder is given the digit that comes
before: the right one, or one drawn from what it finds likely itself, taken as a constant.

    teacher     always the right one
    scheduled   its own with a probability that rises evenly from 0 to 1 (Bengio et al. 2015)
    own         always its own

800 updates of Adam at rate 0.01 on 64 sequences each, gradients clipped at norm 1. Lists whose
sum is a multiple of 5 are in no training; 500 of these are the test. A seed draws weights and
sequences. Of each network:

    exact          share of sequences written without an error, on its own. With the right digit
                   given at each step it is the same: up to its first error both are one.
    curve          the same after 100, 200, 400, 600 and 800 updates
    teacher, free  share of errors at each place, given the right beginning and on its own
    after_slip     share right at each place after a slip: at place k a wrong digit, all nine
                   equally likely, is put in the place of the right one; before it all is right,
                   after it the network is on its own. One row of numbers for each k.
    after_right    the same with the right digit at place k
    owed           share of sequences that go on, after a slip at place 3, with the very digit that
                   the slip took the place of (unless it is due at place 4 as well)
    late           share that go on with all that was due from place 3, each one place late

    python experiments/exposure.py        # about 6 minutes of one core

Writes exposure.csv (a row per network), exposure_summary.csv, exposure_places.csv (errors by
place) and exposure_slips.csv (after a slip at each place), means with Student's intervals over the
seeds, and exposure_networks.csv (the networks of seed 0, for the book's figure).
"""

import argparse
import sys

import numpy as np
import runner
import table

from rnnlib import losses, optim, seq2seq, train
from rnnlib.seq2seq import teacher_inputs
from rnnlib.widgets import digit_writers as writers

UPDATES, MOMENTS, RATE, CLIP, BATCH, TEST = 800, (100, 200, 400, 600, 800), 0.01, 1.0, 64, 500
SHOWN = 0  # the seed whose networks are stored
SLIP = 3  # the place of the slip in the summary
KEY = ("task", "regime", "seed")
OWN = writers.OWN


def share_own(regime, step):
    """The probability that the decoder is given its own digit in this update."""
    return {"teacher": 0.0, "scheduled": step / UPDATES, "own": 1.0}[regime]


def batches(task, regime, seed):
    """A function of the step: (xs, lengths, targets, what is given, a Generator for its own)."""
    def draw(step):
        rng, coins = (np.random.default_rng([seed, stream, step]) for stream in (1, 2))
        lists = writers.draw(task, BATCH, rng)
        targets = writers.asked(task, lists)
        own = coins.random(targets.shape) < share_own(regime, step)
        return *writers.encode(lists), targets, np.where(own, OWN, targets), coins
    return draw


def loss_and_grads(model, batch):
    """The loss against the right digits, whatever the decoder was given; its gradient."""
    xs, lengths, targets, given, coins = batch
    before = targets
    if (given == OWN).any():
        before = writers.write(model, xs, lengths, given, rng=coins).symbols
    trace = seq2seq.forward(model, xs, inputs(before), lengths=lengths)
    loss, dlogits = losses.softmax_cross_entropy(trace.logits, targets)
    return loss, seq2seq.backward(model, trace, dlogits)[1]


def inputs(before):
    """What the decoder reads, (T, B, 11), of what is written."""
    return teacher_inputs(before, writers.START, writers.DIGITS + 1).astype(np.float32)


def trained(task, regime, seed, updates=UPDATES):
    """[(updates, network)] at the MOMENTS of a training, the last of them trained to the end."""
    return train.fit(
        writers.network(np.random.default_rng([seed, 0])), loss_and_grads,
        batches(task, regime, seed), optim.Adam(RATE), steps=updates, clip=CLIP, progress=False,
        record_at=[k for k in MOMENTS if k <= updates],
    ).snapshots


# --- what is measured -------------------------------------------------------------------------


def test(task, seed):
    """(lists, targets (T, 500)) that are in no training."""
    lists = writers.draw(task, TEST, np.random.default_rng([seed, 3]), held_out=True)
    return lists, writers.asked(task, lists)


def wrong_digits(targets, seed):
    """A wrong digit for every place, (T, B), all nine equally likely."""
    rng = np.random.default_rng([seed, 4])
    return (targets + rng.integers(1, 10, targets.shape)) % 10


def on_its_own(model, lists, targets):
    """Is each digit right, (T, B), when the network writes alone?"""
    return writers.write(model, *writers.encode(lists), np.full_like(targets, OWN)).symbols \
        == targets


def taught(model, lists, targets):
    """Is each digit right, (T, B), given all the right ones before it?"""
    xs, lengths = writers.encode(lists)
    logits = seq2seq.forward(model, xs, inputs(targets), lengths=lengths).logits
    return logits.argmax(axis=-1) == targets


def after(model, lists, targets, wrong):
    """Share right (T-1, T) at each place, a row for each place k of `wrong`; nan up to k."""
    T, found = len(targets), []
    for k in range(1, T):
        given = writers.slipped(targets, k, wrong[k - 1])
        said = writers.write(model, *writers.encode(lists), given).symbols
        found.append(np.where(np.arange(T) < k, np.nan, (said == targets).mean(axis=1)))
    return np.array(found)


def kept_back(model, lists, targets, wrong):
    """(owed, late): what is written after a slip at place SLIP, if not what is due there."""
    given = writers.slipped(targets, SLIP, wrong[SLIP - 1])
    said = writers.write(model, *writers.encode(lists), given).symbols[SLIP:]
    late = said == targets[SLIP - 1 : -1]
    told_apart = targets[SLIP] != targets[SLIP - 1]
    return late[0, told_apart].mean(), late.all(axis=0).mean()


def run(job):
    """Train and measure one network: its results."""
    moments = trained(job["task"], job["regime"], job["seed"])
    model, (lists, targets) = moments[-1][1], test(job["task"], job["seed"])
    exact = [on_its_own(one, lists, targets).all(axis=0).mean() for _, one in moments]
    free, teacher = (1 - f(model, lists, targets).mean(axis=1) for f in (on_its_own, taught))
    wrong = wrong_digits(targets, job["seed"])
    slips = after(model, lists, targets, wrong)
    rights = after(model, lists, targets, targets)
    each = {"curve": exact, "teacher": teacher, "free": free,
            "after_slip": slips[~np.isnan(slips)], "after_right": rights[~np.isnan(rights)]}
    owed, late = map(table.short, kept_back(model, lists, targets, wrong))
    return {"exact": table.short(exact[-1]), "owed": owed, "late": late,
            **{name: _text(values) for name, values in each.items()}}


def _text(values):
    return " ".join(map(table.short, values))


def _numbers(text):
    return np.array(text.split(), float)


# --- the summaries ----------------------------------------------------------------------------


def matrix(row, name):
    """`after_slip` or `after_right` of a row as (T-1, T), nan up to the slip."""
    T = writers.TASKS[row["task"]][2]
    found = np.full((T - 1, T), np.nan)
    found[np.triu_indices(T - 1, k=1, m=T)] = _numbers(row[name])
    return found


def scores(row):
    """The numbers of a row that the summary has: what -> number."""
    errors = {name: _numbers(row[name]).mean() for name in ("teacher", "free")}
    slip, right = (np.nanmean(matrix(row, f"after_{what}")[SLIP - 1]) for what in ("slip", "right"))
    early = zip(MOMENTS[:-1], _numbers(row["curve"])[:-1], strict=True)
    return {"exact": float(row["exact"]), **{f"exact {k}": share for k, share in early}, **errors,
            "after_slip": slip, "after_right": right, "kept": slip / right,
            "owed": float(row["owed"]), "late": float(row["late"])}


def summary(rows):
    """Means over the seeds, and the differences of the regimes from "teacher", seed by seed."""
    for task in writers.TASKS:
        found = {}
        for row in rows:
            if row["task"] == task:
                found.setdefault(row["regime"], {})[row["seed"]] = scores(row)
        for regime, seeds in found.items():
            for what in next(iter(seeds.values())):
                values = [one[what] for one in seeds.values()]
                yield {"task": task, "regime": regime, "what": what, **_interval(values)}
                if regime != "teacher" and seeds.keys() <= found.get("teacher", {}).keys():
                    less = [one[what] - found["teacher"][seed][what] for seed, one in seeds.items()]
                    yield {"task": task, "regime": f"{regime} - teacher", "what": what,
                           **_interval(less)}


def places(rows):
    """The share of errors at each place, given the right beginning and on its own."""
    for (task, regime), mine in _groups(rows):
        for how in ("teacher", "free"):
            for place, values in enumerate(np.array([_numbers(row[how]) for row in mine]).T, 1):
                yield {"task": task, "regime": regime, "given": how, "place": place,
                       **_interval(values)}


def slips(rows):
    """The share right at each place after a slip at each place before it."""
    for (task, regime), mine in _groups(rows):
        for name in ("after_slip", "after_right"):
            each = np.array([matrix(row, name) for row in mine])
            for k, t in zip(*np.triu_indices(each.shape[1], k=1, m=each.shape[2]), strict=True):
                yield {"task": task, "regime": regime, "what": name, "slip": k + 1, "place": t + 1,
                       **_interval(each[:, k, t])}


def _groups(rows):
    for task in writers.TASKS:
        for regime in writers.REGIMES:
            mine = [row for row in rows if (row["task"], row["regime"]) == (task, regime)]
            if mine:
                yield (task, regime), mine


def _interval(values):
    return {"networks": len(values), **table.mean_texts(values)}


def store(folder, fresh):
    """Write the networks of seed SHOWN, trained again to the bit."""
    path = folder / f"{writers.FILE}.csv"
    if fresh or not path.exists():
        table.write(path, writers.rows_of({
            (task, regime): trained(task, regime, SHOWN)[-1][1]
            for task in writers.TASKS for regime in writers.REGIMES}))


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    runner.add_arguments(parser, seeds=10)
    args = parser.parse_args(argv)
    jobs = [{"task": task, "regime": regime, "seed": seed} for seed in runner.seeds(args)
            for task in writers.TASKS for regime in writers.REGIMES]
    with table.seconds():
        missing = runner.run(run, jobs, args.out / "exposure.csv", KEY, args)
        rows = table.read(args.out / "exposure.csv")
        for name, made in (("summary", summary), ("places", places), ("slips", slips)):
            table.write(args.out / f"exposure_{name}.csv", list(made(rows)))
        store(args.out, args.fresh)
    return missing


if __name__ == "__main__":
    sys.exit(main())
