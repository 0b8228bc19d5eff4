"""The gates of a small LSTM over one sequence, before, during and after it learns a task."""

import numpy as np
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from rnnlib import live, style, tasks
from rnnlib.plots.matrices import CENTRED, blank_axes, signed
from rnnlib.widgets import gate_runs as runs

NAMES = {"adding problem": "adding", "embedded Reber grammar": "Reber"}
ADDING, REBER = NAMES
STEPS, LAST = runs.LENGTH, runs.MOMENTS[-1]
GATES = {"i": "input gate i", "f": "forget gate f", "o": "output gate o"}


def gates_in_training():
    """What each gate of an LSTM does, step by step, at twelve moments of its training.

        c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t,    h_t = o_t ⊙ tanh(c_t)

    Each row is a unit; its height says how open the gate is, from 0 to 1, or, for c, up from the
    middle what is positive, on a scale of its own: the largest |c| it has here, now or after
    training. The first unit is the one whose c tells best what must be held. Dashed: c of the twin,
    a sequence that differs in nothing but what must be held; the area between the two is filled.
    The weights were recorded by experiments/gate_runs.py, which says of which networks; the traces
    are computed here.
    """
    after, mark = {"updates": LAST}, runs.shown("adding").written[:, 0].argmax() + 1
    return live.LiveFigure(
        _setup,
        _update,
        title="Which gate learns what?",
        controls={
            "task": live.Choice("task", list(NAMES)),
            "updates": live.Play(
                "updates of training", values=runs.MOMENTS, value=LAST, per_second=2),
            "t": live.Range("time step t", 1, STEPS, value=int(mark)),
        },
        presets={
            "Before training: nothing stands out": {"task": ADDING, "updates": 0},
            "Adding, after: the input gate opens at the marks": {"task": ADDING} | after,
            "Reber, before": {"task": REBER, "updates": 0, "t": 2},
            "Reber, after: one unit holds the second letter": {"task": REBER, "t": 12} | after,
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


# --- drawing ------------------------------------------------------------------------------------

WIDTH, HEIGHT = 461, 384
LEFT, STEP = 88, 14
RIGHT = LEFT + STEPS * STEP
#: block -> its top; heights of the carrying unit's row and of all the others' rows together
TOPS = {"i": 78, "f": 143, "c": 208, "o": 303}
TALL = {"i": (22, 30), "f": (22, 30), "o": (22, 30), "c": (40, 42)}
BETWEEN, BOTTOM = 3, 358
FLOOR = 62  # of the bars that show the numbers to add, and the letters' middle is above it
BAR = 30
CURVE = (382, 448, 24, 60)  # left, right, top, bottom of the learning curve
PALE = 0.55  # opacity of the other units
SCALE = {"adding": (1e-4, 3.0), "Reber": (1e-3, 1.0)}  # errors at bottom and top of the curve


def _setup():
    fig, ax = blank_axes(WIDTH, HEIGHT)
    band = Rectangle((0, FLOOR - BAR - 9), STEP, BOTTOM - FLOOR + BAR + 9, facecolor=style.MUTED,
                     alpha=0.3, lw=0, zorder=0)
    artists = {"band": ax.add_patch(band), "blocks": {}, "values": {}}
    for name, top in TOPS.items():
        artists["blocks"][name] = _draw_block(ax, name, top)
        colour = style.H if name == "c" else style.GATES[name]
        artists["values"][name] = ax.text(RIGHT + 8, top + TALL[name][0] / 2, "", weight="bold",
                                          color=colour, va="center", linespacing=1.3)
    artists["others"] = [
        ax.text(LEFT - 8, top + TALL[name][0] + BETWEEN + TALL[name][1] / 2, "", fontsize=9.5,
                color=style.MUTED, ha="right", va="center_baseline") for name, top in TOPS.items()]
    for t in (1, 5, 10, 15, 20):
        ax.text(LEFT + STEP * (t - 0.5), BOTTOM + 13, str(t), fontsize=9.5, ha="center")
    ax.text(LEFT - 8, BOTTOM + 13, "time step t", fontsize=9.5, ha="right")
    artists["asked"] = ax.text(0, BOTTOM + 25, "", fontsize=9.5, ha="right")
    return fig, artists | _draw_inputs(ax) | _draw_curve(ax)


def _draw_block(ax, name, top):
    colour = style.H if name == "c" else style.GATES[name]
    tall, others = TALL[name]
    label = "cell state c" if name == "c" else GATES[name]
    ax.text(LEFT - 8, top + tall / 2 - 6, label, weight="bold", fontsize=9.5, ha="right",
            va="center_baseline", color=colour)
    ax.text(LEFT - 8, top + tall / 2 + 6, "unit 1", fontsize=9.5, ha="right", va="center_baseline")
    ax.add_patch(Rectangle((LEFT, top), RIGHT - LEFT, tall, fill=False, edgecolor=style.MUTED,
                           lw=0.7, zorder=3))
    parts = {"unit": _area(ax, colour, 1 if name != "c" else 0.4),
             "others": _area(ax, colour, PALE if name != "c" else 0.4)}
    if name == "c":
        ax.plot([LEFT, RIGHT], [top + tall / 2] * 2, color=style.MUTED, lw=0.7, zorder=1)
        parts["own"] = ax.plot([], [], color=colour, lw=1.8, zorder=4)[0]
        parts["twin"] = ax.plot([], [], color=colour, lw=1.3, dashes=(2.2, 1.3), zorder=4)[0]
        parts["own others"] = ax.plot([], [], color=colour, lw=0.9, zorder=4)[0]
    return parts


def _area(ax, colour, alpha):
    return ax.add_patch(PathPatch(Path(np.zeros((1, 2))), facecolor=colour, alpha=alpha, lw=0,
                                  zorder=2))


def _draw_inputs(ax):
    at = [LEFT + STEP * (t + 0.5) for t in range(STEPS)]
    twin, = ax.plot([], [], color=style.INK, lw=1.2, dashes=(2.2, 1.3), zorder=3)
    small = {"fontsize": 9.5, "ha": "right", "va": "center_baseline"}
    return {
        "plain": _area(ax, style.MUTED, 0.6), "marked": _area(ax, style.X, 1), "twin bar": twin,
        "letters": [ax.text(x, 42, "", fontsize=11, **CENTRED) for x in at],
        "twin letters": [ax.text(x, FLOOR - 4, "", fontsize=11, **CENTRED)
                         for x in at],
        "row": ax.text(LEFT - 8, 42, "", **small),
        "twin row": ax.text(LEFT - 8, FLOOR - 4, "", **small),
    }


def _draw_curve(ax):
    left, right, top, bottom = CURVE
    ax.plot([left - 4, left - 4, right + 4], [top, bottom + 4, bottom + 4], color=style.MUTED,
            lw=0.8)
    return {
        "head": ax.text(LEFT, 14, "", weight="bold", fontsize=11),
        "error": ax.text(WIDTH - 5, 14, "", weight="bold", color=style.GRAD, ha="right"),
        "curve": ax.plot([], [], color=style.GRAD, lw=1.4)[0],
        "dot": ax.plot([], [], "o", color=style.GRAD, ms=6)[0],
    }


def _update(artists, task, updates, t):
    task = NAMES[task]
    now = runs.seen(task, updates)
    artists["band"].set_x(LEFT + STEP * (t - 1))
    _show_inputs(artists, task)
    _show_curve(artists, task, updates)
    for name in GATES:
        _show_gate(artists["blocks"][name], name, getattr(now, name))
        artists["values"][name].set_text(f"{name} = {getattr(now, name)[t - 1, 0]:.2f}")
    _show_cell(artists["blocks"]["c"], now, runs.largest(task, updates))
    c, twin = now.c[t - 1, 0], now.twin[t - 1, 0]
    artists["values"]["c"].set_text(f"c = {signed(c)}\ntwin {signed(twin)}")
    for label in artists["others"]:
        label.set_text(f"units 2 to {now.i.shape[1]}")
    return _sentence(task, updates, t, now)


def _stairs(values, base, height):
    """Corners (2T, 2) of stairs: a stretch of STEP for each value, `height` times it above base."""
    x = LEFT + STEP * np.arange(len(values) + 1).repeat(2)[1:-1]
    return np.stack([x, np.round(base - height * np.repeat(values, 2), 1)], axis=1)


def _fill(area, outlines):
    """Let an area consist of these closed outlines."""
    codes = [np.r_[Path.MOVETO, [Path.LINETO] * (len(o) - 1), Path.CLOSEPOLY] for o in outlines]
    corners = [np.concatenate([o, o[:1]]) for o in outlines]
    area.set_path(Path(np.concatenate(corners), np.concatenate(codes)))


def _rows(name, units):
    """(base, height) of the row of each unit."""
    tall, rest = TALL[name]
    each = rest / (units - 1)
    first = TOPS[name] + tall + BETWEEN
    return [(TOPS[name] + tall, tall), *((first + each * (k + 1), each - 1.5)
                                         for k in range(units - 1))]


def _show_gate(parts, name, gate):
    """Rows as high as the gate is open; a shut one is a hairline."""
    outlines = [
        np.concatenate([_stairs(np.maximum(gate[:, k], 0.4 / height), base, height),
                        [(RIGHT, base), (LEFT, base)]])
        for k, (base, height) in enumerate(_rows(name, gate.shape[1]))]
    _fill(parts["unit"], outlines[:1])
    _fill(parts["others"], outlines[1:])


def _show_cell(parts, now, most):
    """c of the sequence, solid, and of its twin; filled between them."""
    own, twin = [], []
    for k, (base, height) in enumerate(_rows("c", now.c.shape[1])):
        for lines, c in ((own, now.c), (twin, now.twin)):
            lines.append(_stairs(c[:, k] / most[k], base - height / 2, height / 2))
    between = [np.concatenate([a, b[::-1]]) for a, b in zip(own, twin, strict=True)]
    _fill(parts["unit"], between[:1])
    _fill(parts["others"], between[1:])
    parts["own"].set_data(*own[0].T)
    parts["twin"].set_data(*twin[0].T)
    gap = np.full((1, 2), np.nan)
    parts["own others"].set_data(*np.concatenate([p for line in own[1:] for p in (line, gap)]).T)


def _show_inputs(artists, task):
    s = runs.shown(task)
    (_show_letters if task == "Reber" else _show_numbers)(artists, s)
    artists["row"].set_text("letters" if task == "Reber" else "add the green")
    artists["twin row"].set_text("twin" if task == "Reber" else "dashed: twin")
    artists["asked"].set(x=LEFT + STEP * (s.asked[0] + 1) + 2, text="asked ↑")


def _show_letters(artists, s):
    """The letters that are read, and those in which the twin differs."""
    changed = (s.batch.xs != s.twin).any(axis=2)[:, 0]
    twin = [tasks.REBER_SYMBOLS[k] for k in s.twin[:, 0].argmax(axis=1)]
    for t, strong in enumerate(changed):
        artists["letters"][t].set(text=s.strings[0][t], weight="bold" if strong else "normal",
                                  color=style.X if strong else style.INK)
        artists["twin letters"][t].set(text=twin[t] if strong else "", color=style.X)
    for name in ("plain", "marked"):
        _fill(artists[name], [np.full((3, 2), -9.0)])               # beside the picture
    artists["twin bar"].set_data([], [])


def _show_numbers(artists, s):
    """The numbers as bars, the marked ones coloured, and the one that the twin has instead."""
    marked = s.written[:, 0]
    for name, which in (("plain", ~marked), ("marked", marked)):
        _fill(artists[name], [_bar(t, s.batch.xs[t, 0, 0]) for t in np.flatnonzero(which)])
    first = marked.argmax()
    artists["twin bar"].set_data(*_bar(first, s.twin[first, 0, 0]).T)
    for text in (*artists["letters"], *artists["twin letters"]):
        text.set(text="", weight="normal", color=style.INK)


def _bar(t, number):
    x, y = LEFT + STEP * t + 2.5, round(FLOOR - BAR * number, 1)
    return np.array([(x, FLOOR), (x, y), (x + STEP - 5, y), (x + STEP - 5, FLOOR)])


def _show_curve(artists, task, updates):
    left, right, top, bottom = CURVE
    low, high = np.log10(SCALE[task])
    errors = np.array([runs.seen(task, k).error for k in runs.MOMENTS])
    share = (np.log10(np.clip(errors, *SCALE[task])) - low) / (high - low)
    x, y = np.linspace(left, right, len(share)), np.round(bottom - (bottom - top) * share, 1)
    artists["curve"].set_data(x, y)
    now = runs.MOMENTS.index(updates)
    artists["dot"].set_data([x[now]], [y[now]])
    artists["head"].set_text(f"After {updates:,} updates" if updates else "Before training")
    artists["error"].set_text(_error(task, errors[now]))


def _error(task, error):
    return f"error {error:.2g}" if task == "adding" else f"{error:.1%} of strings wrong"


def _sentence(task, updates, t, now):
    s, when = runs.shown(task), f"after {updates:,} updates" if updates else "before training"
    written = s.written[:, 0]
    values = ", ".join(f"{name} = {getattr(now, name)[t - 1, 0]:.2f}" for name in GATES)
    values += f", c = {signed(now.c[t - 1, 0])}, in the twin {signed(now.twin[t - 1, 0])}"
    if task == "adding":
        i, kind = now.i[:, 0], "marked" if written[t - 1] else "not marked"
        return (f"Adding, {when}: the input gate of unit 1 is open to {i[written].mean():.2f} at "
                f"the marked steps, to {i[~written].mean():.2f} at the others; the answer is "
                f"{signed(now.said)}, right is {s.wanted[-1, 0]:.2f}. Step {t}, {kind}: {values}.")
    string, held = s.strings[0], s.held[:, 0]
    least = np.abs(now.c - now.twin)[held, 0].min()
    least = f"{least:.2f}" if least >= 0.005 else "under 0.01"
    odds = f"{now.said:.0%}" if now.said < 0.99 else "over 99%"
    return (f"Reber, {when}: while {string[1]} must be held, the forget gate of unit 1 is open to "
            f"{now.f[held, 0].mean():.2f} on average, and the least difference of its cell state "
            f"from the twin's is {least}; {string[-2]} is then predicted with {odds}. "
            f"Step {t}, letter {string[t - 1]}: {values}.")
