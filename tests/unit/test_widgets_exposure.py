"""One wrong digit: what is drawn and said is what the stored networks write, and the file says."""

import gzip
import importlib
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "experiments"))
import table  # noqa: E402

from rnnlib import decoder, forward, style  # noqa: E402
from rnnlib.widgets import digit_writers as writers  # noqa: E402

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.exposure")
PLACES = table.read(table.RESULTS / "exposure_places.csv")
SLIPS = table.read(table.RESULTS / "exposure_slips.csv")
KINDS = list(product(module.TASKS, module.TRAINED))


@pytest.fixture(scope="module")
def figure():
    return module.exposure()


def shown(figure, task, trained, slip):
    text, _ = figure.frame({"task": task, "trained": trained, "slip": slip})
    return text, figure.scene.artists


def one_hot(digit, size):
    return np.eye(size, dtype=np.float32)[digit].reshape(1, 1, size)


def steps(task, trained, slip, *, teacher):
    """(due, written): the sequence step by step, from `forward` and the layers alone."""
    read, wrong = module.EXAMPLES[module.TASKS[task]]
    model = writers.stored()[module.TASKS[task], module.TRAINED[trained]]
    T = 6 if module.TASKS[task] == "list" else 10
    due, said, slip = [read[t % len(read)] for t in range(T)], [], min(slip, T - 1)
    state = forward(model.encoder, np.concatenate([one_hot(d, 10) for d in read])).last
    last = writers.START
    for t in range(T):
        trace = forward(model.decoder.cell, one_hot(last, 11), state)
        state, out = trace.last, model.decoder.out
        own = int((trace.h[0, 0] @ out.V.T + out.c_out).argmax())
        said.append(due[t] if t + 1 < slip else wrong if t + 1 == slip else own)
        last = due[t] if teacher else said[-1]
    return due, said, slip


def texts(row):
    return [int(text.get_text()) for text in row if text.get_text()]


def heights(line):
    return (np.asarray(line.get_ydata()) - module.FOOT) / module.TALL


# --- what is drawn ----------------------------------------------------------------------------


@pytest.mark.parametrize(("task", "trained"), KINDS)
@pytest.mark.parametrize("slip", [0, 1, 3, 5, 9])
def test_both_rows_are_what_the_network_writes(figure, task, trained, slip):
    text, artists = shown(figure, task, trained, slip)
    due, alone, place = steps(task, trained, slip, teacher=False)
    _, corrected, _ = steps(task, trained, slip, teacher=True)
    assert texts(artists["read"]) == list(module.EXAMPLES[module.TASKS[task]][0])
    assert texts(artists["due"]) == due
    assert [texts(row) for row in artists["rows"]] == [corrected, alone]
    right = sum(a == b for a, b in zip(alone[place:], due[place:], strict=True))
    n = len(due) - place
    assert f"{right} of {n} right" in text
    assert artists["head"].get_text().startswith(f"{right} of {n} right")
    assert " ".join(map(str, alone[place:])) in text


@pytest.mark.parametrize(("task", "trained"), KINDS)
@pytest.mark.parametrize("slip", [0, 3])
def test_errors_are_marked_by_boxes_the_slip_by_a_full_one(figure, task, trained, slip):
    _, artists = shown(figure, task, trained, slip)
    for row, boxes, teacher in zip(artists["rows"], artists["boxes"], (True, False), strict=True):
        due, said, _ = steps(task, trained, slip, teacher=teacher)
        for k, (text, box) in enumerate(zip(row, boxes, strict=True)):
            wrong = k < len(due) and said[k] != due[k]
            assert box.get_visible() == wrong
            full = box.get_facecolor()[3] == 1 and box.get_facecolor()[:3] == to_rgb(style.GRAD)
            if wrong:
                assert full == (k + 1 == slip)
                assert text.get_color() == (style.PAPER if full else style.GRAD)
            else:
                assert text.get_color() == (style.MUTED if k + 1 < slip else style.INK)
    assert artists["slip"].get_visible() == (slip > 0)
    if slip:
        middle = artists["slip"].get_x() + artists["slip"].get_width() / 2
        assert middle == artists["rows"][1][slip - 1].get_position()[0]


