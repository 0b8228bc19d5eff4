"""Nested list operations: does a tree help, and must it be the right one? (chapter 9)

Expressions such as (max 3 (min 7 (first 2 9))) of `rnnlib.tasks`, every operation of two arguments,
the value a digit. The same tokens, in reading order, are given to

    tree                   a `RecursiveCell` on the expression's own tree
    tree asked everywhere  the same; in training it is asked for the value of every sub-expression
    balanced               the same cell on halves of halves
    chain                  on a chain, ((max 3) min) 7 ...: a plain recurrent network
    right-branching        on the chain that begins at the last token
    GRU                    a `GRUCell` that reads token after token, of as many parameters

Only the first two are told where the brackets are. The answer is a softmax over the ten digits,
read from the root's h (from h_end of the GRU). Training: 300 batches of 64 expressions, 1 to 4
operations deep by a fair draw of the depth, gone through 8 times; cross-entropy, the mean over all
values asked for; Adam, clipped at norm 1, float32, first weights as `init` draws them. A seed draws
weights and expressions; all models of a seed see the same expressions. Test: 300 expressions of
each depth from 1 to 8. At depth 1, where only 400 exist (with sum 300), they are in the training;
of depth 2 about 4% are (with sum 7%); deeper ones are new. Each model's rate is that of 0.003 and
0.01 which was right more often at depths 1 to 4 on a pilot seed (1000; max, min, first and last).

With max, min, first and last, or with max, min and sum, every value is equally likely, at every
depth: guessing is right in 10%.

    python experiments/list_operations.py        # about 20 minutes of one core

Writes list_operations.csv (a row for each set of operations, model and seed),
list_operations_summary.csv (means over the seeds by depth, with Student's intervals) and
list_operations_networks.csv: networks of seed 0 on trees, which a figure shows.
"""

import argparse
import sys
from dataclasses import dataclass

import numpy as np
import runner
import table

from rnnlib import GRUCell, OutputLayer, budget, forward, losses, optim, results, tasks, train
from rnnlib import trees as recursive
from rnnlib.tasks.batch import padded
from rnnlib.trees import RecursiveCell, Tree
from rnnlib.watch import Answering

HIDDEN, BATCH, BATCHES, UPDATES, CLIP, TESTED = 48, 64, 300, 2400, 1.0, 300
TRAINED, DEPTHS = (1, 2, 3, 4), (1, 2, 3, 4, 5, 6, 7, 8)
#: the operations of an expression -> how many seeds, at most
SETS = {"max min first last": 10, "max min sum": 10}
#: model -> the rate of Adam
RATES = {"tree": 0.003, "tree asked everywhere": 0.003, "balanced": 0.003, "chain": 0.003,
         "right-branching": 0.003, "GRU": 0.01}
SHAPES = {"balanced": Tree.balanced, "chain": Tree.chain,
          "right-branching": Tree.right_branching}
KEPT, MOMENTS = ("tree", "tree asked everywhere"), (100, 600, UPDATES)
KEY = ("operations", "model", "rate", "seed")
DIGITS = range(10)
#: operation -> its value at [left, right]
GIVES = {name: np.array([[tasks.evaluate((name, (a, b))) for b in DIGITS] for a in DIGITS])
         for name in tasks.OPERATIONS}


# --- batches ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Forest:
    """A batch of trees: their leaves xs (n, 15), the nodes asked (M,), the values there (M,)."""

    tree: Tree
    xs: np.ndarray
    asked: np.ndarray
    values: np.ndarray


def draw(count, depths, operations, rng):
    """Expressions of these operations, each of a depth drawn from `depths`."""
    operations = operations.split()
    return [tasks.draw_expression(int(depth), operations=operations, rng=rng)
            for depth in rng.choice(depths, count)]


def join(left, right):
    """What stands at a node: the value of (operation, its arguments), or a pair of arguments."""
    return int(GIVES[left][right]) if isinstance(left, str) else (left, right)


def batch_of(expressions, model):
    """The expressions as this model takes them: a Forest, or for the GRU a Batch."""
    trees, tokens = zip(*map(Tree.from_nested, expressions), strict=True)
    own = Tree.forest(trees)
    at = own.fold([token for row in tokens for token in row], join)
    if model == "GRU":
        return sequences(tokens, [at[root] for root in own.roots])
    xs = tasks.one_hot([tasks.TOKENS.index(token) for token in at[: own.leaves]],
                       len(tasks.TOKENS)).astype(np.float32)
    if model == "tree asked everywhere":
        asked = np.array([node for node in range(own.leaves, own.nodes)
                          if not isinstance(at[node], tuple)])
        return Forest(own, xs, asked, np.array([at[node] for node in asked]))
    tree = own if model == "tree" else Tree.forest(SHAPES[model](len(row)) for row in tokens)
    return Forest(tree, xs, tree.roots, np.array([at[root] for root in own.roots]))


