"""The cliff: gradient descent walks up to the wall of chapter 4, with and without clipping."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from rnnlib import live, style
from rnnlib.clipping import clip_by_norm, norm
from rnnlib.functions import sigmoid
from rnnlib.plots.matrices import signed
from rnnlib.plots.numerals import scientific, ten
from rnnlib.widgets.wall import B_ENDS as WALL_B
from rnnlib.widgets.wall import TARGET, surface, trajectory
from rnnlib.widgets.wall import W_ENDS as WALL_W

FROM = (4.65, -2.1)  # w and b of update 0, on the plain above the cliff
UPDATES = 49
LONG = 300  # updates in which a path that was thrown out may come back
RATES = ("0.05", "0.1")
NONE = "none"
THRESHOLDS = (NONE, "10", "1", "0.1", "0.03")
W_ENDS, B_ENDS = (4.36, 4.76), (-2.43, -2.03)  # of the map
SHADES = 117  # squares of the map each way
LEVELS, DARKEST, WORST = 16, 0.62, 0.32  # of its tint; the loss that is tinted darkest
NORMS, LOSSES = (-3, 3), (-5, 0)  # powers of ten at the ends of the two panels
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
            "update": live.Play("update", 0, UPDATES, value=30, per_second=6),
            "threshold": live.Choice("clip to norm v", THRESHOLDS, value="1"),
            "lr": live.Choice("learning rate", RATES, value="0.1"),
        },
        presets={
            "No clipping: thrown out at update 21": {"update": 21, "threshold": NONE, "lr": "0.1"},
            "Half the rate: thrown out later": {"update": 41, "threshold": NONE, "lr": "0.05"},
            "v = 10: too large": {"update": UPDATES, "threshold": "10", "lr": "0.1"},
            "v = 1: it stays": {"update": UPDATES, "threshold": "1", "lr": "0.1"},
            "v = 0.1: into the valley": {"update": UPDATES, "threshold": "0.1", "lr": "0.1"},
            "v = 0.03: slow": {"update": UPDATES, "threshold": "0.03", "lr": "0.1"},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


@cache
def descent(threshold, lr, updates=UPDATES, start=FROM):
    """Return the places (n + 1, 2), losses (n + 1,) and gradient norms (n + 1,) of n updates.

    threshold: v as a number, or None for no clipping. The norms are those before clipping.
    """
    places, losses, norms = np.empty((updates + 1, 2)), np.empty(updates + 1), np.empty(updates + 1)
    theta = np.array(start, dtype=float)
    for n in range(updates + 1):
        losses[n], *gradient = surface(*theta)
        g = np.array(gradient)
        places[n], norms[n] = theta, norm(g)
        theta = theta - lr * (g if threshold is None else clip_by_norm(g, threshold)[0])
    return places, losses, norms


def on_map(places):
    """Tell which of the places (..., 2) lie on the map."""
    w, b = places[..., 0], places[..., 1]
    return (W_ENDS[0] <= w) & (w <= W_ENDS[1]) & (B_ENDS[0] <= b) & (b <= B_ENDS[1])


def leaves_at(places):
    """Return the first update that ends off the map, or None."""
    off = ~on_map(places)
    return int(off.argmax()) if off.any() else None


@cache
def returns_after(threshold, lr):
    """Return how many updates after leaving the map the path is on it again, or None.

    None too if it does not leave, or is still off after `LONG` updates more.
    """
    left = leaves_at(descent(threshold, lr)[0])
    if left is None:
        return None
    again = on_map(descent(threshold, lr, left + LONG)[0][left:])
    return int(again.argmax()) if again.any() else None


def fates(threshold, lr, updates=200, starts=41):
    """Return the shares of starts whose path leaves the map of `wall`, and that end below L = 0.01.

    The starts are 41 × 41 points spread evenly over that map, its edges included.
    """
    ends = np.array([WALL_W, WALL_B])
    theta = np.stack(np.meshgrid(*(np.linspace(*end, starts) for end in ends))).reshape(2, -1)
    low, high = ends[:, :1], ends[:, 1:]
    left = np.zeros(theta.shape[1], bool)
    for _ in range(updates):
        g = np.stack(surface(*theta)[1:])
        norms = np.linalg.norm(g, axis=0)
        share = 1 if threshold is None else threshold / np.maximum(norms, threshold)
        theta = theta - lr * share * g
        left |= ((theta < low) | (theta > high)).any(axis=0)
    return float(left.mean()), float((surface(*theta)[0] < 0.01).mean())


def edge(inside, outside):
    """Return where the way from a place on the map to one off it crosses the map's edge."""
    ends = np.array([W_ENDS, B_ENDS])
    way = outside - inside
    goal = np.where(way > 0, ends[:, 1], ends[:, 0])
    with np.errstate(divide="ignore"):
        share = np.where(way == 0, np.inf, (goal - inside) / way).min()
    return inside + share * way


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
    lower.set_xlabel("update", labelpad=1)
    (threshold,) = upper.plot([], [], color=style.INK, lw=1, dashes=(4, 3))
    label = upper.text(-0.5, 0, "")
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
    ax.text(4.37, -2.203, "valley", rotation=-35, rotation_mode="anchor", weight="bold")
    ax.text(4.64, -2.372, "cliff", rotation=-31, rotation_mode="anchor", weight="bold")
    ax.text(4.372, -2.415, "low plain: loss near 0.3", va="bottom")


