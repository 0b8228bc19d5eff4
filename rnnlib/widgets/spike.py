"""One gradient is a hundred times too large: what SGD and Adam do at it, and after it."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np

from rnnlib import live, style
from rnnlib.clipping import clip_by_norm
from rnnlib.optim import SGD, Adam
from rnnlib.plots.numerals import ten

BEFORE, AFTER = 15, 40  # updates that are drawn, before the spike and after it
LONG = 7_000  # updates after the spike in which the steps may recover
NONE = "none"
THRESHOLDS = (NONE, "10", "1", "0.1")
#: name -> the rule with learning rate 1, so that a step is counted in learning rates
OPTIMISERS = {
    "SGD": SGD(lr=1.0),
    "Adam, β₂ = 0.999": Adam(lr=1.0, betas=(0.9, 0.999)),
    "Adam, β₂ = 0.99": Adam(lr=1.0, betas=(0.9, 0.99)),
}
#: name -> (size of the spike, its update)
SPIKES = {
    "10× at update 20": (10.0, 20),
    "100× at update 20": (100.0, 20),
    "1,000× at update 20": (1000.0, 20),
    "100× at update 2,000": (100.0, 2000),
}
SIZES, STEPS, WAYS = (-2, 3.2), (-2.2, 3.2), (-BEFORE, 60)  # heights: powers of ten, and rates
WIDTH, HEIGHT = 461, 402
LEFT, ACROSS, TALL, FLOORS = 46, 282, 92, (288, 164, 40)


def spike():
    """Gradients of size 1 with one spike, a single parameter, SGD or Adam, clipped or not.

        step = p_before - p_after       in learning rates

    Adam's own equations are in `rnnlib.optim.Adam`; β₁ = 0.9 throughout.
    """
    adam, hundred, late = "Adam, β₂ = 0.999", "100× at update 20", "100× at update 2,000"
    return live.LiveFigure(
        _setup,
        _update,
        title="One gradient out of line",
        controls={
            "optimiser": live.Choice("optimiser", OPTIMISERS, value=adam),
            "threshold": live.Choice("clip to norm v", THRESHOLDS),
            "spike": live.Choice("spike", SPIKES, value=hundred),
        },
        presets={
            "SGD leaps": {"optimiser": "SGD", "threshold": NONE, "spike": hundred},
            "SGD, clipped: no leap": {"optimiser": "SGD", "threshold": "1", "spike": hundred},
            "Adam stalls": {"optimiser": adam, "threshold": NONE, "spike": hundred},
            "Late in training: Adam leaps first": {
                "optimiser": adam, "threshold": NONE, "spike": late},
            "Adam, clipped: no stall": {"optimiser": adam, "threshold": "1", "spike": hundred},
            "All clipped alike: Adam sees no difference":
                {"optimiser": adam, "threshold": "0.1", "spike": hundred},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


def gradients(size, at, after=AFTER):
    """Return the gradients of updates 1 .. `at` + `after`: 1 each, but `size` at update `at`."""
    g = np.ones(at + after)
    g[at - 1] = size
    return g


def clipped(g, v):
    """Return each gradient clipped to norm v on its own; v = None clips nothing."""
    return g if v is None else np.array([clip_by_norm(np.array([each]), v)[0][0] for each in g])


def walk(optimiser, g):
    """Yield how far the parameter goes against each of the gradients g, in learning rates."""
    p = np.zeros(1)                                     # stays there: no rule here looks at it
    state = optimiser.init(p)
    for each in g:
        new, state = optimiser.update(p, np.array([each]), state)
        yield float((p - new)[0])


@cache
def run(optimiser, threshold, spike):
    """Return the clipped gradients and the steps, of the updates drawn: the spike is at BEFORE."""
    size, at = SPIKES[spike]
    g = clipped(gradients(size, at), None if threshold == NONE else float(threshold))
    first = at - 1 - BEFORE
    return g[first:], np.array(list(walk(OPTIMISERS[optimiser], g)))[first:]


@cache
def recovery(optimiser, spike):
    """Return how many updates after the spike, unclipped, a step is again half a learning rate.

    0 if no step from the spike on is shorter than that.
    """
    size, at = SPIKES[spike]
    short = False
    for n, step in enumerate(walk(OPTIMISERS[optimiser], gradients(size, at, LONG)), start=1):
        if short and step >= 0.5:
            return n - at
        short = short or (n >= at and step < 0.5)
    return 0


def _setup():
    fig = plt.figure(figsize=(WIDTH / 72, HEIGHT / 72))
    top, middle, low = (
        fig.add_axes((LEFT / WIDTH, floor / HEIGHT, ACROSS / WIDTH, TALL / HEIGHT))
        for floor in FLOORS
    )
    for ax, ends, powers in ((top, SIZES, (-2, 0, 2)), (middle, STEPS, (-2, 0, 2))):
        ax.set(ylim=ends)
        ax.set_yticks(powers, ["1" if p == 0 else ten(p) for p in powers])
    low.set(ylim=WAYS, yticks=(0, 20, 40, 60))
    for ax in (top, middle, low):
        ax.set(xlim=(-BEFORE - 1, AFTER + 1), xticks=(-10, 0, 10, 20, 30, 40))
        ax.set_xticklabels(["−10", "0", "10", "20", "30", "40"] if ax is low else [])
        ax.axvline(0, color=style.MUTED, lw=0.8, alpha=0.6, zorder=0)
    low.set_xlabel("updates after the spike", labelpad=1)
    top.set_title("gradient", fontsize=10.5, pad=6, weight="bold")
    middle.set_title("step taken, in learning rates", fontsize=10.5, pad=6, weight="bold")
    low.set_title("how far it has come, in learning rates", fontsize=10.5, pad=6, weight="bold")
    return fig, {
        "gradient": _draw_panel(top, style.GRAD),
        "step": _draw_panel(middle, style.THETA),
        "way": _draw_panel(low, style.THETA, dots=False) | {"exits": _draw_exits(low)},
    }


def _draw_panel(ax, colour, dots=True):
    """Grey: without clipping; in colour: as it is; what is read off them, at the right."""
    look = {"ls": "none", "marker": "o", "ms": 3.6} if dots else {"lw": 2.4}
    (grey,) = ax.plot([], [], color=style.MUTED, **look)
    if dots:
        grey.set(fillstyle="none", markeredgewidth=0.9)
    else:
        grey.set_dashes((4, 2))
        grey.set_linewidth(1.4)
    (mine,) = ax.plot([], [], color=colour, **look)
    ends = ax.get_ylim()
    note = ax.text(AFTER + 3, (ends[0] + ends[1]) / 2, "", va="center", linespacing=1.35)
    return {"grey": grey, "mine": mine, "note": note}


def _draw_exits(ax):
    look = {"marker": "^", "ms": 8, "mew": 0, "clip_on": False, "ls": "none", "zorder": 5}
    return [ax.plot([], [], color=c, **look)[0] for c in (style.MUTED, style.THETA)]


def _update(artists, optimiser, threshold, spike):
    x = np.arange(-BEFORE, AFTER + 1)
    (g, way), (bare, plain) = run(optimiser, threshold, spike), run(optimiser, NONE, spike)
    for name, mine, other in (("gradient", g, bare), ("step", way, plain)):
        artists[name]["mine"].set_data(x, np.round(np.log10(mine), 3))
        artists[name]["grey"].set_data(x, np.round(np.log10(other), 3))
        artists[name]["grey"].set_visible(threshold != NONE)
    _show_way(artists["way"], x, come(way), come(plain), threshold != NONE)
    _show_notes(artists, g, way, plain, threshold)
    return _sentence(optimiser, threshold, spike, way, plain)


def come(way):
    """Return how far the parameter has come after each update, 0 just before the spike."""
    far = np.cumsum(way)
    return far - far[BEFORE - 1]


def _show_way(artists, x, mine, other, clips):
    for line, arrow, far, shown in (
        (artists["grey"], artists["exits"][0], other, clips),
        (artists["mine"], artists["exits"][1], mine, True),
    ):
        left = int((far > WAYS[1]).argmax()) if far.max() > WAYS[1] else None
        line.set_data(x[:left], np.round(far[:left], 1))
        if left is not None:
            line.set_data(*np.transpose([*line.get_xydata(), (x[left], WAYS[1])]))
        arrow.set_data([x[left or 0]], [WAYS[1]])
        arrow.set_visible(shown and left is not None)
        line.set_visible(shown)


def _show_notes(artists, g, way, plain, threshold):
    size = f"at the spike: {g[BEFORE]:,.4g}\nelse: {g[0]:g}"
    artists["gradient"]["note"].set_text(
        f"not clipped\n{size}" if threshold == NONE else f"clipped to {threshold}\n{size}"
    )
    later = way[BEFORE + 1 :].min()
    artists["step"]["note"].set_text(
        f"at the spike: {_rates(way[BEFORE])}\nleast after: {_rates(later)}"
    )
    told = f"in {AFTER + 1} updates, from\nthe spike on: {_far(way)}"
    if threshold != NONE:
        told += f"\nunclipped: {_far(plain)}"
    artists["way"]["note"].set_text(told)


def _far(way):
    """How far the spike's update and those after it come, to a tenth."""
    return f"{come(way)[-1]:.1f}".removesuffix(".0")


