"""Strings without a break: must a cell be able to forget? (chapter 5)

After Gers, Schmidhuber and Cummins (2000): embedded Reber strings come one behind the other, and
nobody resets the state where one ends. `LSTM 1997` (LSTM1997Cell, 6 units, 301 parameters with the
output layer) has no way to forget, `LSTM` (LSTMCell, 5 units, 302 parameters, forget bias 1) has.
Three ways to train each:

    strings  every string alone, from the state zero, as in reber.py
    pieces   100 letters of a stream, from the state zero at the beginning of a string
    stream   100 letters of a stream that never ends, from the state after the 100 before

The same for all: 10 streams side by side (`strings`: 86 strings, about as many letters), 1,500
updates by Adam at rate 0.03 (experiments/README.md: the pilot), the gradient through 100 letters or
the string, clipped at norm 1, cross-entropy. A seed draws weights, streams and the test.

Then each network reads 4 new streams of 1,000 strings, from the state zero and with no reset, and
foretells every letter (`tasks.predicts_legal`). A row per network and stretch of the streams, the
strings `first` .. `last` counted from 1: `hard` is the share of last letters but one that are
foretold, `whole` of strings with all letters from the second on, `size` the mean over strings of
the largest |c| of a unit at its end, `saturated` the share of units with |tanh c| > 0.99 there,
`reset` as `hard`, but with the state set to zero before every string.

    python experiments/continual_reber.py

Writes continual_reber.csv, continual_reber_summary.csv (means over the seeds with Student's
intervals; `clean` of `networks` foretell every letter of every string, with Wilson's) and, of one
seed, continual_reber_weights.csv for the book's figure.
"""

import argparse
import sys
from itertools import pairwise

import many_gated
import numpy as np
import runner
import table
from reber import LETTERS, UNITS, add_arguments
from tqdm import trange

from rnnlib import OutputLayer, forward, optim, results, tasks

KINDS, TRAININGS = ("LSTM 1997", "LSTM"), ("strings", "pieces", "stream")
PIECE, STREAMS, ALONE, UPDATES, RATE, CLIP = 100, 10, 86, 1500, 0.03, 1.0
TESTED, LONG = 4, 1000  # streams, and strings in each
ENDS = (0, 1, 10, 100, 1000)  # of the stretches
SHOWN = 8  # the seed whose weights are kept: near the median of `LSTM 1997` on the stream
KEY = ("training", "cell", "rate", "updates", "seed", "first")
NUMBERS = ("hard", "whole", "size", "saturated", "reset")
CODES = np.full(128, -1)
CODES[[ord(letter) for letter in tasks.REBER_SYMBOLS]] = range(LETTERS)


# --- training ------------------------------------------------------------------------------------


