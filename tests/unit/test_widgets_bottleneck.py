"""The bottleneck: what is drawn and said is what the rows of the experiment give."""

import gzip
import importlib
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from rnnlib import style

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))
import bottleneck as experiment
import table

# By its full name: `rnnlib.widgets` has the figure under that of its module.
widget = importlib.import_module("rnnlib.widgets.bottleneck")
ROWS = table.read(table.RESULTS / "bottleneck.csv")
STATES = list(product(experiment.SIZES, (1, 2, 5, 9, 10, 11, 12, 20)))


@pytest.fixture(scope="module")
def figure():
    return widget.bottleneck()


def shares(model, size, length):
    """Of each network, from the rows."""
    return np.array([float(row[f"exact_{length}"]) for row in ROWS
                     if (row["model"], row["size"]) == (model, str(size))])


def looks(size, t):
    """Where each network with attention looks at output t of 20, from the rows."""
    return np.array([float(row[f"at_{t}"]) for row in ROWS
                     if (row["model"], row["size"]) == ("attention", str(size))])


def interval(model, size, length):
    """Mean, low and high, from the rows, in the digits of the summary, cut to shares."""
    found = table.mean_interval(shares(model, size, length))
    return np.clip([float(table.short(value)) for value in found], 0, 1)


def test_every_state_draws_and_fits_the_page(figure):
    assert figure.drive() > len(figure.presets) >= 2
    assert len(gzip.compress(figure.bake().encode())) < 30_000
    assert figure.scene.smallest_text() >= 9


def test_the_constants_are_those_of_the_experiment():
    assert (widget.TRAINED, widget.LONGEST) == (experiment.TRAINED, experiment.LONGEST)
    assert widget.SYMBOLS == experiment.SYMBOLS and widget.sizes() == experiment.SIZES
    assert set(widget.MODELS) == set(experiment.MODELS)
    assert widget.seeds() == len(shares("forward", 8, 1)) == 10


@pytest.mark.parametrize(("size", "length"), STATES)
def test_curves_bands_and_key_are_the_means_over_the_networks(figure, size, length):
    text, _ = figure.frame({"size": size, "length": length})
    artists = figure.scene.artists
    for model in experiment.MODELS:
        N = widget.LONGEST
        wanted = np.array([interval(model, size, n) for n in range(1, N + 1)]).T
        np.testing.assert_allclose(artists["by length"][model].get_ydata(), wanted[0], atol=6e-4)
        corners = artists["bands"][model].get_paths()[0].vertices[: 2 * N, 1]
        np.testing.assert_allclose(corners[:N], wanted[1], atol=6e-4)
        np.testing.assert_allclose(corners[N:][::-1], wanted[2], atol=6e-4)
        wanted = [shares(model, H, length).mean() for H in experiment.SIZES]
        np.testing.assert_allclose(artists["by size"][model].get_ydata(), wanted, atol=6e-4)
        xs, ys = artists["networks"][model].get_data()
        for H in experiment.SIZES:
            mine = np.sort(ys[np.round(xs) == np.log2(H)])
            np.testing.assert_array_equal(mine, np.sort(shares(model, H, length)))
        mean, low, high = interval(model, size, length)
        written = artists["values"][model].get_text()
        assert written.startswith(f"{widget.percent(mean)} ")
        same = np.ptp(shares(model, size, length)) == 0
        assert ("all networks alike" in written) == same
        if not same:
            assert f"{widget.percent(low)} to {widget.percent(high)}" in written
        assert f" {widget.percent(mean)} " in text
    assert artists["head"].get_text() == f"Length {length}, H = {size}: copied without a mistake"
    assert [one.get_xdata()[0] for one in artists["columns"]] == [length, np.log2(size)]


def test_each_share_is_said_of_its_own_model(figure):
    text, _ = figure.frame({"size": 32, "length": 8})
    said = {model: widget.percent(interval(model, 32, 8)[0]) for model in experiment.MODELS}
    assert len(set(said.values())) == 3
    assert (f"{said['forward']} are copied without a mistake through a vector of 32 numbers, "
            f"{said['reversed']} if read from the end, {said['attention']} with "
            "attention (means of 10 networks)") in text


@pytest.mark.parametrize(("size", "length"), STATES)
def test_beyond_the_training_the_sentence_says_where_attention_looks(figure, size, length):
    text, _ = figure.frame({"size": size, "length": length})
    assert ("Asked for 20, attention looks" in text) == (length > experiment.TRAINED)
    if length > experiment.TRAINED:
        at_10, at = (widget.percent(float(table.short(looks(size, t).mean())))
                     for t in (10, length))
        assert text.endswith(f"at the right symbol in {at_10} at output 10, in {at} at {length}.")


@pytest.mark.parametrize(("size", "length"), STATES)
def test_networks_that_do_not_look_are_told(figure, size, length):
    text, _ = figure.frame({"size": size, "length": length})
    blind = (looks(size, 1) < 0.5).sum()
    told = f"{blind} of the 10 with attention {'does' if blind == 1 else 'do'} not look."
    if length > experiment.TRAINED:
        assert "not look" not in text and "attention look." not in text
    else:
        assert text.endswith(told if blind else "All 10 with attention look.")


def test_the_sentences_are_of_nearly_one_length(figure):
    """Three lines of the page each: the controls below stay where they are."""
    texts = [figure.frame({"size": H, "length": n})[0] for H, n in STATES]
    assert min(map(len, texts)) > 180 and max(map(len, texts)) < 260


def test_rings_are_hollow_and_stand_over_the_mean(figure):
    artists = figure.scene.artists
    for model, rings in artists["networks"].items():
        assert rings.get_markerfacecolor() == "none" and rings.get_alpha() is None
        assert rings.get_zorder() > artists["by size"][model].get_zorder()


def test_presets_keep_their_promises(figure):
    said = figure.presets
    assert set(figure.opening.items()) == {("size", 32), ("length", 10)}
    twice = said["Twice the numbers"]
    assert twice["size"] == 2 * figure.opening["size"]
    few = said["8 numbers: attention, where it is learned"]
    learned, found = looks(8, 1) >= 0.5, shares("attention", **few)
    assert 5 <= learned.sum() < 10
    assert found[learned].min() > 0.7 and np.median(found[learned]) > 0.9
    assert found[~learned].max() < 0.05
    assert max(shares("forward", **few).max(), shares("reversed", **few).max()) < 0.02
    assert shares("forward", **said["Short enough for the vector"]).mean() > 0.95
    beyond = said["Longer than trained: attention fails too"]
    assert beyond["length"] > experiment.TRAINED
    assert shares("attention", **beyond).max() < 0.05


def test_lines_differ_without_their_colours():
    looks = [look for _, look in widget.MODELS.values()]
    assert len({(look["marker"], str(look.get("ls")), look.get("mfc")) for look in looks}) == 3
    assert {look["color"] for look in looks} == {style.INK, style.H}


def test_percentages_never_round_to_none_or_all():
    assert [widget.percent(x) for x in (0, 0.0001, 0.024, 0.52, 0.996, 0.9999, 1)] == [
        "0%", "under 0.1%", "2.4%", "52%", "over 99%", "over 99.9%", "100%"]
