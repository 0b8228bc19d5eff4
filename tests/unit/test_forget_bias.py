"""Forget bias against lag: rows and summaries agree, a seed gives its row, the book's numbers."""

import sys
from pathlib import Path

import numpy as np
import pytest

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
sys.path.insert(0, str(EXPERIMENTS))

import forget_bias as experiment  # noqa: E402
import success_by_lag  # noqa: E402
import table  # noqa: E402

from rnnlib import LSTMCell, OutputLayer, RNNCell, backward, forward, tasks  # noqa: E402
from rnnlib.losses import softmax_cross_entropy  # noqa: E402

ROWS = table.read(table.RESULTS / "forget_bias.csv")
SUMMARY = table.read(table.RESULTS / "forget_bias_summary.csv")
GRADIENT = table.read(table.RESULTS / "forget_bias_gradient.csv")
DROP = table.read(table.RESULTS / "forget_bias_drop_summary.csv")


def group(rows, **wanted):
    return [row for row in rows if wanted.items() <= row.items()]


def numbers(rows, name):
    return np.array([float(row[name]) for row in rows])


def solved(bias, lag, updates=400):
    row, = group(SUMMARY, bias=bias, lag=str(lag), updates=str(updates))
    return int(row["solved"])


# --- the files --------------------------------------------------------------------------------


def test_every_task_bias_and_lag_has_the_same_ten_seeds():
    found = {}
    for row in ROWS:
        found.setdefault((row["task"], row["bias"], int(row["lag"])), []).append(int(row["seed"]))
    wanted = {("keep", bias, lag) for bias in experiment.BIASES for lag in experiment.LAGS}
    assert set(found) == wanted | {("drop", bias, 10) for bias in experiment.BIASES}
    assert all(sorted(seeds) == list(range(10)) for seeds in found.values())


def test_a_network_counts_as_solved_from_95_percent_and_then_stops():
    for row in ROWS:
        after = int(row["solved_after"])
        assert (after > 0) == (float(row["accuracy"]) >= 0.95)
        assert after in (0, *experiment.MOMENTS[row["task"]])


def test_task_and_bar_are_those_of_chapter_4():
    for name in ("HIDDEN", "BATCH", "CLIP", "TESTED", "SOLVED", "ANSWERS"):
        assert getattr(experiment, name) == getattr(success_by_lag, name)


@pytest.mark.parametrize("updates", experiment.MOMENTS["keep"])
def test_the_summary_counts_the_rows(updates):
    rows = group(SUMMARY, updates=str(updates))
    assert len(rows) == len(experiment.BIASES) * len(experiment.LAGS)
    for row in rows:
        after = numbers(group(ROWS, task="keep", bias=row["bias"], lag=row["lag"]), "solved_after")
        count = ((after > 0) & (after <= updates)).sum()
        assert (int(row["solved"]), int(row["n"])) == (count, 10)
        np.testing.assert_allclose([float(row[name]) for name in ("share", "low", "high")],
                                   table.share_interval(count, 10), rtol=1e-5)


def test_the_gradients_are_medians_and_ranges_of_the_rows():
    assert len(GRADIENT) == len(experiment.BIASES) * len(experiment.LAGS) * 5
    for row in GRADIENT:
        part = int(row["back"]) * 5 // int(row["lag"])
        assert part * int(row["lag"]) == 5 * int(row["back"])
        values = numbers(group(ROWS, task="keep", bias=row["bias"], lag=row["lag"]),
                         f"gradient_{part}")
        wanted = np.median(values), values.min(), values.max()
        np.testing.assert_allclose([float(row[name]) for name in ("median", "least", "most")],
                                   wanted, rtol=1e-5)


def test_the_summary_of_dropping_comes_from_the_rows():
    assert [row["bias"] for row in DROP] == sorted(experiment.BIASES)
    for row in DROP:
        after = numbers(group(ROWS, task="drop", bias=row["bias"]), "solved_after")
        assert int(row["solved"]) == len(after[after > 0])
        np.testing.assert_allclose([float(row[name]) for name in ("updates", "low", "high")],
                                   table.mean_interval(after[after > 0]), rtol=1e-5)


# --- a row from its seed ----------------------------------------------------------------------


@pytest.mark.parametrize("task, bias, lag", [("keep", "3", "10"), ("keep", "drawn", "5"),
                                             ("drop", "0", "10")])
def test_a_row_can_be_made_again_from_its_seed(task, bias, lag):
    row, = group(ROWS, task=task, bias=bias, lag=lag, seed="0")
    result = experiment.run({"task": task, "bias": bias, "lag": int(lag), "seed": 0})
    assert str(result["solved_after"]) == row["solved_after"]
    assert float(result["accuracy"]) == pytest.approx(float(row["accuracy"]), abs=0.0011)
    for k in range(1, 6) if task == "keep" else ():
        assert float(result[f"gradient_{k}"]) == pytest.approx(
            float(row[f"gradient_{k}"]), rel=1e-5)


