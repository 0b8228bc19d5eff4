"""Dates as people write them, to dates as computers do: with attention and without (chapter 8).

"jeudi 31 décembre 1999" -> "1999-12-31", letter by letter, from 12 languages and 3 formats
(`rnnlib.datasets.dates`). Every twentieth day of 1900 to 2099 is held out, in whatever words: these
days are the test, and no training meets one. The networks are GRUs that read and GRUs that write
(`rnnlib.seq2seq`), taught by the right outputs:

    none            the last state of the reader is the first of the writer
    none reversed   the same, and the text is read from its end (Sutskever et al. 2014)
    dot             no vector: the writer looks at the states of the reader, q_t · k_s / √H
    additive        the same, with an additive attention (Bahdanau et al. 2015)

each with as many parameters as the last at 32 units, as nearly as may be. Adam, rate 0.01, clipped
at norm 1, 1,000 updates on batches of 64 new texts of like length. A date is right if all ten
symbols are, and the end after them, where the network is fed its own most likely symbols.

    python experiments/dates.py        # about 15 minutes of one core

Writes dates.csv (a row for each variant and seed), dates_summary.csv, dates_curve.csv (share right
of 500 held-out dates on the way), dates_locales.csv (by language and format) and
dates_alignment.csv: for the networks with attention, where each of the eight digits looks,
on 200 held-out dates, and what becomes of it if

    blind      the letter looked at most is taken out of the attention's sight (its weight is 0)
    erased     that letter is taken out of the text (its input is zero)
    another    another letter is taken out of the text instead, each in turn

All are means over the seeds with Student's intervals. dates_networks.csv: networks of seed 0.
"""

import argparse
import datetime
import sys

import numpy as np
import runner
import table
from date_looks import DIGITS, LOOKS, looks

from rnnlib import budget, datasets, losses, optim, search, seq2seq, train
from rnnlib.seq2seq import EncoderDecoder
from rnnlib.widgets import date_translators as book

HIDDEN, BATCH, POOL, UPDATES, RATE, CLIP = 32, 64, 8, 1000, 0.01, 1.0
TEST, ON_THE_WAY, LOOKED_AT, CHUNK = 2400, 500, 200, 300  # dates
MOMENTS = (0, 50, 100, 150, 200, 300, 400, 600, 800, 1000)
LOCALES, FORMATS = datasets.days.LOCALES, datasets.days.FORMATS
VARIANTS = ("none", "none reversed", "dot", "additive")
KEY = ("variant", "seed")
SHOWN = 0  # the seed whose networks are stored
#: pairs of variants whose shares of right dates are compared seed by seed
PAIRS = (("additive", "none"), ("dot", "none"), ("additive", "dot"), ("none reversed", "none"))


# --- data -------------------------------------------------------------------------------------


def held_out(day):
    """Is a day, as ISO text, one of those that no training meets?"""
    return datetime.date.fromisoformat(day).toordinal() % book.HIDDEN_DAY == 0


def drawn(count, rng, held=False, formats=FORMATS):
    """`count` dates of the days that are held out or, by default, of the others."""
    more = 1.2 * book.HIDDEN_DAY if held else 1.5           # one in twenty is held out
    return first(count, datasets.dates(int(more * count), formats=formats, rng=rng), held)


def first(count, dates, held):
    """The first `count` of the dates whose days are held out, or of the others."""
    fits = [held_out(day) == held for day in dates.targets.tolist()]
    return dates.take(np.flatnonzero(fits)[:count])


