"""The gates over a training: drawn and said is what the recorded weights do, step by step."""

import gzip
import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnlib import tasks
from rnnlib.records import leaves
from rnnlib.results import find, load
from rnnlib.widgets import gate_runs as runs

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))
import gate_runs as experiment
import table

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.gates_in_training")

ROWS = table.read(table.RESULTS / "gate_runs.csv")
SUMMARY = {(row["task"], row["what"]): row for row in load("gate_runs_summary")}
TASKS = ("adding", "Reber")
MEASURED = experiment.units(ROWS)[0].keys()


@pytest.fixture(scope="module")
def figure():
    return module.gates_in_training()


def by_hand(task, updates, xs):
    """i, f, o, c (T, H) of one sequence (T, D), from the numbers in the file, units by carrying."""
    rows = find(load("gate_runs_weights"), task=task, updates=updates)
    U, W, b, _, _ = (np.array(str(row["numbers"]).split(), dtype=float) for row in rows)
    H = len(b) // 4
    U, W, b = U.reshape(4, H, -1), W.reshape(4, H, H), b.reshape(4, H)
    h, c, seen = np.zeros(H), np.zeros(H), []
    for x in xs:
        a = U @ x + W @ h + b
        i, f, o = (1 / (1 + np.exp(-a[k])) for k in (0, 1, 3))
        c = f * c + i * np.tanh(a[2])
        h = o * np.tanh(c)
        seen.append((i, f, o, c))
    return dict(zip("ifoc", np.swapaxes(seen, 0, 1)[..., runs.carried_first(task)], strict=True))


# --- the figure -------------------------------------------------------------------------------


def test_every_state_draws_and_fits_the_page(figure):
    assert figure.drive() > len(figure.presets) >= 2
    assert figure.states == 2 * len(runs.MOMENTS) * runs.LENGTH <= 600
    assert len(gzip.compress(figure.bake().encode())) < 75_000
    assert figure.scene.smallest_text() >= 9


def heights(area, base, height):
    """What a drawn row says at each step, from the corners of its stairs."""
    corners = area.get_path().vertices[: 2 * runs.LENGTH]
    x = np.unique(corners[:, 0])
    np.testing.assert_allclose(x, module.LEFT + module.STEP * np.arange(runs.LENGTH + 1))
    return (base - corners[::2, 1]) / height


@pytest.mark.parametrize("updates", [0, 300, 2000])
@pytest.mark.parametrize("name", module.NAMES)
def test_the_rows_are_as_high_as_gates_and_cell_state(figure, name, updates):
    task = module.NAMES[name]
    figure.frame({"task": name, "updates": updates, "t": 4})
    blocks, s = figure.scene.artists["blocks"], runs.shown(task)
    own = by_hand(task, updates, s.batch.xs[:, 0])
    for gate in "ifo":
        top, tall = module.TOPS[gate], module.TALL[gate][0]
        shown = heights(blocks[gate]["unit"], top + tall, tall)
        np.testing.assert_allclose(shown, own[gate][:, 0], atol=0.05 / tall + 0.02)
        others = blocks[gate]["others"].get_path().vertices
        (base, tall), *_ = module._rows(gate, own["i"].shape[1])[1:]
        np.testing.assert_allclose((base - others[: 2 * runs.LENGTH : 2, 1]) / tall,
                                   own[gate][:, 1], atol=0.05 / tall + 0.1)
    limits = [by_hand(task, k, xs[:, 0])["c"]
              for k in (updates, 2000) for xs in (s.batch.xs, s.twin)]
    most = np.abs(limits).max(axis=(0, 1))
    middle, half = module.TOPS["c"] + module.TALL["c"][0] / 2, module.TALL["c"][0] / 2
    for line, xs in (("own", s.batch.xs), ("twin", s.twin)):
        c = by_hand(task, updates, xs[:, 0])["c"][:, 0] / most[0]
        drawn = (middle - blocks["c"][line].get_ydata()[::2]) / half
        np.testing.assert_allclose(drawn, c, atol=0.06 / half)


@pytest.mark.parametrize("t", [1, 13, 20])
@pytest.mark.parametrize("name", module.NAMES)
def test_the_values_at_the_step_are_drawn_and_said(figure, name, t):
    text, _ = figure.frame({"task": name, "updates": 1000, "t": t})
    task, artists = module.NAMES[name], figure.scene.artists
    own = by_hand(task, 1000, runs.shown(task).batch.xs[:, 0])
    twin = by_hand(task, 1000, runs.shown(task).twin[:, 0])["c"]
    for gate in "ifo":
        words = f"{gate} = {own[gate][t - 1, 0]:.2f}"
        assert artists["values"][gate].get_text() == words and words in text
    c, other = (f"{value[t - 1, 0]:.2f}".replace("-", "−") for value in (own["c"], twin))
    assert artists["values"]["c"].get_text() == f"c = {c}\ntwin {other}"
    assert f"c = {c}, in the twin {other}." in text
    assert artists["band"].get_x() == module.LEFT + module.STEP * (t - 1)
    if task == "Reber":
        assert f"Step {t}, letter {runs.shown(task).strings[0][t - 1]}:" in text
        assert artists["letters"][t - 1].get_text() == runs.shown(task).strings[0][t - 1]


