"""Six optimisers, one start, one loss: that of a linear recurrent unit which is taught an echo."""

from dataclasses import dataclass
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgba

from rnnlib import live, optim, style
from rnnlib.clipping import clip_by_norm
from rnnlib.plots.numerals import scientific, ten

STEPS, FADES = 20, 0.9  # of the echo, and how it fades from step to step
UPDATES = 100
SHOWN = (0, 1, 2, 3, 4, 6, 8, 10, 13, 16, 20, 25, 30, 35, 40, 50, 60, 70, 85, 100)
RATES = (1e-5, 3e-5, 1e-4, 3e-4, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
OPTIMISERS = {
    "SGD": optim.SGD,
    "momentum": lambda lr: optim.SGD(lr, momentum=0.9),
    "Adagrad": optim.Adagrad,
    "Adadelta": optim.Adadelta,
    "RMSprop": optim.RMSprop,
    "Adam": optim.Adam,
}


@dataclass(frozen=True)
class Course:
    """What a race is run on: start (w, u), one rate for all or the best, clip, L2."""

    start: tuple
    rate: float | None = None
    clip: float | None = None
    weight: float = 0.0


PLAIN, CLIFF = (0.2, 2.0), (1.1, 0.6)
COURSES = {
    "each at its best rate": Course(PLAIN),
    "all at rate 0.03": Course(PLAIN, rate=0.03),
    "best rate, with L2": Course(PLAIN, weight=0.1),
    "best rate, from the cliff": Course(CLIFF),
    "the same, clipped at norm 1": Course(CLIFF, clip=1.0),
}
BEST, ONE_RATE, L2, FALLS, CLIPPED = COURSES


def optimiser_race():
    """The paths of SGD, SGD with momentum, Adagrad, Adadelta, RMSprop and Adam, and their losses.

        h_t = w h_{t-1} + u x_t,  x = 1, 0, 0, ...      L = 1/20 Σ_t (h_t - 0.9^{t-1})²

    Each at the rate, of 10⁻⁵, 3·10⁻⁵, 10⁻⁴, ..., 100, that has the lowest loss after 100 updates,
    or all at one; with L2 on w and u, or clipped, or neither.
    """
    return live.LiveFigure(
        _setup,
        _update,
        title="Six optimisers, one loss",
        controls={
            "k": live.Play("updates", values=SHOWN, value=40, per_second=4),
            "name": live.Choice("thick line", list(OPTIMISERS)),
            "course": live.Choice("race", list(COURSES)),
        },
        presets={
            "Each at its best: RMSprop wins": {"k": UPDATES, "name": "RMSprop", "course": BEST},
            "All at one rate: Adadelta hardly moves": {
                "k": UPDATES, "name": "Adadelta", "course": ONE_RATE},
            "From the cliff: momentum must creep": {
                "k": UPDATES, "name": "momentum", "course": FALLS},
            "Clipped: momentum may run, 0.1 for 0.00003": {
                "k": UPDATES, "name": "momentum", "course": CLIPPED},
            "L2: another minimum": {"k": UPDATES, "name": "Adam", "course": L2},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


def surface(w, u):
    """Return L, dL/dw and dL/du at w, u: numbers, or arrays of one shape.

    h_t = u w^{t-1}, so with the error e_t = h_t - 0.9^{t-1}, k = t - 1:

        L = 1/T Σ e_t²     dL/du = 2/T Σ e_t w^k     dL/dw = 2/T Σ e_t u k w^{k-1}
    """
    k = np.arange(STEPS).reshape(-1, *[1] * np.ndim(w))
    power = np.asarray(w, float) ** k
    error = u * power - FADES**k
    falling = np.concatenate([np.zeros_like(power[:1]), power[:-1]]) * k
    return (error**2).mean(0), (2 * error * u * falling).mean(0), (2 * error * power).mean(0)


def objective(theta, weight):
    """What is descended on, L + weight/2 (w² + u²), and its gradient (2,)."""
    loss, dw, du = surface(*theta)
    return loss + weight / 2 * theta @ theta, np.array([dw, du]) + weight * theta


def descent(optimiser, course):
    """(θ (k + 1, 2), objective (k + 1,)) of 100 updates, or of fewer if it blows up."""
    theta = np.array(course.start)
    state, path = optimiser.init(theta), [theta]
    value, slope = objective(theta, course.weight)
    values = [value]
    for _ in range(UPDATES):
        if course.clip:
            slope, _ = clip_by_norm(slope, course.clip)
        theta, state = optimiser.update(theta, slope, state)
        with np.errstate(over="ignore", invalid="ignore"):
            value, slope = objective(theta, course.weight)
        if not value < 1e6:
            break
        path.append(theta)
        values.append(value)
    return np.array(path), np.array(values)


@cache
def race(name):
    """optimiser -> (rate, θ (101, 2), objective (101,)) of the course of that name."""
    course, found = COURSES[name], {}
    for optimiser, make in OPTIMISERS.items():
        runs = [(rate, *descent(make(rate), course)) for rate in
                (RATES if course.rate is None else (course.rate,))]
        whole = [run for run in runs if len(run[2]) == UPDATES + 1]
        found[optimiser] = min(whole, key=lambda run: run[2][-1])
    return found


@cache
def minimum(weight):
    """θ (2,) where the objective is lowest, by Newton's method from (0.9, 1)."""
    theta = np.array([FADES, 1.0])
    for _ in range(50):
        _, slope = objective(theta, weight)
        step = 1e-5 * np.eye(2)
        bend = np.array([objective(theta + d, weight)[1] - objective(theta - d, weight)[1]
                         for d in step]) / 2e-5
        theta = theta - np.linalg.solve(bend, slope)
    return theta


# --- the picture ------------------------------------------------------------------------------

WIDTH, HEIGHT = 461, 330
MAP, CURVES = (38, 42, 190, 250), (262, 42, 82, 250)  # left, bottom, width, height
W_ENDS, U_ENDS, SAMPLES = (0.0, 1.2), (0.0, 2.2), 121
LEVELS = (0, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3)  # above the lowest loss: one shade in between
DARKEST = 0.5  # and above the last
LOWEST, HIGHEST = 1e-8, 3.0  # loss, of the curves
GAP, COARSE = 15, 0.5  # SVG units between labels; that a drawn line may be beside its points


def _setup():
    fig = plt.figure(figsize=(WIDTH / 72, HEIGHT / 72))
    over = (WIDTH, HEIGHT, WIDTH, HEIGHT)
    left, right = (fig.add_axes(tuple(np.divide(box, over))) for box in (MAP, CURVES))
    return fig, _setup_map(left) | _setup_curves(right)


def _setup_map(ax):
    ax.set(xlim=W_ENDS, ylim=U_ENDS, xticks=(0, 0.3, 0.6, 0.9, 1.2), yticks=(0, 1, 2),
           xticklabels=("0", "0.3", "0.6", "0.9", "1.2"))
    ax.set_xlabel("w, from step to step", labelpad=1)
    ax.set_ylabel("u, from the input", labelpad=0)
    return {
        "map title": ax.set_title("", fontsize=10, pad=6),
        "maps": {weight: _draw_map(ax, weight) for weight in (0.0, COURSES[L2].weight)},
        "paths": [ax.plot([], [], color=style.MUTED, lw=1)[0] for _ in OPTIMISERS],
        "path": ax.plot([], [], color=style.INK, lw=2.4)[0],
        "minimum": ax.plot([], [], "x", color=style.INK, ms=9, mew=2)[0],
        "discs": ax.plot([], [], "o", color=style.MUTED, ms=5)[0],
        "disc": ax.plot([], [], "o", mfc=style.PAPER, mec=style.INK, mew=1.8, ms=9)[0],
    }


def _draw_map(ax, weight):
    """The objective with so much L2, in shades of the colour of the loss."""
    ws, us = np.meshgrid(*(np.linspace(*ends, SAMPLES) for ends in (W_ENDS, U_ENDS)))
    low, _ = objective(minimum(weight), weight)
    shades = [to_rgba(style.GRAD, alpha) for alpha in np.linspace(0, DARKEST, len(LEVELS))]
    return ax.contourf(ws, us, surface(ws, us)[0] + weight / 2 * (ws**2 + us**2),
                       low + np.array(LEVELS), colors=shades, extend="max")


def _setup_curves(ax):
    """In SVG units both ways, so that lines can be simplified."""
    powers = (-8, -6, -4, -2, 0)
    ax.set(xlim=(0, CURVES[2]), ylim=(-2, CURVES[3]), xlabel="updates")
    ax.set_xticks(np.array([0, 0.5, 1]) * CURVES[2], ["0", "50", "100"])
    ax.set_yticks(_heights(10.0 ** np.array(powers)), [ten(p) if p else "1" for p in powers])
    ax.xaxis.labelpad = 1
    lines = {"color": style.MUTED, "clip_on": False}
    return {
        "title": ax.set_title("", fontsize=10, pad=6),
        "curves": [ax.plot([], [], lw=1, **lines)[0] for _ in OPTIMISERS],
        "leaders": [ax.plot([], [], lw=0.5, alpha=0.7, **lines)[0] for _ in OPTIMISERS],
        "curve": ax.plot([], [], color=style.GRAD, lw=2.4, clip_on=False)[0],
        "labels": [ax.text(CURVES[2] + 11, 0, "", va="center", fontsize=9.5) for _ in OPTIMISERS],
    }


def _update(artists, k, name, course):
    runs = race(course)
    for line, (_, path, _) in zip(artists["paths"], runs.values(), strict=True):
        line.set_data(*_on_map(path[: k + 1]))
    _, path, _ = runs[name]
    artists["path"].set_data(*_on_map(path[: k + 1]))
    artists["disc"].set_data([path[k, 0]], [path[k, 1]])
    artists["discs"].set_data(*np.array([p[k] for _, p, _ in runs.values()]).T)
    for weight, shades in artists["maps"].items():
        shades.set_visible(weight == COURSES[course].weight)
    best = minimum(COURSES[course].weight)
    artists["minimum"].set_data([best[0]], [best[1]])
    loss = "loss with L2" if course == L2 else "loss"
    artists["map title"].set_text(f"paths (strong colour: high {loss})")
    artists["title"].set_text(f"{loss}, and rates")
    _show_curves(artists, k, name, runs)
    return _sentence(k, name, course, runs)


def _on_map(path):
    """w and u of a line that is within COARSE units of a path (n, 2)."""
    ends = np.array([W_ENDS, U_ENDS]).T
    scale = np.array(MAP[2:]) / (ends[1] - ends[0])
    return _simple((path - ends[0]) * scale) / scale[:, None] + ends[0][:, None]


def _simple(points):
    """x and y (2, m) of the points (n, 2) that a line needs to be within COARSE of all of them."""
    keep, parts = {0, len(points) - 1}, [(0, len(points) - 1)]
    while parts:
        i, j = parts.pop()
        between, along = points[i : j + 1] - points[i], points[j] - points[i]
        share = np.clip(between @ along / max(along @ along, 1e-12), 0, 1)
        beside = np.linalg.norm(between - share[:, None] * along, axis=1)
        if beside.max() > COARSE:
            k = i + int(beside.argmax())
            keep.add(k)
            parts += [(i, k), (k, j)]
    return np.round(points[sorted(keep)], 1).T


def _heights(values):
    """Heights of losses above LOWEST in SVG units."""
    return np.log10(np.maximum(values, LOWEST) / LOWEST) * CURVES[3] / np.log10(HIGHEST / LOWEST)


def _show_curves(artists, k, name, runs):
    ends = {}
    for line, (one, (_, _, values)) in zip(artists["curves"], runs.items(), strict=True):
        points = np.stack([np.arange(k + 1) * CURVES[2] / UPDATES, _heights(values[: k + 1])], 1)
        line.set_data(*_simple(points))
        ends[one] = points[-1]
        if one == name:
            artists["curve"].set_data(*_simple(points))
    places = _apart({one: end[1] for one, end in ends.items()},
                    sorted(runs, key=lambda one: runs[one][2][k]))
    for label, leader, one in zip(artists["labels"], artists["leaders"], runs, strict=True):
        label.set(text=f"{one} {_number(runs[one][0])}", y=places[one],
                  weight="bold" if one == name else "normal",
                  color=style.INK if one == name else style.MUTED)
        leader.set_data([ends[one][0], CURVES[2] + 9], [ends[one][1], places[one]])


def _apart(ends, order):
    """Heights of the labels: near the ends of the curves, the lower loss lower, GAP apart."""
    places = np.array([ends[one] for one in order])
    lowest = GAP * np.arange(len(order))
    for _ in range(100):
        short = np.maximum(GAP - np.diff(places), 0) / 2
        places[:-1] -= short
        places[1:] += short
        places = np.clip(places, lowest, CURVES[3] - lowest[::-1])
    return dict(zip(order, np.round(places, 1), strict=True))


def _number(loss):
    return f"{loss:.2g}" if loss >= 0.001 else scientific(loss)


def _sentence(k, name, course, runs):
    rate, path, values = runs[name]
    told = f"{course[0].upper()}{course[1:]}"
    if k == 0:
        return f"{told}: all start at {_place(path[0])}, where the loss is {_number(values[0])}."
    here = (f"{told}, after {k} update{'s' * (k > 1)}: {name}, at rate {_number(rate)}, has come "
            f"to {_place(path[k])}")
    weight = COURSES[course].weight
    if weight:
        return (f"{here}. The minimum, the cross, is now at {_place(minimum(weight))}; without L2 "
                f"it is at {_place(minimum(0))}.")
    order = sorted(runs, key=lambda one: runs[one][2][k])
    rival = order[order[0] == name]
    which = "next" if order[0] == name else "first"
    place = order.index(name) + 1
    return (f"{here}, loss {_number(values[k])}: number {place} of 6. {rival} is {which}, with "
            f"{_number(runs[rival][2][k])}.")


def _place(theta):
    return ", ".join(f"{p} = {value:.2f}" for p, value in zip("wu", theta, strict=True))
