"""What stands above and below the drawing of a cell: the stages of a step, the whole sequence.

The strip has a column for each step: its number t, what is read, and a bar for each state. Filled
bars are the run that is shown, outlines the same run with nothing held. Coordinates as in `cells`.
"""

from matplotlib.patches import Rectangle

from rnnlib import style
from rnnlib.plots.matrices import CENTRED

LEFT, COLUMN, BAR = 42.0, 41.0, 20.0  # where the first column begins, its width, that of a bar
SCALE = 18.0  # height of 1
AHEAD = 0.22  # opacity of what is yet to come


def draw_stages(ax, y, names):
    """Draw the stages' names in a row with arrows between; return their texts."""
    texts, gap = [], 453 / len(names)
    for k, name in enumerate(names):
        x = 4 + gap * (k + 0.5)
        texts.append(ax.text(x, y, f"{k + 1}  {name}", **CENTRED))
        if k:
            ax.text(x - gap / 2, y, "→", color=style.MUTED, **CENTRED)
    return texts


def set_stages(texts, stage):
    """Make the name of stage 1, 2, ... bold; grey are those still to come."""
    for k, text in enumerate(texts, 1):
        text.set_weight("bold" if k == stage else "normal")
        text.set_color(style.INK if k <= stage else style.MUTED)


def draw_strip(ax, top, inputs, states):
    """Draw the sequence. inputs: (number, command) of each step; states: name -> (values, room).

    Returns {"now": the mark of the step, "bars": {name: [a bar of each step]}, "note": a text}.
    """
    feet, y = {}, top + 41
    for name, (_, room) in states.items():
        y += SCALE * room + 5
        feet[name] = y
    for x_or_t, below in (("t", 5), ("xₜ", 19)):
        ax.text(6, top + below, x_or_t, va="center_baseline",
                color=style.X if below > 5 else style.INK)
    for t, (number, command) in enumerate(inputs):
        middle = LEFT + COLUMN * (t + 0.5)
        ax.text(middle, top + 5, f"{t + 1}", **CENTRED)
        for below, text in ((19, f"{number:.1f}"), (32, command)):
            ax.text(middle, top + below, text, color=style.X, fontsize=9.5, **CENTRED)
    bars = {name: _row(ax, name, feet[name], values) for name, (values, _) in states.items()}
    mark = Rectangle((0, top - 5), COLUMN, y + 8 - top, fill=False, edgecolor=style.INK, lw=1.4)
    note = ax.text(LEFT + COLUMN * len(inputs), y + 14, "", fontsize=9.5, ha="right", va="center")
    return {"now": ax.add_patch(mark), "bars": bars, "note": note}


def _row(ax, name, foot, values):
    ax.text(6, foot - 6, f"{name}ₜ", color=style.H, va="center_baseline")
    last = LEFT + COLUMN * len(values)
    ax.plot([LEFT, last], [foot, foot], color=style.MUTED, lw=0.8, solid_capstyle="butt")
    bars = []
    for t, value in enumerate(values):
        left, height = LEFT + COLUMN * (t + 0.5) - BAR / 2, SCALE * value
        ax.add_patch(Rectangle((left, foot - height), BAR, height, fill=False, lw=1,
                               edgecolor=style.INK, zorder=3))
        bars.append(ax.add_patch(Rectangle((left, foot), BAR, 0, color=style.H, lw=0, zorder=2)))
    return bars


def set_strip(artists, t, values, reached, hold=""):
    """Mark step t, counted from 1. reached: name -> the last step whose value is computed.

    hold: what is held, if anything; then the outlines are explained.
    """
    artists["note"].set_text(f"blue: {hold} held;  outlines: nothing held" if hold else "")
    artists["now"].set_x(LEFT + COLUMN * (t - 1))
    for name, bars in artists["bars"].items():
        for k, (bar, value) in enumerate(zip(bars, values[name], strict=True), 1):
            # From its foot, which stays: y grows downwards.
            bar.set_height(-round(float(SCALE * value), 1))
            bar.set_alpha(1 if k <= reached[name] else AHEAD)
