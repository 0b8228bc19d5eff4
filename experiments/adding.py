"""Which cell learns to add two numbers that stand far apart? (chapters 5 and 6)

`rnnlib.tasks.adding` (Le, Jaitly and Hinton 2015): of 10 to 100 numbers between 0 and 1 two are
marked, one in each half; the answer after the last step is their sum. Always answering 1 costs
1/6. Every network learns by itself, from its own seed.

    rnn             RNNCell, W from ±1/√H, as torch starts
    rnn_orthogonal  RNNCell, W Wᵀ = I
    lstm            LSTMCell, forget bias 1
    lstm_bias_3     LSTMCell, forget bias 3
    gru             GRUCell

The same for all: about as many parameters as an LSTM of 16 units with its output layer has (1,233),
mean squared error, Adam at rate 0.01 (RNN) or 0.03 (gated cells; chosen in a pilot, see
experiments/README.md), 32 new sequences an update, the gradient clipped at norm 1, at most 3,000
updates. A seed draws weights, training and test sequences; all variants of a seed and length see
the same sequences.

Solved: a mean squared error below 0.01 on 500 new sequences, looked at after every 100 updates; the
training stops there. `updates` is when; `error` is that of the end, on 1,000 other sequences.
`curve` holds the errors after 0, 100, 200, ... updates, to three digits.

    python experiments/adding.py --jobs 1       # about 15 minutes of one core, 200 networks

Writes adding.csv (a row per network), adding_summary.csv (Wilson's intervals), adding_curve.csv
(medians over the seeds; a solved network keeps its last error) and adding_networks.csv: the weights
of three networks each of rnn, lstm and gru at length 50, for the book's figure, after MOMENTS
updates of a training that did not stop; with four decimals (`rnnlib.results.network_rows`).
"""

import argparse
import sys

import numpy as np
import runner
import table

from rnnlib import (
    GRUCell,
    LSTMCell,
    OutputLayer,
    RNNCell,
    budget,
    optim,
    results,
    tasks,
    train,
    unroll,
)
from rnnlib.watch import Answering

UNITS, BATCH, UPDATES, CLIP = 16, 32, 3000, 1.0
EVERY, LOOKED_AT, TESTED, SOLVED = 100, 500, 1000, 0.01
LENGTHS = (10, 20, 50, 100)
ANSWERS = Answering("mse")
#: variant -> its cell, how it begins, its rate: from the pilot
VARIANTS = {
    "rnn": (RNNCell, {}, 0.01),
    "rnn_orthogonal": (RNNCell, {"start": "orthogonal"}, 0.01),
    "lstm": (LSTMCell, {}, 0.03),
    "lstm_bias_3": (LSTMCell, {"forget_bias": 3.0}, 0.03),
    "gru": (GRUCell, {}, 0.03),
}
KEY = ("length", "variant", "rate", "seed")
#: of adding_networks.csv
SHOWN, SHOWN_SEEDS, SHOWN_LENGTH = ("rnn", "lstm", "gru"), (0, 1, 2), 50
MOMENTS, DECIMALS = (0, 100, 300, 1000, 3000), 4
NETWORK_KEY = ("variant", "seed", "updates", "array")


def network(variant, hidden_size=None, rng=0):
    """(cell, out) at its start; of the width that the budget of parameters allows."""
    kind, how, _ = VARIANTS[variant]

    def init(inputs, hidden, rng=0):
        return kind.init(inputs, hidden, rng=rng, **how), OutputLayer.init(hidden, 1, rng=rng)

    if hidden_size is None:
        hidden_size = UNITS if kind is LSTMCell else width(init)
    return init(2, hidden_size, np.random.default_rng(rng))


def width(init):
    """The H at which a kind of network has as many parameters as the LSTM."""
    return budget.hidden_size(init, 2, budget.parameters(network("lstm", UNITS)))


def streams(job):
    """(start, training, looking, testing): generators that depend on seed and length alone."""
    return np.random.SeedSequence([job["seed"], job["length"]]).spawn(4)


def error(params, length, count, rng):
    """The mean squared error of that many new sequences."""
    cell, out = params
    batch = tasks.adding(count, length, rng=rng)
    answers = out.logits(unroll.forward(cell, batch.xs).h_end[None])
    return float(((answers - batch.targets) ** 2).mean())


