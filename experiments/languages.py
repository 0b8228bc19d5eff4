"""Which language is this word? Networks that read one way or both, against counted n-grams (ch. 7).

10,079 names of places and languages in 20 languages (`rnnlib.datasets.names`). A seed splits them
into training (7 tenths), validation (1) and test (2), every language in its share, and draws the
first weights. Each reader learns from the training part alone:

    forward, backward   a GRU reads from the first letter, or from the last; 64 units
    both                two GRUs, one each way, side by side: as many parameters in all
    most frequent       the most frequent language, always
    n-grams             naive Bayes on counts of 1 to n letters, with marks for start and end
    logistic            logistic regression on the same counts

The networks see small letters one-hot (those that occur 5 times in the training part; one column
for any other, one for a capital) and answer from h_end: cross-entropy, Adam, rate 0.01, clipped at
norm 1, batches of 64 of like length, 18 epochs. In training 15% of the letters, drawn anew each
time, are hidden: shown as "any other". Kept: the epoch of the smallest loss on the validation part.
Of n-grams n, smoothing and whether capitals stay are those with the highest accuracy on the
validation part; so are n and the epoch of logistic regression (Adagrad).

    python experiments/languages.py        # about 12 minutes of one core

Writes languages.csv (a row for each reader and seed), languages_summary.csv (means over the seeds
and differences paired by seed, Student's intervals), languages_confusion.csv (counts over all seeds
of true and said language) and languages_networks.csv: the three networks of seed 0, which the
figure shows.
"""

import argparse
import sys
from collections import Counter

import numpy as np
import runner
import table
from counting import logistic, naive_bayes, right

from rnnlib import Bidirectional, GRUCell, OutputLayer, budget, datasets, optim, train
from rnnlib.tasks.batch import Batch, inside
from rnnlib.watch import Answering
from rnnlib.widgets import language_readers as readers

HIDDEN, BATCH, EPOCHS, RATE, CLIP, OFTEN = 64, 64, 18, 0.01, 1.0, 5
ANSWERS = Answering("cross_entropy")
HIDE = 0.15  # the share of letters that a training hides, others each time
SHOWN = 0  # the seed whose networks are stored
COUNTED = ("n-grams", "logistic")
READERS = ("most frequent", *COUNTED, *readers.DIRECTIONS)
KEY = ("reader", "seed")
#: pairs of readers whose accuracies are compared seed by seed
PAIRS = [("both", "forward"), ("both", "backward"), ("backward", "forward"), ("both", "n-grams"),
         ("both", "logistic")]


def parts(seed):
    """(training, validation, test): the names of this seed, apart."""
    rng = np.random.default_rng([seed, 0])
    rest, test = datasets.names().split(0.2, rng)
    return *rest.split(0.125, rng), test


# --- networks ---------------------------------------------------------------------------------


def alphabet(texts):
    """The small letters that occur often enough to be learned, in order."""
    counts = Counter(readers.small("".join(texts)))
    return "".join(sorted(letter for letter, count in counts.items() if count >= OFTEN))


def network(direction, inputs, classes, rng):
    """(cell, out), untrained; that of "both" has as many parameters as one of HIDDEN units."""
    def one_way(D, H):
        return GRUCell.init(D, H, rng=rng), OutputLayer.init(H, classes, rng=rng)

    def both_ways(D, H):
        cells = Bidirectional(GRUCell.init(D, H, rng=rng), GRUCell.init(D, H, rng=rng))
        return cells, OutputLayer.init(2 * H, classes, rng=rng)

    if direction != "both":
        cell, out = one_way(inputs, HIDDEN)
    else:
        wanted = budget.parameters(one_way(inputs, HIDDEN))
        cell, out = both_ways(inputs, budget.hidden_size(both_ways, inputs, wanted))
    return cell.astype(np.float32), out.astype(np.float32)


