"""A slip while writing: rows, summaries and stored networks agree; a seed gives its row again."""

import sys
from pathlib import Path

import numpy as np
import pytest

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
sys.path.insert(0, str(EXPERIMENTS))

import exposure as experiment  # noqa: E402
import table  # noqa: E402

from rnnlib import search, seq2seq  # noqa: E402
from rnnlib.records import leaves  # noqa: E402
from rnnlib.widgets import digit_writers as writers  # noqa: E402

ROWS = table.read(table.RESULTS / "exposure.csv")
SUMMARY = table.read(table.RESULTS / "exposure_summary.csv")
PLACES = table.read(table.RESULTS / "exposure_places.csv")
SLIPS = table.read(table.RESULTS / "exposure_slips.csv")
BOTH = [(task, regime) for task in writers.TASKS for regime in writers.REGIMES]
ROUND = "round and round"


def rows(task, regime):
    mine = [row for row in ROWS if (row["task"], row["regime"]) == (task, regime)]
    return sorted(mine, key=lambda row: int(row["seed"]))


def numbers(row, name):
    return np.array(row[name].split(), float)


def interval(task, regime, what):
    (row,) = (row for row in SUMMARY
              if (row["task"], row["regime"], row["what"]) == (task, regime, what))
    return [float(row[name]) for name in ("mean", "low", "high")]


# --- the files --------------------------------------------------------------------------------


def test_every_training_has_the_same_seeds_at_least_ten():
    seeds = [[int(row["seed"]) for row in rows(*both)] for both in BOTH]
    assert len(seeds[0]) >= 10
    assert all(one == list(range(len(seeds[0]))) for one in seeds)
    assert len(ROWS) == len(BOTH) * len(seeds[0])


@pytest.mark.parametrize("row", ROWS, ids=lambda r: f"{r['task']}-{r['regime']}-{r['seed']}")
def test_the_numbers_of_a_row_agree(row):
    T = writers.TASKS[row["task"]][2]
    teacher, free = (numbers(row, name) for name in ("teacher", "free"))
    assert len(teacher) == len(free) == T
    assert teacher[0] == free[0], "at the first place there is nothing to be told"
    assert numbers(row, "curve")[-1] == float(row["exact"])
    assert 1 - float(row["exact"]) >= free.max() - 1e-6
    assert 1 - float(row["exact"]) <= teacher.sum() + 1e-6, "the first error is the teacher's too"
    for name in ("after_slip", "after_right"):
        shares = numbers(row, name)
        assert len(shares) == T * (T - 1) // 2 and (shares >= 0).all() and (shares <= 1).all()
    assert 0 <= float(row["late"]) <= 1 and 0 <= float(row["owed"]) <= 1


def test_every_number_of_the_summary_comes_from_the_rows():
    whats = {row["what"] for row in SUMMARY}
    assert len(SUMMARY) == len(whats) * (len(BOTH) + 4)
    for row in SUMMARY:
        regime, _, other = row["regime"].partition(" - ")
        values = [measured(one, row["what"]) for one in rows(row["task"], regime)]
        if other:
            values = np.subtract(
                values, [measured(one, row["what"]) for one in rows(row["task"], other)])
        assert int(row["networks"]) == len(values)
        np.testing.assert_allclose([float(row[name]) for name in ("mean", "low", "high")],
                                   table.mean_interval(values), rtol=1e-4, atol=2e-6)


def measured(row, what):
    """A number of the summary, from the texts of the row alone."""
    if what.startswith("exact "):
        return numbers(row, "curve")[experiment.MOMENTS.index(int(what[6:]))]
    if what in ("exact", "owed", "late"):
        return float(row[what])
    if what in ("teacher", "free"):
        return numbers(row, what).mean()
    T = writers.TASKS[row["task"]][2]
    first = (T - 1) + (T - 2)                                   # the rows of slips at 1 and 2
    slip, right = (numbers(row, f"after_{name}")[first : first + T - 3].mean()
                   for name in ("slip", "right"))
    return {"after_slip": slip, "after_right": right, "kept": slip / right}[what]


def test_the_curves_are_means_of_the_rows():
    for row in PLACES:
        values = [numbers(one, row["given"])[int(row["place"]) - 1]
                  for one in rows(row["task"], row["regime"])]
        assert float(row["mean"]) == pytest.approx(np.mean(values), abs=1e-5)
    assert len(PLACES) == 3 * 2 * (6 + 10)
    for row in SLIPS:
        k, t = int(row["slip"]) - 1, int(row["place"]) - 1
        values = [experiment.matrix(one, row["what"])[k, t]
                  for one in rows(row["task"], row["regime"])]
        wanted = table.mean_interval(values)
        got = [float(row[name]) for name in ("mean", "low", "high")]
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=2e-6)
    assert len(SLIPS) == 3 * 2 * (15 + 45)


@pytest.mark.parametrize(("made", "kept"), [
    (experiment.summary, SUMMARY), (experiment.places, PLACES), (experiment.slips, SLIPS)])
def test_the_script_makes_these_summaries_of_these_rows(made, kept):
    assert [{key: str(value) for key, value in row.items()} for row in made(ROWS)] == kept


# --- a seed gives its row again ---------------------------------------------------------------


def test_the_first_updates_of_a_row_are_found_again():
    """With digits of its own among those it is given: nothing of the training is left out."""
    ((updates, model),) = experiment.trained(ROUND, "scheduled", 0, updates=100)
    lists, targets = experiment.test(ROUND, 0)
    assert updates == experiment.MOMENTS[0] == 100
    share = numbers(rows(ROUND, "scheduled")[0], "curve")[0]
    right = experiment.on_its_own(model, lists, targets).all(axis=0).mean()
    assert right == pytest.approx(share, abs=0.02) and 0.2 < share < 0.6     # float32


