"""The gradient's length on its way back from a loss: it vanishes, it holds, it explodes."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from rnnlib import live, results, style
from rnnlib.cells import HIDDEN, RNNCell
from rnnlib.plots.numerals import scientific, ten
from rnnlib.starts import recurrent
from rnnlib.unroll import backward, forward

UNITS, STEPS = 32, 100
SEEDS = range(11)  # odd, so that the middle network is one of them
TORCH = {"activation": "tanh", "rho": 0.9}  # the setting that torch computed too
GONE, BURST = 0.01, 100  # what still counts as arriving: 1% to 100-fold
DECADES = 12  # the picture shows 10⁻¹² to 10¹²
PER_STEP, PER_DECADE = 3.2, 10.4  # SVG units
WIDTH, HEIGHT, LEFT, FLOOR = 461, 344, 62, 40
SPAN, HALF = STEPS * PER_STEP, DECADES * PER_DECADE
COARSE = 0.6  # SVG units that a drawn line may be beside its points: lighter, and not to be seen
RINGS = range(10, STEPS + 1, 10)  # steps at which torch's numbers are drawn
#: fate -> its sign, what it means, and where its name stands, in decades
FATES = {
    "vanishes": ("↓", "under 1%", -7),
    "holds": ("→", "1% to 100×", 0.4),
    "explodes": ("↑", "over 100×", 7),
}


def gradient_norms():
    """‖dL/dh_{τ-n}‖, n steps back from a loss at the last step τ, of 11 random networks.

        dL/dh_{t-1} = Wᵀ (act'(a_t) ⊙ dL/dh_t),    ‖dL/dh_τ‖ = 1

    See `network` for what is drawn at random. Thin lines: one network each; bold: their median;
    dashed: ρⁿ; band: between 1% and 100 times as much as there was at the loss. Rings: the same
    computed by torch (experiments/gradient_torch.py), at tanh, ρ = 0.9.
    """
    whole = {"length": STEPS}
    return live.LiveFigure(
        _setup,
        _update,
        title="How much of the gradient arrives?",
        controls={
            "rho": live.Range("spectral radius ρ of W", 0.5, 1.5, step=0.05, value=TORCH["rho"]),
            "activation": live.Choice("activation", HIDDEN),
            "length": live.Range("length τ", values=(10, 25, 50, STEPS), value=STEPS),
        },
        presets={
            "It vanishes": {"rho": 0.75, "activation": "tanh"} | whole,
            "It holds": {"rho": 1, "activation": "identity"} | whole,
            "It explodes": {"rho": 1.25, "activation": "identity"} | whole,
            "ρ = 1.5, yet no explosion": {"rho": 1.5, "activation": "tanh"} | whole,
            "ReLU: a matter of luck": {"rho": 1.5, "activation": "relu"} | whole,
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


def network(rho, activation, seed=0, start="gaussian"):
    """Return (cell, xs, dh_end): 32 units, 100 inputs, and what a loss sends into the last state.

    W (32, 32) is drawn as `start` says (rnnlib.starts) and scaled to spectral radius `rho`. The
    one column of U and dh_end (1, 32) point anywhere and have length 1; inputs xs (100, 1, 1) are
    normal(0, 1), biases normal(0, 0.1²). The same seed draws the same numbers for every ρ and
    activation.
    """
    rng = np.random.default_rng(seed)
    W = recurrent(start, UNITS, rng)
    u, dh = (v / np.linalg.norm(v) for v in rng.normal(size=(2, UNITS)))
    b, xs = 0.1 * rng.normal(size=UNITS), rng.normal(size=(STEPS, 1, 1))
    W = W * (rho / np.abs(np.linalg.eigvals(W)).max())
    return RNNCell(u[:, None], W, b, activation), xs, dh[None]


def norms(rho, activation, length=STEPS, seed=0, start="gaussian"):
    """Return ‖dL/dh_{τ-n}‖ for n = 0 .. `length` (at most 100), a 1 first.

    A short sequence is the end of the long one: `length` says how far back one looks.
    """
    cell, xs, dh_end = network(rho, activation, seed, start)
    dtrace, _ = backward(cell, forward(cell, xs), dh_end=dh_end)
    dh = np.concatenate([dtrace.state[None], dtrace.h])[:, 0]           # dL/dh_0 .. dL/dh_τ
    return np.linalg.norm(dh, axis=1)[::-1][: length + 1]


@cache
def all_norms(rho, activation):
    """Return the norms of the 11 networks, (11, 101)."""
    return np.stack([norms(rho, activation, seed=seed) for seed in SEEDS])


def fate(arriving):
    """Name what becomes of a gradient of which this much arrives."""
    if arriving < GONE:
        return "vanishes"
    return "explodes" if arriving > BURST else "holds"


@cache
def torch_median():
    """Return the median over the networks of what torch computed, (101,)."""
    rows = results.find(results.load("gradient_torch"), **TORCH)
    table = np.reshape([row["norm"] for row in rows], (len(SEEDS), STEPS + 1))
    return np.median(table, axis=0)


def amount(arriving):
    """Say how much that is of what there was at the loss: "26% of it", "1.4 times as much"."""
    if 1e-4 <= arriving < 0.995:
        return f"{100 * arriving:.2g}% of it"
    if 0.995 <= arriving < 1.05:
        return "all of it"
    if 1.05 <= arriving < 999.5:
        return f"{round(arriving, 1 if arriving < 9.95 else 0):g} times as much"
    if 999.5 <= arriving < 99_500:
        return f"{float(f'{arriving:.1e}'):,.0f} times as much"
    number = scientific(arriving).removeprefix("1·")
    return f"{number} {'times as much' if arriving > 1 else 'of it'}"


def _setup():
    fig = plt.figure(figsize=(WIDTH / 72, HEIGHT / 72))
    ax = fig.add_axes((LEFT / WIDTH, FLOOR / HEIGHT, SPAN / WIDTH, 2 * HALF / HEIGHT))
    ax.set(xlim=(0, SPAN), ylim=(-HALF, HALF), xlabel="steps back from the loss, n")
    ax.set_ylabel("size of the gradient, ‖dL/dh‖", labelpad=1)
    ax.set_xticks(np.arange(0, STEPS + 1, 10) * PER_STEP, range(0, STEPS + 1, 10))
    powers = range(-DECADES, DECADES + 1, 3)
    ax.set_yticks(np.array(powers) * PER_DECADE, [ten(p) if p else "1" for p in powers])
    ax.axhspan(*_heights([GONE, BURST]), color=style.GRAD, alpha=0.13, linewidth=0)
    return fig, _draw_lines(ax) | _draw_texts(fig, ax)


def _draw_lines(ax):
    (guide,) = ax.plot([], [], color=style.INK, linewidth=1.2, dashes=(5, 3), zorder=2.6)
    (thin,) = ax.plot([], [], color=style.GRAD, linewidth=0.8, alpha=0.55, zorder=2.4)
    (bold,) = ax.plot([], [], color=style.GRAD, linewidth=3.2, zorder=2.8)
    (rings,) = ax.plot([], [], "o", color=style.INK, fillstyle="none", markersize=7, zorder=2.9)
    curtain = Rectangle((0, -HALF), 0, 2 * HALF, color=style.PAPER, alpha=0.8, lw=0, zorder=3)
    (end,) = ax.plot([], [], "o", color=style.GRAD, markersize=9, zorder=5, clip_on=False)
    (edge,) = ax.plot([SPAN] * 2, [-HALF, HALF - 32], color=style.MUTED, linewidth=0.8, zorder=3.1)
    end.set(markeredgecolor=style.PAPER, markeredgewidth=1.2)
    return {"guide": guide, "thin": thin, "bold": bold, "rings": rings, "end": end, "edge": edge,
            "curtain": ax.add_patch(curtain)}


def _draw_texts(fig, ax):
    middle = {"ha": "center", "va": "center_baseline"}
    x, zones = SPAN + (WIDTH - LEFT - SPAN) / 2 + 2, {}
    for name, (_, meaning, decades) in FATES.items():
        zones[name] = ax.text(x, decades * PER_DECADE + 7, name, **middle)
        ax.text(x, decades * PER_DECADE - 7, meaning, fontsize=9.5, **middle)
    ax.text(5, HALF - 10, "bold: median of 11 random networks", fontsize=9.5)
    head = fig.text(4 / WIDTH, 1 - 19 / HEIGHT, "", fontsize=17, weight="bold")
    told = fig.text((WIDTH - 4) / WIDTH, 1 - 19 / HEIGHT, "", fontsize=11.5, ha="right")
    who = fig.text((WIDTH - 4) / WIDTH, 1 - 36 / HEIGHT, "", ha="right")
    key = ax.text(5, HALF - 25, "", fontsize=9.5)
    label = ax.text(0, 0, "", fontsize=10.5, zorder=6)
    return {"zones": zones, "head": head, "told": told, "who": who, "label": label, "key": key}


def _update(artists, rho, activation, length):
    middle, bold, thin = _lines(rho, activation)
    artists["thin"].set_data(*thin.T)
    artists["bold"].set_data(*bold.T)
    artists["guide"].set_data([0, SPAN], [0, STEPS * PER_DECADE * np.log10(rho)])
    artists["curtain"].set(x=length * PER_STEP, width=SPAN - length * PER_STEP)
    artists["edge"].set_xdata([length * PER_STEP] * 2)
    _place_label(artists["label"], rho)
    _place_end(artists["end"], middle[: length + 1])
    _place_rings(artists, _by_torch(rho, activation))
    arriving = all_norms(rho, activation)[:, length]
    _tell(artists, arriving, length)
    return _sentence(rho, activation, arriving, middle[: length + 1])


@cache
def _lines(rho, activation):
    """Return the median's heights (101,), its line, and all networks' lines with gaps between."""
    each = all_norms(rho, activation)
    middle, gap = _heights(np.median(each, axis=0)), np.full((1, 2), np.nan)
    thin = [part for one in each for part in (thinned(_heights(one), PER_STEP), gap)]
    return middle, thinned(middle, PER_STEP), np.concatenate(thin)


def _heights(norms):
    """Return where norms lie, in SVG units above 1; what leaves the picture stays beside it."""
    return np.clip(PER_DECADE * np.log10(np.maximum(norms, 1e-300)), -HALF - 6, HALF + 6)


def thinned(heights, per_step):
    """Return the line (points, 2) through those steps that it needs to be right within COARSE.

    heights: one for each step, in SVG units; steps lie `per_step` units apart.
    """
    line = np.stack([per_step * np.arange(len(heights)), heights], axis=1)
    keep, parts = {0, len(line) - 1}, [(0, len(line) - 1)]
    while parts:
        i, j = parts.pop()
        straight = np.interp(line[i : j + 1, 0], line[[i, j], 0], line[[i, j], 1])
        beside = np.abs(line[i : j + 1, 1] - straight)
        if beside.max() > COARSE:
            k = i + int(beside.argmax())
            keep.add(k)
            parts += [(i, k), (k, j)]
    return np.round(line[sorted(keep)], 1)


def _place_label(label, rho):
    """Write ρⁿ beside its line: where that is still in the picture, above it."""
    slope = PER_DECADE / PER_STEP * np.log10(rho)
    x = SPAN * 0.8 if slope == 0 else min(SPAN * 0.8, 0.7 * HALF / abs(slope))
    label.set(text=f"ρⁿ = {rho:g}ⁿ", x=round(x + (4 if rho < 1 else -4), 1))
    label.set(y=round(x * slope + 6, 1), ha="left" if rho <= 1 else "right")


def _place_rings(artists, on):
    steps = list(RINGS) if on else []
    heights = _heights(torch_median()[steps]) if on else []
    artists["rings"].set_data(np.multiply(steps, PER_STEP), heights)
    artists["key"].set_text("rings: the same by torch" if on else "")


def _place_end(end, heights):
    """Mark the last step, or the step at which the line leaves the picture, by an arrow."""
    outside = np.flatnonzero(np.abs(heights) > HALF)
    n = outside[0] if outside.size else len(heights) - 1
    end.set_marker("o" if not outside.size else "^" if heights[n] > 0 else "v")
    end.set_data([n * PER_STEP], [round(np.clip(heights[n], -HALF, HALF), 1)])


def _tell(artists, arriving, length):
    now = fate(np.median(arriving))
    for name, zone in artists["zones"].items():
        zone.set(text=f"{FATES[name][0]} {name}", weight="bold" if name == now else "normal")
        zone.set_color(style.INK if name == now else style.MUTED)
    artists["head"].set_text(f"It {now}")
    artists["told"].set_text(f"{amount(np.median(arriving))} arrives after {length} steps")
    artists["who"].set_text(votes(arriving))


def votes(arriving):
    """Say in how many of the networks the gradient meets which fate."""
    fates = [fate(value) for value in arriving]
    counts = [(fates.count(name), name) for name in FATES if name in fates]
    if len(counts) == 1:
        return f"{fates[0]} in each of {len(fates)} random networks"
    return ", ".join(f"{name} in {count}" for count, name in counts) + f" of {len(fates)} networks"


def _sentence(rho, activation, arriving, heights):
    length, median = len(heights) - 1, np.median(arriving)
    outside = np.flatnonzero(np.abs(heights) > HALF)
    left = f" The line leaves the picture at step {outside[0]}." if outside.size else ""
    torch = " The rings are torch's own numbers." if _by_torch(rho, activation) else ""
    return (
        f"With {activation} and ρ = {rho:g} the gradient {fate(median)}: {length} steps back "
        f"from the loss {amount(median)} arrives, where ρⁿ would leave {amount(rho**length)}. "
        f"It {votes(arriving)}.{left}{torch}"
    )


def _by_torch(rho, activation):
    return {"rho": rho, "activation": activation} == TORCH
