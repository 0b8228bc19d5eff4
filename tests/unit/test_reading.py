"""Readers compared: equal in size, alike from a seed; and what the two experiments recorded."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnlib import Bidirectional, RNNCell, budget, datasets, forward, reading
from rnnlib.records import leaves
from rnnlib.results import find, load
from rnnlib.tasks.spelling import guesses_from_past, silent_e, soft_c, tagging
from rnnlib.widgets import next_letter_networks as figure

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))
import foretelling
import soft_letters
import table

CODES = np.random.default_rng(5).integers(0, 4, 300)
FOLLOWING = np.tile(np.arange(4), 80)                       # each character follows from the last


def equal(a, b):
    a, b = leaves("params", a), leaves("params", b)
    return all((a[path] == b[path]).all() for path in a)


@pytest.mark.parametrize(("size", "classes", "wanted"), [(26, 2, 700), (27, 27, 7000)])
def test_readers_of_both_kinds_are_of_about_one_size(size, classes, wanted):
    for both, kind in ((False, RNNCell), (True, Bidirectional)):
        cell, out = reading.reader(size, classes, wanted, both=both, seed=3)
        assert isinstance(cell, kind) and out.V.shape == (classes, cell.output_size)
        assert budget.parameters((cell, out)) == pytest.approx(wanted, rel=0.035)
        assert equal((cell, out), reading.reader(size, classes, wanted, both=both, seed=3))
        assert not equal((cell, out), reading.reader(size, classes, wanted, both=both, seed=4))
    assert (cell.ahead.W != cell.back.W).any()              # the two cells begin differently


def test_a_seed_trains_the_same_network_and_few_updates_know_less():
    words = ["cat", "city", "ace", "cot", "ice", "cut", "cell", "coal"]
    trained = [reading.learn_tags(words, soft_c, both=True, seed=2, updates=n) for n in (60, 60, 1)]
    assert equal(trained[0], trained[1]) and not equal(trained[0], trained[2])
    assert reading.share_right(trained[0], words, soft_c) == 1
    assert reading.share_right(trained[0], words, soft_c, delay=1) < 1      # read one step too late


def test_share_right_counts_the_letters_that_are_asked():
    params = reading.reader(26, 2, 700, both=False, seed=1)
    words, right = ["circus", "ace", "attic"], []
    for word in words:
        batch = tagging([word], soft_c)
        says = params[1].logits(forward(params[0], batch.xs).h)[:, 0].argmax(-1)
        right += [says[t] == answer for t, answer in soft_c(word).items()]
    assert reading.share_right(params, words, soft_c) == np.mean(right)


def test_pieces_are_cut_from_the_text_and_the_target_is_the_next_character():
    batch = reading.pieces(np.arange(40), 40, 50, np.random.default_rng(0), 7)
    codes = batch.xs.argmax(-1)
    assert batch.xs.shape == (7, 50, 40) and (batch.xs.sum(-1) == 1).all()
    assert (np.diff(codes, axis=0) == 1).all() and (batch.targets == codes + 1).all()
    assert codes.min() == 0 and batch.targets.max() == 39   # the whole text is drawn from


def test_who_reads_both_ways_knows_the_next_character_until_the_future_is_hidden():
    """On a text of coin flips nothing can be foretold: log 4 is all there is to have."""
    both = reading.learn_next(CODES, 4, both=True, updates=120)
    shown = reading.next_losses(both, CODES, 4)
    assert shown.shape == (reading.NEXT_STEPS,) and shown[:-1].max() < 0.3 and shown[-1] > 1
    hidden = reading.next_losses(both, CODES, 4, future=False)
    assert hidden.min() > 1 and hidden[-1] == pytest.approx(shown[-1], rel=1e-12)


def test_hiding_the_future_changes_nothing_for_one_direction():
    params = reading.learn_next(FOLLOWING, 4, updates=60)
    shown, hidden = (reading.next_losses(params, FOLLOWING, 4, future=f) for f in (True, False))
    np.testing.assert_allclose(shown, hidden, rtol=1e-9)
    assert shown.max() < 0.2
    written = reading.write_on(params, FOLLOWING[:25], 4, 30, rng=1)    # 0 is the 25th
    assert np.mean(np.diff(written) % 4 == 1) > 0.8 and len(written) == 30
    np.testing.assert_array_equal(written, reading.write_on(params, FOLLOWING[:25], 4, 30, rng=1))


def test_what_does_not_fit_is_refused():
    with pytest.raises(TypeError, match="both: expected True or False"):
        reading.reader(3, 2, 100, both="yes")
    with pytest.raises(ValueError, match="codes: expected classes 0 to 2, got 0 to 3"):
        reading.learn_next(CODES, 3)
    with pytest.raises(ValueError, match="codes: expected 26 characters or more, got 25"):
        reading.learn_next(CODES[:25], 4)


# --- the recorded results -----------------------------------------------------------------------


def test_every_reader_has_every_seed_and_the_summary_is_that_of_the_rows():
    rows, guessed = load("soft_letters"), load("soft_letters_guesses")
    assert len(rows) == 160 and len(guessed) == 240
    for line in load("soft_letters_summary"):
        if line["reader"] == "ceiling":
            continue
        counted = re.fullmatch(r"(\d) letters counted", line["reader"])
        mine = find(guessed, rule=line["rule"], letters=float(counted[1])) if counted else find(
            rows, rule=line["rule"], reader=line["reader"])
        assert sorted(row["seed"] for row in mine) == list(range(20)) and line["seeds"] == 20
        interval = np.minimum(table.mean_interval([row["new"] for row in mine]), 1)
        assert [line["right"], line["low"], line["high"]] == pytest.approx(interval, abs=1e-5)
        assert line["perfect"] == sum(row["new"] == 1 for row in mine)


def test_words_of_the_test_are_not_learned_from():
    for rule in soft_letters.RULES:
        known, new = soft_letters.split(rule, 4)
        assert sorted([*known, *new]) == soft_letters.words(rule) and not set(known) & set(new)
        assert len(new) == round(len(soft_letters.words(rule)) / 4)


@pytest.mark.parametrize("reader", ["one direction", "two letters late"])
def test_a_tagger_again_from_its_seed(reader):
    row, = find(load("soft_letters"), rule="silent e", reader=reader, seed=3)
    again = soft_letters.run({"rule": "silent e", "reader": reader, "seed": 3})
    assert float(again["new"]) == pytest.approx(row["new"], abs=0.05)
    assert float(again["known"]) == pytest.approx(row["known"], abs=0.02)
    assert again["parameters"] == row["parameters"]


def test_the_counts_again():
    for row in find(load("soft_letters_guesses"), seed=7):
        rule = soft_letters.RULES[row["rule"]]
        share = guesses_from_past(*soft_letters.split(row["rule"], 7), rule, int(row["letters"]))
        assert share == pytest.approx(row["new"], abs=1e-5)


def test_the_ceiling_is_the_best_that_can_be_said_of_the_letters_so_far():
    words = soft_letters.words("silent e")
    answers = {}
    for word in words:
        (place, answer), = silent_e(word).items()
        answers.setdefault(word[: place + 1], []).append(answer)
    best = sum(max(some.count(0), some.count(1)) for some in answers.values()) / len(words)
    line, = find(load("soft_letters_summary"), rule="silent e", reader="ceiling")
    assert line["right"] == pytest.approx(best, abs=1e-5)


def test_what_chapter_7_says_of_the_taggers():
    lines = {(line["rule"], line["reader"]): line for line in load("soft_letters_summary")}
    for rule, late in (("soft c", "one letter late"), ("silent e", "two letters late")):
        assert lines[rule, late]["perfect"] >= 15
        assert lines[rule, "both directions"]["perfect"] >= 15
        assert lines[rule, "one direction"]["high"] < 0.9 and not lines[rule, "ceiling"]["seeds"]
    assert lines["silent e", "one letter late"]["high"] < 0.75


def test_the_weights_of_the_figure_again():
    """One of the three networks, trained on all words but those of the figure."""
    words = [w for w in soft_letters.words("soft c") if not any(one in w for one in figure.WORDS)]
    again = reading.learn_tags(words, soft_c, seed=figure.SEED, **soft_letters.READERS[figure.BOTH])
    for path, array in leaves("params", figure.network(figure.BOTH)).items():
        np.testing.assert_allclose(array, leaves("params", again)[path], atol=1e-3)


def test_the_rows_of_the_foretellers_and_their_summary():
    rows = load("foretelling")
    assert len(rows) == 20
    for line in load("foretelling_summary"):
        if line["reader"] == "counting":
            loss = foretelling.counted(int(line["number"].removeprefix("after ")))
            assert line["mean"] == pytest.approx(loss, abs=1e-5)
            continue
        mine = find(rows, reader=line["reader"])
        assert sorted(row["seed"] for row in mine) == list(range(10)) and line["seeds"] == 10
        interval = table.mean_interval([row[line["number"]] for row in mine])
        assert [line["mean"], line["low"], line["high"]] == pytest.approx(interval, rel=1e-5)


def test_what_chapter_7_says_of_the_foretellers():
    line = {(row["reader"], row["number"]): row for row in load("foretelling_summary")}
    both, one = "both directions", "one direction"
    assert line[both, "shown_inner"]["high"] < 0.003 < 1.7 < line[one, "shown_inner"]["low"]
    assert line[one, "hidden"]["high"] < 1.85 < 2.05 < line[both, "hidden"]["low"]
    assert line[both, "hidden"]["high"] < line["counting", "after 1"]["mean"]
    assert line[one, "words"]["low"] > line[both, "words"]["high"]
    for row in find(load("foretelling"), reader=one):
        assert row["hidden"] == row["shown"]


def test_words_are_counted_that_were_written_in_full():
    assert foretelling.share_of_words("ice the xqz rabbit zz alice ho") == pytest.approx(3 / 5)
    letters, known, new = foretelling.book()
    assert letters == " abcdefghijklmnopqrstuvwxyz" and len(known) + len(new) == 134_394
    assert datasets.decode(known[:30, None], letters) == ["chapter i down the rabbit hole"]


def test_a_foreteller_again_from_its_seed():
    row, = find(load("foretelling"), reader="one direction", seed=2)
    letters, known, new = foretelling.book()
    params = reading.learn_next(known, len(letters), seed=2)
    loss = reading.next_losses(params, new, len(letters), count=foretelling.PIECES, rng=2).mean()
    assert loss == pytest.approx(row["shown"], rel=2e-3)
