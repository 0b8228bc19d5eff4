"""The backward walk: on screen is what rnnlib computes, and it can be computed again by hand."""

import gzip
import importlib
import re

import numpy as np
import pytest

from rnnlib import RNNCell, backward, forward

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.backward_walk")

STATES = [(w, every) for w in module.SCALES for every in (False, True)]
STEPS = range(1, module.STEPS + 1)


@pytest.fixture(scope="module")
def figure():
    return module.backward_walk()


def matrices(w, every, k):
    return {name: values for name, (_, values) in module.numbers(w, every, k).items()}


def test_every_state_draws_and_fits_the_page(figure):
    assert figure.drive() > len(figure.presets) >= 2
    assert len(gzip.compress(figure.bake().encode())) < 70_000
    assert figure.scene.smallest_text() >= 9


@pytest.mark.parametrize(("w", "every"), STATES)
def test_at_step_1_the_running_sum_is_the_gradient_of_backward(w, every):
    cell = RNNCell(np.array([[0.2], [-0.1]]), module.SCALES[w] * module.ROTATION, np.zeros(2))
    xs = np.array([1, -1, 0, 1, 0, -1.0])[:, None, None]
    trace = forward(cell, xs, np.array([[-0.1, 0.1]]))
    dhs = np.ones_like(trace.h) if every else np.zeros_like(trace.h)
    dhs[-1] = 1
    _, dcell = backward(cell, trace, dhs)
    np.testing.assert_allclose(matrices(w, every, 1)["dW"], dcell.W, rtol=0, atol=1e-12)
    assert np.abs(matrices(w, every, 2)["dW"] - dcell.W).max() > 1e-3   # and not before


@pytest.mark.parametrize(("w", "every"), STATES)
@pytest.mark.parametrize("k", STEPS)
def test_each_number_follows_from_those_beside_it(w, every, k):
    at = matrices(w, every, k)
    np.testing.assert_allclose(at["da"], at["slope"] * at["dh"], atol=1e-14)
    np.testing.assert_allclose(at["next"], at["W"] @ at["da"] + at["own"], atol=1e-14)
    np.testing.assert_allclose(at["next"], at["J"].T @ at["dh"] + at["own"], atol=1e-14)
    np.testing.assert_allclose(at["J"], np.diag(at["slope"]) @ at["W"].T, atol=1e-14)
    np.testing.assert_allclose(at["dW"], at["before"] + at["item"], atol=1e-14)
    h_prev = module.walk(w)[0].h_prev[k - 1, 0]
    np.testing.assert_allclose(at["item"], np.outer(at["da"], h_prev), atol=1e-14)
    if k > 1:
        np.testing.assert_array_equal(at["next"], matrices(w, every, k - 1)["dh"])
        np.testing.assert_allclose(at["dW"], matrices(w, every, k - 1)["before"], atol=1e-14)


@pytest.mark.parametrize("w", module.SCALES)
def test_the_jacobian_is_what_finite_differences_say(w):
    cell, h = module.walk(w)[0].cell, module.walk(w)[0].h_prev[3]
    x, tiny = np.array([[[module.X[3]]]], float), 1e-6
    columns = [
        (forward(cell, x, h + tiny * e).h[0, 0] - forward(cell, x, h - tiny * e).h[0, 0]) / 2 / tiny
        for e in np.eye(2)
    ]
    np.testing.assert_allclose(module.jacobian(w, 4), np.stack(columns, axis=1), atol=1e-9)


def read(texts):
    return [float(text.get_text().replace("−", "-")) for text in texts]


def test_the_numbers_drawn_are_those_numbers(figure):
    for k in STEPS:
        figure.frame({"back": module.STEPS - k, "w": module.GROWS, "every": True})
        for name, values in matrices(module.GROWS, True, k).items():
            drawn = read(figure.scene.artists[name]["numbers"])
            np.testing.assert_allclose(drawn, np.ravel(values), rtol=0, atol=0.0051)
        for t, matrix in enumerate(figure.scene.artists["dhs"], 1):
            assert all(number.get_visible() == (t >= k) for number in matrix["numbers"])
            expected = module.gradients(module.GROWS, True)[t]
            np.testing.assert_allclose(read(matrix["numbers"]), expected, rtol=0, atol=0.0051)


def test_three_decimals_are_enough_for_a_pocket_calculator(figure):
    """What is printed is computed again from what else is printed."""
    for k in STEPS:
        figure.frame({"back": module.STEPS - k, "w": module.HOLDS, "every": False})
        names = ("dh", "slope", "da", "W", "own", "next", "J", "before", "item", "dW")
        at = {n: np.array(read(figure.scene.artists[n]["numbers"])) for n in names}
        np.testing.assert_allclose(at["slope"] * at["dh"], at["da"], rtol=0, atol=0.002)
        again = at["J"].reshape(2, 2).T @ at["dh"] + at["own"]
        np.testing.assert_allclose(again, at["next"], rtol=0, atol=0.003)
        np.testing.assert_allclose(at["before"] + at["item"], at["dW"], rtol=0, atol=0.0016)


def test_no_number_is_wider_than_its_cell(figure):
    for w, every in STATES:
        for k in STEPS:
            figure.frame({"back": module.STEPS - k, "w": w, "every": every})
            texts = [n for name in module.MATRICES for n in figure.scene.artists[name]["numbers"]]
            assert max(len(text.get_text().lstrip("−")) for text in texts) <= 5


def test_the_way_back_lights_only_what_it_has_visited(figure):
    figure.frame({"back": 2, "w": module.HOLDS, "every": False})
    artists = figure.scene.artists
    assert [line.get_visible() for line, _ in artists["passed"]] == [False] * 3 + [True] * 2
    assert [line.get_visible() for line, _ in artists["losses"]] == [False] * 5 + [True]
    assert len(artists["rings"].get_xdata()) == 3
    assert not artists["complete"].get_visible()
    figure.frame({"back": 5, "w": module.HOLDS, "every": True})
    assert all(line.get_visible() for line, _ in artists["losses"])
    assert artists["complete"].get_visible()


def test_the_chain_in_words():
    assert module.chain(4) == "dh₄ = J₅ᵀ J₆ᵀ dh₆"
    assert module.chain(6) == module.chain(6, every=True) == "dh₆ = e₆"
    assert module.chain(3, every=True) == "dh₃ = e₃ + J₄ᵀ (e₄ + J₅ᵀ (e₅ + J₆ᵀ e₆))"


def test_w_does_what_its_name_says():
    first = {w: np.linalg.norm(module.gradients(w)[1]) for w in module.SCALES}
    last = np.sqrt(2)
    assert first[module.SHRINKS] < last / 20
    assert 0.8 * last < first[module.HOLDS] < last
    assert first[module.GROWS] > 3 * last


@pytest.mark.parametrize(("w", "every"), STATES)
def test_the_sentence_has_the_length_of_the_gradient(figure, w, every):
    for k in STEPS:
        text, _ = figure.frame({"back": module.STEPS - k, "w": w, "every": every})
        length = np.linalg.norm(module.walk(w, every)[1].h[k - 1, 0])
        assert float(re.search(r"length (\d+\.\d\d)", text)[1]) == pytest.approx(length, abs=0.006)
        assert ("it is the whole gradient" in text) == (k == 1)
