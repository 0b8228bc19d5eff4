"""Does a wider search write better dates? And what follows a wrong symbol there? (chapter 8)

Networks that experiments/dates.py stored (seed 0), three of them half trained ("additive 200":
after 200 updates), on 2,400 dates of the days that are in no training, drawn anew, as are their
languages and formats. Greedy search is a beam of width 1.

    right          dates written right
    only_beam      of these, those that greedy search writes wrong
    only_greedy    those that greedy search writes right and this one wrong
    likelier       those of only_greedy to which the network gives a higher probability as this
                   search writes them: the network is wrong, the search is not
    less_likely    dates to which this search finds a less likely text than greedy search
    gain           mean of the log-probability of its texts less that of greedy search, in nats

And after a slip: before the place of one digit (1, 4, 6 or 9 of 10) all is right, there another
digit is put, all nine equally likely, and after it the network is on its own. slip: share right of
the symbols that follow, end included; next, later: of the first of them, and of the others; right:
as slip, with the right digit there.

    python experiments/beams.py        # about a minute of one core

Writes beams.csv (a row for each network, width and power, with Wilson's intervals of right) and
beams_slips.csv (a row for each network and place; intervals over the dates, of one network).
"""

import argparse
from pathlib import Path

import numpy as np
import table
from dates import chunks, first
from tqdm import tqdm

from rnnlib import datasets, search, seq2seq
from rnnlib.widgets import date_translators as book

TEST, SEED = 2400, 2
WIDTHS, POWERS = (1, 2, 3, 5), (0, 1)
SLIPS = (1, 4, 6, 9)
NETWORKS = ("none", "dot", "additive", "additive 400", "additive 200", "additive 100")


def test(count=TEST, seed=SEED):
    """`count` dates of days that are in no training."""
    return first(count, datasets.dates(int(1.3 * book.HIDDEN_DAY * count), rng=seed), held=True)


def found(model, dates, letters, width, power):
    """(what is written (N,), its log-probability (N,)) by the best of a beam."""
    texts, log_p = [], []
    for these in chunks(len(dates)):
        xs, lengths = book.encode(dates.texts[these], letters)
        step, state, start = begun(model, xs, lengths)
        best = search.explore(step, state, start, stop=book.STOP, max_steps=book.STEPS,
                              width=width, power=power).best
        texts += [book.write(symbols) for symbols in best.symbols.T]
        log_p.append(best.log_probability)
    return np.array(texts), np.concatenate(log_p)


def begun(model, xs, lengths):
    """(step, state, first symbols) of a model that has read its sources."""
    _, given = seq2seq.encode(model, xs, lengths=lengths)
    B = xs.shape[1]
    step, state = search.decoder_step(model.decoder, **given, batch=B, dtype=xs.dtype)
    return step, state, np.full(B, book.START)


def compared(dates, greedy, other):
    """The counts of a row: how a search writes the dates, and how a greedy one does."""
    right = other[0] == dates.targets
    before = greedy[0] == dates.targets
    worse = before & ~right
    _, low, high = table.share_interval(right.sum(), len(right))
    return {
        "n": len(right), "right": right.sum(), "low": table.short(low), "high": table.short(high),
        "only_beam": (right & ~before).sum(), "only_greedy": worse.sum(),
        "likelier": (worse & (other[1] > greedy[1])).sum(),
        "less_likely": (other[1] < greedy[1] - 1e-4).sum(),
        "gain": table.short((other[1] - greedy[1]).mean()),
    }


def after_slip(model, dates, letters, place, wrong):
    """Is each symbol after `place` right, (11 - place, N), where `wrong` (N,) ones were put?"""
    right = []
    for these in chunks(len(dates)):
        xs, lengths = book.encode(dates.texts[these], letters)
        step, state, start = begun(model, xs, lengths)
        due = symbols(dates.targets[these])
        given = iter([*due[: place - 1], wrong[these]])
        said = search.follow(
            step, state, start, stop=None, max_steps=len(due),
            choose=lambda log_p, given=given: next(given, log_p.argmax(axis=1))).symbols
        right.append((said == due)[place:])
    return np.concatenate(right, axis=1)


def symbols(days):
    """(11, N) of days as ISO texts, the end included."""
    return np.array([[*map(book.SYMBOLS.index, day), book.STOP] for day in days]).T


def slips(name, model, dates, letters):
    """A row for each place of a slip."""
    due, rng = symbols(dates.targets), np.random.default_rng(SEED)
    zero = book.SYMBOLS.index("0")
    for place in SLIPS:
        wrong = zero + (due[place - 1] - zero + rng.integers(1, 10, len(dates))) % 10
        slip, right = (after_slip(model, dates, letters, place, put)
                       for put in (wrong, due[place - 1]))
        each = {"slip": slip.mean(axis=0), "right": right.mean(axis=0), "next": slip[0],
                "later": slip[1:].mean(axis=0)}
        yield {"network": name, "place": place, "n": len(dates), **_intervals(each)}


def _intervals(each):
    """name, name_low and name_high of values (N,) by name."""
    found = {}
    for name, values in each.items():
        found |= table.texts(table.mean_interval(values), name, f"{name}_low", f"{name}_high")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=table.RESULTS, help="folder")
    args = parser.parse_args()
    (letters, networks), dates, rows, slip_rows = book.stored(), test(), [], []
    with table.seconds():
        for name in tqdm(NETWORKS):
            model = networks[name]
            greedy = found(model, dates, letters, 1, 0)
            for width in WIDTHS:
                for power in POWERS[: 1 if width == 1 else None]:
                    other = found(model, dates, letters, width, power) if width > 1 else greedy
                    rows.append({"network": name, "width": width, "power": power,
                                 **compared(dates, greedy, other)})
            slip_rows += slips(name, model, dates, letters)
    table.write(args.out / "beams.csv", rows)
    table.write(args.out / "beams_slips.csv", slip_rows)


if __name__ == "__main__":
    main()
