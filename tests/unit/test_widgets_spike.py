"""One spike: Adam by hand and by torch, who leaps and who stalls, and what clipping changes."""

import gzip
import importlib

import numpy as np
import pytest
import torch

from rnnlib import style
from rnnlib.widgets.spike import (
    AFTER,
    BEFORE,
    NONE,
    OPTIMISERS,
    SPIKES,
    THRESHOLDS,
    WAYS,
    clipped,
    come,
    gradients,
    recovery,
    run,
    spike,
    walk,
)

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.spike")

SGD, ADAM, QUICK = OPTIMISERS
TEN, HUNDRED, THOUSAND, LATE = SPIKES
BETAS = {ADAM: (0.9, 0.999), QUICK: (0.9, 0.99)}


@pytest.fixture(scope="module")
def figure():
    return spike()


def shown(figure, **values):
    text, _ = figure.frame(values)
    return text, figure.scene.artists


def by_hand(g, betas, eps=1e-8):
    """Adam's steps by its equations, in learning rates."""
    m = v = 0
    for t, each in enumerate(g, start=1):
        m = betas[0] * m + (1 - betas[0]) * each
        v = betas[1] * v + (1 - betas[1]) * each**2
        yield m / (1 - betas[0] ** t) / (np.sqrt(v / (1 - betas[1] ** t)) + eps)


def by_torch(g, make):
    p = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    rule = make([p])
    for each in g:
        before, p.grad = p.item(), torch.full_like(p, each)
        rule.step()
        yield before - p.item()


# --- the steps ----------------------------------------------------------------------------------


def test_the_gradients_are_ones_and_one_spike():
    g = gradients(100.0, 20)
    assert len(g) == 20 + AFTER and g[19] == 100 and (np.delete(g, 19) == 1).all()
    assert [SPIKES[name] for name in (TEN, HUNDRED, THOUSAND, LATE)] == [
        (10, 20), (100, 20), (1000, 20), (100, 2000)]


def test_clipping_cuts_each_gradient_on_its_own():
    g = gradients(100.0, 3, 2)
    assert clipped(g, None) is g
    np.testing.assert_allclose(clipped(g, 10), [1, 1, 10, 1, 1], rtol=1e-12)
    np.testing.assert_allclose(clipped(-g, 0.1), np.full(5, -0.1), rtol=1e-12)


@pytest.mark.parametrize("name", [ADAM, QUICK])
@pytest.mark.parametrize("of", SPIKES)
def test_adams_steps_are_those_of_its_equations(name, of):
    size, at = SPIKES[of]
    ours = run(name, NONE, of)[1]
    theirs = list(by_hand(gradients(size, at), BETAS[name]))[at - 1 - BEFORE :]
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    assert len(ours) == BEFORE + 1 + AFTER


def test_steps_are_torchs():
    g = gradients(100.0, 20)
    for name, make in ((SGD, lambda p: torch.optim.SGD(p, lr=1.0)),
                       (ADAM, lambda p: torch.optim.Adam(p, lr=1.0)),
                       (QUICK, lambda p: torch.optim.Adam(p, lr=1.0, betas=(0.9, 0.99)))):
        ours = np.array(list(walk(OPTIMISERS[name], g)))
        np.testing.assert_allclose(ours, list(by_torch(g, make)), rtol=1e-9)


def test_sgd_steps_are_the_gradients():
    for threshold in THRESHOLDS:
        g, way = run(SGD, threshold, HUNDRED)
        np.testing.assert_array_equal(g, way)
    assert run(SGD, NONE, HUNDRED)[1][BEFORE] == 100


def test_all_clipped_alike_adam_sees_no_difference():
    for name in (ADAM, QUICK):
        np.testing.assert_allclose(run(name, "0.1", HUNDRED)[1], 1, rtol=1e-6)
        np.testing.assert_allclose(run(name, "1", HUNDRED)[1], 1, rtol=1e-6)
    np.testing.assert_allclose(run(SGD, "0.1", HUNDRED)[1], 0.1, rtol=1e-12)


def test_a_constant_factor_divides_out_of_adam_whatever_the_gradients():
    g = np.random.default_rng(0).normal(size=200)
    ones, tenths = (np.array(list(walk(OPTIMISERS[ADAM], c * g))) for c in (1, 0.1))
    np.testing.assert_allclose(tenths, ones, rtol=1e-6, atol=1e-7)


def test_adam_hardly_leaps_but_stalls():
    way = run(ADAM, NONE, HUNDRED)[1]
    np.testing.assert_allclose(way[:BEFORE], 1, rtol=1e-6)
    assert way[BEFORE] == pytest.approx(0.546, abs=1e-3)
    assert way[BEFORE + 1 :].min() == pytest.approx(0.0886, abs=1e-3)
    assert come(way)[-1] == pytest.approx(8.0, abs=0.05)
    assert come(run(ADAM, "1", HUNDRED)[1])[-1] == pytest.approx(41, abs=1e-4)
    huge = run(ADAM, NONE, THOUSAND)[1]
    assert huge[BEFORE] < way[BEFORE]                                   # ten times the spike


def test_late_in_training_adam_leaps_first_and_stalls_less():
    way = run(ADAM, NONE, LATE)[1]
    assert way[BEFORE] == pytest.approx(3.07, abs=0.01)
    assert 3 * run(ADAM, NONE, HUNDRED)[1].min() < way.min() < 0.5


