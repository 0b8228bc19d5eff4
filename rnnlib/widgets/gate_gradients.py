"""The gradient on its way back through three cells of one size: the RNN, the GRU and the LSTM."""

from dataclasses import replace
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from rnnlib import live, style
from rnnlib.budget import hidden_size, parameters
from rnnlib.cells import RNNCell
from rnnlib.functions import sigmoid
from rnnlib.gru import GRUCell
from rnnlib.lstm import LSTMCell
from rnnlib.plots.numerals import ten
from rnnlib.unroll import backward, forward

from .gradient_norms import amount, thinned

CELLS = {"RNN": RNNCell, "GRU": GRUCell, "LSTM": LSTMCell}
BUDGET = parameters(LSTMCell.init(1, 16))  # 1,152 numbers, as near as whole units come
STEPS, BEFORE = 200, 100  # steps that one looks back, and before these, to forget the zero start
SEEDS = range(11)  # odd, so that the middle network is one of them
BIASES = (0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5)
STARTS = {"as torch does": "uniform", "with orthogonal W": "orthogonal"}
UNIFORM, ORTHOGONAL = STARTS
GONE = 0.01  # what still counts as arriving

DECADES = 9  # the picture shows 10⁻⁹ to 10
PER_STEP, PER_DECADE = 1.5, 25  # SVG units
WIDTH, LEFT, FLOOR = 461, 62, 40
SPAN, TOP, BOTTOM = STEPS * PER_STEP, PER_DECADE, -DECADES * PER_DECADE
HEIGHT = FLOOR + TOP - BOTTOM + 58
LOWEST = BOTTOM + 7  # of a label, and of the mark of what lies below the picture
APART = 14  # SVG units between the lines of two labels
#: cell -> the look of its line
LOOKS = {
    "RNN": {"dashes": (1, 1.4), "linewidth": 2.6},
    "GRU": {"dashes": (4, 1.5), "linewidth": 2.6},
    "LSTM": {"linestyle": "-", "linewidth": 3.0},
}


