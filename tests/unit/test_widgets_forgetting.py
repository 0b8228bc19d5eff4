"""Why it has to forget: drawn and said is what the kept networks do, letter by letter."""

import gzip
import importlib

import numpy as np
import pytest

from rnnlib import forward, tasks
from rnnlib.results import find, load

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.forgetting")

STATES = [(cell, training) for cell in module.CELLS for training in module.TRAINING]
LONG, ALONE = "on a stream", "string by string"


def step_by_step(cell, training, strings):
    """c and f after each letter, and whether it was predicted, one letter at a time."""
    net, out = module.network(module.CELLS[cell], module.TRAINING[training])
    state, may, scores, cs, fs, right = None, None, {}, [], [], []
    for string in strings:
        for n, letter in enumerate(string, 1):
            k = tasks.REBER_SYMBOLS.index(letter)
            if may is not None:
                others = set(tasks.REBER_SYMBOLS) - set(may)
                right.append(min(scores[s] for s in may) > max(scores[s] for s in others))
            trace = forward(net, np.eye(7)[k][None, None], state)
            state = trace.last
            scores = dict(zip(tasks.REBER_SYMBOLS, out.logits(trace.h)[0, 0], strict=True))
            may = tasks.legal_next(string[:n], embedded=True) or "B"
            cs.append(trace.c[0, 0])
            if cell == "with":
                fs.append(trace.f[0, 0])
    return np.array(cs), np.array(fs), np.array([True, *right])


@pytest.fixture(scope="module")
def figure():
    return module.forgetting()


def test_every_state_draws_and_fits_the_page(figure):
    assert figure.drive() > len(figure.presets) >= 2
    assert figure.states <= 600
    assert len(gzip.compress(figure.bake().encode())) < 70_000
    assert figure.scene.smallest_text() >= 9


