"""Chapter 4's ρ, σ and saturation: against numpy's svd and eigenvalues, in every state."""

import importlib
from itertools import product

import numpy as np
import pytest

from rnnlib.widgets.radius_and_norm import (
    ENTRIES,
    HALF,
    HEADS,
    PER_DECADE,
    PER_STEP,
    RADII,
    SLOPES,
    STEPS,
    jacobian,
    power_norms,
    told,
    verdict,
)

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.radius_and_norm")

STATES = list(product(RADII, ENTRIES, SLOPES))


@pytest.fixture(scope="module")
def figure():
    return module.radius_and_norm()


def shown(figure, rho, c, gamma):
    text, _ = figure.frame({"rho": rho, "c": c, "gamma": gamma})
    return text, figure.scene.artists


def largest(matrix):
    return np.linalg.svd(matrix, compute_uv=False)[0]


def radius(matrix):
    return np.abs(np.linalg.eigvals(matrix)).max()


@pytest.mark.parametrize(("rho", "c", "gamma"), [(0.9, 5, 1), (1.2, 3, 0.75), (0.5, 0, 0.25)])
def test_power_norms_are_numpys(rho, c, gamma):
    J = jacobian(rho, c, gamma)
    expected = [largest(np.linalg.matrix_power(J, n)) for n in range(STEPS + 1)]
    np.testing.assert_allclose(power_norms(rho, c, gamma), expected, rtol=1e-9)


def test_the_way_back_uses_the_transpose_and_has_the_same_norms():
    J = jacobian(0.9, 5)
    for n in (1, 9, 40):
        back = np.linalg.matrix_power(J.T, n)
        assert largest(back) == pytest.approx(power_norms(0.9, 5)[n])


def test_at_radius_nine_tenths_it_grows_19_fold_before_it_dies():
    norms = power_norms(0.9, 5)
    assert norms.argmax() == 9
    assert norms.max() == pytest.approx(19.4, abs=0.05)
    assert norms[104] >= 0.01 > norms[105] and (norms[105:] < 0.01).all()
    normal = power_norms(0.9, 0)
    assert normal[43] >= 0.01 > normal[44]


def test_guides_bound_the_norms_in_every_state():
    n = np.arange(1, STEPS + 1)
    for state in STATES:
        _, low, high = verdict(*state)
        norms = power_norms(*state)[1:]
        assert (norms <= high**n * (1 + 1e-9)).all() and (norms >= low**n * (1 - 1e-9)).all()
        assert low == pytest.approx(radius(jacobian(*state)), rel=1e-7)
        assert high == pytest.approx(largest(jacobian(*state)))


def test_in_the_end_the_norm_is_parallel_to_the_radius():
    norms = power_norms(0.9, 5, steps=1000)
    assert norms[1000] / norms[999] == pytest.approx(0.9, rel=2e-3)
    assert norms[2] / norms[1] > 1.7  # and not at first


def test_every_verdict_is_what_the_powers_do(figure):
    artists = figure.scene.artists
    for state in STATES:
        kind, low, high = verdict(*state)
        norms = power_norms(*state, steps=1000)
        falls = (np.diff(norms) < 1e-12).all()
        expected = (
            "kept" if np.allclose(norms, 1) else "shrinks" if falls and high < 1
            else "detour" if norms[-1] < 1e-9 else "linear" if norms[-1] < 1e4 else "explodes"
        )
        assert kind == expected, state
        text = module._update(artists, *state)  # without drawing: all 288
        assert artists["head"].get_text() == HEADS[kind]
        assert HEADS[kind] in text and told(*state) in text
        assert (len(artists["peak"].get_xdata()) == 1) == (kind == "detour")


@pytest.mark.parametrize(
    ("state", "kind"),
    [((0.7, 0.5, 1), "shrinks"), ((0.9, 0.5, 1), "detour"), ((0.95, 0, 1), "shrinks"),
     ((1, 0, 1), "kept"), ((1, 0.5, 1), "linear"), ((1.05, 0, 1), "explodes"),
     ((1.1, 0.5, 0.5), "shrinks"), ((1.2, 0.5, 0.75), "detour"), ((1.2, 5, 0.75), "detour")],
)
def test_verdicts_where_they_could_be_wrong(state, kind):
    assert verdict(*state)[0] == kind


