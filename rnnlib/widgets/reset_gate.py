"""Two units of a GRU: the reset gate before the product with W_n, and after it."""

import numpy as np
from matplotlib.patches import FancyArrowPatch

from rnnlib import live, style
from rnnlib.plots.matrices import CELL, blank_axes, draw_matrix, fill_matrix, signed

H_PREV = np.array([0.9, 0.6])  # the state before, h_{t-1}
MEAN = 0.5  # of the two reset gates

WIDTH, HEIGHT = 461, 266
FIRST, LAST = 62, 182  # left ends of the columns of matrices, in points
GIVEN, ROWS = 56, (134, 212)  # tops of the rows of matrices
PLANE, UNIT = (236, 52), 106  # left end and top of the plane, and what is 1 in it
REACH = ((-0.1, 1.65), (-1.1, 0.75))  # what the plane shows
LIMIT = 1.5  # the largest number that is drawn
#: order -> its name, its two products, the look of its arrow
ORDERS = {
    "paper": ("the paper: gate first", ("r ⊙ h =", "Wₙ (r ⊙ h) ="), "-"),
    "torch": ("torch: product first", ("Wₙ h =", "r ⊙ (Wₙ h) ="), (0, (3, 1.5))),
}


def reset_gate():
    """What the candidate of a GRU gets to see of h_{t-1}, in the two forms of the reset gate.

        paper  W_n (r_t ⊙ h_{t-1})          (Cho et al. 2014, equation 8; `PaperGRUCell`)
        torch  r_t ⊙ (W_n h_{t-1} + b_n)    (torch, cuDNN; `GRUCell`), here b_n = 0

    Row i of the difference is Σ_j W_ij (r_j - r_i) h_j: nothing where the gates of all units are
    equal, or where W_n is diagonal. Here h_{t-1} = (0.9, 0.6), r = (0.5 + d/2, 0.5 - d/2) and
    W_n = [[1, w], [-w, 1]], so that the two vectors are w d ‖h_{t-1}‖ apart.
    """
    return live.LiveFigure(
        _setup,
        _update,
        title="Reset before the product, or after it",
        controls={
            "d": live.Range("inequality of the gates, r₁ − r₂", 0.0, 1.0, step=0.1, value=0.8),
            "w": live.Range("coupling of the units, w", 0.0, 1.0, step=0.1, value=1.0),
        },
        presets={
            "Equal gates: the same": {"d": 0, "w": 1},
            "Uncoupled units: the same": {"d": 0.8, "w": 0},
            "One open, one shut: furthest apart": {"d": 1, "w": 1},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


def gates(d):
    """Return r (2,): two reset gates, `d` apart, about 0.5."""
    return MEAN + np.array([d, -d]) / 2


def coupled(w):
    """Return W_n (2, 2): 1 on the diagonal, w and -w beside it."""
    return np.array([[1.0, w], [-w, 1.0]])


def products(d, w):
    """Return the first and the second product of each order, {"paper": ..., "torch": ...}.

        paper  r ⊙ h, W_n (r ⊙ h)       torch  W_n h, r ⊙ (W_n h)       (2,) each
    """
    r, W_n = gates(d), coupled(w)
    return {"paper": (r * H_PREV, W_n @ (r * H_PREV)), "torch": (W_n @ H_PREV, r * (W_n @ H_PREV))}


def _setup():
    fig, ax = blank_axes(WIDTH, HEIGHT)
    head = ax.text(4, 21, "", fontsize=15, weight="bold")
    return fig, {"head": head} | _draw_numbers(ax) | _draw_plane(fig)


def _draw_numbers(ax):
    """In the first row what is given; below, a row of two products for each order."""
    looks = {"h": (14, style.H, (2, 1)), "r": (76, style.LOOK, (2, 1)),
             "Wₙ": (LAST + CELL[0] - 2 * CELL[0], style.THETA, (2, 2))}
    artists = {
        name: draw_matrix(ax, shape, x=x, y=GIVEN, colour=colour, label=name)
        for name, (x, colour, shape) in looks.items()
    }
    for (order, (title, names, _)), y in zip(ORDERS.items(), ROWS, strict=True):
        ax.text(4, y - 9, title, fontsize=10.5, weight="bold")
        columns = ((FIRST, style.H), (LAST, style.CANDIDATE))
        artists[order] = [
            draw_matrix(ax, (2, 1), x=x, y=y, colour=colour) for x, colour in columns
        ]
        for name, (x, _) in zip(names, columns, strict=True):
            ax.text(x - 4, y + CELL[1], name, ha="right", va="center_baseline")
    return artists


def _draw_plane(fig):
    left, top = PLANE
    width, height = (UNIT * (high - low) for low, high in REACH)
    box = (left / WIDTH, 1 - (top + height) / HEIGHT, width / WIDTH, height / HEIGHT)
    ax = fig.add_axes(box, xlim=REACH[0], ylim=REACH[1])
    ax.set_axis_off()
    ax.axhline(0, color=style.MUTED, linewidth=0.8)
    ax.axvline(0, color=style.MUTED, linewidth=0.8)
    ax.text(REACH[0][1] + 0.03, 0, "unit 1", va="center_baseline", color=style.MUTED)
    ax.text(0.03, REACH[1][1], "unit 2", va="top", color=style.MUTED)
    ax.add_patch(_arrow(style.H, "-", H_PREV))
    ax.text(*(H_PREV + 0.03), "h", color=style.H, fontsize=11, weight="bold")
    label = {"fontsize": 11, "weight": "bold", "ha": "center", "color": style.CANDIDATE}
    sides = {"paper": "top", "torch": "baseline"}                   # below its tip, above it
    return {
        "apart": ax.plot([], [], color=style.INK, linewidth=1.2, dashes=(1, 2))[0],
        "arrows": {o: ax.add_patch(_arrow(style.CANDIDATE, look[2])) for o, look in ORDERS.items()},
        "labels": {order: ax.text(0, 0, "", va=va, **label) for order, va in sides.items()},
    }


def _arrow(colour, dashes, tip=(1, 0)):
    return FancyArrowPatch((0, 0), tip, arrowstyle="-|>", mutation_scale=12, shrinkA=0, shrinkB=0,
                           color=colour, linewidth=2.2, linestyle=dashes)


def _update(artists, d, w):
    both = products(d, w)
    for name, values in {"h": H_PREV, "r": gates(d), "Wₙ": coupled(w)}.items():
        fill_matrix(artists[name], values, limit=LIMIT)
    for order, vectors in both.items():
        for matrix, vector in zip(artists[order], vectors, strict=True):
            fill_matrix(matrix, vector, limit=LIMIT)
    (_, paper), (_, torch) = both.values()
    distance = float(np.linalg.norm(paper - torch))
    same = d == 0 or w == 0
    _place_arrows(artists, {"paper": paper, "torch": torch}, same)
    artists["head"].set_text("The same" if same else f"Not the same: {distance:.2f} apart")
    return _sentence(d, w, paper, torch, distance)


def _place_arrows(artists, tips, same):
    """Move both arrows with their names; where they are the same, with one name."""
    names = {"paper": "paper", "torch": "torch"}
    if same:
        names = {"paper": "both", "torch": ""} if tips["paper"][1] < 0 else {"torch": "both"}
    for order, side in {"paper": -0.05, "torch": 0.05}.items():
        x, y = np.round(tips[order], 3)
        artists["arrows"][order].set_positions((0, 0), (x, y))
        artists["labels"][order].set(x=x, y=round(y + side, 3), text=names.get(order, ""))
    artists["apart"].set_data(*np.round(list(tips.values()), 3).T)


def _sentence(d, w, paper, torch, distance):
    r = _pair(gates(d))
    if d == 0:
        why = f"With r = {r}, equal for both units, the order does not matter"
    elif w == 0:
        why = f"With r = {r} and uncoupled units, W_n diagonal, the order does not matter"
    else:
        return (
            f"With r = {r} and w = {w:g} the candidate sees {_pair(paper)} if the gate comes first "
            f"and {_pair(torch)} if the product comes first: {distance:.2f} apart."
        )
    return f"{why}: the candidate sees {_pair(paper)} in both forms."


def _pair(vector):
    return f"({signed(vector[0])}, {signed(vector[1])})"
