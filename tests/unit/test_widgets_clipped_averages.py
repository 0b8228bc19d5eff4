"""Clip the mean or average the clipped: angles by algebra, and what is drawn and said of them."""

import gzip
import importlib
from itertools import product
from math import atan2, cos, degrees, hypot, radians, sin

import numpy as np
import pytest

from rnnlib.widgets.clipped_averages import both, clipped_averages, direction, pair

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.clipped_averages")


@pytest.fixture(scope="module")
def figure():
    return clipped_averages()


def by_hand(length, between, v):
    """(clipped mean, mean of clipped) as two pairs (x, y), by plain arithmetic."""
    def cut(x, y):
        scale = min(1, v / hypot(x, y))
        return scale * x, scale * y

    g1, g2 = (length, 0.0), (cos(radians(between)), sin(radians(between)))
    mean = ((g1[0] + g2[0]) / 2, (g1[1] + g2[1]) / 2)
    c1, c2 = cut(*g1), cut(*g2)
    return cut(*mean), ((c1[0] + c2[0]) / 2, (c1[1] + c2[1]) / 2)


def states(figure):
    return product(*(control.values for control in figure.controls.values()))


def test_ten_and_one_at_a_right_angle_end_39_degrees_apart():
    clipped_mean, each = both(pair(10, 90), 1)
    np.testing.assert_allclose(each, [[1, 0], [0, 1]], atol=1e-12)
    one, other = (degrees(atan2(g[1], g[0])) for g in (clipped_mean, each.mean(axis=0)))
    assert one == pytest.approx(degrees(atan2(0.5, 5))) == pytest.approx(5.7106, abs=1e-4)
    assert other == pytest.approx(45)
    assert other - one == pytest.approx(39.2894, abs=1e-4)
    assert hypot(*clipped_mean) == pytest.approx(1)
    assert hypot(*each.mean(axis=0)) == pytest.approx(0.5**0.5)


def test_both_ways_are_those_of_plain_arithmetic(figure):
    for length, between, v in states(figure):
        clipped_mean, each = both(pair(length, between), v)
        one, other = by_hand(length, between, v)
        np.testing.assert_allclose(clipped_mean, one, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(each.mean(axis=0), other, rtol=1e-9, atol=1e-12)


def test_averages_of_clipped_gradients_never_exceed_v(figure):
    for length, between, v in states(figure):
        _, each = both(pair(length, between), v)
        assert hypot(*each.mean(axis=0)) <= v * (1 + 1e-12)


def test_figure_draws_everywhere_and_fits_the_page(figure):
    assert figure.states == 150
    assert figure.drive() > len(figure.presets) >= 3
    assert len(gzip.compress(figure.bake().encode())) < 40_000
    assert figure.scene.smallest_text() >= 9.5


def test_the_sentence_gives_both_directions_and_what_lies_between(figure):
    for length, between, v in states(figure):
        text = module._update(figure.scene.artists, length, between, v)
        one, other = (degrees(atan2(y, x)) for x, y in by_hand(length, between, v))
        assert f"The clipped mean points at {module._degrees(one)}," in text
        assert f"the clipped at {module._degrees(other)}: " in text
        same = abs(other - one) < 1e-5
        assert text.endswith("the same direction.") == same
        assert (f"{module._degrees(other - one)} apart." in text) == (not same)
        shown = figure.scene.artists["result"]
        assert shown["apart"].get_text() == (
            "no difference" if same else f"{module._degrees(other - one)} apart")
        assert shown["one name"].get_text().endswith(module._degrees(one))
        assert shown["other name"].get_text().endswith(module._degrees(other))
        if not same:
            ratio = min(length, v) / min(1, v)
            told = "as" if ratio == 1 else f"{ratio:.3g} times as"
            assert f"g₁ is {told} long as g₂; before, it was {length:g} times as long." in text


def tip(arrow):
    """Where an arrow ends: its vertex that is farthest out."""
    vertices = arrow.get_path().vertices
    return vertices[np.hypot(*vertices.T).argmax()]


@pytest.mark.parametrize(("length", "between", "v"), [(10, 90, 1), (3, 150, 1), (30, 30, 10)])
def test_arrows_end_where_the_gradients_do(figure, length, between, v):
    figure.frame({"length": length, "between": between, "v": v})
    artists = figure.scene.artists
    raw = pair(length, between)
    clipped_mean, each = both(raw, v)
    for panel, gradients in (("raw", raw), ("clipped", each)):
        unit = np.linalg.norm(gradients, axis=1).max()
        for arrow, g in zip(artists[panel]["arrows"], gradients, strict=True):
            np.testing.assert_allclose(tip(arrow), g / unit, atol=0.02)
        np.testing.assert_allclose(tip(artists[panel]["mean"]), gradients.mean(axis=0) / unit,
                                   atol=0.02)
        x, y = artists[panel]["circle"].get_data()
        np.testing.assert_allclose(np.hypot(x, y), v / unit, atol=2e-3)
    mean = each.mean(axis=0)
    unit = max(hypot(*clipped_mean), hypot(*mean))
    for arrow, g in (("one", clipped_mean), ("other", mean)):
        np.testing.assert_allclose(tip(artists["result"][arrow]), g / unit, atol=0.02)
    x, y = artists["result"]["arc"].get_data()
    ends = np.degrees(np.arctan2(y, x))[[0, -1]]
    np.testing.assert_allclose(ends, [direction(clipped_mean), direction(mean)], atol=0.3)


def test_a_circle_is_drawn_where_it_can_be_seen(figure):
    for length, v, raw, clipped in ((10, 1, True, True), (100, 1, False, True),
                                    (10, 100, False, False), (10, 10, True, True)):
        figure.frame({"length": length, "between": 90, "v": v})
        for panel, seen in (("raw", raw), ("clipped", clipped)):
            artists = figure.scene.artists[panel]
            assert artists["circle"].get_visible() == seen
            assert artists["v"].get_text() == (f"v = {v}" if seen else "")


def test_an_arrow_too_short_to_see_has_no_name_and_a_short_ones_is_beyond_its_tip(figure):
    for length, seen in ((1, True), (10, True), (30, False), (100, False)):
        figure.frame({"length": length, "between": 90, "v": 1})
        for panel, shown in (("raw", seen), ("clipped", True)):
            names = figure.scene.artists[panel]["names"]
            assert [name.get_visible() for name in names] == [True, shown]
    figure.frame({"length": 10, "between": 90, "v": 1})
    x, y = figure.scene.artists["raw"]["names"][1].get_position()
    assert x == 0 and y > 0.1 + 0.1                                     # above the circle at 0.1
    assert "each panel to its own scale" in [text.get_text() for text in figure.scene.figure.texts]


def test_presets_keep_their_promises(figure):
    for name, chosen in figure.presets.items():
        one, other = (degrees(atan2(y, x)) for x, y in by_hand(**chosen))
        if "no difference" in name:
            assert other - one == pytest.approx(0, abs=1e-9)
    assert "39.3°" in next(iter(figure.presets))
    longer = by_hand(**figure.presets["g₁ ever longer, no more weight"])
    np.testing.assert_allclose(longer[1], by_hand(10, 90, 1)[1])         # the same for 10 and 100
    assert figure.presets["Alike in length: no difference"]["v"] < 1     # something is clipped
