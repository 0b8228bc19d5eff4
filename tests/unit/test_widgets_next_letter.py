"""Is this c soft: drawn and said is what the recorded networks give, forward and backward."""

import gzip
import importlib
from itertools import product

import numpy as np
import pytest

from rnnlib import Bidirectional, budget, datasets, forward, style
from rnnlib.causality import leaks
from rnnlib.functions import softmax
from rnnlib.reading import TAG_PARAMETERS
from rnnlib.tasks.spelling import soft_c, tagging, words
from rnnlib.widgets.next_letter_networks import BOTH, READERS, WORDS, network, seen

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.next_letter")

STATES = list(product(READERS, WORDS, module.PLACES))


@pytest.fixture(scope="module")
def figure():
    return module.next_letter()


def logits(reader, xs):
    """(T, B, 2), computed anew."""
    cell, out = network(reader)
    return out.logits(forward(cell, xs).h)


def test_every_state_draws_and_fits_the_page(figure):
    assert figure.drive() > len(figure.presets) >= 2
    assert len(gzip.compress(figure.bake().encode())) < 20_000
    assert figure.scene.smallest_text() >= 9


def test_every_word_has_two_c_one_soft_one_hard_and_was_not_trained_on():
    for word in WORDS:
        assert sorted(soft_c(word).values()) == [0, 1] and len(word) < module.MOST
    known = [word for word in words(datasets.text()) if soft_c(word)]
    assert {"accident", "concert", "practice"} < set(known)     # left out by the experiment


@pytest.mark.parametrize("reader", READERS)
def test_the_networks_read_as_their_names_say_and_are_of_one_size(reader):
    cell, out = network(reader)
    assert isinstance(cell, Bidirectional) == (reader == BOTH)
    assert abs(budget.parameters((cell, out)) - TAG_PARAMETERS) <= 25
    xs = tagging(["circus"], soft_c).xs
    assert bool(leaks(lambda xs: logits(reader, xs), xs)) == (reader == BOTH)


