"""The window on the gradient: drawn and said is what `bptt.truncated` and `backward` give."""

import gzip
import importlib

import numpy as np
import pytest

from rnnlib import backward, bptt

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.truncation")

T = module.STEPS


@pytest.fixture(scope="module")
def figure():
    return module.truncation()


def test_every_state_draws_and_fits_the_page(figure):
    assert figure.drive() > len(figure.presets) >= 2
    assert len(gzip.compress(figure.bake().encode())) < 70_000
    assert figure.scene.smallest_text() >= 9


@pytest.mark.parametrize("rho", module.RADII)
def test_a_window_of_the_whole_length_cuts_nothing(rho):
    for stride in (1, T):
        angle, ratio = module.bias(rho, 0, T, stride)
        assert angle < 1e-6 and abs(ratio - 1) < 1e-12
    assert module.bias(rho, 0, 3)[0] > 5


def test_angle_and_ratio_are_those_of_the_two_gradients():
    cell, trace, dhs = module.problem(1.0, 3)
    whole = backward(cell, trace, dhs)[1].W
    cut = bptt.truncated(cell, trace, dhs, window=5, stride=5).W
    cosine = (cut * whole).sum() / np.linalg.norm(cut) / np.linalg.norm(whole)
    angle, ratio = module.bias(1.0, 3, 5, 5)
    assert angle == pytest.approx(np.degrees(np.arccos(cosine)), abs=1e-8)
    assert ratio == pytest.approx(np.linalg.norm(cut) / np.linalg.norm(whole), rel=1e-12)


@pytest.mark.parametrize("rho", module.RADII)
def test_rho_is_the_spectral_radius(rho):
    cell, *_ = module.problem(rho, 0)
    assert np.abs(np.linalg.eigvals(cell.W)).max() == pytest.approx(rho, rel=1e-12)


@pytest.mark.parametrize("way", module.WAYS)
@pytest.mark.parametrize("w", [1, 4, 7, 40])
def test_what_is_drawn_as_kept_is_what_truncated_adds_up(w, way):
    """dW from the items of the drawn region alone, for one sequence."""
    cell, trace, dhs = module.problem(1.2, 1)
    one = module.forward(cell, trace.x[:, :1])
    stride = 1 if way == module.EACH else w
    expected = bptt.truncated(cell, one, dhs[:, :1], window=w, stride=stride).W
    da = bptt.itemised(cell, one, dhs[:, :1]).a
    total = np.zeros_like(expected)
    for t, first in enumerate(module.first_step(w, way), 1):
        for k in range(first, t + 1):
            total += np.outer(da[k - 1, t - 1], one.h_prev[k - 1, 0])
    np.testing.assert_allclose(total, expected, rtol=0, atol=1e-13)


def test_sizes_are_lengths_of_items_and_none_comes_from_the_future():
    sizes = module.sizes(1.2)
    assert not np.tril(sizes, -1).any()                             # k > t
    assert not sizes[0].any()                                       # h_0 = 0
    assert not sizes[:, : module.DELAY].any()                       # no loss before step 5
    assert (np.triu(sizes)[1:, module.DELAY :].max(axis=0) > 0).all()


@pytest.mark.parametrize("w", [1, 2, 7, 40])
def test_the_steps_back_are_those_that_truncated_runs(monkeypatch, w):
    cell, trace, dhs = module.problem(0.9, 0)
    run, real = [], type(cell)._backward

    def counted(self, trace, *more):
        run.append(len(trace.x))
        return real(self, trace, *more)

    monkeypatch.setattr(type(cell), "_backward", counted)
    for stride in (1, w):
        run.clear()
        bptt.truncated(cell, trace, dhs, window=w, stride=stride)
        assert sum(run) == module.backward_steps(w, stride)


@pytest.mark.parametrize(("rho", "way", "w"), [
    (0.6, module.EACH, 4), (1.0, module.EACH, 8), (1.2, module.PIECES, 10), (0.9, module.PIECES, 1),
])
def test_the_curves_are_the_means_of_what_is_computed_again(rho, way, w):
    pairs = [module.bias(rho, seed, w, 1 if way == module.EACH else w) for seed in range(20)]
    angle, ratio = np.mean(pairs, axis=0)
    assert module.curve(rho, way)["angle"][w - 1] == pytest.approx(angle, rel=1e-4)
    assert module.curve(rho, way)["ratio"][w - 1] == pytest.approx(ratio, rel=1e-4)


@pytest.mark.parametrize("way", module.WAYS)
def test_grey_lines_lie_in_the_order_that_is_written(figure, way):
    angles = np.array([module.curve(rho, way)["angle"] for rho in module.RADII])
    shown = [w - 1 for w in module.WINDOWS if w < T]
    assert (np.diff(angles, axis=0)[:, shown] > 0).all()
    figure.frame({"w": 4, "rho": "0.9", "way": way})
    assert figure.scene.artists["names"].get_text().endswith("0.6, 1.0, 1.2")


def test_disc_line_and_sentence_agree(figure):
    text, _ = figure.frame({"w": 8, "rho": "1.2", "way": module.PIECES})
    row = module.curve(1.2, module.PIECES)
    for name in ("angle", "ratio"):
        panel = figure.scene.artists[name]
        (x,), (y,) = panel["now"].get_data()
        assert x == 8 and y == pytest.approx(row[name][7], abs=5e-4) == panel["line"].get_ydata()[7]
    assert f"{row['angle'][7]:.0f}° off" in text and f"{row['ratio'][7]:.2f} of its" in text
    assert "40 steps back, as uncut, and needs 8 of the states" in text
    assert "180 of 820" in figure.scene.artists["kept"].get_text()


def test_presets_keep_their_promises():
    assert module.curve(0.6, module.EACH)["angle_high"][3] < 5
    assert module.curve(1.2, module.EACH)["angle_low"][3] > 30
    assert module.backward_steps(8, 8) == T < module.backward_steps(8, 1)


def test_nothing_cut_is_said(figure):
    text, _ = figure.frame({"w": T, "rho": "1.0", "way": module.EACH})
    assert "dW is the whole gradient" in text and "820 steps back" in text
    assert figure.scene.artists["angle"]["value"].get_text() == "0°"
    assert not figure.scene.artists["edge"].get_visible()