@pytest.mark.parametrize(("cell", "training"), STATES)
def test_states_and_answers_are_those_of_a_walk_letter_by_letter(cell, training):
    strings, text, ends = module.stream()
    c, f, right = module.reading(module.CELLS[cell], module.TRAINING[training])
    assert len(text) == len(c) == len(right) == ends[-1]
    n = ends[11]
    cs, fs, answers = step_by_step(cell, training, strings[:12])
    np.testing.assert_allclose(c[:n], cs, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(right[:n], answers)
    if cell == "with":
        np.testing.assert_allclose(f[:n], fs, rtol=1e-9, atol=1e-9)
    else:
        assert f is None


@pytest.mark.parametrize(("cell", "training"), STATES)
@pytest.mark.parametrize("place", [1, 7, 1000])
def test_lanes_letters_and_frames_are_those_of_the_window(figure, cell, training, place):
    figure.frame({"cell": cell, "training": training, "place": place})
    artists, (strings, text, ends) = figure.scene.artists, module.stream()
    start = len("".join(strings[: place - 1]))
    stop = start + module.SHOWN
    c, f, right = module.reading(module.CELLS[cell], module.TRAINING[training])
    units = c.shape[1]
    assert [a.get_visible() for a in artists["states"]] == [u < units for u in range(6)]
    for unit in range(units):
        outline = artists["states"][unit].get_xy()[1:-2]            # closed by matplotlib
        middle = module.TOP + module.LANE * unit + module.STATE / 2
        height = (middle - outline[:, 1])[::2] / (module.STATE / 2)
        np.testing.assert_allclose(height, np.tanh(c[start:stop, unit]), atol=0.008)
        if f is not None:
            y = artists["gates"][unit].get_ydata()[::2]
            foot = module.TOP + module.LANE * unit + module.STATE + 1 + module.GATE
            np.testing.assert_allclose((foot - y) / module.GATE, f[start:stop, unit], atol=0.008)
        number = artists["values"][unit].get_text().replace("−", "-").replace(",", "")
        assert float(number) == pytest.approx(c[stop - 1, unit], abs=0.51)
        assert artists["gates"][unit].get_visible() == (cell == "with")
    assert "".join(a.get_text() for a in artists["letters"]) == text[start:stop]
    assert [a.get_visible() for a in artists["missed"]] == (~right[start:stop]).tolist()
    bold = [t for t, a in enumerate(artists["letters"], start) if a.get_weight() == "bold"]
    assert bold == [end - 2 for end in ends if start <= end - 2 < stop]
    lines = artists["ends"].get_xdata()[::3]
    inside = [end for end in ends if start < end < stop]
    np.testing.assert_allclose(lines, module.LEFT + module.PITCH * (np.array(inside) - start))


@pytest.mark.parametrize("training", module.TRAINING)
def test_the_curves_are_the_largest_states_at_the_ends(figure, training):
    figure.frame({"cell": "with", "training": training, "place": 50})
    curves, (_, _, ends) = figure.scene.artists["curves"], module.stream()
    for cell, line in curves["lines"].items():
        c = module.reading(module.CELLS[cell], module.TRAINING[training])[0]
        x, y = line.get_data()
        left, (top, height) = module.CURVE[2], module.CURVE[:2]
        strings = np.round(10 ** (3 * (x - left) / (module.RIGHT - left))).astype(int)
        assert strings[0] == 1 and strings[-1] == 1000
        for k in (0, 40, len(x) - 1):
            size = 10 ** (4 * (1 - (y[k] - top) / height))
            # rounded to a tenth of a point, 0.2% of the panel
            wanted = np.abs(c[ends[strings[k] - 1] - 1]).max()
            assert np.log10(size) == pytest.approx(np.log10(wanted), abs=0.02)
    (x,), (y,) = curves["here"].get_data()
    assert (x, y) == pytest.approx(module._at(50, np.abs(
        module.reading("LSTM", module.TRAINING[training])[0][ends[49] - 1]).max()), abs=0.051)


@pytest.mark.parametrize(("cell", "training"), STATES)
def test_the_sentence_says_what_is_drawn(figure, cell, training):
    text, _ = figure.frame({"cell": cell, "training": training, "place": 30})
    c, _, right = module.reading(module.CELLS[cell], module.TRAINING[training])
    ends = module.stream()[2][:1000]
    stuck = (np.abs(np.tanh(c[ends[29] - 1])) > 0.99).sum()
    assert f"{stuck} of {c.shape[1]} units have" in text
    assert ("only their output gates" in text) == (stuck == c.shape[1])
    missed = sum(a.get_visible() for a in figure.scene.artists["missed"])
    assert (f"Of these 36 letters {missed} w" if missed else "All of these 36 letters") in text
    assert f"(bold), {right[ends - 2].sum():,} were" in text


def test_presets_keep_their_promises(figure):
    end = module.stream()[2] - 1
    without = module.reading("LSTM 1997", "stream")
    given = module.reading("LSTM", "stream")
    place = figure.presets["String 700: all units stuck, letters missed"]["place"]
    assert (np.abs(np.tanh(without[0][end[place - 1]])) > 0.99).all()
    shown = np.arange(len(without[2]))[module.window(place)]
    missed = shown[~without[2][shown]]
    assert len(missed) > 1 and np.isin(missed, end - 1).all()       # letters that must repeat
    assert np.abs(given[0]).max() < 4 and given[2][end[:1000] - 1].all()
    c, _, right = module.reading("LSTM", "strings")
    assert right[end[0] - 1] and not right[module.window(1)].all()  # the first string is read well
    assert right[end[:1000] - 1].mean() < 0.6                       # and then hardly above guessing
    for values in figure.presets.values():
        assert values != figure.opening


def test_the_states_grow_without_a_forget_gate_and_not_with_one():
    without, given = (module.sizes(kind, "stream") for kind in ("LSTM 1997", "LSTM"))
    assert without[999] > 5 * without[99] > 25 * without[9]
    assert given[:1000].max() < 1.5 * given[:10].max()


def test_a_stuck_cell_state_is_a_constant():
    """With sign(c) for tanh(c), the network of 1997 gives the same answers from string 100 on."""
    cell, out = module.network("LSTM 1997", "stream")
    strings, text, ends = module.stream()
    start, stop = ends[99], ends[149]
    c, _, right = module.reading("LSTM 1997", "stream")
    sign, h, answers = np.sign(c[start]), None, []
    xs = np.eye(7)[[tasks.REBER_SYMBOLS.index(letter) for letter in text[:stop]]]
    h = forward(cell, xs[:start, None]).h[-1, 0]
    H = len(h)
    for t in range(start, stop):
        a_o = cell.U[2 * H :] @ xs[t] + cell.W[2 * H :] @ h + cell.b[2 * H :]
        h = sign / (1 + np.exp(-a_o))
        answers.append(out.logits(h[None, None])[0, 0])
    legal = np.array([[s in (tasks.legal_next(string[:n], embedded=True) or "B")
                       for s in tasks.REBER_SYMBOLS]
                      for string in strings[100:150] for n in range(1, len(string) + 1)])
    predicted = tasks.predicts_legal(np.array(answers)[:, None], legal[:, None])[:, 0]
    np.testing.assert_array_equal(predicted, right[start + 1 : stop + 1])
    assert 0 < predicted.mean() < 1


@pytest.mark.parametrize(("cell", "training"), STATES)
def test_the_kept_network_is_that_of_the_result_file(cell, training):
    """Another stream than the test's, and weights of five digits: nearly the same shares."""
    kind, how = module.CELLS[cell], module.TRAINING[training]
    row, = find(load("continual_reber"), training=how, cell=kind, seed=8, first=101)
    c, _, right = module.reading(kind, how)
    ends = module.stream()[2][100:1000]
    assert right[ends - 2].mean() == pytest.approx(row["hard"], abs=0.06)
    assert np.abs(c[ends - 1]).max(axis=1).mean() == pytest.approx(row["size"], rel=0.1)
