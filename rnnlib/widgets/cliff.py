"""The cliff: gradient descent walks up to the wall of chapter 4, with and without clipping."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from rnnlib import live, style
from rnnlib.functions import sigmoid
from rnnlib.plots.matrices import signed
from rnnlib.plots.numerals import scientific, ten
from rnnlib.widgets.cliff_paths import (
    B_ENDS,
    FROM,
    LONG,
    W_ENDS,
    comes_back,
    descent,
    edge,
    leaves_at,
    on_map,
    pieces,
    returns_after,
)
from rnnlib.widgets.wall import TARGET, surface, trajectory

SHOWN = (*range(50), 65, 100, 150, 200, 300)  # updates after which the path can be seen
EVEN, DENSER = 50, 5  # of the panels: from update 50 on, five updates where one was
RATES = ("0.05", "0.1")
NONE = "none"
THRESHOLDS = (NONE, "10", "1", "0.1", "0.03")
SHADES = 117  # squares of the map each way
LEVELS, DARKEST, WORST = 16, 0.62, 0.33  # of its tint; the loss that is tinted darkest
NORMS, LOSSES = (-3, 3), (-5, 0)  # powers of ten at the ends of the two panels
CLEAR = 0.75  # power of ten below which the norms of clipped paths stay from update 150 on
SQUARES = 150  # across the map; in each at most one update has a dot
DOT = 2e-4  # of w: a tenth of an SVG unit
WIDTH, HEIGHT = 461, 322
TIP = Path([(0.4, 0), (-1.2, 0.55), (-1.2, -0.55), (0.4, 0)])  # an arrow's head, to the right
MAP = (46, 38, 234, 234)  # left, bottom, width, height in SVG units
PANELS = {"norm": (328, 194, 124, 102), "loss": (328, 38, 124, 102)}


def cliff():
    """Gradient descent on the loss of one unit over 50 steps, (w, b) from (4.65, -2.1).

        (w, b) = (w, b) - lr g        g = (dL/dw, dL/db), or g v / ‖g‖ if ‖g‖ > v

    The loss is that of `wall`: x_t = w σ(x_{t-1}) + b, L = (σ(x_50) - 0.7)². After Pascanu,
    Mikolov and Bengio (2013, figure 6 and algorithm 1).
    """
    return live.LiveFigure(
        _setup,
        _update,
        title="At the cliff, with and without clipping",
        controls={
            "update": live.Play("update", values=SHOWN, value=30, per_second=6),
            "threshold": live.Choice("clip to norm v", THRESHOLDS, value="1"),
            "lr": live.Choice("learning rate", RATES, value="0.1"),
        },
        presets={
            "No clipping: thrown out at update 21": {"update": 21, "threshold": NONE, "lr": "0.1"},
            "Half the rate: thrown out later": {"update": 41, "threshold": NONE, "lr": "0.05"},
            "v = 10: thrown out, and back later": {"update": 200, "threshold": "10", "lr": "0.1"},
            "v = 1: thrown about, then it settles": {
                "update": 300, "threshold": "1", "lr": "0.1"},
            "v = 0.1: into the valley": {"update": 49, "threshold": "0.1", "lr": "0.1"},
            "v = 0.03: slow": {"update": 49, "threshold": "0.03", "lr": "0.1"},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


# --- the figure ---------------------------------------------------------------------------------


def _setup():
    fig = plt.figure(figsize=(WIDTH / 72, HEIGHT / 72))
    left, upper, lower = (
        fig.add_axes(np.divide(box, (WIDTH, HEIGHT) * 2)) for box in (MAP, *PANELS.values())
    )
    _draw_map(left)
    _draw_panel(upper, NORMS, "gradient norm", (-3, 0, 3))
    _draw_panel(lower, LOSSES, "loss", (-4, -2, 0))
    upper.set_xticklabels([])
    lower.set_xlabel(f"update (grey: {DENSER}× denser)", labelpad=1)
    (threshold,) = upper.plot([], [], color=style.INK, lw=1, dashes=(4, 3))
    label = upper.text(_across(SHOWN[-1]), 0, "", ha="right", va="bottom")
    return fig, {
        "map": _draw_path(left, style.THETA, style.INK) | _draw_ends(left),
        "norm": _draw_path(upper, style.GRAD, style.GRAD),
        "loss": _draw_path(lower, style.GRAD, style.GRAD),
        "threshold": threshold,
        "label": label,
    }


def _draw_map(ax):
    place = (np.arange(SHADES) + 0.5) / SHADES
    grid = np.meshgrid(*(low + place * (high - low) for low, high in (W_ENDS, B_ENDS)))
    ax.imshow(_tint(surface(*grid)[0]), extent=(*W_ENDS, *B_ENDS), origin="lower", aspect="auto",
              interpolation="none")
    error = sigmoid(trajectory(*grid)[-1]) - TARGET
    ax.contour(*grid, error, levels=[0], colors=style.INK, linewidths=1.1)
    ax.set(xlim=W_ENDS, ylim=B_ENDS, xlabel="weight w", xticks=(4.4, 4.5, 4.6, 4.7),
           yticks=(-2.4, -2.3, -2.2, -2.1), yticklabels=("−2.4", "−2.3", "−2.2", "−2.1"))
    ax.set_ylabel("bias b", labelpad=0)
    ax.text(4.342, -2.226, "valley, and right behind it the cliff", rotation=-34, va="top",
            rotation_mode="anchor", weight="bold")
    ax.text(4.655, -2.125, "loss 0.03,\nfalling", va="top", linespacing=1.25)
    ax.text(4.335, -2.455, "loss 0.3, flat", va="bottom")


def _tint(losses):
    """The losses as an image in the colour of the loss: the more, the more opaque."""
    share = np.sqrt(np.minimum(losses / WORST, 1))
    image = np.empty((*losses.shape, 4), np.uint8)
    image[..., :3] = [int(style.GRAD[i : i + 2], 16) for i in (1, 3, 5)]
    image[..., 3] = np.round(255 * DARKEST * np.round(share * LEVELS) / LEVELS)
    return image


def _draw_panel(ax, powers, title, ticks):
    marks = (0, 25, 50, 150, 300)
    ax.set(xlim=(-1, _across(SHOWN[-1]) + 1), ylim=powers)
    ax.set_xticks(_across(np.array(marks)), marks)
    ax.axvspan(EVEN, _across(SHOWN[-1]) + 1, color=style.MUTED, alpha=0.13, lw=0)
    ax.set_yticks(ticks, ["1" if p == 0 else ten(p) for p in ticks])
    ax.set_title(title, fontsize=10, pad=5)


def _across(updates):
    """Where so many updates lie in the panels, to a tenth of an update's width."""
    return np.round(np.minimum(updates, EVEN) + np.maximum(updates - EVEN, 0) / DENSER, 1)


