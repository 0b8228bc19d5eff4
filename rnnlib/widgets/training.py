"""Training, watched: the loss, the gradient at every time step, and W or the gates, as it runs."""

from functools import partial

import matplotlib.pyplot as plt
import numpy as np

from rnnlib import live, style
from rnnlib.plots.numerals import scientific
from rnnlib.widgets.training_runs import Watched, book_runs

WIDTH, HEIGHT = 461, 340
LEFT, SPAN = 56, 214  # SVG units: where the two axes on the left begin, and their width
LOSSES, NORMS = (1e-3, 10.0), (1e-12, 100.0)  # what the axes show; beyond, arrows at the edge
EIGEN = 2.5  # eigenvalues are shown up to here, to either side
#: gate -> how its line is drawn: one letter, one look, in every cell
LOOKS = {"i": "-", "f": "--", "o": ":", "r": "-", "z": "--"}
PRESETS = {
    "Orthogonal: it learns": {"start": "orthogonal (ρ = 1)"},
    "Small weights: it learns nothing": {"start": "small weights (ρ = 0.5)"},
    "Large weights: it gets nowhere": {"start": "large weights (ρ = 2)"},
}


def training(runs=None, *, updates=720, every=6, title=None, guess=None, presets=None):
    """A training as it runs, with start, pause, one step: see what its gradient is doing.

    runs: name -> a function without arguments that begins the training anew and returns its
        moments, as `train.moments` and `bridge_watch.moments` do. The names are what the control
        `start` chooses from. All runs look at one kind of cell: with a square W (its eigenvalues
        are shown) or with gates (their means over units and sequences are shown). None: temporal
        order, 30 steps, from three starts (rnnlib.widgets.training_runs).
    updates, every: the moments shown are those after 0, every, 2 · every, ..., updates updates.
    guess: the loss of guessing, for a line across; presets: as for `live.LiveFigure`.

    With a kernel the training goes on only as far as it is looked at. The gradient at step t is the
    mean over the probe's sequences of ‖dL/dh_t‖. Raises ValueError or TypeError for runs that do
    not fit.
    """
    if runs is None:
        runs, guess, presets = book_runs(every), np.log(4), _at_the_end(PRESETS, updates)
    watched = {name: Watched(name, begin, every) for name, begin in runs.items()}
    first = _checked([run.at(0) for run in watched.values()])
    label = "updates" if every == 1 else f"updates, {every} a step"
    play = live.Play(label, 0, updates, step=every)
    controls = {"updates": play}
    if len(watched) > 1:
        controls["start"] = live.Choice("run", list(watched))
    return live.LiveFigure(
        partial(_setup, first, updates, guess),
        partial(_update, watched),
        title=title or "A training, watched",
        controls=controls,
        presets=presets or _halfway(play.values, watched),
        rc=style.RC,
        colours=style.COLOURS,
    )


def _checked(firsts):
    """What there is to see before the first update of the first run; the others must be alike."""
    first = firsts[0]
    for other in firsts[1:]:
        if (len(other.norms), list(other.gates)) != (len(first.norms), list(first.gates)):
            raise ValueError("runs: expected as many steps and the same gates in all, got others")
    return first


def _at_the_end(presets, updates):
    return {name: {"updates": updates, **values} for name, values in presets.items()}


