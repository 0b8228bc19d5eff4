"""A slip is forced on a network that writes digits: does it find its place again?"""

from functools import cache
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from rnnlib import live, results, seq2seq, style
from rnnlib.widgets import digit_writers as writers

#: task -> digits to be read, in no training, and a digit that is not among them
EXAMPLES = {"list": ((4, 6, 9, 2, 8, 1), 5), "round and round": ((7, 6, 2), 5)}
TASKS = {"write a list": "list", "write round and round": "round and round"}
TRAINED = {"taught": "teacher", "more and more on its own": "scheduled", "on its own": "own"}
SLIPS, PLACES = 9, 10
WIDTH, HEIGHT, LEFT, COLUMN = 461, 336, 96, 36
READ, DUE, CORRECTED, ALONE = 288, 257, 226, 195  # the middles of the rows of digits
FOOT, TALL = 28, 110  # of the curve
DASHES = (0, (4, 3))


def exposure():
    """What follows a wrong digit, where a teacher corrects it and where nobody does.

    Above: one sequence, written by a network of seed 0 of experiments/exposure.py. At one place it
    is made to read a wrong digit as its last. Corrected: from then on it is given the right digits
    again. Alone: it is given its own. Below: the share of right digits at each place for all the
    networks of that training, with 95% intervals over them, after a slip of any wrong digit there.
    A full orange box is the forced digit, a hollow one a wrong digit. Without a slip the head says
    how many sequences are right from end to end: to be trained on its own from the start costs half
    of them for round and round, but nothing for a list.
    """
    return live.LiveFigure(
        _setup,
        _update,
        title="One wrong digit",
        controls={
            "task": live.Choice("task", TASKS, value="write round and round"),
            "trained": live.Choice("was trained", TRAINED),
            "slip": live.Range("wrong digit at place (0: none)", 0, SLIPS, value=3),
        },
        presets=PRESETS,
        rc=style.RC,
        colours=style.COLOURS,
    )


ROUND, LIST = "write round and round", "write a list"
PRESETS = {
    "No slip: all is well": {"task": ROUND, "trained": "taught", "slip": 0},
    "It has seen its own mistakes: it goes on": {
        "task": ROUND, "trained": "more and more on its own", "slip": 3},
    "On its own from the start: half of all are right": {
        "task": ROUND, "trained": "on its own", "slip": 0},
    "A list: lost as well": {"task": LIST, "trained": "taught", "slip": 3},
}


# --- what is computed -------------------------------------------------------------------------


class Written(NamedTuple):
    """One sequence and a slip: digits (T,); slip is its place, from 1, or 0."""

    read: tuple
    due: np.ndarray
    corrected: np.ndarray
    alone: np.ndarray
    slip: int

    @property
    def follows(self):
        """The digits of `alone` after the slip."""
        return self.alone[self.slip :]

    @property
    def right(self):
        """Which of them are right."""
        return self.follows == self.due[self.slip :]

    @property
    def late(self):
        """Does all that was due from the slip on follow, one place late?"""
        return self.slip > 0 and (self.follows == self.due[self.slip - 1 : -1]).all()


@cache
def written(task, regime, slip):
    """Return what the stored network of that training makes of the example; a `Written`."""
    read, wrong = EXAMPLES[task]
    model, due = writers.stored()[task, regime], writers.asked(task, [read])
    slip = min(slip, len(due) - 1)
    xs, lengths = writers.encode([read])
    alone = writers.write(model, xs, lengths, writers.slipped(due, slip, wrong)).symbols
    inputs = seq2seq.teacher_inputs(due, writers.START, writers.DIGITS + 1).astype(np.float32)
    corrected = seq2seq.forward(model, xs, inputs, lengths=lengths).logits.argmax(axis=-1)
    corrected[:slip] = alone[:slip]
    return Written(read, due[:, 0], corrected[:, 0], alone[:, 0], slip)


@cache
def curves(task, regime, slip):
    """Return (places, corrected (n,), alone (3, n): mean, low, high): the shares right.

    The n places are those after the slip.
    """
    place = results.find(results.load("exposure_places"), task=task, regime=regime)
    teacher, free = (results.find(place, given=given)[slip:] for given in ("teacher", "free"))
    corrected = np.array([1 - row["mean"] for row in teacher])
    if slip:
        rows = results.find(results.load("exposure_slips"), task=task, regime=regime, slip=slip,
                            what="after_slip")
        alone = np.array([[row[name] for row in rows] for name in ("mean", "low", "high")])
    else:
        alone = 1 - np.array([[row[name] for row in free] for name in ("mean", "high", "low")])
    return np.array([row["place"] for row in teacher]), corrected, np.clip(alone, 0, 1)


