"""From which start does plain gradient descent learn temporal order? (chapter 4)

The trainings of `rnnlib.widgets.training_runs`, which the book's figure of a training shows for one
seed, for many: 30 steps, 32 sequences a batch, 16 tanh units, rate 0.1, clipped at norm 1, 720
updates. A seed draws weights and sequences; the starts of a seed differ in W alone and see the same
sequences. Learned: the mean loss of the last 20 updates is below log 2, half of what guessing
costs. `ratio` is ‖dL/dh_1‖ / ‖dL/dh_T‖ before training, means over the sequences of the probe.

    python experiments/three_starts.py        # about a minute on two cores

Writes three_starts.csv (a row per network) and three_starts_summary.csv (Wilson's intervals). The
large start is chaotic: on another machine its networks may end elsewhere.
"""

import argparse
import sys

import numpy as np
import runner
import table

from rnnlib import optim, train
from rnnlib.watch import Answering
from rnnlib.widgets import training_runs as book

UPDATES, LAST = 720, 20
KEY = ("start", "seed")
ANSWERS = Answering("cross_entropy")


def run(job):
    """Train one network: its results."""
    start = book.network(job["start"], job["seed"])
    _, dtrace = ANSWERS.look(start, book.probe(job["seed"]))
    norms = np.linalg.norm(dtrace.h, axis=-1).mean(axis=1)
    history = train.fit(
        start, ANSWERS.loss_and_grads, lambda k: book.batch(k, job["seed"]), optim.SGD(book.RATE),
        steps=UPDATES, clip=book.CLIP, progress=False,
    )
    loss = history.losses[-LAST:].mean()
    radius = np.abs(np.linalg.eigvals(history.params[0].W)).max()
    numbers = {"loss": loss, "ratio": norms[0] / norms[-1], "radius": radius}
    short = {name: table.short(value) for name, value in numbers.items()}
    return short | {"learned": int(loss < np.log(2))}


def summary(rows):
    """A row per start: how many of its networks have learned."""
    for start in book.STARTS:
        mine = [row for row in rows if row["start"] == start]
        learned = sum(int(row["learned"]) for row in mine)
        share, low, high = map(table.short, table.share_interval(learned, len(mine)))
        ratio = table.short(np.median([float(row["ratio"]) for row in mine]))
        yield {"start": start, "learned": learned, "networks": len(mine), "share": share,
               "low": low, "high": high, "ratio": ratio}


def main():
    """Run what is missing, and sum it up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    runner.add_arguments(parser, seeds=20)
    args = parser.parse_args()
    jobs = [{"start": start, "seed": seed} for start in book.STARTS for seed in runner.seeds(args)]
    path = args.out / "three_starts.csv"
    with table.seconds():
        missing = runner.run(run, jobs, path, KEY, args)
    table.write(args.out / "three_starts_summary.csv", list(summary(table.read(path))))
    sys.exit(missing)


if __name__ == "__main__":
    main()