def _halfway(values, watched):
    """Presets for runs of any name: how far they have come at the end, or one in two places."""
    if len(watched) == 1:
        return {"Halfway": {"updates": values[len(values) // 2]}, "End": {"updates": values[-1]}}
    return {f"End of: {name}": {"updates": values[-1], "start": name} for name in watched}


# ---------------------------------------------------------------- what is drawn once


def _setup(first, updates, guess):
    fig = plt.figure(figsize=(WIDTH / 72, HEIGHT / 72))
    artists = _setup_loss(_axes(fig, LEFT, 208, SPAN, 108), updates, guess)
    artists |= _setup_norms(_axes(fig, LEFT, 40, SPAN, 108), len(first.norms))
    if first.gates:
        artists |= _setup_gates(_axes(fig, 312, 128, 118, 188), first)
    else:
        artists |= _setup_eigen(_axes(fig, 296, 108, 160, 160))
    return fig, artists


def _axes(fig, left, bottom, width, height):
    return fig.add_axes((left / WIDTH, bottom / HEIGHT, width / WIDTH, height / HEIGHT))


def _setup_loss(ax, updates, guess):
    ax.set(xlim=(0, updates), ylim=LOSSES, yscale="log", xlabel="updates")
    ax.set_yticks([0.001, 0.1, 10], ["0.001", "0.1", "10"])
    ax.minorticks_off()
    ax.set_title("loss")
    if guess is not None:
        ax.axhline(guess, color=style.INK, lw=1, ls="--")
        ax.text(updates, guess * 1.6, "guessing", ha="right", fontsize=9.5)
    return {
        "loss": ax.plot([], [], color=style.GRAD, lw=1.8)[0],
        "loss now": ax.plot([], [], "o", color=style.GRAD, ms=6, clip_on=False, zorder=4)[0],
        "loss off": _arrows(ax),
        "loss label": ax.text(updates, LOSSES[1], "", weight="bold", ha="right"),
    }


def _setup_norms(ax, steps):
    ax.set(xlim=(1, steps), ylim=NORMS, yscale="log", xlabel="time step t")
    ax.set_yticks([1e-12, 1e-8, 1e-4, 1], ["10⁻¹²", "10⁻⁸", "10⁻⁴", "1"])
    ax.minorticks_off()
    ax.set_title("gradient at step t, ‖dL/dhₜ‖")
    return {
        "norms first": ax.plot([], [], color=style.MUTED, lw=1.4, dashes=(3, 2))[0],
        "norms": ax.plot([], [], color=style.GRAD, lw=2.2, clip_on=False)[0],
        "norms off": _arrows(ax),
    }


def _arrows(ax):
    """Markers for what lies below and above the axes."""
    down, = ax.plot([], [], "v", color=style.INK, ms=5, clip_on=False, zorder=5)
    up, = ax.plot([], [], "^", color=style.INK, ms=5, clip_on=False, zorder=5)
    return {"down": down, "up": up}


def _setup_eigen(ax):
    ax.set(xlim=(-EIGEN, EIGEN), ylim=(-EIGEN, EIGEN), xticks=[-1, 0, 1], yticks=[-1, 0, 1])
    ax.set_title("eigenvalues of W")
    turn = np.linspace(0, 2 * np.pi, 73)
    ax.plot(np.cos(turn), np.sin(turn), color=style.INK, lw=1)
    ax.set_yticklabels(["−i", "0", "i"])
    _key(ax, "filled, solid: now\nhollow, dashed: at the start\ncircle: |λ| = 1")
    return {
        "eigen first": ax.plot([], [], "o", mfc="none", mec=style.MUTED, ms=5.5)[0],
        # Dots as strokes of no length: a tenth of what markers take in the page.
        "eigen": ax.plot([], [], color=style.THETA, lw=6, zorder=3, snap=False)[0],
        "eigen off": ax.plot([], [], "D", color=style.INK, ms=5, zorder=4, clip_on=False)[0],
        "radius": ax.text(-EIGEN + 0.1, EIGEN - 0.15, "", weight="bold", va="top", fontsize=11),
    }


def _key(ax, words):
    ax.figure.text(300 / WIDTH, 52 / HEIGHT, words, va="center", fontsize=9.5, linespacing=1.35)


def _setup_gates(ax, first):
    steps = len(first.norms)
    _key(ax, "strong: now\ngrey: at the start\n(mean over units and sequences)")
    ax.set(xlim=(1, steps), ylim=(0, 1), yticks=[0, 0.5, 1], xlabel="time step t")
    ax.set_title("gates, on average")
    gates = {}
    for name in first.gates:
        gates[name] = {
            "first": ax.plot([], [], LOOKS[name], color=style.MUTED, lw=1.1)[0],
            "now": ax.plot([], [], LOOKS[name], color=style.GATES[name], lw=2.2, clip_on=False)[0],
            "label": ax.text(0, 0, "", va="center", weight="bold", color=style.GATES[name]),
        }
    return {"gates": gates}


# ---------------------------------------------------------------- what moves


def _update(watched, artists, updates, start=None):
    run = watched[start or next(iter(watched))]
    now, first = run.at(updates), run.at(0)
    beyond = _draw_loss(artists, run, updates)
    beyond += _draw_norms(artists, now.norms, first.norms)
    beyond += _draw_gates(artists, now, first) if now.gates else _draw_eigen(artists, now, first)
    return _sentence(start, updates, now, beyond)


def _draw_loss(artists, run, updates):
    ks, losses = run.history(updates)
    _draw(artists["loss"], ks, losses, LOSSES)
    _draw(artists["loss now"], ks[-1:], losses[-1:], LOSSES)
    artists["loss label"].set_text(_number(losses[-1]))
    return _mark(artists["loss off"], ks[-1:], losses[-1:], LOSSES)


def _draw_norms(artists, norms, first):
    t = np.arange(1, len(norms) + 1)
    _draw(artists["norms"], t, norms, NORMS)
    _draw(artists["norms first"], t, first, NORMS)
    return _mark(artists["norms off"], t, norms, NORMS)


def _draw(line, x, y, limits):
    """Let a line show y, cut off at the limits, rounded to a tenth of a unit of the page."""
    points = np.stack([x, np.clip(y, *limits)], axis=1)
    line.set_data(*_snapped(line.axes, points).T)


def _snapped(ax, points):
    """The points, moved to tenths of an SVG unit: shorter numbers in the page."""
    onto = ax.transData
    return onto.inverted().transform(np.round(onto.transform(points), 1))


def _mark(arrows, x, y, limits):
    """Draw arrows where y is beyond the limits; return how many."""
    low, high = y < limits[0], y > limits[1]
    arrows["down"].set_data(x[low], np.full(low.sum(), limits[0]))
    arrows["up"].set_data(x[high], np.full(high.sum(), limits[1]))
    return int(low.sum() + high.sum())


def _draw_eigen(artists, now, first):
    off = np.maximum(abs(now.eigen.real), abs(now.eigen.imag)) > EIGEN
    inside, ax = now.eigen[~off], artists["eigen"].axes
    dots = _snapped(ax, np.stack([inside.real, inside.imag], axis=1))
    strokes = np.repeat(dots, 3, axis=0)
    strokes[1::3, 0] += 1e-3  # a stroke needs some length to be drawn
    strokes[2::3] = np.nan
    artists["eigen"].set_data(*strokes.T)
    artists["eigen first"].set_data(first.eigen.real, first.eigen.imag)
    edge = now.eigen[off] * EIGEN / np.maximum(abs(now.eigen.real), abs(now.eigen.imag))[off]
    artists["eigen off"].set_data(edge.real, edge.imag)
    artists["radius"].set_text(f"ρ(W) = {now.radius:.2f}")
    return int(off.sum())


def _draw_gates(artists, now, first):
    steps = len(now.norms)
    t = np.arange(1, steps + 1)
    ends = _apart({name: gate[-1] for name, gate in now.gates.items()})
    for name, parts in artists["gates"].items():
        _draw(parts["now"], t, now.gates[name], (0, 1))
        _draw(parts["first"], t, first.gates[name], (0, 1))
        parts["label"].set(text=name, x=1 + (steps - 1) * 1.05, y=round(ends[name], 3))
    return 0


def _apart(heights, gap=0.06):
    """Heights for labels, moved up as far as needed to keep them `gap` apart."""
    placed, least = {}, 0.0
    for name in sorted(heights, key=heights.get):
        placed[name] = max(heights[name], least)
        least = placed[name] + gap
    return placed


def _sentence(start, updates, now, beyond):
    begin = f"{start[0].upper()}{start[1:]}, after" if start else "After"
    words = f"{begin} {updates} updates: loss {_number(now.loss)}"
    if now.gates:
        mean = ", ".join(f"{name} {gate.mean():.2f}" for name, gate in now.gates.items())
        words += f", gates on average {mean}. "
    else:
        words += f", ρ(W) = {now.radius:.2f}. "
    words += "The gradient at the first step is "
    first, last = now.norms[0], now.norms[-1]
    words += f"{_number(first / last)} times that at the last." if last else f"{_number(first)}."
    return words + (" Arrows and diamonds mark what lies beyond the axes." if beyond else "")


def _number(x):
    """Two significant digits; very small and very large numbers as a power of ten."""
    if x == 0 or 1e-3 <= abs(x) < 1e4:
        return f"{x:.2g}" if abs(x) < 100 else f"{x:.0f}"
    return scientific(x, digits=2)
