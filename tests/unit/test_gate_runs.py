"""The runs behind the figure of the gates: sequences, measures, and the result files."""

import sys
from pathlib import Path

import numpy as np
import pytest

from rnnlib import tasks
from rnnlib.records import leaves
from rnnlib.results import load
from rnnlib.widgets import gate_runs as runs

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))
import gate_runs as experiment
import table

ROWS = table.read(table.RESULTS / "gate_runs.csv")
SUMMARY = {(row["task"], row["what"]): row for row in load("gate_runs_summary")}
TASKS = ("adding", "Reber")
MEASURED = experiment.units(ROWS)[0].keys()


# --- sequences, measures ----------------------------------------------------------------------


def test_what_is_written_held_and_asked():
    s = runs.reber(("BTBTXSETE", "BPBPVVEPE", "BTBPTTVPSETE"))
    assert s.asked.tolist() == [6, 6, 9]
    assert s.written.sum(axis=0).tolist() == [1, 1, 1] and s.written[1].all()
    assert [np.flatnonzero(s.held[:, b]).tolist() for b in (0, 2)] == [
        [2, 3, 4, 5, 6], list(range(2, 10))]
    assert s.wanted[0].tolist() == [1, -1, 1]
    assert s.full.sum(axis=0).tolist() == [6, 6, 9] and not s.full[0].any()
    assert s.elsewhere.sum(axis=0).tolist() == [6, 6, 9] and not s.elsewhere[1].any()
    letters = ["".join(tasks.REBER_SYMBOLS[k] for k in x.argmax(-1)) for x in s.twin.swapaxes(0, 1)]
    assert letters[2] == "BPBPTTVPSEP" and letters[0].startswith("BPBTXSEP")
    assert all(tasks.is_reber(word, embedded=True) for word in (letters[2] + "E",))


def test_the_twin_of_a_sum_has_another_first_number():
    s = runs.adding(50, np.random.default_rng(3))
    changed = (s.twin != s.batch.xs).any(axis=2)
    assert (changed.sum(axis=0) == 1).all() and s.written[changed].all()
    assert (changed.argmax(axis=0) < runs.LENGTH / 2).all()
    np.testing.assert_allclose(np.abs(s.twin - s.batch.xs)[changed][:, 0], 0.5)
    np.testing.assert_allclose(s.wanted[-1], s.batch.targets[0, :, 0])


@pytest.mark.parametrize("task", TASKS)
def test_tells_is_the_mean_of_squared_correlations(task):
    cell, _ = runs.recorded(task, 2000)
    s = runs.draw(task, 80, np.random.default_rng(5))
    c = runs.forward(cell, s.batch.xs, lengths=s.batch.lengths).c
    found = []
    for t in range(len(c)):
        who = [b for b in range(80) if s.asked[b] >= t >= np.flatnonzero(s.written[:, b]).max()]
        if len(who) >= runs.FEW:
            found += [np.corrcoef(c[t, who, 0], s.wanted[t, who])[0, 1] ** 2] * len(who)
    assert runs.tells(cell, s)[0] == pytest.approx(np.mean(found), rel=1e-9)


def test_a_handful_of_sequences_is_refused():
    s = runs.draw("adding", runs.FEW - 1, np.random.default_rng(0))
    with pytest.raises(ValueError, match="sequences: expected 20 or more .* got 19"):
        runs.tells(runs.network("adding", 0)[0], s)


@pytest.mark.parametrize("updates", [300, 700])
@pytest.mark.parametrize("task", TASKS)
def test_what_is_measured_of_a_unit_from_one_sequence_after_the_other(task, updates):
    cell, _ = runs.recorded(task, updates)
    s = runs.draw(task, 30, np.random.default_rng(6))
    for unit in range(cell.hidden_size):
        found = []
        for b in range(30):
            end = s.asked[b] + 1
            own, twin = (runs.forward(cell, xs[:end, b : b + 1]) for xs in (s.batch.xs, s.twin))
            apart = (own.c - twin.c)[:, 0]
            first = np.flatnonzero(s.written[:, b])[0]
            left = apart[first + 1 :, unit] / apart[first, unit]
            found.append((own.o[-1, 0, unit], np.abs(apart[-1, unit]) / np.abs(apart[-1]).sum(),
                          (left >= 0.25).all()))
        m = runs.measured(cell, s, unit)
        np.testing.assert_allclose([m["o_asked"], m["share"], m["kept"]], np.mean(found, axis=0))


# --- the result files -------------------------------------------------------------------------


def test_there_are_twenty_networks_of_each_task():
    assert [(row["task"], int(row["seed"])) for row in ROWS] == [
        (task, seed) for task in ("Reber", "adding") for seed in range(20)]
    for row in ROWS:
        assert int(row["solved"]) == (float(row["error"]) < {"adding": 0.01, "Reber": 0.05}[
            row["task"]])


