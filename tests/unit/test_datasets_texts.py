"""Names, dates and the novel: what the sources say of them is true, no side sees the other."""

import datetime
import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib import datasets

# ---------------------------------------------------------------- names


def test_names_are_as_many_as_said_and_those_of_one_language_only():
    names, every = datasets.names(), datasets.names(unique=False)
    assert (len(names), len(every)) == (10_079, 18_137)
    counts = dict(zip(names.classes, np.bincount(names.labels), strict=True))
    assert len(counts) == 20
    assert counts["Danish"] == min(counts.values()) == 319
    assert counts["Lithuanian"] == max(counts.values()) == 787
    assert max(map(len, names.texts)) == 63
    assert len(set(names.texts)) == len(names)
    assert every.texts.tolist().count("Malta") > 10 and "Malta" not in names.texts
    shared = {text for text in every.texts if np.sum(every.texts == text) > 1}
    assert shared.isdisjoint(names.texts)
    assert shared | set(names.texts) == set(every.texts)


@pytest.mark.parametrize(
    ("text", "language"),
    [("Deutschland", "German"), ("Allemagne", "French"), ("Németország", "Hungarian"),
     ("Saksa", "Finnish"), ("yr Almaen", "Welsh"), ("Vokietija", "Lithuanian")],
)
def test_a_name_has_its_language(text, language):
    names = datasets.names()
    (place,) = np.flatnonzero(np.char.lower(names.texts) == text.lower())
    assert names.classes[names.labels[place]] == language


@pytest.mark.parametrize("unique", [True, False])
def test_no_name_is_on_both_sides(unique):
    names = datasets.names(unique=unique)
    train, test = names.split(0.25, rng=3)
    assert not set(train.texts) & set(test.texts)
    assert len(train) + len(test) == len(names)
    assert set(train.texts) | set(test.texts) == set(names.texts)
    assert len(test) == pytest.approx(0.25 * len(names), rel=0.03)
    if unique:  # a share of every class
        assert np.allclose(np.bincount(test.labels) / np.bincount(names.labels), 0.25, atol=0.002)
    again = names.split(0.25, rng=3)[1]
    other = names.split(0.25, rng=4)[1]
    assert again.texts.tolist() == test.texts.tolist() != other.texts.tolist()


def test_names_one_hot_read_back():
    train, test = datasets.names(("de", "fi")).split()
    assert train.letters == test.letters
    names = test.take([5, 0, 17])
    sequences = names.sequences()
    xs, lengths = sequences.xs, sequences.lengths
    assert xs.shape == (max(map(len, names.texts)), 3, len(names.letters))
    for b, text in enumerate(names.texts):
        assert xs[: lengths[b], b].sum(axis=1).tolist() == [1] * len(text)
        assert "".join(sequences.channels[k] for k in xs[: lengths[b], b].argmax(axis=1)) == text
        assert not xs[lengths[b]:, b].any()
    batch = sequences.batch()
    assert batch.targets.tolist() == [names.labels.tolist()] and batch.at_end
    assert batch.xs is xs and batch.lengths is lengths


# ---------------------------------------------------------------- dates


def test_dates_mean_their_targets():
    for code, kind, pattern in (("en", "long", "%B %d, %Y"), ("de", "medium", "%d.%m.%Y"),
                                ("en", "full", "%A, %B %d, %Y")):
        dates = datasets.dates(200, locales=(code,), formats=(kind,))
        for text, target in zip(dates.texts, dates.targets, strict=True):
            assert datetime.datetime.strptime(text, pattern).date().isoformat() == target


def test_no_date_means_two_days_and_all_is_in_the_alphabet():
    meaning = {}
    rng = np.random.default_rng(0)
    first, last = datetime.date(2000, 1, 1), datetime.date(2000, 12, 31)
    for _ in range(3):
        dates = datasets.dates(10_000, rng=rng, first=first, last=last)
        for text, target in zip(dates.texts, dates.targets, strict=True):
            assert meaning.setdefault(text, target) == target
        assert set("".join(dates.texts)) <= set(dates.letters)
        assert set(dates.targets) == {str(day) for day in np.arange("2000", "2001", dtype="M8[D]")}
    assert set(np.bincount(dates.labels) > 700) == {True}


def test_dates_are_encoded_and_kept_apart_by_day():
    day = datetime.date(1999, 12, 31)
    dates = datasets.dates(40, first=day, last=day + datetime.timedelta(20), rng=1)
    train, test = dates.split(0.3)
    assert not set(train.targets) & set(test.targets)
    codes, lengths = test.codes()
    assert datasets.decode(codes, test.letters, lengths) == test.texts.tolist()
    targets = test.target_codes()
    assert targets.shape == (10, len(test))
    assert datasets.decode(targets, test.TARGET_LETTERS) == test.targets.tolist()
    assert datasets.dates(1, first=day, last=day).targets.tolist() == ["1999-12-31"]


# ---------------------------------------------------------------- the novel


def test_the_text_is_the_work_alone():
    text = datasets.text()
    assert hashlib.sha256(text.encode()).hexdigest() == (
        "2f0bcc4c688c5885d13d8ef40eff7588eb12b30f3d89bc3d98661eb4106ec102"
    )
    assert text.startswith("CHAPTER I\n\nDown the Rabbit-Hole\n\nAlice was beginning to get very")
    assert text.endswith("the happy summer days.\n\nTHE END\n")
    assert text.count("CHAPTER ") == 12
    for alien in ("Gutenberg", "EDITION", "later editions", "  ", "\t", "\r", "\n\n\n", "`", "*"):
        assert alien not in text
    letters, codes = datasets.characters(text)
    assert len(letters) == 65 and list(letters) == sorted(letters)
    assert "".join(letters[k] for k in codes) == text


@given(st.text(min_size=1), st.integers(1, 5))
def test_characters_and_codes_say_the_same(text, count):
    text = text.encode("utf-8", "ignore").decode() or "é"
    letters, codes = datasets.characters(text)
    assert set(letters) == set(text) and "".join(letters[k] for k in codes) == text
    codes, lengths = datasets.encode([text, letters] * count, letters)
    assert lengths.tolist() == [len(text), len(letters)] * count
    assert datasets.decode(codes, letters, lengths) == [text, letters] * count
    assert codes.shape == (lengths.max(), 2 * count)
