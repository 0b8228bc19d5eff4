"""The alignment map: what is drawn and said is what the stored networks compute."""

import datetime
import gzip
import importlib

import numpy as np
import pytest

from rnnlib import seq2seq, style
from rnnlib.functions import softmax
from rnnlib.widgets import date_translators as book

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.alignment")
LETTERS, STORED = book.stored()
FIRST = module.FIRST


@pytest.fixture(scope="module")
def figure():
    return module.alignment()


def shown(figure, date, step, updates):
    text, _ = figure.frame({"date": date, "step": step, "updates": updates})
    return text, figure.scene.artists


def computed(text, updates):
    """(symbols, probabilities, weights (T, S)), written out: one symbol, then all once more."""
    model = STORED[module.NETWORKS[updates]]
    xs = np.zeros((len(text), 1, len(LETTERS)), np.float32)
    for s, letter in enumerate(text):
        xs[s, 0, LETTERS.index(letter)] = 1
    said = [book.START]
    while len(said) <= book.STEPS and said[-1] != book.STOP:
        inputs = np.eye(len(book.SYMBOLS), dtype=np.float32)[said][:, None]
        trace = seq2seq.forward(model, xs, inputs)
        said.append(int(trace.logits[-1, 0].argmax()))
    keys, queries, layer = trace.encoder.h[:, 0], trace.decoder.rnn.h[:, 0], model.decoder.attention
    scores = np.tanh(queries[:, None] @ layer.W_q.T + keys[None] @ layer.W_k.T) @ layer.v
    return said[1:], softmax(trace.logits[:, 0]).max(-1), softmax(scores)


def boxes(patch):
    """(middle, foot, width, height) of each rectangle of a path."""
    corners = patch.get_path().vertices
    if len(corners) < 5:
        return []
    return [(one[:, 0][[0, 2]].mean(), one[0, 1], one[2, 0] - one[0, 0], one[1, 1] - one[0, 1])
            for one in corners.reshape(-1, 5, 2)]


# --- the networks and the dates ---------------------------------------------------------------


def test_the_dates_are_of_days_that_no_training_meets():
    assert 8 <= len(book.HELD_OUT) <= 12
    for text, day in book.HELD_OUT.items():
        assert datetime.date.fromisoformat(day).toordinal() % book.HIDDEN_DAY == 0
        assert module.refusal(text) is None
        assert len(set(book.HELD_OUT)) == len(book.HELD_OUT)


def test_there_is_a_network_for_every_moment_and_the_last_is_the_end_of_training():
    assert list(module.NETWORKS) == [*book.MOMENTS, 1000]
    assert set(module.NETWORKS.values()) < set(STORED)
    sizes = {model.encoder.input_size for model in STORED.values()}
    assert sizes == {len(LETTERS)}
    for name in ("none", "dot", "additive"):
        assert (STORED[name].decoder.attention is None) == (name == "none")


def test_symbols_and_texts_go_over_into_each_other():
    symbols = book.answers(["1999-12-31", "2000-01-01"])
    assert symbols.shape == (11, 2) and (symbols[-1] == book.STOP).all()
    assert [book.write(column) for column in symbols.T] == ["1999-12-31", "2000-01-01"]
    assert book.write(symbols[:4, 0]) == "1999" and book.write([book.STOP, 3]) == ""
    xs, lengths = book.encode(["2. 1.", "ě"], LETTERS)
    assert xs.shape == (5, 2, len(LETTERS)) and tuple(lengths) == (5, 1)
    assert (xs.argmax(-1)[:, 0] == [LETTERS.index(one) for one in "2. 1."]).all()
    assert not xs[1:, 1].any() and xs.sum() == 6


@pytest.mark.parametrize(("texts", "message"), [([""], "no empty one"), (["6/7"], "got '/'")])
def test_what_cannot_be_encoded_is_refused(texts, message):
    with pytest.raises(ValueError, match=f"^texts: expected .*{message}"):
        book.encode(texts, LETTERS)


