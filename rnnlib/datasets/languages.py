"""Names of countries, places and languages, as twenty languages write them."""

from functools import cache

import numpy as np

from rnnlib import checks
from rnnlib.datasets.carried import missing
from rnnlib.datasets.letters import alphabet
from rnnlib.datasets.samples import Texts

#: Twenty languages in Latin script, of many families and with some close neighbours.
LOCALES = (
    "cs", "cy", "da", "de", "en", "es", "et", "eu", "fi", "fr",
    "hu", "is", "it", "lt", "nl", "pl", "pt", "ro", "sv", "tr",
)


def names(locales=LOCALES, *, unique=True):
    """Which language is this word? Names of places and languages: `Texts`.

    texts (N,): "Germany", "Deutsch", "Allemagne", ...; labels (N,) of `classes`, the languages by
    their English names, in the order of `locales` (codes that Babel knows: "de", "pt", "zh").
    `unique` keeps the names that only one of the languages has; otherwise "Malta" comes again for
    each language that writes it so, and has no one answer. By default 10,079 names of 18,137, up
    to 63 characters long, of 319 (Danish) to 787 (Lithuanian) a language.

    Capitals tell something (Italian writes "tedesco", English "German"), and so do the letters
    that only one language has. `split` keeps a name to one side.

    Source: Unicode CLDR, licensed under the Unicode License v3, in Babel (BSD licence).
    """
    checks.instance("unique", unique, bool, "True or False")
    return _names(words("locales", locales), unique)


@cache
def _names(locales, unique):
    every = [locale(code) for code in locales]
    sets = [{*one.territories.values(), *one.languages.values()} for one in every]
    pairs = [(name, k) for k, words in enumerate(sets) for name in sorted(words)]
    texts = np.array([name for name, _ in pairs])
    labels = np.array([k for _, k in pairs])
    if unique:
        _, place, count = np.unique(texts, return_inverse=True, return_counts=True)
        texts, labels = texts[count[place] == 1], labels[count[place] == 1]
    return Texts(labels, tuple(one.english_name for one in every), texts, alphabet(texts))


def words(name, value):
    """A tuple of different words, at least one."""
    checks.instance(name, value, (tuple, list), "a list of words")
    for word in value:
        checks.instance(name, word, str, "a list of words")
    if not value or len(set(value)) < len(value):
        raise ValueError(f"{name}: expected different words, at least one, got {value}")
    return tuple(value)


def locale(code):
    """What Babel knows of the language of this code."""
    try:
        from babel import Locale, UnknownLocaleError
    except ImportError as error:
        raise missing("babel", '"rnnlib[data]"') from error
    try:
        return Locale.parse(code)
    except (ValueError, UnknownLocaleError) as error:
        raise ValueError(f"locales: expected codes that Babel knows, got {code!r}") from error
