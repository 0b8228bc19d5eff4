"""Dates without attention, eight times as many updates: was it only impatience? (chapter 8)

`dates.py` stops after 1,000 updates, when networks with attention are right and those without are
not. Here the same networks, from the same starts and tested on the same held-out dates, learn on:

    none, none reversed     8,000 updates: 6,000 of Adam at rate 0.01, then 2,000 at 0.003
    additive                1,000 updates of Adam at rate 0.01, as in dates.py

All batches are of mixed length (64 new dates as they are drawn), where those of dates.py are of
like length: in pilots "none" learned more from them. "additive" is there to show what that does to
attention. When the rate falls, Adam begins anew with running averages of zero. Clipped at norm 1,
5 seeds. LUCKY is a network of the pilots, in a file of its own: it was not drawn like the others,
but looked at because it did well.

    python experiments/dates_patient.py        # about 20 minutes of one core

Writes dates_patient.csv (a row for each variant and seed: the share right of 2,400 held-out dates,
of 500 dates of days that it may have met, and of 500 held-out dates on the way) and
dates_patient_summary.csv: means with Student's intervals after each of MOMENTS (of 500 dates) and
at the end (of 2,400), at "trained days" (of 500), the differences of variants seed by seed, and
those of mixed and like length (from dates.csv) after 1,000 updates, of the 500 dates.
dates_patient_pilot.csv: the row of LUCKY.
"""

import argparse
import sys

import dates
import numpy as np
import runner
import table

from rnnlib import budget, optim, train

#: variant -> (rate, updates), one stage after the other
STAGES = {
    "none": ((0.01, 6000), (0.003, 2000)),
    "none reversed": ((0.01, 6000), (0.003, 2000)),
    "additive": ((0.01, 1000),),
}
MOMENTS = (0, 250, 500, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000)
LAST = 50  # updates whose mean loss is told, at the beginning and at the end
BOTH = 1000  # the updates after which dates.csv has looked as well
KEY = ("variant", "seed")
LUCKY = {"variant": "none", "seed": 1001}
PAIRS = (("additive", "none"), ("additive", "none reversed"), ("none reversed", "none"))


def mixed_length(rng, backwards=False):
    """Batches without end of new dates, in the order in which they are drawn."""
    while True:
        yield dates.batch(dates.drawn(dates.BATCH, rng), backwards)


def trained(variant, seed, stages, at=(), record=lambda model: model):
    """A training: (params, the losses, {updates: what was recorded after them})."""
    model = dates.network(variant, np.random.default_rng([seed, 0]))
    batches = mixed_length(np.random.default_rng([seed, 1]), variant == "none reversed")
    losses, seen, done = [], {}, 0
    for rate, count in stages:
        here = [k - done for k in at if k not in seen and done <= k <= done + count]
        history = train.fit(
            model, dates.loss_and_grads, lambda _: next(batches), optim.Adam(rate), steps=count,
            clip=dates.CLIP, record_at=here, record=record, progress=False)
        seen |= {done + k: found for k, found in history.snapshots}
        losses.append(history.losses)
        model, done = history.params, done + count
    return model, np.concatenate(losses), seen


def run(job):
    """Train and test one network: its results."""
    variant, seed = job["variant"], job["seed"]
    backwards, rng = variant == "none reversed", np.random.default_rng([seed, 2])

    def share(model, asked):
        return dates.right(model, asked, backwards).mean()

    on_the_way = dates.drawn(dates.ON_THE_WAY, rng, held=True)          # those of dates.py
    tests = [dates.drawn(dates.TEST // len(dates.FORMATS), rng, held=True, formats=(kind,))
             for kind in dates.FORMATS]
    known = dates.drawn(dates.ON_THE_WAY, np.random.default_rng([seed, 3]))
    model, losses, seen = trained(variant, seed, STAGES[variant], MOMENTS,
                                  lambda model: share(model, on_the_way))
    return {
        "hidden": model.encoder.output_size, "parameters": budget.parameters(model),
        "updates": len(losses), "first_loss": table.short(losses[:LAST].mean()),
        "loss": table.short(losses[-LAST:].mean()),
        "exact": table.short(np.mean([share(model, test) for test in tests])), "n": dates.TEST,
        "trained": table.short(share(model, known)), "curve": dates.numbers(list(seen.values())),
    }


def summary(rows, like):
    """Rows of the summary, from those of dates_patient.csv and, of like length, of dates.csv."""
    found = {(row["variant"], int(row["seed"])): row for row in rows}
    other = {(row["variant"], int(row["seed"])): row for row in like}

    def values(variant, name):
        return {seed: float(row[name]) for (who, seed), row in found.items() if who == variant}

    for variant in STAGES:
        for column, where in (("exact", "test"), ("trained", "trained days")):
            if shares := values(variant, column):
                yield line(variant, updates(variant), where, shares.values())
        curves = [row["curve"].split() for (who, _), row in found.items() if who == variant]
        for k, shares in zip(MOMENTS, zip(*curves, strict=True), strict=False):
            yield line(variant, k, "on the way", shares)
    for one, two in PAIRS:
        first, second = values(one, "exact"), values(two, "exact")
        if seeds := first.keys() & second.keys():
            yield line(f"{one} - {two}", "", "test", [first[s] - second[s] for s in seeds])
    for variant in STAGES:
        seeds = [seed for who, seed in found.keys() & other.keys() if who == variant]
        if seeds:
            gains = [at_both(found[variant, s], MOMENTS) - at_both(other[variant, s], dates.MOMENTS)
                     for s in seeds]
            yield line(f"{variant}: mixed - like length", BOTH, "on the way", gains)


def updates(variant):
    """How many updates a variant has."""
    return sum(count for _, count in STAGES[variant])


def at_both(row, moments):
    """The share right on the way after BOTH updates."""
    return float(row["curve"].split()[moments.index(BOTH)])


def line(what, updates, where, shares):
    """A row: the mean over the seeds, and Student's interval."""
    shares = np.array(list(shares), float)
    return dates.mean(np.sort(shares), what=what, updates=updates, where=where)


def main(argv=None):
    """Run what is missing, and sum it up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    runner.add_arguments(parser, seeds=5)
    args = parser.parse_args(argv)
    jobs = [{"variant": variant, "seed": seed} for seed in runner.seeds(args) for variant in STAGES]
    path = args.out / "dates_patient.csv"
    with table.seconds():
        missing = [runner.run(run, jobs, path, KEY, args),
                   runner.run(run, [LUCKY], args.out / "dates_patient_pilot.csv", KEY, args)]
        like = table.read(table.RESULTS / "dates.csv")
        table.write(args.out / "dates_patient_summary.csv", list(summary(table.read(path), like)))
    return "\n".join(filter(None, missing)) or None


if __name__ == "__main__":
    sys.exit(main())
