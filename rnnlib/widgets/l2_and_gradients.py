"""L2 on the weights of a recurrent network: what becomes of W, of the gradient, of learning."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np

from rnnlib import live, results, style
from rnnlib.plots.numerals import scientific, ten

#: how it was trained -> (clip, rate) in the result file; clip 0 is none
WAYS = {
    "clipped at norm 1": (1.0, 0.3),
    "not clipped": (0.0, 0.3),
    "not clipped, a third of the rate": (0.0, 0.1),
}
CLIPPED, BARE, SLOWER = WAYS
FLOORS = {"radius": 1e-3, "ratio": 1e-20}  # of what is drawn as a logarithm: smaller stands here
GUESS, RIGHT = 0.25, 0.95  # right answers of a guess; of a network that counts as right
START = 1.5  # ρ(W) of every network before training
BESIDE = 0.31  # how far from the middle of a column its first and last seed stand
WIDTH, HEIGHT = 461, 362
ROWS = {"accuracy": (258, 62), "radius": (152, 74), "ratio": (46, 74)}  # bottom, height


@cache
def networks(way):
    """weight of L2, rising -> {"solved", "accuracy", "radius", "ratio", "over"}, (n,) each.

    By seed. Of experiments/optimisers.py: temporal order over 20 steps, 16 tanh units, SGD.
    """
    clip, rate = WAYS[way]
    rows = results.find(results.load("optimisers_l2"), clip=clip, rate=rate)
    found = {}
    for weight in sorted({row["weight"] for row in rows}):
        mine = sorted(results.find(rows, weight=weight), key=lambda row: row["seed"])
        found[weight] = {name: np.array([row[name] for row in mine])
                         for name in ("solved", "accuracy", "radius", "ratio", "over")}
    return found


@cache
def weights():
    """The weights of L2 that were tried, rising, the first 0."""
    return list(networks(CLIPPED))


def l2_and_gradients():
    """Networks trained with more and more L2: right answers, ρ(W), the gradient that arrives.

    A dot is a network, after training; in each column they stand in order of seed. The third row
    is ‖dL/dh_1‖ / ‖dL/dh_T‖.
    """
    return live.LiveFigure(
        _setup,
        _update,
        title="L2 on the weights of a recurrent network",
        controls={
            "weight": live.Range("weight of L2", values=weights(), value=0.01),
            "way": live.Choice("training", list(WAYS)),
        },
        presets={
            "None: all right in the end, ρ has grown": {"weight": 0, "way": CLIPPED},
            "Too much: W dies, the gradient vanishes": {"weight": 0.1, "way": CLIPPED},
            "No clip, no L2: none right in the end": {"weight": 0, "way": BARE},
            "L2 is no clip": {"weight": 0.01, "way": BARE},
            "Slower: half learn, none right in the end": {"weight": 0.01, "way": SLOWER},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


def _setup():
    fig = plt.figure(figsize=(WIDTH / 72, HEIGHT / 72))
    axes = {name: fig.add_axes((52 / WIDTH, bottom / HEIGHT, 395 / WIDTH, height / HEIGHT))
            for name, (bottom, height) in ROWS.items()}
    for ax in axes.values():
        ax.set(xlim=(-0.5, len(weights()) - 0.5), xticks=range(len(weights())), xticklabels=[])
        ax.tick_params(axis="x", length=0)
    _setup_rows(axes)
    colours = {"accuracy": style.INK, "radius": style.THETA, "ratio": style.GRAD}
    return fig, {
        "here": [ax.axvspan(-0.5, 0.5, color=style.MUTED, alpha=0.16, lw=0)
                 for ax in axes.values()],
        "dots": {name: ax.plot([], [], "o", color=colours[name], ms=3.6, mew=0, clip_on=False)[0]
                 for name, ax in axes.items()},
        "middles": {name: ax.plot([], [], color=colours[name], lw=1.6, alpha=0.55)[0]
                    for name, ax in axes.items()},
        "counts": [axes["accuracy"].text(i, 1.09, "", ha="center", va="bottom", fontsize=9.5)
                   for i in range(len(weights()))],
    }


def _setup_rows(axes):
    titles = {"accuracy": "right answers (above: how many are still right in the end, of 20)",
              "radius": f"ρ(W), the spectral radius (at the start {START:g})",
              "ratio": "gradient that arrives at the first step, of that at the last"}
    for name, ax in axes.items():
        ax.set_title(titles[name], fontsize=10, pad=20 if name == "accuracy" else 5)
    axes["accuracy"].set(ylim=(0.15, 1.05))
    axes["accuracy"].set_yticks((GUESS, 1), ("guess", "100%"))
    axes["radius"].set(ylim=(-3.3, 2))
    axes["radius"].set_yticks((-3, -2, -1, np.log10(START), 1),
                              (f"≤ {ten(-3)}", "0.01", "0.1", "start", "10"))
    axes["ratio"].set(ylim=(-21, 2))
    axes["ratio"].set_yticks((-20, -10, 0), (f"≤ {ten(-20)}", ten(-10), "1"))
    for name, level in (("accuracy", GUESS), ("radius", np.log10(START)), ("ratio", 0)):
        axes[name].axhline(level, color=style.MUTED, lw=0.8, dashes=(4, 3))
    axes["ratio"].set_xticks(range(len(weights())), [_weight(weight) for weight in weights()])
    axes["ratio"].set_xlabel("weight of L2", labelpad=1)


def _weight(weight):
    return f"{weight:g}" if weight >= 0.01 or not weight else ten(round(np.log10(weight)))


def _heights(name, values):
    return np.log10(np.maximum(values, FLOORS[name])) if name in FLOORS else values


def _update(artists, weight, way):
    found, here = networks(way), weights().index(weight)
    for span in artists["here"]:
        span.set_x(here - 0.5)
    for name, dots in artists["dots"].items():
        columns = [_heights(name, one[name]) for one in found.values()]
        beside = [np.linspace(-BESIDE, BESIDE, len(column)) for column in columns]
        xs = np.concatenate([i + b for i, b in enumerate(beside)])
        dots.set_data(np.round(xs, 3), np.round(np.concatenate(columns), 3))
        artists["middles"][name].set_data(range(len(columns)), list(map(np.median, columns)))
    for i, (text, one) in enumerate(zip(artists["counts"], found.values(), strict=True)):
        text.set(text=f"{(one['accuracy'] >= RIGHT).sum()}",
                 weight="bold" if i == here else "normal")
    return _sentence(weight, way, found[weight])


def _sentence(weight, way, one):
    ratio = np.median(one["ratio"])
    arrives = f"{ratio:.2g}" if ratio >= 0.001 else scientific(max(ratio, FLOORS["ratio"]))
    arrives = f"under {arrives}" if ratio < FLOORS["ratio"] else arrives
    learned, kept = int(one["solved"].sum()), (one["accuracy"] >= RIGHT).sum()
    return (f"L2 of weight {_weight(weight)}, {way}: {learned} of {len(one['solved'])} networks "
            f"learn the task, {kept} are still right in the end ({RIGHT:.0%} or more). Medians "
            f"after training: ρ(W) {np.median(one['radius']):.2g}, gradient at the first step "
            f"{arrives} of that at the last; {np.mean(one['over']):.1%} of the gradients were "
            "longer than 10.")
