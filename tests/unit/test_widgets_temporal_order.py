"""The race on temporal order: what is drawn and said are the counts of the runs."""

import gzip
import importlib
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from rnnlib.results import find, load

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "experiments"))
import table  # noqa: E402
import temporal_order as experiment  # noqa: E402

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.temporal_order")

ROWS = load("temporal_order")
LENGTHS, GRID = list(experiment.LENGTHS["sparse"]), list(experiment.GRID)


@pytest.fixture(scope="module")
def figure():
    return module.temporal_order()


def by_then(method, length, updates):
    """How many of the runs had succeeded, counted in the rows."""
    rows = find(ROWS, start="sparse", method=method, length=length)
    return sum(row["solved"] == 1 and row["updates"] <= updates for row in rows), len(rows)


def test_every_state_draws_and_fits_the_page(figure):
    assert figure.drive() > len(figure.presets) >= 2
    assert len(gzip.compress(figure.bake().encode())) < 70_000
    assert figure.scene.smallest_text() >= 9


def test_lengths_methods_and_updates_are_those_of_the_experiment():
    assert module.lengths() == LENGTHS and module.grid() == GRID
    assert list(module.METHODS) == list(experiment.METHODS)
    assert GRID[-1] == experiment.UPDATES


@pytest.mark.parametrize("updates", GRID)
def test_the_discs_and_intervals_are_the_counts(figure, updates):
    figure.frame({"updates": updates})
    artists, totals = figure.scene.artists, {}
    for method in module.METHODS:
        xs, ys = artists[method].get_data()
        bars = artists[f"{method} interval"].get_segments()
        for length, bar in zip(LENGTHS, bars, strict=True):
            solved, n = by_then(method, length, updates)
            x = module._columns()[method, length]
            np.testing.assert_allclose(np.array(ys)[np.equal(xs, x)],
                                       (np.arange(solved) + 0.5) / n)
            _, low, high = table.share_interval(solved, n)
            np.testing.assert_allclose(bar[:, 1], [low, high], rtol=1e-5)
            assert bar[0, 0] == bar[1, 0] and 0 < bar[0, 0] - x < module.PITCH / 2
        totals[method] = sum(by_then(method, length, updates)[0] for length in LENGTHS)
        assert len(xs) == totals[method]
    assert artists["head"].get_text() == f"After {updates:,} updates"
    assert artists["told"].get_text() == (
        f"of 30 each: SGD {totals['SGD']}, C {totals['SGD-C']}, CR {totals['SGD-CR']}")


def test_what_the_paper_found_is_told_below_and_not_drawn_among_our_lengths(figure):
    ax = figure.scene.artists["SGD"].axes
    told, = (text for text in ax.texts if "paper" in text.get_text())
    assert "5,000,000 updates" in told.get_text() and "50 to 200" in told.get_text()
    ax.figure.canvas.draw()
    box = told.get_window_extent()
    assert box.y1 < ax.get_window_extent().y0 and box.x1 < module.WIDTH and box.y0 > 0
    across = [line for line in ax.lines if list(line.get_ydata()) == [1, 1]]
    assert not across


@pytest.mark.parametrize("length", LENGTHS)
def test_the_curves_rise_at_each_success(figure, length):
    figure.frame({"length": length})
    for method in module.METHODS:
        xs, ys = figure.scene.artists[f"{method} curve"].get_data()
        assert (np.diff(xs) >= 0).all() and (np.diff(ys) >= 0).all()
        for updates in GRID:
            solved, n = by_then(method, length, updates)
            so_far = ys[xs <= module._across(updates) + 0.05]       # its steps are rounded to 0.1
            assert so_far[-1] == pytest.approx(solved / n)


@pytest.mark.parametrize("length", LENGTHS)
def test_the_labels_stand_at_their_curves_and_apart(figure, length):
    figure.frame({"length": length})
    artists, heights = figure.scene.artists, []
    for method in module.METHODS:
        label = artists[f"{method} label"]
        assert label.get_text() == method
        height, end = label.get_position()[1], artists[f"{method} curve"].get_ydata()[-1]
        assert height <= 1 and abs(height - end) * (module.FLOOR - module.TOP) <= 2 * module.APART
        heights.append(height)
    apart = np.diff(np.sort(heights)) * (module.FLOOR - module.TOP)
    assert (apart > module.APART - 0.5).all()
    assert artists["title"].get_text() == f"length {length}"


@pytest.mark.parametrize("updates, length", [*product((GRID[0], 1000, GRID[-1]), LENGTHS)])
def test_the_sentence_gives_the_counts_and_intervals(figure, updates, length):
    text, _ = figure.frame({"updates": updates, "length": length})
    assert f"After {updates:,} updates with sequences of length {length}" in text
    for method in module.METHODS:
        solved, n = by_then(method, length, updates)
        _, low, high = table.share_interval(solved, n)
        assert f"{method} {solved} of {n} ({low:.0%} to {high:.0%})" in text


def test_what_has_not_come_yet_lies_behind_the_curtain(figure):
    for updates in (GRID[0], 1000, GRID[-1]):
        figure.frame({"updates": updates})
        now = figure.scene.artists["now"].get_xdata()[0]
        curtain = figure.scene.artists["curtain"]
        assert now == curtain.get_x() == module._across(updates)
        right = curtain.get_x() + curtain.get_width()
        assert right == pytest.approx(module.CURVE[1] - module.CURVE[0] + 1)
    assert module._across(1000) == pytest.approx((module.CURVE[1] - module.CURVE[0]) / 2)


def test_the_presets_keep_their_promises(figure):
    def counts(name):
        values = figure.presets[name]
        return {method: by_then(method, values["length"], values["updates"])[0]
                for method in module.METHODS}

    leads = counts("After 1,000 updates: CR leads")
    assert leads["SGD-CR"] > 2 * max(leads["SGD"], leads["SGD-C"])
    assert counts("Length 20: clipping is slower") == {"SGD": 10, "SGD-C": 5, "SGD-CR": 10}
    none, some, everyone = counts("Length 40: none, some, all").values()
    assert 0 == none < some < 5 and everyone == 10
    assert counts("Length 60: half, with Ω only") == {"SGD": 0, "SGD-C": 0, "SGD-CR": 5}
    assert figure.opening == figure.presets["Length 40: none, some, all"]


def test_of_equal_ends_the_quicker_method_is_named_above(figure):
    figure.frame({"length": 20})
    heights = {method: figure.scene.artists[f"{method} label"].get_position()[1]
               for method in module.METHODS}
    assert heights["SGD-CR"] > heights["SGD"] > heights["SGD-C"]
