"""Discs are strokes of no length: they must be seen in a bitmap too, wherever they stand."""

import io

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from rnnlib import style
from rnnlib.plots import graph


@pytest.mark.parametrize("dpi", [72, 108, 150])
@pytest.mark.parametrize("x", [30, 30.25, 30.5, 30.8])
def test_a_node_is_seen_in_a_bitmap(dpi, x):
    fig, ax = graph.canvas(60, 60)
    artists = graph.create(ax, labels=1, letters=())
    graph.place(artists, [graph.Node((x, 30), "", style.H)], [])
    out = io.BytesIO()
    fig.savefig(out, format="png", dpi=dpi, facecolor="white")
    pixels = np.asarray(Image.open(out).convert("RGB"), float) / 255
    blue = np.abs(pixels - to_rgb(style.H)).max(axis=-1) < 0.05
    assert blue.sum() == pytest.approx(np.pi * (graph.RADIUS * dpi / 72) ** 2, rel=0.15)
