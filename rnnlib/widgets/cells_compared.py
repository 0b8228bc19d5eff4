"""RNN, LSTM and GRU read the same numbers: states, gates and gradients, before and after training.

The networks are those of experiments/adding.py (`cells_compared_readings`).
"""

import numpy as np
from matplotlib.colors import to_rgb

from rnnlib import live, style
from rnnlib.plots.matrices import blank_axes, signed
from rnnlib.plots.numerals import scientific, ten
from rnnlib.widgets.cells_compared_readings import (
    MOMENTS,
    SEEDS,
    STEPS,
    network,
    reading,
    sequences,
)
from rnnlib.widgets.gradient_norms import thinned

KINDS = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}
#: field of a trace that is a gate -> what it does
ROLES = {"f": "keep", "i": "write", "o": "show", "z": "keep", "r": "look"}
#: kind -> its gates, and where in the column the name of each stands
GATES_OF = {"rnn": {}, "lstm": {"f": 0, "i": 43, "o": 85}, "gru": {"z": 0, "r": 43}}

WIDTH, HEIGHT, LEFT, GAP, PER_STEP = 461, 352, 56, 13, 2.46  # SVG units, also of what follows
SPAN = STEPS * PER_STEP
#: row -> its top and its bottom, downwards
ROWS = {"inputs": (72, 102), "states": (112, 190), "gates": (210, 254), "gradient": (264, 334)}
NAMES = {"inputs": "inputs x", "states": "change\nof the\nstates h", "gates": "gates of\nunit ◂",
         "gradient": "gradient"}
DECADES = (-8, 1)
PER_DECADE = (ROWS["gradient"][1] - ROWS["gradient"][0]) / (DECADES[1] - DECADES[0])
LEVELS, FULL = 8, 0.5  # tints in the picture of the states; the change that has the fullest


def cells_compared():
    """Three networks of about 1,250 parameters read one sequence of the adding problem.

    Rows: the numbers, of which two are marked; how far each unit's state is from where it was
    before the first of these, |h_t - h_before| (full colour: 0.5 or more), sorted by the last step;
    the gates of the unit that has changed most by the last step; the gradient of the loss at
    each step as a share of that at the last step, ‖dL/dh_t‖ / ‖dL/dh_τ‖. In the LSTM the bold line
    is that of the cell state, ‖dL/dc_t‖ / ‖dL/dc_τ‖, the thin one that of h.
    """
    return live.LiveFigure(
        _setup,
        _update,
        title="Three cells read the same numbers",
        controls={
            "updates": live.Range("updates of training", values=MOMENTS, value=MOMENTS[-1]),
            "seed": live.Range("networks from seed", values=SEEDS),
            "sequence": live.Choice("sequence", list(sequences())),
        },
        presets={
            "Before training: the gradient vanishes": _at(0),
            "300 updates: the GRU can add": _at(300),
            "1,000: the LSTM can, too": _at(1000),
            "3,000: the RNN still cannot": _at(3000),
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


def _at(updates):
    return {"updates": updates, "seed": SEEDS[0], "sequence": next(iter(sequences()))}


def share(arriving):
    """A share of the gradient as text: "87%", "3·10⁻⁷"."""
    if arriving >= 0.00995:
        return f"{round(100 * arriving)}%"
    return scientific(arriving).removeprefix("1·")


def _setup():
    fig, ax = blank_axes(WIDTH, HEIGHT)
    for row, name in NAMES.items():
        y = _height(0.01) if row == "gradient" else sum(ROWS[row]) / 2
        ax.text(2, y, name, va="center", fontsize=9.5, linespacing=1.3)
    ax.text(LEFT, HEIGHT - 3, "time step t, 1 to 50", fontsize=9.5)
    head = ax.text(2, 17, "", fontsize=13, weight="bold")
    sought = ax.text(WIDTH - 4, 17, "", fontsize=11.5, ha="right")
    _draw_scales(ax)
    columns = {kind: _draw_column(ax, kind, LEFT + i * (SPAN + GAP))
               for i, kind in enumerate(KINDS)}
    return fig, {"head": head, "sought": sought, "columns": columns}


def _draw_scales(ax):
    ax.text(2, _height(1e-6), "at ●", va="center", fontsize=9.5, color=style.GRAD)
    for power in (-8, -4, 0):
        ax.text(LEFT - 5, _height(10.0**power), ten(power) if power else "1", ha="right",
                va="center", fontsize=9.5)
    for value, edge in ((1, 0), (0, 1)):
        ax.text(LEFT - 5, ROWS["gates"][edge], value, ha="right", va="center", fontsize=9.5)


def _draw_column(ax, kind, x):
    hidden = network(kind, SEEDS[0], 0)[0].hidden_size
    ax.text(x, 42, KINDS[kind], fontsize=12, weight="bold")
    ax.text(x + SPAN, 42, f"{hidden} units", fontsize=9.5, ha="right", color=style.MUTED)
    says = ax.text(x, 58, "", fontsize=11.5)
    off = ax.text(x + SPAN, 58, "", fontsize=9.5, ha="right", color=style.GRAD)
    for row in ("inputs", "gates", "gradient"):
        bottom = ROWS[row][1]
        ax.plot([x, x + SPAN], [bottom, bottom], color=style.MUTED, lw=0.6)
    ax.plot([x, x + SPAN], [_height(1.0)] * 2, color=style.MUTED, lw=0.6, dashes=(2, 3))
    marks = ax.plot([], [], color=style.INK, lw=0.8, dashes=(2, 2), alpha=0.7, zorder=3)[0]
    return {"says": says, "off": off, "marks": marks,
            **_draw_inputs(ax, x), **_draw_states(ax, x, hidden), **_draw_gates(ax, kind, x),
            **_draw_gradient(ax, kind, x)}


def _draw_inputs(ax, x):
    (plain,) = ax.plot([], [], color=style.X, lw=1, alpha=0.45, solid_capstyle="butt")
    (marked,) = ax.plot([], [], color=style.X, lw=2.6, solid_capstyle="butt", zorder=4)
    numbers = [ax.text(x, 0, "", fontsize=9.5, ha="center", color=style.X) for _ in range(2)]
    return {"plain": plain, "marked": marked, "numbers": numbers}


def _draw_states(ax, x, hidden):
    top, bottom = ROWS["states"]
    image = ax.imshow(np.zeros((hidden, STEPS, 4)), extent=(x, x + SPAN, bottom, top),
                      aspect="auto", interpolation="none", zorder=1)
    ax.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0))       # imshow moves them
    (unit,) = ax.plot([], [], "<-", color=style.INK, lw=0.8, markersize=4.5, markeredgewidth=0)
    unit.set_markevery([0])
    return {"image": image, "unit": unit}


