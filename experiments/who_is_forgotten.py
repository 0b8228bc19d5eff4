"""Which earlier word does the loss of the last word still reach, before and after training?

Sentences of three families are read word by word (one-hot), and the network foretells the last
word. A key word decides which of four it is:

    clouds : "the clouds are in the" sky
    France : "I grew up in France ... and I speak fluent" French
    brown  : "the brown and black dog ... was my first German" shepherd

In place of the dots stand clauses of four words each, drawn without replacement from six, in any
order. The last word read stands 3 steps after the key in clouds, 4 (France) or 7 (brown) steps
after it in the others, and 4 more per clause. Guessing among the four gives 25%.

Two diets, both with clouds in one batch of five:
    all  : 0 to 4 clauses, one number for all sentences of a batch
    long : always 4 clauses
Tested with 0 to 6 clauses. RNN (tanh), LSTM (forget bias 1) and GRU, 20 units; Adam, 0.003, batches
of 32 new sentences, gradients clipped at norm 1; the same number of updates for all. A seed draws
the weights and the sentences. Each network is looked at before and after training, with one
sentence of each family (four clauses): through step k the loss of the last word sends

    dW_k = da_k h_{k-1}ᵀ        into W (all gates one under the other), dW = Σ_k dW_k
    dU_k = da_k x_kᵀ            into U: only into the column of the word that stands at k

An item is ‖dW_k‖, and its share is ‖dW_k‖ / ‖dW‖. Means over seeds are geometric, with Student's
intervals of the logarithms. A network has solved a distance if it is right on at least 95% of 200
new sentences.

Writes who_is_forgotten_networks.csv (a row per network, diet and sentence; the numbers of the words
in one cell), who_is_forgotten_solved.csv (a row per network, diet, family and number of clauses)
and, from the first, who_is_forgotten.csv (a row per word). Until a run is over, a training and all
its rows are one row of who_is_forgotten_new.csv.
"""

import argparse
import json
import sys

import numpy as np
import runner
import table

from rnnlib import GRUCell, LSTMCell, OutputLayer, RNNCell, forward, losses, optim
from rnnlib import train as training
from rnnlib.bptt import itemised
from rnnlib.tasks import Batch
from rnnlib.watch import Answering

CELLS = {"RNN": RNNCell, "LSTM": LSTMCell, "GRU": GRUCell}
GATES = {"RNN": ("a",), "LSTM": ("a_i", "a_f", "a_g", "a_o"), "GRU": ("a_r", "a_z", "a_n")}
ANSWERS = Answering("cross_entropy")  # of the last word
HIDDEN, BATCH, STEPS, RATE, CLIP = 20, 32, 1000, 0.003, 1.0
SHOWN, TESTED = 4, 200  # clauses in the sentences shown, sentences in a test
DIETS = {"all": (0, 1, 2, 3, 4), "long": (4,)}
#: family -> (beginning, end, {key word: last word}, clauses; the first four are those shown)
FAMILIES = {
    "clouds": ("the {} are in the", "", {
        "clouds": "sky", "boats": "harbour", "cows": "meadow", "books": "library"}, ()),
    "France": ("I grew up in {}", "and I speak fluent", {
        "France": "French", "Spain": "Spanish", "Italy": "Italian", "Japan": "Japanese"}, (
        "beside a small harbour", "with my two sisters", "until we moved north",
        "when I was ten", "in a noisy street", "among very old trees")),
    "brown": ("the {} and black dog", "was my first German", {
        "brown": "shepherd", "white": "spitz", "spotted": "pointer", "red": "pinscher"}, (
        "that followed us home", "when I was ten", "and slept every night",
        "beside the kitchen stove", "with one torn ear", "until we moved north")),
}
JOB_KEY = ("network", "training", "seed")
KEY = ("network", "training", "sentence", "seed")
SOLVED_KEY = ("network", "training", "family", "clauses", "seed")


def write_sentence(family, key, clauses):
    """(words to read, last word) of a family with this key word and these clauses."""
    start, end, answers, _ = FAMILIES[family]
    return " ".join([start.format(key), *clauses, end]).split(), answers[key]


def shown(family):
    """The sentence that the figure shows."""
    return write_sentence(family, family, FAMILIES[family][3][:SHOWN])


def _vocabulary():
    every = [write_sentence(family, key, parts[3])
             for family, parts in FAMILIES.items() for key in parts[2]]
    read = dict.fromkeys(word for words, _ in every for word in words)
    return tuple(read), tuple(last for _, last in every)


WORDS, ENDINGS = _vocabulary()
PLACE = {word: i for i, word in enumerate(WORDS)}


def draw(rng, family, count):
    """A sentence of a family with so many clauses; the key and the clauses are drawn."""
    _, _, answers, clauses = FAMILIES[family]
    chosen = rng.permutation(len(clauses))[:count]
    return write_sentence(family, list(answers)[rng.integers(4)], [clauses[i] for i in chosen])


def draw_batch(rng, diet):
    """A batch of sentences of one length, encoded."""
    if rng.random() < 0.2:
        return encode([draw(rng, "clouds", 0) for _ in range(BATCH)])
    count = rng.choice(DIETS[diet])
    return encode([draw(rng, ("France", "brown")[i % 2], count) for i in range(BATCH)])


def encode(sentences):
    """Sentences of one length as a batch: xs (T, B, words), targets (1, B)."""
    places = np.array([[PLACE[word] for word in words] for words, _ in sentences])
    targets = [[ENDINGS.index(last) for _, last in sentences]]
    return Batch(np.eye(len(WORDS))[places.T], np.array(targets))


def start(network, rng):
    """An untrained (cell, output layer)."""
    cell = CELLS[network].init(len(WORDS), HIDDEN, rng=rng)
    return cell, OutputLayer.init(HIDDEN, len(ENDINGS), rng=rng)


