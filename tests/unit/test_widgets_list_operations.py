"""Accuracy against depth: what is drawn and said are means over the rows of the experiment."""

import gzip
import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import RendererAgg

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
sys.path.insert(0, str(EXPERIMENTS))

import list_operations as experiment  # noqa: E402
import table  # noqa: E402

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.list_operations")
ROWS = table.read(table.RESULTS / "list_operations.csv")
STATES = [{"model": model, "operations": operations}
          for operations in module.SETS for model in module.MODELS]


@pytest.fixture(scope="module")
def figure():
    return module.list_operations()


def intervals(operations, model):
    """(mean, low, high) at each depth, (3, 8), from the rows."""
    rows = [row for row in ROWS if (row["operations"], row["model"]) == (operations, model)]
    shares = [[float(row[f"accuracy_{depth}"]) for row in rows] for depth in experiment.DEPTHS]
    return np.transpose([table.mean_interval(values) for values in shares])


def test_every_state_draws_and_fits_the_page(figure):
    assert figure.drive() > len(figure.presets) >= 2
    assert len(gzip.compress(figure.bake().encode())) < 70_000
    assert figure.scene.smallest_text() >= 9


def test_the_figure_knows_all_models_and_sets_of_the_experiment():
    assert set(module.MODELS.values()) == set(module.NAMES) == set(experiment.RATES)
    assert list(module.SETS.values()) == list(experiment.SETS)
    assert set(module.TOLD) == {model for model in experiment.RATES
                                if model.split()[0] == "tree"}
    assert max(experiment.TRAINED) == module.TRAINED


@pytest.mark.parametrize("state", STATES, ids=lambda state: " ".join(state.values()))
def test_every_state_shows_the_numbers_of_the_rows(figure, state):
    sentence, _ = figure.frame(state)
    artists, operations = figure.scene.artists, module.SETS[state["operations"]]
    for model, line in artists["lines"].items():
        mean = intervals(operations, model)[0]
        np.testing.assert_allclose(line.get_ydata(), mean, rtol=1e-5)
        assert f"  {mean[-1]:.0%}" in artists["labels"][model].get_text()
        chosen = model == module.MODELS[state["model"]]
        assert (line.get_linewidth() > 2) == chosen
        assert artists["labels"][model].get_weight() == ("bold" if chosen else "normal")
    mean, low, high = intervals(operations, module.MODELS[state["model"]])
    np.testing.assert_allclose(artists["dots"].get_ydata(), mean, rtol=1e-5)
    bars = np.array(artists["bars"].get_segments())
    np.testing.assert_allclose(bars[..., 1], np.transpose([low, high]), rtol=1e-5)
    np.testing.assert_array_equal(bars[..., 0], np.transpose([experiment.DEPTHS] * 2))
    for depth in (1, 4, 8):
        k = depth - 1
        told = f"{mean[k]:.0%} ({low[k]:.0%} to {high[k]:.0%})"
        told = told.replace("100% (100% to 100%)", "100%")
        where = "where they are" if depth == 1 else "at"
        assert f"{told} {where} {depth} deep" in sentence
    assert f"{experiment.SETS[operations]} networks" in sentence


@pytest.mark.parametrize("operations", module.SETS)
def test_the_labels_stand_in_order_at_their_lines_and_do_not_overlap(figure, operations):
    figure.frame({"operations": operations, "model": "its own tree, asked everywhere"})
    artists = figure.scene.artists
    renderer = RendererAgg(461, 310, 72)
    texts = [*artists["labels"].values(), *artists["heads"]]
    boxes = sorted((text.get_window_extent(renderer) for text in texts), key=lambda box: box.y0)
    assert all(below.y1 <= above.y0 + 1.5 for below, above in zip(boxes, boxes[1:], strict=False))
    assert boxes[-1].y1 < figure.scene.figure.bbox.y1
    assert max(box.x1 for box in boxes) <= figure.scene.figure.bbox.x1
    for group in (True, False):
        names = [name for name in artists["labels"] if (name in module.TOLD) == group]
        places = [artists["labels"][name].get_position()[1] for name in names]
        ends = [artists["lines"][name].get_ydata()[-1] for name in names]
        assert [names[k] for k in np.argsort(places)] == [names[k] for k in np.argsort(ends)]
        assert np.abs(np.subtract(places, ends)).max() < 0.17


def test_the_presets_keep_their_promise(figure):
    plain, sums = module.SETS.values()
    found = {model: intervals(plain, model) for model in experiment.RATES}
    values = figure.presets["The GRU fails where it gets deeper"]
    gru, tree = found[module.MODELS[values["model"]]], found["tree"]
    assert values["model"] == "GRU" and gru[1][3] > 0.8 and gru[2][7] < 0.5
    assert tree[0][3] - gru[0][3] < 0.1 and tree[1][7] > gru[2][7] + 0.2
    values = figure.presets["A wrong tree: 43% at four deep"]
    wrong = found[module.MODELS[values["model"]]]
    assert values["model"] == "balanced tree" and values["operations"] == next(iter(module.SETS))
    assert round(100 * wrong[0][4 - 1]) == 43 and wrong[0][0] > 0.95 and (wrong[2][2:] < 0.6).all()
    assert (wrong[2][1:] < tree[1][1:] - 0.1).all()
    values = figure.presets["Sums are hard for all"]
    assert module.SETS[values["operations"]] == sums
    for model, plainly in found.items():
        hard = intervals(sums, model)
        assert (hard[0][1:4] < plainly[0][1:4]).all() and hard[2][3] < 0.8
    assert len(figure.presets) == 3