@pytest.mark.parametrize(("reader", "word", "place"), STATES)
def test_answer_and_influence_are_those_computed_anew(reader, word, place):
    t, delay = module.place_of(word, place), READERS[reader]
    assert word[t] == "c" and word[:t].count("c") == module.PLACES.index(place)
    xs = tagging([word], soft_c, delay=delay).xs
    soft = softmax(logits(reader, xs))[t + delay, 0, 1]
    said, sure, right = module.answer(reader, word, t)
    assert said == ("soft" if soft > 0.5 else "hard") and sure == pytest.approx(max(soft, 1 - soft))
    assert right == (said == ("soft" if word[t + 1] in "eiy" else "hard"))

    def odds(xs):
        return np.subtract(*logits(reader, xs)[t + delay, 0, ::-1])

    slopes = np.zeros_like(xs)
    for place_ in np.ndindex(xs.shape):
        step = np.zeros_like(xs)
        step[place_] = 1e-5
        slopes[place_] = (odds(xs + step) - odds(xs - step)) / 2e-5
    norms = np.sqrt((slopes**2).sum(axis=(1, 2)))
    np.testing.assert_allclose(seen(reader, word, t)[2], norms, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(module.shares(reader, word, t), norms / norms.sum(), atol=1e-7)


@pytest.mark.parametrize(("reader", "word", "place"), STATES)
def test_what_is_drawn_is_said(figure, reader, word, place):
    text, _ = figure.frame({"reader": reader, "word": word, "place": place})
    artists, t = figure.scene.artists, module.place_of(word, place)
    share, (said, _, right) = module.shares(reader, word, t), module.answer(reader, word, t)
    heights = [bar.get_height() for bar in artists["bars"]]
    np.testing.assert_allclose(heights[: len(share)], module.TALL * share, atol=0.051)
    assert not any(heights[len(share) :])
    for k, shown in enumerate(artists["shares"]):
        wanted = f"{100 * share[k]:.0f}%" if k < len(share) and share[k] >= 0.005 else ""
        assert shown.get_text() == wanted
    assert "".join(x.get_text() for x in artists["letters"]) == word + "·" * READERS[reader]
    verdict = "right" if right else "wrong"
    assert f"{said}, " in text and f"and {verdict}. By the rule the “{word[t + 1]}”" in text
    assert artists["told"].get_text() == f"{word}, {place[4:-2]} c: it says {said}, {verdict}"
    says = {k: x.get_text() for k, x in enumerate(artists["says"]) if x.get_text()}
    assert says.keys() == soft_c(word).keys()
    assert all(("✓" in says[k]) == module.answer(reader, word, k)[2] for k in says)
    assert says[t].startswith(said)
    assert ("no influence" in text) == (reader == module.ONE) == (not share[t + 1 :].any())
    if reader != module.ONE:
        others = np.delete(share, t + 1)
        assert f"It has {100 * share[t + 1]:.0f}% of the influence; next is " in text
        assert f", {100 * others.max():.0f}%." in text
    assert [x.get_text() for x in artists["under"]].count("blank") == READERS[reader]


@pytest.mark.parametrize("reader", READERS)
def test_the_states_are_drawn_and_framed_where_the_answer_is_read(figure, reader):
    word, place = "accident", module.PLACES[1]
    figure.frame({"reader": reader, "word": word, "place": place})
    artists, delay = figure.scene.artists, READERS[reader]
    trace = forward(network(reader)[0], tagging([word], soft_c, delay=delay).xs)
    parts = {"h→": trace.h_ahead, "h←": trace.h_back} if reader == BOTH else {"h→": trace.h}
    for name in ("h→", "h←"):
        image, frame = artists[name], artists["read " + name]
        assert image.get_visible() == frame.get_visible() == (name in parts)
        if name in parts:
            drawn = np.asarray(image.get_array())
            level = np.round((parts[name][:, 0].T + 1) / 2 * module.LEVELS)
            np.testing.assert_array_equal(drawn[..., 3], 17 * level)
            assert (drawn[..., :3] == [int(style.H[i : i + 2], 16) for i in (1, 3, 5)]).all()
            height = np.ptp(image.get_extent()[2:])
            assert frame.get_y() == image.get_extent()[2] and frame.get_height() == height
            assert 7 < height / len(drawn) < 8.5, "a unit is as high in all networks, about"
            left = module.LEFT + module.COLUMN * (2 + delay)
            assert frame.get_x() == left
            assert image.get_extent()[:2] == [
                module.LEFT, module.LEFT + module.COLUMN * (len(word) + delay)]


def test_presets_and_opening_keep_their_promises(figure):
    def told(values):
        t = module.place_of(values["word"], values["place"])
        share = module.shares(values["reader"], values["word"], t)
        return module.answer(values["reader"], values["word"], t), share, t

    (said, sure, right), share, t = told(figure.opening)
    assert said == "hard" and not right and sure > 0.9 and share[: t + 1].sum() == 1
    values = figure.presets["Both directions: it has seen the i"]
    (_, _, right), share, t = told(values)
    assert right and values["word"][t + 1] == "i" and share[t + 1] == share.max() > 0.3
    (_, _, right), share, t = told(figure.presets["One letter late: enough here"])
    assert right and share[t + 1] > 0.5
    values = figure.presets["Late, and wrong: a y is rare"]
    (_, _, right), _, t = told(values)
    assert not right and values["word"][t + 1] == "y" and values["reader"] == module.LATE
    known = [word for word in words(datasets.text())
             if soft_c(word) and not any(one in word for one in WORDS)]
    followers = [word[k + 1 : k + 2] for word in known for k in soft_c(word)]
    assert followers.count("y") == 2 and followers.count("e") > 30 * followers.count("y")


def test_both_directions_are_right_about_every_c_and_one_is_not():
    right = {reader: [module.answer(reader, word, t)[2] for word in WORDS for t in soft_c(word)]
             for reader in READERS}
    assert all(right[BOTH]) and sum(right[module.LATE]) == 11 and sum(right[module.ONE]) < 8