def _rates(x):
    return f"{x:,.0f}" if x > 99.5 else f"{x:.2g}"


def _times(x):
    text = _rates(x)
    return f"{text} learning rate{'s' * (text != '1')}"


def _sentence(optimiser, threshold, spike, way, plain):
    how = "without clipping" if threshold == NONE else f"clipped to norm {threshold}"
    leaps = "it leaps" if way[BEFORE] > 1.05 else "the step is"
    told = (f"{optimiser}, {how}, a spike of {spike}: there {leaps} {_times(way[BEFORE])}, the "
            f"shortest step of the {AFTER} after it is {_rates(way[BEFORE + 1:].min())}; the "
            f"{AFTER + 1} together come {_far(way)}")
    calm = (AFTER + 1) * way[0]                              # all steps before the spike are alike
    told += ". " if abs(come(way)[-1] - calm) < 0.05 else f" instead of {calm:.3g}. "
    wait = recovery(optimiser, spike) if threshold == NONE else 0
    if wait:
        return told + f"Half a learning rate is reached again {wait:,} updates after the spike."
    if threshold != NONE:
        told += (f"Without clipping the two steps are {_rates(plain[BEFORE])} and "
                 f"{_rates(plain[BEFORE + 1:].min())}. ")
    if threshold != NONE and float(threshold) < 1:
        told += "Every gradient is clipped. "
    if np.ptp(way) < 1e-4:
        told += "All steps are alike."
    return told.strip()