def _draw_gates(ax, kind, x):
    top, bottom = ROWS["gates"]
    lines, names = {}, GATES_OF[kind]
    for name, place in names.items():
        colour = style.GATES[name]
        ax.text(x + place, top - 7, f"{name} {ROLES[name]}", fontsize=9.5, color=colour,
                weight="bold")
        (lines[name],) = ax.plot([], [], color=colour, lw=1.5, zorder=2.5)
    if not names:
        ax.text(x + 0.63 * SPAN, (top + bottom) / 2, "no gates", color=style.MUTED, ha="center",
                va="center")
    return {"gates": lines}


def _draw_gradient(ax, kind, x):
    (bold,) = ax.plot([], [], color=style.GRAD, lw=2.6, zorder=2.5)
    (dot,) = ax.plot([], [], "o", color=style.GRAD, markersize=7, zorder=5)
    dot.set(markeredgecolor=style.PAPER, markeredgewidth=1)
    arrives = ax.text(x, 0, "", fontsize=11.5, weight="bold", color=style.GRAD)
    artists = {"bold": bold, "dot": dot, "arrives": arrives}
    if kind == "lstm":
        (artists["thin"],) = ax.plot([], [], color=style.GRAD, lw=1, zorder=2.4)
        ax.text(x + SPAN, HEIGHT - 3, "thick: of c, thin: of h", color=style.GRAD, ha="right",
                fontsize=9.5)
    return artists


def _height(arriving):
    """Where a share of the gradient lies; what leaves the picture stays at its edge."""
    top, bottom = ROWS["gradient"]
    decades = np.log10(np.maximum(arriving, 1e-300))
    return np.clip(bottom - PER_DECADE * (decades - DECADES[0]), top, bottom)


def _update(artists, updates, seed, sequence):
    readings = {kind: reading(kind, seed, updates, sequence) for kind in KINDS}
    artists["head"].set_text(f"After {updates:,} updates" if updates else "Before training")
    numbers = _marked(sequence)
    right = f"{numbers[0]:.2f} + {numbers[1]:.2f} = {sum(numbers):.2f}"
    artists["sought"].set_text(f"right answer: {right}")
    for i, (kind, one) in enumerate(readings.items()):
        x, column = LEFT + i * (SPAN + GAP), artists["columns"][kind]
        _place_inputs(column, x, sequence)
        _place_states(column, x, one)
        _place_gradient(column, x, one)
        column["says"].set_text(f"says {signed(one.answer)}")
        column["off"].set_text(f"off by {abs(one.answer - one.right):.2f}")
    return _sentence(updates, readings, right)