def _draw_path(ax, colour, dot):
    """The path without clipping in grey, the present one over it, and where it now is."""
    (grey,) = ax.plot([], [], color=style.MUTED, lw=1.4, dashes=(3, 1.6))
    (path,) = ax.plot([], [], color=colour, lw=1.5)
    (now,) = ax.plot([], [], "o", mfc=colour, mec=dot, mew=1.2, ms=7.5, clip_on=False, zorder=6)
    return {"grey": grey, "path": path, "now": now}


def _draw_ends(ax):
    """A dot for each update, arrows at the edge for both paths, and where the one has gone."""
    dots = PathPatch(_dots(np.array([FROM])), fc="none", ec=style.INK, lw=3.6, capstyle="round",
                     zorder=5, snap=False)
    ax.text(FROM[0] + 0.012, FROM[1], "start", va="center")
    look = {"clip_on": False, "ms": 15, "mew": 0, "zorder": 7}
    (mine,) = ax.plot([], [], color=style.THETA, **look)
    (other,) = ax.plot([], [], color=style.MUTED, **look)
    told = ax.text(W_ENDS[0], B_ENDS[1] + 0.045, "", va="bottom", fontsize=10)
    where = ax.text(W_ENDS[0], B_ENDS[1] + 0.015, "", va="bottom", fontsize=10)
    return {"exit": mine, "grey exit": other, "told": told, "where": where,
            "dots": ax.add_patch(dots)}


def _update(artists, update, threshold, lr):
    v, rate = None if threshold == NONE else float(threshold), float(lr)
    run, plain = descent(v, rate, SHOWN[-1]), descent(None, rate, SHOWN[-1])
    _show_map(artists["map"], run[0][: update + 1], plain[0][: update + 1], v)
    for name, powers, mine, other in (("norm", NORMS, run[2], plain[2]),
                                      ("loss", LOSSES, run[1], plain[1])):
        xs = _across(np.arange(update + 1))
        ys, greys = (_decades(values[: update + 1], powers) for values in (mine, other))
        artists[name]["path"].set_data(xs, ys)
        artists[name]["now"].set_data(xs[-1:], ys[-1:])
        artists[name]["grey"].set_data((xs, greys) if v else ([], []))
    _show_threshold(artists["threshold"], artists["label"], v)
    return _sentence(update, threshold, lr, run, plain)


