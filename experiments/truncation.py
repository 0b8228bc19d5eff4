"""What does a short window of backpropagation cost: the gradient's angle, and what is learned?

    python experiments/truncation.py        # about six minutes of one core

1. Bias. The gradient dW of `bptt.truncated` beside that of `backward`, before any training, in the
setting of the book's figure (rnnlib/widgets/truncation.py): 20 networks for each spectral radius of
W and each window. stride "1": every loss has the same window; stride "window": the sequence is cut
into pieces. angle in degrees, ratio = ‖truncated dW‖ / ‖dW‖, steps = backward steps run; `low` and
`high` are Student's 95% interval of the mean. Writes truncation_bias.csv.

2. Learning. Bits x_t = ±1 come in, 12 steps of them, and at every step t >= k one answer is due:

    recall k : the bit of k steps ago               needs a memory of k steps
    xor k    : is it another bit than the one now?  needs that, and both at once

16 tanh units, weights from uniform(-1/4, 1/4), cross-entropy, Adam at rate 0.01, 300 updates on 32
new sequences each, 20 seeds. Of one seed, all windows get the same start and the same batches.
window: as many steps as each loss is sent back (stride 1); "full": all; 0: no loss reaches the
cell, which stays as it was drawn, and only the output layer learns. accuracy: on 500 new
sequences. inputs: ‖U‖ after training over ‖U‖ before. reach: the last lag up to which a linear
read-out, fitted to the trained network's states, tells the bit of that lag in 95% of cases.
Writes truncation.csv, a row per network, and truncation_summary.csv, means over seeds; solved
counts accuracies over 0.99, and forgot those below the same seed's with window 0.
"""

import argparse
import importlib
import sys

import numpy as np
import runner
import table

from rnnlib import OutputLayer, RNNCell, backward, bptt, forward, losses, optim, train

# The function of that name hides its module in the package.
figure = importlib.import_module("rnnlib.widgets.truncation")

UNITS, STEPS, BATCH, UPDATES, RATE, SEEDS = 16, 12, 32, 300, 0.01, 20
FULL = "full"
WINDOWS = {"recall": ("0", "1", "2", "3", "4", "6", FULL), "xor": ("0", "1", "2", "3", FULL)}
DELAYS = {"recall": (1, 2, 3, 5), "xor": (1, 2, 3)}
LAGS, WASHOUT, KNOWN = 12, 20, 0.95
KEY = ("task", "delay", "window", "seed")
BIAS_KEY = ("rho", "stride", "window")


def draw(task, delay, sequences, rng, steps=STEPS):
    """Inputs (T, B, 1) of ±1, and the answers (T - k, B) from step k on."""
    bits = rng.integers(0, 2, (steps, sequences))
    answers = bits[: steps - delay]
    if task == "xor":
        answers = answers ^ bits[delay:]
    return 2.0 * bits[..., None] - 1, answers


def loss_and_grads(delay, window):
    """The cross-entropy from step k on, and its gradient as the window lets it through."""

    def evaluate(params, batch):
        (cell, out), (xs, answers) = params, batch
        trace = forward(cell, xs)
        loss, dlogits = losses.softmax_cross_entropy(out.logits(trace.h[delay:]), answers)
        dhs = np.zeros_like(trace.h)
        dhs[delay:], dout = out.backward(trace.h[delay:], dlogits)
        return loss, (cell_gradient(cell, trace, dhs, window), dout)

    return evaluate


def cell_gradient(cell, trace, dhs, window):
    if window == "0":
        return cell.gradient(**{n: np.zeros_like(p) for n, p in cell.fields().items()})
    if window == FULL:
        return backward(cell, trace, dhs)[1]
    return bptt.truncated(cell, trace, dhs, window=int(window))


def trained(row, updates=UPDATES):
    """(cell, output layer) before and after training; the seed draws the start and the batches."""
    rng = np.random.default_rng((row["seed"], 0))
    start = RNNCell.init(1, UNITS, rng=rng), OutputLayer.init(UNITS, 2, rng=rng)
    rng = np.random.default_rng((row["seed"], 1))
    run = train.fit(
        start, loss_and_grads(row["delay"], row["window"]),
        lambda step: draw(row["task"], row["delay"], BATCH, rng),
        optim.Adam(RATE), steps=updates, progress=False,
    )
    return start, run.params


