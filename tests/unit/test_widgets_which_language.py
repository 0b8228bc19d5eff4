"""Which language is this word: what is drawn and said is what the stored networks compute."""

import gzip
import importlib
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "experiments"))
import languages as experiment  # noqa: E402

from rnnlib import forward, style  # noqa: E402
from rnnlib.functions import softmax  # noqa: E402
from rnnlib.widgets import language_readers as readers  # noqa: E402

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.which_language")
LETTERS, LANGUAGES, NETWORKS = readers.stored()
WAYS = {"forward": "forward", "backward": "backward", "both ways": "both"}
FULL = module.LONGEST


@pytest.fixture(scope="module")
def figure():
    return module.which_language()


def shown(figure, word, reads, letters):
    text, _ = figure.frame({"word": word, "reads": reads, "letters": letters})
    return text, figure.scene.artists


def one_hot(word):
    """xs (T, 1, D), written out anew."""
    xs = np.zeros((len(word), 1, len(LETTERS) + 2), np.float32)
    for t, letter in enumerate(word):
        low = letter.lower()
        xs[t, 0, LETTERS.index(low) if low in LETTERS else -2] = 1
        xs[t, 0, -1] = low != letter
    return xs


def believed(word, reads, count, hidden=None):
    """ŷ (20,) after `count` letters, one of the word hidden, from `forward` alone."""
    xs, (cell, out) = one_hot(word), NETWORKS[WAYS[reads]]
    if hidden is not None:
        xs[hidden, 0, :-1] = np.eye(len(LETTERS) + 1)[-1]
    xs = xs[::-1][:count] if reads == "backward" else xs[:count]
    trace = forward(cell, xs)
    h = np.concatenate([trace.h_ahead[-1], trace.h_back[0]], -1) if reads == "both ways" \
        else trace.h[-1]
    return softmax(h @ out.V.T + out.c_out)[0]


def bars(patch):
    """(middle, bottom, height) of each bar of a path."""
    corners = patch.get_path().vertices
    if len(corners) < 5:
        return []
    return [(one[:, 0][[0, 2]].mean(), one[0, 1], one[1, 1] - one[0, 1])
            for one in corners.reshape(-1, 5, 2)]


# --- the words --------------------------------------------------------------------------------


def test_the_words_are_of_the_test_and_in_no_training():
    training, validation, test = experiment.parts(experiment.SHOWN)
    language = {text: LANGUAGES[label]
                for text, label in zip(test.texts, test.labels, strict=True)}
    assert 12 <= len(module.WORDS) <= 20
    for word, truth in module.WORDS.items():
        assert language[word] == truth
        assert word not in training.texts and word not in validation.texts
        assert module.refusal(word) is None


@pytest.mark.parametrize(("word", "message"), [
    ("", "1 to 12 letters, got 0"),
    ("a" * 13, "1 to 12 letters, got 13"),
    ("кот", "Latin script, got 'к'"),
    ("a1", "Latin script, got '1'"),
    ("a\n", "Latin script"),
])
def test_a_word_that_cannot_be_read_is_refused(figure, word, message):
    assert message in module.refusal(word)
    with pytest.raises(ValueError, match="values: word: expected"):
        figure.frame({"word": word})
    with pytest.raises(ValueError, match="^words: expected"):
        module.which_language({"tea": "English", word: "English"})


def test_words_of_the_readers_own_are_taken_whether_their_letters_are_known_or_not(figure):
    for word in ("Übermensch", "w", "Côte-d'Or", "Ǆuǆ", "ô ô", "a" * FULL):
        text, artists = shown(figure, word, "both ways", FULL)
        assert text.startswith(f"“{word}”, read both ways: ")
        assert artists["told"].get_text() == "whole word, one of your own"
        assert {name.get_weight() for name in artists["names"]} == {"normal"}
    custom = module.which_language({"tea": "English", "thé": "French"})
    assert custom.controls["word"].values == ("tea", "thé") and custom.presets == {}


# --- what is drawn ----------------------------------------------------------------------------


