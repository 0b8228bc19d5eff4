"""Chapter 5's gradient norms of three cells: against torch and differences, claims, drawing."""

import gzip
import importlib
from itertools import product

import numpy as np
import pytest
import torch

from rnnlib import backward, bridge, budget, forward, style
from rnnlib.widgets.gate_gradients import (
    APART,
    BIASES,
    BOTTOM,
    BUDGET,
    CELLS,
    ORTHOGONAL,
    PER_DECADE,
    PER_STEP,
    SEEDS,
    SPAN,
    STARTS,
    STEPS,
    TOP,
    UNIFORM,
    all_norms,
    arriving,
    network,
    norms,
    opened,
    short,
    spread,
    units,
    verdict,
)
from rnnlib.widgets.gradient_norms import COARSE, amount

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.gate_gradients")
LENGTHS = (10, 25, 50, 100, 200)


@pytest.fixture(scope="module")
def figure():
    return module.gate_gradients()


def shown(figure, **values):
    text, _ = figure.frame(values)
    return text, figure.scene.artists


def median(cell, bias, n, start="uniform"):
    """The median over the networks, each computed anew."""
    return float(np.median([norms(cell, bias, n, seed, start)[n] for seed in SEEDS]))


# --- numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("n", [1, 7, 60])
def test_what_arrives_is_torchs_gradient_of_the_state_n_steps_before(cell, n):
    """The last n steps alone, begun from the state by then: torch's gradient of that state."""
    made, xs, dh_end = network(cell, 1.5, seed=3)
    start = forward(made, xs[:-n]).last
    states = [torch.tensor(s[None], requires_grad=True) for s in np.atleast_3d(start.T).T]
    given = tuple(states) if cell == "LSTM" else states[0]
    hs, _ = bridge.to_torch(made)(torch.tensor(xs[-n:]), given)
    (hs[-1] * torch.tensor(dh_end)).sum().backward()
    expected = np.sqrt(sum(float((s.grad**2).sum()) for s in states))
    assert norms(cell, 1.5, n, seed=3)[n] == pytest.approx(expected, rel=1e-10, abs=0)


def test_in_an_lstm_h_and_c_are_moved_one_by_one():
    """Central differences: each of the 32 numbers that step τ-5 hands on, and no way through h."""
    made, xs, dh_end = network("LSTM", 1, seed=1)
    start, slopes = forward(made, xs[:-5]).last, []
    for place in np.ndindex(start.shape):
        ends = []
        for step in (1e-6, -1e-6):
            moved = start.copy()
            moved[place] += step
            ends.append(float((forward(made, xs[-5:], moved).h[-1] * dh_end).sum()))
        slopes.append((ends[0] - ends[1]) / 2e-6)
    assert norms("LSTM", 1, 5, seed=1)[5] == pytest.approx(np.linalg.norm(slopes), rel=1e-7, abs=0)


@pytest.mark.parametrize("cell", CELLS)
def test_all_steps_agree_with_shorter_sequences_and_the_first_is_one(cell):
    made, xs, dh_end = network(cell, 2, seed=2, start="orthogonal")
    trace = forward(made, xs)
    dtrace, _ = backward(made, trace, dh_end=dh_end)
    ours = arriving(trace, dtrace)
    assert ours.shape == (len(xs) + 1,) and ours[0] == pytest.approx(1)
    assert ours[-1] == pytest.approx(np.linalg.norm(dtrace.state), rel=1e-10, abs=0)
    cut = trace.steps(len(xs) - 30, len(xs))
    after, _ = backward(made, cut.made_by(made), dh_end=dh_end)
    assert ours[30] == pytest.approx(np.linalg.norm(after.state), rel=1e-10, abs=0)
    np.testing.assert_array_equal(norms(cell, 2, 30, 2, "orthogonal"), ours[:31])


def test_the_three_cells_have_about_as_many_parameters():
    assert {name: units(name) for name in CELLS} == {"RNN": 33, "GRU": 18, "LSTM": 16}
    counts = {name: budget.parameters(network(name, 1)[0]) for name in CELLS}
    assert counts == {"RNN": 1155, "GRU": 1098, "LSTM": 1152} and BUDGET == 1152


@pytest.mark.parametrize(("cell", "gate"), [("LSTM", "f"), ("GRU", "z")])
def test_the_bias_is_that_of_the_gate_that_keeps_and_nothing_else_moves(cell, gate):
    (low, xs, dh), (high, same, to) = network(cell, 0, 5), network(cell, 4, 5)
    H = low.hidden_size
    assert (low.b[H : 2 * H] == 0).all() and (high.b[H : 2 * H] == 4).all()
    for name in ("U", "W"):
        np.testing.assert_array_equal(getattr(low, name), getattr(high, name))
    others = np.delete(low.b, range(H, 2 * H)), np.delete(high.b, range(H, 2 * H))
    np.testing.assert_array_equal(*others)
    np.testing.assert_array_equal(xs, same)
    np.testing.assert_array_equal(dh, to)
    np.testing.assert_array_equal(xs, network("RNN", 0, 5)[1])
    kept = getattr(forward(high, np.zeros((1, 1, 1))), gate)
    np.testing.assert_allclose(kept, opened(4))                     # h_0 = 0, x = 0
    assert opened(4) == pytest.approx(1 / (1 + np.exp(-4)))


