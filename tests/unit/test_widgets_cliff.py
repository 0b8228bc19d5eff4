"""The cliff: what is drawn and said of its paths, and what the presets promise."""

import gzip
import importlib

import numpy as np
import pytest

from rnnlib import style
from rnnlib.widgets.cliff import LOSSES, NONE, NORMS, RATES, SHOWN, THRESHOLDS, cliff
from rnnlib.widgets.cliff_paths import (
    B_ENDS,
    LONG,
    W_ENDS,
    comes_back,
    descent,
    edge,
    leaves_at,
    on_map,
    pieces,
)
from rnnlib.widgets.wall import steepness, surface

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.cliff")


@pytest.fixture(scope="module")
def figure():
    return cliff()


def shown(figure, **values):
    text, _ = figure.frame(values)
    return text, figure.scene.artists


def value(threshold):
    return None if threshold == NONE else float(threshold)


# --- what is drawn ------------------------------------------------------------------------------


def test_figure_draws_everywhere_and_fits_the_page(figure):
    assert figure.states == 550 == 10 * len(SHOWN)
    assert figure.drive() > len(figure.presets) >= 3
    assert len(gzip.compress(figure.bake().encode())) < 80_000
    assert figure.scene.smallest_text() >= 9.5


def test_the_path_drawn_is_the_descent_so_far(figure):
    _, artists = shown(figure, update=30, threshold="1", lr="0.1")
    places, losses, norms = descent(1.0, 0.1)
    np.testing.assert_allclose(artists["map"]["path"].get_xydata(), places[:31], atol=1e-4)
    np.testing.assert_allclose(artists["map"]["now"].get_xydata(), places[30:31], atol=1e-4)
    dots = artists["map"]["dots"].get_path().vertices[::2]
    np.testing.assert_allclose(dots, places[:31], atol=1e-4)
    assert artists["map"]["now"].get_visible() and not artists["map"]["exit"].get_visible()
    for name, values in (("norm", norms), ("loss", losses)):
        np.testing.assert_array_equal(artists[name]["path"].get_xdata(), np.arange(31))
        np.testing.assert_allclose(artists[name]["path"].get_ydata(), np.log10(values[:31]),
                                   atol=0.006)
        assert artists[name]["path"].get_color() == style.GRAD
    assert artists["threshold"].get_ydata()[0] == 0 and artists["label"].get_text() == "v = 1"


def test_from_update_50_on_the_panels_hold_five_updates_where_one_was(figure):
    np.testing.assert_allclose(module._across(np.array([0, 1, 50, 51, 300])), [0, 1, 50, 50.2, 100])
    _, artists = shown(figure, update=300, threshold="1", lr="0.1")
    x = artists["norm"]["path"].get_xdata()
    assert len(x) == 301 and x[49:52].tolist() == [49, 50, 50.2] and x[-1] == 100
    assert artists["norm"]["now"].get_xdata()[0] == 100
    for ax in figure.scene.figure.axes[1:]:
        assert ax.get_xticks().tolist() == [0, 25, 50, 70, 100] and ax.get_xlim() == (-1, 101)


@pytest.mark.parametrize("threshold", THRESHOLDS[1:])
def test_the_name_of_v_is_above_its_line_and_above_the_paths(figure, threshold):
    for lr in RATES:
        _, artists = shown(figure, update=300, threshold=threshold, lr=lr)
        assert artists["threshold"].get_ydata()[0] == pytest.approx(np.log10(float(threshold)))
        label, path = artists["label"], artists["norm"]["path"].get_xydata()
        behind = path[path[:, 0] > 70, 1]                               # from update 150 on
        assert label.get_position()[1] > max(behind.max(), np.log10(float(threshold)))


def test_each_update_on_the_map_has_a_dot_or_a_near_neighbour_with_one(figure):
    for threshold in ("1", "10", "0.03"):
        _, artists = shown(figure, update=300, threshold=threshold, lr="0.1")
        places = descent(value(threshold), 0.1, 300)[0]
        places = places[on_map(places)]
        dots = artists["map"]["dots"].get_path().vertices[::2]
        gaps = np.abs(places[:, None] - dots).max(axis=2)
        assert gaps.min(axis=1).max() <= (W_ENDS[1] - W_ENDS[0]) / module.SQUARES
        assert gaps.min(axis=0).max() < 1e-4                            # and no dot is invented