@pytest.mark.parametrize("reads", WAYS)
@pytest.mark.parametrize(("word", "count"), [("túvalúska", 5), ("Malgaşça", 8), ("Vlaams", 1)])
def test_every_bar_is_what_the_network_believes(figure, word, reads, count):
    _, artists = shown(figure, word, reads, count)
    n, names = len(word), [name.get_text() for name in artists["names"]]
    column = module.SPAN / n
    assert names[-1] == "14 others" and len(set(names)) == module.ROWS + 1
    order = range(n - 1, n - 1 - count, -1) if reads == "backward" else range(count)
    for row, name in enumerate(names):
        found = dict.fromkeys(order, 0.0)
        for x, foot, height in bars(artists["rows"][row]):
            assert foot == module.FLOOR + (module.ROWS - row) * module.PITCH
            found[int((x - module.LEFT) / column)] = height / module.TALL
        for k, place in enumerate(order):
            y_hat = believed(word, reads, k + 1)
            others = 1 - sum(y_hat[LANGUAGES.index(one)] for one in names[:-1])
            wanted = y_hat[LANGUAGES.index(name)] if name in LANGUAGES else others
            assert found[place] == pytest.approx(wanted, abs=0.008)
        assert artists["shares"][row].get_text() == module.percent(wanted)
        assert artists["names"][row].get_weight() == (
            "bold" if name == module.WORDS[word] else "normal")


@pytest.mark.parametrize("reads", WAYS)
@pytest.mark.parametrize(("word", "count"), [("Ukrajina", 8), ("mantšu", 4), ("Węgry", 1)])
def test_an_orange_bar_is_what_is_lost_where_its_letter_is_hidden(figure, word, reads, count):
    text, artists = shown(figure, word, reads, count)
    n, whole = len(word), believed(word, reads, count)
    answer, column = whole.argmax(), module.SPAN / n
    read = range(n - count, n) if reads == "backward" else range(count)
    left = {k: believed(word, reads, count, hidden=k)[answer] for k in read}
    drawn = {int((x - module.LEFT) / column): h for x, _, h in bars(artists["needed"])}
    for k in read:
        height = np.clip(np.log10(whole[answer] / left[k]), -0.6, 2.2) * module.DECADE
        assert drawn.get(k, 0) == pytest.approx(height, abs=0.16)
    assert set(drawn) <= set(read)
    most = min(left, key=left.get)
    if left[most] < whole[answer] / 1.6:
        said = f"{LANGUAGES[answer]} is left with {module.percent(left[most])}."
        assert f"needs “{word[most]}” most" in text and said in text and "unknown letter" in text
    assert artists["needed"].get_facecolor()[:3] == style.mpl.colors.to_rgb(style.GRAD)


@pytest.mark.parametrize("reads", WAYS)
def test_the_letters_read_are_green_and_the_last_of_them_is_marked(figure, reads):
    text, artists = shown(figure, "osseto", reads, 2)
    colours = [letter.get_color() for letter in artists["letters"][:6]]
    read = [4, 5] if reads == "backward" else [0, 1]
    assert [k for k, colour in enumerate(colours) if colour == style.X] == read
    assert "".join(letter.get_text() for letter in artists["letters"]) == "osseto"
    now, column = (4 if reads == "backward" else 1), module.SPAN / 6
    assert artists["band"].get_x() == pytest.approx(module.LEFT + now * column, abs=0.06)
    arrow = {"forward": "→", "backward": "←", "both ways": "⇄"}[reads]
    assert artists["way"].get_text() == f"reads {arrow}"
    assert text.startswith(f"“{'to' if reads == 'backward' else 'os'}”, 2 of 6 letters of “osseto”")
    assert artists["told"].get_text() == "2 of 6 letters read"


def test_more_letters_than_the_word_has_are_all_of_it(figure):
    whole = figure.frame({"word": "Węgry", "letters": 5})
    assert figure.frame({"word": "Węgry", "letters": FULL}) == whole


