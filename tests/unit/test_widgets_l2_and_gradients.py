"""L2 and the gradients: every dot and count is a row of the result file."""

import gzip
import importlib

import numpy as np
import pytest

from rnnlib import RNNCell
from rnnlib.results import find, load

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.l2_and_gradients")
ROWS = load("optimisers_l2")


def rows(way, weight):
    clip, rate = {"clipped at norm 1": (1, 0.3), "not clipped": (0, 0.3),
                  "not clipped, a third of the rate": (0, 0.1)}[way]
    return find(ROWS, clip=clip, rate=rate, weight=weight)


@pytest.fixture(scope="module")
def figure():
    return module.l2_and_gradients()


def test_every_state_draws_and_fits_the_page(figure):
    assert figure.drive() > len(figure.presets) >= 2
    assert len(gzip.compress(figure.bake().encode())) < 70_000
    assert figure.scene.smallest_text() >= 9


@pytest.mark.parametrize("way", module.WAYS)
def test_dots_and_counts_are_the_rows(figure, way):
    artists = figure.scene.artists
    for i, weight in enumerate(module.weights()):
        told, _ = figure.frame({"weight": weight, "way": way})
        mine = rows(way, weight)
        assert len(mine) == 20
        for name in ("accuracy", "radius", "ratio"):
            values = np.array([row[name] for row in mine])
            if name != "accuracy":
                values = np.log10(np.maximum(values, {"radius": 1e-3, "ratio": 1e-20}[name]))
            xs, ys = artists["dots"][name].get_data()
            column = np.abs(xs - i) < 0.5
            np.testing.assert_allclose(ys[column], values, atol=6e-4)
            assert [row["seed"] for row in mine] == sorted(row["seed"] for row in mine)
            assert (np.diff(xs[column]) > 0).all()
            assert artists["middles"][name].get_ydata()[i] == pytest.approx(np.median(values))
        solved = int(sum(row["solved"] for row in mine))
        kept = sum(row["accuracy"] >= 0.95 for row in mine)
        assert artists["counts"][i].get_text() == str(kept)
        assert artists["counts"][i].get_weight() == "bold"
        assert all(span.get_x() == i - 0.5 for span in artists["here"])
        assert f"{solved} of 20 networks learn the task, {kept} are still right in the "\
            "end (95% or more)" in told
        assert f"ρ(W) {np.median([row['radius'] for row in mine]):.2g}, " in told
        assert f"{np.mean([row['over'] for row in mine]):.1%} of the gradients" in told


@pytest.mark.parametrize("way", module.WAYS)
def test_no_dot_lies_outside_its_panel(figure, way):
    figure.frame({"way": way})
    for dots in figure.scene.artists["dots"].values():
        low, high = dots.axes.get_ylim()
        assert (dots.get_ydata() > low).all() and (dots.get_ydata() < high).all()


def test_the_presets_keep_their_promises(figure):
    def median(name, way, weight):
        return np.median([row[name] for row in rows(way, weight)])

    def solved(way, weight):
        return sum(row["solved"] for row in rows(way, weight))

    def right(way, weight):
        return sum(row["accuracy"] >= 0.95 for row in rows(way, weight))

    assert set(figure.presets) == {
        "None: all right in the end, ρ has grown", "Too much: W dies, the gradient vanishes",
        "No clip, no L2: none right in the end", "L2 is no clip",
        "Slower: half learn, none right in the end"}
    assert all(row["radius"] > module.START for row in rows(module.CLIPPED, 0))
    assert right(module.CLIPPED, 0) == 20
    assert median("radius", module.CLIPPED, 0.1) < 0.01
    assert median("ratio", module.CLIPPED, 0.1) < 1e-10
    assert solved(module.BARE, 0) == right(module.BARE, 0) == 0
    assert all(solved(module.BARE, weight) <= 1 for weight in module.weights())
    assert 9 <= solved(module.SLOWER, 0.01) <= 11 and right(module.SLOWER, 0.01) == 0


def test_the_dashed_line_is_the_spectral_radius_at_the_start(figure):
    cell = RNNCell.init(6, 16, start="orthogonal", gain=1.5, rng=np.random.default_rng(0))
    assert np.abs(np.linalg.eigvals(cell.W)).max() == pytest.approx(module.START)
    ax = figure.scene.artists["dots"]["radius"].axes
    level, = (line.get_ydata()[0] for line in ax.lines if list(line.get_xdata()) == [0, 1])
    ticks = dict(zip(ax.get_yticks(), [t.get_text() for t in ax.get_yticklabels()], strict=True))
    assert level == pytest.approx(np.log10(module.START)) and ticks[level] == "start"
    assert "at the start 1.5" in ax.get_title(loc="left")