def test_a_path_that_comes_back_is_drawn_and_told_again(figure):
    text, artists = shown(figure, update=200, threshold="10", lr="0.1")
    places = descent(10.0, 0.1, 200)[0]
    np.testing.assert_allclose(artists["map"]["path"].get_xydata(), pieces(places), atol=1e-4)
    assert artists["map"]["now"].get_visible() and artists["map"]["exit"].get_visible()
    np.testing.assert_allclose(artists["map"]["now"].get_xydata(), places[-1:], atol=1e-4)
    assert artists["map"]["where"].get_text() == "w = 5.0, b = −1.4; back at update 184"
    assert text.endswith("cut to 10, threw it off the map at update 21; it came back at update "
                         "184.")


def test_grey_is_the_path_without_clipping_and_ends_at_the_edge(figure):
    _, artists = shown(figure, update=30, threshold="1", lr="0.1")
    plain, losses, norms = descent(None, 0.1)
    grey = artists["map"]["grey"].get_xydata()
    np.testing.assert_allclose(grey[:-1], plain[:21], atol=1e-4)
    np.testing.assert_allclose(grey[-1], edge(plain[20], plain[21]), atol=1e-4)
    assert artists["map"]["grey exit"].get_visible()
    assert artists["map"]["where"].get_text() == "w = 11.3, b = 8.9"
    assert artists["map"]["told"].get_text() == "unclipped: thrown at update 21 to"
    held = np.clip(np.log10(norms[:31]), *NORMS)
    np.testing.assert_allclose(artists["norm"]["grey"].get_ydata(), held, atol=0.006)
    assert held[-1] == NORMS[0]                                         # at the panel's floor
    np.testing.assert_allclose(artists["loss"]["grey"].get_ydata(),
                               np.clip(np.log10(losses[:31]), *LOSSES), atol=0.006)


def test_before_it_is_thrown_nothing_says_so(figure):
    text, artists = shown(figure, update=20, threshold=NONE, lr="0.1")
    assert "threw" not in text and not artists["map"]["told"].get_text()
    assert "The next step is 13 long, off the cliff." in text
    assert not artists["threshold"].get_visible() and not artists["label"].get_visible()
    assert len(artists["map"]["grey"].get_xdata()) == 0


def test_the_arrow_at_the_edge_points_the_way_of_the_step(figure):
    _, artists = shown(figure, update=21, threshold=NONE, lr="0.1")
    arrow, places = artists["map"]["exit"], descent(None, 0.1)[0]
    assert arrow.get_visible() and not artists["map"]["now"].get_visible()
    (at,) = arrow.get_xydata()
    assert at[1] == B_ENDS[1] and W_ENDS[0] < at[0] < W_ENDS[1]
    tip = arrow.get_marker().vertices[0]
    way = places[21] - places[20]
    assert np.arctan2(*tip[::-1]) == pytest.approx(np.arctan2(*way[::-1]), abs=0.01)
    (w_low, w_high), (b_low, b_high) = W_ENDS, B_ENDS
    assert w_high - w_low == pytest.approx(b_high - b_low)              # else angles would be bent


def test_the_map_is_tinted_by_the_loss(figure):
    (image,) = figure.scene.figure.axes[0].images
    alphas = image.get_array()[..., 3] / 255
    side = len(alphas)
    for row, column in ((5, 5), (60, 60), (110, 30), (20, 110)):
        w = W_ENDS[0] + (column + 0.5) / side * (W_ENDS[1] - W_ENDS[0])
        b = B_ENDS[0] + (row + 0.5) / side * (B_ENDS[1] - B_ENDS[0])
        share = np.sqrt(min(surface(w, b)[0] / module.WORST, 1))
        assert alphas[row, column] == pytest.approx(module.DARKEST * share, abs=0.03)
    assert surface(W_ENDS[0], B_ENDS[0])[0] <= module.WORST