def sequences(tokens, values):
    """A Batch of rows of tokens, answered at the end."""
    lengths = np.array([len(row) for row in tokens])
    codes = np.zeros((lengths.max(), len(tokens)), int)
    for b, row in enumerate(tokens):
        codes[: len(row), b] = [tasks.TOKENS.index(token) for token in row]
    xs = tasks.one_hot(codes, len(tasks.TOKENS)).astype(np.float32)
    return padded(xs, np.array([values]), lengths)


# --- learning ---------------------------------------------------------------------------------


def network(model, rng):
    """(cell, out), untrained; the GRU has about as many parameters as the recursive cell."""
    def pair(kind):
        return lambda D, H: (kind.init(D, H, rng=rng), OutputLayer.init(H, len(DIGITS), rng=rng))

    D = len(tasks.TOKENS)
    cell, out = pair(RecursiveCell)(D, HIDDEN)
    if model == "GRU":
        wanted = budget.parameters((cell, out))
        cell, out = pair(GRUCell)(D, budget.hidden_size(pair(GRUCell), D, wanted))
    return cell.astype(np.float32), out.astype(np.float32)


def on_trees(params, forest):
    """(loss, gradients): the mean cross-entropy of the values asked for."""
    cell, out = params
    trace = recursive.forward(cell, forest.tree, forest.xs)
    h = trace.h[forest.asked][None]
    loss, dlogits = losses.softmax_cross_entropy(out.logits(h), forest.values[None])
    dh, dout = out.backward(h, dlogits)
    dhs = np.zeros_like(trace.h)
    dhs[forest.asked] = dh[0]
    _, dcell = recursive.backward(cell, trace, dhs)
    return loss, (dcell, dout)


def trained(job, moments=()):
    """The Run of one training; its snapshots are the networks after so many updates."""
    model, seed = job["model"], job["seed"]
    params, rng = network(model, np.random.default_rng([seed, 0])), np.random.default_rng([seed, 1])
    batches = [batch_of(draw(BATCH, TRAINED, job["operations"], rng), model)
               for _ in range(BATCHES)]
    learn = Answering("cross_entropy").loss_and_grads if model == "GRU" else on_trees
    return train.fit(params, learn, batches, optim.Adam(job["rate"]), steps=job["updates"],
                     clip=CLIP, record_at=moments, progress=False)


def right(params, model, expressions):
    """The share of the expressions whose value the network says."""
    (cell, out), count = params, 0
    for start in range(0, len(expressions), 100):       # a hundred at a time, for the memory
        batch = batch_of(expressions[start : start + 100], model.split()[0])
        if model == "GRU":
            h, values = forward(cell, batch.xs, lengths=batch.lengths).h_end, batch.targets[0]
        else:
            h, values = recursive.forward(cell, batch.tree, batch.xs).root, batch.values
        count += (out.logits(h[None])[0].argmax(-1) == values).sum()
    return count / len(expressions)


def run(job):
    """Train and test one network: its results."""
    history, rng = trained(job), np.random.default_rng([job["seed"], 2])
    shares = {f"accuracy_{depth}": table.short(right(
        history.params, job["model"], draw(TESTED, [depth], job["operations"], rng)))
        for depth in DEPTHS}
    return {"hidden": history.params[1].V.shape[1],
            "parameters": budget.parameters(history.params),
            "loss": table.short(history.losses[-100:].mean())} | shares


# --- files ------------------------------------------------------------------------------------


def summarise(folder):
    """A row for each set of operations, model and depth: the mean over the seeds."""
    summary = [
        setting | {"depth": depth, "networks": len(rows)} | table.mean_texts(
            [row[f"accuracy_{depth}"] for row in rows])
        for setting, rows in table.groups(table.read(folder / "list_operations.csv"), KEY[:-1])
        for depth in DEPTHS]
    if summary:
        table.write(folder / "list_operations_summary.csv", summary)


def store(folder, fresh):
    """Write the networks of seed 0 on trees after MOMENTS updates, trained again to the bit."""
    path = folder / "list_operations_networks.csv"
    if fresh or not path.exists():
        rows = []
        for model in KEPT:
            job = {"operations": next(iter(SETS)), "model": model, "rate": RATES[model], "seed": 0,
                   "updates": UPDATES}
            for updates, params in trained(job, MOMENTS).snapshots:
                rows += [{"model": model, "updates": updates} | row
                         for row in results.network_rows(params, decimals=3)]
        table.write(path, rows)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    runner.add_arguments(parser, seeds=10)
    parser.add_argument("--models", nargs="+", choices=list(RATES), default=list(RATES))
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--rates", nargs="+", type=float, help="rates of Adam, if not as usual")
    args = parser.parse_args(argv)
    jobs = [{"operations": operations, "model": model, "rate": rate, "updates": UPDATES,
             "seed": seed}
            for operations in args.sets for seed in runner.seeds(args)[: SETS[operations]]
            for model in args.models for rate in args.rates or [RATES[model]]]
    with table.seconds():
        missing = runner.run(run, jobs, args.out / "list_operations.csv", KEY, args)
        summarise(args.out)
        if 0 in runner.seeds(args):
            store(args.out, args.fresh)
    return missing


if __name__ == "__main__":
    sys.exit(main())
