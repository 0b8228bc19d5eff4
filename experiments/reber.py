"""Who learns the embedded Reber grammar, and after how many strings? (chapter 5)

Experiment 1 of Hochreiter and Schmidhuber (1997, section 5.1): 256 strings to learn from and 256 to
be tested on; an update after each string, drawn from the first 256; every next letter is to be
foretold. Success: at every step of all 512 strings, every legal letter is more active than any
other (`tasks.predicts_legal`), looked at after every 250 strings.

    LSTM 1997  LSTM1997Cell, 6 units, 301 parameters with the output layer: no forget gate
    LSTM       LSTMCell, 5 units, 302 parameters; forget bias 1
    GRU        GRUCell, 6 units, 307 parameters
    RNN        RNNCell, 11 units, 293 parameters

The same for all: softmax and cross-entropy, the gradient through the whole string and clipped at
norm 1, plain gradient descent at the best rate of the pilot (RATES; experiments/README.md), at most
30,000 strings. The paper's cells squash otherwise (see `LSTM1997Cell`), its outputs are logistic,
its gradient is cut at the gates, and its Elman net has another gradient than the RNN here. A seed
draws strings, weights and order; the cells of a seed see the same strings in the same order.

    python experiments/reber.py             # 80 networks

Writes reber.csv (a row per network) and reber_summary.csv: Wilson's interval of the successes, and
the median of the strings until then with an interval between two order statistics.
`hard` is the share of the 256 test strings whose last letter but one (T or P, as the second) is
foretold in the end, `others` the share with all other letters right.
"""

import argparse
import sys
from pathlib import Path

import many_gated
import numpy as np
import runner
import table
from success_by_lag import median_interval
from tqdm import tqdm

from rnnlib import OutputLayer, forward, tasks

UNITS = {"LSTM 1997": 6, "LSTM": 5, "GRU": 6, "RNN": 11}  # nearly equal numbers of parameters
RATES = {"LSTM 1997": 1.0, "LSTM": 1.0, "GRU": 1.0, "RNN": 0.1}
LETTERS = len(tasks.REBER_SYMBOLS)
STRINGS, MOST, EVERY, CLIP = 256, 30_000, 250, 1.0
KEY = ("cell", "rate", "most", "seed")


class Trial:
    """What a seed draws: strings, their order, and the start of a network."""

    def __init__(self, seed):
        streams = np.random.SeedSequence(seed).spawn(3)
        strings, self.order, self.weights = map(np.random.default_rng, streams)
        self.strings = tasks.reber_strings(2 * STRINGS, embedded=True, rng=strings)
        self.batch = tasks.next_symbols(self.strings)
        self.legal = tasks.legal_successors(self.strings, embedded=True)

    def network(self, kind):
        """A cell and its output layer, before training."""
        cell = many_gated.CELLS[kind].init(LETTERS, UNITS[kind], rng=self.weights)
        return cell, OutputLayer.init(UNITS[kind], LETTERS, rng=self.weights)

    def right(self, network):
        """(T, B): which letters of the strings are foretold; True in the padding."""
        cell, out = network
        trace = forward(cell, self.batch.xs, lengths=self.batch.lengths)
        return tasks.predicts_legal(out.logits(trace.h), self.legal)

    def scores(self, right):
        """(`hard`, `others`), of the test strings alone."""
        hard = self.batch.lengths - 2, np.arange(len(self.strings))     # where it is asked for
        others = right.copy()
        others[hard] = True
        return right[hard][STRINGS:].mean(), others.all(axis=0)[STRINGS:].mean()


def next_strings(trials):
    """A string for each trial as (xs, targets, mask), padded to the longest."""
    chosen = [(trial.batch, trial.order.integers(STRINGS)) for trial in trials]
    lengths = np.array([batch.lengths[b] for batch, b in chosen])
    xs = np.zeros((lengths.max(), len(chosen), 1, LETTERS))
    targets = np.zeros(xs.shape[:3], dtype=int)
    for s, ((batch, b), n) in enumerate(zip(chosen, lengths, strict=True)):
        xs[:n, s, 0], targets[:n, s, 0] = batch.xs[:n, b], batch.targets[:n, b]
    return xs, targets, (np.arange(len(xs))[:, None] < lengths)[..., None]