def test_labels_of_the_map_stand_where_they_belong(figure):
    ax = figure.scene.figure.axes[0]
    ax.figure.canvas.draw()
    boxes = {text.get_text(): text.get_window_extent().transformed(ax.transData.inverted())
             for text in ax.texts if text.get_text()}
    for corner in boxes["loss 0.03,\nfalling"].corners():
        loss, dw, db = surface(*corner)
        assert 0.025 < loss < 0.04 and 0.08 < np.hypot(dw, db) < 0.2
    for corner in boxes["loss 0.3, flat"].corners():
        loss, dw, db = surface(*corner)
        assert round(loss, 1) == 0.3 and np.hypot(dw, db) < 0.5
    w, b = next(text for text in ax.texts if text.get_text().startswith("valley")).get_position()
    up = b + np.linspace(0, 0.06, 601)
    losses = surface(np.full(601, w), up)[0]
    assert losses[0] > 0.1 and losses.min() < 1e-4                      # the valley is just above
    assert steepness(w, up).max() > 10                                  # and the cliff between


# --- what is said -------------------------------------------------------------------------------


@pytest.mark.parametrize("lr", RATES)
@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_the_sentence_agrees_with_the_numbers(figure, threshold, lr):
    places, losses, norms = descent(value(threshold), float(lr), SHOWN[-1])
    plain = leaves_at(descent(None, float(lr))[0])
    gone = leaves_at(places)
    for update in (0, 20, 21, 40, 41, 49, 100, 200, 300):
        text = module._update(figure.scene.artists, update, threshold, lr)
        assert text.startswith(f"Update {update}, ")
        assert f"loss {module._number(losses[update])}, gradient" in text
        assert f"gradient norm {module._number(norms[update])}. " in text + " "
        assert ("threw it off the map" in text) == (gone is not None and gone <= update)
        assert ("Without clipping it was thrown" in text) == (
            threshold != NONE and gone is None and plain <= update)
        cut = threshold != NONE and norms[update] > float(threshold)
        assert ("The next step is cut" in text) == (cut and "threw" not in text)


def test_what_is_said_of_the_return(figure):
    assert shown(figure, update=49, threshold="10", lr="0.1")[0].endswith(
        "cut to 10, threw it off the map at update 21; the next step is only 0.0031 long. "
        "It comes back on the map at update 184.")
    assert shown(figure, update=49, threshold=NONE, lr="0.1")[0].endswith(
        f"It is still off the map at update {21 + LONG}.")


def test_presets_keep_their_promises(figure):
    def ends(name):
        chosen = figure.presets[name]
        run = descent(value(chosen["threshold"]), float(chosen["lr"]), SHOWN[-1])
        return chosen["update"], *(each[: chosen["update"] + 1] for each in run)

    update, places, _, _ = ends("No clipping: thrown out at update 21")
    assert update == 21 == leaves_at(places)
    update, places, _, _ = ends("Half the rate: thrown out later")
    assert update == leaves_at(places) > 21
    assert figure.presets["Half the rate: thrown out later"]["lr"] == "0.05"
    update, places, losses, _ = ends("v = 10: thrown out, and back later")
    assert leaves_at(places) == 21 and comes_back(places) == 184 <= update
    assert losses[-1] < 1e-3
    update, places, losses, norms = ends("v = 1: thrown about, then it settles")
    assert update == SHOWN[-1] and on_map(places).all()
    assert norms.max() > 100 and (norms[21:89] > 1).sum() >= 5 and norms[88] > 1
    assert norms[89:].max() < 1 and losses[210:].max() < 1e-3
    update, _, losses, _ = ends("v = 0.1: into the valley")
    assert losses[-10:].max() < 0.0015 and losses[-1] < 1e-4
    assert descent(0.1, 0.1, SHOWN[-1])[1][update:].max() < 0.0015      # and it stays there
    update, _, slow, _ = ends("v = 0.03: slow")
    reached = (descent(0.1, 0.1)[1] < slow[-1]).argmax()
    assert slow[-1] > 0.01 and update > 3 * reached > 0
