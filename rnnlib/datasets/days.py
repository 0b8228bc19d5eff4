"""Days, as people write them in several languages, and as computers do."""

import datetime
from functools import cache

import numpy as np

from rnnlib import checks
from rnnlib.datasets.languages import locale, words
from rnnlib.datasets.letters import alphabet
from rnnlib.datasets.samples import Dates

LOCALES = ("cs", "de", "en", "es", "fi", "fr", "hu", "it", "nl", "pl", "pt", "sv")
FORMATS = ("full", "long", "medium")
FIRST, LAST = datetime.date(1900, 1, 1), datetime.date(2099, 12, 31)


def dates(n, *, locales=LOCALES, formats=FORMATS, first=FIRST, last=LAST, rng=0):
    """`n` random days: "jeudi 31 décembre 1999" and its target "1999-12-31"; `Dates`.

    Day, language and format are drawn each on its own, evenly; days between `first` and `last`,
    both included. labels (N,) of `classes`: the languages. `formats` are among Babel's "full",
    "long" and "medium". Its "short" is left out: 1/2/26 is January in one country and February in
    the next, and of no century. Without it no text says two days.

    `letters`, the alphabet, is that of the languages and formats, whatever days were drawn: batch
    after batch can be drawn from one Generator and encoded alike. `split` keeps a day to one side.

    Source: the formats, months and weekdays of Unicode CLDR (Unicode License v3), in Babel (BSD).
    """
    n, rng = checks.whole("n", n), checks.generator("rng", rng)
    formats = tuple(checks.choice("formats", kind, FORMATS) for kind in words("formats", formats))
    if not (type(first) is type(last) is datetime.date and first <= last):
        raise ValueError(f"first, last: expected two days in order, got {first} and {last}")
    every, letters = _letters(words("locales", locales), formats)
    ordinals = rng.integers(first.toordinal(), last.toordinal(), n, endpoint=True)
    days = [datetime.date.fromordinal(int(ordinal)) for ordinal in ordinals]
    labels, kinds = rng.integers(len(every), size=n), rng.integers(len(formats), size=n)
    texts = [_write(d, formats[f], every[k]) for d, k, f in zip(days, labels, kinds, strict=True)]
    classes = tuple(one.english_name for one in every)
    targets = np.array([day.isoformat() for day in days])
    return Dates(labels, classes, np.array(texts), letters, targets)


@cache
def _letters(locales, formats):
    """What Babel knows of the languages, and the letters of every date in them."""
    every = tuple(locale(code) for code in locales)
    january = [datetime.date(2026, 1, day) for day in range(1, 32)]  # all weekdays, all digits
    months = [datetime.date(2026, month, 1) for month in range(2, 13)]
    return every, alphabet(
        [_write(day, kind, one) for day in january + months for kind in formats for one in every]
    )


def _write(day, kind, one):
    from babel.dates import format_date

    return format_date(day, kind, one)
