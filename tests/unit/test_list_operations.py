"""Nested list operations: rows and summary agree, a seed gives its row, batches ask what is due."""

import sys
from pathlib import Path

import numpy as np
import pytest

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
sys.path.insert(0, str(EXPERIMENTS))

import list_operations as experiment  # noqa: E402
import table  # noqa: E402

from rnnlib import OutputLayer, budget, results, tasks, trees  # noqa: E402
from rnnlib.trees import RecursiveCell, Tree  # noqa: E402

ROWS = table.read(table.RESULTS / "list_operations.csv")
SUMMARY = table.read(table.RESULTS / "list_operations_summary.csv")
PLAIN = "max min first last"
SMALL = [tasks.read_expression(text) for text in
         ("(max 3 (min 7 (first 2 9)))", "(last 4 5)", "(min (max 1 8) (first 3 2))")]


def group(rows, **wanted):
    return [row for row in rows if wanted.items() <= row.items()]


# --- the files --------------------------------------------------------------------------------


def test_every_model_has_the_same_seeds_updates_and_its_rate():
    found = {}
    for row in ROWS:
        assert row["updates"] == str(experiment.UPDATES)
        assert float(row["rate"]) == experiment.RATES[row["model"]]
        found.setdefault((row["operations"], row["model"]), []).append(int(row["seed"]))
    assert set(found) == {(name, model) for name in experiment.SETS for model in experiment.RATES}
    for (operations, _), seeds in found.items():
        assert sorted(seeds) == list(range(experiment.SETS[operations]))
    assert experiment.SETS[PLAIN] == 10


def test_all_models_have_as_many_parameters_to_two_percent():
    assert {row["hidden"] for row in ROWS if row["model"] != "GRU"} == {str(experiment.HIDDEN)}
    for row in ROWS:
        params = experiment.network(row["model"], np.random.default_rng(0))
        assert int(row["parameters"]) == budget.parameters(params) == pytest.approx(5914, rel=0.02)


@pytest.mark.parametrize(
    "row", SUMMARY, ids=lambda row: f"{row['operations']}-{row['model']}-{row['depth']}")
def test_every_number_of_the_summary_comes_from_the_rows(row):
    rows = group(ROWS, **{name: row[name] for name in experiment.KEY[:-1]})
    assert int(row["networks"]) == len(rows)
    wanted = table.mean_interval([float(one[f"accuracy_{row['depth']}"]) for one in rows])
    got = [float(row[name]) for name in ("mean", "low", "high")]
    np.testing.assert_allclose(got, wanted, rtol=1e-5)


def test_the_summary_has_every_model_and_depth():
    named = [(row["operations"], row["model"], int(row["depth"])) for row in SUMMARY]
    assert sorted(named) == sorted((operations, model, depth) for operations in experiment.SETS
                                   for model in experiment.RATES for depth in experiment.DEPTHS)


# --- the task ---------------------------------------------------------------------------------


@pytest.mark.parametrize("operations", experiment.SETS)
def test_guessing_is_right_in_a_tenth(operations):
    """Of uniform arguments an operation makes a uniform value, hence at every depth."""
    counts = sum(np.bincount(experiment.GIVES[name].ravel(), minlength=10)
                 for name in operations.split())
    assert (counts == counts[0]).all() and len(counts) == 10


def test_a_draw_has_the_depths_and_operations_asked_for():
    rng = np.random.default_rng(0)
    drawn = experiment.draw(200, experiment.TRAINED, PLAIN, rng)
    depths = [Tree.from_nested(expression)[0].height[-1] / 2 for expression in drawn]
    assert set(depths) == set(experiment.TRAINED)
    used = {token for expression in drawn for token in tasks.tokens_of(expression)}
    assert {token for token in used if isinstance(token, str)} == set(PLAIN.split())


@pytest.mark.parametrize("operations, known", [(PLAIN, 400), ("max min sum", 300)])
def test_from_depth_3_on_no_test_was_in_the_training(operations, known):
    draws = np.random.default_rng([0, 1]), np.random.default_rng([0, 2])
    seen = set()
    for _ in range(experiment.BATCHES):
        drawn = experiment.draw(experiment.BATCH, experiment.TRAINED, operations, draws[0])
        seen |= set(map(tasks.write_expression, drawn))
    shares = [np.mean([tasks.write_expression(one) in seen for one in experiment.draw(
        experiment.TESTED, [depth], operations, draws[1])]) for depth in experiment.DEPTHS]
    assert sum(text.count("(") == 1 for text in seen) == known
    assert shares[0] == 1 and 0 < shares[1] < 0.1 and not any(shares[2:])


# --- batches ----------------------------------------------------------------------------------


@pytest.mark.parametrize("model", experiment.RATES)
def test_every_model_gets_the_tokens_in_order_and_is_asked_for_the_values(model):
    batch = experiment.batch_of(SMALL, model)
    tokens = [tasks.tokens_of(expression) for expression in SMALL]
    values = [tasks.evaluate(expression) for expression in SMALL]
    if model == "GRU":
        for b, row in enumerate(tokens):
            codes = batch.xs[: batch.lengths[b], b].argmax(-1)
            assert [tasks.TOKENS[code] for code in codes] == row
        assert batch.at_end and batch.targets[0].tolist() == values
        return
    assert [tasks.TOKENS[code] for code in batch.xs.argmax(-1)] == sum(tokens, [])
    roots = batch.tree.roots
    assert [batch.values[list(batch.asked).index(root)] for root in roots] == values
    assert len(batch.asked) == (7 if model == "tree asked everywhere" else 3)


