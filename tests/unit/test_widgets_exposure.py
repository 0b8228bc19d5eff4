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
ROWS = table.read(table.RESULTS / "exposure.csv")
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


def whole(task, trained):
    """The share of sequences that are all right, one entry a network, from the rows."""
    key = module.TASKS[task], module.TRAINED[trained]
    return np.array([float(row["exact"]) for row in ROWS if (row["task"], row["regime"]) == key])


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
    dashes = teacher if len(teacher) > 1 else teacher * 2  # one place: a level line through it
    np.testing.assert_allclose(heights(artists["corrected"]), dashes, atol=0.001)
    assert np.mean(artists["corrected"].get_xdata()) == np.mean(artists["share"].get_xdata())
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
    # shares near 1 have a decimal, and are never 100 unless they are all
    numbers = [">99.9" if 0.9995 <= value < 1 else f"{100 * value:.{int(0.995 <= value < 1)}f}"
               for value in said]
    assert "{}% [{}, {}]".format(*numbers) in text


@pytest.mark.parametrize("trained", module.TRAINED)
@pytest.mark.parametrize("slip", [6, 9])
def test_a_slip_beyond_the_list_is_drawn_at_place_5_and_this_is_told(figure, slip, trained):
    at_5, artists = shown(figure, module.LIST, trained, 5)
    assert "six places" not in at_5 + artists["head"].get_text()
    rows, band = [texts(row) for row in artists["rows"]], artists["slip"].get_x()
    text, artists = shown(figure, module.LIST, trained, slip)
    assert [texts(row) for row in artists["rows"]] == rows and artists["slip"].get_x() == band
    assert artists["head"].get_text().endswith(". Slip at 5: a list has six places")
    assert "A list has six places: at place 5 it is given" in text
    round_and_round, artists = shown(figure, module.ROUND, trained, slip)
    assert "six places" not in round_and_round + artists["head"].get_text()


@pytest.mark.parametrize(("task", "trained"), KINDS)
def test_without_a_slip_the_share_of_whole_sequences_is_told(figure, task, trained):
    text, artists = shown(figure, task, trained, 0)
    mean, low, high = table.mean_interval(whole(task, trained))
    said = f"{100 * mean:.1f}" if mean > 0.995 else f"{100 * mean:.0f}"
    assert artists["head"].get_text().endswith(f" here; {said}% of sequences all right")
    if mean < 0.9:
        assert f"{said}% [{100 * low:.0f}, {100 * high:.0f}] of sequences all right" in text


@pytest.mark.parametrize("slip", [0, 3, 9])
def test_of_a_list_the_network_on_its_own_is_said_to_be_no_worse(figure, slip):
    own, taught = (whole(module.LIST, name).mean() for name in ("on its own", "taught"))
    assert own > taught + 0.05 and f"{own:.0%} {taught:.0%}" == "87% 82%"
    for task, trained in KINDS:
        text, _ = shown(figure, task, trained, slip)
        told = text.endswith(
            f" no worse: without a slip {own:.0%} are all right, {taught:.0%} if taught.")
        assert told == ("no worse" in text) == (
            (task, trained) == (module.LIST, "on its own"))
    assert whole(module.ROUND, "on its own").mean() < whole(module.ROUND, "taught").mean() - 0.4


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
    half = "On its own from the start: half of all are right"
    share, curve = kept[half]
    assert share == 1, "the example is one of the right half: the head has to say so"
    assert curve.max() < kept["No slip: all is well"][1].min()
    _, artists = shown(figure, **figure.presets[half])
    assert "10 of 10 right here; 51% of sequences" in artists["head"].get_text()
    assert 0.45 < whole(module.ROUND, "on its own").mean() < 0.55
    share, curve = kept["A list: lost as well"]
    assert share < 0.5 and curve.max() < 0.5


@pytest.mark.parametrize(("share", "text"), [
    (0.507, "51%"), (0.994, "99%"), (0.9976, "99.8%"), (0.99976, ">99.9%"), (1.0, "100%")])
def test_percent_never_says_all_of_what_is_not(share, text):
    assert module._percent(share) == text


def test_the_key_has_a_full_box_and_a_hollow_one(figure):
    (ax,) = figure.scene.figure.axes
    for word, full in (("forced", True), ("wrong", False)):
        (label,) = [one for one in ax.texts if one.get_text() == word]
        x, y = label.get_position()
        (box,) = [one for one in ax.patches if 0 < x - one.get_x() < 20
                  and one.get_y() < y < one.get_y() + one.get_height() and one.get_width() < 15]
        assert box.get_edgecolor()[:3] == to_rgb(style.GRAD)
        assert (box.get_facecolor()[3] == 1) == full


def test_the_figure_draws_everywhere_and_fits_the_page(figure):
    assert figure.states <= 600
    assert figure.drive() > len(figure.presets) >= 2
    assert len(gzip.compress(figure.bake().encode())) < 70_000
    assert figure.scene.smallest_text() >= 9
