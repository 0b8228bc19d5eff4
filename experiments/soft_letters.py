"""Is this c soft, is this vowel long? Letters whose answer stands after them (chapter 7).

Words of Alice's Adventures in Wonderland, two rules of spelling (rnnlib.tasks.spelling): a c is
soft before e, i, y (404 words); the vowel of a short word is long before one consonant and a last e
(251 words). Plain tanh networks of about 700 numbers (rnnlib.reading), 300 updates of Adam at rate
0.01, each on 32 words. Readers: one direction; one direction whose answer is due one or two steps
after its letter; both directions. A seed draws the weights, the batches, and which quarter of the
words is kept for the test; all readers of a seed have the same words to learn and the same test.

To compare with: guesses from counts in the words to learn, after the same last 0 .. 5 letters
(`guesses_from_past`); and, as `ceiling`, the best that any reader of one direction could do that
knew every word of the book by heart.

    python experiments/soft_letters.py        # about six minutes of one core, 160 networks

Writes soft_letters.csv (a row per network), soft_letters_guesses.csv, soft_letters_summary.csv
(Student's intervals over seeds, cut at 1) and soft_letters_networks.csv: the weights of the three
networks that the book's figure shows, trained on every word with a c but those that hold a word of
the figure.
"""

import argparse
import sys

import numpy as np
import runner
import table

from rnnlib import budget, datasets, reading, results
from rnnlib.tasks import spelling
from rnnlib.widgets import next_letter_networks as figure

RULES = {"soft c": spelling.soft_c, "silent e": spelling.silent_e}
READERS = {
    "one direction": {"both": False, "delay": 0},
    "one letter late": {"both": False, "delay": 1},
    "two letters late": {"both": False, "delay": 2},
    "both directions": {"both": True, "delay": 0},
}
TEST, LETTERS, WHOLE = 0.25, range(6), 99
KEY, GUESS_KEY = ("rule", "reader", "seed"), ("rule", "seed", "letters")


def words(rule):
    """Every word of the book that the rule asks about."""
    return [word for word in spelling.words(datasets.text()) if RULES[rule](word)]


def split(rule, seed):
    """(words to learn from, words of the test)."""
    mixed = np.random.default_rng([seed, 2]).permutation(words(rule))
    count = round(TEST * len(mixed))
    return mixed[count:], mixed[:count]


def run(job):
    """Train one network: its results."""
    known, new = split(job["rule"], job["seed"])
    rule, how = RULES[job["rule"]], READERS[job["reader"]]
    params = reading.learn_tags(known, rule, seed=job["seed"], **how)
    shares = {"known": known, "new": new}
    return {"parameters": budget.parameters(params)} | {
        name: table.short(reading.share_right(params, some, rule, delay=how["delay"]))
        for name, some in shares.items()
    }


def guesses(seeds):
    """Rows: what counting in the words to learn gives on the words of the test."""
    for rule in RULES:
        for seed in seeds:
            for letters in LETTERS:
                share = spelling.guesses_from_past(*split(rule, seed), RULES[rule], letters)
                yield {"rule": rule, "seed": seed, "letters": letters, "new": table.short(share)}


def summary(rows, guessed):
    """A row for each rule and reader, counting one among them: mean share right, new words."""
    for rule in RULES:
        groups = [(reader, rows, "reader", reader) for reader in READERS]
        groups += [(f"{n} letters counted", guessed, "letters", str(n)) for n in LETTERS]
        for name, some, column, value in groups:
            mine = [float(row["new"]) for row in some
                    if row["rule"] == rule and str(row[column]) == value]
            mean, low, high = table.mean_interval(mine)
            mean, low, high = map(table.short, (mean, low, min(high, 1)))
            yield {"rule": rule, "reader": name, "right": mean, "low": low, "high": high,
                   "perfect": sum(share == 1 for share in mine), "seeds": len(mine)}
        best = spelling.guesses_from_past(words(rule), words(rule), RULES[rule], WHOLE)
        best = table.short(best)
        yield {"rule": rule, "reader": "ceiling", "right": best, "low": best, "high": best,
               "perfect": 0, "seeds": 0}


def networks():
    """A row for every array of the figure's networks, with five decimals."""
    known = [word for word in words("soft c") if not any(w in word for w in figure.WORDS)]
    for reader in figure.READERS:
        params = reading.learn_tags(known, spelling.soft_c, seed=figure.SEED, **READERS[reader])
        for row in results.network_rows(params, decimals=5):
            yield {"reader": reader} | row


def main():
    """Run what is missing, and sum it up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    runner.add_arguments(parser, seeds=20)
    args = parser.parse_args()
    jobs = [{"rule": rule, "reader": reader, "seed": seed}
            for rule in RULES for reader in READERS for seed in runner.seeds(args)]
    path = args.out / "soft_letters.csv"
    with table.seconds():
        missing = runner.run(run, jobs, path, KEY, args)
        table.merge(args.out / "soft_letters_guesses.csv", list(guesses(runner.seeds(args))),
                    GUESS_KEY)
        weights = args.out / "soft_letters_networks.csv"
        if args.fresh or not weights.exists():
            table.write(weights, list(networks()))
    guessed = table.read(args.out / "soft_letters_guesses.csv")
    table.write(args.out / "soft_letters_summary.csv", list(summary(table.read(path), guessed)))
    sys.exit(missing)


if __name__ == "__main__":
    main()