@cache
def whole(task, regime):
    """Return the share of sequences without an error, without a slip: (mean, low, high)."""
    (row,) = results.find(results.load("exposure_summary"), task=task, regime=regime, what="exact")
    return tuple(min(row[name], 1) for name in ("mean", "low", "high"))


# --- what is drawn ----------------------------------------------------------------------------


def _x(place):
    return LEFT + (place - 0.5) * COLUMN


def _setup():
    fig = plt.figure(figsize=(WIDTH / 72, HEIGHT / 72))
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    ax.axis("off")
    for y, name in ((READ, "it reads"), (DUE, "due"), (CORRECTED, "corrected"), (ALONE, "alone")):
        ax.text(LEFT - 12, y, name, ha="right", va="center_baseline",
                color=style.X if y == READ else style.MUTED if y == DUE else style.INK,
                weight="bold" if y == ALONE else "normal")
    for share in (0, 0.5, 1):
        y = FOOT + share * TALL
        ax.plot([LEFT, LEFT + PLACES * COLUMN], [y, y], color=style.MUTED, linewidth=0.6, alpha=0.6)
        ax.text(LEFT - 6, y, f"{share:.0%}", ha="right", va="center_baseline", fontsize=9.5)
    for place in range(1, PLACES + 1):
        ax.text(_x(place), FOOT - 17, place, ha="center", fontsize=9.5)
    ax.text(LEFT - 6, FOOT - 17, "place", ha="right", fontsize=9.5)
    y = FOOT + TALL + 14
    ax.text(4, y, f"share right, mean of {_networks()} networks", fontsize=9.5)
    ax.plot([303], [y + 3.5], color=style.INK, marker="o", markersize=5.5)
    ax.plot([362, 386], [y + 3.5] * 2, color=style.MUTED, linewidth=1.4, linestyle=DASHES)
    ax.text(311, y, "alone", fontsize=9.5)
    ax.text(392, y, "corrected", fontsize=9.5)
    _key(ax)
    return fig, _moving(ax)


def _key(ax):
    """What the two boxes are."""
    for x, fill, name in ((338, style.GRAD, "forced"), (404, "none", "wrong")):
        ax.add_patch(Rectangle((x, READ - 5.5), 10, 12, facecolor=fill, edgecolor=style.GRAD,
                               linewidth=1.4))
        ax.text(x + 16, READ, name, fontsize=9.5, va="center_baseline")


def _networks():
    return int(results.load("exposure_places")[0]["networks"])


def _moving(ax):
    line = {"solid_capstyle": "butt", "clip_on": False}
    return {
        "head": ax.text(4, HEIGHT - 22, "", fontsize=15, weight="bold"),
        "slip": ax.add_patch(Rectangle((0, FOOT), COLUMN, TALL, color=style.GRAD,
                                       alpha=0.12, linewidth=0, zorder=0.5)),
        "read": [_digit(ax, READ, k, style.X) for k in range(PLACES)],
        "due": [_digit(ax, DUE, k, style.MUTED) for k in range(PLACES)],
        "boxes": [[_box(ax, y, k) for k in range(PLACES)] for y in (CORRECTED, ALONE)],
        "rows": [[_digit(ax, y, k, style.INK) for k in range(PLACES)] for y in (CORRECTED, ALONE)],
        "bars": [ax.plot([], [], color=style.INK, linewidth=1.2, **line)[0] for _ in range(PLACES)],
        "corrected": ax.plot([], [], color=style.MUTED, linewidth=1.4, linestyle=DASHES)[0],
        "share": ax.plot([], [], color=style.INK, linewidth=1.6, marker="o", markersize=5.5,
                         clip_on=False)[0],
    }


def _digit(ax, y, k, colour):
    return ax.text(_x(k + 1), y, "", ha="center", va="center_baseline", fontsize=15, color=colour)


def _box(ax, y, k):
    return ax.add_patch(Rectangle((_x(k + 1) - 11, y - 13), 22, 26, facecolor="none",
                                  edgecolor=style.GRAD, linewidth=1.4, visible=False))


