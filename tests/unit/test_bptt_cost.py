"""What BPTT costs: the measured files hold what the code gives now, and the figure shows them."""

import gzip
import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnlib import LSTMCell, bptt, results

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
sys.path.insert(0, str(EXPERIMENTS))

import bptt_cost as experiment  # noqa: E402

figure = importlib.import_module("rnnlib.widgets.bptt_cost")  # its function has the same name

LENGTHS, BUDGETS = results.load("bptt_cost"), results.load("bptt_cost_budgets")
BIG = dict(zip(("batch", "inputs", "units"), experiment.LARGE, strict=True))


def slope(kind, way, column):
    """The power of τ in a column, by least squares on logarithms."""
    rows = results.find(LENGTHS, cell=kind, way=way)
    assert [row["steps"] for row in rows] == list(experiment.LENGTHS)
    steps, values = ([row[name] for row in rows] for name in ("steps", column))
    return np.polyfit(np.log(steps), np.log(values), 1)[0]


# --- the files ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", experiment.CELLS)
@pytest.mark.parametrize("way", ["whole", "checkpointed"])
def test_memory_and_steps_are_those_of_the_code_now(kind, way):
    for row in results.find(LENGTHS, cell=kind, way=way):
        if row["steps"] <= 5000:
            found = getattr(experiment, way)(
                *experiment.setting(kind, int(row["steps"]), experiment.SMALL)
            )
            assert (row["bytes"], row["steps_run"]) == (found["bytes"], found["steps_run"])


