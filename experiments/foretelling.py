"""A network that reads both ways is asked for the next character: it has read it (chapter 7).

Alice's Adventures in Wonderland, letters a to z and one space between two words: 134,394 characters
of 27 kinds, the first 90% to learn from, the rest for the test. Plain tanh networks of about 7,000
numbers (rnnlib.reading), 400 updates of Adam at rate 0.01, each on 32 pieces of 25 characters. The
seed draws the weights and the pieces. Losses are means over 1,000 pieces of the test in nats a
character: shown the whole piece (`shown`; at all places but the last, `shown_inner`, and at the
last, `shown_last`, where the next character is not in the piece), and shown the piece up to each
place only (`hidden`). `words` is the share of words that are in the book, among those of 500
characters that the network writes by itself, after 25 of the test.

    python experiments/foretelling.py         # about two minutes of one core, 20 networks

Writes foretelling.csv (a row per network) and foretelling_summary.csv (Student's intervals over
seeds; `counting`: the loss of one who counted which characters follow the same last 0, 1 or 2).
"""

import argparse
import re
import sys

import numpy as np
import runner
import table

from rnnlib import budget, datasets, reading

READERS = {"one direction": False, "both directions": True}
KEY = ("reader", "seed")
NUMBERS = ("shown", "shown_inner", "shown_last", "hidden", "words")
PIECES, WRITTEN = 1000, 500


def book():
    """(alphabet, codes to learn from, codes of the test)."""
    text = " ".join(re.findall("[a-z]+", datasets.text().lower()))
    letters, codes = datasets.characters(text)
    return letters, *datasets.parts(codes, (0.9, 0.1))


def run(job):
    """Train one network: its results."""
    letters, known, new = book()
    params = reading.learn_next(known, len(letters), both=READERS[job["reader"]], seed=job["seed"])
    shown, hidden = (
        reading.next_losses(params, new, len(letters), future=future, count=PIECES, rng=job["seed"])
        for future in (True, False)
    )
    written = reading.write_on(params, new[:25], len(letters), WRITTEN, rng=job["seed"])
    numbers = {"shown": shown.mean(), "shown_inner": shown[:-1].mean(), "shown_last": shown[-1],
               "hidden": hidden.mean(), "words": share_of_words(datasets.decode(
                   written[:, None], letters)[0])}
    return {"parameters": budget.parameters(params)} | {
        name: table.short(numbers[name]) for name in NUMBERS
    }


def share_of_words(written):
    """Of the words written in full, the share that the book has."""
    known = set(re.findall("[a-z]+", datasets.text().lower()))
    return np.mean([word in known for word in written.split(" ")[1:-1] if word])


def counted(last):
    """The loss of counting which character follows the same `last` ones; each count begins at 1."""
    letters, known, new = book()
    K = len(letters)

    def pairs(codes):
        past = sum(codes[i : len(codes) - last + i] * K**i for i in range(last))
        return np.broadcast_to(past, len(codes) - last), codes[last:]

    counts = np.ones((K**last, K))
    np.add.at(counts, pairs(known), 1)
    return -np.log((counts / counts.sum(axis=1, keepdims=True))[pairs(new)]).mean()


def summary(rows):
    """Each number of each reader: mean and interval over the seeds; then the three countings."""
    for reader in READERS:
        mine = [row for row in rows if row["reader"] == reader]
        for name in NUMBERS:
            values = [float(row[name]) for row in mine]
            mean, low, high = map(table.short, table.mean_interval(values))
            yield {"reader": reader, "number": name, "mean": mean, "low": low, "high": high,
                   "seeds": len(mine)}
    for last in range(3):
        loss = table.short(counted(last))
        yield {"reader": "counting", "number": f"after {last}", "mean": loss, "low": loss,
               "high": loss, "seeds": 0}


def main():
    """Run what is missing, and sum it up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    runner.add_arguments(parser, seeds=10)
    args = parser.parse_args()
    jobs = [{"reader": reader, "seed": seed} for reader in READERS for seed in runner.seeds(args)]
    path = args.out / "foretelling.csv"
    with table.seconds():
        missing = runner.run(run, jobs, path, KEY, args)
    table.write(args.out / "foretelling_summary.csv", list(summary(table.read(path))))
    sys.exit(missing)


if __name__ == "__main__":
    main()