def gate_gradients():
    """How much of the gradient is left n steps back, in three untrained cells of equal size.

        ‖dL/d(state after step τ-n)‖,     dL/dh_τ of length 1, any direction

    Each has about 1,152 parameters. The state is all that a step hands to the next: h in the RNN
    and the GRU, h and c together in the LSTM, whose c carries what h alone would not show. For
    n = 0 all are 1. See `network` for what is drawn at random. Thin lines: one network each; bold:
    the median of 11. The slider sets b_f of the LSTM and b_z of the GRU: both say how much of the
    old state stays. In purple σ(b)ⁿ, what is left if nothing but that gate lets through, and
    always to the same extent.
    """
    opening = {"start": UNIFORM}
    return live.LiveFigure(
        _setup,
        _update,
        title="How much of the gradient arrives through gates?",
        controls={
            "bias": live.Range("bias b of the gate that keeps", values=BIASES, value=1),
            "start": live.Choice("weights drawn", list(STARTS)),
            "length": live.Range("steps back n", values=(10, 25, 50, 100, STEPS), value=50),
        },
        presets={
            "b = 0: gates hardly help": {"bias": 0, "length": 25} | opening,
            "b = 3: over 1% after 100 steps": {"bias": 3, "length": 100} | opening,
            "b = 5: the GRU keeps half": {"bias": 5, "length": 100} | opening,
            "Orthogonal W: the RNN keeps up": {
                "bias": 1, "start": ORTHOGONAL, "length": 100,
            },
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


def network(cell, bias, seed=0, start="uniform"):
    """Return (cell, xs, dh_end): an untrained cell, 300 inputs, the gradient at the last state.

    cell: "RNN", "GRU" or "LSTM", of so many units that its parameters are nearest to `BUDGET`.
    bias: b_f of the LSTM, b_z of the GRU; the RNN has no gate. W as `start` says (rnnlib.starts),
    all else uniform(-1/√H, 1/√H), as in torch. xs (300, 1, 1) are normal(0, 1), the same for all
    cells; dh_end (1, H) has length 1. A seed draws the same numbers for every bias.
    """
    rng, init = np.random.default_rng(seed), CELLS[cell].init
    xs = rng.normal(size=(BEFORE + STEPS, 1, 1))
    made = init(1, units(cell), start=start, rng=rng)
    dh = rng.normal(size=(1, made.hidden_size))
    if cell != "RNN":
        made = _biased(made, bias)
    return made, xs, dh / np.linalg.norm(dh)


@cache
def units(cell):
    """Return the H at which the cell of that name is nearest to the budget: 33, 18 or 16."""
    return hidden_size(CELLS[cell].init, 1, BUDGET)


def _biased(cell, bias):
    """The same cell with `bias` in the rows f of an LSTM, z of a GRU: the second block in both."""
    b, H = cell.b.copy(), cell.hidden_size
    b[H : 2 * H] = bias
    return replace(cell, b=b)


def opened(bias):
    """Return σ(b): the share that a gate keeps while nothing but its bias speaks."""
    return float(sigmoid(np.array([bias], float))[0])


def arriving(trace, dtrace):
    """Return ‖dL/d(state after step τ-n)‖ for n = 0 .. T; T steps, one sequence.

    trace, dtrace: of `forward` and `backward`, for any of the three cells. In an LSTM the state
    after step t is (h_t, c_t), two inputs of step t+1: dL/dh_t, and what comes back to c_t from
    step t+1, f_{t+1} ⊙ dL/dc_{t+1}. (dtrace.c holds more: the way through h_t as well.)
    """
    first = dtrace.state.reshape(-1, dtrace.h.shape[-1])             # h, or h and c, before step 1
    parts = [np.concatenate([first[:1], dtrace.h[:, 0]])]            # dL/dh_0 .. dL/dh_τ
    if len(first) == 2:
        back = (trace.f * dtrace.c)[:, 0]                            # into c_0 .. c_{τ-1}
        parts.append(np.concatenate([back, np.zeros_like(first[:1])]))
    return np.linalg.norm(np.concatenate(parts, axis=1), axis=1)[::-1]


def norms(cell, bias, length=STEPS, seed=0, start="uniform"):
    """Return what is left of the gradient n = 0 .. `length` (at most 200) steps back; a 1 first."""
    made, xs, dh_end = network(cell, bias, seed, start)
    trace = forward(made, xs)
    return arriving(trace, backward(made, trace, dh_end=dh_end)[0])[: length + 1]


@cache
def all_norms(cell, bias, start="uniform"):
    """Return the norms of the 11 networks, (11, 201). The bias is nothing to the RNN."""
    if cell == "RNN" and bias != 0:
        return all_norms(cell, 0, start)
    return np.stack([norms(cell, bias, seed=seed, start=start) for seed in SEEDS])


def _setup():
    fig = plt.figure(figsize=(WIDTH / 72, HEIGHT / 72))
    size = SPAN / WIDTH, (TOP - BOTTOM) / HEIGHT
    ax = fig.add_axes((LEFT / WIDTH, FLOOR / HEIGHT, *size))
    ax.set(xlim=(0, SPAN), ylim=(BOTTOM, TOP), xlabel="steps back from the loss, n")
    ax.set_ylabel("gradient at the state (LSTM: h and c)", labelpad=1)
    ax.set_xticks(np.arange(0, STEPS + 1, 25) * PER_STEP, range(0, STEPS + 1, 25))
    powers = {1: "10", 0: "1"} | {p: ten(p) for p in range(-DECADES, 0)}
    ax.set_yticks([p * PER_DECADE for p in powers], powers.values())
    told = "thin: one network each; bold: median of 11; shaded: over 1% (10⁻²) arrives"
    ax.text(0, TOP + 4, told, fontsize=9.5)
    ax.axhspan(-2 * PER_DECADE, TOP, color=style.GRAD, alpha=0.1, linewidth=0)
    head = fig.text(4 / WIDTH, 1 - 20 / HEIGHT, "", fontsize=15, weight="bold")
    kept = fig.text(4 / WIDTH, 1 - 38 / HEIGHT, "", fontsize=10.5)
    return fig, {"head": head, "told": kept} | _draw_lines(ax) | _draw_labels(ax)


def _draw_lines(ax):
    thin = {"color": style.GRAD, "linewidth": 0.7, "alpha": 0.45, "zorder": 2.2}
    curtain = Rectangle((0, BOTTOM), 0, TOP - BOTTOM, color=style.PAPER, alpha=0.82, lw=0, zorder=3)
    return {
        "thin": ax.plot([], [], **thin)[0],
        "bold": {name: ax.plot([], [], color=style.GRAD, zorder=2.8, **look)[0]
                 for name, look in LOOKS.items()},
        "guide": ax.plot([], [], color=style.KEEP, linewidth=1.4, zorder=2.7)[0],
        "curtain": ax.add_patch(curtain),
        "edge": ax.plot([0, 0], [BOTTOM, TOP], color=style.MUTED, linewidth=0.8, zorder=3.1)[0],
    }


def _draw_labels(ax):
    """A mark and a name with a number for each cell, and the name of the guide."""
    mark = {"color": style.GRAD, "markersize": 8, "zorder": 5, "clip_on": False,
            "markeredgecolor": style.PAPER, "markeredgewidth": 1}
    text = {"va": "center_baseline", "zorder": 6, "fontsize": 10.5}
    names = {name: ax.text(0, 0, "", weight="bold", **text) for name in CELLS}
    rule = ax.text(0, 0, "", color=style.KEEP, **text)
    marks = {name: ax.plot([], [], "o", **mark)[0] for name in CELLS}
    return {"marks": marks, "names": names | {"σ(b)ⁿ": rule}}


def _update(artists, bias, start, length):
    kept, lines = opened(bias), {name: _lines(name, bias, STARTS[start]) for name in CELLS}
    for name, (bold, _) in lines.items():
        artists["bold"][name].set_data(*bold.T)
    artists["thin"].set_data(*np.concatenate([thin for _, thin in lines.values()]).T)
    slope = PER_DECADE / PER_STEP * np.log10(kept)
    end = min(SPAN, (BOTTOM - 6) / slope)
    artists["guide"].set_data([0, round(end, 1)], [0, round(end * slope, 1)])
    artists["curtain"].set(x=length * PER_STEP, width=SPAN - length * PER_STEP)
    artists["edge"].set_xdata([length * PER_STEP] * 2)
    left = {name: float(np.median(all_norms(name, bias, STARTS[start])[:, length]))
            for name in CELLS}
    alone = kept**length
    _place_labels(artists, left, alone, length)
    artists["head"].set_text(verdict(left))
    artists["told"].set_text(f"The gate that keeps starts at σ(b) = {kept:.3f}.")
    return _sentence(left, alone, bias, start, length)


@cache
def _lines(cell, bias, start):
    """Return the median's line and those of all networks with gaps between."""
    each, gap = all_norms(cell, bias, start), np.full((1, 2), np.nan)
    thin = [part for one in each for part in (_shown(_height(one)), gap)]
    return _shown(_height(np.median(each, axis=0))), np.concatenate(thin)


def _shown(heights):
    """The line up to its first point that is well below the picture."""
    outside = np.flatnonzero(heights < BOTTOM - 6)
    return thinned(heights[: outside[0] + 1] if outside.size else heights, PER_STEP)


def _height(norm):
    """Return where norms lie, in SVG units above 1."""
    return PER_DECADE * np.log10(norm)


def _place_labels(artists, left, alone, length):
    """Write at step n what is left: beside the line's end, one label above the other."""
    for name, mark in artists["marks"].items():
        inside = left[name] > 10.0**-DECADES
        mark.set_data([length * PER_STEP],
                      [round(float(_height(left[name])) if inside else LOWEST, 1)])
        mark.set_marker("o" if inside else "v")
    at = {name: _height(value) for name, value in left.items()} | {"σ(b)ⁿ": _height(alone)}
    places = spread(at, APART, LOWEST)
    for name, text in artists["names"].items():
        value = left.get(name, alone)
        text.set(x=length * PER_STEP + 9, y=round(places[name], 1), text=f"{name} {short(value)}")


def spread(heights, apart, floor):
    """Move heights up, from the lowest on, until they are `apart` and none is below `floor`."""
    placed, least = {}, floor
    for name in sorted(heights, key=heights.get):
        placed[name] = max(heights[name], least)
        least = placed[name] + apart
    return placed


def short(value):
    """Write what is left: "52%", "0.023%", "3·10⁻¹⁰"."""
    return amount(value).removesuffix(" of it").replace("all", "100%")


def verdict(left):
    """Say in which cells at least 1% is left."""
    still = [name for name in CELLS if left[name] >= GONE]
    if len(still) in (0, len(CELLS)):
        return f"{'Over' if still else 'Under'} 1% arrives in each"
    return f"Over 1% arrives in the {' and the '.join(still)}{' alone' * (len(still) == 1)}"


def _sentence(left, alone, bias, start, length):
    share = ", ".join(f"{name} {short(left[name])}" for name in CELLS)
    gru, lstm = (np.median(all_norms(name, bias, STARTS[start])[:, 1]) for name in ("GRU", "LSTM"))
    return (
        f"Weights drawn {start}, bias {bias:g} where a gate keeps: {length} steps back this much "
        f"of the gradient is left, in medians of {len(SEEDS)} networks: {share}; σ(b)ⁿ is "
        f"{short(alone)}. One step back the GRU has {short(gru)} of it, the LSTM {short(lstm)}."
    )