def test_presets_keep_their_promises(figure):
    states = {name: (v["rho"], v["c"], v["gamma"]) for name, v in figure.presets.items()}
    assert (np.diff(power_norms(*states["Shrinks at every step"])) < 0).all()
    assert "up to 19.4 times as much after 9 steps" in told(*states["Grows 19-fold, then dies"])
    assert verdict(*states["Explodes"])[0] == "explodes"
    rho, c, gamma = states["Lower slopes: it vanishes"]
    assert (rho, c, 1) == states["Explodes"] and verdict(rho, c, gamma)[0] == "shrinks"


def test_a_slope_bound_is_sufficient_even_if_slopes_change():
    """γ σ(W) < 1, slopes drawn anew at each step from [0, γ]: every product stays below γⁿσⁿ."""
    rng, W, gamma = np.random.default_rng(0), jacobian(1.1, 0.5), 0.7
    assert gamma * largest(W) < 1 < radius(W)
    product_of = np.eye(2)
    for n in range(1, 40):
        product_of = np.diag(rng.uniform(0, gamma, 2)) @ W @ product_of
        assert largest(product_of) <= (gamma * largest(W)) ** n


def test_radius_below_one_is_not_enough_when_slopes_change():
    """The example of the chapter: saturation alone turns vanishing into exploding."""
    W = np.array([[1.5, -2.0], [1.5, -1.5]])
    first, second = np.diag([1, 0.5]) @ W, np.diag([0.5, 1]) @ W
    assert radius(W) == pytest.approx(0.866, abs=5e-4)
    assert radius(first) == pytest.approx(0.612, abs=5e-4) == radius(second)
    assert radius(first @ second) == pytest.approx(1.3995, abs=5e-5)
    fifty = np.linalg.matrix_power(first @ second, 25)
    assert largest(fifty) > 1e3 and largest(np.linalg.matrix_power(W, 50)) < 0.01


def test_a_random_direction_is_close_to_the_worst_case():
    J9 = np.linalg.matrix_power(jacobian(0.9, 5), 9)
    angles = np.linspace(0, 2 * np.pi, 1001)[:-1]
    lengths = np.linalg.norm(J9.T @ [np.cos(angles), np.sin(angles)], axis=0)
    assert lengths.max() == pytest.approx(19.4, abs=0.05)
    assert lengths.mean() == pytest.approx(12.34, abs=0.05)
    assert (lengths > 1).mean() > 0.95


def test_the_ellipse_is_the_image_of_the_circle(figure):
    for state in [(0.9, 2, 1), (1.2, 5, 0.5), (0.7, 0, 1)]:
        _, artists = shown(figure, *state)
        angles = np.linspace(0, 2 * np.pi, 41)
        x, y = jacobian(*state) @ [np.cos(angles), np.sin(angles)]
        image = artists["image"]
        turn = np.radians(image.get_angle())
        along = (np.cos(turn) * x + np.sin(turn) * y) / (image.get_width() / 2)
        across = (-np.sin(turn) * x + np.cos(turn) * y) / (image.get_height() / 2)
        np.testing.assert_allclose(along**2 + across**2, 1, rtol=1e-6)
        tip = [data[1] for data in artists["axis"].get_data()]
        assert np.linalg.norm(tip) == pytest.approx(largest(jacobian(*state)))
        assert artists["eigen"].get_xdata()[1] == pytest.approx(state[0] * state[2])


def test_the_curve_and_its_peak_are_where_they_belong(figure):
    _, artists = shown(figure, 0.9, 5, 1)
    heights = PER_DECADE * np.log10(power_norms(0.9, 5))
    drawn = np.interp(np.arange(STEPS + 1) * PER_STEP, *artists["norms"].get_data())
    np.testing.assert_allclose(drawn, heights, atol=0.71)
    assert artists["peak"].get_data()[0] == [9 * PER_STEP]
    assert artists["peak_label"].get_text() == "19.4 times at n = 9"
    x, y = artists["above"].get_data()
    assert y[1] / x[1] * PER_STEP / PER_DECADE == pytest.approx(np.log10(largest(jacobian(0.9, 5))))
    assert y[1] > HALF


def test_the_figure_survives_every_probe(figure):
    assert figure.states == len(STATES) == 288
    assert figure.drive() >= 2 + len(figure.presets)
    assert figure.scene.smallest_text() >= 9