def _marked(sequence):
    """The two marked numbers."""
    xs = sequences()[sequence].xs[:, 0]
    return xs[xs[:, 1] == 1, 0]


def _place_inputs(column, x, sequence):
    top, bottom = ROWS["inputs"]
    xs = sequences()[sequence].xs[:, 0]
    stems = np.full((STEPS, 3, 2), np.nan)
    stems[:, 0] = stems[:, 1] = np.stack([_middle(x), np.full(STEPS, bottom)], axis=1)
    stems[:, 1, 1] -= (bottom - top) * xs[:, 0]
    stems, on = np.round(stems, 1), xs[:, 1] == 1
    column["plain"].set_data(*stems[~on].reshape(-1, 2).T)
    column["marked"].set_data(*stems[on].reshape(-1, 2).T)
    for text, stem, number in zip(column["numbers"], stems[on], xs[on, 0], strict=True):
        text.set(text=f"{number:.2f}", x=stem[1, 0], y=top - 1)
    column["marks"].set_data(*_through(*stems[on, 0, 0]).T)


def _through(first, second):
    """Lines at the two marked steps: through all rows but the words between them."""
    (_, inputs), (_, states), (top, gates), (_, gradient) = ROWS.values()
    ends = [(first, inputs, states), (first, top, gradient), (second, inputs, states),
            (second, top, gates)]
    return np.array([point for x, y, z in ends for point in ((x, y), (x, z), (np.nan, np.nan))])


def _middle(x):
    """Where the middle of each step lies in a column that begins at x."""
    return x + PER_STEP * (np.arange(STEPS) + 0.5)


def _place_states(column, x, one):
    (top, bottom), (low, high) = ROWS["states"], ROWS["gates"]
    order = np.argsort(one.change[-1])[::-1]
    column["image"].set_data(tinted(one.change[:, order].T))
    row = list(order).index(one.unit)
    y, edge = top + (bottom - top) * (row + 0.5) / len(order), x + SPAN
    to_gates = [(edge + 4, y), (edge + 8, y), (edge + 8, low + 10), (edge + 2, low + 10)]
    column["unit"].set_data(*np.round(to_gates, 1).T)
    column["unit"].set_visible(bool(one.gates))
    for name, line in column["gates"].items():
        heights = high - (high - low) * one.gates[name][:, one.unit]
        line.set_data(*_line(x, -heights))


def _line(x, upward):
    """The line through the heights (upward) of all steps, without what is not seen."""
    along, heights = thinned(upward, PER_STEP).T
    return np.round(x + PER_STEP / 2 + along, 1), -heights


def tinted(values):
    """Values as RGBA: blue, from nothing at 0 to the fullest at FULL and above, in LEVELS steps."""
    image = np.empty((*values.shape, 4))
    image[..., :3] = to_rgb(style.H)
    image[..., 3] = np.round(np.minimum(values / FULL, 1) * (LEVELS - 1)) / (LEVELS - 1)
    return image


def _place_gradient(column, x, one):
    column["bold"].set_data(*_line(x, -_height(one.arriving)))
    if "thin" in column:
        column["thin"].set_data(*_line(x, -_height(one.by_h)))
    arriving = one.arriving[one.first]
    column["dot"].set_data([round(_middle(x)[one.first], 1)], [round(float(_height(arriving)), 1)])
    column["dot"].set_marker("v" if arriving < 10.0 ** DECADES[0] else "o")
    _place_share(column["arrives"], x, one)


def _place_share(text, x, one):
    """Write how much arrives where the lines leave more room: below their ends, or above them."""
    text.set_text(share(one.arriving[one.first]))
    (top, bottom), steps = ROWS["gradient"], _middle(x)
    width = 8 * len(text.get_text())
    right, left = x + SPAN - 4, steps[one.first] + 5
    under = np.maximum(_height(one.arriving), _height(one.by_h))[steps > right - width].max()
    over = _height(one.arriving)[(steps > left) & (steps < left + width)].min()
    if bottom - 18 - under > over - top - 22:
        text.set(x=right, y=bottom - 8, ha="right")
    else:
        text.set(x=round(left, 1), y=top + 21, ha="left")


def _sentence(updates, readings, right):
    when = f"After {updates:,} updates" if updates else "Before training"
    names = [f"the {KINDS[kind]} {signed(one.answer)}" for kind, one in readings.items()]
    parts = [f"{share(one.arriving[one.first])} in the {KINDS[kind]}"
             for kind, one in readings.items()]
    return (
        f"{when}, asked for {right}: {names[0]}, {names[1]}, {names[2]}. Of the gradient at the "
        f"last step there arrives at the first marked number {parts[0]}, {parts[1]} (by way of "
        f"its cell state), {parts[2]}. ◂: the unit that has changed most by the last step."
    )