@pytest.mark.parametrize(("task", "trained"), KINDS)
@pytest.mark.parametrize("slip", [0, 1, 4, 5])
def test_the_curves_are_those_of_the_files(figure, task, trained, slip):
    text, artists = shown(figure, task, trained, slip)
    key = {"task": module.TASKS[task], "regime": module.TRAINED[trained]}
    T = 6 if key["task"] == "list" else 10

    def of(rows, **more):
        return [row for row in rows if all(row[k] == v for k, v in (key | more).items())]

    teacher = [1 - float(row["mean"]) for row in of(PLACES, given="teacher")][slip:]
    np.testing.assert_allclose(heights(artists["corrected"]), teacher, atol=0.001)
    if slip:
        rows = of(SLIPS, what="after_slip", slip=str(slip))
        three = np.array([[float(row[name]) for name in ("mean", "low", "high")] for row in rows])
    else:
        three = 1 - np.array([[float(row[name]) for name in ("mean", "high", "low")]
                              for row in of(PLACES, given="free")])
    assert len(three) == T - slip
    three = three.clip(0, 1)
    np.testing.assert_allclose(heights(artists["share"]), three[:, 0], atol=0.001)
    places = (np.asarray(artists["share"].get_xdata()) - module.LEFT) / module.COLUMN + 0.5
    np.testing.assert_allclose(places, range(slip + 1, T + 1))
    for bar, row in zip(artists["bars"], three, strict=False):
        np.testing.assert_allclose(heights(bar), row[1:], atol=0.001)
    assert all(len(bar.get_xdata()) == 0 for bar in artists["bars"][T - slip:])
    said = three[0] if slip else three[-1]
    assert "{:.0f}% [{:.0f}, {:.0f}]".format(*(100 * said)) in text


def test_a_slip_beyond_the_list_is_one_before_its_end(figure):
    assert figure.frame({"task": module.LIST, "slip": 9}) == figure.frame(
        {"task": module.LIST, "slip": 5})


def test_the_examples_are_in_no_training_and_their_wrong_digit_is_not_among_them():
    for task, (read, wrong) in module.EXAMPLES.items():
        fewest, most, _ = writers.TASKS[task]
        assert sum(read) % 5 == 0 and fewest <= len(read) <= most
        assert wrong not in read and 0 <= wrong <= 9
    assert decoder.teacher_inputs(np.array([[1]]), writers.START, 11).argmax() == writers.START


# --- promises ---------------------------------------------------------------------------------


def test_it_opens_on_a_network_that_loses_its_place_one_place_late(figure):
    text, artists = shown(figure, **figure.opening)
    due, alone, slip = steps(**figure.opening, teacher=False)
    assert figure.opening == {"task": module.ROUND, "trained": "taught", "slip": 3}
    assert alone[3:] == due[2:-1], "the digit that was due, and the rest after it"
    assert "one place late" in artists["head"].get_text() and "due at the slip" in text
    _, corrected, _ = steps(**figure.opening, teacher=True)
    assert corrected[3:] == due[3:]
    assert heights(artists["share"]).max() < 0.5 < 0.9 < heights(artists["corrected"]).min()


def test_the_presets_keep_their_promises(figure):
    kept = {}
    for name, values in figure.presets.items():
        due, alone, slip = steps(**values, teacher=False)
        _, artists = shown(figure, **values)
        kept[name] = (np.mean(np.equal(alone, due)[slip:]), heights(artists["share"]))
    share, curve = kept["No slip: all is well"]
    assert share == 1 and curve.min() > 0.97
    share, curve = kept["It has seen its own mistakes: it goes on"]
    assert share == 1 and curve.min() > 0.75
    _, curve = kept["On its own from the start: it learns less"]
    assert curve.max() < kept["No slip: all is well"][1].min()
    share, curve = kept["A list: lost as well"]
    assert share < 0.5 and curve.max() < 0.5


def test_the_figure_draws_everywhere_and_fits_the_page(figure):
    assert figure.states <= 600
    assert figure.drive() > len(figure.presets) >= 2
    assert len(gzip.compress(figure.bake().encode())) < 70_000
    assert figure.scene.smallest_text() >= 9
