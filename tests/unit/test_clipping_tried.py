"""The rules against large gradients: what each does, and what the files say of them."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))
import clipping_tried as experiment
import side_by_side
import table

from rnnlib import clipping, tasks
from rnnlib.results import find, load
from rnnlib.tasks.batch import Batch
from rnnlib.watch import Answering

ROWS, SUMMARY = load("clipping_tried"), load("clipping_tried_summary")
PILOT = table.read(table.RESULTS / "clipping_tried_pilot_summary.csv")
PAIRS = list(experiment.RATES)
SEEDS = 20


# --- networks side by side ----------------------------------------------------------------------


@pytest.mark.parametrize(("task", "loss"), [("order", "cross_entropy"), ("adding", "mse")])
def test_side_by_side_is_forward_and_backward_of_rnnlib(task, loss):
    networks = [experiment.network(task, np.random.default_rng(j)) for j in range(3)]
    params = side_by_side.stack(networks, 2, float)
    params["W"][1] *= 0.7                                           # settings differ
    *_, activation, _, _, make = experiment.TASKS[task]
    rngs = [np.random.default_rng(j) for j in range(3)]
    xs, targets = side_by_side.batch(make, 5, 12, rngs, float)
    losses, grads, lengths = side_by_side.gradient(params, xs, targets, activation)
    cell, out = networks[2]
    cell = experiment.dataclasses.replace(cell, W=0.7 * cell.W)
    batch = make(5, 12, rng=np.random.default_rng(2))
    answers = Answering(loss)
    expected, (dcell, dout) = answers.loss_and_grads((cell, out), batch)
    assert losses[1, 2] == pytest.approx(expected, rel=1e-12)
    for name in side_by_side.NAMES:
        one = getattr(dcell if hasattr(dcell, name) else dout, name)
        np.testing.assert_allclose(grads[name][1, 2], one, rtol=1e-9, atol=1e-14)
    _, dtrace = answers.look((cell, out), batch)
    norms = np.linalg.norm(dtrace.h, axis=-1).mean(axis=1)
    np.testing.assert_allclose(lengths[:, 1, 2], norms[[0, -1]], rtol=1e-9)
    assert side_by_side.norms(grads)[1, 2] == pytest.approx(clipping.norm((dcell, dout)))


def test_networks_do_not_mix():
    """A network has the same bits alone as beside others."""
    networks = [experiment.network("order", np.random.default_rng(j)) for j in range(4)]
    rngs = [np.random.default_rng(j) for j in range(4)]
    xs, targets = side_by_side.batch(tasks.temporal_order, 20, 20, rngs)
    _, many, _ = side_by_side.gradient(side_by_side.stack(networks, 30), xs, targets, "tanh")
    _, one, _ = side_by_side.gradient(
        side_by_side.stack(networks[1:2], 1), xs[1:2], targets[1:2], "tanh")
    for name, g in one.items():
        assert g.dtype == np.float32
        np.testing.assert_array_equal(g[0, 0], many[name][29, 1])


# --- the rules ----------------------------------------------------------------------------------


@pytest.fixture
def grads():
    """Three networks: a short gradient, a long one, one that is not finite."""
    rng = np.random.default_rng(0)
    arrays = {"W": rng.normal(size=(3, 4, 4)), "b": rng.normal(size=(3, 4))}
    return {name: g * np.array([0.01, 100, np.inf]).reshape(3, *[1] * (g.ndim - 1))
            for name, g in arrays.items()}


def tamed(rule, grads, v=1.0):
    return experiment.tamed(rule, grads, v, [np.random.default_rng(j) for j in range(3)])


def of(grads, j):
    return {name: g[j] for name, g in grads.items()}


@pytest.mark.parametrize("rule", experiment.RULES)
def test_a_short_gradient_is_left_alone_by_every_rule(grads, rule):
    steps, acts, moves = tamed(rule, grads)
    assert not acts[0] and moves[0]
    for name, g in of(steps, 0).items():
        np.testing.assert_array_equal(g, grads[name][0])


@pytest.mark.parametrize(("rule", "clip"), [
    ("value", lambda g: clipping.clip_by_value(g, 1.0)),
    ("norm", lambda g: clipping.clip_by_norm(g, 1.0)[0]),
    ("tensor", lambda g: clipping.clip_by_norm(g, 1.0, per="tensor")[0]),
    ("none", lambda g: g),
    ("slow", lambda g: g),
])
def test_a_long_gradient_is_clipped_as_rnnlib_clips_it(grads, rule, clip):
    steps, acts, moves = tamed(rule, grads)
    expected = clip(of(grads, 1))
    for name, g in of(steps, 1).items():
        np.testing.assert_allclose(g, expected[name], rtol=1e-12)
    assert acts[1] == (rule not in experiment.WITHOUT) and moves[1]
    assert not moves[2]                     # what is not finite is the end
    assert all(np.isfinite(g).all() for g in steps.values())


@pytest.mark.parametrize("rule", ["random", "instead"])
def test_a_random_step_has_norm_v_and_any_direction(grads, rule):
    steps, acts, moves = tamed(rule, grads, v=0.5)
    assert list(acts) == [False, True, True] and moves.all()
    for j in (1, 2):
        assert clipping.norm(of(steps, j)) == pytest.approx(0.5)
    rng = np.random.default_rng(1)
    drawn = [experiment.direction({"W": (2,), "b": (1,)}, rng) for _ in range(2000)]
    points = np.array([[*d["W"], *d["b"]] for d in drawn])
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1)
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(points.T @ points / 2000, np.eye(3) / 3, atol=0.04)


def test_skip_moves_nothing_above_the_threshold(grads):
    _, acts, moves = tamed("skip", grads)
    assert list(acts) == [False, True, True] and list(moves) == [True, False, False]


@pytest.mark.parametrize("optimiser", experiment.OPTIMISERS)
def test_a_skipped_update_leaves_weights_and_averages_as_they_are(optimiser):
    training = experiment.Training("order", optimiser, [("skip", 0.1, 1e9)], range(2))
    training.update()
    before = {name: p.copy() for name, p in training.params.items()}
    moments = training._states[0].moments
    training.settings = [("skip", 0.1, 1e-9)]
    training.update()
    for name, p in training.params.items():
        np.testing.assert_array_equal(p, before[name])
    for path, those in training._states[0].moments.items():
        np.testing.assert_array_equal(those, moments[path])
    assert any(m.any() for those in moments.values() for m in those)
    assert training.alive.all() and (training.active == 1).all()


def test_what_overflows_is_counted_and_stays():
    training = experiment.Training("adding", "SGD", [("none", 1e12, 0.0), ("skip", 0.1, 1.0)],
                                   range(2))
    for _ in range(4):
        training.update()
    assert not training.alive[0].any() and training.alive[1].all()
    assert np.isinf(training.largest[0]).all() and np.isfinite(training.largest[1]).all()
    params = {name: p.copy() for name, p in training.params.items()}
    training.update()
    np.testing.assert_array_equal(training.params["W"][0], params["W"][0])


@pytest.mark.parametrize("name", experiment.OPTIMISERS)
def test_training_is_that_of_rnnlib(name):
    """Five updates with clipping by norm, both in float64: Adam makes much of small roundings."""
    training = experiment.Training("order", name, [("norm", 0.1, 1.0)], [7])
    start, drawing, _ = np.random.SeedSequence(7).spawn(3)
    params = experiment.network("order", np.random.default_rng(start))
    optimiser, rng = experiment.OPTIMISERS[name](0.1), np.random.default_rng(drawing)
    state = optimiser.init(params)
    assert {p.dtype for p in training.params.values()} == {np.dtype(np.float32)}
    training.params = side_by_side.stack([params], 1, float)
    training._states = [optimiser.init(training._of(0))]
    for _ in range(5):
        training.update()
        batch = tasks.temporal_order(20, 20, rng=rng)
        assert isinstance(batch, Batch)
        _, grads = Answering().loss_and_grads(params, batch)
        params, state = optimiser.update(params, clipping.clip_by_norm(grads, 1.0)[0], state)
    assert training.active == 5
    for part in params:
        for field, array in part.fields().items():
            if field in side_by_side.NAMES:
                np.testing.assert_allclose(training.params[field][0, 0], array, atol=1e-8)


def test_active_is_a_share_of_the_updates_that_were_made():
    settings = [("skip", 0.1, 1e-9), ("skip", 0.1, 1e9)]
    rows = list(experiment.rows("order", "SGD", settings, [0], updates=4))
    assert [row["active"] for row in rows] == ["1", "0"]


def test_the_best_of_the_pilot_may_have_no_score():
    """It has none if all networks have overflowed."""
    def line(task, solved, score, v):
        return {"task": task, "solved": solved, "score": score, "v": v}

    for task, better, worse in (("order", "0.5", "0.4"), ("adding", "0.1", "0.2")):
        lines = [line(task, "0", "", "30"), line(task, "0", worse, "10"),
                 line(task, "0", better, "1")]
        assert experiment.best(lines) is lines[2]
        assert experiment.best(lines[:2]) is lines[1] and experiment.best(lines[:1]) is lines[0]
        lines.append(line(task, "1", worse, "0.1"))
        assert experiment.best(lines) is lines[3]


# --- the files ----------------------------------------------------------------------------------


def test_every_setting_has_its_seeds():
    settings = [(*pair, *setting) for pair in PAIRS for setting in experiment.chosen(*pair)]
    assert len(settings) == 5 * 7 + 4                       # and `slow` of each pair
    for task, optimiser, rule, rate, v in settings:
        mine = find(ROWS, task=task, optimiser=optimiser, rule=rule, rate=rate, v=v)
        assert sorted(row["seed"] for row in mine) == list(range(SEEDS))
    assert len(ROWS) == SEEDS * len(settings)


@pytest.mark.parametrize("key", experiment.CHOSEN)
def test_thresholds_are_the_best_of_the_pilot(key):
    task, optimiser, rate = key
    mine = [line for line in PILOT if (line["task"], line["optimiser"]) == (task, optimiser)]
    for rule, v in experiment.CHOSEN[key].items():
        tried = [line for line in mine if line["rule"] == rule and float(line["rate"]) == rate]
        assert sorted(float(line["v"]) for line in tried) == list(experiment.THRESHOLDS)
        assert all(int(line["n"]) == 3 for line in tried)
        assert float(experiment.best(tried)["v"]) == v


@pytest.mark.parametrize("pair", PAIRS)
def test_the_slow_rate_is_the_best_that_needs_no_rule(pair):
    lines = [line for line in PILOT if (line["task"], line["optimiser"]) == pair
             and line["rule"] == "none"]
    fastest = max(rate for *own, rate in experiment.CHOSEN if tuple(own) == pair)
    slower = [line for line in lines if float(line["rate"]) < fastest]
    assert len(slower) == len(experiment.RATES[pair]) - 1
    most = max(slower, key=lambda line: (int(line["solved"]), float(line["rate"])))
    assert float(most["rate"]) == experiment.SLOW[pair]


@pytest.mark.parametrize("line", SUMMARY, ids=lambda line: "-".join(
    str(line[name]) for name in ("task", "optimiser", "rule")))
def test_the_summary_is_that_of_the_rows(line):
    mine = find(ROWS, **{name: line[name] for name in experiment.KEY[:-1]})
    for name in ("solved", "guesses", "overflowed"):
        assert line[name] == sum(row[name] for row in mine)
    wanted = [*table.share_interval(line["solved"], len(mine)),
              *(np.median([row[name] for row in mine]) for name in ("active", "largest"))]
    np.testing.assert_allclose(
        [line[name] for name in ("share", "low", "high", "active", "largest")], wanted, rtol=1e-5)


def solved(task, optimiser, rate):
    """rule -> how many of 20, at this rate."""
    return {line["rule"]: int(line["solved"]) for line in find(
        SUMMARY, task=task, optimiser=optimiser, rate=rate)}


def test_what_the_readme_and_the_book_quote():
    assert solved("order", "SGD", 0.3) == {
        "none": 0, "value": 19, "norm": 20, "tensor": 20, "random": 0, "instead": 0, "skip": 0}
    assert solved("order", "SGD", 0.1) == {
        "none": 6, "value": 20, "norm": 20, "tensor": 20, "random": 7, "instead": 0, "skip": 3}
    assert solved("order", "Adam", 0.03) == {
        "none": 3, "value": 10, "norm": 2, "tensor": 9, "random": 2, "instead": 2, "skip": 2}
    assert solved("adding", "SGD", 0.1) == {
        "none": 0, "value": 1, "norm": 9, "tensor": 0, "random": 0, "instead": 0, "skip": 0}
    assert solved("adding", "Adam", 0.03) == {
        "none": 0, "value": 2, "norm": 4, "tensor": 3, "random": 0, "instead": 0, "skip": 0}
    slow = {(line["task"], line["optimiser"]): line["solved"] for line in
            find(SUMMARY, rule="slow")}
    assert slow == {("order", "SGD"): 20, ("order", "Adam"): 20, ("adding", "SGD"): 0,
                    ("adding", "Adam"): 19}
    assert sum(row["overflowed"] for row in ROWS) == 1


def test_a_random_step_is_never_better_than_nothing_beyond_the_intervals():
    for task, optimiser, rate in experiment.CHOSEN:
        lines = {line["rule"]: line for line in find(
            SUMMARY, task=task, optimiser=optimiser, rate=rate)}
        for rule in ("random", "instead", "skip"):
            assert lines[rule]["low"] < lines["none"]["high"]
    for rate in (0.1, 0.3):
        clipped, = find(SUMMARY, task="order", optimiser="SGD", rate=rate, rule="norm")
        for rule in ("random", "instead", "skip"):
            line, = find(SUMMARY, task="order", optimiser="SGD", rate=rate, rule=rule)
            assert line["high"] < clipped["low"]


def test_solved_is_what_the_docstring_says():
    for row in ROWS:
        right = row["score"] >= 0.95 if row["task"] == "order" else row["score"] < 1 / 12
        assert row["solved"] == right                       # NaN is neither
        assert (row["overflowed"] == 1) == np.isnan(row["score"])
        assert not (row["solved"] and row["guesses"])


def test_a_row_again_from_its_seed():
    rate, v = 0.3, experiment.CHOSEN["order", "SGD", 0.3]["norm"]
    row, = find(ROWS, task="order", optimiser="SGD", rule="norm", rate=rate, seed=0)
    again, = experiment.rows("order", "SGD", [("norm", rate, v)], [0])
    assert row["solved"] == again["solved"] == 1
    assert float(again["score"]) == pytest.approx(row["score"], abs=0.05)
    assert float(again["active"]) == pytest.approx(row["active"], abs=0.1)
