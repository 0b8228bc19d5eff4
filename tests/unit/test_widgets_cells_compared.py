"""Three cells side by side: what is drawn and said is what the recorded networks compute."""

import gzip
import importlib
from itertools import product

import numpy as np
import pytest

from rnnlib import backward, forward, results, style
from rnnlib.plots.numerals import scientific

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.cells_compared")
STATES = list(product(module.MOMENTS, module.SEEDS, module.sequences()))
NAMES = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}


@pytest.fixture(scope="module")
def figure():
    return module.cells_compared()


def shown(figure, updates, seed, sequence):
    text = module._update(figure.scene.artists, updates, seed, sequence)
    return text, figure.scene.artists


def computed(kind, seed, updates, sequence):
    """The answer and the gradients of ½ answer², step by step: no loss, no `look`."""
    cell, out = module.network(kind, seed, updates)
    trace = forward(cell, module.sequences()[sequence].xs)
    answer = (out.V @ trace.h[-1, 0] + out.c_out).item()
    dtrace, _ = backward(cell, trace, dh_end=answer * out.V)
    return answer, trace, dtrace


def shares(d):
    norms = np.sqrt((d[:, 0] ** 2).sum(axis=-1))
    return norms / norms[-1]


def height(arriving):
    top, bottom = module.ROWS["gradient"]
    place = bottom - (np.log10(arriving) + 8) * (bottom - top) / 9
    return np.clip(place, top, bottom)


# --- numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", NAMES)
def test_a_reading_is_what_forward_and_backward_say_whatever_the_loss(kind):
    for updates, seed, sequence in STATES[:: 7]:
        one = module.reading(kind, seed, updates, sequence)
        answer, trace, dtrace = computed(kind, seed, updates, sequence)
        assert one.answer == pytest.approx(answer)
        np.testing.assert_allclose(one.h, trace.h[:, 0])
        np.testing.assert_allclose(one.by_h, shares(dtrace.h), rtol=1e-6)
        carried = dtrace.c if kind == "lstm" else dtrace.h
        np.testing.assert_allclose(one.arriving, shares(carried), rtol=1e-6)
        assert set(one.gates) == set({"rnn": "", "lstm": "fio", "gru": "zr"}[kind])
        for name, gate in one.gates.items():
            np.testing.assert_allclose(gate, getattr(trace, name)[:, 0])
        assert one.unit == np.abs(trace.h[-1, 0] - trace.h[one.first - 1, 0]).argmax()


def test_the_sequences_are_named_by_their_marks_and_one_is_far_from_the_sum():
    for name, batch in module.sequences().items():
        xs = batch.xs[:, 0]
        first, second = np.flatnonzero(xs[:, 1]) + 1
        assert name == f"marked: steps {first} and {second}"
        assert abs(batch.targets.item() - 1) > 0.4      # who always says 1 is far off
        assert module._marked(name).sum() == pytest.approx(batch.targets.item())


def test_the_weights_are_those_of_the_file():
    cell, out = module.network("gru", 0, 0)
    assert 1200 < sum(p.size for r in (cell, out) for p in r.fields().values()) < 1300
    rows = results.find(results.load("adding_networks"), variant="gru", seed=0, updates=0)
    numbers = {row["array"]: np.array(str(row["numbers"]).split(), dtype=float) for row in rows}
    np.testing.assert_array_equal(cell.U.ravel(), numbers["params[0].U"])
    np.testing.assert_array_equal(out.V[0], numbers["params[1].V"])
    np.testing.assert_array_equal(out.c_out, numbers["params[1].c_out"])
    most = max(np.abs(values).max() for values in numbers.values())
    assert most <= 1 / np.sqrt(cell.hidden_size) + 1e-4          # as drawn at the start


@pytest.mark.parametrize(
    ("arriving", "text"),
    [(1.0, "100%"), (1.34, "134%"), (0.126, "13%"), (0.00996, "1%"), (0.0049, "5·10⁻³"),
     (1.2e-7, "10⁻⁷"), (3.4e-12, "3·10⁻¹²")],
)
def test_shares_as_text(arriving, text):
    assert module.share(arriving) == text


# --- what is drawn and said -------------------------------------------------------------------


def test_the_figure_draws_everywhere_and_fits_the_page(figure):
    assert figure.states == len(STATES)
    assert figure.drive() > len(figure.presets) >= 2
    assert len(gzip.compress(figure.bake().encode())) < 70_000
    assert figure.scene.smallest_text() >= 9


@pytest.mark.parametrize("state", STATES[:: 3], ids=str)
def test_every_word_is_what_the_networks_compute(figure, state):
    updates, seed, sequence = state
    text, artists = shown(figure, *state)
    right = module.sequences()[sequence].targets.item()
    assert artists["sought"].get_text().endswith(f"= {right:.2f}") and f"= {right:.2f}" in text
    assert (f"{updates:,} updates" in text) == (updates > 0) == ("Before" not in text)
    assert text.startswith(artists["head"].get_text() + ", asked for")
    for kind, name in NAMES.items():
        answer, _, dtrace = computed(kind, seed, updates, sequence)
        said = f"{answer:.2f}".replace("-", "−")
        column = artists["columns"][kind]
        assert column["says"].get_text() == f"says {said}" and f"the {name} {said}" in text
        assert column["off"].get_text() == f"off by {abs(answer - right):.2f}"
        first = np.flatnonzero(module.sequences()[sequence].xs[:, 0, 1])[0]
        arrives = shares(dtrace.c if kind == "lstm" else dtrace.h)[first]
        words = f"{round(100 * arrives)}%" if arrives >= 0.00995 else (
            scientific(arrives).removeprefix("1·"))
        assert column["arrives"].get_text() == words and f"{words} in the {name}" in text
        assert column["dot"].get_marker() == ("v" if arrives < 1e-8 else "o")


