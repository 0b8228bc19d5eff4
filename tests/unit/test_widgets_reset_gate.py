"""Chapter 6's two forms of the reset gate: against both cells, where they agree, drawing."""

import gzip
import importlib
from itertools import product

import numpy as np
import pytest

from rnnlib import GRUCell, forward, style
from rnnlib.gru import PaperGRUCell
from rnnlib.plots.matrices import signed
from rnnlib.widgets.reset_gate import H_PREV, LIMIT, REACH, coupled, gates, products

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.reset_gate")
TENTHS = [round(0.1 * i, 1) for i in range(11)]
STATES = list(product(TENTHS, TENTHS))


@pytest.fixture(scope="module")
def figure():
    return module.reset_gate()


def shown(figure, **values):
    text, _ = figure.frame(values)
    return text, figure.scene.artists


def cells(r, W_n, b_n=(0, 0)):
    """Both forms, with these reset gates at every step, whatever x and h; z and U are zero."""
    W, b = np.zeros((6, 2)), np.zeros(6)
    W[4:] = W_n
    with np.errstate(divide="ignore"):
        b[:2] = np.clip(np.log(r / (1 - r)), -40, 40)               # sigmoid(±40) is 0 or 1
    U = np.zeros((6, 1))
    return {"paper": PaperGRUCell(U, W, b), "torch": GRUCell(U, W, b, np.array(b_n, float))}


def step(cell):
    return forward(cell, np.zeros((1, 1, 1)), H_PREV[None])


@pytest.mark.parametrize(("d", "w"), [(0.8, 1), (0.3, 0.7), (1, 1), (0, 1), (0.8, 0), (0, 0)])
def test_what_is_seen_is_what_the_two_cells_compute(d, w):
    both = products(d, w)
    for name, cell in cells(gates(d), coupled(w)).items():
        trace = step(cell)
        np.testing.assert_allclose(trace.r[0, 0], gates(d), atol=1e-15)
        np.testing.assert_allclose(trace.s[0, 0], both[name][0], atol=1e-15)
        np.testing.assert_allclose(trace.a_n[0, 0], both[name][1], atol=1e-15)
        np.testing.assert_allclose(trace.n[0, 0], np.tanh(both[name][1]), atol=1e-15)


def test_the_cells_agree_where_all_gates_are_equal_or_w_is_diagonal_and_nowhere_else():
    for d, w in STATES:
        paper, torch = (step(cell).n for cell in cells(gates(d), coupled(w)).values())
        if d == 0 or w == 0:
            np.testing.assert_allclose(paper, torch, atol=1e-15)
        else:
            assert np.abs(paper - torch).max() > 1e-3


def test_the_second_bias_parts_them_even_then():
    """torch puts b_n inside the gate; where it is not zero, equal gates do not help."""
    paper, torch = (step(cell).n for cell in cells(gates(0), coupled(1), b_n=(0.5, 0)).values())
    assert np.abs(paper - torch).max() > 0.05


@pytest.mark.parametrize(("d", "w"), [(0.8, 1), (0.3, 0.7), (1, 0.2)])
def test_the_difference_is_that_of_the_docstring(d, w):
    both, r, W = products(d, w), gates(d), coupled(w)
    difference = both["paper"][1] - both["torch"][1]
    rows = [sum(W[i, j] * (r[j] - r[i]) * H_PREV[j] for j in (0, 1)) for i in (0, 1)]
    np.testing.assert_allclose(difference, rows, atol=1e-15)
    assert np.linalg.norm(difference) == pytest.approx(w * d * np.linalg.norm(H_PREV))


def test_presets_keep_their_promises(figure):
    distance = {}
    for name, values in figure.presets.items():
        (_, paper), (_, torch) = products(**values).values()
        distance[name] = np.linalg.norm(paper - torch)
        _, artists = shown(figure, **values)
        assert artists["head"].get_text().startswith("The same") == ("the same" in name)
    assert distance["Equal gates: the same"] == 0 == distance["Uncoupled units: the same"]
    furthest = distance["One open, one shut: furthest apart"]
    assert gates(figure.presets["One open, one shut: furthest apart"]["d"]).tolist() == [1, 0]
    all_of_them = [np.subtract(*[v[1] for v in products(*state).values()]) for state in STATES]
    assert furthest == max(np.linalg.norm(v) for v in all_of_them)


def test_it_opens_where_they_differ_clearly(figure):
    assert shown(figure)[1]["head"].get_text() == "Not the same: 0.87 apart"


def test_every_state_shows_and_says_its_numbers(figure):
    artists = figure.scene.artists
    for d, w in STATES:
        text = module._update(artists, d, w)
        both = products(d, w)
        given = {"h": H_PREV, "r": gates(d), "Wₙ": coupled(w).ravel()}
        for name, values in given.items():
            assert written(artists[name]) == [signed(v) for v in values]
        for order, vectors in both.items():
            for matrix, vector in zip(artists[order], vectors, strict=True):
                assert written(matrix) == [signed(v) for v in vector]
                assert np.abs(vector).max() <= LIMIT
            assert f"({signed(vectors[1][0])}, {signed(vectors[1][1])})" in text
        apart = np.linalg.norm(both["paper"][1] - both["torch"][1])
        same = d == 0 or w == 0
        assert artists["head"].get_text() == (
            "The same" if same else f"Not the same: {apart:.2f} apart"
        )
        assert ("in both forms" in text) == same and (f"{apart:.2f} apart" in text) != same
        assert f"r = ({0.5 + d / 2:.2f}, {0.5 - d / 2:.2f})" in text


def written(matrix):
    return [number.get_text() for number in matrix["numbers"]]


def test_arrows_end_at_their_vectors_inside_the_plane(figure):
    artists = figure.scene.artists
    for d, w in STATES:
        module._update(artists, d, w)
        tips = {order: vectors[1] for order, vectors in products(d, w).items()}
        for order, tip in tips.items():
            start, end = artists["arrows"][order]._posA_posB
            assert start == (0, 0) and np.allclose(end, tip, atol=5e-4)
            assert all(low < v < high for v, (low, high) in zip(tip, REACH, strict=True))
        np.testing.assert_allclose(np.transpose(artists["apart"].get_data()), list(tips.values()),
                                   atol=5e-4)
        names = {label.get_text() for label in artists["labels"].values()}
        assert names == ({"both", ""} if d == 0 or w == 0 else {"paper", "torch"})
        if names == {"paper", "torch"}:
            assert all(artists["labels"][order].get_text() == order for order in tips)


def test_the_figure_survives_every_probe_and_is_light(figure):
    assert figure.states == 121
    assert figure.drive() >= 2 + len(figure.presets)
    assert figure.scene.smallest_text() >= 9
    assert len(gzip.compress(figure.bake().encode())) < 40_000
    artists = figure.scene.artists
    assert artists["r"]["cells"][0].get_facecolor()[:3] == pytest.approx(rgb(style.LOOK))
    assert artists["arrows"]["paper"].get_edgecolor()[:3] == pytest.approx(rgb(style.CANDIDATE))


def rgb(colour):
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
