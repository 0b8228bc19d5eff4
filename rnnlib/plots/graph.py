"""Draw a computational graph with few artists: one for each look of its nodes and of its arrows.

A live figure redraws whatever moves, so a hundred small artists would be a hundred things to send.
Here all arrows of one look are one path, heads included, and so are all discs: a disc is a line of
no length with round ends. Parameter letters are a scatter of glyphs for each letter, node labels a
fixed pool of texts. Coordinates are SVG units: use axes whose data units are one 72nd of an inch
(`canvas`).
"""

from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgba
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D, IdentityTransform

from rnnlib import style

RADIUS = 11.5  # of a node
COLOURS = (style.X, style.H, style.INK)  # that a node can have
LOOKS = ("lit", "dim", "later")
TINT, RIM = 0.2, 0.55  # opacity of a dim node's fill and of its rim
#: look -> opacity and width of an arrow
ARROW_LOOKS = {"lit": (1.0, 2.2), "dim": (0.6, 1.1), "later": (0.4, 0.9)}


@dataclass(frozen=True)
class Node:
    """A labelled disc; `look` is "lit", "dim" (reached, not the point) or "later" (hollow)."""

    xy: tuple
    label: str
    colour: str
    look: str = "lit"


@dataclass(frozen=True)
class Arrow:
    """A polyline with a head; `letter` names the parameter on it and stands at `letter_xy`.

    A copy has no parameter: its arrow has the colour of the ink.
    """

    points: tuple
    look: str = "lit"
    letter: str = ""
    letter_xy: tuple = (0, 0)
    copy: bool = False


def canvas(width, height):
    """Return a figure and axes without frame whose data units are SVG units (1/72 inch)."""
    fig = plt.figure(figsize=(width / 72, height / 72))
    ax = fig.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))
    ax.set_axis_off()
    return fig, ax


def create(ax, *, labels, letters, radius=RADIUS):
    """Add the (empty) artists of a graph of at most `labels` nodes; return them by name."""
    arrows = {}
    for look in LOOKS:
        alpha, width = ARROW_LOOKS[look]
        for copy, colour in ((False, style.THETA), (True, style.INK)):
            paint = style.MUTED if look == "later" else colour
            arrows[look, copy] = _strokes(ax, paint, alpha, width, 2)
    texts = [
        ax.text(0, 0, "", ha="center", va="center_baseline", fontsize=10, zorder=6, visible=False)
        for _ in range(labels)
    ]
    return {
        "nodes": _discs(ax, radius),
        "arrows": arrows,
        "letters": [_glyphs(ax, letter) for letter in letters],
        "labels": texts,
    }


def _discs(ax, radius):
    """Return the layers of the nodes: rims first, then paper over them, then the fills."""
    layers = [_strokes(ax, style.MUTED, 0.6, 2 * radius + 1, 3, gid="later")]
    for colour in COLOURS:
        layers.append(_strokes(ax, colour, RIM, 2 * radius + 1, 3, gid="dim" + colour))
    layers.append(_strokes(ax, style.PAPER, 1, 2 * radius - 1, 4, gid="dim later"))
    for colour in COLOURS:
        layers.append(_strokes(ax, colour, TINT, 2 * radius - 1, 5, gid="dim" + colour))
        layers.append(_strokes(ax, colour, 1, 2 * radius + 1, 5, gid="lit" + colour))
    return layers


def _strokes(ax, colour, alpha, width, zorder, gid=""):
    """Return an empty path of many strokes that share a colour and a width."""
    strokes = PathPatch(Path(np.zeros((0, 2))), fill=False, edgecolor=to_rgba(colour, alpha))
    strokes.set(linewidth=width, capstyle="round", joinstyle="round", zorder=zorder, gid=gid)
    strokes.set_snap(False)  # in a bitmap, a disc's stroke would be snapped to no length: nothing
    ax.add_artist(strokes)
    strokes.set_clip_on(False)
    return strokes


def place(artists, nodes, arrows):
    """Move the artists of `create` so that they show these nodes and arrows, and nothing else."""
    _place_nodes(artists["nodes"], nodes)
    _place_labels(artists["labels"], nodes)
    _place_arrows(artists["arrows"], arrows)
    for glyph in artists["letters"]:
        mine = [a for a in arrows if a.letter == glyph.get_gid()]
        glyph.set_offsets(np.reshape([a.letter_xy for a in mine], (-1, 2)))
        glyph.set_facecolor([to_rgba(style.THETA, 0.5 if a.look == "later" else 1) for a in mine])


def trimmed(points, *, start=RADIUS + 1.5, end=RADIUS + 2.5):
    """Cut a polyline back from the centres of the nodes that it joins."""
    points = np.array(points, float)
    points[0] += start * _direction(points[0], points[1])
    points[-1] += end * _direction(points[-1], points[-2])
    return points


def _place_nodes(layers, nodes):
    for layer in layers:
        kind = layer.get_gid()
        mine = [n for n in nodes if kind == n.look + n.colour or n.look in kind.split()]
        _draw(layer, [[n.xy, np.add(n.xy, (0.01, 0))] for n in mine])


def _draw(strokes, lines):
    """Let one path consist of these polylines."""
    codes = [code for line in lines for code in [Path.MOVETO] + [Path.LINETO] * (len(line) - 1)]
    strokes.set_path(Path(np.vstack(lines), codes) if lines else Path(np.zeros((0, 2))))
    strokes.set_visible(bool(lines))


def _place_labels(texts, nodes):
    inks = {"lit": style.PAPER, "dim": style.INK, "later": style.MUTED}
    for text in texts[len(nodes) :]:
        text.set_visible(False)
    for text, node in zip(texts, nodes, strict=False):
        text.set(visible=True, text=node.label, position=node.xy, color=inks[node.look])
        text.set_fontweight("bold" if node.look == "lit" else "normal")


def _place_arrows(layers, arrows):
    for (look, copy), layer in layers.items():
        mine = [a for a in arrows if (a.look, a.copy) == (look, copy)]
        _draw(layer, [_with_head(np.asarray(a.points, float)) for a in mine])


def _with_head(points, length=4.5):
    """Append an open arrow head: the line goes on to one barb, back to the tip, to the other."""
    tip, back = points[-1], _direction(points[-1], points[-2])
    across = np.array([-back[1], back[0]])
    barbs = [tip + length * (back + side * 0.6 * across) for side in (1, -1)]
    return np.vstack([points, barbs[0], tip, barbs[1]])


def _direction(start, end):
    return (end - start) / np.linalg.norm(end - start)


def _glyphs(ax, letter, size=10.5):
    """Return an empty collection that draws `letter`, bold and centred, at each of its offsets."""
    path = TextPath((0, 0), letter, size=1, prop=FontProperties(weight="bold"))
    path = path.transformed(Affine2D().translate(*-path.get_extents().get_points().mean(0)))
    glyphs = PathCollection(
        [path], sizes=[size**2], offsets=[(0, 0)], offset_transform=ax.transData, linewidths=0
    )
    glyphs.set(transform=IdentityTransform(), gid=letter, zorder=5)
    ax.add_collection(glyphs)
    glyphs.set_clip_on(False)
    return glyphs