def test_the_starts_of_a_seed_differ_in_the_forget_bias_alone():
    cells = {bias: experiment.network(bias, np.random.default_rng(4)) for bias in ("drawn", "3")}
    (drawn, out), (three, same) = cells["drawn"], cells["3"]
    for a, b in ((drawn.U, three.U), (drawn.W, three.W), (out.V, same.V)):
        np.testing.assert_array_equal(a, b)
    assert (three.b[10:20] == 3).all() and np.abs(drawn.b).max() <= 10**-0.5
    np.testing.assert_array_equal(np.delete(drawn.b, range(10, 20)),
                                  np.delete(three.b, range(10, 20)))


def test_with_a_closed_input_and_nothing_through_h_the_gradient_is_the_power_of_the_gate():
    H = 3
    b = np.repeat([-1.0, 0.7, 0.2, 0.4], H)
    cell = LSTMCell(U=np.zeros((4 * H, 1)), W=np.zeros((4 * H, H)), b=b)
    out = OutputLayer.init(H, 2)
    found = experiment.gradients((cell, out), tasks.latch(8, 21))
    np.testing.assert_allclose(found, (1 / (1 + np.exp(-0.7))) ** np.arange(21), rtol=1e-12)


def test_the_gradient_is_that_of_the_loss_by_hand():
    cell, out = experiment.network("2", np.random.default_rng(1))
    batch = tasks.latch(3, 6, rng=2)
    trace = forward(cell, batch.xs)
    _, dlogits = softmax_cross_entropy(out.logits(trace.h[-1:]), batch.targets)
    dtrace, _ = backward(cell, trace, dh_end=(dlogits @ out.V)[0])
    norms = np.linalg.norm(dtrace.c, axis=2)
    assert experiment.gradients((cell, out), batch)[5] == pytest.approx(
        np.median(norms[0] / norms[5]), rel=1e-12)


@pytest.mark.parametrize("bias, lag, more", [("0", 20, 10), ("1", 20, 5), ("3", 80, 3),
                                             ("5", 80, 1)])
def test_along_the_cell_state_alone_comes_the_power_and_more_through_h(bias, lag, more):
    alone, whole = [], []
    for seed in range(4):
        params = experiment.network(bias, np.random.default_rng(seed))
        trace, dtrace = experiment.ANSWERS.look(params, tasks.latch(50, lag + 1, rng=seed))
        at_end = dtrace.c[-1]
        norms = [np.linalg.norm(dc, axis=-1)
                 for dc in (trace.f[1:].prod(axis=0) * at_end, dtrace.c[0], at_end)]
        alone.append(np.median(norms[0] / norms[2]))
        whole.append(np.median(norms[1] / norms[2]))
    power = (1 / (1 + np.exp(-float(bias)))) ** lag
    assert power / 2 < np.median(alone) < 2 * power
    assert np.median(whole) > more * np.median(alone)


def test_accuracy_is_the_share_of_right_answers():
    cell = RNNCell(U=np.array([[1.0]]), W=np.array([[9.0]]), b=np.zeros(1))
    out = OutputLayer(V=np.array([[-1.0], [1.0]]), c_out=np.zeros(2))
    assert experiment.accuracy((cell, out), tasks.latch(200, 41)) == 1
    against = OutputLayer(V=-out.V, c_out=out.c_out)
    assert experiment.accuracy((cell, against), tasks.latch(200, 41)) == 0


# --- what is told -----------------------------------------------------------------------------


def test_what_the_readme_and_the_book_quote():
    after_400 = {bias: [solved(bias, lag) for lag in experiment.LAGS]
                 for bias in experiment.BIASES}
    assert after_400 == {
        "drawn": [10, 9, 0, 0, 0], "0": [10, 9, 0, 0, 0], "1": [10, 10, 10, 0, 0],
        "2": [10, 10, 10, 10, 1], "3": [10, 10, 10, 10, 6], "4": [10, 10, 10, 10, 9],
        "5": [10, 10, 10, 10, 10],
    }
    assert [solved("1", 20, updates) for updates in experiment.MOMENTS["keep"]] == [0, 6, 9, 10]
    back = {(row["bias"], row["lag"]): float(row["median"]) for row in GRADIENT
            if row["back"] == row["lag"]}
    assert back["1", "40"] == pytest.approx(3.1e-4, rel=0.02)
    assert back["3", "40"] == pytest.approx(0.45, rel=0.02)


def test_where_less_than_a_thousandth_comes_back_nobody_learns():
    learnt = {True: [], False: []}
    for row in group(ROWS, task="keep"):
        learnt[float(row["gradient_5"]) < 1e-3].append(int(row["solved_after"]) > 0)
    assert not any(learnt[True]) and np.mean(learnt[False]) > 0.9


def test_dropping_takes_longer_from_an_open_start():
    after = {bias: numbers(group(ROWS, task="drop", bias=bias), "solved_after")
             for bias in experiment.BIASES}
    assert all((updates > 0).all() for updates in after.values())
    means = [after[bias].mean() for bias in ("0", "1", "2", "3", "4", "5")]
    assert means == sorted(means) == [144, 155, 168, 183, 197, 204]
    mean, low, high = table.mean_interval(after["5"] - after["1"])
    assert mean == 49 and (low, high) == pytest.approx((35.75, 62.25), abs=0.01)
