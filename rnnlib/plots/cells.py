"""A cell with gates drawn as pipes and valves, each as wide or as open as its number says.

What a cell computes flows through channels: a channel is the room there is, and its filling is as
thick as the number that flows (`SCALE` units for 1), so that what is added to the belt makes it
thicker by just that much. A gate is a valve across a channel: two jaws that leave open the share
which the gate lets through. What is not yet computed stays hollow and grey.

A cell is laid out in tables: name -> `Flow`, `Valve`, `Wire`, `Box`, `Label`. `draw_*` adds an
artist for each entry, `set_*` brings it to a value, or to None: not yet computed. Coordinates are
SVG units, y downwards (`matrices.blank_axes`). Values are expected to be 0 or more.
"""

from dataclasses import dataclass

from matplotlib.patches import FancyBboxPatch, Polygon, Rectangle

from rnnlib import style
from rnnlib.plots.matrices import CENTRED, signed

SCALE = 13.0  # thickness of 1
JAWS, THROAT = 34.0, 12.0  # size of a valve across and along its channel
PALE = 0.1  # opacity of an empty channel
DRY = 0.45  # opacity of what is not yet computed


@dataclass(frozen=True)
class Flow:
    """A straight channel from `start` to `stop`, level or upright, with room for `room`.

    turns: an upright one fills the corner at its lower end, a level one begins after the corner.
    """

    start: tuple
    stop: tuple
    colour: str
    room: float = 1.0
    turns: bool = False

    def bar(self, amount):
        """(x, y, width, height) of a bar along the channel, as thick as `amount`."""
        (x0, y0), (x1, y1) = sorted((self.start, self.stop))
        thick = SCALE * amount
        corner = thick / 2 if self.turns else 0
        if y0 == y1:
            return x0 + corner, y0 - thick / 2, x1 - x0 - corner, thick
        return x0 - thick / 2, min(y0, y1), thick, abs(y1 - y0) + corner


@dataclass(frozen=True)
class Valve:
    """A gate at `xy` across a channel that is level or upright."""

    xy: tuple
    colour: str
    level: bool = False  # whether the channel it shuts is level


@dataclass(frozen=True)
class Wire:
    """A polyline with a head: what sets a valve, or brings a number that is not drawn as flow."""

    points: tuple
    colour: str
    head: str = "^"


@dataclass(frozen=True)
class Box:
    """A pre-activation: a frame around its name, with a lowered index, and its number.

    digits: how many decimals that number has.
    """

    xy: tuple
    name: str
    index: str
    colour: str
    width: float = 58.0
    digits: int = 1


@dataclass(frozen=True)
class Label:
    """The name of a quantity and its number, in its colour."""

    xy: tuple
    colour: str
    ha: str = "center"


# --- what stands still --------------------------------------------------------------------------


def draw_frame(ax, left, top, right, bottom):
    """Draw the outline of the cell: what is outside is what it gets and what it hands on."""
    ax.add_patch(FancyBboxPatch(
        (left, top), right - left, bottom - top, boxstyle="round,pad=0,rounding_size=12",
        facecolor="none", edgecolor=style.MUTED, linewidth=1.2, zorder=0.5))


def draw_pill(ax, xy, text):
    """Draw a function, elementwise: a rounded box with its name."""
    width, height = 16 + 7 * len(text), 17
    ax.add_patch(FancyBboxPatch(
        (xy[0] - width / 2, xy[1] - height / 2), width, height, facecolor=style.PAPER,
        boxstyle="round,pad=0,rounding_size=8", edgecolor=style.INK, linewidth=1, zorder=5))
    ax.text(*xy, text, zorder=6, **CENTRED)


def draw_sum(ax, xy):
    """Draw the place where two flows are added."""
    ax.plot(*xy, "o", markersize=16, color=style.PAPER, markeredgecolor=style.INK, zorder=5)
    ax.text(*xy, "+", fontsize=13, weight="bold", zorder=6, **CENTRED)


def draw_inputs(ax, joint, up, columns):
    """Draw how x_t, from below, and h_{t-1} meet at `joint` and go up to `columns` by U, W and b.

    joint: where they meet, (x, y); up: the height at which the columns end.
    """
    x, lane = joint
    ax.plot([x, x], [lane + 38, lane], color=style.X, lw=2.2, solid_capstyle="butt")
    ax.plot([x, columns[-1]], [lane, lane], color=style.THETA, lw=2.2)
    for column in columns:
        ax.plot([column] * 2, [lane, up], color=style.THETA, lw=2.2, solid_capstyle="butt")
    ax.plot(x, lane, "o", color=style.THETA, markersize=7)
    ax.text(columns[0], lane + 12, "U, W, b", color=style.THETA, **CENTRED)


def draw_roles(ax, roles):
    """Write what a part is called, in its colour: {name: Label}."""
    for name, label in roles.items():
        ax.text(*label.xy, name, color=label.colour, ha=label.ha, fontsize=9.5,
                va="center_baseline", zorder=6)


# --- what moves ---------------------------------------------------------------------------------


