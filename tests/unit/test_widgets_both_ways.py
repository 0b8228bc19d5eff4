"""What an output can see: what is lit is what the leak detector finds in real networks."""

import gzip
import importlib
from itertools import product

import numpy as np
import pytest

from rnnlib import Bidirectional, RNNCell, forward, style
from rnnlib.causality import influence
from rnnlib.plots.numerals import subscript

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.both_ways")

T = module.STEPS
STATES = list(product(module.READERS, range(1, T + 1)))


@pytest.fixture(scope="module")
def figure():
    return module.both_ways()


def reader_of(name):
    """A real network that reads as `name` says, as a function of xs (T, B, D)."""
    delay = module.READERS[name]
    cell = RNNCell.init(2, 3)
    if name == module.BOTH:
        cell = Bidirectional(cell, RNNCell.init(2, 3, rng=1))

    def model(xs):
        blank = np.zeros((delay, *xs.shape[1:]))
        return forward(cell, np.concatenate([xs, blank])).h[delay:]

    return model


def test_every_state_draws_and_fits_the_page(figure):
    assert figure.drive() > len(figure.presets) >= 2
    assert len(gzip.compress(figure.bake().encode())) < 15_000
    assert figure.scene.smallest_text() >= 9


@pytest.mark.parametrize("reader", module.READERS)
def test_the_inputs_seen_are_those_that_move_the_output_of_a_network(reader):
    moved = influence(reader_of(reader), np.random.default_rng(0).normal(size=(T, 2, 2)))
    for t in range(1, T + 1):
        assert module.inputs_seen(reader, t) == (np.flatnonzero(moved[:, t - 1]) + 1).tolist()


@pytest.mark.parametrize(("reader", "t"), STATES)
def test_what_is_lit_written_and_said_is_the_same(figure, reader, t):
    text, _ = figure.frame({"reader": reader, "t": t})
    artists, seen = figure.scene.artists, module.inputs_seen(reader, t)
    lit = [label.get_text() for label in artists["graph"]["labels"]
           if label.get_visible() and label.get_color() == style.PAPER]
    assert sorted(name for name in lit if name[0] == "x") == [f"x{subscript(k)}" for k in seen]
    assert [name for name in lit if name[0] == "ŷ"] == [f"ŷ{subscript(t)}"]
    marks = [mark.get_text() == "seen" for mark in artists["marks"]]
    assert [k for k, on in enumerate(marks, 1) if on] == seen
    given = t + module.READERS[reader]
    when = f", given at step {given}," if given > t else ""
    assert artists["told"].get_text() == f"ŷ{subscript(t)}{when} sees {len(seen)} of {T} inputs"
    assert (f"given at step {given}, from h{subscript(given)}" in text) == (given > t)
    if reader == module.BOTH:
        assert f"depends on all {T} inputs" in text and len(seen) == T
    else:
        assert f"{len(seen)} of {T} inputs" in text
        assert ("cannot know" in text) == (len(seen) < T)
        assert seen == list(range(1, min(t + module.READERS[reader], T) + 1))


@pytest.mark.parametrize(("reader", "t"), STATES)
def test_the_band_frames_the_output_asked_for_and_no_other(figure, reader, t):
    figure.frame({"reader": reader, "t": t})
    artists = figure.scene.artists
    left, width = artists["column"].get_x(), artists["column"].get_width()
    within = [label.get_text() for label in artists["graph"]["labels"]
              if label.get_visible() and left < label.get_position()[0] < left + width]
    assert [name for name in within if name[0] == "ŷ"] == [f"ŷ{subscript(t)}"]
    assert f"h{subscript(t + module.READERS[reader])}" in within
    assert left + width <= module.WIDTH


def test_every_node_is_drawn_once_and_no_two_of_them_meet(figure):
    for reader in module.READERS:
        nodes = {node for edge in module.edges(reader) for node in edge}
        figure.frame({"reader": reader, "t": 2})
        drawn = [x for x in figure.scene.artists["graph"]["labels"] if x.get_visible()]
        places = np.array([text.get_position() for text in drawn])
        assert len(drawn) == len(nodes)
        apart = np.linalg.norm(places[:, None] - places, axis=-1) + 99 * np.eye(len(places))
        assert apart.min() > 26 and places.min() > 12 and places[:, 0].max() < module.WIDTH - 12


def test_states_hand_on_towards_the_end_and_from_the_end():
    for reader, delay in module.READERS.items():
        for (kind, t), (to, s) in module.edges(reader):
            if (kind, to) == ("h→", "h→"):
                assert s == t + 1
            elif (kind, to) == ("h←", "h←"):
                assert s == t - 1
            elif (kind, to) == ("h→", "ŷ"):
                assert s == t - delay
            else:
                assert s == t and (kind, to) in {("x", "h→"), ("x", "h←"), ("h←", "ŷ")}


def test_presets_keep_their_promises(figure):
    opening = figure.opening
    assert len(module.inputs_seen(opening["reader"], opening["t"])) < T
    seen = {name: module.inputs_seen(values["reader"], values["t"])
            for name, values in figure.presets.items()}
    assert len(seen["Both directions: every input"]) == T
    late = seen["Two steps late: two inputs more"]
    assert len(late) == len(module.inputs_seen(opening["reader"], opening["t"])) + 2
    assert len(seen["At the end nothing is missed"]) == T


def test_the_price_is_said(figure):
    assert "cannot be given before x₇ is read" in figure.frame({"t": 1, "reader": module.BOTH})[0]
    late = "one direction, answer 1 step late"
    assert "given at step 5, from h₅, 1 step after x₄" in figure.frame({"t": 4, "reader": late})[0]
