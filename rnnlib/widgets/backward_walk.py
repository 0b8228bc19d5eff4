"""The way back through time, step by step: the Jacobians that are passed and the dW that grows."""

from functools import cache

import numpy as np
from matplotlib.patches import Rectangle

from rnnlib import live, style
from rnnlib.cells import RNNCell
from rnnlib.plots import graph
from rnnlib.plots.matrices import blank_axes, draw_matrix, fill_matrix, show_matrix, signed
from rnnlib.plots.numerals import subscript
from rnnlib.unroll import backward, forward

STEPS = 6
ROTATION = np.array([[0.8, -0.6], [0.6, 0.8]])  # by 36.87°, exact in one decimal
#: choice -> the factor of the rotation, which is its spectral radius
SCALES = {"shrinks: 0.5 · rotation": 0.5, "holds: a rotation": 1.0, "grows: 1.5 · rotation": 1.5}
SHRINKS, HOLDS, GROWS = SCALES
U, X, START = (0.2, -0.1), (1, -1, 0, 1, 0, -1), (-0.1, 0.1)


def backward_walk():
    """Six steps of two tanh units, walked back from the loss to step 1, every number on screen.

        da_k = (1 - h_k²) ⊙ dh_k        dW += da_k h_{k-1}ᵀ
        dh_{k-1} = e_{k-1} + Wᵀ da_k = e_{k-1} + J_kᵀ dh_k

    e_t = (1, 1) is what L_t, the sum of h_t, itself sends; there is L_6 only, or all of them.
    """
    return live.LiveFigure(
        _setup, _update,
        title="The backward walk",
        controls={
            "back": live.Step("steps back from the end", 0, STEPS - 1, value=2),
            "w": live.Choice("W", list(SCALES), value=HOLDS),
            "every": live.Toggle("a loss at every step"),
        },
        presets={
            "The whole gradient": {"back": STEPS - 1, "w": HOLDS, "every": False},
            "It fades on the way": {"back": STEPS - 1, "w": SHRINKS, "every": False},
            "It grows on the way": {"back": STEPS - 1, "w": GROWS, "every": False},
            "Every loss joins in": {"back": 2, "w": HOLDS, "every": True},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


@cache
def walk(w, every=False):
    """(trace, dtrace, dcell, dhs) of the six steps; dhs is what the losses send into each h_t."""
    cell = RNNCell(np.array(U)[:, None], SCALES[w] * ROTATION, np.zeros(2))
    trace = forward(cell, np.array(X, float)[:, None, None], [START])
    dhs = np.zeros_like(trace.h)
    dhs[slice(None) if every else -1] = 1.0                         # L_t = the sum of h_t
    return trace, *backward(cell, trace, dhs), dhs


def items(w, every=False):
    """da_k h_{k-1}ᵀ for k = 1 .. 6: what each step adds to dW, (6, 2, 2)."""
    trace, dtrace, *_ = walk(w, every)
    return np.einsum("ti,tj->tij", dtrace.a[:, 0], trace.h_prev[:, 0])


def jacobian(w, k):
    """J_k = dh_k/dh_{k-1} = diag(1 - h_k²) W, (2, 2)."""
    trace, *_ = walk(w)
    return (1 - trace.h[k - 1, 0] ** 2)[:, None] * trace.cell.W


# --- drawing ------------------------------------------------------------------------------------

WIDTH, HEIGHT = 461, 396
CELL = 38, 20  # room for −0.000
COLUMNS = 48 + 61 * np.arange(STEPS + 1)  # the middles of h_0 .. h_6
LOSS, DH, NODES, H_ROW, X_ROW = 33, 50, 112, 131, 184  # heights of the strip
ROW1, ROW2 = 262, 350
#: name -> (rows, columns, x, y, colour)
MATRICES = {
    "dh": (2, 1, 8, ROW1, style.GRAD),
    "slope": (2, 1, 66, ROW1, style.H),
    "da": (2, 1, 124, ROW1, style.GRAD),
    "W": (2, 2, 196, ROW1, style.THETA),
    "own": (2, 1, 333, ROW1, style.GRAD),
    "next": (2, 1, 411, ROW1, style.GRAD),
    "J": (2, 2, 8, ROW2, style.INK),
    "before": (2, 2, 169, ROW2, style.GRAD),
    "item": (2, 2, 271, ROW2, style.GRAD),
    "dW": (2, 2, 373, ROW2, style.GRAD),
}
SIGNS = ((56, ROW1, "⊙"), (114, ROW1, "="), (391, ROW1, "="), (258, ROW2, "+"), (360, ROW2, "="))
MODEL = "hₜ = tanh(W hₜ₋₁ + U xₜ),  U = (0.2, −0.1)ᵀ;  "
LOSSES = {
    False: "L₆ = sum of h₆: e₆ = (1, 1), no other e",
    True: "Lₜ = sum of hₜ: every eₜ = (1, 1)",
}


def _setup():
    fig, ax = blank_axes(WIDTH, HEIGHT)
    _draw_network(ax)
    artists = _draw_way_back(ax)
    for name, (rows, columns, x, y, colour) in MATRICES.items():
        artists[name] = draw_matrix(
            ax, (rows, columns), x=x, y=y, colour=colour, size=CELL, movable=True
        )
        del artists[name]["frame"]                                  # which stays
        artists[name]["label"].set_fontsize(10)
    artists["J"]["label"].set(x=8, ha="left")
    for x, y, sign in SIGNS:
        ax.text(x, y + CELL[1], sign, fontsize=12, ha="center", va="center")
    artists["times"] = ax.text(276, ROW1 + CELL[1], "", va="center_baseline")
    artists["rules"] = [ax.text(8, y - 31, "", va="center_baseline") for y in (ROW1, ROW2)]
    artists["complete"] = ax.add_patch(
        Rectangle((371, ROW2 - 2), 80, 44, fill=False, edgecolor=style.GRAD, lw=3))
    return fig, artists


def _draw_network(ax):
    """The states h_0 .. h_6 in a row, with their numbers and inputs: they do not move."""
    middle = {"va": "center_baseline"}
    for y, name in ((DH + CELL[1], "dh"), (NODES, "h"), (X_ROW, "x")):
        ax.text(4, y, name, fontsize=11, weight="bold", **middle)
    for x, value in zip(COLUMNS[1:], X, strict=True):
        ax.text(x, X_ROW, signed(value, 0), ha="center", **middle)
    nodes = graph.create(ax, labels=STEPS + 1, letters="W")
    discs = [graph.Node((x, NODES), f"h{subscript(t)}", style.H, "dim")
             for t, x in enumerate(COLUMNS)]
    graph.place(nodes, discs, [
        graph.Arrow(graph.trimmed([a.xy, b.xy]), "dim", "W", ((a.xy[0] + b.xy[0]) / 2, NODES - 9))
        for a, b in zip(discs[:-1], discs[1:], strict=True)
    ])


def _draw_way_back(ax):
    """What the gradient lights on its way, column by column, and the numbers of the states."""
    left = COLUMNS - CELL[0] / 2
    band = Rectangle((0, DH - 5), CELL[0] + 8, H_ROW + 46 - DH, color=style.GRAD, alpha=0.13, lw=0)
    matrix = {"size": CELL, "colour": style.GRAD, "movable": True}
    return {
        "now": ax.add_patch(band),
        "chain": ax.text(8, 12, "", va="center_baseline", fontsize=11, weight="bold"),
        "model": ax.text(8, X_ROW + 21, "", va="center_baseline", fontsize=9.5),
        "dhs": [draw_matrix(ax, (2, 1), x=x, y=DH, **matrix) for x in left[1:]],
        "hs": [draw_matrix(ax, (2, 1), x=x, y=H_ROW, colour=style.H, size=CELL) for x in left],
        "passed": [_passage(ax, x) for x in left[2:]],
        "losses": [_loss(ax, x, t) for t, x in enumerate(COLUMNS[1:], 1)],
        "rings": ax.plot([], [], "o", ms=26, mfc="none", mec=style.GRAD, mew=2.4)[0],
    }


def _passage(ax, x):
    """The arrow from the dh of one column to that of the column before, with its J."""
    y, tip = DH + CELL[1] + 6, x - 22
    line, = ax.plot([x - 1, tip, tip + 5, tip, tip + 5], [y, y, y - 4, y, y + 4],
                    color=style.GRAD, lw=2)
    return line, ax.text(x - 11, y - 13, "", ha="center", va="center_baseline", fontsize=9.5)


def _loss(ax, x, t):
    """L_t above its column, and the arrow into it."""
    tip = DH - 2
    line, = ax.plot([x, x, x - 4, x, x + 4], [LOSS + 7, tip, tip - 5, tip, tip - 5],
                    color=style.GRAD, lw=2)
    name = ax.text(x, LOSS, f"L{subscript(t)}", ha="center", va="center_baseline", weight="bold")
    return line, name


# --- one state ----------------------------------------------------------------------------------


def _update(artists, back, w, every):
    k = STEPS - back
    now, then = subscript(k), subscript(k - 1)
    _show_way_back(artists, w, every, k)
    for name, (label, values) in numbers(w, every, k).items():
        artists[name]["label"].set_text(label)
        _fill(artists[name], values)
    artists["times"].set_text(f"da{now}  +")
    artists["rules"][0].set_text(
        f"one step back:  dh{then} = e{then} + Wᵀ da{now} = e{then} + J{now}ᵀ dh{now}")
    artists["rules"][1].set_text(f"what step {k} adds to the gradient:  dW += da{now} h{then}ᵀ")
    artists["complete"].set_visible(k == 1)
    return _sentence(k, gradients(w, every), every)


def gradients(w, every=False):
    """dL/dh_t in row t, t = 0 .. 6: (7, 2)."""
    dtrace = walk(w, every)[1]
    return np.concatenate([dtrace.state, dtrace.h[:, 0]])


def numbers(w, every, k):
    """Every matrix below the strip at step k: name -> (label, numbers)."""
    trace, dtrace, _, dhs = walk(w, every)
    now, then = subscript(k), subscript(k - 1)
    dh, added = gradients(w, every), items(w, every)
    return {
        "dh": (f"dh{now}", dh[k]),
        "slope": (f"1 − h{now}²", 1 - trace.h[k - 1, 0] ** 2),
        "da": (f"da{now}", dtrace.a[k - 1, 0]),
        "W": ("Wᵀ", trace.cell.W.T),
        "own": (f"e{then}", dhs[k - 2, 0] if k > 1 else np.zeros(2)),
        "next": (f"dh{then}", dh[k - 1]),
        "J": (f"J{now} = diag(1 − h{now}²) W", jacobian(w, k)),
        "before": ("dW before", added[k:].sum(axis=0)),
        "item": (f"da{now} h{then}ᵀ", added[k - 1]),
        "dW": ("dW, complete" if k == 1 else "dW so far", added[k - 1:].sum(axis=0)),
    }


def _fill(matrix, values):
    """Three decimals, or two if a number needs the room; zeros in grey."""
    values = np.asarray(values)
    digits = 3 if np.abs(values).max() < 9.9995 else 2
    fill_matrix(matrix, values, limit=2, digits=digits, active=values != 0)


def _show_way_back(artists, w, every, k):
    """Light what the gradient has visited: steps k .. 6."""
    trace, dh = walk(w)[0], gradients(w, every)
    artists["now"].set_x(COLUMNS[k] - CELL[0] / 2 - 4)
    artists["rings"].set_data(COLUMNS[k:], np.full(STEPS + 1 - k, NODES))
    artists["chain"].set_text(chain(k, every))
    artists["model"].set_text(MODEL + LOSSES[every])
    for matrix, h in zip(artists["hs"], [trace.state[0], *trace.h[:, 0]], strict=True):
        _fill(matrix, h)
    for t, matrix in enumerate(artists["dhs"], 1):
        _fill(matrix, dh[t])
        show_matrix(matrix, t >= k)
        matrix["frame"].set(visible=True, alpha=1 if t >= k else 0.25)
    for t, (line, name) in enumerate(artists["passed"], 2):
        line.set_visible(t > k)
        name.set_text(f"J{subscript(t)}ᵀ" if t > k else "")
    for t, (line, name) in enumerate(artists["losses"], 1):
        name.set_visible(every or t == STEPS)
        line.set_visible((every or t == STEPS) and t >= k)


def chain(k, every=False):
    """How dh_k was made, in words: dh₄ = J₅ᵀ J₆ᵀ dh₆; with more losses a nest of sums."""
    names = [f"J{subscript(t)}ᵀ" for t in range(k + 1, STEPS + 1)]
    if not every:
        return f"dh{subscript(k)} = " + " ".join([*names, f"{'dh' if names else 'e'}₆"])
    nested = "".join(f"e{subscript(t)} + {name} (" for t, name in enumerate(names[:-1], k))
    last = f"e{subscript(STEPS - 1)} + {names[-1]} e₆" if names else "e₆"
    return f"dh{subscript(k)} = {nested}{last}" + ")" * (len(names) - 1)


def _sentence(k, dh, every):
    lengths = np.linalg.norm(dh, axis=1)
    arrived = f"Step {k}: dL/dh{subscript(k)} has length {lengths[k]:.2f}"
    if k == STEPS:
        return f"{arrived}, as its loss sends it; dW holds what 1 of {STEPS} steps adds."
    passed = f", after {STEPS - k} Jacobian{'s' * (STEPS - k > 1)}"
    passed += f" and {STEPS - k} more loss{'es' * (STEPS - k > 1)}" * every
    held = f"what all {STEPS} steps add: it is the whole gradient" if k == 1 else (
        f"what {STEPS - k + 1} of {STEPS} steps add")
    return f"{arrived}{passed} (at step {STEPS} it was {lengths[STEPS]:.2f}); dW holds {held}."
