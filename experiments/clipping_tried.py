"""Is a random step almost as good as a clipped gradient? Rules against explosion. (chapter 10)

Goodfellow, Bengio and Courville (2016, section 10.11.1) say of gradients above a threshold that a
random step in their place tends to work almost as well. So, where the rule's condition holds:

    none    nothing: the gradient as it is
    slow    nothing, at the best of the smaller rates: one could always go slower
    value   every entry is cut off at -v and v (`clip_by_value`)
    norm    the gradient is scaled to norm v (`clip_by_norm`)
    tensor  each array is scaled to norm v (`clip_by_norm(..., per="tensor")`)
    random  a vector of norm v in a random direction takes the place of the gradient, if ||g|| > v
    instead as random, at the threshold of `norm`: the same steps in another direction
    skip    the update is left out, if ||g|| > v: a control for what the random direction adds

`random`, `instead` and `skip` also answer to a gradient that is not finite. For the other rules, as
for any training without a check, that is the end: the network has overflowed, and has failed.

    order   `temporal_order` over 20 steps, 16 tanh units, W 1.5 times an orthogonal matrix;
            solved: 95% of 1,000 new sequences right
    adding  `adding` over 20 steps, 16 ReLU units, W the identity; solved: on 1,000 new sequences
            less than half the mean squared error of always answering 1, which is 1/6

The same for both: b = 0, 1,000 updates with 20 new sequences each. A seed draws weights, training
and test sequences: all rules see the same. All rules (but `slow`) have the same rates, at which
training without a rule mostly fails, and at each rate every rule has its best threshold of 0.1, 1,
3, 10 and 30, as found on three other seeds (clipping_tried_pilot.csv).

    python experiments/clipping_tried.py

Writes clipping_tried.csv (a row per network: `active` is the share of the updates at which the rule
changed the gradient, `largest` the largest norm met, `guesses` whether the network ends no better
than guessing) and clipping_tried_summary.csv (Wilson's intervals). With --pilot the grid of rates
and thresholds is run instead, into clipping_tried_pilot.csv: the choice was made with
--pilot --seed 1000 --seeds 3.
"""

import argparse
import dataclasses
import sys
from pathlib import Path

import numpy as np
import side_by_side
import table
from side_by_side import spread
from tqdm import tqdm

from rnnlib import OutputLayer, RNNCell, optim, tasks

STEPS, HIDDEN, BATCH, UPDATES, TESTED = 20, 16, 20, 1000, 1000
RULES = ("none", "slow", "value", "norm", "tensor", "random", "instead", "skip")
WITHOUT = ("none", "slow")  # rules without a threshold; v is 0 in their rows
OPTIMISERS = {"SGD": optim.SGD, "Adam": optim.Adam}
#: task -> (D, K, activation, start, gain, how its sequences are made)
TASKS = {
    "order": (6, 4, "tanh", "orthogonal", 1.5, tasks.temporal_order),
    "adding": (2, 1, "relu", "identity", 1.0, tasks.adding),
}
RATES = {  # of the pilot, the smaller first
    ("order", "SGD"): (0.03, 0.1, 0.3), ("order", "Adam"): (0.003, 0.01, 0.03),
    ("adding", "SGD"): (0.01, 0.1), ("adding", "Adam"): (0.003, 0.03),
}
THRESHOLDS = (0.1, 1.0, 3.0, 10.0, 30.0)
#: task, optimiser, rate -> rule -> v, from the pilot, as `best` finds it
CHOSEN = {
    ("order", "SGD", 0.3): {"value": 0.1, "norm": 1.0, "tensor": 1.0, "random": 30.0, "skip": 3.0},
    ("order", "SGD", 0.1): {"value": 0.1, "norm": 3.0, "tensor": 3.0, "random": 10.0, "skip": 3.0},
    ("order", "Adam", 0.03): {"value": 0.1, "norm": 30.0, "tensor": 1.0, "random": 30.0,
                              "skip": 10.0},
    ("adding", "SGD", 0.1): {"value": 0.1, "norm": 1.0, "tensor": 0.1, "random": 0.1, "skip": 0.1},
    ("adding", "Adam", 0.03): {"value": 3.0, "norm": 30.0, "tensor": 10.0, "random": 10.0,
                               "skip": 0.1},
}
#: task, optimiser -> the rate of `slow`
SLOW = {("order", "SGD"): 0.03, ("order", "Adam"): 0.01, ("adding", "SGD"): 0.01,
        ("adding", "Adam"): 0.003}
