"""Chapter 6's update gate: against a GRU, a leaky unit and the sum of its bars; drawing."""

import gzip
import importlib
from itertools import product

import numpy as np
import pytest

from rnnlib import GRUCell, forward, style
from rnnlib.leaky import LeakyRNNCell
from rnnlib.widgets.update_gate import (
    BAR,
    GATES,
    LEAST,
    LOWER,
    MOMENTS,
    ONSET,
    PER_STEP,
    PULSES,
    STEPS,
    UPPER,
    candidates,
    states,
    time_constant,
    weights,
)

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.update_gate")
EACH = list(product(GATES, PULSES, MOMENTS))


@pytest.fixture(scope="module")
def figure():
    return module.update_gate()


def shown(figure, **values):
    text, _ = figure.frame(values)
    return text, figure.scene.artists


@pytest.mark.parametrize("z", [0.5, 0.9, 0.99])
def test_the_state_is_that_of_a_gru_whose_gate_stands_still(z):
    """z = sigmoid(b_z), W = 0; tanh never gives 1, so the candidate is 0.9 and all is 0.9 times."""
    b = np.array([0, np.log(z / (1 - z)), 0])
    cell = GRUCell(np.array([[0.0], [0], [1]]), np.zeros((3, 1)), b, np.zeros(1))
    trace = forward(cell, np.arctanh(0.9 * candidates(10))[:, None, None])
    np.testing.assert_allclose(trace.z, z)
    np.testing.assert_allclose(trace.n[:, 0, 0], 0.9 * candidates(10), atol=1e-15)
    np.testing.assert_allclose(trace.h[:, 0, 0], 0.9 * states(z, 10)[1:], atol=1e-14)


@pytest.mark.parametrize(("z", "pulse"), [(0, 1), (0.8, 20), (0.98, 50)])
def test_with_z_for_alpha_it_is_chapter_4s_leaky_unit(z, pulse):
    cell = LeakyRNNCell(np.ones((1, 1)), np.zeros((1, 1)), np.zeros(1), z, "identity")
    trace = forward(cell, candidates(pulse)[:, None, None])
    np.testing.assert_allclose(trace.h[:, 0, 0], states(z, pulse)[1:], atol=1e-15)


def test_the_weights_give_the_state_and_lack_only_the_share_of_the_start():
    for z, pulse, t in EACH:
        share = weights(z, t)
        assert share.shape == (t,) and share[-1] == pytest.approx(1 - z)
        assert share @ candidates(pulse)[:t] == pytest.approx(states(z, pulse)[t], abs=1e-14)
        assert share.sum() == pytest.approx(1 - z**t)


def test_the_state_goes_the_share_1_minus_z_of_its_way():
    h, n = states(0.8, 20), candidates(20)
    np.testing.assert_allclose(h[1:] - h[:-1], 0.2 * (n - h[:-1]), atol=1e-15)


@pytest.mark.parametrize("z", GATES[1:])
def test_the_time_constant_is_the_fall_to_1_over_e(z):
    assert z ** time_constant(z) == pytest.approx(1 / np.e)
    assert time_constant(0) == 0
    assert time_constant(0.99) == pytest.approx(99.5, abs=0.01)     # nearly 1 / (1 - z)


def test_the_candidate_is_1_for_as_long_as_it_says():
    for pulse in PULSES:
        on = np.flatnonzero(candidates(pulse)) + 1
        assert on.tolist() == list(range(ONSET + 1, ONSET + 1 + pulse))
    assert len(candidates(50)) == STEPS


def test_presets_keep_their_promises(figure):
    as_it_is = figure.presets["z = 0: h is the candidate"]
    np.testing.assert_array_equal(states(0, as_it_is["pulse"])[1:], candidates(as_it_is["pulse"]))
    soon = figure.presets["z = 0.5: forgotten in a few steps"]
    end = ONSET + soon["pulse"]
    assert states(0.5, soon["pulse"])[end] > 0.99 and soon["t"] - end <= 5
    assert states(0.5, soon["pulse"])[soon["t"]] < 0.05
    slow = figure.presets["z = 0.98: slow to learn, slow to forget"]
    h, end = states(0.98, slow["pulse"]), ONSET + slow["pulse"]
    assert h[end] < 0.35 and h[slow["t"]] > 0.5 * h[end] and slow["t"] - end == 30


def test_every_state_says_its_numbers(figure):
    artists = figure.scene.artists
    for z, pulse, t in EACH:
        text = module._update(artists, z, pulse, t)
        h = sum((1 - z) * z ** (t - s) for s in range(ONSET + 1, ONSET + 1 + pulse) if s <= t)
        assert f"h is {h:.2f} at step {t}." in text and f"all together {1 - z**t:.2f}." in text
        assert artists["value"].get_text().endswith(f"= {h:.2f}")
        assert artists["sum"].get_text().endswith(f"in colour {h:.2f}, all {1 - z**t:.2f}")
        way = f"{100 * (1 - z):.0f}% of the way at each step"
        assert artists["head"].get_text() == f"z = {z:g}: {way}"
        if z:
            constant = f"{-1 / np.log(z):.1f} steps"
            assert constant in text and artists["time"].get_text().endswith(constant)
        assert f"the newest 1 − z = {1 - z:.2f}" in artists["time"].get_text()


