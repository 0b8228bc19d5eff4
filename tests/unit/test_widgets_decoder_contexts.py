"""How a decoder is told what was read: the steps drawn are powers of a weight in real networks."""

import dataclasses
import gzip
import importlib
from itertools import pairwise, product

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.path import Path

from rnnlib import RNNCell, seq2seq, style
from rnnlib.decoder import Decoder
from rnnlib.plots.numerals import subscript
from rnnlib.seq2seq import EncoderDecoder

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.decoder_contexts")

S, K, H = module.S, 5, 3
STATES = list(product(module.WAYS, range(1, S + 1), (False, True)))
#: way -> context and attention of a `Decoder`
SETTINGS = {module.STATE: ("state", None), module.INPUT: ("input", None),
            module.LOOK: ("state", "dot")}


@pytest.fixture(scope="module")
def figure():
    return module.decoder_contexts()


def network(way, eps):
    """A linear encoder-decoder in which every step between states multiplies by eps."""
    context, attention = SETTINGS[way]
    cell = RNNCell.init(K, H, activation="identity", rng=1)
    encoder = dataclasses.replace(cell, W=eps * np.eye(H))
    made = Decoder.init(H, K, cell=RNNCell, context=context, attention=attention, rng=2)
    U, V = made.cell.U.copy(), made.out.V.copy()
    U[:, K:] *= eps                                     # the vector goes into a state
    V[:, H:] *= eps                                     # a state goes into the context
    decoder = dataclasses.replace(
        made, out=dataclasses.replace(made.out, V=V),
        cell=RNNCell(U, eps * np.eye(H), made.cell.b, "identity"))
    return EncoderDecoder(encoder, decoder)


def gradients(way, t, eps=0.3):
    """What output t asks of everything: the record of gradients."""
    model, rng = network(way, eps), np.random.default_rng(0)
    trace = seq2seq.forward(model, rng.normal(size=(S, 1, K)), rng.normal(size=(S, 1, K)))
    dlogits = np.zeros((S, 1, K))
    dlogits[t - 1] = rng.normal(size=(1, K))
    return seq2seq.backward(model, trace, dlogits)[0]


def test_every_state_draws_and_fits_the_page(figure):
    assert figure.drive() > len(figure.presets) >= 2
    assert len(gzip.compress(figure.bake().encode())) < 15_000
    assert figure.scene.smallest_text() >= 9


@pytest.mark.parametrize(("way", "t", "from_end"), STATES)
def test_so_many_steps_so_many_factors_in_the_gradient(way, t, from_end):
    """dL/dx_s falls with the power of eps that is the number of steps from h_s to output t."""
    s = module.place(t, from_end)
    large, small = (np.linalg.norm(gradients(way, t, eps).x[s - 1]) for eps in (1e-3, 1e-4))
    assert np.log10(large / small) == pytest.approx(module.hops(way, t, from_end), abs=0.02)


@pytest.mark.parametrize(("way", "t"), list(product(module.WAYS, range(1, S + 1))))
def test_an_output_depends_on_what_its_gradient_reaches(way, t):
    dtrace, cone = gradients(way, t), module.cone(way, t)
    found = {"x": dtrace.x, "h": dtrace.encoder.h, "y": dtrace.decoder.x[..., :K],
             "d": dtrace.decoder.rnn.h, "o": dtrace.logits}
    for kind, values in found.items():
        reached = [u for u, one in enumerate(values, 1) if np.abs(one).max() > 0]
        assert reached == sorted(u for k, u in cone if k == kind), kind
    assert {u for k, u in cone if k == "c"} == ({t} if way == module.LOOK else set())


@pytest.mark.parametrize(("way", "t", "from_end"), STATES)
def test_what_is_lit_written_and_said_is_the_same(figure, way, t, from_end):
    text, _ = figure.frame({"way": way, "t": t, "from_end": from_end})
    artists, letter = figure.scene.artists, module.WORD[t - 1]
    count, s = module.hops(way, t, from_end), module.place(t, from_end)
    counts = [module.hops(way, u, from_end) for u in range(1, S + 1)]
    assert [int(one.get_text()) for one in artists["steps"]] == counts
    assert [one.get_weight() == "bold" for one in artists["steps"]] == [
        u == t for u in range(1, S + 1)]
    steps = f"{count} step{'s' * (count > 1)}"
    assert artists["told"].get_text() == f"From “{letter}” read to “{letter}” written: {steps}"
    assert f"“{letter}” takes {steps}" in text and f"read into h{subscript(s)}" in text
    assert (", ".join(map(str, counts)) in text) == (way != module.LOOK)
    labels = [one for one in artists["graph"]["labels"] if one.get_visible()]
    lit = [one.get_text() for one in labels if one.get_color() == style.PAPER]
    path = module.path(way, t, from_end)
    assert sorted(lit) == sorted(module._label(node, from_end) for node in path)
    assert lit.count(letter) == 2                       # in the source, and as output
    assert all(pair in module.edges(way) for pair in pairwise(path))