KEY = ("task", "optimiser", "rule", "rate", "v", "seed")
TOGETHER = 10  # seeds trained at a time


def network(task, rng):
    """(cell, out) before training."""
    D, K, activation, start, gain, _ = TASKS[task]
    cell = RNNCell.init(D, HIDDEN, start=start, gain=gain, activation=activation, rng=rng)
    return dataclasses.replace(cell, b=np.zeros(HIDDEN)), OutputLayer.init(HIDDEN, K, rng=rng)


def direction(shapes, rng):
    """A random vector of norm 1, every direction equally likely, as arrays of these shapes."""
    drawn = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    length = np.sqrt(sum((d**2).sum() for d in drawn.values()))
    return {name: d / length for name, d in drawn.items()}


def tamed(rule, grads, v, rngs):
    """What one setting's J networks step along: (gradients, where the rule acted, where to move).

    grads: arrays (J, ...) by name. rngs: a generator for each network, from which `random` draws.
    """
    norms = side_by_side.norms(grads, axes=1)
    fine = np.isfinite(norms)
    if rule in ("random", "instead", "skip"):
        acts = ~(fine & (norms <= v))
        safe = {name: np.where(spread(acts, g), 0, g) for name, g in grads.items()}
        for j in np.flatnonzero(acts) if rule != "skip" else ():
            for name, d in direction({n: g.shape[1:] for n, g in grads.items()}, rngs[j]).items():
                safe[name][j] = v * d
        return safe, acts, ~acts | (rule != "skip")
    grads = {name: np.where(spread(fine, g), g, 0) for name, g in grads.items()}
    if rule == "value":
        flat = [np.abs(g).reshape(len(g), -1) for g in grads.values()]
        acts = np.any([one.max(axis=1) > v for one in flat], axis=0)
        return {name: np.clip(g, -v, v) for name, g in grads.items()}, acts, fine
    if rule in WITHOUT:
        return grads, np.zeros(len(fine), bool), fine
    own = {name: side_by_side.norms({name: g} if rule == "tensor" else grads, axes=1)
           for name, g in grads.items()}
    acts = np.any([n > v for n in own.values()], axis=0)
    factors = {name: v / np.maximum(n, v) for name, n in own.items()}
    short = {name: g * spread(factors[name], g).astype(g.dtype) for name, g in grads.items()}
    return short, acts, fine


class Training(side_by_side.Group):
    """The networks of some settings (rule, rate, v) and seeds, of one task and optimiser."""

    def __init__(self, task, optimiser, settings, seeds):
        self.task, self.settings = task, settings
        starts, self._drawing, self._testing = side_by_side.generators(seeds)
        super().__init__([network(task, rng) for rng in starts],
                         [OPTIMISERS[optimiser](rate) for _, rate, _ in settings])
        self._rngs = [[np.random.default_rng([seed, 3]) for seed in seeds] for _ in settings]
        self.alive = np.ones((len(settings), len(seeds)), bool)
        self.active = np.zeros(self.alive.shape, int)   # updates at which the rule acted
        self.largest = np.zeros(self.alive.shape)       # norm met

    def update(self):
        """One update of every network that has not overflowed."""
        xs, targets = side_by_side.batch(TASKS[self.task][5], BATCH, STEPS, self._drawing)
        with np.errstate(over="ignore", invalid="ignore"):
            loss, grads, _ = side_by_side.gradient(self.params, xs, targets, TASKS[self.task][2])
            norms = np.where(np.isfinite(loss), side_by_side.norms(grads), np.inf)
            norms[~np.isfinite(norms)] = np.inf
            self.largest = np.where(self.alive, np.maximum(self.largest, norms), self.largest)
            for i, (rule, _, v) in enumerate(self.settings):
                mine = {name: np.where(spread(np.isfinite(norms[i]), g[i]), g[i], np.nan)
                        for name, g in grads.items()}
                step, acts, moves = tamed(rule, mine, v, self._rngs[i])
                self.active[i] += acts & self.alive[i]
                if rule != "skip":
                    self.alive[i] &= moves              # what does not move has overflowed
                self.move(i, step, moves)

    def scores(self):
        """(share of right answers or mean squared error, solved, no better than guessing)."""
        *_, activation, _, _, make = TASKS[self.task]
        xs, targets = side_by_side.batch(make, TESTED, STEPS, self._testing)
        with np.errstate(over="ignore", invalid="ignore"):
            answers = side_by_side.answers(
                self.params, side_by_side.states(self.params, xs, activation))
        if self.task == "order":
            share = (answers.argmax(-1) == targets).mean(axis=-1)
            return share, share >= 0.95, share < 0.3
        error = ((answers - targets)**2).mean(axis=(-1, -2))
        return error, error < tasks.ADDING_BASELINE / 2, ~(error <= 0.9 * tasks.ADDING_BASELINE)


