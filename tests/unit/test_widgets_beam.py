"""Beam search, drawn: every beginning, probability and verdict is what the network gives."""

import datetime
import gzip
import importlib
from functools import cache
from itertools import product

import numpy as np
import pytest

from rnnlib import seq2seq, style
from rnnlib.losses import log_softmax
from rnnlib.widgets import date_translators as translators

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.beam")
STOP, START = translators.STOP, translators.START
LAST = module.SYMBOLS
STATES = list(product(module.DATES, module.WIDTHS))


@pytest.fixture(scope="module")
def figure():
    return module.beam()


def shown(figure, date, width, step):
    text, _ = figure.frame({"date": date, "width": width, "step": step})
    return text, figure.scene.artists


@cache
def next_log_p(date, symbols):
    """Log-probabilities of the symbol after these, by a network taught by them: no search."""
    letters, networks = translators.stored()
    xs, lengths = translators.encode([date], letters)
    taught = seq2seq.teacher_inputs(np.array([*symbols, 0])[:, None], START, 13)
    trace = seq2seq.forward(networks[module.NETWORK], xs, taught.astype(np.float32),
                            lengths=lengths)
    return log_softmax(trace.logits[-1, 0].astype(float))


@cache
def beam_of(date, width, step):
    """The beam after so many symbols, written out: [(symbols, log-probability)]."""
    if step == 0:
        return [((), 0.0)]
    longer = []
    for symbols, log_p in beam_of(date, width, step - 1):
        if symbols and symbols[-1] == STOP:
            longer.append((symbols, log_p))
            continue
        each = next_log_p(date, symbols)
        longer += [((*symbols, k), log_p + each[k]) for k in range(13)]
    return sorted(longer, key=lambda one: -one[1])[:width]


def spelled(symbols):
    return "".join(translators.SYMBOLS[k] for k in symbols)


# --- the beam ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("date", "width"), STATES)
def test_the_beginnings_and_their_probabilities_are_those_of_the_network(figure, date, width):
    for step in range(1, LAST + 1):
        _, artists = shown(figure, date, width, step)
        wanted = beam_of(date, width, step)
        rows = module.tree(date, width, step)
        kept = [row for row in rows if row.kept]
        assert [row.symbols for row in kept] == [symbols for symbols, _ in wanted]
        np.testing.assert_allclose([row.share for row in kept],
                                   np.exp([log_p for _, log_p in wanted]), rtol=1e-3, atol=1e-7)
        shares = [text.get_text() for text in artists["shares"]]
        assert shares[: len(rows)] == [module.percent(row.share) for row in rows]
        assert not any(shares[len(rows):])


@pytest.mark.parametrize(("date", "width"), STATES)
def test_what_is_grey_was_in_the_beam_before_or_is_greedy(figure, date, width):
    for step in range(1, LAST + 1):
        rows = module.tree(date, width, step)
        (greedy, log_p), = beam_of(date, 1, step)
        now = [symbols for symbols, _ in beam_of(date, width, step)]
        before = dict(beam_of(date, width, step - 1))
        gone = [one for one in before if not any(new[: len(one)] == one for new in now)]
        grey = [row for row in rows if not row.kept]
        if greedy in now:
            assert [row.symbols for row in grey] == gone[: module.ROWS - len(now)]
        else:
            assert grey[0].symbols == greedy and grey[0].greedy
            assert grey[0].share == pytest.approx(np.exp(log_p), rel=1e-3)
            assert {row.symbols for row in grey[1:]} <= set(gone)
        marked = [row.symbols for row in rows if row.greedy]
        assert marked == [greedy]


@pytest.mark.parametrize(("date", "width"), STATES)
def test_the_letters_drawn_are_a_tree_of_the_beginnings(figure, date, width):
    due = module.DATES[date] + translators.SYMBOLS[STOP]
    for step in (1, 6, 8, 9, 10, LAST):
        _, artists = shown(figure, date, width, step)
        rows = module.tree(date, width, step)
        texts, owned = [spelled(row.symbols) for row in rows], set()
        corners = artists["wrong"].get_path().vertices
        boxed = ({tuple(box[:4].mean(0)) for box in corners.reshape(-1, 5, 2)}
                 if len(corners) > 1 else set())
        marks = 0
        for k, row in enumerate(rows):
            for place, letter in enumerate(artists["letters"][k]):
                beginning = texts[k][: place + 1]
                new = place < len(texts[k]) and beginning not in owned
                assert letter.get_text() == (texts[k][place] if new else "")
                if new:
                    wrong = row.kept and texts[k][place] != due[place]
                    assert letter.get_color() == (
                        style.GRAD if wrong else style.INK if row.kept else style.MUTED)
                    x, y = letter.get_position()
                    assert ((x, y) in boxed) == wrong
                    marks += wrong
            owned |= {texts[k][:n] for n in range(1, len(texts[k]) + 1)}
        assert len(boxed) == marks
        assert artists["wrong"].get_edgecolor()[:3] == style.mpl.colors.to_rgb(style.GRAD)
        assert not artists["wrong"].get_fill()
        assert artists["key"].get_text() == ("in a box: wrong" if marks else "")


def test_the_lines_go_from_the_last_common_letter_to_the_first_of_its_own():
    rows = [(1, 2, 3), (1, 2, 4), (1, 5, 3), (1, 5, 4), (6,)]
    assert module.branches(rows) == [(0, None), (2, 0), (1, 0), (2, 2), (0, None)]


