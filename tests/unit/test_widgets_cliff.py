"""The cliff: every path again by torch, what is drawn and said, and what the presets promise."""

import gzip
import importlib

import numpy as np
import pytest
import torch

from rnnlib import style
from rnnlib.widgets.cliff import (
    B_ENDS,
    FROM,
    LONG,
    LOSSES,
    NONE,
    NORMS,
    RATES,
    THRESHOLDS,
    UPDATES,
    W_ENDS,
    cliff,
    descent,
    edge,
    fates,
    leaves_at,
    on_map,
    returns_after,
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


def by_torch(threshold, lr, updates):
    """The same path by autograd and torch.nn.utils.clip_grad_norm_ written out, without its ε."""
    theta = torch.tensor(FROM, dtype=torch.float64, requires_grad=True)
    places, losses, norms = [], [], []
    for _ in range(updates + 1):
        x = torch.tensor(0.5, dtype=torch.float64)
        for _ in range(50):
            x = theta[0] * torch.sigmoid(x) + theta[1]
        loss = (torch.sigmoid(x) - 0.7) ** 2
        (g,) = torch.autograd.grad(loss, theta)
        places.append(theta.detach().numpy().copy())
        losses.append(loss.item())
        norms.append(g.norm().item())
        scale = 1 if threshold is None else min(1, threshold / norms[-1])
        with torch.no_grad():
            theta -= lr * scale * g
    return np.array(places), np.array(losses), np.array(norms)


# --- the paths ----------------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [None, 1.0, 0.1])
def test_the_path_is_torchs(threshold):
    """The cliff multiplies rounding, but leaves nine digits of it: see the tolerance."""
    for ours, theirs in zip(descent(threshold, 0.1), by_torch(threshold, 0.1, 30), strict=True):
        np.testing.assert_allclose(ours[:31], theirs, rtol=1e-7)


def test_each_update_is_a_step_against_the_gradient_cut_to_v():
    for threshold in map(value, THRESHOLDS):
        places, losses, norms = descent(threshold, 0.1)
        assert places.shape == (UPDATES + 1, 2) and tuple(places[0]) == FROM
        loss, dw, db = surface(*places.T)
        np.testing.assert_allclose(losses, loss, rtol=1e-9)
        np.testing.assert_allclose(norms, np.hypot(dw, db), rtol=1e-9)
        steps = np.diff(places, axis=0)
        way = 0.1 * (norms if threshold is None else np.minimum(norms, threshold))
        np.testing.assert_allclose(np.hypot(*steps.T), way[:-1], rtol=1e-6, atol=1e-15)
        g = np.stack([dw, db], axis=1)[:-1]
        seen = way[:-1] > 1e-6
        assert ((steps * g).sum(axis=1)[seen] < 0).all()
        across = steps[:, 0] * g[:, 1] - steps[:, 1] * g[:, 0]
        np.testing.assert_allclose((across / norms[:-1] / way[:-1])[seen], 0, atol=1e-6)


def test_where_the_unclipped_path_lands_and_that_it_stays_there():
    places, losses, norms = descent(None, 0.1)
    assert leaves_at(places) == 21 and norms[20] == pytest.approx(131, abs=1)
    assert places[21] == pytest.approx([11.3, 8.9], abs=0.05)
    assert losses[21] == pytest.approx(0.3**2, abs=1e-6)                # σ(x_50) is 1 there
    assert norms[21] < 1e-8
    assert returns_after(None, 0.1) is None
    assert np.ptp(descent(None, 0.1, 21 + LONG)[0][21:], axis=0).max() < 1e-6


def test_half_the_rate_only_delays_it():
    places, _, norms = descent(None, 0.05)
    assert leaves_at(places) == 41 and norms[40] == pytest.approx(84, abs=1)
    assert places[41] == pytest.approx([6.69, 1.30], abs=0.01)
    assert returns_after(None, 0.05) is None


def test_a_threshold_of_ten_is_too_large_but_the_path_comes_back():
    places, losses, _ = descent(10.0, 0.1)
    assert leaves_at(places) == 21 and not on_map(places[21:]).any()
    assert losses[21:].min() > 20 * losses[:20].min()
    assert returns_after(10.0, 0.1) == 163
    long = descent(10.0, 0.1, 21 + 163)[0]
    assert on_map(long[-1]) and not on_map(long[21:-1]).any()


def test_returns_after_is_none_where_the_path_stays():
    assert returns_after(1.0, 0.1) is None


@pytest.mark.parametrize("lr", RATES)
@pytest.mark.parametrize("threshold", ["1", "0.1", "0.03"])
def test_up_to_a_threshold_of_one_all_49_updates_stay_on_the_map(threshold, lr):
    places, _, _ = descent(float(threshold), float(lr))
    assert leaves_at(places) is None and on_map(places).all()


def test_most_starts_of_the_wall_are_thrown_out_without_clipping_and_hardly_any_with():
    left, found = fates(None, 0.1)
    assert (left, found) == pytest.approx((0.679, 0.334), abs=0.01)
    assert fates(10, 0.1) == pytest.approx((0.676, 0.396), abs=0.01)
    assert fates(1, 0.1) == pytest.approx((0.012, 0.887), abs=0.01)
    assert fates(0.03, 0.1)[1] < 0.6                                    # too small: not there yet


def test_fates_follow_the_rule_of_descent(monkeypatch):
    ends = np.array([[4.65, 4.65001], [-2.1, -2.09999]])
    monkeypatch.setattr(module, "WALL_W", tuple(ends[0]))
    monkeypatch.setattr(module, "WALL_B", tuple(ends[1]))
    for threshold, lr in ((None, 0.1), (1.0, 0.1), (0.03, 0.1)):
        corners = [(w, b) for b in ends[1] for w in ends[0]]
        losses = [descent(threshold, lr, 19, start=each)[1][-1] for each in corners]
        assert fates(threshold, lr, updates=19, starts=2) == (1.0, np.mean(np.less(losses, 0.01)))


# --- what is drawn ------------------------------------------------------------------------------


def test_figure_draws_everywhere_and_fits_the_page(figure):
    assert figure.states == 500
    assert figure.drive() > len(figure.presets) >= 3
    assert len(gzip.compress(figure.bake().encode())) < 70_000
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


def test_edge_in_all_four_directions():
    inside = np.array([4.5, -2.2])
    for outside, at in (((9, -2.2), (W_ENDS[1], -2.2)), ((-9, -2.2), (W_ENDS[0], -2.2)),
                        ((4.5, 5), (4.5, B_ENDS[1])), ((4.5, -5), (4.5, B_ENDS[0]))):
        np.testing.assert_allclose(edge(inside, np.array(outside)), at)


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
    at = {text.get_text(): text.get_position() for text in ax.texts}
    w, b = at["cliff"]
    assert steepness(w, -2.3728 + np.linspace(-0.05, 0.05, 2001)).max() > 50
    assert surface(w, b - 0.03)[0] > 0.15 > 0.03 > surface(w, b + 0.03)[0]
    assert surface(*at["valley"])[0] < 2e-3
    w, b = at["low plain: loss near 0.3"]
    assert surface(w + 0.05, b + 0.02)[0] == pytest.approx(0.3, abs=0.03)


# --- what is said -------------------------------------------------------------------------------


@pytest.mark.parametrize("lr", RATES)
@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_the_sentence_agrees_with_the_numbers(figure, threshold, lr):
    places, losses, norms = descent(value(threshold), float(lr))
    plain = leaves_at(descent(None, float(lr))[0])
    gone = leaves_at(places)
    for update in (0, 20, 21, 40, 41, UPDATES):
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
        "It is back on the map at update 184.")
    assert shown(figure, update=49, threshold=NONE, lr="0.1")[0].endswith(
        f"It is still off the map at update {21 + LONG}.")


def test_presets_keep_their_promises(figure):
    def ends(name):
        chosen = figure.presets[name]
        run = descent(value(chosen["threshold"]), float(chosen["lr"]))
        return chosen["update"], *(each[: chosen["update"] + 1] for each in run)

    update, places, _, _ = ends("No clipping: thrown out at update 21")
    assert update == 21 == leaves_at(places)
    update, places, _, _ = ends("Half the rate: thrown out later")
    assert update == leaves_at(places) > 21
    assert figure.presets["Half the rate: thrown out later"]["lr"] == "0.05"
    assert leaves_at(ends("v = 10: too large")[1]) == 21
    _, places, _, norms = ends("v = 1: it stays")
    assert leaves_at(places) is None and norms.max() > 100
    _, _, losses, _ = ends("v = 0.1: into the valley")
    assert losses[-10:].max() < 0.0015 and losses[-1] < 1e-4
    _, _, slow, _ = ends("v = 0.03: slow")
    reached = (descent(0.1, 0.1)[1] < slow[-1]).argmax()
    assert slow[-1] > 0.01 and UPDATES > 3 * reached > 0