def batches(part, direction, letters, seed):
    """(a function of the step that gives its batch, steps an epoch): names of like length."""
    texts, lengths = readers.turned(part.texts, direction), np.char.str_len(part.texts)
    count, order = -(-len(part) // BATCH), {}

    def draw(step):
        epoch, place = divmod(step, count)
        if epoch not in order:
            order.clear()
            rng = np.random.default_rng([seed, 2, epoch])
            shuffled = rng.permutation(len(part))
            by_length = shuffled[np.argsort(lengths[shuffled], kind="stable")]
            cuts = np.split(by_length, range(BATCH, len(part), BATCH))
            order[epoch] = [cuts[k] for k in rng.permutation(count)]
        these, rng = order[epoch][place], np.random.default_rng([seed, 3, step])
        xs, ends = readers.encode([texts[k] for k in these], letters)
        xs = readers.hide(xs, (rng.random(xs.shape[:2]) < HIDE) & inside(ends))
        return Batch(xs, part.labels[these][None], ends)

    return draw, count


def log_beliefs(params, part, direction, letters):
    """log ŷ (N, K) of all names of a part."""
    texts = readers.turned(part.texts, direction)
    order, found = np.argsort([len(text) for text in texts], kind="stable"), []
    for these in np.array_split(order, -(-len(texts) // 256)):
        found.append(readers.log_belief(params, *readers.encode([texts[k] for k in these],
                                                                letters)))
    return np.concatenate(found)[np.argsort(order)]


def trained(direction, seed):
    """(letters, params, epochs, validation accuracy) of one network after its training."""
    training, validation, _ = parts(seed)
    letters = alphabet(training.texts)
    rng = np.random.default_rng([seed, 1])
    params = network(direction, len(letters) + 2, len(training.classes), rng)
    draw, count = batches(training, direction, letters, seed)

    def judged(params):
        log_p = log_beliefs(params, validation, direction, letters)
        loss = -log_p[np.arange(len(validation)), validation.labels].mean()
        return loss, (log_p.argmax(1) == validation.labels).mean(), params

    history = train.fit(
        params, ANSWERS.loss_and_grads, draw, optim.Adam(RATE), steps=EPOCHS * count, clip=CLIP,
        record_every=count, record=judged, progress=False)
    step, (_, share, params) = min(history.snapshots, key=lambda kept: kept[1][0])
    return letters, params, step // count, share


# --- rows -------------------------------------------------------------------------------------


def answers(reader, seed):
    """(hidden units, parameters, setting, validation accuracy, what is said of the test)."""
    training, validation, test = three = parts(seed)
    if reader == "most frequent":
        most = np.bincount(training.labels).argmax()
        said = np.full(len(test), most)
        return 0, 0, "", right(np.full(len(validation), most), validation), said
    if reader in COUNTED:
        found = naive_bayes(*three) if reader == "n-grams" else logistic(*three, seed)
        return 0, 0, *found
    letters, params, epochs, share = trained(reader, seed)
    hidden = params[1].V.shape[1] // (2 if reader == "both" else 1)
    said = log_beliefs(params, test, reader, letters).argmax(1)
    return hidden, budget.parameters(params), f"epochs {epochs}", share, said


def run(job):
    """Train and test one reader: its results."""
    hidden, size, setting, share, said = answers(job["reader"], job["seed"])
    test = parts(job["seed"])[2]
    K = len(test.classes)
    confusion = np.zeros((K, K), int)
    np.add.at(confusion, (test.labels, said), 1)                # a row for each true language
    recall = confusion.diagonal() / confusion.sum(1)
    return {"hidden": hidden, "parameters": size, "setting": setting,
            "validation": table.short(share), "accuracy": table.short(right(said, test)),
            "macro_recall": table.short(recall.mean()), "n": len(test),
            "confusion": " ".join(map(str, confusion.ravel()))}


def summarise(folder):
    """Means over the seeds, differences of pairs, and the counts of all seeds together."""
    found = {}
    for row in table.read(folder / "languages.csv"):
        found.setdefault(row["reader"], {})[row["seed"]] = row
    summary = []
    for what in ("accuracy", "macro_recall"):
        for reader, rows in found.items():
            summary.append(_mean(what, reader, [float(row[what]) for row in rows.values()]))
    for one, other in PAIRS:
        seeds = [seed for seed in found.get(one, {}) if seed in found.get(other, {})]
        first, second = ([float(found[who][s]["accuracy"]) for s in seeds] for who in (one, other))
        summary.append(_mean("accuracy", f"{one} - {other}", np.subtract(first, second)))
    summary = [row for row in summary if row]
    if summary:
        table.write(folder / "languages_summary.csv", summary)
        table.write(folder / "languages_confusion.csv", list(_confusions(found)))


def _mean(what, who, values):
    """A row of the summary, or None for fewer than two seeds."""
    if len(values) < 2:
        return None
    numbers = map(table.short, table.mean_interval(values))
    return {"what": what, "who": who, "seeds": len(values),
            **dict(zip(("mean", "low", "high"), numbers, strict=True))}


def _confusions(found):
    """A row for each reader, true and said language that occur together: how often in all seeds."""
    languages = datasets.names().classes
    for reader, rows in found.items():
        counts = sum(np.array(row["confusion"].split(), int) for row in rows.values())
        for place, count in enumerate(counts):
            if count:
                truth, said = divmod(place, len(languages))
                yield {"reader": reader, "truth": languages[truth], "said": languages[said],
                       "count": count}


def store(folder, fresh):
    """Write the networks of seed SHOWN, trained again to the bit."""
    path = folder / f"{readers.FILE}.csv"
    if fresh or not path.exists():
        made = {direction: trained(direction, SHOWN)[:2] for direction in readers.DIRECTIONS}
        networks = {direction: params for direction, (_, params) in made.items()}
        letters = made["both"][0]
        table.write(path, readers.rows_of(letters, datasets.names().classes, networks))


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    runner.add_arguments(parser, seeds=10)
    parser.add_argument("--readers", nargs="+", choices=READERS, default=READERS)
    args = parser.parse_args(argv)
    jobs = [{"reader": reader, "seed": seed} for seed in runner.seeds(args)
            for reader in args.readers]
    with table.seconds():
        missing = runner.run(run, jobs, args.out / "languages.csv", KEY, args)
        summarise(args.out)
        store(args.out, args.fresh)
    return missing


if __name__ == "__main__":
    sys.exit(main())
