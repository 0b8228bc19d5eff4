"""What the committed results of experiments/truncation.py say, and that they can be made again."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnlib.results import find, load

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
sys.path.insert(0, str(EXPERIMENTS))

import table  # noqa: E402
import truncation  # noqa: E402

SEEDS = truncation.SEEDS


def rows(**wanted):
    """The networks of these settings, as numbers, by seed."""
    found = [row for row in table.read(table.RESULTS / "truncation.csv")
             if {k: str(v) for k, v in wanted.items()}.items() <= row.items()]
    assert sorted(int(row["seed"]) for row in found) == list(range(SEEDS))
    return sorted(found, key=lambda row: int(row["seed"]))


def column(name, **wanted):
    return np.array([float(row[name]) for row in rows(**wanted)])


def accuracy(task, delay, window):
    return column("accuracy", task=task, delay=delay, window=window)


@pytest.mark.parametrize(("delay", "window"), [(1, 2), (2, 3), (3, 4), (5, 6)])
def test_the_bit_of_k_steps_ago_is_learned_by_all_from_a_window_of_one_more(delay, window):
    assert (accuracy("recall", delay, window) > 0.99).all()
    assert (accuracy("recall", delay, "full") > 0.99).all()


@pytest.mark.parametrize("delay", [2, 3])
def test_with_a_window_one_shorter_less_is_right_than_without_training_the_cell(delay):
    free, cut = accuracy("recall", delay, 0), accuracy("recall", delay, delay)
    assert (cut < 0.95).all() and (cut < free).all()
    _, low, _ = table.mean_interval(free - cut)
    assert low > 0.2


@pytest.mark.parametrize("delay", [1, 2, 3])
def test_a_short_window_turns_the_input_down_and_a_long_one_up(delay):
    assert column("inputs", task="recall", delay=delay, window=1).max() < 0.4
    assert column("inputs", task="recall", delay=delay, window="full").min() > 1.5


def test_a_window_of_one_step_does_not_mean_a_memory_of_one_step():
    """The state of a network trained so still tells the bits of four steps and more, mostly."""
    for delay in (1, 2, 3):
        reach = column("reach", task="recall", delay=delay, window=1)
        assert (reach >= 4).sum() >= 18 and reach.mean() > 7
    assert (accuracy("xor", 1, 1) > 0.99).all()
    _, low, _ = table.mean_interval(accuracy("xor", 2, 1) - accuracy("xor", 2, 0))
    assert low > 0.15


@pytest.mark.parametrize("delay", [1, 2, 3])
def test_xor_needs_training_and_a_window_of_k(delay):
    assert accuracy("xor", delay, 0).max() < 0.85
    assert (accuracy("xor", delay, delay) > 0.99).all()
    if delay == 3:
        assert (accuracy("xor", 3, 2) > 0.99).sum() < SEEDS / 4


@pytest.mark.parametrize("seed", range(3))
def test_no_window_up_to_k_wants_the_input_louder_and_one_more_does(seed):
    """-dU along U, of 1000 sequences, when the output layer has learned to read the bit."""
    row = {"task": "recall", "delay": 2, "window": "0", "seed": seed}
    params = truncation.trained(row)[1]
    batch = truncation.draw("recall", 2, 1000, np.random.default_rng((seed, 9)))
    push = {}
    for window in ("1", "2", "3", "full"):
        _, (dcell, _) = truncation.loss_and_grads(2, window)(params, batch)
        push[window] = -(dcell.U * params[0].U).sum()
    assert max(push["1"], push["2"]) < 0 < min(push["3"], push["full"])


def test_the_summary_is_that_of_the_rows():
    for row in load("truncation_summary"):
        window = row["window"] if row["window"] == "full" else int(row["window"])
        values = accuracy(row["task"], int(row["delay"]), window)
        assert row["accuracy"] == pytest.approx(values.mean(), abs=1e-5)
        assert row["solved"] == (values > 0.99).sum() and row["seeds"] == SEEDS
        free = accuracy(row["task"], int(row["delay"]), 0)
        assert row["forgot"] == (values < free).sum()


@pytest.mark.parametrize(("delay", "window"), [("1", "0"), ("1", "1"), ("2", "full")])
def test_a_row_comes_out_again(delay, window):
    """A hundredth of a difference is left to the order of sums on another machine."""
    row = {"task": "recall", "delay": int(delay), "window": window, "seed": 3}
    again, (old,) = truncation.run(row), [
        r for r in rows(task="recall", delay=delay, window=window) if r["seed"] == "3"]
    assert float(again["accuracy"]) == pytest.approx(float(old["accuracy"]), abs=0.01)
    assert float(again["inputs"]) == pytest.approx(float(old["inputs"]), rel=0.05)


@pytest.fixture
def paths(tmp_path):
    """The published tables of networks and of the bias, copied to another folder."""
    return [Path(shutil.copy(table.RESULTS / name, tmp_path))
            for name in ("truncation.csv", "truncation_bias.csv")]


def test_the_published_files_lack_nothing(paths, tmp_path):
    assert truncation.main(["--out", str(tmp_path)]) is None
    for path in (*paths, tmp_path / "truncation_summary.csv"):
        assert path.read_bytes() == (table.RESULTS / path.name).read_bytes()


def test_what_is_missing_is_run_again_and_the_summary_does_without(paths, tmp_path):
    """A network with window 0, with which the others of its seed are compared, and two biases."""
    gone = ({"task": "xor", "delay": "1", "window": "0", "seed": "4"},
            {"rho": "1.2", "window": "7"})
    for path, some in zip(paths, gone, strict=True):
        table.write(path, [row for row in table.read(path) if not some.items() <= row.items()])
    message = truncation.main(["--out", str(tmp_path), "--limit-minutes", "0"])
    assert "0 of 1 jobs" in message and "0 of 2 jobs" in message
    (line,) = (row for row in table.read(tmp_path / "truncation_summary.csv")
               if (row["task"], row["delay"], row["window"]) == ("xor", "1", "0"))
    assert line["seeds"] == "19"
    assert truncation.main(["--out", str(tmp_path), "--jobs", "1"]) is None
    for path, some, values in zip(paths, gone, (("accuracy", "inputs"), ("angle", "ratio")),
                                  strict=True):
        again, old = table.read(path), table.read(table.RESULTS / path.name)
        assert [list(row) for row in again] == [list(row) for row in old]
        for new, row in zip(again, old, strict=True):
            if not some.items() <= row.items():
                assert new == row
            for name in values:
                assert float(new[name]) == pytest.approx(float(row[name]), rel=0.05, abs=0.01)


def test_all_windows_of_a_seed_start_alike_and_see_the_same_batches():
    row = {"task": "recall", "delay": 2, "seed": 5}
    starts = [truncation.trained(row | {"window": w}, updates=1)[0] for w in ("1", "full")]
    np.testing.assert_array_equal(starts[0][0].W, starts[1][0].W)
    outs = [truncation.trained(row | {"window": w}, updates=1)[1][1] for w in ("1", "full")]
    np.testing.assert_array_equal(outs[0].V, outs[1].V)             # V's gradient is never cut


def test_the_tasks_ask_what_they_say():
    for delay in (1, 5):
        xs, answers = truncation.draw("recall", delay, 50, np.random.default_rng(0))
        np.testing.assert_array_equal(answers, xs[:-delay, :, 0] > 0)
        xs, answers = truncation.draw("xor", delay, 50, np.random.default_rng(0))
        np.testing.assert_array_equal(answers, xs[:-delay, :, 0] != xs[delay:, :, 0])


@pytest.mark.parametrize("rho", truncation.figure.RADII)
def test_the_bias_falls_with_the_window_and_rises_with_rho(rho):
    angles = [row["angle"] for row in find(load("truncation_bias"), rho=rho, stride=1.0)]
    assert len(angles) == truncation.figure.STEPS and (np.diff(angles) < 1e-9).all()
    assert angles[0] > 50 and angles[-1] < 1e-9
    pieces = [row["angle"] for row in find(load("truncation_bias"), rho=rho, stride="window")]
    assert all(a <= b + 1e-9 for a, b in zip(angles, pieces, strict=True))
