"""Six optimisers on one recurrent task, and L2 on its weights. (chapter 10)

The task is temporal order over 20 steps, as in clipping_tried.py: W starts as 1.5 times an
orthogonal matrix, b = 0, and all gradients are clipped at norm 1. A seed draws weights and
sequences; all optimisers of a seed see the same.

    batch   16 tanh units, 20 sequences an update, 1,500 updates
    single  the same with one sequence an update, 4,000 updates
    wide    48 tanh units, 20 sequences an update, 1,500 updates

Solved: at least 95% of 200 other sequences right, asked every 25 updates (`single`: every 100);
`updates` is the first such count, or all of them for a network that is never there. Every optimiser
has the best of five or six rates, by the mean of `updates` over three other seeds
(optimisers_pilot.csv).

L2 (Goodfellow et al. 2016, section 7.1.1): `batch` by SGD on L + weight/2 Σ p² of U, W and V, at
rate 0.3 clipped at norm 1 as above, or not at all, and at rate 0.1 not clipped. After all updates:
`accuracy` on those 200 sequences, ρ(W), and `ratio`, ‖dL/dh_1‖ / ‖dL/dh_T‖ (means over those
sequences); `over` is the share of the updates at which the gradient of L was longer than 10.

    python experiments/optimisers.py            # optimisers*.csv
    python experiments/optimisers.py --pilot --seed 1000 --seeds 3

Writes optimisers.csv and optimisers_l2.csv (a row per network) and their summaries:
Wilson's intervals for counts, Student's for means; of `ratio` the median, between two of its
values.
"""

import argparse
import dataclasses
import sys
from pathlib import Path

import numpy as np
import side_by_side
import table
from success_by_lag import median_interval
from tqdm import tqdm

from rnnlib import OutputLayer, RNNCell, optim, tasks
from rnnlib.widgets.optimiser_race import OPTIMISERS

