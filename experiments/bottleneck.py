"""Can a vector of fixed size carry a sequence? Copying, with and without attention (chapter 8).

A sequence of symbols is read and has to be written again. There are 8 symbols, all equally likely,
one-hot, and a stop that the writer says at the end; a symbol is worth 3 bits. A GRU reads, a GRU of
the same size H writes (`rnnlib.seq2seq`); the reader's last state is the writer's first.

    forward     that state is all the writer is given
    reversed    the same, but the source is read from its end, as in Sutskever, Vinyals and Le 2014
    attention   the writer also looks at every state of the reader (additive; source as in forward)

The same for all: lengths 1 to 10, drawn anew for every sequence; 1,000 updates with 32 sequences
each, Adam at rate 0.01 and, in the last 200 updates, begun anew at 0.002; the gradient clipped at
norm 1; a teacher at every step. At one H all have
the same weights but attention, which has more: `parameters` tells. A seed draws weights, training
and test sequences; all networks of a seed see the same sequences, whatever their size.

Tested on 200 new sequences of each length 1 to 20, which is twice what was trained: exact_n is the
share of those of length n that are written without one mistake, stop included, by the network on
its own, which says its most likely symbol each time.

Why does attention fail beyond 10? The networks with attention are asked once more, at length 20,
with a teacher, so that no mistake leads to another: at_t is the share of sequences in which the
largest weight of output t stands at place t of the source, where its symbol is; place_t is the mean
over sequences of that weight's place. `said` is the mean number of symbols, stop not counted, that
they say on their own of 20 (at most 40). Some never learn to look at all, and have no use of it:
`looking` counts the networks whose output 1 looks at place 1 in at least half of the sequences.

    python experiments/bottleneck.py        # about ten minutes on one core

Writes bottleneck.csv (a row per network), bottleneck_summary.csv (a row per model, size and length)
and bottleneck_places.csv (a row per size and output); means over seeds, Student's intervals.
"""

import argparse
import dataclasses
import sys

import numpy as np
import runner
import table

from rnnlib import budget, decoder, losses, optim, search, seq2seq, train, unroll
from rnnlib.seq2seq import EncoderDecoder, teacher_inputs
from rnnlib.tasks.batch import draw_lengths, inside
from rnnlib.tasks.letters import one_hot

SYMBOLS = 8
STOP, START, SAID = SYMBOLS, SYMBOLS + 1, SYMBOLS + 2  # what a writer can say: SAID classes
TRAINED, LONGEST = 10, 20  # lengths
SIZES = (8, 16, 32, 64)
#: model -> (its attention, is the source read from its end?)
MODELS = {"forward": (None, False), "reversed": (None, True), "attention": ("additive", False)}
BATCH, CLIP, TESTED = 32, 1.0, 200
SCHEDULE = ((0.01, 800), (0.002, 200))  # rates and their updates
KEY = ("model", "size", "seed")


@dataclasses.dataclass(frozen=True)
class Copies:
    """Sequences to copy: xs (S, B, 8) the sources, targets (S + 1, B) with a stop, lengths (B,)."""

    xs: np.ndarray
    targets: np.ndarray
    lengths: np.ndarray


def copies(count, length, rng, *, from_end=False):
    """Draw that many sequences; length: a whole number, or a pair to draw from."""
    lengths = draw_lengths(count, length, rng)
    codes = rng.integers(SYMBOLS, size=(lengths.max(), count))
    steps, counted = np.arange(len(codes))[:, None], inside(lengths)
    targets = np.full((len(codes) + 1, count), STOP)
    targets[:-1][counted] = codes[counted]
    if from_end:
        codes = np.take_along_axis(codes, np.maximum(lengths - 1 - steps, 0), axis=0)
    return Copies(one_hot(codes, SYMBOLS) * counted[..., None], targets, lengths)


def loss_and_grads(model, batch):
    """Cross-entropy of all symbols and the stop, with a teacher, and its gradient.

    `seq2seq.forward` and `backward` do the same, but stop reading where each sequence ends; here
    the padding is read as well, in one go, and nothing made of it is used. That is faster.
    """
    ends = batch.lengths - 1, np.arange(len(batch.lengths))
    read = unroll.forward(model.encoder, batch.xs)
    seen = {"keys": read.h, "lengths": batch.lengths} if model.decoder.attention else {}
    inputs = teacher_inputs(batch.targets, START, SAID)
    said = decoder.forward(model.decoder, inputs, read.h[ends], **seen)
    loss, dlogits = losses.softmax_cross_entropy(
        said.logits, batch.targets, inside(batch.lengths + 1))
    dsaid, ddecoder = decoder.backward(model.decoder, said, dlogits)
    dhs = dsaid.attention.keys.copy() if seen else np.zeros_like(read.h)
    dhs[ends] += dsaid.vector
    _, dencoder = unroll.backward(model.encoder, read, dhs)
    return loss, dataclasses.replace(model, encoder=dencoder, decoder=ddecoder)


