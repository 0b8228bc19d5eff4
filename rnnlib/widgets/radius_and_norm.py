"""Spectral radius, largest singular value, saturation: which of them decides, and when."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.patches import Ellipse

from rnnlib import live, style

from .gradient_norms import amount, thinned

STEPS = 120
RADII = (0.5, 0.7, 0.8, 0.9, 0.95, 1, 1.05, 1.1, 1.2)
ENTRIES = (0, 0.5, 1, 1.5, 2, 3, 4, 5)
SLOPES = (0.25, 0.5, 0.75, 1)
GONE = 0.01
WIDTH, HEIGHT, LEFT = 461, 400, 46
UNIT, PER_STEP, PER_DECADE = 36, 2.65, 21  # SVG units: a vector of length 1, a step, a factor of 10
SPAN, HALF = STEPS * PER_STEP, 4 * PER_DECADE  # the lower picture shows 10⁻⁴ to 10⁴
TOP, BOTTOM = 100, 2 * HALF  # heights of the two pictures
HEADS = {
    "shrinks": "σ < 1: must vanish, at every step",
    "detour": "σ > 1 > ρ: may grow first, then vanishes",
    "explodes": "ρ > 1: explodes in the end",
    "kept": "σ = ρ = 1: keeps its length",
    "linear": "σ > 1 = ρ: can grow, in proportion to n",
}


def radius_and_norm():
    """‖Jⁿ‖, the most that n steps can do to a gradient, for J = γ W, W = [[ρ, c], [0, ρ]].

        ρ(J)ⁿ <= ‖Jⁿ‖ <= σ(J)ⁿ,    ρ(J) = γ ρ,    σ(J) = γ (c + √(c² + 4ρ²)) / 2

    σ(J) = ‖J‖ is the largest singular value, γ the slope of all units. A slope of tanh is at most
    1, and γ < 1 where units are saturated. The way back multiplies by Jᵀ, whose powers have the
    same norms. σ(J) < 1 is sufficient for vanishing, and σ(J) > 1 necessary for exploding, even
    if the slopes change from step to step (Pascanu et al. 2013, section 2.1); what ρ(J) says
    holds in the end, and as long as J stays the same.
    """
    return live.LiveFigure(
        _setup,
        _update,
        title="Spectral radius, largest singular value, saturation",
        controls={
            "rho": live.Range("spectral radius ρ of W", values=RADII, value=0.9),
            "c": live.Range("c, the entry beside the diagonal", values=ENTRIES, value=2),
            "gamma": live.Range("slope γ of the activation", values=SLOPES, value=1),
        },
        presets={
            "Shrinks at every step": {"rho": 0.7, "c": 0.5, "gamma": 1},
            "Grows 19-fold, then dies": {"rho": 0.9, "c": 5, "gamma": 1},
            "Explodes": {"rho": 1.1, "c": 0.5, "gamma": 1},
            "Lower slopes: it vanishes": {"rho": 1.1, "c": 0.5, "gamma": 0.5},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


def jacobian(rho, c, gamma=1.0):
    """Return J = γ [[ρ, c], [0, ρ]]: one step of the way back of two units with slopes γ."""
    return gamma * np.array([[rho, c], [0.0, rho]])


@cache
def power_norms(rho, c, gamma=1.0, steps=STEPS):
    """Return ‖Jⁿ‖, the largest singular value of Jⁿ, for n = 0 .. `steps`.

        Jⁿ = [[d, e], [0, d]],   d = (γρ)ⁿ,   e = n γⁿ ρⁿ⁻¹ c,   ‖Jⁿ‖ = (e + √(e² + 4d²)) / 2
    """
    n = np.arange(steps + 1)
    d = (gamma * rho) ** n
    e = n * d * c / rho
    return (e + np.sqrt(e**2 + 4 * d**2)) / 2


def verdict(rho, c, gamma=1.0):
    """Return (kind, ρ(J), σ(J)); kind is a key of HEADS."""
    radius, sigma = gamma * rho, float(power_norms(rho, c, gamma)[1])
    if abs(radius - 1) < 1e-9:
        return ("kept" if c == 0 else "linear"), radius, sigma
    if radius > 1:
        return "explodes", radius, sigma
    return ("shrinks" if sigma < 1 else "detour"), radius, sigma


def _setup():
    fig = plt.figure(figsize=(WIDTH / 72, HEIGHT / 72))
    plane = fig.add_axes((0, 1 - (TOP + 56) / HEIGHT, 1, TOP / HEIGHT))
    reach = np.array([-WIDTH, WIDTH]) / 2 / UNIT
    plane.set(xlim=reach, ylim=np.array([-TOP, TOP]) / 2 / UNIT)
    plane.set_axis_off()
    steps = fig.add_axes((LEFT / WIDTH, 38 / HEIGHT, SPAN / WIDTH, BOTTOM / HEIGHT))
    steps.set(xlim=(0, SPAN), ylim=(-HALF, HALF), xlabel="steps back, n")
    steps.set_xticks(np.arange(0, STEPS + 1, 20) * PER_STEP, range(0, STEPS + 1, 20))
    decades = {-4: "10⁻⁴", -2: "1%", 0: "1", 2: "100", 4: "10⁴"}
    steps.set_yticks(np.array(list(decades)) * PER_DECADE, decades.values())
    steps.axhline(0, color=style.MUTED, linewidth=0.8)
    place = {"x": 4 / WIDTH, "transform": fig.transFigure}
    fig.text(y=1 - 54 / HEIGHT, s="Vectors of length 1 (dashed), and one step later", **place)
    fig.text(y=(BOTTOM + 48) / HEIGHT, s="The most that n steps can do, ‖Jⁿ‖", **place)
    head = fig.text(4 / WIDTH, 1 - 17 / HEIGHT, "", fontsize=15, weight="bold")
    told = fig.text(4 / WIDTH, 1 - 35 / HEIGHT, "", fontsize=10.5)
    return fig, {"head": head, "told": told} | _draw_plane(plane) | _draw_steps(steps)


def _draw_plane(ax):
    image = Ellipse((0, 0), 1, 1, facecolor=to_rgba(style.GRAD, 0.15), edgecolor=style.GRAD, lw=2.2)
    ax.add_patch(image)
    ax.add_patch(Ellipse((0, 0), 2, 2, fill=False, edgecolor=style.INK, lw=1.2, ls=(0, (4, 2.5))))
    (axis,) = ax.plot([], [], color=style.GRAD, linewidth=1.6)
    (eigen,) = ax.plot([], [], color=style.INK, linewidth=1.6, marker="x", markevery=[1])
    eigen.set(markersize=8, markeredgewidth=2.2)
    x, y = WIDTH / 2 / UNIT - 0.1, TOP / 2 / UNIT
    sigma = ax.text(-x, y - 0.75, "", fontsize=12, weight="bold")
    radius = ax.text(x, -y + 0.55, "", fontsize=12, weight="bold", ha="right")
    ax.text(-x, y - 1.17, "longest half-axis of the ellipse", fontsize=9.5)
    ax.text(x, -y + 0.13, "× an eigenvector, one step later", fontsize=9.5, ha="right")
    return {"image": image, "axis": axis, "eigen": eigen, "sigma": sigma, "radius": radius,
            "entries": _draw_matrix(ax, x - 2.35, y + 0.1)}


def _draw_matrix(ax, x, y):
    """W with its entries, the lower left corner at (x, y); return the texts that change."""
    ax.text(x, y + 0.37, "W =", va="center_baseline")
    for side, tick in ((x + 0.8, 0.1), (x + 2.3, -0.1)):
        ax.plot([side + tick, side, side, side + tick], y + np.array([0, 0, 0.8, 0.8]),
                color=style.INK, linewidth=1.1, clip_on=False)
    ax.text(x + 1.15, y + 0.18, "0", ha="center", va="center_baseline")
    places = ((1.15, 0.6), (1.9, 0.6), (1.9, 0.18))
    return [ax.text(x + i, y + j, "", ha="center", va="center_baseline") for i, j in places]


def _draw_steps(ax):
    looks = {
        "above": ({"color": style.INK, "linewidth": 1.2, "dashes": (5, 3)}, "σⁿ: never above", 3.2),
        "norms": ({"color": style.GRAD, "linewidth": 3}, "‖Jⁿ‖", 1.9),
        "below": ({"color": style.INK, "linewidth": 1.4, "dashes": (1, 2)}, "ρⁿ: never below", 0.6),
    }
    artists = {}
    for name, (look, meaning, y) in looks.items():
        (artists[name],) = ax.plot([], [], **look)
        ax.plot([1.02 * SPAN, 1.12 * SPAN], [y * PER_DECADE + 11] * 2, clip_on=False, **look)
        ax.text(1.02 * SPAN, y * PER_DECADE, meaning, fontsize=9.5, va="center_baseline")
    (artists["peak"],) = ax.plot([], [], "o", color=style.GRAD, markersize=8)
    artists["peak_label"] = ax.text(0, 0, "", fontsize=10.5, weight="bold")
    return artists


def _update(artists, rho, c, gamma):
    kind, radius, sigma = verdict(rho, c, gamma)
    u, sizes, _ = np.linalg.svd(jacobian(rho, c, gamma))
    tip = u[:, 0] * sizes[0] * (1 if u[0, 0] > 0 else -1)
    artists["image"].set(width=2 * sizes[0], height=2 * sizes[1])
    artists["image"].set_angle(np.degrees(np.arctan2(tip[1], tip[0])))
    artists["axis"].set_data([0, tip[0]], [0, tip[1]])
    artists["eigen"].set_data([0, radius], [0, 0])
    for text, value in zip(artists["entries"], (rho, c, rho), strict=True):
        text.set_text(f"{value:g}")
    artists["sigma"].set_text(f"σ(J) = {sigma:.2f}")
    artists["radius"].set_text(f"ρ(J) = {radius:.2f}")
    _draw_norms(artists, power_norms(rho, c, gamma), kind, (sigma, radius))
    artists["head"].set_text(HEADS[kind])
    artists["told"].set_text(told(rho, c, gamma))
    return f"ρ(J) = {radius:.3g}, σ(J) = {sigma:.3g}. {HEADS[kind]}: {told(rho, c, gamma)}."


def _draw_norms(artists, norms, kind, factors):
    heights = PER_DECADE * np.log10(norms)
    shown = heights[: np.flatnonzero(np.abs(heights) < HALF + 9)[-1] + 1]
    artists["norms"].set_data(*thinned(shown, PER_STEP).T)
    for name, factor in zip(("above", "below"), factors, strict=True):
        slope = PER_DECADE * np.log10(factor)
        last = STEPS if slope == 0 else min(STEPS, (HALF + 9) / abs(slope))
        artists[name].set_data([0, last * PER_STEP], [0, last * slope])
    n, on = int(norms.argmax()), kind == "detour"
    artists["peak"].set_data([n * PER_STEP] if on else [], [heights[n]] if on else [])
    artists["peak_label"].set_text(f"{norms[n]:.1f} times at n = {n}" if on else "")
    artists["peak_label"].set_position((n * PER_STEP + 8, round(heights[n] + 7, 1)))


def told(rho, c, gamma=1.0):
    """Say in numbers what becomes of the longest gradient."""
    kind, _, _ = verdict(rho, c, gamma)
    norms = power_norms(rho, c, gamma, steps=1000)
    if kind in ("explodes", "linear"):
        return f"up to {amount(norms[100])} after 100 steps"
    if kind == "kept":
        return "as long as at first, after any number of steps"
    gone = f"under 1% from step {np.flatnonzero(norms >= GONE)[-1] + 1} on"
    if kind == "shrinks":
        return f"at most {norms[1]:.0%} of it after one step, {gone}"
    times, n = norms.max(), int(norms.argmax())
    return f"up to {times:.1f} times as much after {n} step{'s' * (n > 1)}, {gone}"