def draw_head(ax, colour):
    """Add the tip of the arrow in which a level flow ends."""
    return ax.add_patch(Polygon([(0, 0)] * 3, facecolor=colour, edgecolor="none", zorder=3))


def set_head(head, flow, amount):
    """Put the tip at the end of `flow`, wider than what flows; amount None: grey."""
    x, y = flow.stop
    half = round(max(7.0, SCALE * (amount or 0) / 2 + 4), 1)
    head.set_xy([(x + 8, y), (x, y - half), (x, y + half)])
    known = amount is not None
    head.set(facecolor=flow.colour if known else style.MUTED, alpha=1 if known else DRY)


def draw_flows(ax, flows):
    """Draw all channels, empty; return {name: filling}."""
    for flow in flows.values():
        x, y, width, height = flow.bar(flow.room)
        ax.add_patch(Rectangle((x, y), width, height, color=flow.colour, alpha=PALE, lw=0))
    return {
        name: ax.add_patch(Rectangle((0, 0), 0, 0, color=flow.colour, lw=0, zorder=2))
        for name, flow in flows.items()
    }


def set_flow(filling, flow, amount):
    """Fill a channel; None, or what is too thin to see, leaves it empty."""
    seen = amount is not None and SCALE * amount >= 0.1
    filling.set_visible(seen)
    if seen:
        filling.set_bounds(*(round(float(v), 1) for v in flow.bar(amount)))


def draw_valves(ax, valves):
    """Draw all valves; return {name: {"frame": ..., "jaws": [two]}}."""
    artists = {}
    for name, valve in valves.items():
        size = (THROAT, JAWS) if valve.level else (JAWS, THROAT)
        corner = valve.xy[0] - size[0] / 2, valve.xy[1] - size[1] / 2
        artists[name] = {
            "jaws": [ax.add_patch(Rectangle(corner, 0, 0, color=valve.colour, lw=0, zorder=4))
                     for _ in range(2)],
            "frame": ax.add_patch(Rectangle(corner, *size, fill=False, lw=1.4, zorder=4.1)),
        }
    return artists


def set_valve(artists, valve, share):
    """Open a valve as far as the gate says, 0 shut and 1 open; None: not yet computed."""
    known = share is not None
    artists["frame"].set(edgecolor=valve.colour if known else style.MUTED,
                         alpha=1 if known else DRY)
    depth = round(float(JAWS / 2 * (1 - share)), 1) if known else 0
    x, y = valve.xy
    for side, jaw in zip((-1, 1), artists["jaws"], strict=True):
        jaw.set_visible(depth > 0)
        low = -JAWS / 2 if side < 0 else JAWS / 2 - depth
        if valve.level:
            jaw.set_bounds(x - THROAT / 2, y + low, THROAT, depth)
        else:
            jaw.set_bounds(x + low, y - THROAT / 2, depth, THROAT)


def draw_wires(ax, wires):
    """Draw all wires; return {name: line}."""
    artists = {}
    for name, wire in wires.items():
        (line,) = ax.plot(*zip(*wire.points, strict=True), color=wire.colour, lw=1.8, zorder=2.5)
        line.set(marker=wire.head, markevery=[len(wire.points) - 1], markersize=7)
        line.set(markeredgewidth=0, solid_capstyle="butt", solid_joinstyle="round")
        artists[name] = line
    return artists


def set_wire(line, wire, known, *, cut=False):
    """Light a wire, or leave it grey; `cut`: dashed, since what it brings is not used."""
    lit = known and not cut
    line.set(color=wire.colour if lit else style.MUTED, alpha=1 if lit else DRY)
    line.set_linestyle((0, (2.5, 2)) if cut else "-")


def draw_boxes(ax, boxes):
    """Draw all boxes with their names; return {name: the text of its number}."""
    artists = {}
    for name, box in boxes.items():
        left, y = box.xy[0] - box.width / 2, box.xy[1]
        ax.add_patch(Rectangle((left, y - 10), box.width, 20, edgecolor=box.colour, lw=1.2,
                               facecolor=style.PAPER, zorder=3))
        told = {"color": box.colour, "zorder": 6, "va": "baseline"}
        ax.text(left + 5, y + 4, box.name, fontsize=11, **told)
        ax.text(left + 5 + 7 * len(box.name), y + 6.5, box.index, fontsize=9.5, **told)
        artists[name] = ax.text(left + box.width - 5, y + 4, "", ha="right", **told)
    return artists


def draw_labels(ax, labels):
    """Draw all labels, empty; return {name: text}."""
    return {
        name: ax.text(*label.xy, "", ha=label.ha, va="center_baseline", zorder=6)
        for name, label in labels.items()
    }


def set_label(text, label, name, value, *, fresh=False, held=False, between=" = "):
    """Write "f₂ = 0.98"; value None: the grey name alone. Bold if it was computed just now."""
    known = value is not None
    number = f"{value:g} held" if held and known else signed(value) if known else ""
    text.set_text(f"{name}{between}{number}" if known else name)
    text.set_color(label.colour if known else style.MUTED)
    text.set_weight("bold" if known and fresh else "normal")
