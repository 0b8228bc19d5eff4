"""The wall: the loss of one recurrent unit after 50 steps, flat on both sides of a cliff."""

from functools import lru_cache

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_rgba

from rnnlib import live, style
from rnnlib.functions import sigmoid
from rnnlib.plots.matrices import signed

STEPS, START, TARGET = 50, 0.5, 0.7
NEAR = 0.05  # how far the neighbours' w is from the point's
W_ENDS, B_ENDS = (4.0, 5.6), (-3.3, -1.8)  # of the map
DRAWN = np.array([0, 1, 2, 4, 6, 9, 13, 18, 24, 31, 38, 44, 50])  # steps
SHADES, WITHIN = 64, 6  # squares of the map each way, samples in a square each way
DECADES = -2, 4  # of the gradient's norm, from bare paper to full colour
SQUASHED = float(sigmoid(np.array([START]))[0])  # σ(x_0)
FORK = 1 / (SQUASHED * (1 - SQUASHED))  # w from which on neighbours part: 4.26


def wall():
    """The loss of one unit over (w, b): two plains, and a cliff where trajectories part.

        x_t = w σ(x_{t-1}) + b        x_0 = 0.5, t = 1 .. 50
        L = (σ(x_50) - 0.7)²

    After Pascanu, Mikolov and Bengio (2013, figure 6).
    """
    return live.LiveFigure(
        _setup,
        _update,
        title="A wall in the loss",
        controls={
            "w": live.Range("weight w", 4.1, 5.5, step=0.1, value=4.9),
            "b": live.Range("bias b", -3.1, -2.0, step=0.05, value=-2.55),
        },
        presets={
            "On the cliff": {"w": 4.9, "b": -2.55},
            "On the plain": {"w": 4.9, "b": -2.9},
            "Beside the cliff": {"w": 4.8, "b": -2.55},
            "Small w: a low cliff": {"w": 4.1, "b": -2.05},
        },
        rc=style.RC,
        colours=style.COLOURS,
    )


def trajectory(w, b):
    """Return x_0 .. x_50 (51, ...) of x_t = w σ(x_{t-1}) + b, x_0 = 0.5, for numbers or arrays."""
    xs = np.full((STEPS + 1, *np.broadcast(w, b).shape), START)
    for t in range(STEPS):
        xs[t + 1] = w * sigmoid(xs[t : t + 1])[0] + b
    return xs


def surface(w, b):
    """Return L = (σ(x_50) - 0.7)², dL/dw and dL/db at w, b: numbers, or arrays of one shape.

    Back through time, with s_t = σ(x_t) and dx = dL/dx_t:

        dL/dw = Σ_t dx_t s_{t-1}        dL/db = Σ_t dx_t        dx_{t-1} = dx_t w s (1 - s)
    """
    s = sigmoid(trajectory(w, b))
    error = s[-1] - TARGET
    dx = 2 * error * s[-1] * (1 - s[-1])
    dw, db = np.zeros_like(dx), np.zeros_like(dx)
    for before in s[-2::-1]:
        dw, db = dw + dx * before, db + dx
        dx = dx * w * before * (1 - before)
    return error**2, dw, db


def steepness(w, b):
    """Return ‖(dL/dw, dL/db)‖."""
    _, dw, db = surface(w, b)
    return np.hypot(dw, db)


def cliff_at(w):
    """Return the b at which x_0 is a fixed point: b = x_0 - w σ(x_0).

    If w is above 4.26 its slope w σ' there is above 1: what starts a little higher goes up, what
    starts a little lower goes down, and the loss has its cliff along this line.
    """
    return START - w * SQUASHED