def train(kind, rate, seeds, most=MOST):
    """Train a network per seed, each until its success: a row per seed, as they end."""
    trials = {seed: Trial(seed) for seed in seeds}
    params = many_gated.side_by_side([trial.network(kind) for trial in trials.values()])
    for seen in range(most + 1):
        if seen % EVERY == 0:
            ended = []
            for s, (seed, trial) in enumerate(trials.items()):
                right = trial.right(many_gated.network(kind, params, s))
                if right.all() or seen == most:
                    ended.append(s)
                    start = {"cell": kind, "rate": rate, "most": most, "seed": seed}
                    yield start | row(seen, right, trial)
            trials = {seed: t for s, (seed, t) in enumerate(trials.items()) if s not in ended}
            params = {name: np.delete(array, ended, axis=0) for name, array in params.items()}
        if not trials:
            return
        _, grads, _ = many_gated.gradients(kind, params, *next_strings(trials.values()))
        grads = many_gated.clipped(grads, CLIP)
        params = {name: array - rate * grads[name] for name, array in params.items()}


def row(seen, right, trial):
    """The results of one network after `seen` strings."""
    hard, others = trial.scores(right)
    return {"solved": int(right.all()), "strings": seen, "hard": table.short(hard),
            "others": table.short(others)}


def summary(rows):
    """A row per setting: the successes, and the strings until then (of those that succeed).

    `only_hard`: how many of the others fail in nothing but the hard letter.
    """
    groups = {}
    for one in rows:
        groups.setdefault(tuple(one[name] for name in KEY[:-1]), []).append(one)
    for setting, mine in groups.items():
        solved = [int(one["strings"]) for one in mine if int(one["solved"])]
        failed = [one for one in mine if not int(one["solved"])]
        share = map(table.short, table.share_interval(len(solved), len(mine)))
        strings = map(table.short, median_interval(solved)) if solved else ("", "", "")
        yield {**dict(zip(KEY, setting, strict=False)), "solved": len(solved),
               "networks": len(mine),
               **dict(zip(("share", "low", "high"), share, strict=True)),
               **dict(zip(("strings", "strings_low", "strings_high"), strings, strict=True)),
               "only_hard": sum(float(one["others"]) == 1 for one in failed),
               "hard": table.short(np.mean([float(one["hard"]) for one in mine]))}


def add_arguments(parser, *, seeds):
    """Which seeds, and where to; `seeds` is how many as published."""
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--seeds", type=int, default=seeds, help="how many")
    parser.add_argument("--fresh", action="store_true", help="run what is in the files already")
    parser.add_argument("--out", type=Path, default=table.RESULTS, help="folder")


def main():
    """Run what is missing, and sum it up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser, seeds=20)
    parser.add_argument("--cells", nargs="+", choices=list(UNITS), default=list(UNITS))
    parser.add_argument("--rates", nargs="+", type=float, help="if not those of the pilot")
    parser.add_argument("--most", type=int, default=MOST, help="strings")
    args = parser.parse_args()
    path = args.out / "reber.csv"
    with table.seconds():
        for kind in args.cells:
            for rate in args.rates or [RATES[kind]]:
                jobs = [{"cell": kind, "rate": rate, "most": args.most, "seed": seed}
                        for seed in runner.seeds(args)]
                todo = jobs if args.fresh else table.missing(path, jobs, KEY)
                if not todo:
                    continue
                rows = train(kind, rate, [job["seed"] for job in todo], args.most)
                for one in tqdm(rows, desc=f"{kind}, rate {rate}", total=len(todo)):
                    table.merge(path, [one], KEY)
    table.write(args.out / "reber_summary.csv", list(summary(table.read(path))))


if __name__ == "__main__":
    sys.exit(main())
