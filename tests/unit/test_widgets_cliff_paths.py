"""The paths at the cliff: every one again by torch, where they leave the map and come back."""

import importlib

import numpy as np
import pytest
import torch

from rnnlib.widgets.cliff import NONE, RATES, SHOWN, THRESHOLDS
from rnnlib.widgets.cliff_paths import (
    B_ENDS,
    FROM,
    LONG,
    UPDATES,
    W_ENDS,
    comes_back,
    descent,
    edge,
    fates,
    leaves_at,
    on_map,
    pieces,
    returns_after,
)
from rnnlib.widgets.wall import surface

paths = importlib.import_module("rnnlib.widgets.cliff_paths")


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
    long = descent(10.0, 0.1, SHOWN[-1])[0]
    assert on_map(long[184:]).all() and not on_map(long[21:184]).any()
    assert comes_back(long) == 184 and comes_back(long[:184]) is None


def test_pieces_are_the_path_on_the_map_with_a_gap_where_it_is_off():
    places = descent(10.0, 0.1, SHOWN[-1])[0]
    drawn = pieces(places)
    gap, = np.flatnonzero(np.isnan(drawn[:, 0]))
    out, back = edge(places[20], places[21]), edge(places[184], places[183])
    np.testing.assert_array_equal(drawn[:gap], [*places[:21], out])
    np.testing.assert_array_equal(drawn[gap + 1 :], [back, *places[184:]])
    assert out[1] == back[1] == B_ENDS[1]
    np.testing.assert_array_equal(pieces(places[:10]), places[:10])
    assert pieces(places[:0]).shape == (0, 2)


def test_returns_after_is_none_where_the_path_stays():
    assert returns_after(1.0, 0.1) is None


@pytest.mark.parametrize("lr", RATES)
@pytest.mark.parametrize("threshold", ["1", "0.1", "0.03"])
def test_up_to_a_threshold_of_one_all_updates_shown_stay_on_the_map(threshold, lr):
    places, _, _ = descent(float(threshold), float(lr), SHOWN[-1])
    assert leaves_at(places) is None and on_map(places).all()


def test_most_starts_of_the_wall_are_thrown_out_without_clipping_and_hardly_any_with():
    left, found = fates(None, 0.1)
    assert (left, found) == pytest.approx((0.679, 0.334), abs=0.01)
    assert fates(10, 0.1) == pytest.approx((0.676, 0.396), abs=0.01)
    assert fates(1, 0.1) == pytest.approx((0.012, 0.887), abs=0.01)
    assert fates(0.03, 0.1)[1] < 0.6                                    # too small: not there yet


def test_fates_follow_the_rule_of_descent(monkeypatch):
    ends = np.array([[4.65, 4.65001], [-2.1, -2.09999]])
    monkeypatch.setattr(paths, "WALL_W", tuple(ends[0]))
    monkeypatch.setattr(paths, "WALL_B", tuple(ends[1]))
    for threshold, lr in ((None, 0.1), (1.0, 0.1), (0.03, 0.1)):
        corners = [(w, b) for b in ends[1] for w in ends[0]]
        losses = [descent(threshold, lr, 19, start=each)[1][-1] for each in corners]
        assert fates(threshold, lr, updates=19, starts=2) == (1.0, np.mean(np.less(losses, 0.01)))


def test_edge_in_all_four_directions():
    inside = np.array([4.5, -2.2])
    for outside, at in (((9, -2.2), (W_ENDS[1], -2.2)), ((-9, -2.2), (W_ENDS[0], -2.2)),
                        ((4.5, 5), (4.5, B_ENDS[1])), ((4.5, -5), (4.5, B_ENDS[0]))):
        np.testing.assert_allclose(edge(inside, np.array(outside)), at)