STEPS, CLIP, SOLVED, TESTED, OVER = 20, 1.0, 0.95, 200, 10.0
#: network -> (units, sequences an update, updates, asked every so many of them)
NETWORKS = {"batch": (16, 20, 1500, 25), "single": (16, 1, 4000, 100), "wide": (48, 20, 1500, 25)}
GRID = {  # the rates of the pilot
    "SGD": (0.03, 0.1, 0.3, 1.0, 3.0),
    "momentum": (0.001, 0.003, 0.01, 0.03, 0.1, 0.3),
    "Adagrad": (0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
    "Adadelta": (0.1, 0.3, 1.0, 3.0, 10.0),
    "RMSprop": (0.0003, 0.001, 0.003, 0.01, 0.03),
    "Adam": (0.001, 0.003, 0.01, 0.03, 0.1),
}
#: network -> the best of them, in the order of OPTIMISERS
RATES = {"batch": (0.3, 0.03, 0.03, 3.0, 0.003, 0.003),
         "single": (0.1, 0.003, 0.03, 1.0, 0.003, 0.003),
         "wide": (0.3, 0.03, 0.01, 1.0, 0.001, 0.01)}
WEIGHTS = (0.0, 1e-4, 1e-3, 1e-2, 3e-2, 1e-1)  # of L2
KEY = ("network", "optimiser", "rate", "seed")
L2_KEY = ("clip", "rate", "weight", "seed")
#: (clip, rate) with which L2 is tried; clip 0 is none
WAYS = ((CLIP, 0.3), (0.0, 0.3), (0.0, 0.1))
TOGETHER = 10  # seeds trained at a time


@dataclasses.dataclass(frozen=True)
class Setting:
    """How a group of networks is trained; clip 0 is none."""

    optimiser: optim.Optimizer
    clip: float = CLIP
    weight: float = 0.0


def network(units, rng):
    """(cell, out) before training."""
    cell = RNNCell.init(6, units, start="orthogonal", gain=1.5, rng=rng)
    return dataclasses.replace(cell, b=np.zeros(units)), OutputLayer.init(units, 4, rng=rng)


class Training(side_by_side.Group):
    """The networks of some settings and seeds, side by side."""

    def __init__(self, name, settings, seeds):
        units, self._sequences, *_ = NETWORKS[name]
        starts, self._drawing, testing = side_by_side.generators(seeds)
        super().__init__([network(units, rng) for rng in starts],
                         [one.optimiser for one in settings])
        self._weights = np.array([one.weight for one in settings])[:, None]
        self._clips = np.array([one.clip or np.inf for one in settings])[:, None]
        self._tests = side_by_side.batch(tasks.temporal_order, TESTED, STEPS, testing)

    def update(self):
        """One update of all networks; returns the norms (I, J) of the gradients of L."""
        batch = side_by_side.batch(tasks.temporal_order, self._sequences, STEPS, self._drawing)
        _, grads, _ = side_by_side.gradient(self.params, *batch, "tanh")
        lengths = side_by_side.norms(grads)
        if self._weights.any():
            pull = side_by_side.scaled(self.params, self._weights)
            grads = {name: g + pull[name] if name in "UWV" else g for name, g in grads.items()}
        norms = side_by_side.norms(grads)
        grads = side_by_side.scaled(grads, np.minimum(1, self._clips / np.maximum(norms, 1e-300)))
        for i in range(len(self._clips)):
            self.move(i, {name: g[i] for name, g in grads.items()})
        return lengths

    def accuracy(self):
        """The share of right answers (I, J) on the sequences kept for it."""
        xs, targets = self._tests
        answers = side_by_side.answers(self.params, side_by_side.states(self.params, xs, "tanh"))
        return (answers.argmax(-1) == targets).mean(axis=-1)

    def ratio(self):
        """‖dL/dh_1‖ / ‖dL/dh_T‖ (I, J) on the same."""
        *_, (first, last) = side_by_side.gradient(self.params, *self._tests, "tanh")
        return first / np.maximum(last, 1e-300)

    def radius(self):
        """ρ(W) (I, J)."""
        return np.abs(np.linalg.eigvals(self.params["W"])).max(axis=-1)


def followed(training, name):
    """Train; returns (updates until solved, solved, share of updates over OVER, largest norm)."""
    _, _, total, every = NETWORKS[name]
    until, over, largest = np.inf, 0, 0
    for k in tqdm(range(1, total + 1), desc=name):
        norms = training.update()
        over, largest = over + (norms > OVER) / total, np.maximum(largest, norms)
        if k % every == 0:
            until = np.minimum(until, np.where(training.accuracy() >= SOLVED, k, np.inf))
    return np.minimum(until, total).astype(int), np.isfinite(until), over, largest


def race(name, entries, seeds):
    """A row for each entry (optimiser, rate) and seed."""
    training = Training(name, [Setting(OPTIMISERS[one](rate)) for one, rate in entries], seeds)
    until, solved, *_ = followed(training, name)
    accuracy = training.accuracy()
    for i, (one, rate) in enumerate(entries):
        for j, seed in enumerate(seeds):
            yield (dict(zip(KEY, (name, one, rate, seed), strict=True))
                   | {"updates": until[i, j], "solved": int(solved[i, j]),
                      "accuracy": table.short(accuracy[i, j])})


def with_l2(clip, rate, seeds):
    """A row for each weight and seed."""
    settings = [Setting(optim.SGD(rate), clip, weight) for weight in WEIGHTS]
    training = Training("batch", settings, seeds)
    until, solved, over, largest = followed(training, "batch")
    found = {"accuracy": training.accuracy(), "radius": training.radius(),
             "ratio": training.ratio(), "over": over, "largest": largest}
    for i, weight in enumerate(WEIGHTS):
        for j, seed in enumerate(seeds):
            yield (dict(zip(L2_KEY, (clip, rate, weight, seed), strict=True))
                   | {"updates": until[i, j], "solved": int(solved[i, j])}
                   | {key: table.short(value[i, j]) for key, value in found.items()})


def summary(rows, key, means):
    """A line for each setting: how many solved it, and how many still do after all updates; means.

    Of `ratio` it is the median: some are zero.
    """
    for setting, mine in table.groups(rows, key[:-1]):
        solved = sum(int(row["solved"]) for row in mine)
        line = setting | {"n": len(mine), "solved": solved}
        line |= table.texts(table.share_interval(solved, len(mine)), "share", "low", "high")
        kept = sum(float(row["accuracy"]) >= SOLVED for row in mine)
        line |= {"kept": kept} | table.texts(
            table.share_interval(kept, len(mine)), "kept_share", "kept_low", "kept_high")
        for name in means:
            numbers = np.array([float(row[name]) for row in mine])
            interval = (median_interval if name == "ratio" else table.mean_interval)(numbers)
            line |= table.texts(interval, name, f"{name}_low", f"{name}_high")
        yield line


def entries(name, pilot):
    """(optimiser, rate) to be run for this network."""
    if pilot:
        return [(one, rate) for one, rates in GRID.items() for rate in rates]
    return list(zip(OPTIMISERS, RATES[name], strict=True))


def run_races(args, path, seeds):
    """The rows that the file at `path` lacks of the race of each network."""
    for name in args.networks:
        todo = [entry for entry in entries(name, args.pilot) if table.missing(
            path, [dict(zip(KEY, (name, *entry, seed), strict=True)) for seed in seeds], KEY)]
        if todo:
            table.merge(path, list(race(name, todo, seeds)), KEY)


def run_l2(path, seeds):
    """The rows that the file at `path` lacks of L2, with and without clipping."""
    for clip, rate in WAYS:
        wanted = [dict(zip(L2_KEY, (clip, rate, weight, seed), strict=True))
                  for weight in WEIGHTS for seed in seeds]
        if table.missing(path, wanted, L2_KEY):
            table.merge(path, list(with_l2(clip, rate, seeds)), L2_KEY)


def arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--seeds", type=int, default=20, help="how many")
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--pilot", action="store_true", help="all rates of the grid")
    parser.add_argument("--out", type=Path, default=table.RESULTS, help="folder")
    return parser.parse_args(argv)


def main(argv=None):
    """Run what is missing, and sum it up."""
    args = arguments(argv)
    path, l2 = args.out / f"optimisers{'_pilot' * args.pilot}.csv", args.out / "optimisers_l2.csv"
    with table.seconds():
        for first in range(args.seed, args.seed + args.seeds, TOGETHER):
            seeds = range(first, min(first + TOGETHER, args.seed + args.seeds))
            run_races(args, path, seeds)
            if not args.pilot:
                run_l2(l2, seeds)
    table.write(path.with_stem(path.stem + "_summary"),
                list(summary(table.read(path), KEY, ["updates"])))
    if not args.pilot:
        means = ["updates", "accuracy", "radius", "ratio", "over", "largest"]
        table.write(args.out / "optimisers_l2_summary.csv",
                    list(summary(table.read(l2), L2_KEY, means)))


if __name__ == "__main__":
    sys.exit(main())