def accuracy(row, params):
    """The share of right answers on new sequences."""
    cell, out = params
    rng = np.random.default_rng((row["seed"], 2))
    xs, answers = draw(row["task"], row["delay"], 500, rng)
    return (out.logits(forward(cell, xs).h[row["delay"]:]).argmax(-1) == answers).mean()


def reach(cell, seed):
    """The last lag up to which the bit can be read from the state, linearly, in 95% of cases."""
    rng = np.random.default_rng((seed, 3))
    bits = 2.0 * rng.integers(0, 2, (WASHOUT + 1, 4000)) - 1
    hs = forward(cell, bits[..., None]).h[-1]
    hs = np.concatenate([hs, np.ones((len(hs), 1))], axis=1)
    asked = bits[::-1][: LAGS + 1].T                                # column j: j steps ago
    fitted, held_out = slice(None, 2000), slice(2000, None)
    R = np.linalg.lstsq(hs[fitted], asked[fitted], rcond=None)[0]
    right = (np.sign(hs[held_out] @ R) == asked[held_out]).mean(axis=0)
    return int((right >= KNOWN).cumprod().sum()) - 1                # −1: not even the bit just read


def run(job):
    """Train and test one network: its results."""
    (before, _), after = trained(job)
    return {
        "accuracy": table.short(accuracy(job, after)),
        "inputs": table.short(np.linalg.norm(after[0].U) / np.linalg.norm(before.U)),
        "reach": reach(after[0], job["seed"]),
    }


def bias(job):
    """One window of the figure: mean angle and ratio of lengths over the seeds."""
    window = job["window"]
    stride = 1 if job["stride"] == "1" else window
    pairs = [figure.bias(job["rho"], seed, window, stride) for seed in range(SEEDS)]
    results = {}
    for name, values in zip(("angle", "ratio"), zip(*pairs, strict=True), strict=True):
        texts = map(table.short, table.mean_interval(values))
        results |= dict(zip((name, f"{name}_low", f"{name}_high"), texts, strict=True))
    return results | {"steps": figure.backward_steps(window, stride), "seeds": SEEDS}


def summarise(folder):
    """Means over the seeds with their intervals, and counts."""
    rows, groups, summary = table.read(folder / "truncation.csv"), {}, []
    for row in rows:
        groups.setdefault(tuple(row[name] for name in KEY[:-1]), []).append(row)
    for (task, delay, window), group in groups.items():
        if len(group) < 2:
            continue
        scores = {name: [float(row[name]) for row in group]
                  for name in ("accuracy", "inputs", "reach")}
        out = {"task": task, "delay": delay, "window": window, "seeds": len(group)}
        for name, values in scores.items():
            bounds = table.mean_interval(values)
            top = 1 if name == "accuracy" else np.inf               # a share is at most 1
            bounds = [min(bound, top) for bound in bounds]
            out |= dict(zip((name, f"{name}_low", f"{name}_high"), map(table.short, bounds),
                            strict=True))
        free = {row["seed"]: float(row["accuracy"]) for row in groups.get((task, delay, "0"), [])}
        out["solved"] = sum(score > 0.99 for score in scores["accuracy"])
        out["forgot"] = sum(float(row["accuracy"]) < free.get(row["seed"], 0) for row in group)
        summary.append(out)
    if summary:
        table.write(folder / "truncation_summary.csv", summary)


def main(argv=None):
    """Run what is missing and write the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    runner.add_arguments(parser, seeds=SEEDS)
    args = parser.parse_args(argv)
    untrained = [
        {"rho": rho, "stride": stride, "window": window}
        for rho in figure.RADII for stride in ("1", "window")
        for window in range(1, figure.STEPS + 1)
    ]
    trainings = [
        {"task": task, "delay": delay, "window": window, "seed": seed}
        for seed in runner.seeds(args) for task in DELAYS for delay in DELAYS[task]
        for window in WINDOWS[task]
    ]
    with table.seconds():
        missing = [
            runner.run(bias, untrained, args.out / "truncation_bias.csv", BIAS_KEY, args),
            runner.run(run, trainings, args.out / "truncation.csv", KEY, args),
        ]
        summarise(args.out)
    return "\n".join(filter(None, missing)) or None


if __name__ == "__main__":
    sys.exit(main())