@pytest.mark.parametrize(("text", "message"), [
    ("", "1 to 30 letters, got 0"),
    ("2" * 31, "1 to 30 letters, got 31"),
    ("1/2/2026", "dates it learned from, got '/'"),
    ("4 мая", "got"),
])
def test_a_text_that_cannot_be_read_is_refused(figure, text, message):
    assert message in module.refusal(text)
    with pytest.raises(ValueError, match="values: date: expected"):
        figure.frame({"date": text})


def test_a_text_of_the_readers_own_is_taken(figure):
    for text in ("4", "3 May 1999", " " * 30, "27 mars 2044"):
        said, artists = shown(figure, text, 10, 1000)
        assert artists["told"].get_text() == "a text of your own"
        assert "(right)" not in said and "wrong" not in said
        assert not any(one.get_visible() for one in artists["wrong"])
        assert artists["key"].get_text() == ""
        assert artists["head"].get_text() == book.write(computed(text, 1000)[0])


# --- what is drawn ----------------------------------------------------------------------------


@pytest.mark.parametrize("updates", list(module.NETWORKS))
@pytest.mark.parametrize(("date", "step"), [(FIRST, 10), (module.FINNISH, 6), ("26.07.1972", 1)])
def test_every_square_and_bar_is_a_weight(figure, date, step, updates):
    _, artists = shown(figure, date, step, updates)
    symbols, _, weights = computed(date, updates)
    column = min(module.SPAN // len(date), module.WIDEST)
    whole = 0.94 * min(column, module.PITCH)
    for row, patch in enumerate(artists["rows"]):
        found = np.zeros(len(date))
        for x, foot, width, height in boxes(patch):
            assert width == pytest.approx(height)
            assert foot + height / 2 == pytest.approx(module.LETTERS - 20 - module.PITCH
                                                      * (row + 0.5), abs=0.06)
            found[int((x - module.LEFT) / column)] = width
        if row >= min(step, len(symbols)):
            assert not found.any()
            continue
        np.testing.assert_allclose(found[found > 0], np.sqrt(weights[row][found > 0]) * whole,
                                   atol=0.36)
        assert ((found > 0) == (weights[row] >= module.LEAST)).all()
        assert patch.get_facecolor()[:3] == style.mpl.colors.to_rgb(style.H)
    if step <= len(symbols):
        bars = np.zeros(len(date))
        for x, foot, _, height in boxes(artists["bars"]):
            assert foot == module.BARS
            bars[int((x - module.LEFT) / column)] = height / module.TALL
        np.testing.assert_allclose(bars, weights[step - 1], atol=0.0101)


@pytest.mark.parametrize("updates", list(module.NETWORKS))
@pytest.mark.parametrize("date", list(book.HELD_OUT))
def test_what_is_written_is_what_the_network_says_by_itself(figure, date, updates):
    symbols, chances, _ = computed(date, updates)
    answer, truth = book.write(symbols), book.HELD_OUT[date]
    for step in range(1, 11):
        text, artists = shown(figure, date, step, updates)
        rows = [one.get_text() for one in artists["symbols"]]
        wanted = [book.SYMBOLS[k] for k in symbols[:step]]
        assert rows == wanted + [""] * (10 - len(wanted))
        boxed = [one.get_visible() for one in artists["wrong"]]
        assert boxed == [one not in ("", right) for one, right in zip(rows, truth, strict=True)]
        colours = [one.get_color() for one in artists["symbols"]]
        assert colours == [style.GRAD if one else style.INK for one in boxed]
        assert artists["key"].get_text() == ("in a box: wrong" if any(boxed) else "")
        assert artists["head"].get_text() == book.write(symbols[:step])
        if step <= len(symbols):
            chance = module.percent(chances[step - 1])
            assert artists["chance"].get_text() == chance and f"probability {chance}" in text
            assert ("(right)" if wanted[-1] == truth[step - 1] else
                    f"(wrong: {truth[step - 1]})") in text
            assert artists["symbols"][step - 1].get_weight() == "bold"
    told = "right" if answer == truth else f"wrong: it is {truth}"
    if len(answer) > 10:
        told = f"it did not stop; {told}"
    assert artists["told"].get_text() == told and f"Written: {answer[:10]}, {told}." in text
    assert all(one.get_edgecolor()[:3] == style.mpl.colors.to_rgb(style.GRAD)
               for one in artists["wrong"])


def test_the_text_is_read_in_green_above_its_columns(figure):
    _, artists = shown(figure, FIRST, 3, 1000)
    assert "".join(one.get_text() for one in artists["letters"]) == FIRST.replace(" ", "␣")
    column = module.SPAN // len(FIRST)
    for k, letter in enumerate(artists["letters"][: len(FIRST)]):
        assert letter.get_position()[0] == module.LEFT + (k + 0.5) * column
        assert letter.get_color() == style.X
    assert artists["told"].get_text() == "3 of 10 symbols"
    middle = artists["band"].get_y() + module.PITCH / 2
    assert middle == pytest.approx(artists["symbols"][2].get_position()[1], abs=0.06)


def test_the_letter_looked_at_is_named(figure):
    for date in book.HELD_OUT:
        for step in range(1, 11):
            text, _ = shown(figure, date, step, 1000)
            weights = computed(date, 1000)[2][step - 1]
            most = int(weights.argmax())
            if weights[most] < module.CLEAR - 1e-4:
                assert "nowhere in particular" in text
            elif weights[most] > module.CLEAR + 1e-4:
                said = f"looks at letter {most + 1}, "
                assert said in text and f"({module.percent(weights[most])} of the weight)" in text
                said = text.split(said)[1]
                assert said.startswith("a space" if date[most] == " " else f"“{date[most]}”")


# --- promises ---------------------------------------------------------------------------------


def field(date, part):
    """The places of the letters of a part of a text."""
    return np.arange(date.index(part), date.index(part) + len(part))


def test_it_opens_on_a_date_written_right(figure):
    assert figure.opening == {"date": FIRST, "step": 10, "updates": 1000}
    symbols, _, weights = computed(FIRST, 1000)
    assert book.write(symbols) == book.HELD_OUT[FIRST]
    places = weights.argmax(-1)
    assert all(places[t] in field(FIRST, "1976") for t in range(4))
    assert all(places[t] in field(FIRST, "septembre") for t in (5, 6))
    assert all(places[t] in field(FIRST, "23") for t in (8, 9))


def test_the_presets_keep_their_promises(figure):
    values = figure.presets["The month: from its name"]
    symbols, _, weights = computed(values["date"], values["updates"])
    assert book.SYMBOLS[symbols[6]] == "9" and values["step"] == 7
    assert weights[6, field(FIRST, "septembre")].sum() > 0.95

    values = figure.presets["The century: known at its second digit"]
    _, _, weights = computed(values["date"], values["updates"])
    assert values["step"] == 1 and weights[0, field(FIRST, "1976")[1]] > 0.95

    values = figure.presets["Untrained: everywhere alike"]
    weights = computed(values["date"], values["updates"])[2]
    assert values["updates"] == 0 and np.abs(weights * len(FIRST) - 1).max() < 0.25
    _, artists = shown(figure, **values)
    assert len(artists["head"].get_text()) == module.SYMBOLS
    assert artists["told"].get_text().startswith("it did not stop; wrong")

    values = figure.presets["Half trained: December taken for July"]
    date, truth = values["date"], book.HELD_OUT[values["date"]]
    assert truth[5:7] == "12"
    assert book.write(computed(date, values["updates"])[0])[5:7] == "07"
    assert book.write(computed(date, 1000)[0]) == truth

    values = figure.presets["Trained, and wrong"]
    assert values["updates"] == 1000
    assert book.write(computed(values["date"], 1000)[0]) != book.HELD_OUT[values["date"]]


@pytest.mark.parametrize(("share", "text"), [
    (0.0, "<1%"), (0.0051, "1%"), (0.5, "50%"), (0.994, "99%"), (0.996, ">99%")])
def test_percent_never_says_all_or_nothing(share, text):
    assert module.percent(share) == text


def test_the_figure_draws_everywhere_and_fits_the_page(figure):
    assert figure.states <= 600
    assert figure.drive() > len(figure.presets) >= 2
    assert len(gzip.compress(figure.bake().encode())) < 80_000
    assert figure.scene.smallest_text() >= 9