@lru_cache
def heights():
    """Return the largest gradient's norm in each square of the map (64, 64), b rising by rows.

    Largest of 6 x 6 samples and, since the cliff is narrower than any sample, of points on it.
    """
    fine = SHADES * WITHIN
    place = (np.arange(fine) + 0.5) / fine
    ws, bs = (low + place * (high - low) for low, high in (W_ENDS, B_ENDS))
    norms = steepness(*np.meshgrid(ws, bs))
    largest = norms.reshape(SHADES, WITHIN, SHADES, WITHIN).max(axis=(1, 3))
    rows = np.floor((cliff_at(ws) - B_ENDS[0]) / (B_ENDS[1] - B_ENDS[0]) * SHADES).astype(int)
    np.maximum.at(largest, (rows, np.arange(fine) // WITHIN), steepness(ws, cliff_at(ws)))
    return largest


def _setup():
    fig = plt.figure(figsize=(6.4, 4.7))
    left = fig.add_axes((0.105, 0.11, 0.405, 0.68))
    key = fig.add_axes((0.105, 0.885, 0.405, 0.035))
    top = fig.add_axes((0.615, 0.6, 0.345, 0.32))
    low = fig.add_axes((0.615, 0.11, 0.345, 0.345))
    _setup_map(left, key)
    artists = {
        "across": left.plot([], [], color=style.INK, lw=1, dashes=(4, 3))[0],
        "upright": left.plot([], [], color=style.INK, lw=1, dashes=(1, 3))[0],
        "here": left.plot([], [], "o", mfc=style.PAPER, mec=style.INK, mew=1.6, ms=8)[0],
    }
    return fig, artists | _setup_slice(top) | _setup_trajectories(low)


def _setup_map(ax, key):
    clear, full = to_rgba(style.GRAD, 0.04), to_rgba(style.GRAD, 1)
    ramp = {"cmap": LinearSegmentedColormap.from_list("steepness", [clear, full], 48),
            "vmin": DECADES[0], "vmax": DECADES[1], "origin": "lower", "aspect": "auto"}
    ax.imshow(np.log10(heights()), extent=(*W_ENDS, *B_ENDS), **ramp)
    ax.set(xlabel="weight w", ylabel="bias b", xticks=(4, 4.4, 4.8, 5.2, 5.6),
           yticks=(-3.2, -2.8, -2.4, -2))
    ax.text(5.53, -1.85, "plain: ends high", ha="right", va="top")
    ax.text(4.07, -3.26, "plain: ends low", va="bottom")
    ax.text(5.24, -2.73, "cliff", rotation=-33, ha="left", va="bottom", weight="bold")
    key.imshow(np.linspace(*DECADES, 48)[None], extent=(*DECADES, 0, 1), **ramp)
    key.set(yticks=(), xticks=(-2, 0, 2, 4), xticklabels=("10⁻²", "1", "10²", "10⁴"))
    key.set_title("gradient norm, largest per square", fontsize=10)


def _setup_slice(ax):
    ax.set(xlim=W_ENDS, ylim=(0, 0.46), yticks=(0, 0.2, 0.4), xticks=(4, 4.4, 4.8, 5.2, 5.6))
    ax.set_xlabel("weight w", labelpad=1)
    return {
        "slice title": ax.text(0, 1.06, "", transform=ax.transAxes),
        "slice": ax.plot([], [], color=style.GRAD, lw=2.2)[0],
        "slice here": ax.plot([], [], "o", mfc=style.PAPER, mec=style.INK, mew=1.6, ms=8,
                              clip_on=False)[0],
    }


def _setup_trajectories(ax):
    ax.set(xlim=(0, STEPS), ylim=(-3.4, 4.2), xticks=(0, 25, 50))
    ax.set_xlabel("step t", labelpad=1)
    ax.set_title("where x goes, and with w ± 0.05", fontsize=10)
    goal = np.log(TARGET / (1 - TARGET))  # σ(0.85) = 0.7
    ax.set(yticks=(-2, goal, 2, 4), yticklabels=("−2", "target", "2", "4"))
    ax.axhline(goal, color=style.INK, lw=0.9, dashes=(4, 3))
    looks = {"less": (1.3, (0, (4, 2))), "x": (2.6, "-"), "more": (1.3, (0, (1, 1.5)))}
    lines = {name: ax.plot([], [], color=style.H, lw=lw, ls=ls)[0]
             for name, (lw, ls) in looks.items()}
    labels = [ax.text(STEPS + 1, 0, "", va="center", fontsize=9.5) for _ in looks]
    return lines | {"labels": labels}


@lru_cache
def _slice(b):
    """w and the loss along the map at this b, the cliff with a point at its foot and its top."""
    at = (START - b) / SQUASHED
    ws = np.linspace(*W_ENDS, 41)
    if at > FORK:
        ws = np.union1d(ws, at + np.array([-0.01, -1e-6, 1e-6, 0.01]))
    ws = ws[(ws >= W_ENDS[0]) & (ws <= W_ENDS[1])]
    return ws, surface(ws, b)[0]


def _update(artists, w, b):
    loss, dw, db = surface(w, b)
    artists["across"].set_data(W_ENDS, [b, b])
    artists["upright"].set_data([w, w], B_ENDS)
    artists["here"].set_data([w], [b])
    artists["slice"].set_data(*_slice(b))
    artists["slice here"].set_data([w], [loss])
    artists["slice title"].set_text(f"loss L along b = {signed(b)}")
    xs = trajectory(w + np.array([-NEAR, 0, NEAR]), b)
    for name, x in zip(("less", "x", "more"), xs.T, strict=True):
        artists[name].set_data(DRAWN, x[DRAWN])
    _place_labels(artists["labels"], xs[-1])
    return _sentence(w, b, loss, np.hypot(dw, db), xs[-1])


def _place_labels(labels, ends):
    """Write which line is which at its end, apart even where the lines are one."""
    gap, ys = 0.75, ends.copy()
    ys[0] = min(ys[0], ys[1] - gap)
    ys[2] = max(ys[2], ys[1] + gap)
    for label, y, text in zip(labels, ys, ("−", "x", "+"), strict=True):
        label.set(y=y, text=text, weight="bold")


def _sentence(w, b, loss, norm, ends):
    apart = ends[2] - ends[0]
    end, less, more = (signed(x) for x in (ends[1], ends[0], ends[2]))
    told = (f"w = {w:g}, b = {signed(b)}: loss {loss:.2g}, gradient norm {norm:.2g}; x ends at "
            f"{end}. ")
    if apart > 2:
        return told + f"A step of 0.05 in w decides where: {less} with less, {more} with more."
    return told + f"With w 0.05 less or more it ends at {less} or {more}."
