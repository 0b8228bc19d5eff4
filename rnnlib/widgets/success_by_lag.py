"""Success rate against lag: the longer a bit must be kept, the fewer networks learn to keep it."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np

from rnnlib import live, results, style
from rnnlib.plots.numerals import scientific

#: label of the choice -> the variant in experiments/success_by_lag.py
VARIANTS = {
    "usual start, rate 1": "uniform",
    "Gaussian start, ρ about 1": "gaussian",
    "orthogonal start": "orthogonal",
    "leaky units, 10 steps": "leaky",
    "skip connections, 10 steps": "skip",
    "usual start, rate 3": "fast",
    "usual start, Adam": "adam",
}
SOLVED = 0.95  # the share of right answers from which a network counts as having learnt the task
TRAINED_ON = 600 * 20  # sequences that each network sees in training
LEFT = -0.6  # where the words of the right panel begin


@cache
def success(variant):
    """What was found for a variant of the experiment, one entry for each lag, rising.

    {"lags" (L,), "solved" (L,), "n" (L,), "share" (L,), "low" (L,), "high" (L,), "ratio" (L,)}:
    networks that solved the task, out of n, with Wilson's 95% interval; the median of
    ‖dL/dh_1‖ / ‖dL/dh_T‖ before training.
    """
    rows = results.find(results.load("success_by_lag_summary"), variant=variant)
    rows.sort(key=lambda row: row["lag"])
    names = {"lags": "lag", "ratio": "gradient_ratio"}
    return {name: np.array([row[names.get(name, name)] for row in rows])
            for name in ("lags", "solved", "n", "share", "low", "high", "ratio")}


@cache
def accuracies(variant, lag):
    """The accuracy of each network of that variant and lag, falling."""
    rows = results.find(results.load("success_by_lag"), variant=variant, lag=lag)
    return np.sort([row["accuracy"] for row in rows])[::-1]


@cache
def guessing(lag):
    """What it takes to guess the weights: {"n", "draws", "sequences"}, the last two medians."""
    row, = results.find(results.load("success_by_lag_guessing_summary"), lag=lag)
    return {name: row[name] for name in ("n", "draws", "sequences")}


@cache
def lags():
    """The lags of the experiment, rising."""
    return [int(lag) for lag in success("uniform")["lags"]]


def success_by_lag():
    """How many of the networks learn to keep a bit, by the number of steps they must keep it."""
    return live.LiveFigure(
        _setup,
        _update,
        title="How many networks learn to keep one bit?",
        controls={
            "variant": live.Choice("network", list(VARIANTS)),
            "lag": live.Range("lag", values=lags(), value=20),
        },
        presets={
            "Short lag: all learn": {"variant": "usual start, rate 1", "lag": 5},
            "Long lag: none does": {"variant": "usual start, rate 1", "lag": 80},
            "It depends on the seed": {"variant": "usual start, rate 1", "lag": 15},
            "A better start": {"variant": "orthogonal start", "lag": 160},
            "Three times the rate": {"variant": "usual start, rate 3", "lag": 160},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


def _setup():
    fig, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.9), width_ratios=(1.75, 1))
    fig.subplots_adjust(left=0.09, right=0.985, bottom=0.15, top=0.88, wspace=0.25)
    return fig, _setup_rates(left) | _setup_networks(right)


def _setup_rates(ax):
    places = np.log2(lags())
    ax.set(xlim=(places[0] - 0.4, places[-1] + 0.4), ylim=(-0.04, 1.17), yticks=(0, 0.5, 1),
           xlabel="lag: steps from the bit to the answer")
    ax.set_xticks(places, [str(lag) for lag in lags()])
    ax.set_yticks((0, 0.5, 1), ("0%", "50%", "100%"))
    ax.set_title("how many learn it (grey: the other choices)", pad=14)
    ax.axhline(1, color=style.INK, lw=1.2, ls="--")
    for variant in VARIANTS.values():
        ax.plot(places, success(variant)["share"], color=style.MUTED, lw=1, alpha=0.45)
    empty = np.zeros_like(places)
    return {
        "here": ax.axvline(0, color=style.MUTED, lw=9, alpha=0.22),
        "bars": ax.vlines(places, empty, empty, color=style.INK, lw=1.2),
        "line": ax.plot(places, empty, "-o", color=style.INK, lw=2.4, ms=5.5)[0],
        "dot": ax.plot([], [], "o", color=style.INK, ms=10)[0],
        "guessing": ax.text(places[0] - 0.3, 1.035, "", va="bottom"),
    }


def _setup_networks(ax):
    count = int(success("uniform")["n"].max())
    ax.set(xlim=(-1, count), ylim=(0.18, 1.03), xticks=())
    ax.set_yticks((0.5, SOLVED, 1), ("chance\n50%", "95%", "100%"))
    ax.set_xlabel("a dot: one network’s\nright answers")
    ax.axhline(SOLVED, color=style.INK, lw=0.8, ls=":")
    ax.axhline(0.5, color=style.MUTED, lw=0.8, ls=":")
    return {
        "count": ax.text(LEFT - 0.4, 1.085, "", weight="bold", fontsize=10.5),
        "learnt": ax.plot([], [], "o", color=style.INK, ms=5, clip_on=False)[0],
        "not learnt": ax.plot([], [], "o", color=style.INK, mfc="none", ms=5)[0],
        "gradient": ax.text(LEFT, 0.305, "", color=style.GRAD, weight="bold", va="center",
                            linespacing=1.4),
    }


def _update(artists, variant, lag):
    found = success(VARIANTS[variant])
    here, places = list(found["lags"]).index(lag), np.log2(found["lags"])
    artists["line"].set_ydata(found["share"])
    artists["bars"].set_segments([
        [(x, low), (x, high)]
        for x, low, high in zip(places, found["low"], found["high"], strict=True)])
    artists["here"].set_xdata([places[here]] * 2)
    artists["dot"].set_data([places[here]], [found["share"][here]])
    artists["guessing"].set_text(f"guessed weights: all, after {guessing(lag)['draws']:g} draws")
    solved, n = int(found["solved"][here]), int(found["n"][here])
    artists["count"].set_text(f"lag {lag}: {solved} of {n}")
    artists["gradient"].set_text(
        "gradient at the bit,\nbefore training:\n" + _power(found["ratio"][here]) + " of the last")
    _draw_networks(artists, accuracies(VARIANTS[variant], lag))
    return _sentence(variant, lag, solved, n, (found["low"][here], found["high"][here]))


def _draw_networks(artists, scores):
    learnt, ranks = scores >= SOLVED, np.arange(len(scores))
    artists["learnt"].set_data(ranks[learnt], scores[learnt])
    artists["not learnt"].set_data(ranks[~learnt], scores[~learnt])


def _power(ratio):
    """0.034 as 0.034, 0.0000123 as 1·10⁻⁵."""
    return f"{ratio:.2g}" if ratio >= 0.001 else scientific(ratio)


def _sentence(variant, lag, solved, n, interval):
    low, high = interval
    guessed = guessing(lag)
    return (f"{variant[0].upper()}{variant[1:]}, lag {lag}: {solved} of {n} networks learn it (95% "
            f"interval {low:.0%} to {high:.0%}). Guessing the weights of one unit takes a median "
            f"of {guessed['draws']:g} draws, which see {guessed['sequences']:,.0f} sequences; "
            f"each training sees {TRAINED_ON:,}.")