def test_the_sums_in_the_sentences(figure):
    s = runs.shown("adding")
    text, _ = figure.frame({"task": module.ADDING, "updates": 500, "t": 1})
    marks, i = s.batch.xs[:, 0, 1] == 1, by_hand("adding", 500, s.batch.xs[:, 0])["i"][:, 0]
    assert f"open to {i[marks].mean():.2f} at the marked steps" in text
    assert f"to {i[~marks].mean():.2f} at the others" in text
    assert f"right is {s.batch.xs[marks, 0, 0].sum():.2f}" in text
    s = runs.shown("Reber")
    text, _ = figure.frame({"task": module.REBER, "updates": 0, "t": 1})
    assert "from the twin's is under 0.01" in text
    text, _ = figure.frame({"task": module.REBER, "updates": 1500, "t": 1})
    own, twin = (by_hand("Reber", 1500, xs[:, 0]) for xs in (s.batch.xs, s.twin))
    apart = np.abs(own["c"] - twin["c"])[2:19, 0].min()             # third letter to the 19th
    assert f"open to {own['f'][2:19, 0].mean():.2f} on average" in text
    assert f"from the twin's is {apart:.2f};" in text


def test_the_inputs_are_drawn(figure):
    artists, s = figure.scene.artists, runs.shown("adding")
    figure.frame({"task": module.ADDING, "updates": 0, "t": 1})
    marks, numbers = np.flatnonzero(s.batch.xs[:, 0, 1]), s.batch.xs[:, 0, 0]
    for name, steps in (("marked", marks), ("plain", np.setdiff1d(np.arange(20), marks))):
        corners = artists[name].get_path().vertices.reshape(-1, 5, 2)
        tops = (module.FLOOR - corners[:, 1, 1]) / module.BAR
        np.testing.assert_allclose(tops, numbers[steps], atol=0.05 / module.BAR)
        assert ((corners[:, 0, 0] - module.LEFT) // module.STEP).tolist() == steps.tolist()
    twin = (module.FLOOR - artists["twin bar"].get_ydata()[1]) / module.BAR
    assert twin == pytest.approx((numbers[marks[0]] + 0.5) % 1, abs=0.05 / module.BAR)
    assert not any(text.get_text() for text in (*artists["letters"], *artists["twin letters"]))
    figure.frame({"task": module.REBER, "updates": 0, "t": 1})
    letters, others = ([text.get_text() for text in artists[name]]
                       for name in ("letters", "twin letters"))
    string = runs.shown("Reber").strings[0]
    assert "".join(letters) == string[:-1] and len(string) == 21
    swapped = "".join(b or a for a, b in zip(letters, others, strict=True)) + "E"
    assert tasks.is_reber(swapped, embedded=True) and swapped[1] != string[1]
    assert np.flatnonzero(others).tolist() == [1, 19]


@pytest.mark.parametrize("name", module.NAMES)
def test_the_error_of_each_moment_is_that_of_unseen_sequences(figure, name):
    task, artists = module.NAMES[name], figure.scene.artists
    seed = int(load("gate_runs_weights")[-1 if task == "Reber" else 0]["seed"])
    fresh, places = runs.unseen(task, seed), []
    for k in (0, 500, 2000):
        figure.frame({"task": name, "updates": k, "t": 1})
        error = runs.error(task, runs.recorded(task, k), fresh)
        said = f"error {error:.2g}" if task == "adding" else f"{error:.1%} of strings wrong"
        assert artists["error"].get_text() == said
        places.append(artists["dot"].get_data()[1][0])
    assert places[0] < places[1] < places[2]                        # y counts downwards


# --- what the presets promise -----------------------------------------------------------------


def moment(figure, preset):
    values = figure.presets[preset]
    task = module.NAMES[values["task"]]
    s = runs.shown(task)
    own, twin = (by_hand(task, values["updates"], xs[:, 0]) for xs in (s.batch.xs, s.twin))
    return own, np.abs(own["c"] - twin["c"]), s


def test_before_training_nothing_stands_out(figure):
    own, apart, s = moment(figure, "Before training: nothing stands out")
    marks = s.written[:, 0]
    for gate in "ifo":
        assert np.abs(own[gate][marks].mean(0) - own[gate][~marks].mean(0)).max() < 0.15
    assert apart[-1].max() < 0.05


def test_after_training_the_input_gate_opens_at_the_marks(figure):
    own, apart, s = moment(figure, "Adding, after: the input gate opens at the marks")
    marks = s.written[:, 0]
    assert own["i"][marks, 0].min() > max(0.5, 4 * own["i"][~marks, 0].max())
    first = marks.argmax()
    assert own["f"][first + 1 :, 0].mean() > 0.8
    assert apart[first:, 0].min() > 0.5 * apart[first, 0] > 0


def test_after_training_one_unit_holds_the_second_letter(figure):
    _, before, _ = moment(figure, "Reber, before")
    own, apart, s = moment(figure, "Reber, after: one unit holds the second letter")
    held = s.held[:, 0]
    assert np.flatnonzero(held).tolist() == list(range(2, 19))
    assert own["f"][held, 0].mean() > 0.8
    assert apart[held, 0].min() > 0.25 * apart[1, 0] > 0
    assert before[held].min(axis=0).max() < 0.05 < 0.25 < apart[held, 0].min()
    assert (apart[held, 0] > 0.25).all() and (apart[held, 1:] < 0.25).any(axis=0).all()


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