# --- what is drawn ----------------------------------------------------------------------------


def bars(artists, name):
    """{step: height} of the bars of one colour."""
    if not artists[name].get_visible():
        return {}
    points = artists[name].get_path().vertices.reshape(-1, 2, 2)
    assert (points[:, 0, 0] == points[:, 1, 0]).all() and (points[:, 0, 1] == 0).all()
    return {round(float(x / PER_STEP), 1): float(y) for x, y in points[:, 1]}


def test_bars_are_the_weights_relative_to_the_newest_in_two_colours(figure):
    artists = figure.scene.artists
    for z, pulse, t in EACH:
        module._update(artists, z, pulse, t)
        drawn = {name: bars(artists, name) for name in ("bars", "others")}
        on = set(range(ONSET + 1, ONSET + 1 + pulse))
        assert set(drawn["bars"]) <= on and not set(drawn["others"]) & on
        expected = {s: LOWER * z ** (t - s) for s in range(1, t + 1)}
        expected = {s: height for s, height in expected.items() if height > LEAST}
        assert drawn["bars"] | drawn["others"] == pytest.approx(expected, abs=0.06)
        assert artists["newest"].get_text() == f"{1 - z:.2f}"
    assert artists["newest"].get_position()[1] == LOWER
    assert artists["bars"].get_linewidth() == BAR < PER_STEP
    assert artists["bars"].get_edgecolor()[:3] == pytest.approx(rgb(style.CANDIDATE))


def rgb(colour):
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]


@pytest.mark.parametrize(("z", "pulse", "t"), [(0.9, 10, 30), (0, 1, 20), (0.99, 50, 60)])
def test_lines_mark_and_band(figure, z, pulse, t):
    _, artists = shown(figure, z=z, pulse=pulse, t=t)
    h = states(z, pulse)
    at, heights = artists["h"].get_data()
    np.testing.assert_allclose(at / PER_STEP, np.arange(1, STEPS + 1))
    np.testing.assert_allclose(heights, UPPER * h[1:], atol=0.051)
    np.testing.assert_allclose(artists["n"].get_ydata(), UPPER * candidates(pulse))
    assert artists["mark"].get_xdata() == [t * PER_STEP]
    assert artists["mark"].get_ydata()[0] == pytest.approx(UPPER * h[t], abs=0.051)
    for band in (artists["band"], artists["below"]):
        assert band.get_x() == (ONSET + 0.5) * PER_STEP and band.get_width() == pulse * PER_STEP


@pytest.mark.parametrize(("z", "t", "back"), [(0.9, 30, 9.49), (0.5, 60, 1.44), (0.98, 45, 44.5),
                                             (0.99, 60, 59.5)])
def test_the_ruler_lies_where_the_bars_have_fallen_to_1_over_e(figure, z, t, back):
    _, artists = shown(figure, z=z, pulse=10, t=t)
    (left, right), heights = artists["ruler"].get_data()
    assert right == t * PER_STEP and (right - left) / PER_STEP == pytest.approx(back, abs=0.02)
    assert heights == [LOWER / np.e] * 2 and artists["ruler"].get_visible()
    assert artists["beyond"].get_visible() == (time_constant(z) > t - 0.5)
    _, artists = shown(figure, z=0, pulse=10, t=t)
    assert not artists["ruler"].get_visible() and not artists["beyond"].get_visible()


def test_the_figure_survives_every_probe_and_is_light(figure):
    assert figure.states == len(EACH) == 360
    assert figure.drive() >= 2 + len(figure.presets)
    assert figure.scene.smallest_text() >= 9
    assert len(gzip.compress(figure.bake().encode())) < 70_000


def test_the_name_of_the_state_stays_in_the_picture_and_off_both_lines(figure):
    artists, width = figure.scene.artists, figure.scene.figure.bbox.width
    (name,) = (text for text in artists["value"].axes.texts if text.get_text() == "candidate n")
    to_data = artists["value"].axes.transData.inverted().transform
    for z, pulse, t in EACH:
        module._update(artists, z, pulse, t)
        box = artists["value"].get_window_extent()
        (left, low), (right, high) = to_data(box.p0), to_data(box.p1)
        assert box.x0 > 0 and box.x1 < width
        assert high < UPPER or low > UPPER + 1
        for edge in ((ONSET + 0.5) * PER_STEP, (ONSET + pulse + 0.5) * PER_STEP):
            assert low > UPPER or not left < edge < right, (z, pulse, t)
        first, last = round(left / PER_STEP), min(round(right / PER_STEP), STEPS)
        assert max(UPPER * states(z, pulse)[first : last + 1]) < low, (z, pulse, t)