@pytest.mark.parametrize(("way", "t", "from_end"), STATES)
def test_arrows_are_lit_along_the_path_and_pale_where_output_t_is_not_reached(
        figure, way, t, from_end):
    figure.frame({"way": way, "t": t, "from_end": from_end})
    drawn = dict.fromkeys(("lit", "dim", "later"), 0)
    for (look, _), layer in figure.scene.artists["graph"]["arrows"].items():
        codes = layer.get_path().codes
        drawn[look] += 0 if codes is None else int((codes == Path.MOVETO).sum())
    cone, path = module.cone(way, t), set(pairwise(module.path(way, t, from_end)))
    pairs = [pair for pair in module.edges(way) if all(k != "c" or u == t for k, u in pair)]
    within = [pair for pair in pairs if cone.issuperset(pair)]
    assert drawn == {"lit": len(path), "dim": len(within) - len(path),
                     "later": len(pairs) - len(within)}


def test_source_and_outputs_spell_the_word(figure):
    for from_end, source in ((False, "dogs"), (True, "sgod")):
        figure.frame({"from_end": from_end, "way": module.STATE, "t": 1})
        labels = [one for one in figure.scene.artists["graph"]["labels"] if one.get_visible()]
        by_place = sorted((*one.get_position(), one.get_text()) for one in labels)
        bottom = "".join(text for _, y, text in by_place if y == module.ROWS["x"])
        assert bottom == source + "·dog"
        assert "".join(text for _, y, text in by_place if y == module.ROWS["o"]) == "dogs"


def test_no_two_nodes_meet_and_all_are_on_the_page(figure):
    for way, t in product(module.WAYS, range(1, S + 1)):
        figure.frame({"way": way, "t": t})
        drawn = [one for one in figure.scene.artists["graph"]["labels"] if one.get_visible()]
        places = np.array([one.get_position() for one in drawn])
        apart = np.linalg.norm(places[:, None] - places, axis=-1) + 99 * np.eye(len(places))
        assert apart.min() > 26 and places.min() > 12 and places[:, 0].max() < module.WIDTH - 12
        names = {one.get_text() for one in drawn}
        assert (f"κ{subscript(t)}" in names) == (way == module.LOOK)


def test_the_key_names_the_two_colours_of_the_arrows(figure):
    """Black: from a state of the encoder to the vector or to a context; all others are pink."""
    (ax,) = figure.scene.figure.axes
    arrows = [one for one in ax.texts if getattr(one, "arrow_patch", None)]
    words = {"times a matrix": style.THETA, "no matrix: copied or averaged": style.INK}
    for word, colour in words.items():
        (label,) = [one for one in ax.texts if one.get_text() == word]
        x, y = label.get_position()
        (arrow,) = [one for one in arrows if one.xy[1] == y and 0 < x - one.xy[0] < 10]
        assert arrow.arrow_patch.get_edgecolor()[:3] == to_rgb(colour)
    for way in module.WAYS:
        copies = {edge for edge in module.edges(way) if module._arrow(edge, "lit").copy}
        wanted = {(("h", S), ("C", 0))}
        if way == module.LOOK:
            wanted |= {(("h", s), ("c", t)) for s in range(1, S + 1) for t in range(1, S + 1)}
        assert copies == wanted
        for copy, colour in ((True, style.INK), (False, style.THETA)):
            layer = figure.scene.artists["graph"]["arrows"]["lit", copy]
            assert layer.get_edgecolor()[:3] == to_rgb(colour)


def test_presets_keep_their_promises(figure):
    found = {name: module.hops(values["way"], values["t"], values["from_end"])
             for name, values in figure.presets.items()}
    opening = figure.opening
    assert module.hops(opening["way"], opening["t"], opening["from_end"]) == 1
    far = [module.hops(module.STATE, t, False) for t in range(1, S + 1)]
    name = "Attention: one step for every letter"
    assert figure.presets[name]["way"] == module.LOOK and figure.presets[name] != opening
    assert [module.hops(module.LOOK, t, end) for t in range(1, S + 1) for end in (False, True)] == \
        [1] * 2 * S
    assert found[name] == 1
    assert far == [S] * S and found["A vector: far for every letter"] == S
    turned = [module.hops(module.STATE, t, True) for t in range(1, S + 1)]
    assert turned == [1, 3, 5, 7] and np.mean(turned) == np.mean(far)
    assert found["From its end: the first letter is near"] == min(turned) == 1
    assert found["From its end: the last letter is far"] == max(turned) > S
    assert found["A vector at every step"] < S
    assert [module.hops(module.INPUT, t, False) for t in range(1, S + 1)] == [4, 3, 2, 1]