def test_every_headline_is_the_most_likely_language_and_says_whether_it_is_right(figure):
    for word, truth in module.WORDS.items():
        for reads in WAYS:
            text, artists = shown(figure, word, reads, FULL)
            y_hat = believed(word, reads, len(word))
            answer = LANGUAGES[y_hat.argmax()]
            assert artists["head"].get_text() == f"{answer}, {module.percent(y_hat.max())}"
            right = answer == truth
            assert artists["told"].get_text() == (
                "whole word, right" if right else f"whole word, wrong: it is {truth}")
            assert f"{answer} {module.percent(y_hat.max())}" in text
            assert ("(right)" if right else f"(it is {truth})") in text
            rows = [name.get_text() for name in artists["names"]]
            assert answer in rows, "what is said has no row"


@pytest.mark.parametrize(("share", "text"), [
    (0.0, "<1%"), (0.005, "<1%"), (0.0051, "1%"), (0.5, "50%"), (0.994, "99%"), (0.996, ">99%")])
def test_percent_never_says_all_or_nothing(share, text):
    assert module.percent(share) == text


# --- promises ---------------------------------------------------------------------------------


def answers(word, reads, count=None):
    y_hat = believed(word, reads, count or len(word))
    return LANGUAGES[y_hat.argmax()], y_hat.max()


def test_it_opens_one_letter_before_the_answer_turns(figure):
    assert figure.opening == {"word": "etiopiska", "reads": "forward", "letters": 8}
    assert len("etiopiska") == 9
    before, after = answers("etiopiska", "forward", 8), answers("etiopiska", "forward", 9)
    assert before[0] == "Danish" and after[0] == "Swedish" and min(before[1], after[1]) > 0.99
    turned = figure.presets["One more letter turns it"]
    assert turned == {"word": "etiopiska", "reads": "forward", "letters": FULL}
    without = believed("etiopiska", "forward", 9, hidden=8)
    assert LANGUAGES[without.argmax()] == "Swedish" and without.max() > 0.98
    text, _ = figure.frame(turned)
    assert "even in place of the “a” it turns Danish into Swedish" in text


def test_a_letter_is_said_to_turn_the_answer_by_being_there_only_where_it_does(figure):
    said = 0
    for word, reads in product((*module.WORDS, "Baffia"), WAYS):  # that one from its end, too
        for count in range(1, len(word) + 1):
            text, _ = shown(figure, word, reads, count)
            if "it turns" in text:
                said += 1
                newest = len(word) - count if reads == "backward" else count - 1
                now, before = answers(word, reads, count)[0], answers(word, reads, count - 1)[0]
                assert f"“{word[newest]}” it turns {before} into {now}" in text and now != before
                without = believed(word, reads, count, hidden=newest)
                assert LANGUAGES[without.argmax()] == now
    assert 3 < said < 60
    text, _ = shown(figure, "Baffia", "backward", 6)
    assert "even in place of the “B” it turns Basque into Welsh" in text


def test_the_presets_keep_their_promises(figure):
    values = figure.presets["From its end: one letter is enough"]
    assert values == {"word": "lakotų", "reads": "backward", "letters": 1}
    assert answers("lakotų", "backward", 1)[0] == module.WORDS["lakotų"]
    assert answers("lakotų", "backward", 1)[1] > 0.99
    assert all(answers("lakotų", "forward", k)[0] != "Lithuanian" for k in range(1, 6))
    for preset, right in (("Only both ways is right", "both ways"),
                          ("Only forward is right", "forward")):
        values = figure.presets[preset]
        word = values["word"]
        assert (values["reads"], values["letters"]) == (right, FULL)
        assert [reads for reads in WAYS if answers(word, reads)[0] == module.WORDS[word]] == [right]
    values = figure.presets["A neighbour instead"]
    assert module.WORDS[values["word"]] == "Finnish"
    assert {answers(values["word"], reads)[0] for reads in WAYS} == {"Estonian"}


def test_the_figure_draws_everywhere_and_fits_the_page(figure):
    assert figure.states <= 600
    assert figure.drive() > len(figure.presets) >= 2
    assert len(gzip.compress(figure.bake().encode())) < 70_000
    assert figure.scene.smallest_text() >= 9
