"""Six optimisers and L2 on temporal order: rows, summaries, and rows again from their seeds."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))
import optimisers as experiment
import table

from rnnlib import clipping, optim, regularisers, tasks
from rnnlib.results import find, load
from rnnlib.watch import Answering

ROWS, SUMMARY = load("optimisers"), load("optimisers_summary")
L2_ROWS, L2_SUMMARY = load("optimisers_l2"), load("optimisers_l2_summary")
PILOT = load("optimisers_pilot")
SEEDS = list(range(20))


def test_every_optimiser_has_its_rate_and_its_seeds():
    for name in experiment.NETWORKS:
        for one, rate in experiment.entries(name, pilot=False):
            mine = find(ROWS, network=name, optimiser=one, rate=rate)
            assert sorted(row["seed"] for row in mine) == SEEDS
    assert len(ROWS) == len(experiment.NETWORKS) * len(experiment.OPTIMISERS) * len(SEEDS)
    for clip, rate in experiment.WAYS:
        for weight in experiment.WEIGHTS:
            mine = find(L2_ROWS, clip=clip, rate=rate, weight=weight)
            assert sorted(row["seed"] for row in mine) == SEEDS


@pytest.mark.parametrize("name", experiment.NETWORKS)
def test_the_rate_is_the_best_of_the_pilot_and_inside_its_grid(name):
    for (one, grid), rate in zip(experiment.GRID.items(), experiment.RATES[name], strict=True):
        means = {}
        for other in grid:
            mine = find(PILOT, network=name, optimiser=one, rate=other)
            assert [row["seed"] for row in mine] == [1000, 1001, 1002]
            means[other] = np.mean([row["updates"] for row in mine])
        assert min(means, key=means.get) == rate
        assert grid[0] < rate < grid[-1]


def test_updates_are_a_count_at_which_it_was_asked():
    for row in [*ROWS, *(row | {"network": "batch"} for row in L2_ROWS)]:
        _, _, total, every = experiment.NETWORKS[row["network"]]
        assert row["updates"] % every == 0 and 0 < row["updates"] <= total
        assert row["solved"] or row["updates"] == total


@pytest.mark.parametrize(("lines", "rows", "key"), [
    (SUMMARY, ROWS, experiment.KEY), (L2_SUMMARY, L2_ROWS, experiment.L2_KEY)])
def test_the_summaries_are_those_of_the_rows(lines, rows, key):
    for line in lines:
        mine = find(rows, **{name: line[name] for name in key[:-1]})
        solved = sum(row["solved"] for row in mine)
        assert (line["solved"], line["n"]) == (solved, len(mine)) == (solved, len(SEEDS))
        assert [line[name] for name in ("share", "low", "high")] == pytest.approx(
            table.share_interval(solved, len(mine)), abs=1e-5)
        kept = sum(row["accuracy"] >= 0.95 for row in mine)
        assert [line[name] for name in ("kept", "kept_share", "kept_low", "kept_high")] == (
            pytest.approx([kept, *table.share_interval(kept, len(mine))], abs=1e-5))
        for name in set(line) & {"updates", "accuracy", "radius", "over", "largest"}:
            interval = table.mean_interval([row[name] for row in mine])
            assert [line[name + end] for end in ("", "_low", "_high")] == pytest.approx(
                interval, rel=1e-4, abs=1e-9)
        if "ratio" in line:
            ratios = np.sort([row["ratio"] for row in mine])
            assert [line["ratio" + end] for end in ("", "_low", "_high")] == pytest.approx(
                [np.median(ratios), *ratios[[5, 14]]], rel=1e-4)


# --- the training -------------------------------------------------------------------------------


def test_l2_and_the_clip_are_those_of_rnnlib():
    """Three updates on L + l2, clipped as a whole, against rnnlib in float64."""
    setting = experiment.Setting(optim.SGD(0.3), 1.0, 0.05)
    others = [experiment.Setting(optim.SGD(0.3), 0.0, 0.0), setting]
    training = experiment.Training("batch", others, [3])
    start, drawing, _ = np.random.SeedSequence(3).spawn(3)
    params = experiment.network(16, np.random.default_rng(start))
    rng, state = np.random.default_rng(drawing), setting.optimiser.init(params)
    for _ in range(3):
        norms = training.update()
        batch = tasks.temporal_order(20, experiment.STEPS, rng=rng)
        _, grads = Answering().loss_and_grads(params, batch)
        assert norms[1, 0] == pytest.approx(clipping.norm(grads), rel=1e-3)
        _, more = regularisers.l2(params, setting.weight)
        clipped, _ = clipping.clip_by_norm(regularisers.add(grads, more), setting.clip)
        params, state = setting.optimiser.update(params, clipped, state)
    np.testing.assert_allclose(training.params["W"][1, 0], params[0].W, atol=1e-4)
    np.testing.assert_allclose(training.params["b"][1, 0], params[0].b, atol=1e-4)
    assert not np.allclose(training.params["W"][0, 0], params[0].W, atol=1e-2)


def test_radius_ratio_and_accuracy_are_those_of_rnnlib():
    training = experiment.Training("batch", [experiment.Setting(optim.SGD(0.3))], [0, 5])
    testing = np.random.SeedSequence(5).spawn(3)[2]
    batch = tasks.temporal_order(experiment.TESTED, experiment.STEPS,
                                 rng=np.random.default_rng(testing))
    start = np.random.SeedSequence(5).spawn(3)[0]
    cell, out = experiment.network(16, np.random.default_rng(start))
    trace, dtrace = Answering().look((cell, out), batch)
    norms = np.linalg.norm(dtrace.h, axis=-1).mean(axis=1)
    assert training.radius()[0, 1] == pytest.approx(1.5, rel=1e-5)
    assert training.ratio()[0, 1] == pytest.approx(norms[0] / norms[-1], rel=1e-3)
    right = out.logits(trace.h_end[None]).argmax(-1) == batch.targets
    assert training.accuracy()[0, 1] == pytest.approx(right.mean(), abs=0.006)


def test_a_row_again_from_its_seed():
    rate = experiment.RATES["batch"][list(experiment.OPTIMISERS).index("Adagrad")]
    row, = find(ROWS, network="batch", optimiser="Adagrad", seed=0)
    training = experiment.Training(
        "batch", [experiment.Setting(experiment.OPTIMISERS["Adagrad"](rate))], [0])
    for updates in range(1, int(row["updates"]) + 76):      # another processor rounds otherwise
        training.update()
        if updates % 25 == 0 and training.accuracy()[0, 0] >= experiment.SOLVED:
            break
    assert training.accuracy()[0, 0] >= experiment.SOLVED and updates >= row["updates"] - 75


# --- what is quoted -----------------------------------------------------------------------------


def updates(network):
    """optimiser -> (low, mean, high) of the updates until solved."""
    return {line["optimiser"]: tuple(line[name] for name in
                                     ("updates_low", "updates", "updates_high"))
            for line in find(SUMMARY, network=network)}


def test_no_optimiser_is_the_one_for_minibatches():
    """With minibatches hardly a difference; with single sequences Adagrad is among the slowest."""
    assert all(line["solved"] >= 19 for line in SUMMARY if line["network"] == "batch")
    batch, single = updates("batch"), updates("single")
    assert all(low < batch["Adagrad"][2] and batch["Adagrad"][0] < high
               for low, _, high in batch.values())
    for one in ("Adam", "Adadelta"):
        assert all(single[one][2] < single[slow][0] for slow in ("SGD", "Adagrad"))
    assert max(single, key=lambda one: single[one][1]) == "Adagrad"


def test_l2_neither_stops_the_explosion_nor_spares_the_gradient():
    def lines(clip, rate):
        return {line["weight"]: line for line in find(L2_SUMMARY, clip=clip, rate=rate)}

    clipped, bare, slower = (lines(*way) for way in experiment.WAYS)
    assert not any(line["solved"] for line in bare.values())
    assert [int(line["kept"]) for line in slower.values()] == [6, 5, 5, 0, 0, 0]
    assert [int(line["solved"]) for line in slower.values()] == [6, 7, 8, 11, 5, 3]
    assert [int(line["kept"]) for line in clipped.values()] == [20, 20, 20, 18, 13, 0]
    assert clipped[0.01]["over_low"] > 10 * clipped[0]["over_high"]
    radii = [line["radius"] for line in clipped.values()]
    assert radii == sorted(radii, reverse=True)
    assert clipped[0.01]["ratio"] > clipped[0]["ratio"] and clipped[0.1]["ratio"] < 1e-20