def test_the_summary_is_that_of_the_rows():
    assert load("gate_runs_summary") == [
        {key: float(value) if key not in ("task", "what") and value != "" else value
         for key, value in line.items()} for line in experiment.summary(ROWS)]
    solved = [row for row in ROWS if row["task"] == "Reber" and row["solved"] == "1"]
    line = SUMMARY["Reber", "holds"]
    assert line["n"] == len(solved)
    assert line["count"] == sum(float(row["kept"]) >= 0.95 for row in solved)
    low, high = table.share_interval(line["count"], line["n"])[1:]
    assert (line["low"], line["high"]) == pytest.approx((low, high), rel=1e-5)
    mean = SUMMARY["adding", "before_f_held"]["value"]
    adding = [row for row in ROWS if row["task"] == "adding" and row["solved"] == "1"]
    values = [float(row["before_f_held"]) for row in adding]
    assert mean == pytest.approx(np.mean(values), rel=1e-5)


def test_what_the_readme_and_the_book_quote():
    def count(task, what):
        return SUMMARY[task, what]["count"], SUMMARY[task, what]["n"]

    def mean(task, what):
        return round(SUMMARY[task, what]["value"], 2)

    assert count("adding", "solved") == (20, 20) and count("Reber", "solved") == (19, 20)
    assert count("adding", "opens") == (19, 20) and count("Reber", "opens") == (4, 19)
    assert count("adding", "stays") == (20, 20) and count("Reber", "stays") == (10, 19)
    assert count("adding", "holds") == (20, 20) and count("Reber", "holds") == (12, 19)
    assert count("adding", "remembers") == (20, 20) and count("Reber", "remembers") == (7, 19)
    assert count("adding", "above") == (19, 20) and count("Reber", "above") == (19, 19)
    assert count("adding", "waits") == (0, 20) and count("Reber", "waits") == (12, 19)
    assert all(count(task, f"before_{claim}")[0] == 0 for task in TASKS
               for claim in ("opens", "remembers"))
    assert (mean("adding", "i_written"), mean("adding", "i_elsewhere")) == (0.80, 0.09)
    assert (mean("adding", "f_held"), mean("adding", "before_f_held")) == (0.95, 0.74)
    assert (mean("Reber", "f_held"), mean("Reber", "f_others")) == (0.82, 0.58)
    assert mean("Reber", "before_f_held") == 0.74


def test_weights_batches_choice_and_test_are_drawn_apart(monkeypatch):
    for task in TASKS:
        cell, _ = runs.network(task, 3)
        first = runs.LSTMCell.init(*cell.U.shape[::-1][:1], cell.hidden_size,
                                   rng=np.random.default_rng([3, 0]))
        assert not np.isin(cell.U, first.U).any()                   # of the first batch
        test, choice = (runs.unseen(task, 3, stream).batch.xs for stream in (
            runs.TEST, runs.CHOICE))
        assert not np.array_equal(test, choice)
    read, unseen = [], runs.unseen
    monkeypatch.setattr(runs, "unseen", lambda *args: (read.append(args), unseen(*args))[1])
    runs.carrying("Reber", 3, cell)
    assert read == [("Reber", 3, runs.CHOICE)]


def test_a_task_that_nobody_solves_has_no_claims_and_no_network_to_show():
    rows = [row | {"solved": "0"} for row in ROWS if row["task"] == "Reber"]
    (line,) = experiment.summary(rows)
    assert (line["what"], line["count"], line["n"]) == ("solved", 0, 20)
    assert experiment.typical(rows, "Reber") is None
    assert list(experiment.weights(rows)) == []


@pytest.mark.parametrize("task", TASKS)
def test_the_network_that_is_shown_is_the_middle_one_of_those_that_remember(task):
    seed = runs.recorded_seed(task)
    mine = [row for row in ROWS if row["task"] == task and row["solved"] == "1"
            and float(row["f_held"]) >= 0.8 and float(row["kept"]) >= 0.95]
    values = sorted(float(row["tells"]) for row in mine)
    own, = (float(row["tells"]) for row in mine if int(row["seed"]) == seed)
    below = sum(value < own for value in values)
    assert below in (len(values) - 1 - below, len(values) - 2 - below)


@pytest.mark.parametrize("task", TASKS)
def test_the_weights_are_those_of_the_training_of_that_seed(task):
    again = dict(runs.trained(task, runs.recorded_seed(task), 100).snapshots)
    for updates in (0, 20, 100):
        recorded = leaves("params", runs.recorded(task, updates))
        for name, array in leaves("params", again[updates]).items():
            np.testing.assert_allclose(recorded[name], array, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("task", TASKS)
def test_a_row_again_from_its_seed_and_weights(task):
    """The training itself takes too long here; its end is in the file of weights."""
    seed = runs.recorded_seed(task)
    row, = (row for row in ROWS if (row["task"], row["seed"]) == (task, str(seed)))
    fresh, (cell, out), unit = runs.unseen(task, seed), runs.recorded(task, 2000), int(row["unit"])
    assert runs.carried_first(task)[0] == unit
    assert runs.error(task, (cell, out), fresh) == pytest.approx(
        float(row["error"]), rel=1e-2, abs=1e-6)
    after = runs.measured(cell, fresh, unit)
    before = runs.measured(runs.network(task, seed)[0], fresh, unit)
    for name in MEASURED:
        assert after[name] == pytest.approx(float(row[name]), rel=2e-3, abs=2.1e-3)
        assert before[name] == pytest.approx(float(row[f"before_{name}"]), rel=1e-5, abs=1e-9)