def rows(task, optimiser, settings, seeds, updates=UPDATES):
    """Train and test: a row for each setting and seed."""
    training = Training(task, optimiser, settings, seeds)
    for _ in tqdm(range(updates), desc=f"{task} {optimiser} {seeds[0]}-{seeds[-1]}"):
        training.update()
    score, solved, guesses = training.scores()
    for i, (rule, rate, v) in enumerate(settings):
        for j, seed in enumerate(seeds):
            alive = training.alive[i, j]
            numbers = {"score": score[i, j] if alive else np.nan,
                       "active": training.active[i, j] / updates,
                       "largest": training.largest[i, j]}
            yield (dict(zip(KEY, (task, optimiser, rule, rate, v, seed), strict=True))
                   | {name: table.short(number) for name, number in numbers.items()}
                   | {"solved": int(alive and solved[i, j]),
                      "guesses": int(guesses[i, j] or not alive), "overflowed": int(not alive)})


def summary(rows):
    """A row per task, optimiser, rule, rate and threshold."""
    for setting, mine in table.groups(rows, KEY[:-1]):
        line = setting | {"n": len(mine)}
        for name in ("solved", "guesses", "overflowed"):
            line[name] = sum(int(row[name]) for row in mine)
        line |= table.texts(table.share_interval(line["solved"], len(mine)), "share", "low", "high")
        scores = [float(row["score"]) for row in mine if row["overflowed"] in ("0", 0)]
        line["score"] = table.short(np.mean(scores)) if scores else ""
        for name in ("active", "largest"):
            line[name] = table.short(np.median([float(row[name]) for row in mine]))
        yield line


def grid(task, optimiser):
    """What the pilot tries: every rate and threshold, (rule, rate, v)."""
    return [(rule, rate, v) for rate in RATES[task, optimiser]
            for rule in RULES if rule not in ("slow", "instead")
            for v in ((0.0,) if rule in WITHOUT else THRESHOLDS)]


def chosen(task, optimiser):
    """What is run: (rule, rate, v)."""
    settings = [("slow", SLOW[task, optimiser], 0.0)]
    for (own, other, rate), thresholds in CHOSEN.items():
        if (own, other) == (task, optimiser):
            instead = {"instead": thresholds["norm"]}
            settings += [(rule, rate, (thresholds | instead).get(rule, 0.0))
                         for rule in RULES if rule != "slow"]
    return settings


def best(lines):
    """Of the pilot's lines the one with the most solved; then the better score, the larger v.

    A line without a score, whose networks have all overflowed, is the worst of those that solve as
    few.
    """
    def merit(line):
        sign = -1 if line["task"] == "adding" else 1
        score = sign * float(line["score"]) if line["score"] else -np.inf
        return int(line["solved"]), score, float(line["v"])

    return max(lines, key=merit)


def arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--seeds", type=int, default=20, help="how many")
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--pilot", action="store_true", help="the grid of rates and thresholds")
    parser.add_argument("--out", type=Path, default=table.RESULTS, help="folder")
    return parser.parse_args(argv)


def main(argv=None):
    """Run what is missing, and sum it up."""
    args = arguments(argv)
    name, settings = ("clipping_tried_pilot", grid) if args.pilot else ("clipping_tried", chosen)
    path, last = args.out / f"{name}.csv", args.seed + args.seeds
    with table.seconds():
        for first in range(args.seed, last, TOGETHER):
            seeds = range(first, min(first + TOGETHER, last))
            for task, optimiser in (key for key in RATES if key[0] in args.tasks):
                own = [setting for setting in settings(task, optimiser) if table.missing(path, [
                    dict(zip(KEY, (task, optimiser, *setting, seed), strict=True))
                    for seed in seeds], KEY)]
                if own:
                    table.merge(path, list(rows(task, optimiser, own, seeds)), KEY)
    table.write(args.out / f"{name}_summary.csv", list(summary(table.read(path))))


if __name__ == "__main__":
    sys.exit(main())
