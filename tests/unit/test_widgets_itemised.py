"""Itemised backpropagation: the items add up to the gradient, and the figures say what is so."""

import gzip
from functools import cache

import numpy as np
import pytest

from rnnlib import live, losses, style, tasks
from rnnlib.jordan import JordanCell
from rnnlib.outputs import OutputLayer
from rnnlib.plots.matrices import blank_axes, draw_matrix, show_matrix
from rnnlib.unroll import backward, forward
from rnnlib.widgets.dogs import dogs_loss, dogs_network
from rnnlib.widgets.itemised import (
    CELLS,
    STEPS,
    WORD,
    column,
    contributions,
    itemised,
    measured,
    percent,
    reach,
    reading,
    row,
    shares,
    spread,
    strength,
)
from rnnlib.widgets.itemised_dogs import dogs_gradient, dogs_items, itemised_dogs, sizes

FIGURES = (itemised_dogs, itemised)
figure_of = cache(lambda make: make())


@pytest.mark.parametrize("make", FIGURES)
def test_figure_draws_everywhere_and_fits_the_page(make):
    figure = figure_of(make)
    assert figure.drive() > len(figure.presets) >= 2
    assert len(gzip.compress(figure.bake().encode())) < 40_000
    assert figure.scene.smallest_text() >= 9.5


def shown(pieces):
    return "".join(pieces.values())


# --- dogs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("parameter", "WUV")
def test_dogs_items_add_up_to_the_gradient_of_its_training(parameter):
    _, (dcell, dout) = dogs_loss(dogs_network(0), tasks.dogs())
    total = dogs_items(parameter)[2].sum((0, 1))
    expected = dout.V if parameter == "V" else getattr(dcell, parameter)
    np.testing.assert_allclose(total, expected, rtol=0, atol=1e-15)
    np.testing.assert_array_equal(dogs_gradient(parameter), expected)


@pytest.mark.parametrize("parameter", "WUV")
def test_a_dogs_item_is_the_gradient_of_one_loss_through_one_step(parameter):
    """Central differences: only the use at step k is moved, and only L_t is asked."""
    cell, out = dogs_network(0)
    xs, targets = (array[:, 0] for array in tasks.dogs())

    def loss(change, k, t):
        h = np.zeros(3)
        for step in range(t + 1):
            used = {"W": cell.W, "U": cell.U, "V": out.V}
            if step == k:
                used[parameter] = used[parameter] + change
            h = np.tanh(cell.b + used["W"] @ h + used["U"] @ xs[step])
            logits = out.c_out + used["V"] @ h
        return np.log(np.exp(logits).sum()) - logits[targets[t]]

    items = dogs_items(parameter)[2]
    for k, t, i, j in np.ndindex(items.shape):
        small = np.zeros(items.shape[2:])
        small[i, j] = 1e-5
        slope = (loss(small, k, t) - loss(-small, k, t)) / 2e-5
        assert abs(slope - items[k, t, i, j]) < 1e-9


def test_dogs_quoted_numbers():
    loss, _ = dogs_loss(dogs_network(0), tasks.dogs())
    norms = sizes(dogs_items("W")[2])
    assert f"{loss:.3f}" == "4.783"
    np.testing.assert_array_equal(np.round(norms, 3), [[0, 0, 0], [0, 0.506, 0.159], [0, 0, 0.235]])
    assert not norms[0].any() and not norms[:, 0].any()  # h_0 = 0: L_1 cannot move W
    assert sizes(dogs_items("U")[2])[0].all()  # but U it can


def test_dogs_future_and_the_output_layer():
    assert not any(np.tril(sizes(dogs_items(name)[2]), -1).any() for name in "WUV")
    norms = sizes(dogs_items("V")[2])
    assert np.diag(norms).all() and not (norms - np.diag(np.diag(norms))).any()


def test_dogs_sentences_and_numbers():
    figure = figure_of(itemised_dogs)
    text, pieces = figure.frame({})
    assert text == ("L₃ through step 2: dL₃/da₂ times h₁, size 0.159; "
                    "through its own step 3 it sends 0.235.")
    for number in ("−0.094", "−0.411", "−0.501", "−0.772", "0.122"):  # item, rest, sum, h, da
        assert f">{number}<" in shown(pieces)
    assert "below 10⁻¹⁵" in shown(pieces)
    assert "no way back" in figure.frame({"parameter": "V", "t": 3, "k": 2})[0]
    assert "h₀ = 0: this item is zero" in figure.frame({"k": 1})[0]
    text, pieces = figure.frame({"parameter": "U", "t": 3, "k": 1})
    assert text.endswith("Only the column of d, the letter read.") and "x₁ = d" in shown(pieces)
    for t, k in ((1, 2), (1, 3), (2, 3)):
        text, _ = figure.frame({"parameter": "W", "t": t, "k": k})
        assert f"before step {k} began" in text and text.endswith("this item is zero.")