def chunks(count):
    """The indices 0 to count - 1 in parts of at most CHUNK, for the memory."""
    return np.array_split(np.arange(count), -(-count // CHUNK))


def letters():
    """The alphabet of the texts."""
    return datasets.dates(1).letters


def batch(dates, backwards=False):
    """(xs, lengths, targets (T, B)) of dates: what is read, and what should be written."""
    texts = [text[::-1] for text in dates.texts] if backwards else dates.texts
    return *book.encode(texts, letters()), book.answers(dates.targets)


def like_length(rng, backwards=False):
    """Batches without end: of POOL times as many dates, those of like length, in random order."""
    while True:
        dates = drawn(POOL * BATCH, rng)
        order = np.argsort([len(text) for text in dates.texts], kind="stable")
        for k in rng.permutation(POOL):
            yield batch(dates.take(order[k * BATCH : (k + 1) * BATCH]), backwards)


# --- networks ---------------------------------------------------------------------------------


def network(variant, rng):
    """A network before training, float32."""
    attention = variant if variant in ("dot", "additive") else None
    D, K = len(letters()), len(book.SYMBOLS)

    def init(D, H, attention=attention):
        context = None if attention else "state"
        return EncoderDecoder.init(D, H, K, context=context, attention=attention, rng=rng)

    wanted = budget.parameters(init(D, HIDDEN, "additive"))
    return book.single(init(D, budget.hidden_size(init, D, wanted)))


def loss_and_grads(model, batch):
    """Cross-entropy of all symbols, the last STOP."""
    trace = book.taught(model, *batch)
    loss, dlogits = losses.softmax_cross_entropy(trace.logits, batch[2])
    return loss, seq2seq.backward(model, trace, dlogits)[1]


def right(model, dates, backwards=False):
    """(N,), whether each date is written right by a network on its own."""
    found = []
    for these in chunks(len(dates)):
        xs, lengths, targets = batch(dates.take(these), backwards)
        said = search.greedy(model, xs, lengths, start=book.START, stop=book.STOP,
                             max_steps=book.STEPS).symbols
        short = max(0, len(targets) - len(said))
        said = np.pad(said, ((0, short), (0, 0)), constant_values=book.STOP)
        found.append((said[: len(targets)] == targets).all(axis=0))
    return np.concatenate(found)


def trained(variant, seed, at=(), record=lambda model: model):
    """A training: the `train.Run`, with what was recorded after so many updates."""
    model = network(variant, np.random.default_rng([seed, 0]))
    batches = like_length(np.random.default_rng([seed, 1]), variant == "none reversed")
    return train.fit(
        model, loss_and_grads, lambda _: next(batches), optim.Adam(RATE), steps=UPDATES, clip=CLIP,
        record_at=[k for k in at if k <= UPDATES], record=record, progress=False)


# --- rows -------------------------------------------------------------------------------------


def numbers(values):
    """Several numbers as one entry of a row."""
    return " ".join(table.short(value) for value in np.ravel(values))


def run(job):
    """Train and test one network: its results."""
    variant, seed = job["variant"], job["seed"]
    backwards, rng = variant == "none reversed", np.random.default_rng([seed, 2])
    on_the_way = drawn(ON_THE_WAY, rng, held=True)
    history = trained(variant, seed, MOMENTS, lambda model: right(model, on_the_way, backwards))
    model, hits, asked = history.params, [], []
    for kind in FORMATS:
        test = drawn(TEST // len(FORMATS), rng, held=True, formats=(kind,))
        ok = right(model, test, backwards)
        hits.append(np.bincount(test.labels, ok, len(LOCALES)))
        asked.append(np.bincount(test.labels, minlength=len(LOCALES)))
    seen = model.decoder.attention and looks(
        model, letters(), on_the_way.take(range(LOOKED_AT)))
    return {
        "hidden": model.encoder.output_size, "parameters": budget.parameters(model),
        "updates": len(history.losses), "loss": table.short(history.losses[-50:].mean()),
        "exact": table.short(np.sum(hits) / TEST), "n": TEST,
        "right": numbers(hits), "asked": numbers(asked),
        "curve": numbers([share.mean() for _, share in history.snapshots]),
        "looks": numbers([seen[name] for name in LOOKS]) if seen else "",
    }


def mean(values, **about):
    """A row of a summary."""
    return about | table.mean_texts(values) | {"seeds": len(values)}


def summarise(folder):
    """Write the means over the seeds."""
    found = {}
    for row in table.read(folder / "dates.csv"):
        found.setdefault(row["variant"], {})[row["seed"]] = row
    for name, rows in (("summary", summary), ("curve", curve), ("locales", by_language),
                       ("alignment", alignment)):
        if lines := list(rows(found)):
            table.write(folder / f"dates_{name}.csv", lines)


def summary(found):
    """Of each variant, and of pairs seed by seed."""
    for variant, rows in found.items():
        yield mean([float(row["exact"]) for row in rows.values()], what=variant)
    for one, other in PAIRS:
        seeds = [seed for seed in found.get(one, {}) if seed in found.get(other, {})]
        if seeds:
            first, second = ([float(found[who][s]["exact"]) for s in seeds] for who in (one, other))
            yield mean(np.subtract(first, second), what=f"{one} - {other}")


def curve(found):
    """Of each variant after each of MOMENTS."""
    for variant, rows in found.items():
        shares = np.array([row["curve"].split() for row in rows.values()], float)
        for k, column in zip(MOMENTS, shares.T, strict=False):
            yield mean(column, variant=variant, updates=k)


def by_language(found):
    """Of each variant, language and format, or "all" of them."""
    languages = [datasets.languages.locale(code).english_name for code in LOCALES]
    for variant, rows in found.items():
        hits, asked = (np.array([row[name].split() for row in rows.values()], float).reshape(
            len(rows), len(FORMATS), -1) for name in ("right", "asked"))
        for k, language in enumerate(languages):
            yield mean((hits[..., k].sum(1) / asked[..., k].sum(1)), variant=variant,
                       language=language, format="all")
        for f, kind in enumerate(FORMATS):
            yield mean(hits[:, f].sum(1) / asked[:, f].sum(1), variant=variant, language="all",
                       format=kind)
        for k, f in np.ndindex(len(LOCALES), len(FORMATS)):
            yield mean(hits[:, f, k] / asked[:, f, k], variant=variant, language=languages[k],
                       format=FORMATS[f])


def alignment(found):
    """Of each measure: for every digit, by what it says, and for all; step 1 is the first digit."""
    says = np.array(list(DIGITS.values()))
    for variant, rows in found.items():
        if not all(row["looks"] for row in rows.values()):
            continue
        seen = np.array([row["looks"].split() for row in rows.values()], float)
        for name, values in zip(LOOKS, np.moveaxis(seen.reshape(-1, len(LOOKS), len(says)), 1, 0),
                                strict=True):
            for k, place in enumerate(DIGITS):
                yield mean(values[:, k], variant=variant, digit=place + 1, measure=name)
            for what in ("year", "month", "day", "all"):
                those = values[:, (says == what) | (what == "all")]
                yield mean(those.mean(axis=1), variant=variant, digit=what, measure=name)


def store(folder, fresh):
    """Write the networks of seed SHOWN, trained again to the bit."""
    path = folder / f"{book.FILE}.csv"
    if fresh or not path.exists():
        made = {name: trained(name, SHOWN, book.MOMENTS) for name in ("none", "dot", "additive")}
        networks = {name: run.params for name, run in made.items()}
        networks |= {f"additive {k}": model for k, model in made["additive"].snapshots}
        table.write(path, book.rows_of(letters(), networks))


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    runner.add_arguments(parser, seeds=10)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=VARIANTS)
    args = parser.parse_args(argv)
    jobs = [{"variant": variant, "seed": seed} for seed in runner.seeds(args)
            for variant in args.variants]
    with table.seconds():
        missing = runner.run(run, jobs, args.out / "dates.csv", KEY, args)
        summarise(args.out)
        store(args.out, args.fresh)
    return missing


if __name__ == "__main__":
    sys.exit(main())