def test_the_rnn_has_no_such_gate():
    np.testing.assert_array_equal(all_norms("RNN", 5), all_norms("RNN", 0))
    np.testing.assert_array_equal(norms("RNN", 5, seed=1), all_norms("RNN", 0)[1])


# --- what is said -----------------------------------------------------------------------------


def test_presets_keep_their_promises(figure):
    at = {name: (v["bias"], v["length"], STARTS[v["start"]]) for name, v in figure.presets.items()}
    left = {name: {cell: median(cell, bias, n, start) for cell in CELLS}
            for name, (bias, n, start) in at.items()}
    help_little = left["b = 0: gates hardly help"]
    assert at["b = 0: gates hardly help"] == (0, 25, "uniform")
    assert all(value < 2e-5 and value < 10 * help_little["RNN"] for value in help_little.values())
    over = left["b = 3: over 1% after 100 steps"]
    assert at["b = 3: over 1% after 100 steps"] == (3, 100, "uniform")
    assert min(over["GRU"], over["LSTM"]) > 0.01 and over["RNN"] < 1e-20
    half = left["b = 5: the GRU keeps half"]
    assert half["GRU"] == pytest.approx(0.5, abs=0.05) and half["LSTM"] < 0.1
    turned = left["Orthogonal W: the RNN keeps up"]
    assert at["Orthogonal W: the RNN keeps up"] == (1, 100, "orthogonal")
    assert turned["RNN"] > 0.5 * turned["LSTM"] and turned["RNN"] > 1000 * turned["GRU"]


def test_every_state_says_its_numbers(figure):
    artists = figure.scene.artists
    for bias, (name, start), n in product(BIASES, STARTS.items(), LENGTHS):
        text = module._update(artists, bias, name, n)               # without drawing: all 110
        left = {cell: float(np.median(all_norms(cell, bias, start)[:, n])) for cell in CELLS}
        for cell, value in left.items():
            assert artists["names"][cell].get_text() == f"{cell} {short(value)}"
            assert f"{cell} {short(value)}" in text
        alone = (1 / (1 + np.exp(-bias))) ** n
        assert artists["names"]["σ(b)ⁿ"].get_text() == f"σ(b)ⁿ {short(alone)}"
        assert f"σ(b)ⁿ is {short(alone)}." in text and f"{n} steps back" in text
        assert artists["head"].get_text() == verdict(left)
        assert "1%" not in map(short, left.values()), "over or under? the number does not say"
        gru, lstm = (np.median(all_norms(cell, bias, start)[:, 1]) for cell in ("GRU", "LSTM"))
        assert f"the GRU has {short(gru)} of it, the LSTM {short(lstm)}." in text


@pytest.mark.parametrize(
    ("left", "said"),
    [((1e-9, 1e-3, 0.0099), "Under 1% arrives in each"),
     ((1, 0.01, 0.5), "Over 1% arrives in each"),
     ((1e-9, 1e-3, 0.02), "Over 1% arrives in the LSTM alone"),
     ((0.2, 1e-3, 1e-4), "Over 1% arrives in the RNN alone"),
     ((1e-9, 0.3, 0.02), "Over 1% arrives in the GRU and the LSTM")],
)
def test_verdicts(left, said):
    assert verdict(dict(zip(CELLS, left, strict=True))) == said


def test_short_amounts_are_those_of_chapter_4():
    assert [short(v) for v in (0.53, 2.3e-4, 3.4e-10, 1.0)] == ["53%", "0.023%", "3·10⁻¹⁰", "100%"]
    assert all(short(v) + " of it" == amount(v) for v in (0.53, 2.3e-4, 3.4e-10))


def test_the_numbers_of_the_prose():
    """Medians of 11 networks; the same that a notebook cell would ask for."""
    at = {
        ("RNN", 0, 50): 1.25e-12, ("GRU", 1, 50): 8.9e-6, ("LSTM", 1, 50): 6.3e-5,
        ("RNN", 0, 100): 2.7e-24, ("GRU", 3, 100): 0.0167, ("LSTM", 3, 100): 0.0161,
        ("GRU", 5, 100): 0.527, ("LSTM", 5, 100): 0.0703,
        ("GRU", 5, 1): 0.993, ("LSTM", 5, 1): 0.181,
    }
    for (cell, bias, n), value in at.items():
        assert median(cell, bias, n) == pytest.approx(value, rel=0.01, abs=0), (cell, bias, n)
    above = [median(cell, 1, 50) / opened(1) ** 50 for cell in ("GRU", "LSTM")]
    assert min(above) > 10                                          # more than the gate alone lets