def trained(job):
    """(updates, params) of one training, every 100 updates: a generator without an end."""
    start, training, *_ = streams(job)
    rng = np.random.default_rng(training)
    for moment in train.moments(
        network(job["variant"], rng=start), ANSWERS.loss_and_grads,
        lambda _: tasks.adding(BATCH, job["length"], rng=rng), optim.Adam(job["rate"]),
        look=lambda params: (params, None), every=EVERY, clip=CLIP,
    ):
        yield moment.updates, moment.trace


def run(job):
    """Train one network until it is solved or the time is over: its results."""
    *_, looking, testing = map(np.random.default_rng, streams(job))
    curve = []
    for updates, params in trained(job):
        curve.append(error(params, job["length"], LOOKED_AT, looking))
        if curve[-1] < SOLVED or updates >= UPDATES:
            break
    end = error(params, job["length"], TESTED, testing)
    return {"parameters": budget.parameters(params), "solved": int(curve[-1] < SOLVED),
            "updates": updates, "error": table.short(end),
            "curve": " ".join(f"{value:.3g}" for value in curve)}


def weights(job):
    """Train one network to the last of MOMENTS: a row for each of its arrays at each of them."""
    setting = {"length": SHOWN_LENGTH, "rate": VARIANTS[job["variant"]][-1]}
    for updates, params in trained(setting | job):
        if updates in MOMENTS:
            for row in results.network_rows(params, DECIMALS):
                yield job | {"updates": updates} | row
        if updates == MOMENTS[-1]:
            return


def summarise(folder):
    """How many are solved, when, and the curves, by length and variant."""
    groups, summary, curves = {}, [], []
    for row in table.read(folder / "adding.csv"):
        groups.setdefault((row["length"], row["variant"], row["rate"]), []).append(row)
    for key, rows in groups.items():
        named = dict(zip(KEY, key, strict=False))
        solved = sum(int(row["solved"]) for row in rows)
        updates = [int(row["updates"]) if int(row["solved"]) else np.inf for row in rows]
        numbers = {
            **dict(zip(("share", "low", "high"), table.share_interval(solved, len(rows)),
                       strict=True)),
            "median_updates": np.median(updates),
            "median_error": np.median([float(row["error"]) for row in rows]),
        }
        short = {name: table.short(value) for name, value in numbers.items()}
        summary.append(named | {"parameters": rows[0]["parameters"], "solved": solved,
                                "n": len(rows)} | short)
        curves += [named | line for line in curve(rows)]
    if summary:
        table.write(folder / "adding_summary.csv", summary)
        table.write(folder / "adding_curve.csv", curves)


def curve(rows):
    """After 0, 100, ... updates: the median error, its quartiles, and how many are solved."""
    curves = [[float(value) for value in row["curve"].split()] for row in rows]
    for place in range(UPDATES // EVERY + 1):
        now = [errors[min(place, len(errors) - 1)] for errors in curves]
        low, median, high = (table.short(q) for q in np.percentile(now, (25, 50, 75)))
        yield {"updates": place * EVERY, "median": median, "low": low, "high": high,
               "solved": sum(int(row["solved"]) and int(row["updates"]) <= place * EVERY
                             for row in rows)}


def arguments(argv=None):
    """What to run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    runner.add_arguments(parser, seeds=10)
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--lengths", nargs="+", type=int, default=LENGTHS)
    parser.add_argument("--rates", nargs="+", type=float, help="rates of Adam, if not as usual")
    parser.add_argument("--no-networks", action="store_true", help="no weights for the figure")
    return parser.parse_args(argv)


def to_do(args):
    """All jobs: of training, and of weights for the figure."""
    jobs = [
        {"length": length, "variant": variant, "rate": rate, "seed": seed}
        for seed in runner.seeds(args)
        for length in args.lengths
        for variant in args.variants
        for rate in args.rates or [VARIANTS[variant][-1]]
    ]
    shown = [{"variant": variant, "seed": seed} for variant in SHOWN for seed in SHOWN_SEEDS]
    return jobs, [] if args.no_networks else shown


def main(argv=None):
    """Run what is missing, and sum it up."""
    args = arguments(argv)
    jobs, shown = to_do(args)
    with table.seconds():
        path = args.out / "adding_networks.csv"
        for job in shown if args.fresh else table.missing(path, shown, NETWORK_KEY[:2]):
            table.merge(path, list(weights(job)), NETWORK_KEY)
        missing = runner.run(run, jobs, args.out / "adding.csv", KEY, args)
        summarise(args.out)
    return missing


if __name__ == "__main__":
    sys.exit(main())