def test_how_long_it_takes_to_recover():
    waits = {(name, of): recovery(name, of) for name in OPTIMISERS for of in SPIKES}
    assert [waits[ADAM, of] for of in SPIKES] == [0, 1461, 5810, 1244]
    assert [waits[QUICK, of] for of in SPIKES] == [0, 352, 808, 349]
    assert [waits[SGD, of] for of in SPIKES] == [0, 0, 0, 0]
    for name in (ADAM, QUICK):
        wait = waits[name, HUNDRED]
        later = np.array(list(by_hand(gradients(100.0, 20, wait), BETAS[name])))[19:]
        assert later[-1] >= 0.5 > later[5:-1].max()


# --- what is drawn and said ---------------------------------------------------------------------


def test_figure_draws_everywhere_and_fits_the_page(figure):
    assert figure.states == 48
    assert figure.drive() > len(figure.presets) >= 4
    assert len(gzip.compress(figure.bake().encode())) < 40_000
    assert figure.scene.smallest_text() >= 9.5


@pytest.mark.parametrize("threshold", ["1", NONE])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_dots_are_gradients_and_steps(figure, optimiser, threshold):
    _, artists = shown(figure, optimiser=optimiser, threshold=threshold, spike=HUNDRED)
    for name, index, colour in (("gradient", 0, style.GRAD), ("step", 1, style.THETA)):
        for line, cut in (("mine", threshold), ("grey", NONE)):
            x, y = artists[name][line].get_data()
            assert list(x) == list(range(-BEFORE, AFTER + 1))
            np.testing.assert_allclose(10**y, run(optimiser, cut, HUNDRED)[index], rtol=2e-3)
        assert artists[name]["mine"].get_color() == colour
        assert artists[name]["grey"].get_visible() == (threshold != NONE)


def test_the_way_is_the_sum_of_the_steps_and_leaves_the_panel_with_an_arrow(figure):
    _, artists = shown(figure, optimiser=ADAM, threshold=NONE, spike=HUNDRED)
    x, y = artists["way"]["mine"].get_data()
    steps = run(ADAM, NONE, HUNDRED)[1]
    assert y[BEFORE - 1] == 0 and y[-1] == pytest.approx(steps[BEFORE:].sum(), abs=0.05)
    assert not any(arrow.get_visible() for arrow in artists["way"]["exits"])
    _, artists = shown(figure, optimiser=SGD, threshold="1", spike=HUNDRED)
    grey, mine = artists["way"]["exits"]
    assert grey.get_visible() and not mine.get_visible()
    assert grey.get_xydata().tolist() == [[0, WAYS[1]]]
    assert artists["way"]["grey"].get_xydata()[-1].tolist() == [0, WAYS[1]]
    np.testing.assert_allclose(artists["way"]["mine"].get_ydata(), x + 1)
    assert artists["way"]["note"].get_text() == (
        "in 41 updates, from\nthe spike on: 41\nunclipped: 140")


def test_nothing_drawn_is_outside_its_panel():
    for optimiser in OPTIMISERS:
        for threshold in THRESHOLDS:
            for of in SPIKES:
                g, way = run(optimiser, threshold, of)
                for values, (low, high) in ((g, module.SIZES), (way, module.STEPS)):
                    assert low < np.log10(values).min() and np.log10(values).max() < high
                assert come(way).min() >= WAYS[0]


def test_the_sentence_agrees_with_the_numbers(figure):
    for optimiser in OPTIMISERS:
        for threshold in THRESHOLDS:
            for of in SPIKES:
                text = module._update(figure.scene.artists, optimiser, threshold, of)
                way = run(optimiser, threshold, of)[1]
                verb = "leaps" if way[BEFORE] > 1.05 else "the step is"
                assert f"{verb} {module._rates(way[BEFORE])} learning rate" in text
                assert f"after it is {module._rates(way[BEFORE + 1:].min())}; the 41 tog" in text
                far, calm = way[BEFORE:].sum(), 41 * way[:BEFORE].mean()
                said = f"come {far:.1f}".removesuffix(".0")
                assert len(way[BEFORE:]) == 41
                told = "" if abs(far - calm) < 0.05 else f" instead of {calm:.3g}"
                assert f"together {said}{told}. " in text + " "
                wait = recovery(optimiser, of)
                assert (f"{wait:,} updates after the spike" in text) == (
                    threshold == NONE and wait > 0)
                assert ("All steps are alike" in text) == np.allclose(way, way[0], rtol=1e-4)
                assert ("Every gradient is clipped" in text) == (threshold == "0.1")


def test_presets_keep_their_promises(figure):
    ways = {name: run(**values)[1] for name, values in figure.presets.items()}
    assert ways["SGD leaps"].max() == 100
    assert ways["SGD, clipped: no leap"].max() == pytest.approx(1)
    assert ways["Adam stalls"][-1] < 0.1 and figure.presets["Adam stalls"] == figure.opening
    late = ways["Late in training: Adam leaps first"]
    assert late.argmax() == BEFORE and late[BEFORE] == pytest.approx(3.08, abs=0.01)
    assert (late[BEFORE + 20 :] < 1).all()                              # and is slow afterwards
    assert come(late)[-1] == pytest.approx(39.4, abs=0.05)              # of 41: hardly behind
    assert figure.presets["Late in training: Adam leaps first"]["spike"] == LATE
    np.testing.assert_allclose(ways["Adam, clipped: no stall"], 1, rtol=1e-6)
    alike = "All clipped alike: Adam sees no difference"
    np.testing.assert_allclose(ways[alike], ways["Adam, clipped: no stall"], rtol=1e-6)
    assert max(run(**figure.presets[alike])[0]) < 1                     # all of them, cut
