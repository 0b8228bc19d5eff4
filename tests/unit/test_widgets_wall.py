"""The wall: its gradient is right, the cliff is where trajectories part, the figure says so."""

import gzip

import numpy as np
import pytest
import torch

from rnnlib.widgets.wall import (
    B_ENDS,
    DRAWN,
    FORK,
    SHADES,
    STEPS,
    W_ENDS,
    cliff_at,
    heights,
    steepness,
    surface,
    trajectory,
    wall,
)

POINTS = np.random.default_rng(0).uniform([3, -3.5], [6, -1], (40, 2)).T


@pytest.fixture(scope="module")
def figure():
    return wall()


def test_figure_draws_everywhere_and_fits_the_page(figure):
    assert figure.drive() > len(figure.presets) >= 3
    assert len(gzip.compress(figure.bake().encode())) < 75_000
    assert figure.scene.smallest_text() >= 9
    assert 4.7 in figure.controls["w"].values and -2.4 in figure.controls["b"].values


def test_the_recurrence_starts_at_one_half_and_takes_fifty_steps():
    xs = trajectory(4.7, -2.4)
    assert xs.shape == (51,) and xs[0] == 0.5
    np.testing.assert_allclose(xs[1:], 4.7 / (1 + np.exp(-xs[:-1])) - 2.4, rtol=1e-14)
    np.testing.assert_array_equal(trajectory(*POINTS)[:, 7], trajectory(*POINTS[:, 7]))


def test_the_loss_is_the_squared_distance_of_the_squashed_end_to_seven_tenths():
    end = 1 / (1 + np.exp(-trajectory(*POINTS)[-1]))
    np.testing.assert_allclose(surface(*POINTS)[0], (end - 0.7) ** 2, rtol=1e-12)


def test_surface_has_the_slopes_of_central_differences():
    w, b = POINTS
    _, dw, db = surface(w, b)
    h = 1e-6
    along_w = (surface(w + h, b)[0] - surface(w - h, b)[0]) / (2 * h)
    along_b = (surface(w, b + h)[0] - surface(w, b - h)[0]) / (2 * h)
    np.testing.assert_allclose(dw, along_w, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(db, along_b, rtol=1e-5, atol=1e-9)


def test_surface_has_the_slopes_of_torch_on_the_cliff_too():
    on_it = np.array([4.3, 4.9, 5.5])
    values = np.concatenate([POINTS, [on_it, cliff_at(on_it) + 1e-4]], axis=1)
    w, b = (torch.tensor(v, requires_grad=True) for v in values)
    x = torch.full_like(w, 0.5)
    for _ in range(STEPS):
        x = w * torch.sigmoid(x) + b
    loss = (torch.sigmoid(x) - 0.7) ** 2
    expected = torch.autograd.grad(loss.sum(), (w, b))
    got = surface(*values)
    np.testing.assert_allclose(got[0], loss.detach(), rtol=1e-8, atol=1e-14)
    for ours, theirs in zip(got[1:], expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-14)


@pytest.mark.parametrize("w", [4.5, 4.9, 5.4])
def test_above_the_fork_trajectories_part_at_the_cliff(w):
    assert w > FORK
    below, on, above = trajectory(w, cliff_at(w) + np.array([-0.02, 0, 0.02]))[-1]
    assert below < -1 < 0.49 < on < 0.51 < 0.9 < above
    assert steepness(w, cliff_at(w)) > 20 * steepness(w, cliff_at(w) + np.array([-0.1, 0.1])).max()


def test_below_the_fork_there_is_no_cliff():
    assert pytest.approx(4.2553, abs=1e-4) == FORK
    assert steepness(3.8, cliff_at(3.8)) < 3
    assert np.ptp(trajectory(3.8, cliff_at(3.8) + np.array([-0.02, 0.02]))[-1]) < 1


def test_the_map_shows_the_cliff_where_it_is_and_the_plains_flat():
    largest = heights()
    assert largest.shape == (SHADES, SHADES)
    column = int((5.2 - W_ENDS[0]) / (W_ENDS[1] - W_ENDS[0]) * SHADES)
    row = largest[:, column].argmax()
    low = B_ENDS[0] + row * (B_ENDS[1] - B_ENDS[0]) / SHADES
    assert low - 0.03 < cliff_at(5.2) < low + 0.05
    assert largest[row, column] > 1000 and np.median(largest) < 0.2


def test_one_step_of_a_slider_leads_from_the_cliff_to_the_plain(figure):
    cliff_norm, beyond = (steepness(**figure.presets[n]) for n in ("On the cliff",
                                                                   "Beside the cliff"))
    assert cliff_norm > 20 and beyond < 0.5
    difference = figure.presets["On the cliff"]["w"] - figure.presets["Beside the cliff"]["w"]
    assert difference == pytest.approx(figure.controls["w"].step)


def test_the_sentence_tells_loss_gradient_and_ends(figure):
    text, _ = figure.frame({"w": 4.9, "b": -2.55})
    loss, dw, db = surface(4.9, -2.55)
    assert f"loss {loss:.2g}, gradient norm {np.hypot(dw, db):.2g}" in text
    assert text.endswith("A step of 0.05 in w decides where: −1.94 with less, 1.49 with more.")
    assert "decides" not in figure.frame(figure.presets["On the plain"])[0]


def test_marker_slice_and_trajectory_are_at_the_point(figure):
    figure.frame({"w": 4.4, "b": -2.2})
    artists = figure.scene.artists
    assert artists["here"].get_xydata().tolist() == [[4.4, -2.2]]
    (at,) = artists["slice here"].get_xydata()
    xs, losses = artists["slice"].get_data()
    assert at[0] == 4.4 and at[1] == pytest.approx(np.interp(4.4, xs, losses), abs=1e-3)
    np.testing.assert_allclose(artists["x"].get_ydata(), trajectory(4.4, -2.2)[DRAWN])
    np.testing.assert_allclose(artists["less"].get_ydata(), trajectory(4.35, -2.2)[DRAWN])
    heights_of_labels = [label.get_position()[1] for label in artists["labels"]]
    assert min(np.diff(heights_of_labels)) > 0.7