@pytest.mark.parametrize(("task", "regime"), BOTH)
def test_the_stored_networks_are_those_of_the_rows(task, regime):
    model, (lists, targets) = writers.stored()[task, regime], experiment.test(task, 0)
    row, wrong = rows(task, regime)[0], experiment.wrong_digits(targets, 0)
    assert {array.dtype for array in leaves("model", model).values()} == {np.dtype(np.float32)}
    right = experiment.on_its_own(model, lists, targets)
    assert right.all(axis=0).mean() == pytest.approx(float(row["exact"]), abs=0.03)
    np.testing.assert_allclose(1 - right.mean(axis=1), numbers(row, "free"), atol=0.03)
    given = writers.slipped(targets, 3, wrong[2])
    said = writers.write(model, *writers.encode(lists), given).symbols
    slip = (said == targets)[3:].mean(axis=1)
    np.testing.assert_allclose(slip, experiment.matrix(row, "after_slip")[2, 3:], atol=0.03)


# --- what is trained and measured -------------------------------------------------------------


@pytest.mark.parametrize("task", writers.TASKS)
def test_no_training_sees_a_list_of_the_test(task):
    draw = experiment.batches(task, "teacher", 0)
    seen = np.concatenate([draw(step)[0].argmax(-1).sum(axis=0) for step in range(3)])
    lists, targets = experiment.test(task, 0)
    assert (seen % 5 != 0).all() and all(digits.sum() % 5 == 0 for digits in lists)
    fewest, most, T = writers.TASKS[task]
    assert {len(digits) for digits in lists} == set(range(fewest, most + 1))
    assert targets.shape == (T, experiment.TEST)
    if task == ROUND:
        assert all(len(set(digits)) == len(digits) for digits in lists)
    for digits, due in zip(lists[:20], targets.T, strict=False):
        assert due.tolist() == [digits[t % len(digits)] for t in range(T)]


def test_the_trainings_differ_in_what_is_given_alone():
    draws = {regime: experiment.batches(ROUND, regime, 3) for regime in writers.REGIMES}
    for step in (0, 400, 799):
        xs, _, targets, given, _ = draws["scheduled"](step)
        for regime in ("teacher", "own"):
            other = draws[regime](step)
            np.testing.assert_array_equal(other[0], xs)
            np.testing.assert_array_equal(other[2], targets)
        own = given == writers.OWN
        assert own.mean() == pytest.approx(step / experiment.UPDATES, abs=0.05)
        np.testing.assert_array_equal(given[~own], targets[~own])
    np.testing.assert_array_equal(draws["teacher"](5)[3], draws["teacher"](5)[2])
    assert (draws["own"](5)[3] == writers.OWN).all()


def test_what_a_network_is_fed_in_training_is_drawn_from_its_own_beliefs():
    """Of many sequences alike, the shares of the first digit are its probabilities."""
    model = writers.network(1)
    xs, lengths = writers.encode([[4, 7, 1]] * 20_000)
    found = writers.write(model, xs, lengths, np.full((1, 20_000), writers.OWN),
                          rng=np.random.default_rng(0))
    start = np.full((1, 1), 0)
    one = seq2seq.forward(model, xs[:, :1], experiment.inputs(start), lengths=lengths[:1])
    wanted = np.exp(search.log_softmax(one.logits[0, 0]))
    shares = np.bincount(found.symbols[0], minlength=11) / 20_000
    np.testing.assert_allclose(shares, wanted, atol=0.015)


def test_with_a_teacher_or_without_the_first_error_is_the_same():
    for key in BOTH:
        lists, targets = experiment.test(key[0], 1)
        model = writers.stored()[key]
        free = experiment.on_its_own(model, lists, targets).all(axis=0)
        taught = experiment.taught(model, lists, targets).all(axis=0)
        assert (free == taught).mean() > 0.995                  # ties of float32 apart
        assert taught.mean() > 0.3


def test_a_slip_is_one_wrong_digit_and_all_before_it_right():
    targets = np.arange(12).reshape(6, 2) % 10
    given = writers.slipped(targets, 3, np.array([9, 9]))
    np.testing.assert_array_equal(given[:2], targets[:2])
    assert (given[2] == 9).all() and (given[3:] == writers.OWN).all()
    assert (writers.slipped(targets, 0, np.array([9, 9])) == writers.OWN).all()
    wrong = experiment.wrong_digits(targets, 0)
    assert (wrong != targets).all() and wrong.min() >= 0 and wrong.max() <= 9
    with pytest.raises(ValueError, match="given"):
        writers.write(writers.network(0), *writers.encode([[1], [2]]), given + 5)


# --- what the chapter says --------------------------------------------------------------------


def test_taught_alone_a_network_is_lost_after_a_slip_and_otherwise_it_is_not():
    for task in writers.TASKS:
        assert interval(task, "teacher", "after_slip")[2] < 0.3
        assert interval(task, "teacher", "after_right")[1] > 0.9
        assert interval(task, "teacher", "owed")[1] > 0.7
        for regime in ("scheduled", "own"):
            assert interval(task, regime, "kept")[1] > 0.95
            assert interval(task, f"{regime} - teacher", "after_slip")[1] > 0.5


def test_what_practice_costs_depends_on_the_task():
    for regime in ("scheduled", "own"):
        assert interval("list", f"{regime} - teacher", "exact")[1] > 0
        assert interval(ROUND, f"{regime} - teacher", "exact")[2] < 0
    assert interval(ROUND, "own", "exact")[2] < 0.6 < 0.99 < interval(ROUND, "teacher", "exact")[1]
