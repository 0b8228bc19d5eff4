"""A matrix drawn as its numbers, each in a cell as dark as the number is large.

    artists = draw_matrix(ax, (3, 4), x=10, y=20, colour=style.THETA, label="U")
    fill_matrix(artists, cell.U, limit=3)

The axes are measured in points from the top left corner (`blank_axes`), so that a page of algebra
can be laid out as it is written. `fill_matrix` can be called again and again.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from rnnlib import style

CELL = (33.0, 20.0)  # width and height in points: room for −0.00 at 9.5 points
CENTRED = {"ha": "center", "va": "center_baseline"}
DARKEST = 0.42  # opacity of the largest number's cell; ink stays legible on it


def blank_axes(width, height):
    """A figure of `width` by `height` points, and axes over all of it, y downwards, no frame."""
    fig = plt.figure(figsize=(width / 72, height / 72))
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(height, 0))
    ax.axis("off")
    return fig, ax


def draw_matrix(
    ax, shape, *, x, y, colour, label="", label_y=None, size=CELL, movable=False
):
    """Draw an empty matrix of `shape` (rows, columns) with its top left corner at (x, y).

    `label` is centred above it, on the line `label_y` (by default just above the cells).
    size: width and height of a cell. movable: return "frame" and "label" as well, so that the
    whole matrix can be hidden (`show_matrix`) or told by another name.
    Returns the artists that `fill_matrix` fills: {"cells": [...], "numbers": [...]}, by rows.
    """
    width, height = size
    rows, columns = shape
    artists = {"cells": [], "numbers": []}
    for i, j in np.ndindex(shape):
        left, top = x + j * width, y + i * height
        cell = Rectangle((left, top), width, height, facecolor=colour, edgecolor="none", alpha=0)
        number = ax.text(left + width / 2, top + height / 2, "", fontsize=9.5, **CENTRED)
        artists["cells"].append(ax.add_patch(cell))
        artists["numbers"].append(number)
    frame = Rectangle((x, y), columns * width, rows * height, fill=False, edgecolor=colour, lw=1.4)
    ax.add_patch(frame)
    baseline = y - 6 if label_y is None else label_y
    middle = x + columns * width / 2
    name = ax.text(middle, baseline, label, fontsize=11, weight="bold", ha="center")
    return artists | ({"frame": frame, "label": name} if movable else {})


def show_matrix(artists, shown):
    """Show or hide a matrix that was drawn as `movable`."""
    for artist in (*artists["cells"], *artists["numbers"], artists["frame"], artists["label"]):
        artist.set_visible(shown)


def fill_matrix(artists, values, *, limit=1.0, digits=2, active=None):
    """Write `values` into the cells: opacity |value| / limit, numbers with `digits` decimals.

    `active`: a boolean array; numbers where it is false are grey, and their cells paler.
    """
    values = np.asarray(values, dtype=float).ravel()
    active = np.ones(len(values), bool) if active is None else np.asarray(active).ravel()
    for cell, number, value, on in zip(
        artists["cells"], artists["numbers"], values, active, strict=True
    ):
        opacity = DARKEST * min(abs(value) / limit, 1)
        cell.set_alpha(round(float(opacity if on else opacity / 3), 3))
        number.set_text(signed(value, digits))
        number.set_color(style.INK if on else style.MUTED)


def signed(number, digits=2):
    """The number as text, with a true minus sign, and none before a rounded zero."""
    return f"{round(float(number), digits) + 0:.{digits}f}".replace("-", "−")