@pytest.mark.parametrize("kind", experiment.CELLS)
def test_the_memory_of_longer_sequences_follows_from_the_plan(kind):
    """Of each step the trace and its gradient; of checkpoints one segment of them, and the states.

    Without a budget a segment has √τ steps, rounded up to whole blocks of 16.
    """
    one, two = (experiment.whole(*experiment.setting(kind, steps, experiment.SMALL))["bytes"]
                for steps in (1, 2))
    states = {"RNN": 1, "LSTM": 2}[kind]
    a_state, a_step = 8 * 16 * states, two - one
    assert one - a_step == 2 * a_state                          # the first one, and its gradient
    for steps in experiment.LENGTHS:
        whole, some = results.find(LENGTHS, cell=kind, steps=steps)
        assert whole["bytes"] == 2 * a_state + steps * a_step
        segment = 16 * -(-int(np.ceil(steps**0.5)) // 16)
        count = -(-steps // segment)
        assert some["steps_run"] == steps + (count - 1) * segment   # all but the last one twice
        # when the last segment but one is gone through, count - 1 states are kept
        most = max(segment * a_step + (2 + count - 1) * a_state,
                   (steps - (count - 1) * segment) * a_step + (2 + count) * a_state)
        assert some["bytes"] == most


def test_memory_is_linear_and_with_checkpoints_like_the_root():
    for kind in experiment.CELLS:
        assert slope(kind, "whole", "bytes") == pytest.approx(1, abs=1e-3)
        assert 0.4 < slope(kind, "checkpointed", "bytes") < 0.6


def test_time_is_linear_both_ways():
    for kind in experiment.CELLS:
        assert 0.9 < slope(kind, "whole", "seconds") < 1.1
        assert 0.8 < slope(kind, "checkpointed", "seconds") < 1.05
    for row in LENGTHS + BUDGETS:
        assert 0 < row["low"] <= row["seconds"] <= row["high"]


@pytest.mark.parametrize("size", [experiment.SMALL, experiment.LARGE])
def test_what_a_budget_takes_is_what_the_code_takes_now(size):
    names = dict(zip(("batch", "inputs", "units"), size, strict=True))
    one = experiment.setting("LSTM", 1000, size)
    whole, *rows = results.find(BUDGETS, **names)
    assert whole["bytes"] == 2 * 8 * size[0] * (1000 * (size[1] + 10 * size[2]) + 2 * size[2])
    assert [row["budget"] for row in rows] == ["none", *experiment.SHARES]
    for row in rows:
        if size == experiment.SMALL or row["budget"] == 0.06:
            share = None if row["budget"] == "none" else int(row["budget"] * whole["bytes"])
            found = experiment.checkpointed(*one, budget=share)
            assert (row["bytes"], row["steps_run"]) == (found["bytes"], found["steps_run"])
        assert row["budget"] == "none" or row["share"] <= row["budget"]
        assert row["share"] == pytest.approx(row["bytes"] / whole["bytes"], rel=1e-5)


def test_a_twentieth_of_the_memory_for_about_a_third_more_time():
    """Gruslys et al. 2016, of 1,000 steps: 95% of the memory saved, one third more time."""
    (whole,) = results.find(BUDGETS, budget="whole", **BIG)
    (row,) = results.find(BUDGETS, budget=0.06, **BIG)
    assert 0.045 < row["share"] < 0.052
    assert row["steps_run"] == 1960
    assert 1 / 3 < whole["forward"] < 0.42                      # a forward pass again: its share
    assert 1.1 < row["ratio_low"] <= row["ratio"] <= row["ratio_high"] < 1.45


# --- the figure ---------------------------------------------------------------------------------


def test_the_figure_draws_everywhere_and_is_small():
    drawn = figure.bptt_cost()
    assert drawn.drive() > len(drawn.presets) >= 2
    assert len(gzip.compress(drawn.bake().encode())) < 20_000
    assert drawn.scene.smallest_text() >= 9


class Watched(LSTMCell):
    """An LSTM that notes which steps it runs: they are numbered by their first input."""

    def _forward(self, xs, state):
        SEEN.extend(xs[:, 0, 0].astype(int))
        return super()._forward(xs, state)


SEEN = []


@pytest.mark.parametrize("budget", [0.06, 0.017])
def test_the_figure_shows_the_steps_that_checkpointed_really_runs(budget):
    cell = Watched.init(figure.INPUTS, figure.UNITS)
    xs = np.zeros((figure.STEPS, figure.BATCH, figure.INPUTS))
    xs[..., 0] = np.arange(figure.STEPS)[:, None]
    whole = figure.measured()[1.0]["bytes"]
    bptt.plan(cell, figure.STEPS, figure.BATCH, np.dtype(float), int(budget * whole))
    planned = len(SEEN)                                             # plan() tries one step
    bptt.checkpointed(cell, xs, lambda t, hs: hs, budget=int(budget * whole))
    runs, kept, segment = figure.walk(budget)
    np.testing.assert_array_equal(np.bincount(SEEN[2 * planned :], minlength=1000), runs)
    assert runs.sum() == figure.measured()[budget]["steps_run"]
    assert kept[0] == 0 and not np.mod(kept, segment).any()
    SEEN.clear()


def test_every_state_of_the_figure_is_a_measured_row():
    drawn = figure.bptt_cost()
    control = drawn.controls["budget"]
    assert control.values[-1] == 100 and control.value == 6 and len(control.values) >= 12
    for percent in control.values:
        row = figure.measured()[round(percent / 100, 4)]
        runs, _, _ = figure.walk(round(percent / 100, 4))
        assert runs.sum() == row["steps_run"] and runs.min() == 1
        assert runs.max() <= figure.MOST and row["ratio"] < figure.SLOWEST
        text, _ = drawn.frame({"budget": percent})
        assert f"{row['ratio']:.1f}× the time" in text or percent == 100


def test_the_bars_and_the_strip_are_what_the_row_says():
    drawn = figure.bptt_cost()
    drawn.frame({"budget": 6})
    artists = drawn.scene.artists
    row = figure.measured()[0.06]
    assert artists["memory"].get_width() == row["share"]
    assert artists["time"].get_width() == row["ratio"]
    assert artists["whole"].get_x() == 960 and artists["whole"].get_width() == 40
    np.testing.assert_array_equal(artists["kept"].get_xdata(), np.arange(20) * 48)
    assert artists["said"].get_text() == (
        "Kept as the way back begins: 20 states (•), 40 steps (▮)"
    )


def test_whole_bptt_repeats_nothing():
    text, _ = figure.bptt_cost().frame({"budget": 100})
    assert "each once" in text
    assert figure.outline(figure.walk(1)[0]) == [(0, 1), (0, 1), (1000, 1), (1000, 1)]
    assert figure.outline(np.array([3, 3, 2])) == [(0, 1), (0, 3), (2, 3), (2, 2), (3, 2), (3, 1)]
