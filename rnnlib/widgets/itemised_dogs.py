"""The gradient of the tiny net for "dogs", item by item: which loss sends what through which step.

    dW = Σ_t Σ_k  dL_t/da_k · h_{k-1}ᵀ        k <= t
    dU = Σ_t Σ_k  dL_t/da_k · x_kᵀ            k <= t
    dV = Σ_t      dL_t/do_t · h_tᵀ            no way back: only k = t
"""

from functools import lru_cache

import numpy as np
from matplotlib.patches import Rectangle

from rnnlib import live, losses, style, tasks
from rnnlib.bptt import itemised
from rnnlib.plots.matrices import (
    CENTRED,
    DARKEST,
    blank_axes,
    draw_matrix,
    fill_matrix,
    show_matrix,
    signed,
)
from rnnlib.plots.numerals import subscript
from rnnlib.unroll import backward
from rnnlib.widgets.dogs import LETTERS, dogs_network, dogs_record

STEPS = 3
DIGITS = 3


def itemised_dogs():
    """What the loss of step t adds to dW, dU or dV through step k, with all its numbers."""
    return live.LiveFigure(
        _setup,
        _update,
        title="The gradient of “dogs”, item by item",
        controls={
            "parameter": live.Choice("parameter", list(SHAPES)),
            "t": live.Step("loss of step t", 1, STEPS, value=3),
            "k": live.Step("through step k", 1, STEPS, value=2),
        },
        presets={
            "Step 1 teaches W nothing": {"parameter": "W", "t": 3, "k": 1},
            "Only the letter read learns": {"parameter": "U", "t": 3, "k": 1},
            "No way back from V": {"parameter": "V", "t": 3, "k": 2},
            "The future is never to blame": {"parameter": "W", "t": 1, "k": 3},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


@lru_cache
def dogs_items(parameter):
    """(sent, met, items): the gradient of W, U or V before it is added up; untrained network.

        items[k, t] = sent[k, t] met[k]ᵀ        their sum over k and t is the gradient

    sent (3, 3, rows) is dL_t/da_k, for V dL_t/do_k; met (3, columns) is what the parameter was
    multiplied by at step k: h_{k-1} for W, x_k for U, h_k for V.
    """
    cell, out = dogs_network(0)
    trace, logits, _ = dogs_record(0)
    _, dlogits = losses.softmax_cross_entropy(logits[:, None], tasks.dogs()[1])
    dhs, _ = out.backward(trace.h, dlogits)
    if parameter == "V":
        sent, met = np.eye(STEPS)[..., None] * dlogits[:, 0], trace.h[:, 0]
    else:
        sent = itemised(cell, trace, dhs).a
        met = trace.h_prev[:, 0] if parameter == "W" else trace.x[:, 0]
    return sent, met, np.einsum("kti,kj->ktij", sent, met)


@lru_cache
def dogs_gradient(parameter):
    """dL/d(parameter) as `backward` gives it, all items at once."""
    cell, out = dogs_network(0)
    trace, logits, _ = dogs_record(0)
    _, dlogits = losses.softmax_cross_entropy(logits[:, None], tasks.dogs()[1])
    dhs, dout = out.backward(trace.h, dlogits)
    return dout.V if parameter == "V" else getattr(backward(cell, trace, dhs)[1], parameter)


def sizes(items):
    """‖item‖, its Frobenius norm, for each (k, t)."""
    return np.linalg.norm(items, axis=(-2, -1))


# --- drawing ------------------------------------------------------------------------------------

WIDTH, HEIGHT = 461, 338
TABLE, TILE = (70, 66), (50, 42)  # the table's corner; width and height of one of its tiles
SIZE = (39, 20)  # of a matrix's cell: room for −0.000
COLUMN, PRODUCT = 246, 297  # left edges of dL/da, and of all that stands in line with the product
ROW_TOP, TOP, REST, SUM = 34, 60, 154, 250  # upper edges: what was met, product, rest, sum
SHAPES = {"W": (3, 3), "U": (3, 4), "V": (4, 3)}
MET = {"W": style.H, "U": style.X, "V": style.H}


def _setup():
    fig, ax = blank_axes(WIDTH, HEIGHT)
    artists = _draw_table(ax)
    for parameter, (rows, columns) in SHAPES.items():
        places = {
            "sent": ((rows, 1), COLUMN, TOP, style.GRAD),
            "met": ((1, columns), PRODUCT, ROW_TOP, MET[parameter]),
            "item": ((rows, columns), PRODUCT, TOP, style.GRAD),
            "rest": ((rows, columns), PRODUCT, REST, style.GRAD),
            "sum": ((rows, columns), PRODUCT, SUM, style.GRAD),
        }
        artists[parameter] = {
            name: draw_matrix(ax, shape, x=x, y=y, colour=colour, size=SIZE, movable=True)
            for name, (shape, x, y, colour) in places.items()
        }
        artists[parameter]["item"]["frame"].set(edgecolor=style.INK, lw=2.2)  # as in the table
    for sign, y in (("+", REST), ("=", SUM)):
        ax.text(PRODUCT - 9, y + 30, sign, fontsize=12, **CENTRED)
    ax.text(PRODUCT - 20, REST + 30, "the other\nitems", ha="right", va="center")
    ax.plot([PRODUCT - 14, WIDTH - 8], [SUM - 9, SUM - 9], color=style.INK, lw=1.2)
    artists["all"] = ax.text(PRODUCT - 20, SUM + 30, "", ha="right", va="center", linespacing=1.4)
    return fig, artists


def _draw_table(ax):
    (left, top), (width, height) = TABLE, TILE
    right, bottom = left + STEPS * width, top + STEPS * height
    grey = {"color": style.MUTED, "alpha": 0.16, "lw": 0}
    artists = {
        "row": ax.add_patch(Rectangle((4, top), right - 4, height, **grey)),
        "column": ax.add_patch(Rectangle((left, 30), width, bottom - 30, **grey)),
        "tiles": [], "numbers": [],
    }
    for k, t in np.ndindex(STEPS, STEPS):
        x, y, never = left + t * width, top + k * height, k > t
        box = (x + 3, y + 3), width - 6, height - 6
        edge = {"ls": (0, (3, 3)), "edgecolor": style.MUTED} if never else {"edgecolor": style.GRAD}
        ax.add_patch(Rectangle(*box, facecolor=style.PAPER, lw=0.9, **edge))
        tile = Rectangle(*box, color=style.GRAD, lw=0, alpha=0)
        artists["tiles"].append(ax.add_patch(tile))
        artists["numbers"].append(ax.text(x + width / 2, y + height / 2, "", **CENTRED))
    _name_table(ax, right, bottom)
    frame = Rectangle((0, 0), width - 1, height - 1, fill=False, edgecolor=style.INK, lw=2.2)
    return artists | {"frame": ax.add_patch(frame)}


def _name_table(ax, right, bottom):
    (left, top), (width, height) = TABLE, TILE
    ax.text((left + right) / 2, 21, "which loss?", ha="center")
    ax.text(6, 45, "through\nwhich step?", va="center", linespacing=1.2)
    for i in range(STEPS):
        x, y = left + (i + 0.5) * width, top + (i + 0.5) * height
        ax.text(x, 46, f"L{subscript(i + 1)}", fontsize=11, weight="bold", color=style.GRAD,
                ha="center")
        ax.text(x, 60, f"due: {LETTERS[i + 1]}", fontsize=9.5, ha="center")
        ax.text(8, y, f"k = {i + 1}", va="center_baseline")
        ax.text(48, y, LETTERS[i], fontsize=12, weight="bold", color=style.X, **CENTRED)
    for line, text in enumerate(("number: size ‖item‖", "dashed: step k comes after the loss")):
        ax.text(6, bottom + 19 + 15 * line, text, fontsize=9.5)


def _update(artists, parameter, t, k):
    sent, met, items = dogs_items(parameter)
    _update_table(artists, sizes(items), t, k)
    for other in SHAPES:
        for matrix in artists[other].values():
            show_matrix(matrix, other == parameter)
    chosen, item = artists[parameter], items[k - 1, t - 1]
    total = items.sum((0, 1))
    _write(chosen["sent"], sent[k - 1, t - 1], limit=1)
    _write(chosen["met"], met[k - 1], limit=1, digits=0 if parameter == "U" else DIGITS)
    for name, values in (("item", item), ("rest", total - item), ("sum", total)):
        _write(chosen[name], values, limit=0.5)
    into = "o" if parameter == "V" else "a"
    chosen["sent"]["label"].set_text(f"dL{subscript(t)}/d{into}{subscript(k)}")
    chosen["met"]["label"].set_text(_met(parameter, k, equals=True))
    error = np.abs(total - dogs_gradient(parameter)).max()
    told = "below 10⁻¹⁵" if error < 1e-15 else f"{error:.0e}"
    artists["all"].set_text(
        f"all items: d{parameter}\nlargest difference from what\nbackward returns: {told}")
    return _sentence(parameter, t, k, sizes(items), np.linalg.norm(sent[k - 1, t - 1]))


def _update_table(artists, norms, t, k):
    (left, top), (width, height) = TABLE, TILE
    for tile, number, (i, j) in zip(
        artists["tiles"], artists["numbers"], np.ndindex(norms.shape), strict=True
    ):
        tile.set_alpha(round(float(1.4 * DARKEST * norms[i, j] / norms.max()), 3))
        number.set_text("" if i > j else signed(norms[i, j], DIGITS) if norms[i, j] else "0")
    x, y = left + (t - 1) * width, top + (k - 1) * height
    artists["row"].set_y(y)
    artists["column"].set_x(x)
    artists["frame"].set_xy((x + 0.5, y + 0.5))


def _write(matrix, values, *, limit, digits=DIGITS):
    """The numbers in their cells; a number that is exactly zero is a bare, grey 0."""
    values = np.ravel(values)
    fill_matrix(matrix, values, limit=limit, digits=digits, active=values != 0)
    for number, value in zip(matrix["numbers"], values, strict=True):
        if value == 0:
            number.set_text("0")


def _met(parameter, k, equals=False):
    """The name of what the parameter was multiplied by at step k."""
    if parameter == "U":
        return f"x{subscript(k)}" + f" = {LETTERS[k - 1]}" * equals
    index = k - (parameter == "W")
    return f"h{subscript(index)}" + " = 0" * (equals and index == 0)


def _sentence(parameter, t, k, norms, sent):
    loss, size = f"L{subscript(t)}", norms[k - 1, t - 1]
    if k > t:
        return (f"{loss} was known before step {k} began. No loss depends on a later step: "
                "this item is zero.")
    if parameter == "V":
        if k < t:
            return (f"What V gives at step {k} goes into L{subscript(k)} and nowhere else. {loss} "
                    "has no way back to it: this item is zero.")
        own = subscript(t)
        return (f"{loss} to V at its own step: dL{own}/do{own} times h{own}, size {size:.3f}. The "
                "three items of the diagonal are all of dV.")
    if size == 0:
        return (f"{loss} sends something to a₁ (size {sent:.3f}), but W met only zeros there, "
                "h₀ = 0: this item is zero.")
    step = f"its own step {k}" if k == t else f"step {k}"
    told = f"{loss} through {step}: dL{subscript(t)}/da{subscript(k)} times {_met(parameter, k)}"
    if parameter == "U":
        return f"{told}, size {size:.3f}. Only the column of {LETTERS[k - 1]}, the letter read."
    own = f"; through its own step {t} it sends {norms[t - 1, t - 1]:.3f}" * (k < t)
    return f"{told}, size {size:.3f}{own}."
