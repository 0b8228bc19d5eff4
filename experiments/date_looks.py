"""Where the attention of a date's translator looks, and whether it needs what it looks at.

    found = looks(model, letters, dates)        # a measure of LOOKS -> its mean for each of DIGITS

Needs Babel, which knows the name of a month. Used by experiments/dates.py.
"""

import datetime
import re

import numpy as np
from babel.dates import format_date

from rnnlib import datasets, losses
from rnnlib.datasets.days import LOCALES
from rnnlib.widgets import date_translators as book

#: place of a digit in 1999-12-31 -> what it says
DIGITS = {0: "year", 1: "year", 2: "year", 3: "year", 5: "month", 6: "month", 8: "day", 9: "day"}
LOOKS = ("weight", "most", "own", "blind", "erased", "another", "agrees")


def field(text, day, locale):
    """(the letters' places of year, month and day) in a text: three slices, by name."""
    date, one = datetime.date.fromisoformat(day), datasets.languages.locale(locale)
    names = {format_date(date, kind, one) for kind in ("MMMM", "MMM", "LLLL", "LLL")}
    numbers = [slice(*found.span()) for found in re.finditer(r"\d+", text)]
    year = max(numbers, key=lambda place: place.stop - place.start)
    rest = [place for place in numbers if place != year]        # the day stands before the month
    if len(rest) == 2:
        month = rest[1]
    else:
        name = max((name for name in names if name in text), key=len)
        month = slice(text.rindex(name), text.rindex(name) + len(name))
    return {"year": year, "month": month, "day": rest[0]}


def looks(model, letters, dates):
    """For every measure of LOOKS (DIGITS,): means over dates whose writer is taught.

    weight: of the attention, on the letters that say what the digit says; most: how often the
    letter looked at most is among these; own: how often it is that very digit of the text, where
    that has it; blind, erased, another: how often the digit comes out otherwise; agrees: how often
    the letter looked at most is the one without which the digit's probability is least.
    """
    found = {name: [] for name in LOOKS}
    for b in range(len(dates)):
        one = _looks_at(model, letters, dates.take([b]))
        for name in LOOKS:
            found[name].append(one[name])
    with np.errstate(invalid="ignore"):
        return {name: _mean_of_known(np.array(values, float)) for name, values in found.items()}


def _looks_at(model, letters, date):
    """The measures of one date, each (DIGITS,); nan where there is no such thing."""
    text, day = str(date.texts[0]), str(date.targets[0])
    xs, lengths = book.encode([text], letters)
    targets = book.answers([day])
    trace, places = book.taught(model, xs, lengths, targets), np.array(list(DIGITS))
    weights, said = trace.attention.weights[places, 0], trace.logits[places, 0].argmax(-1)
    most, n = weights.argmax(-1), len(text)
    without = np.repeat(xs, n, axis=1)
    without[np.arange(n), np.arange(n)] = 0                     # copy s lacks letter s
    log_p = losses.log_softmax(book.taught(
        model, without, [n] * n, np.repeat(targets, n, axis=1)).logits[places])  # (DIGITS, n, K)
    changed = log_p.argmax(-1) != said[:, None]
    rows, fields = np.arange(len(places)), field(text, day, LOCALES[date.labels[0]])
    own = [_own(text, fields[what], place) for place, what in DIGITS.items()]
    inside = np.array([np.isin(np.arange(n), np.r_[fields[what]]) for what in DIGITS.values()])
    erased = changed[rows, most]
    return {
        "weight": (weights * inside).sum(-1),
        "most": inside[rows, most],
        "own": np.where(np.isnan(own), np.nan, most == own),
        "blind": _unseeing(model, trace, places, most).argmax(-1) != said,
        "erased": erased,
        "another": (changed.sum(-1) - erased) / (n - 1),
        "agrees": log_p[rows, :, said].argmin(-1) == most,
    }


def _own(text, place, digit):
    """The place in a text of a digit of the output, nan where the text has no such letter."""
    width, count = (4, digit) if digit < 4 else (2, (digit - 5) % 3)
    whole = place.stop - place.start == width and text[place].isdigit()
    return place.start + count if whole else np.nan


def _unseeing(model, trace, places, most):
    """The logits (DIGITS, K) where each digit's attention may not see one letter."""
    H, weights = model.decoder.cell.output_size, trace.attention.weights[places, 0].copy()
    weights[np.arange(len(places)), most] = 0
    contexts = weights / weights.sum(-1, keepdims=True) @ trace.attention.keys[:, 0]
    read = np.concatenate([trace.decoder.read[places, 0, :H], contexts], axis=-1)
    return model.decoder.out.logits(read[:, None])[:, 0]


def _mean_of_known(values):
    """The mean of each column over what is not nan; nan where all is."""
    known = ~np.isnan(values)
    return np.where(known, values, 0).sum(axis=0) / known.sum(axis=0)