@pytest.mark.parametrize("kind", NAMES)
def test_lines_and_picture_are_those_of_the_network(figure, kind):
    updates, seed, sequence = state = STATES[len(STATES) // 2 + 1]
    _, artists = shown(figure, *state)
    column, (_, trace, dtrace) = artists["columns"][kind], computed(kind, seed, updates, sequence)
    steps = module._middle(column["image"].get_extent()[0])
    carried = dtrace.c if kind == "lstm" else dtrace.h
    drawn = np.interp(steps, *column["bold"].get_data())
    np.testing.assert_allclose(drawn, height(shares(carried)), atol=0.75)
    if kind == "lstm":
        drawn = np.interp(steps, *column["thin"].get_data())
        np.testing.assert_allclose(drawn, height(shares(dtrace.h)), atol=0.75)
    else:
        assert "thin" not in column
    unit = module.reading(kind, seed, updates, sequence).unit
    top, bottom = module.ROWS["gates"]
    for name, line in column["gates"].items():
        assert line.get_color() == style.GATES[name]
        drawn = (bottom - np.interp(steps, *line.get_data())) / (bottom - top)
        np.testing.assert_allclose(drawn, getattr(trace, name)[:, 0, unit], atol=0.02)
    tint = column["image"].get_array()[..., 3]
    first = np.flatnonzero(trace.x[:, 0, 1])[0]
    change = np.abs(trace.h[:, 0] - trace.h[first - 1, 0])
    order = np.argsort(-change[-1])
    np.testing.assert_allclose(tint, np.minimum(2 * change[:, order].T, 1), atol=0.501 / 7)
    top, bottom = module.ROWS["states"]
    row = (column["unit"].get_ydata()[0] - top) / (bottom - top) * len(order)
    assert order[int(row)] == unit
    assert column["unit"].get_visible() == bool(column["gates"])
    end, (top, bottom) = column["unit"].get_xydata()[-1], module.ROWS["gates"]
    assert top < end[1] < bottom and 0 < end[0] - column["image"].get_extent()[1] < 4


def test_marks_and_numbers_stand_at_the_marked_steps(figure):
    for sequence, batch in module.sequences().items():
        _, artists = shown(figure, 0, 0, sequence)
        xs = batch.xs[:, 0]
        marked = np.flatnonzero(xs[:, 1])
        for column in artists["columns"].values():
            places = module._middle(column["image"].get_extent()[0])
            stems = column["marked"].get_xydata().reshape(-1, 3, 2)
            np.testing.assert_allclose(stems[:, 0, 0], places[marked], atol=0.06)
            top, bottom = module.ROWS["inputs"]
            np.testing.assert_allclose(stems[:, 0, 1] - stems[:, 1, 1],
                                       (bottom - top) * xs[marked, 0], atol=0.11)
            assert len(column["plain"].get_xdata()) == 3 * 48
            assert [t.get_text() for t in column["numbers"]] == [f"{u:.2f}" for u in xs[marked, 0]]
            lines = column["marks"].get_xydata().reshape(-1, 3, 2)
            np.testing.assert_allclose(lines[:, 0, 0], places[marked].repeat(2), atol=0.06)
            np.testing.assert_array_equal(lines[:, 0, 0], lines[:, 1, 0])
            assert column["dot"].get_xdata()[0] == pytest.approx(places[marked[0]], abs=0.06)


def test_the_presets_keep_their_promises(figure):
    reaches = {}
    for name, values in figure.presets.items():
        updates, seed, sequence = values["updates"], values["seed"], values["sequence"]
        reaches[updates] = {}
        for kind in NAMES:
            one = module.reading(kind, seed, updates, sequence)
            reaches[updates][kind] = one.arriving[one.first]
            able = abs(one.answer - one.right) < 0.1
            assert able == ({"gru": 300, "lstm": 1000}.get(kind, np.inf) <= updates), (name, kind)
    assert max(reaches[0].values()) < 1e-3
    assert all(reach["rnn"] < 1e-4 for reach in reaches.values())
    assert min(reaches[3000]["gru"], reaches[3000]["lstm"]) > 0.1


def test_what_the_presets_say_of_one_holds_for_every_seed_and_sequence():
    for seed, sequence in product(module.SEEDS, module.sequences()):
        found = {(kind, updates): module.reading(kind, seed, updates, sequence)
                 for kind in NAMES for updates in module.MOMENTS}
        off = {key: abs(one.answer - one.right) for key, one in found.items()}
        assert all(one.arriving[one.first] < 1e-2 for (_, k), one in found.items() if k == 0)
        assert all(off["gru", k] < 0.1 for k in (300, 1000, 3000)) and off["lstm", 300] > 0.1
        assert all(off["lstm", k] < 0.1 for k in (1000, 3000))
        assert min(off["rnn", k] for k in module.MOMENTS) > 0.1


def test_no_line_runs_through_the_share_that_arrives(figure):
    for state in STATES:
        _, artists = shown(figure, *state)
        for column in artists["columns"].values():
            box = column["arrives"].get_window_extent()
            for line in (column["bold"], *([column["thin"]] if "thin" in column else [])):
                x, y = line.get_transform().transform(line.get_xydata()).T
                along = np.linspace(box.x0, box.x1)
                inside = np.interp(along, x, y)[(along >= x[0]) & (along <= x[-1])]
                assert ((inside < box.y0) | (inside > box.y1)).all(), state