def letters(n, rng):
    """The classes of the first n letters of a stream."""
    text = "".join(tasks.reber_strings(n // 9 + 1, embedded=True, rng=rng))  # 9 is the shortest
    return CODES[np.frombuffer(text[:n].encode(), dtype=np.uint8)]


def batches(training, rngs, updates):
    """(xs, targets, mask) of each update, (T, S, B, ...), for the networks of these generators."""
    eye = np.eye(LETTERS)
    if training == "stream":
        n = updates * PIECE + 1
        whole = np.array([[letters(n, rng) for _ in range(STREAMS)] for rng in rngs])
    for k in range(updates):
        if training == "strings":
            yield alone(rngs)
            continue
        if training == "pieces":
            codes = [[letters(PIECE + 1, rng) for _ in range(STREAMS)] for rng in rngs]
            codes = np.moveaxis(codes, -1, 0)
        else:
            codes = np.moveaxis(whole[..., k * PIECE : (k + 1) * PIECE + 1], -1, 0)
        yield eye[codes[:-1]], codes[1:], np.ones(codes[1:].shape)


def alone(rngs):
    """The same of strings that each stand alone, padded to the longest."""
    drawn = [tasks.reber_batch(ALONE, embedded=True, rng=rng) for rng in rngs]
    T = max(len(batch.xs) for batch in drawn)
    xs = np.zeros((T, len(drawn), ALONE, LETTERS))
    targets, mask = np.zeros(xs.shape[:3], dtype=int), np.zeros(xs.shape[:3])
    for s, batch in enumerate(drawn):
        n = len(batch.xs)
        xs[:n, s], targets[:n, s], mask[:n, s] = batch.xs, batch.targets, batch.mask
    return xs, targets, mask


def train(kind, training, seeds, rate=RATE, updates=UPDATES):
    """Train a network per seed, side by side: the list of pairs (cell, out)."""
    starts, draws = zip(*(generators(seed)[:2] for seed in seeds), strict=True)
    cell, units = many_gated.CELLS[kind], UNITS[kind]
    params = many_gated.side_by_side([
        (cell.init(LETTERS, units, rng=rng), OutputLayer.init(units, LETTERS, rng=rng))
        for rng in starts
    ])
    optimiser, state = optim.Adam(rate), None
    moments = optimiser.init(params)
    drawn = batches(training, draws, updates)
    for _ in trange(updates, desc=f"{kind}, {training}"):
        _, grads, last = many_gated.gradients(kind, params, *next(drawn), state)
        state = last if training == "stream" else None
        params, moments = optimiser.update(params, many_gated.clipped(grads, CLIP), moments)
    return [many_gated.network(kind, params, s) for s in range(len(seeds))]


def generators(seed):
    """Of the weights, of what is learned from, and of the test."""
    return [np.random.default_rng(one) for one in np.random.SeedSequence(seed).spawn(3)]


# --- the test ------------------------------------------------------------------------------------


def stream(strings):
    """Strings behind each other: the letters, and (T, 7) which may come next.

    What follows a string is the B of the next.
    """
    legal = tasks.legal_successors(strings, embedded=True)
    rows = np.zeros((sum(map(len, strings)), LETTERS), dtype=bool)
    ends = np.cumsum([len(string) for string in strings])
    for b, (string, end) in enumerate(zip(strings, ends, strict=True)):
        rows[end - len(string) : end - 1] = legal[: len(string) - 1, b]
    rows[ends - 1, tasks.REBER_SYMBOLS.index("B")] = True
    return "".join(strings), rows


def read(network, strings):
    """(hard, whole, size, saturated) of each string of a stream that is read without a reset."""
    cell, out = network
    text, legal = stream(strings)
    trace = forward(cell, np.eye(LETTERS)[CODES[list(text.encode())]][:, None])
    right = tasks.predicts_legal(out.logits(trace.h), legal[:, None])[:, 0]
    lengths = np.array([len(string) for string in strings])
    ends = np.cumsum(lengths)                                       # one past each E
    right[ends - 1] = True                                          # the B of the next string
    whole = np.logical_and.reduceat(right, ends - lengths)
    size = np.abs(trace.c[ends - 1, 0])
    saturated = (np.tanh(size) > 0.99).mean(axis=-1)
    return right[ends - 3], whole, size.max(axis=-1), saturated     # read: ... the T before T E


def reset(network, strings):
    """hard, with the state zero before each string."""
    cell, out = network
    batch = tasks.next_symbols(strings)
    trace = forward(cell, batch.xs, lengths=batch.lengths)
    legal = tasks.legal_successors(strings, embedded=True)
    right = tasks.predicts_legal(out.logits(trace.h), legal)
    return right[batch.lengths - 2, np.arange(len(strings))]


def test(network, rng):
    """A dict of results per stretch of the streams."""
    seen = []
    for _ in range(TESTED):
        strings = tasks.reber_strings(LONG, embedded=True, rng=rng)
        seen.append([*read(network, strings), reset(network, strings)])
    means = np.mean(seen, axis=0)                                   # (5, LONG)
    for begin, end in pairwise(ENDS):
        values = means[:, begin:end].mean(axis=1)
        yield {"first": begin + 1, "last": end,
               **{name: table.short(v) for name, v in zip(NUMBERS, values, strict=True)}}


# --- files ---------------------------------------------------------------------------------------


def summary(rows):
    """Means over the seeds, per training, cell and stretch."""
    groups = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in (*KEY[:-2], "first", "last")), []).append(row)
    for names, mine in groups.items():
        line = dict(zip((*KEY[:-2], "first", "last"), names, strict=True))
        for name in NUMBERS:
            values = table.mean_interval([float(row[name]) for row in mine])
            if name != "size":
                values = np.clip(values, 0, 1)                      # shares
            ends = (name, f"{name}_low", f"{name}_high")
            line |= dict(zip(ends, map(table.short, values), strict=True))
        clean = sum(float(row["whole"]) == 1 for row in mine)
        shares = map(table.short, table.share_interval(clean, len(mine)))
        yield line | {"clean": clean, "networks": len(mine),
                      **dict(zip(("clean_share", "clean_low", "clean_high"), shares, strict=True))}


def main():
    """Run what is missing, and sum it up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser, seeds=10)
    parser.add_argument("--cells", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--trainings", nargs="+", choices=TRAININGS, default=TRAININGS)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--updates", type=int, default=UPDATES)
    args = parser.parse_args()
    path = args.out / "continual_reber.csv"
    with table.seconds():
        for training in args.trainings:
            for kind in args.cells:
                run(training, kind, path, args)
    table.write(args.out / "continual_reber_summary.csv", list(summary(table.read(path))))


def run(training, kind, path, args):
    """Train and test the seeds that the file lacks."""
    job = {"training": training, "cell": kind, "rate": args.rate, "updates": args.updates}
    wanted = [job | {"seed": seed, "first": 1} for seed in runner.seeds(args)]
    seeds = [one["seed"] for one in (wanted if args.fresh else table.missing(path, wanted, KEY))]
    if not seeds:
        return
    networks = train(kind, training, seeds, args.rate, args.updates)
    for seed, network in zip(seeds, networks, strict=True):
        rows = [job | {"seed": seed} | row for row in test(network, generators(seed)[2])]
        table.merge(path, rows, KEY)
        usual = (args.rate, args.updates) == (RATE, UPDATES)        # not a pilot
        if seed == SHOWN and usual and training != "pieces":
            mine = {"training": training, "cell": kind}
            table.merge(path.with_name("continual_reber_weights.csv"),
                        [mine | row for row in results.network_rows(network)], (*mine, "array"))


if __name__ == "__main__":
    sys.exit(main())