@pytest.mark.parametrize("step", [1, 8, 9, LAST])
def test_every_row_but_the_first_has_its_line_from_where_the_common_letter_is_drawn(figure, step):
    for date, width in STATES:
        _, artists = shown(figure, date, width, step)
        rows = module.tree(date, width, step)
        xs, ys = (np.array(v, float).reshape(-1, 5) for v in artists["lines"].get_data())
        assert len(xs) == len(rows) - 1
        for k in range(1, len(rows)):
            letters = artists["letters"]
            first = next(place for place, one in enumerate(letters[k]) if one.get_text())
            assert ys[k - 1][2] == letters[k][first].get_position()[1]
            assert xs[k - 1][1] == module.LEFT + first * module.COLUMN
            if first:
                (above,) = [one for one in range(k) if letters[one][0].get_position()[1]
                            == ys[k - 1][0]]
                assert letters[above][first - 1].get_text() == spelled(
                    rows[k].symbols)[first - 1]


def test_the_bars_are_the_probabilities_of_what_is_kept(figure):
    for date, width in STATES:
        _, artists = shown(figure, date, width, 9)
        corners = artists["bars"].get_path().vertices.reshape(-1, 5, 2)
        wanted = beam_of(date, width, 9)
        lengths = (corners[:, 1, 0] - corners[:, 0, 0]) / module.LONG
        np.testing.assert_allclose(lengths, np.exp([p for _, p in wanted]), atol=0.004)


# --- what is said -----------------------------------------------------------------------------


@pytest.mark.parametrize(("date", "width"), STATES)
def test_the_answer_is_said_and_judged(figure, date, width):
    text, artists = shown(figure, date, width, LAST)
    best, greedy = (spelled(beam_of(date, w, LAST)[0][0])[:-1] for w in (width, 1))
    verdict = "right" if best == module.DATES[date] else "wrong"
    assert f"writes {best} (" in text and f"{best}, {verdict}" in artists["head"].get_text()
    if greedy != best:
        also = "right" if greedy == module.DATES[date] else "wrong"
        assert f"greedy search writes {greedy} (" in text and text.endswith(f"), {also}.")
    tags = [tag.get_text() for tag in artists["tags"]]
    for row, tag in zip(module.tree(date, width, LAST), tags, strict=False):
        due = spelled(row.symbols) == module.DATES[date] + translators.SYMBOLS[STOP]
        if row.kept or row.greedy:
            assert ("right" in tag) == due and ("wrong" in tag) != due
        assert ("greedy" in tag) == row.greedy


def test_on_the_way_the_beginnings_are_named(figure):
    for date, width in STATES:
        text, artists = shown(figure, date, width, 9)
        for symbols, log_p in beam_of(date, width, 9):
            assert f"{spelled(symbols)} {module.percent(np.exp(log_p))}" in text
        out = beam_of(date, 1, 9)[0][0] not in dict(beam_of(date, width, 9))
        assert ("is out" in text) == out
        assert "9 symbols written" in artists["head"].get_text()


@pytest.mark.parametrize(("share", "text"), [
    (0.0004, "<0.1%"), (0.001, "0.1%"), (0.094, "9.4%"), (0.0996, "10%"), (0.42, "42%"),
    (0.994, "99%"), (0.996, ">99%"), (1.0, ">99%")])
def test_percent(share, text):
    assert module.percent(share) == text


# --- promises ---------------------------------------------------------------------------------


def test_the_dates_are_of_days_in_no_training_and_every_text_ends_in_time():
    for date, day in module.DATES.items():
        ordinal = datetime.date.fromisoformat(day).toordinal()
        assert ordinal % translators.HIDDEN_DAY == 0
        for width in module.WIDTHS:
            assert all(symbols[-1] == STOP and len(symbols) <= LAST
                       for symbols, _ in beam_of(date, width, LAST)[:1])


def end(date, width):
    return spelled(beam_of(date, width, LAST)[0][0])[:-1] == module.DATES[date]


def test_it_opens_where_greedy_search_ends_wrong_and_a_beam_right(figure):
    opening = figure.opening
    assert opening["step"] == LAST and opening["width"] == 3
    assert end(opening["date"], 3) and not end(opening["date"], 1)


def test_the_presets_keep_their_promises(figure):
    wrong, both, century, likelier, sure = (figure.presets[name] for name in (
        "Greedy search: wrong", "A beam keeps both", "The century in doubt",
        "Likelier, and wrong", "Sure: greedy is enough"))
    assert len(figure.presets) == 5
    assert wrong["width"] == 1 and wrong["step"] == LAST and not end(wrong["date"], 1)
    (_, first), (one, second) = beam_of(**both)
    assert both["date"] == figure.opening["date"] and both["width"] == 2
    assert np.exp(second) > 0.9 * np.exp(first), "greedy search takes what is hardly likelier"
    assert module.DATES[both["date"]].startswith(spelled(one))
    (_, first), (_, second) = beam_of(**century)
    assert century["step"] == 1 and np.exp(second) > 0.45 and np.exp(first) < 0.55
    assert not end(century["date"], 1) and end(century["date"], 2)
    assert end(likelier["date"], 1) and not end(likelier["date"], likelier["width"])
    assert beam_of(**likelier)[0][1] > beam_of(likelier["date"], 1, LAST)[0][1]
    assert all(end(sure["date"], width) for width in module.WIDTHS)
    assert np.exp(beam_of(sure["date"], 1, LAST)[0][1]) > 0.9


def test_the_figure_draws_everywhere_and_fits_the_page(figure):
    assert figure.states <= 600
    assert figure.drive() > len(figure.presets) >= 2
    assert len(gzip.compress(figure.bake().encode())) < 70_000
    assert figure.scene.smallest_text() >= 9