def test_a_wide_open_lstm_is_saturated_and_the_gru_is_not():
    """Why the LSTM loses so much in its first step: c has grown, and tanh'(c) is small."""
    slopes, states = [], []
    for seed in SEEDS:
        lstm, xs, _ = network("LSTM", 5, seed)
        slopes.append(np.mean(1 - np.tanh(forward(lstm, xs).c[-1]) ** 2))
        gru, xs, _ = network("GRU", 5, seed)
        states.append(np.abs(forward(gru, xs).h[-1]).max())
    assert np.median(slopes) < 0.1 and max(states) < 1


# --- what is drawn ----------------------------------------------------------------------------


def test_the_figure_survives_every_probe_and_is_light(figure):
    assert figure.states == 110
    assert figure.drive() >= 2 + len(figure.presets)
    assert figure.scene.smallest_text() >= 9
    assert len(gzip.compress(figure.bake().encode())) < 70_000
    assert figure.opening == {"bias": 1, "start": UNIFORM, "length": 50}


@pytest.mark.parametrize(("bias", "start"), [(1, UNIFORM), (4, ORTHOGONAL)])
def test_lines_are_the_norms_within_what_can_be_seen(figure, bias, start):
    _, artists = shown(figure, bias=bias, start=start, length=100)
    x, y = artists["thin"].get_data()
    ends, first = np.flatnonzero(np.isnan(x)), 0
    assert len(ends) == 3 * len(SEEDS) and artists["thin"].get_color() == style.GRAD
    each = np.concatenate([all_norms(cell, bias, STARTS[start]) for cell in CELLS])
    for end, one in zip(ends, each, strict=True):
        close(x[first:end], y[first:end], one)
        first = end + 1
    for cell in CELLS:
        bold = artists["bold"][cell]
        assert bold.get_color() == style.GRAD
        close(*bold.get_data(), np.median(all_norms(cell, bias, STARTS[start]), axis=0))


def test_no_median_leaves_the_picture_at_the_top():
    each = [np.median(all_norms(*one), axis=0) for one in product(CELLS, BIASES, STARTS.values())]
    assert max(norms.max() for norms in each) < 10 ** (TOP / PER_DECADE)


def close(x, y, one):
    """The line is that of the norms as far as it goes, and it goes to the edge of the picture."""
    steps, heights = np.arange(STEPS + 1) * PER_STEP, PER_DECADE * np.log10(one)
    on = steps <= x[-1] + 1e-9
    np.testing.assert_allclose(np.interp(steps[on], x, y), heights[on], atol=COARSE + 0.1)
    assert x[-1] == SPAN or y[-1] < BOTTOM


@pytest.mark.parametrize("bias", [0, 1, 5])
def test_the_guide_is_the_gate_alone(figure, bias):
    _, artists = shown(figure, bias=bias, start=UNIFORM, length=50)
    (_, x), (zero, y) = artists["guide"].get_data()
    assert zero == 0 and artists["guide"].get_color() == style.KEEP
    expected = PER_DECADE * x / PER_STEP * np.log10(1 / (1 + np.exp(-bias)))
    assert y == pytest.approx(expected, abs=0.7) and (x == SPAN or y < BOTTOM)


def test_marks_stand_on_the_medians_and_arrows_beside_their_label(figure):
    _, artists = shown(figure, bias=3, start=UNIFORM, length=100)
    for cell in ("GRU", "LSTM"):
        mark = artists["marks"][cell]
        assert mark.get_marker() == "o" and mark.get_xdata() == [100 * PER_STEP]
        expected = PER_DECADE * np.log10(median(cell, 3, 100))
        assert mark.get_ydata()[0] == pytest.approx(expected, abs=0.06)
    gone = artists["marks"]["RNN"]
    assert gone.get_marker() == "v" and gone.get_ydata() == [BOTTOM + 7]
    assert artists["names"]["RNN"].get_position()[1] == BOTTOM + 7
    assert artists["edge"].get_xdata() == artists["marks"]["GRU"].get_xdata() * 2
    assert artists["curtain"].get_x() == 100 * PER_STEP
    assert artists["curtain"].get_width() == SPAN - 100 * PER_STEP


def test_labels_never_lie_on_each_other_and_stand_in_their_order(figure):
    artists = figure.scene.artists
    for bias, start, n in product(BIASES, STARTS, LENGTHS):
        module._update(artists, bias, start, n)
        names = artists["names"]
        heights = [text.get_position()[1] for text in names.values()]
        assert np.diff(sorted(heights)).min() >= APART - 0.11 and min(heights) > BOTTOM
        values = [float(np.median(all_norms(c, bias, STARTS[start])[:, n])) for c in CELLS]
        values.append(opened(bias) ** n)
        assert np.argsort(heights).tolist() == np.argsort(values, kind="stable").tolist()


def test_spread_moves_only_what_is_too_close():
    placed = spread({"a": 0.0, "b": 50.0, "c": 52.0, "d": -99.0}, 10, -20)
    assert placed == {"d": -20, "a": 0.0, "b": 50.0, "c": 60.0}