def network(model, size, rng):
    """One of `MODELS` before training."""
    attention, _ = MODELS[model]
    return EncoderDecoder.init(SYMBOLS, size, SAID, attention=attention, rng=rng)


def exact(model, batch):
    """The share of sequences, all of one length, that the model copies on its own."""
    found = search.greedy(
        model, batch.xs, start=START, stop=STOP, max_steps=len(batch.targets))
    if len(found.symbols) < len(batch.targets):  # all have stopped too early
        return 0.0
    return (found.symbols == batch.targets).all(axis=0).mean()


def looking(model, batch):
    """Where attention looks at every output, with a teacher: (at_t, place_t), both (S,)."""
    inputs = teacher_inputs(batch.targets, START, SAID)
    trace = seq2seq.forward(model, batch.xs, inputs)
    places = trace.attention.weights[:-1].argmax(axis=-1)
    return (places == np.arange(len(places))[:, None]).mean(axis=1), places.mean(axis=1) + 1


def generators(seed):
    """Those that draw the weights, the training and the test sequences."""
    return [*map(np.random.default_rng, np.random.SeedSequence(seed).spawn(3))]


def trained(job, schedule=SCHEDULE):
    """(the network, the loss of every update) of one training."""
    (start, training, _), (_, from_end) = generators(job["seed"]), MODELS[job["model"]]
    model, losses = network(job["model"], job["size"], start), []
    for rate, updates in schedule:
        history = train.fit(
            model, loss_and_grads,
            lambda _: copies(BATCH, (1, TRAINED), training, from_end=from_end),
            optim.Adam(rate), steps=updates, clip=CLIP, progress=False,
        )
        model, losses = history.params, [*losses, *history.losses]
    return model, np.array(losses)


def run(job):
    """Train and test one network: its results."""
    (*_, testing), (_, from_end) = generators(job["seed"]), MODELS[job["model"]]
    model, losses = trained(job)
    tests = [copies(TESTED, n, testing, from_end=from_end) for n in range(1, LONGEST + 1)]
    row = {"parameters": budget.parameters(model), "loss": table.short(losses[-100:].mean())}
    row |= {f"exact_{n}": table.short(exact(model, batch))
            for n, batch in enumerate(tests, 1)}
    return row | looks(model, tests[-1])


def looks(model, batch):
    """at_t, place_t and said, as text; of a network without attention, empty texts."""
    names = [f"{name}_{t}" for name in ("at", "place") for t in range(1, LONGEST + 1)]
    if model.decoder.attention is None:
        return dict.fromkeys([*names, "said"], "")
    found = search.greedy(model, batch.xs, start=START, stop=STOP, max_steps=2 * LONGEST)
    said = (found.symbols != STOP).sum(axis=0).mean()
    values = [*np.concatenate(looking(model, batch)), said]
    return {name: table.short(value) for name, value in zip([*names, "said"], values, strict=True)}


def summary(rows):
    """A row per model, size and length: the mean share of exact copies."""
    for setting, mine in table.groups(rows, KEY[:-1]):
        for n in range(1, LONGEST + 1):
            yield setting | {
                "length": n, "n": len(mine), "parameters": mine[0]["parameters"],
            } | table.mean_texts([row[f"exact_{n}"] for row in mine])


def looking_at_all(rows):
    """How many of these networks look at the first place for the first output."""
    return sum(float(row["at_1"]) >= 0.5 for row in rows)


def places(rows):
    """A row per size and output: where attention looks in a source of 20 symbols."""
    own = [row for row in rows if row["model"] == "attention"]
    for setting, mine in table.groups(own, ["size"]):
        for t in range(1, LONGEST + 1):
            line = setting | {"output": t, "n": len(mine), "looking": looking_at_all(mine)}
            for name, column in (("at", f"at_{t}"), ("place", f"place_{t}"), ("said", "said")):
                interval = table.mean_interval([row[column] for row in mine])
                line |= table.texts(interval, name, f"{name}_low", f"{name}_high")
            yield line


def main():
    """Run what is missing, and sum it up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    runner.add_arguments(parser, seeds=10)
    args = parser.parse_args()
    jobs = [{"model": model, "size": size, "seed": seed}
            for seed in runner.seeds(args) for size in SIZES for model in MODELS]
    path = args.out / "bottleneck.csv"
    with table.seconds():
        missing = runner.run(run, jobs, path, KEY, args)
    rows = table.read(path)
    table.write(args.out / "bottleneck_summary.csv", list(summary(rows)))
    table.write(args.out / "bottleneck_places.csv", list(places(rows)))
    sys.exit(missing)


if __name__ == "__main__":
    main()
