"""Chapter 4's gradient norms: numbers against rnnlib, torch and algebra, verdicts, drawing."""

import importlib
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from rnnlib import backward, forward, results, style
from rnnlib.widgets.gradient_norms import (
    COARSE,
    FATES,
    HALF,
    PER_DECADE,
    PER_STEP,
    SEEDS,
    STEPS,
    TORCH,
    UNITS,
    all_norms,
    amount,
    fate,
    network,
    norms,
    thinned,
    torch_median,
    votes,
)

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "experiments"))
import gradient_torch  # noqa: E402

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.gradient_norms")

RHOS = [round(0.5 + 0.05 * i, 2) for i in range(21)]
LENGTHS = (10, 25, 50, 100)
ACTIVATIONS = ("tanh", "relu", "identity")


@pytest.fixture(scope="module")
def figure():
    return module.gradient_norms()


def shown(figure, **values):
    text, _ = figure.frame(values)
    return text, figure.scene.artists


def median(rho, activation, length=STEPS):
    return float(np.median(all_norms(rho, activation)[:, length]))


# --- numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_norms_are_those_of_the_jacobians_multiplied_out(activation):
    cell, xs, dh_end = network(1.1, activation, seed=4)
    h, dh, expected = forward(cell, xs).h[:, 0], dh_end[0], [1.0]
    for h_t in h[::-1]:
        slope = {"tanh": 1 - h_t**2, "relu": h_t > 0, "identity": np.ones(UNITS)}[activation]
        dh = cell.W.T @ (slope * dh)
        expected.append(np.linalg.norm(dh))
    np.testing.assert_allclose(norms(1.1, activation, seed=4), expected, rtol=1e-10)


def test_the_norms_are_those_of_backward_and_a_short_length_is_their_beginning():
    cell, xs, dh_end = network(0.9, "tanh", seed=2)
    dtrace, _ = backward(cell, forward(cell, xs), dh_end=dh_end)
    ours = norms(0.9, "tanh", 25, seed=2)
    assert ours.shape == (26,) and ours[0] == pytest.approx(1)
    for n in (0, 1, 25):
        assert ours[n] == pytest.approx(np.linalg.norm(dtrace.h[STEPS - 1 - n]), rel=1e-12, abs=0)
    assert norms(0.9, "tanh", seed=2)[STEPS] == pytest.approx(np.linalg.norm(dtrace.state))


def test_a_short_length_is_a_sequence_of_its_own_begun_from_the_state_by_then():
    cell, xs, dh_end = network(1.3, "tanh", seed=1)
    before = forward(cell, xs[:75])
    dtrace, _ = backward(cell, forward(cell, xs[75:], before.last), dh_end=dh_end)
    assert norms(1.3, "tanh", 25, seed=1)[25] == pytest.approx(np.linalg.norm(dtrace.state))


@pytest.mark.parametrize("start", ["gaussian", "orthogonal"])
@pytest.mark.parametrize("rho", [0.5, 1, 1.5])
def test_rho_is_the_spectral_radius_and_the_rest_stays(rho, start):
    cell, xs, dh_end = network(rho, "relu", 3, start)
    assert np.abs(np.linalg.eigvals(cell.W)).max() == pytest.approx(rho)
    assert np.linalg.norm(cell.U) == pytest.approx(1) == np.linalg.norm(dh_end)
    other, same_xs, _ = network(0.7, "tanh", 3, start)
    np.testing.assert_array_equal(xs, same_xs)
    np.testing.assert_allclose(cell.W / rho, other.W / 0.7)


def test_identity_follows_rho_exactly_when_orthogonal_and_in_the_end_when_gaussian():
    np.testing.assert_allclose(
        norms(1.2, "identity", start="orthogonal"), 1.2 ** np.arange(STEPS + 1), rtol=1e-9
    )
    each = all_norms(1.2, "identity")
    # Two eigenvalues of nearly the same size turn round each other for long: hence 3%, not 0.
    np.testing.assert_allclose((each[:, 100] / each[:, 60]) ** (1 / 40), 1.2, rtol=0.03)


def test_torchs_numbers_are_ours():
    rows = results.load("gradient_torch")
    assert len(rows) == len(SEEDS) * (STEPS + 1)
    assert {(row["activation"], row["rho"]) for row in rows} == {("tanh", 0.9)}
    for seed in SEEDS:
        mine = results.find(rows, seed=seed, **TORCH)
        assert [row["step"] for row in mine] == list(range(STEPS + 1))
        np.testing.assert_allclose(
            [row["norm"] for row in mine], norms(**TORCH, seed=seed), rtol=1e-10
        )
    np.testing.assert_allclose(torch_median(), np.median(all_norms(**TORCH), axis=0), rtol=1e-10)