def test_asked_everywhere_are_all_operations_with_their_values():
    batch = experiment.batch_of(SMALL, "tree asked everywhere")
    tokens = sum(map(tasks.tokens_of, SMALL), [])
    parts = batch.tree.fold(tokens, lambda left, right: (left, right))
    asked = [parts[node] for node in batch.asked]
    assert all(tasks.evaluate(part) == value
               for part, value in zip(asked, batch.values, strict=True))
    written = sum(tasks.write_expression(expression).count("(") for expression in SMALL)
    assert len(asked) == len(set(map(str, asked))) == written


@pytest.mark.parametrize("model, depth", [("tree", 6), ("chain", 6), ("right-branching", 6),
                                          ("balanced", 3)])
def test_each_model_has_its_shape(model, depth):
    batch = experiment.batch_of(SMALL[:1], model)
    assert batch.tree.depth.max() == depth
    right = batch.tree.right
    assert (right < batch.tree.leaves).all() == (model == "chain")
    own, _ = Tree.from_nested(SMALL[0])
    alike = np.array_equal(own.children, batch.tree.children)
    # An expression nested on the right is a right-branching tree already.
    assert alike == (model in ("tree", "right-branching"))


def test_the_loss_is_the_mean_cross_entropy_and_its_gradient_the_slope():
    rng = np.random.default_rng(0)
    cell = RecursiveCell.init(15, 5, rng=rng)
    params = cell, OutputLayer.init(5, 10, rng=rng)
    forest = experiment.batch_of(SMALL, "tree asked everywhere")
    forest = experiment.Forest(forest.tree, forest.xs.astype(float), forest.asked, forest.values)
    loss, (dcell, dout) = experiment.on_trees(params, forest)
    h = trees.forward(cell, forest.tree, forest.xs).h[forest.asked]
    y_hat = np.exp(h @ params[1].V.T + params[1].c_out)
    y_hat /= y_hat.sum(axis=1, keepdims=True)
    right = y_hat[range(len(forest.values)), forest.values]
    assert loss == pytest.approx(-np.log(right).mean(), rel=1e-12)
    for which, name in ((0, "W_r"), (0, "U"), (1, "V")):
        array = getattr(params[which], name)
        step = np.zeros_like(array)
        step[1, 2] = 1e-6
        losses = []
        for sign in (1, -1):
            moved = list(params)
            moved[which] = type(params[which])(**(params[which].fields() | {
                name: array + sign * step}))
            losses.append(experiment.on_trees(tuple(moved), forest)[0])
        slope = getattr((dcell, dout)[which], name)[1, 2]
        assert slope == pytest.approx((losses[0] - losses[1]) / 2e-6, rel=1e-6, abs=1e-9)


def test_right_counts_the_answers():
    class Known:
        """An output layer whose answer is the last digit: that of `last 4 5` alone is right."""

        def logits(self, hs):
            return np.tile(np.eye(10)[5], (*hs.shape[:2], 1))

    cell = RecursiveCell.init(15, 3).astype(np.float32)
    assert experiment.right((cell, Known()), "chain", SMALL) == pytest.approx(1 / 3)


# --- a row from its seed ----------------------------------------------------------------------


def test_the_networks_of_the_file_are_as_good_as_their_rows_say():
    rows = results.load("list_operations_networks")
    like = RecursiveCell.init(1, 1), OutputLayer.init(1, 1)
    for model in experiment.KEPT:
        row, = group(ROWS, operations=PLAIN, model=model, seed="0")
        found = [results.find(rows, model=model, updates=n) for n in experiment.MOMENTS]
        params = results.network(found[-1], like)
        rng, shares = np.random.default_rng([0, 2]), []
        for depth in experiment.DEPTHS[:5]:
            drawn = experiment.draw(experiment.TESTED, [depth], PLAIN, rng)
            shares.append(experiment.right(params, model, drawn))
        wanted = [float(row[f"accuracy_{depth}"]) for depth in experiment.DEPTHS[:5]]
        np.testing.assert_allclose(shares, wanted, atol=0.014)  # weights of 3 decimals
        first = results.network(found[0], like)
        assert experiment.right(first, model, drawn) < shares[-1] - 0.3


def test_a_short_training_repeats_to_the_bit_and_learns(monkeypatch):
    monkeypatch.setattr(experiment, "BATCHES", 20)
    job = {"operations": PLAIN, "model": "tree", "rate": 0.01, "seed": 3, "updates": 60}
    one, two = experiment.trained(job), experiment.trained(job)
    np.testing.assert_array_equal(one.losses, two.losses)
    assert one.losses[-5:].mean() < one.losses[:5].mean() - 0.2
    start, _ = experiment.network("tree", np.random.default_rng([3, 0]))
    assert start.W_l.dtype == one.params[0].W_l.dtype == np.float32


# --- what is quoted ---------------------------------------------------------------------------


def mean(model, depth, operations=PLAIN):
    row, = group(SUMMARY, operations=operations, model=model, depth=str(depth))
    return [round(100 * float(row[name])) for name in ("mean", "low", "high")]


def test_what_the_readme_and_the_book_quote():
    assert mean("tree", 4) == [93, 91, 94] and mean("tree", 8) == [81, 78, 85]
    assert mean("tree asked everywhere", 4) == [94, 93, 96]
    assert mean("tree asked everywhere", 8) == [84, 82, 86]
    assert mean("GRU", 4) == [88, 86, 90] and mean("GRU", 8) == [42, 40, 44]
    assert mean("balanced", 2) == [76, 75, 77] and mean("balanced", 8) == [21, 20, 22]
    wrong = [mean(model, 4)[0] for model in ("balanced", "chain", "right-branching")]
    assert wrong == [43, 42, 39]
    sums = "max min sum"
    assert mean("tree", 4, sums) == [59, 57, 61] and mean("GRU", 4, sums) == [33, 32, 35]
    assert mean("tree asked everywhere", 4, sums) == [71, 67, 75]