def _show_threshold(line, label, v):
    """A line at v, and its name above both the line and the end of every clipped path."""
    line.set_visible(v is not None)
    label.set_visible(v is not None)
    if v is not None:
        height = np.log10(v)
        line.set_data([-1, _across(SHOWN[-1]) + 1], [height, height])
        label.set(text=f"v = {v:g}", y=max(height, CLEAR) + 0.12)


def _decades(values, powers):
    """log10 of the values, held inside the panel, to a tenth of an SVG unit."""
    return np.round(np.clip(np.log10(np.maximum(values, 1e-30)), *powers), 2)


def _show_map(artists, places, plain, v):
    gone, thrown = leaves_at(places), leaves_at(plain)
    artists["path"].set_data(*np.round(pieces(places), 4).T)
    artists["grey"].set_data(*np.round(pieces(plain if v else places[:0]), 4).T)
    artists["now"].set_data(*np.round(places[-1:], 4).T)
    artists["now"].set_visible(bool(on_map(places[-1])))
    artists["dots"].set_path(_dots(np.round(_apart(places[on_map(places)]), 4)))
    _show_exit(artists["exit"], places, gone)
    _show_exit(artists["grey exit"], plain, thrown if v else None)
    first, head = (places, "thrown") if gone is not None else (plain, "unclipped: thrown")
    left = gone if gone is not None else thrown
    back = comes_back(first)
    later = "" if back is None else f"; back at update {back}"
    artists["told"].set_text("" if left is None else f"{head} at update {left} to")
    artists["told"].set_color(style.INK if gone is not None else style.MUTED)
    artists["where"].set_text("" if left is None else _place(first[left], 1) + later)
    artists["where"].set_color(artists["told"].get_color())


def _apart(places):
    """The places without those that share a square of the map's side / `SQUARES` with another."""
    squares = np.floor((places - (W_ENDS[0], B_ENDS[0])) / (W_ENDS[1] - W_ENDS[0]) * SQUARES)
    return places[np.sort(np.unique(squares, axis=0, return_index=True)[1])]


def _dots(places):
    """A very short line at each place: with round ends it is a dot, in few bytes."""
    ends = np.stack([places, places + (DOT, 0)], axis=1).reshape(-1, 2)
    path = Path(ends, [Path.MOVETO, Path.LINETO] * len(places))
    path.should_simplify = False
    return path


def _show_exit(arrow, places, left):
    arrow.set_visible(left is not None)
    if left is not None:
        dw, db = places[left] - places[left - 1]
        angle = np.degrees(np.arctan2(db, dw))                 # the map is as wide as it is high
        arrow.set_data(*np.round(edge(places[left - 1], places[left]), 4)[:, None])
        arrow.set_marker(TIP.transformed(Affine2D().rotate_deg(round(float(angle)))))


def _place(theta, digits=2):
    return f"w = {signed(theta[0], digits)}, b = {signed(theta[1], digits)}"


def _number(x):
    return scientific(x) if x < 1e-3 else f"{x:.2g}" if x < 100 else f"{x:.0f}"


def _sentence(update, threshold, lr, run, plain):
    places, losses, norms = (values[: update + 1] for values in run)
    how = "no clipping" if threshold == NONE else f"clipped to norm {threshold}"
    told = (f"Update {update}, {how}, learning rate {lr}: {_place(places[-1])}, loss "
            f"{_number(losses[-1])}, gradient norm {_number(norms[-1])}. ")
    gone, thrown = leaves_at(places), leaves_at(plain[0][: update + 1])
    if gone is not None:
        return told + _exit(gone, comes_back(places), norms, threshold, lr)
    if threshold != NONE and norms[-1] > float(threshold):
        told += (f"The next step is cut from {_number(norms[-1] * float(lr))} to "
                 f"{_number(_step(norms[-1], threshold, lr))}. ")
    elif norms[-1] > 1:
        told += f"The next step is {_number(norms[-1] * float(lr))} long, off the cliff. "
    if thrown is not None:
        told += f"Without clipping it was thrown off the map at update {thrown}."
    return told.strip()


def _exit(gone, back, norms, threshold, lr):
    cut, v = ("", None) if threshold == NONE else (f", cut to {threshold},", float(threshold))
    told = f"A gradient of norm {_number(norms[gone - 1])}{cut} threw it off the map at update "
    if back is not None:
        return f"{told}{gone}; it came back at update {back}."
    told += f"{gone}; the next step is only {_number(_step(norms[-1], threshold, lr))} long. "
    after = returns_after(v, float(lr))
    if after is None:
        return f"{told}It is still off the map at update {gone + LONG}."
    return f"{told}It comes back on the map at update {gone + after}."


def _step(norm, threshold, lr):
    return float(lr) * (norm if threshold == NONE else min(norm, float(threshold)))