def test_torchs_file_is_what_its_script_writes(tmp_path):
    """Autograd again, for one network: the stored numbers come from it and not from ours."""
    again = gradient_torch.autograd_norms(*network(**TORCH, seed=5))
    kept = [r["norm"] for r in results.find(results.load("gradient_torch"), seed=5)]
    np.testing.assert_allclose(kept, again, rtol=1e-12)


# --- what is said -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arriving", "name"),
    [(1e-9, "vanishes"), (0.0099, "vanishes"), (0.01, "holds"), (100, "holds"),
     (101, "explodes"), (1e9, "explodes")],
)
def test_fates(arriving, name):
    assert fate(arriving) == name


@pytest.mark.parametrize(
    ("arriving", "text"),
    [(3.4e-10, "3·10⁻¹⁰ of it"), (9.7e-6, "10⁻⁵ of it"), (2.26e-4, "0.023% of it"),
     (0.127, "13% of it"), (1.0, "all of it"), (1.42, "1.4 times as much"),
     (134.8, "135 times as much"), (2010.0, "2,000 times as much"), (6.3e8, "6·10⁸ times as much")],
)
def test_amounts(arriving, text):
    assert amount(arriving) == text


@pytest.mark.parametrize(
    ("rho", "activation", "length", "name"),
    [
        (0.9, "tanh", 100, "vanishes"), (0.9, "tanh", 10, "holds"), (1.0, "tanh", 100, "vanishes"),
        (1.5, "tanh", 100, "holds"), (1.0, "identity", 100, "holds"),
        (0.95, "identity", 100, "vanishes"), (1.05, "identity", 100, "holds"),
        (1.1, "identity", 100, "explodes"), (1.2, "identity", 10, "holds"),
        (1.0, "relu", 100, "vanishes"), (1.5, "relu", 100, "vanishes"), (1.5, "relu", 50, "holds"),
    ],
)
def test_verdicts_where_they_could_be_wrong(figure, rho, activation, length, name):
    text, artists = shown(figure, rho=rho, activation=activation, length=length)
    assert artists["head"].get_text() == f"It {name}"
    assert f"the gradient {name}: {length} steps back" in text
    bold = [key for key, zone in artists["zones"].items() if zone.get_weight() == "bold"]
    assert bold == [name]


def test_every_verdict_agrees_with_its_number_and_with_most_networks(figure):
    artists = figure.scene.artists
    for rho, activation, length in product(RHOS, ACTIVATIONS, LENGTHS):
        text = module._update(artists, rho, activation, length)  # without drawing: all 252
        arrives = median(rho, activation, length)
        name = "vanishes" if arrives < 0.01 else "explodes" if arrives > 100 else "holds"
        assert artists["head"].get_text() == f"It {name}"
        assert artists["told"].get_text() == f"{amount(arrives)} arrives after {length} steps"
        assert f"{amount(arrives)} arrives, where ρⁿ would leave {amount(rho**length)}" in text
        assert not (name == "vanishes" and amount(arrives) == "1% of it")
        assert ("torch" in text) == (rho == 0.9 and activation == "tanh")


def test_votes_count_every_network():
    assert votes([0.5] * 11) == "holds in each of 11 random networks"
    assert votes([1e-5, 1e3, 1, 1]) == "vanishes in 1, holds in 2, explodes in 1 of 4 networks"
    counted = votes(all_norms(1.5, "relu")[:, 100])
    assert counted == "vanishes in 7, holds in 3, explodes in 1 of 11 networks"


def test_presets_keep_their_promises(figure):
    for promise, name in (("It vanishes", "vanishes"), ("It holds", "holds"),
                          ("It explodes", "explodes"), ("ρ = 1.5, yet no explosion", "holds")):
        values = figure.presets[promise]
        assert fate(median(values["rho"], values["activation"], values["length"])) == name
    calm = figure.presets["ρ = 1.5, yet no explosion"]
    assert calm["rho"] == 1.5 and all_norms(1.5, "tanh").max() < 100 < 1e17 < 1.5**100
    luck = all_norms(1.5, "relu")[:, 100]
    assert {fate(value) for value in luck} == set(FATES)


