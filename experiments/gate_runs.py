"""Which gate of a small LSTM learns what? Adding and the embedded Reber grammar (chapter 5)

The trainings of `rnnlib.widgets.gate_runs`, of which the book's figure shows one each, for many
seeds: adding over 20 steps with 4 units, 32 sequences a batch; the embedded Reber grammar with 6
units, 16 strings a batch; forget bias 1, Adam at rate 0.01 (adding) and 0.02 (Reber), the
gradient clipped at norm 1, 2,000 updates. A seed draws, each from a stream of its own, the weights,
every batch, 500 sequences of a test and 500 more.

Solved: a mean squared error under 0.01 (always answering 1: 1/6), or every legal letter more active
than every other one at each step of more than 95% of the strings (Hochreiter and Schmidhuber 1997).

Of each network one unit is looked at, the carrying one: that whose cell state tells best what is to
be held, after training, in the 500 sequences that are not of the test. It is measured on the test.
`measured` (rnnlib.widgets.gate_runs) says what the columns are; those that begin with `before_` are
of the same unit before training. What is claimed of a unit:

    opens       its input gate is at least twice as open where something is written as elsewhere
    stays       its forget gate is open to 0.8 or more, on average, as long as something is held
    holds       in 95% of sequences, a quarter of the twins' difference or more stays in its c
    remembers   it stays open and it holds
    waits       its output gate is more open by 0.1 or more when it is asked than while it holds
    above       its forget gate is more open than that of the other units, while something is held

    python experiments/gate_runs.py        # about four minutes of one core, 40 networks

Writes gate_runs.csv (a row per network), gate_runs_summary.csv (of how many of the solved networks
each claim is true, with Wilson's intervals; means with Student's) and gate_runs_weights.csv: the
weights of one network per task at several moments of its training, with six digits. Of the solved
networks with a unit that remembers it is the one whose `tells` is the middle one, of two the lower.
"""

import argparse
import sys

import runner
import table

from rnnlib import results
from rnnlib.widgets import gate_runs as book

KEY = ("task", "seed")
CLAIMS = {
    "opens": lambda unit: unit["i_written"] >= 2 * unit["i_elsewhere"],
    "stays": lambda unit: unit["f_held"] >= 0.8,
    "holds": lambda unit: unit["kept"] >= 0.95,
    "remembers": lambda unit: CLAIMS["stays"](unit) and CLAIMS["holds"](unit),
    "waits": lambda unit: unit["o_asked"] >= unit["o_held"] + 0.1,
    "above": lambda unit: unit["f_held"] > unit["f_others"],
}


def run(job):
    """Train and test one network: its results."""
    task, seed = job["task"], job["seed"]
    after, seen = book.trained(task, seed).params, book.unseen(task, seed)
    unit = int(book.carrying(task, seed, after[0])[0])
    error = book.error(task, after, seen)
    numbers = {"error": error, **book.measured(after[0], seen, unit)}
    before = book.measured(book.network(task, seed)[0], seen, unit)
    numbers |= {f"before_{name}": value for name, value in before.items()}
    return {"solved": int(error < book.SOLVED[task]), "unit": unit,
            **{name: table.short(value) for name, value in numbers.items()}}


def units(rows, when=""):
    """What was measured of the carrying units of these rows, as numbers."""
    names = [name.removeprefix("before_") for name in rows[0] if name.startswith("before_")]
    return [{name: float(row[when + name]) for name in names} for row in rows]


def summary(rows):
    """Rows of counts and rows of means, for each task: of its solved networks."""
    for task in book.SETTINGS:
        mine = [row for row in rows if row["task"] == task]
        solved = [row for row in mine if row["solved"] == "1"]
        if not mine:
            continue
        yield line(task, "solved", len(solved), len(mine), table.share_interval)
        if not solved:
            continue
        for when in ("", "before_"):
            measured = units(solved, when)
            for claim, true in CLAIMS.items():
                count = sum(map(true, measured))
                yield line(task, when + claim, count, len(solved), table.share_interval)
            for name in measured[0]:
                values = [unit[name] for unit in measured]
                yield line(task, when + name, "", len(solved), lambda _, n, v=values:
                           table.mean_interval(v))


def line(task, what, count, n, interval):
    """One row of the summary."""
    value, low, high = map(table.short, interval(count, n))
    return {"task": task, "what": what, "count": count, "n": n, "value": value, "low": low,
            "high": high}


def typical(rows, task):
    """The seed of the network that is shown, or None if no network has such a unit."""
    mine = [row for row in rows if row["task"] == task and row["solved"] == "1"]
    mine = [row for row in mine if CLAIMS["remembers"](*units([row]))]
    mine.sort(key=lambda row: float(row["tells"]))
    return int(mine[(len(mine) - 1) // 2]["seed"]) if mine else None


def weights(rows):
    """A row for every array of the networks that are shown, at each moment of their training."""
    for task in book.SETTINGS:
        if (seed := typical(rows, task)) is None:
            continue
        for updates, params in book.trained(task, seed).snapshots:
            for row in results.network_rows(params):
                yield {"task": task, "seed": seed, "updates": updates} | row


def main():
    """Run what is missing, and sum it up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    runner.add_arguments(parser, seeds=20)
    args = parser.parse_args()
    jobs = [{"task": task, "seed": seed} for seed in runner.seeds(args) for task in book.SETTINGS]
    path = args.out / "gate_runs.csv"
    with table.seconds():
        missing = runner.run(run, jobs, path, KEY, args)
        rows = table.read(path)
        table.write(args.out / "gate_runs_summary.csv", list(summary(rows)))
        shown = args.out / "gate_runs_weights.csv"
        if (args.fresh or not shown.exists()) and (kept := list(weights(rows))):
            table.write(shown, kept)
    sys.exit(missing)


if __name__ == "__main__":
    main()
