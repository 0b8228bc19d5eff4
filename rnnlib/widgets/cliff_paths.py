"""Paths of gradient descent at the cliff of `cliff`: where they go, leave its map and come back."""

from functools import cache

import numpy as np

from rnnlib.clipping import clip_by_norm, norm
from rnnlib.widgets.wall import B_ENDS as WALL_B
from rnnlib.widgets.wall import W_ENDS as WALL_W
from rnnlib.widgets.wall import surface

FROM = (4.65, -2.1)  # w and b of update 0, on the plain before the cliff
UPDATES = 49
LONG = 300  # updates in which a path that was thrown out may come back
W_ENDS, B_ENDS = (4.32, 4.76), (-2.47, -2.03)  # of the map


@cache
def descent(threshold, lr, updates=UPDATES, start=FROM):
    """Return the places (n + 1, 2), losses (n + 1,) and gradient norms (n + 1,) of n updates.

    threshold: v as a number, or None for no clipping. The norms are those before clipping.
    """
    places, losses, norms = np.empty((updates + 1, 2)), np.empty(updates + 1), np.empty(updates + 1)
    theta = np.array(start, dtype=float)
    for n in range(updates + 1):
        losses[n], *gradient = surface(*theta)
        g = np.array(gradient)
        places[n], norms[n] = theta, norm(g)
        theta = theta - lr * (g if threshold is None else clip_by_norm(g, threshold)[0])
    return places, losses, norms


def on_map(places):
    """Tell which of the places (..., 2) lie on the map."""
    w, b = places[..., 0], places[..., 1]
    return (W_ENDS[0] <= w) & (w <= W_ENDS[1]) & (B_ENDS[0] <= b) & (b <= B_ENDS[1])


def leaves_at(places):
    """Return the first update that ends off the map, or None."""
    off = ~on_map(places)
    return int(off.argmax()) if off.any() else None


def comes_back(places):
    """Return the first update after the path left the map that ends on it again, or None."""
    left = leaves_at(places)
    if left is None or not on_map(places[left:]).any():
        return None
    return left + int(on_map(places[left:]).argmax())


@cache
def returns_after(threshold, lr):
    """Return how many updates after leaving the map the path is on it again, or None.

    None too if it does not leave, or is still off after `LONG` updates more.
    """
    left = leaves_at(descent(threshold, lr)[0])
    back = None if left is None else comes_back(descent(threshold, lr, left + LONG)[0])
    return None if back is None else back - left


def fates(threshold, lr, updates=200, starts=41):
    """Return the shares of starts whose path leaves the map of `wall`, and that end below L = 0.01.

    The starts are 41 × 41 points spread evenly over that map, its edges included.
    """
    ends = np.array([WALL_W, WALL_B])
    theta = np.stack(np.meshgrid(*(np.linspace(*end, starts) for end in ends))).reshape(2, -1)
    low, high = ends[:, :1], ends[:, 1:]
    left = np.zeros(theta.shape[1], bool)
    for _ in range(updates):
        g = np.stack(surface(*theta)[1:])
        norms = np.linalg.norm(g, axis=0)
        share = 1 if threshold is None else threshold / np.maximum(norms, threshold)
        theta = theta - lr * share * g
        left |= ((theta < low) | (theta > high)).any(axis=0)
    return float(left.mean()), float((surface(*theta)[0] < 0.01).mean())


def edge(inside, outside):
    """Return where the way from a place on the map to one off it crosses the map's edge."""
    ends = np.array([W_ENDS, B_ENDS])
    way = outside - inside
    goal = np.where(way > 0, ends[:, 1], ends[:, 0])
    with np.errstate(divide="ignore"):
        share = np.where(way == 0, np.inf, (goal - inside) / way).min()
    return inside + share * way


def pieces(places):
    """Return the parts of a path (n, 2) on the map, cut at its edge, a row of nan between two."""
    on, parts = on_map(places), []
    for n, place in enumerate(places):
        if n and on[n] != on[n - 1]:
            inside, outside = (place, places[n - 1]) if on[n] else (places[n - 1], place)
            parts += [np.full(2, np.nan)] * bool(on[n] and parts) + [edge(inside, outside)]
        if on[n]:
            parts.append(place)
    return np.array(parts).reshape(-1, 2)