def train(network, diet, seed, steps=STEPS):
    """(params before, params after): one network on sentences of its own."""
    rng = np.random.default_rng(seed)
    before = start(network, rng)
    run = training.fit(before, ANSWERS.loss_and_grads, lambda step: draw_batch(rng, diet),
                       optim.Adam(RATE), steps=steps, clip=CLIP, progress=False)
    return before, run.params


def look(network, params, family):
    """What the last loss of the sentence shown sends: the columns of a row of the table.

    In a GRU, W meets h_{k-1} in s_k = b_n + W_n h_{k-1} where U meets x_k in a_n.
    """
    cell, out = params
    batch = encode([shown(family)])
    trace = forward(cell, batch.xs)
    logits = out.logits(trace.h[-1:])
    loss, dlogits = losses.softmax_cross_entropy(logits, batch.targets)
    dhs = np.zeros_like(trace.h)
    dhs[-1:], _ = out.backward(trace.h[-1:], dlogits)
    sent = itemised(cell, trace, dhs)
    da = {name: getattr(sent, name)[:, -1] for name in GATES[network]}
    columns = np.linalg.norm(np.hstack(list(da.values())), axis=1)
    if network == "GRU":
        da["a_n"] = sent.s[:, -1]
    items = np.linalg.norm(np.hstack(list(da.values())), axis=1)
    items *= np.linalg.norm(trace.h_prev[:, 0], axis=1)
    return {
        "loss": table.short(loss), "right": int(logits.argmax() == batch.targets[0, 0]),
        "dW": table.short(np.linalg.norm(sent.cell.W)),
        "dU": table.short(np.linalg.norm(sent.cell.U)),
        "items": " ".join(map(table.short, items)), "columns": " ".join(map(table.short, columns)),
    }


def accuracy(params, family, count, seed):
    """Share of new sentences whose last word is foretold."""
    cell, out = params
    rng = np.random.default_rng([seed, count, 1])
    batch = encode([draw(rng, family, count) for _ in range(TESTED)])
    return (out.logits(forward(cell, batch.xs).h[-1:]).argmax(-1) == batch.targets).mean()


def run(job, steps=STEPS):
    """Train and look at one network: rows of the two tables, as text."""
    network, diet, seed = (job[name] for name in JOB_KEY)
    before, after = train(network, diet, seed, steps)
    moments = {diet: after} | ({"none": before} if diet == "all" else {})
    rows = [
        {"network": network, "training": moment, "sentence": family, "seed": seed}
        | look(network, params, family)
        for moment, params in moments.items() for family in FAMILIES
    ]
    solved = [
        {"network": network, "training": diet, "family": family, "clauses": count, "seed": seed,
         "accuracy": table.short(accuracy(after, family, count, seed))}
        for family, parts in FAMILIES.items() for count in range(len(parts[3]) + 1)
    ]
    return {"networks": json.dumps(rows), "solved": json.dumps(solved)}


def summarise(folder):
    """The table of the figure: for each word the geometric mean over seeds of its item's share."""
    groups, summary = {}, []
    for row in table.read(folder / "who_is_forgotten_networks.csv"):
        groups.setdefault(tuple(row[name] for name in KEY[:-1]), []).append(row)
    for values, rows in groups.items():
        if len(rows) < 2:
            continue
        words, last = shown(values[-1])
        dW, dU = (np.array([[float(row[name])] for row in rows]) for name in ("dW", "dU"))
        items, columns = (np.array([row[name].split() for row in rows], float)
                          for name in ("items", "columns"))
        about = {"seeds": len(rows), "right": sum(int(row["right"]) for row in rows),
                 "loss": table.short(np.mean([float(row["loss"]) for row in rows])),
                 "dW": geometric(dW)[0], "dU": geometric(dU)[0]}
        for k, word in enumerate(words):
            numbers = {"item": geometric(items[:, k])[0]}
            for name, values_k in (("share", items / dW), ("column_share", columns / dU)):
                triple = geometric(values_k[:, k])
                numbers |= dict(zip((name, f"{name}_low", f"{name}_high"), triple, strict=True))
            summary.append(dict(zip(KEY[:-1], values, strict=True)) | {"place": k, "word": word}
                           | numbers | {"last_word": last} | about)
    if summary:
        table.write(folder / "who_is_forgotten.csv", summary)


def geometric(values):
    """(geometric mean, low, high) as text; zeros, as at the first word, have mean zero."""
    if not np.all(values):
        return ("0",) * 3
    return tuple(table.short(np.exp(v)) for v in table.mean_interval(np.log(values).ravel()))


def unpack(folder):
    """Put the rows of the new trainings into the two tables."""
    new = folder / "who_is_forgotten_new.csv"
    for job in table.read(new):
        for name, key in (("solved", SOLVED_KEY), ("networks", KEY)):
            rows = json.loads(job[name])
            table.merge(folder / f"who_is_forgotten_{name}.csv", rows, key)
    new.unlink(missing_ok=True)


def main(argv=None):
    """Run what is missing and write the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    runner.add_arguments(parser, seeds=10)
    args = parser.parse_args(argv)
    jobs = [
        {"network": network, "training": diet, "seed": seed}
        for seed in runner.seeds(args) for diet in DIETS for network in CELLS
    ]
    if not args.fresh:
        jobs = table.missing(args.out / "who_is_forgotten_networks.csv", jobs, JOB_KEY)
    with table.seconds():
        missing = runner.run(run, jobs, args.out / "who_is_forgotten_new.csv", JOB_KEY, args)
        unpack(args.out)
        summarise(args.out)
    return missing


if __name__ == "__main__":
    sys.exit(main())