def test_dogs_frame_and_strength_mark_the_chosen_item():
    figure = figure_of(itemised_dogs)
    figure.frame({"parameter": "W", "t": 2, "k": 3})
    artists = figure.scene.artists
    x, y = artists["frame"].get_xy()
    tile = artists["tiles"][3 * 2 + 1].get_bbox()
    assert x < tile.x0 < tile.x1 < x + 50 and y < tile.y0 < tile.y1 < y + 42
    alphas = np.array([tile.get_alpha() for tile in artists["tiles"]]).reshape(3, 3)
    norms = sizes(dogs_items("W")[2])
    np.testing.assert_allclose(alphas / alphas.max(), norms / norms.max(), atol=1e-3)
    assert artists["W"]["item"]["frame"].get_visible()
    assert not artists["V"]["item"]["frame"].get_visible()


def test_a_movable_matrix_hides_as_a_whole():
    def setup():
        fig, ax = blank_axes(100, 60)
        return fig, draw_matrix(ax, (1, 2), x=9, y=20, colour=style.H, label="h", movable=True)

    def update(artists, on):
        show_matrix(artists, on)
        return "shown" if on else "hidden"

    figure = live.LiveFigure(setup, update, title="m", controls={"on": live.Toggle("on")})
    assert shown(figure.frame({"on": False})[1]) == ""
    assert ">h<" in shown(figure.frame({"on": True})[1])
    fixed = draw_matrix(blank_axes(100, 60)[1], (1, 2), x=9, y=20, colour=style.H)
    assert set(fixed) == {"cells", "numbers"}


