"""The gates over a training: drawn and said is what the recorded weights do, step by step."""

import gzip
import importlib

import numpy as np
import pytest

from rnnlib import tasks
from rnnlib.results import find, load
from rnnlib.widgets import gate_runs as runs

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.gates_in_training")


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