def test_the_numbers_of_the_prose():
    assert 0.9**44 < 0.01 < 0.9**43
    assert [round(r**100, 4) for r in (0.95, 1.05)] == [0.0059, 131.5013]
    assert median(1.5, "tanh") ** (1 / STEPS) == pytest.approx(0.979, abs=5e-4)
    assert (median(1, "relu") ** (1 / STEPS)) == pytest.approx(0.641, abs=5e-4)
    on = [(forward(*network(1, "relu", seed)[:2]).h > 0).mean() for seed in SEEDS]
    assert np.mean(on) == pytest.approx(0.50, abs=0.01)


@pytest.mark.parametrize(
    ("rho", "activation", "gaussian", "orthogonal"),
    [(1, "tanh", 2.7e-6, 1.0e-5), (1.5, "tanh", 0.12, 180), (1, "relu", 4.5e-20, 5.1e-17),
     (1.5, "relu", 1.8e-4, 2.1), (1, "identity", 0.125, 1)],
)
def test_what_an_orthogonal_start_brings_at_the_same_radius(rho, activation, gaussian, orthogonal):
    """Medians of 11 networks, 100 steps back."""
    turned = np.median([norms(rho, activation, 100, s, "orthogonal")[100] for s in SEEDS])
    assert median(rho, activation) == pytest.approx(gaussian, rel=0.03, abs=0)
    assert turned == pytest.approx(orthogonal, rel=0.03, abs=0)


# --- what is drawn ----------------------------------------------------------------------------


def test_the_figure_survives_every_probe_and_every_state_has_the_same_axes(figure):
    assert figure.states == 252
    assert figure.drive() >= 2 + len(figure.presets)
    assert figure.scene.smallest_text() >= 9
    (ax,) = figure.scene.figure.axes
    assert ax.get_xlim() == (0, STEPS * PER_STEP)
    assert ax.get_ylim() == (-12 * PER_DECADE, 12 * PER_DECADE)


def test_lines_are_the_norms_within_what_can_be_seen(figure):
    _, artists = shown(figure, rho=1.1, activation="tanh", length=50)
    x, y = artists["thin"].get_data()
    ends = np.flatnonzero(np.isnan(x))
    assert len(ends) == len(SEEDS) and artists["thin"].get_color() == style.GRAD
    steps, first = np.arange(STEPS + 1) * PER_STEP, 0
    for end, each in zip(ends, all_norms(1.1, "tanh"), strict=True):
        drawn = np.interp(steps, x[first:end], y[first:end])
        np.testing.assert_allclose(drawn, PER_DECADE * np.log10(each), atol=COARSE + 0.1)
        first = end + 1
    assert artists["guide"].get_ydata()[1] == pytest.approx(PER_DECADE * 100 * np.log10(1.1))
    assert artists["curtain"].get_x() == 50 * PER_STEP


def test_thinning_keeps_ends_and_corners():
    heights = np.concatenate([np.zeros(20), np.arange(30.0)])
    line = thinned(heights, 2)
    assert line.tolist() == [[0, 0], [40, 0], [98, 29]]


@pytest.mark.parametrize(
    ("rho", "activation", "marker", "step"),
    [(0.9, "tanh", "o", 100), (0.5, "tanh", "v", 35), (1.5, "identity", "^", 74)],
)
def test_an_arrow_says_where_the_line_leaves_the_picture(figure, rho, activation, marker, step):
    text, artists = shown(figure, rho=rho, activation=activation, length=100)
    end = artists["end"]
    assert end.get_marker() == marker and end.get_xdata() == [step * PER_STEP]
    assert ("leaves the picture" in text) == (marker != "o")
    if marker != "o":
        assert f"at step {step}." in text and abs(end.get_ydata()[0]) == pytest.approx(HALF)
        inside = median(rho, activation, step - 1)
        assert 1e-12 < inside < 1e12 and not 1e-12 < median(rho, activation, step) < 1e12


def test_rings_are_torchs_and_stand_on_the_line_at_one_setting_only(figure):
    _, artists = shown(figure, length=50, **TORCH)
    rings = artists["rings"]
    assert rings.get_fillstyle() == "none" and len(rings.get_xdata()) == 10
    np.testing.assert_allclose(
        rings.get_ydata(), PER_DECADE * np.log10([median(0.9, "tanh", n)
                                                 for n in range(10, 101, 10)])
    )
    assert "torch" in artists["key"].get_text()
    for other in ({"rho": 0.85, "activation": "tanh"}, {"rho": 0.9, "activation": "relu"}):
        _, artists = shown(figure, length=50, **other)
        assert len(artists["rings"].get_xdata()) == 0 and not artists["key"].get_text()