def _tint(losses):
    """The losses as an image in the colour of the loss: the more, the more opaque."""
    share = np.sqrt(np.minimum(losses / WORST, 1))
    image = np.empty((*losses.shape, 4), np.uint8)
    image[..., :3] = [int(style.GRAD[i : i + 2], 16) for i in (1, 3, 5)]
    image[..., 3] = np.round(255 * DARKEST * np.round(share * LEVELS) / LEVELS)
    return image


def _draw_panel(ax, powers, title, ticks):
    ax.set(xlim=(-1, UPDATES + 1), ylim=powers, xticks=(0, 20, 40))
    ax.set_yticks(ticks, ["1" if p == 0 else ten(p) for p in ticks])
    ax.set_title(title, fontsize=10, pad=5)


def _draw_path(ax, colour, dot):
    """The path without clipping in grey, the present one over it, and where it now is."""
    (grey,) = ax.plot([], [], color=style.MUTED, lw=1.4, dashes=(3, 1.6))
    (path,) = ax.plot([], [], color=colour, lw=1.8)
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
    run, plain = descent(v, rate), descent(None, rate)
    _show_map(artists["map"], run[0][: update + 1], plain[0][: update + 1], v)
    for name, powers, mine, other in (("norm", NORMS, run[2], plain[2]),
                                      ("loss", LOSSES, run[1], plain[1])):
        xs = np.arange(update + 1)
        ys, greys = (_decades(values[: update + 1], powers) for values in (mine, other))
        artists[name]["path"].set_data(xs, ys)
        artists[name]["now"].set_data(xs[-1:], ys[-1:])
        artists[name]["grey"].set_data((xs, greys) if v else ([], []))
    _show_threshold(artists["threshold"], artists["label"], v)
    return _sentence(update, threshold, lr, run, plain)


def _show_threshold(line, label, v):
    """A line at v; its name above it, or below where the path runs just above."""
    line.set_visible(v is not None)
    label.set_visible(v is not None)
    if v is not None:
        height, below = np.log10(v), v < 1
        line.set_data([-1, UPDATES + 1], [height, height])
        label.set(text=f"v = {v:g}", y=height + (-0.12 if below else 0.12),
                  va="top" if below else "bottom")


def _decades(values, powers):
    """log10 of the values, held inside the panel, to a tenth of an SVG unit."""
    return np.round(np.clip(np.log10(np.maximum(values, 1e-30)), *powers), 2)


def _show_map(artists, places, plain, v):
    gone, thrown = leaves_at(places), leaves_at(plain)
    ways = {"path": places, "grey": plain if v else places[:0]}
    for (name, way), left in zip(ways.items(), (gone, thrown), strict=True):
        if len(way) and left is not None:
            way = np.vstack([way[:left], edge(way[left - 1], way[left])])
        artists[name].set_data(*np.round(way, 4).T)
    artists["now"].set_data(*np.round(places[-1:], 4).T)
    artists["now"].set_visible(gone is None)
    artists["dots"].set_path(_dots(np.round(places[:gone], 4)))
    _show_exit(artists["exit"], places, gone)
    _show_exit(artists["grey exit"], plain, thrown if v else None)
    first, head = (places, "thrown") if gone is not None else (plain, "unclipped: thrown")
    left = gone if gone is not None else thrown
    artists["told"].set_text("" if left is None else f"{head} at update {left} to")
    artists["told"].set_color(style.INK if gone is not None else style.MUTED)
    artists["where"].set_text("" if left is None else _place(first[left], 1))
    artists["where"].set_color(artists["told"].get_color())


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
        return told + _exit(gone, norms, threshold, lr)
    if threshold != NONE and norms[-1] > float(threshold):
        told += (f"The next step is cut from {_number(norms[-1] * float(lr))} to "
                 f"{_number(_step(norms[-1], threshold, lr))}. ")
    elif norms[-1] > 1:
        told += f"The next step is {_number(norms[-1] * float(lr))} long, off the cliff. "
    if thrown is not None:
        told += f"Without clipping it was thrown off the map at update {thrown}."
    return told.strip()


def _exit(gone, norms, threshold, lr):
    cut, v = ("", None) if threshold == NONE else (f", cut to {threshold},", float(threshold))
    back = returns_after(v, float(lr))
    later = (f"It is still off the map at update {gone + LONG}." if back is None
             else f"It is back on the map at update {gone + back}.")
    return (f"A gradient of norm {_number(norms[gone - 1])}{cut} threw it off the map at update "
            f"{gone}; the next step is only {_number(_step(norms[-1], threshold, lr))} long. "
            f"{later}")


def _step(norm, threshold, lr):
    return float(lr) * (norm if threshold == NONE else min(norm, float(threshold)))