def _update(artists, task, trained, slip):
    key = TASKS[task], TRAINED[trained]
    seen = written(*key, slip)
    places, corrected, alone = curves(*key, seen.slip)
    _fill(artists["read"], seen.read)
    _fill(artists["due"], seen.due)
    for boxes, row, digits in zip(artists["boxes"], artists["rows"],
                                  (seen.corrected, seen.alone), strict=True):
        _fill(row, digits)
        _mark(boxes, row, digits, seen)
    artists["slip"].set(x=_x(seen.slip) - COLUMN / 2, visible=seen.slip > 0)
    xs = _x(places)
    artists["corrected"].set_data(*_dashes(xs, np.round(FOOT + TALL * corrected, 1)))
    artists["share"].set_data(xs, np.round(FOOT + TALL * alone[0], 1))
    for k, bar in enumerate(artists["bars"]):
        here = slice(k, k + 1) if k < len(xs) else slice(0)
        bar.set_data(np.repeat(xs[here], 2), np.round(FOOT + TALL * alone[1:, here].ravel(), 1))
    artists["head"].set_text(_head(key, seen, slip))
    return _sentence(key, seen, slip, corrected, alone)


def _dashes(xs, ys):
    """Return the line; one point alone would not be seen, and becomes a level line."""
    return (xs, ys) if len(xs) > 1 else ([xs[0] - COLUMN / 2, xs[0] + COLUMN / 2], [ys[0]] * 2)


def _fill(row, digits):
    for k, text in enumerate(row):
        text.set_text(str(digits[k]) if k < len(digits) else "")


def _mark(boxes, row, digits, seen):
    """A full box is the slip, a hollow one another error; grey is what was given."""
    for k, (box, text) in enumerate(zip(boxes, row, strict=True)):
        wrong, forced = k < len(digits) and digits[k] != seen.due[k], k + 1 == seen.slip
        box.set(visible=wrong, facecolor=style.GRAD if forced else "none")
        text.set_color(style.PAPER if forced else style.GRAD if wrong else
                       style.MUTED if k + 1 < seen.slip else style.INK)
        text.set_weight("bold" if wrong else "normal")


def _head(key, seen, slip):
    count = f"{seen.right.sum()} of {len(seen.right)} right"
    if not slip:
        return f"{count} here; {_percent(whole(*key)[0])} of sequences all right"
    if slip > seen.slip:
        return f"{count}. Slip at {seen.slip}: a list has six places"
    return f"{count} after the slip" + (": all one place late" if seen.late else "")


def _sentence(key, seen, slip, corrected, alone):
    asked = "once" if key[0] == "list" else "round and round"
    told = f"It reads {_spell(seen.read)} and is to write it {asked}. "
    count = f"{seen.right.sum()} of {len(seen.right)} right"
    if not slip:
        told += (f"On its own it writes {_spell(seen.alone)}: {count}. {_networks()} networks have "
                 f"{_share(whole(*key))} of sequences all right, the last digit in "
                 f"{_share(alone[:, -1])}; after all the right ones in {_percent(corrected[-1])}.")
    else:
        late = ", the digit that was due at the slip, and the rest late" if seen.late else ""
        beyond = "A list has six places: " if slip > seen.slip else ""
        told += (f"{beyond}{'at' if beyond else 'At'} place {seen.slip} it is given "
                 f"{seen.alone[seen.slip - 1]} for {seen.due[seen.slip - 1]}. Alone it goes on "
                 f"{_spell(seen.follows)}{late}: {count}. Of {_networks()} networks the next digit "
                 f"is right in {_share(alone[:, 0])} of sequences, corrected in "
                 f"{_percent(corrected[0])}.")
    return told + _no_worse(*key)


def _no_worse(task, regime):
    """Of lists the network trained on its own is not the worse one: this is said."""
    own, taught = (whole(task, one)[0] for one in ("own", "teacher"))
    if regime != "own" or own < taught:
        return ""
    return (f" For lists this training is no worse: without a slip {_percent(own)} are all right, "
            f"{_percent(taught)} if taught.")


def _percent(share):
    """Say a share in whole percent, with one decimal near all, and never 100 of what is not."""
    return f"{_number(share)}%"


def _number(share):
    if 0.9995 <= share < 1:
        return ">99.9"
    return f"{100 * share:.1f}" if 0.995 <= share < 1 else f"{100 * share:.0f}"


def _spell(digits):
    return " ".join(map(str, digits))


def _share(three):
    mean, low, high = map(_number, three)
    return f"{mean}% [{low}, {high}]"