# --- three cells --------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", (12, 60))
@pytest.mark.parametrize("name", CELLS)
def test_items_add_up_to_dw(name, steps):
    rng = np.random.default_rng(steps)
    cell, out = CELLS[name].init(5, 8, rng=rng), OutputLayer.init(8, 5, rng=rng)
    trace = forward(cell, rng.normal(size=(steps, 1, 5)), rng.normal(size=np.shape(
        forward(cell, np.zeros((1, 1, 5))).state)))  # a first state that is not zero
    targets = rng.integers(5, size=(steps, 1))
    _, dlogits = losses.softmax_cross_entropy(out.logits(trace.h), targets)
    dhs, _ = out.backward(trace.h, dlogits)
    items = contributions(cell, trace, dhs)
    dW = backward(cell, trace, dhs)[1].W
    assert items.shape == (steps, steps, *dW.shape)
    assert np.abs(items.sum((0, 1)) - dW).max() < 1e-12
    for t in (0, steps // 2):  # and one column is the gradient of one loss
        alone = np.where(np.arange(steps)[:, None, None] == t, dhs, 0)
        expected = backward(cell, trace, alone)[1].W
        assert np.abs(items[:, t].sum(0) - expected).max() < 1e-13


def test_contributions_of_an_unknown_cell():
    cell = JordanCell.init(2, 3, 2, rng=0)
    with pytest.raises(TypeError, match="cell: expected one of RNNCell, LSTMCell, GRUCell, got J"):
        contributions(cell, forward(cell, np.zeros((2, 1, 2))), np.zeros((2, 1, 2)))


def test_shares_add_up_and_can_pull_the_other_way():
    items = np.zeros((2, 2, 1, 2))
    items[0, 0], items[0, 1], items[1, 1] = [[3, 0]], [[-1, 1]], [[0, -1]]
    np.testing.assert_allclose(shares(items), [[1.5, -0.5], [0, 0]])
    for name in CELLS:
        assert abs(measured(name)[1].sum() - 1) < 1e-12


def test_the_word_is_read_as_said():
    assert len(WORD) == 13 and STEPS == 12
    for name, kind in CELLS.items():
        cell, _, trace, dhs = reading(name)
        assert type(cell) is kind and trace.x.shape == (12, 1, 10) and dhs.shape == (12, 1, 16)
        letters = sorted(set(WORD))
        assert "".join(letters[i] for i in trace.x[:, 0].argmax(-1)) == WORD[:-1]


def test_quoted_widths_of_the_band():
    assert [reach(name, 12) for name in CELLS] == [4, 8, 5]
    own = [np.trace(measured(name)[1]) for name in CELLS]
    np.testing.assert_array_equal(np.round(own, 2), [0.55, 0.35, 0.55])
    assert reach("RNN", 3) is None


@pytest.mark.parametrize("name", CELLS)
def test_profiles_start_at_one_and_are_those_of_the_map(name):
    norms = measured(name)[0]
    assert not norms[0].any() and not np.tril(norms, -1).any()
    for at in range(2, STEPS + 1):
        back, ahead = column(name, at), row(name, at)
        assert back[0] == ahead[0] == 1 and len(back) == at - 1 and len(ahead) == STEPS + 1 - at
        np.testing.assert_allclose(back[-1], norms[1, at - 1] / norms[at - 1, at - 1])
        np.testing.assert_allclose(ahead[-1], norms[at - 1, -1] / norms[at - 1, at - 1])
    assert len(column(name, 1)) == len(row(name, 1)) == 0


def test_strength_is_the_logarithm_of_size():
    told = strength(np.array([1, 0.1, 0.01, 1e-9, 0]))
    np.testing.assert_allclose(told, [1, 0.5, 0.04, 0.04, 0.04])


def test_spread_and_percent():
    np.testing.assert_allclose(spread([0, 1, 2], 0.4), [0, 1, 2])
    assert (np.diff(spread([0, 0, 0.1], 0.4)) > 0.39).all()
    assert [percent(s) for s in (0, 0.029, -0.0022, 0.0006)] == ["0%", "2.9%", "−0.22%", "0.06%"]


def test_itemised_says_what_it_shows():
    figure = figure_of(itemised)
    text, pieces = figure.frame({})
    assert text == (
        "L₁₂ through step 8: ‖item‖ is 0.087 (RNN), 0.26 (LSTM), 0.11 (GRU) of that of its own "
        "step. Steps back until ‖item‖ is below 1/10: 4 (RNN), 8 (LSTM), 5 (GRU).")
    assert all(f">{share} of dW<" in shown(pieces) for share in ("0.06%", "2.9%", "−0.22%"))
    artists = figure.scene.artists
    line = artists["panels"]["column"]["lines"]["LSTM"]
    np.testing.assert_array_equal(line.get_ydata(), column("LSTM", 12))
    np.testing.assert_array_equal(artists["panels"]["row"]["lines"]["GRU"].get_ydata(),
                                  row("GRU", 8))
    assert artists["panels"]["row"]["now"].get_xdata()[0] == 4


def test_itemised_in_states_without_an_item():
    figure = figure_of(itemised)
    text, pieces = figure.frame({"t": 4, "k": 9})
    assert text == "Step 9 comes after L₄: it sends nothing there, in any cell."
    assert shown(pieces).count(">0% of dW<") == 3
    assert figure.frame({"t": 3, "k": 1})[0].startswith("At step 1 W met h₀ = 0")
    assert "W met h₀ = 0" in shown(figure.frame({"t": 1, "k": 1})[1])
    assert "its only item" in figure.frame({"t": 2, "k": 2})[0]
    assert figure.frame({"t": 4, "k": 3})[0].endswith("fall below 1/10 of that.")


def test_names_of_the_lines_stay_apart_and_below_the_title():
    figure = figure_of(itemised)
    for t in range(2, STEPS + 1):
        figure.frame({"t": t, "k": 12})
        heights = [label.get_position()[1]
                   for label in figure.scene.artists["panels"]["column"]["labels"]]
        assert np.diff(np.sort(np.log10(heights))).min() > 0.35 and max(heights) < 1.3


@pytest.mark.parametrize("name", CELLS)
def test_the_chosen_tile_lies_where_row_and_column_cross(name):
    figure = figure_of(itemised)
    figure.frame({"t": 5, "k": 3})
    parts = figure.scene.artists["maps"][name]
    assert parts["frame"].get_x() == parts["column"].get_x()
    assert parts["frame"].get_y() == parts["row"].get_y()
    left = {"RNN": 46, "LSTM": 186, "GRU": 326}[name]
    assert parts["frame"].get_xy() == (left + 4 * 10.5, 32 + 2 * 10.5)
