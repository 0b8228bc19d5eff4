"""Sentences of two and three words: nouns and verbs whose classes only their order betrays.

A sentence fills a template, such as NOUN-HUM VERB-EAT NOUN-FOOD, with words of its classes: "woman
eat sandwich". The network reads one word after another, with nothing between sentences, and
foretells the next. Every word is one vector among 29: all that makes "dog" like "cat" is where
they may stand.

Source: Elman 1990, the classes of table 3 and the templates of table 4. The table gives two words
of a class as examples; the others are placed by his figure 7.
"""

from itertools import chain

import numpy as np

from rnnlib import checks
from rnnlib.tasks.batch import Batch
from rnnlib.tasks.letters import one_hot

#: The words of each class; "break" and "see" stand in two.
WORD_CLASSES = {
    "NOUN-HUM": ("man", "woman", "boy", "girl"),
    "NOUN-ANIM": ("cat", "mouse", "dog"),
    "NOUN-INANIM": ("book", "rock", "car"),
    "NOUN-AGRESS": ("dragon", "monster", "lion"),
    "NOUN-FRAG": ("glass", "plate"),
    "NOUN-FOOD": ("cookie", "bread", "sandwich"),
    "VERB-INTRAN": ("think", "sleep", "exist"),
    "VERB-TRAN": ("see", "chase", "like"),
    "VERB-AGPAT": ("move", "break"),
    "VERB-PERCEPT": ("smell", "see"),
    "VERB-DESTROY": ("break", "smash"),
    "VERB-EAT": ("eat",),
}

#: The sixteen kinds of sentence, all equally likely.
TEMPLATES = (
    ("NOUN-HUM", "VERB-EAT", "NOUN-FOOD"),
    ("NOUN-HUM", "VERB-PERCEPT", "NOUN-INANIM"),
    ("NOUN-HUM", "VERB-DESTROY", "NOUN-FRAG"),
    ("NOUN-HUM", "VERB-INTRAN"),
    ("NOUN-HUM", "VERB-TRAN", "NOUN-HUM"),
    ("NOUN-HUM", "VERB-AGPAT", "NOUN-INANIM"),
    ("NOUN-HUM", "VERB-AGPAT"),
    ("NOUN-ANIM", "VERB-EAT", "NOUN-FOOD"),
    ("NOUN-ANIM", "VERB-TRAN", "NOUN-ANIM"),
    ("NOUN-ANIM", "VERB-AGPAT", "NOUN-INANIM"),
    ("NOUN-ANIM", "VERB-AGPAT"),
    ("NOUN-INANIM", "VERB-AGPAT"),
    ("NOUN-AGRESS", "VERB-DESTROY", "NOUN-FRAG"),
    ("NOUN-AGRESS", "VERB-EAT", "NOUN-HUM"),
    ("NOUN-AGRESS", "VERB-EAT", "NOUN-ANIM"),
    ("NOUN-AGRESS", "VERB-EAT", "NOUN-FOOD"),
)

#: All 29 words, in the order of their classes; a word's place is its class in `next_words`.
WORDS = tuple(dict.fromkeys(chain.from_iterable(WORD_CLASSES.values())))


def draw_sentences(n=10_000, *, rng=0):
    """Draw n sentences: a tuple of tuples of words.

    The template and then each word of its class are drawn uniformly. A sentence has 2.75 words on
    average.
    """
    n, rng = checks.whole("n", n), checks.generator("rng", rng)
    templates = rng.integers(0, len(TEMPLATES), n).tolist()
    places = rng.random((n, 3)).tolist()
    return tuple(
        tuple(
            WORD_CLASSES[name][int(place * len(WORD_CLASSES[name]))]
            for name, place in zip(TEMPLATES[template], where, strict=False)
        )
        for template, where in zip(templates, places, strict=True)
    )


def is_sentence(words):
    """Does a tuple or list of words fill one of the templates?"""
    words = checks.instance("words", words, (tuple, list), "a tuple or list of words")
    return any(
        len(words) == len(template)
        and all(w in WORD_CLASSES[name] for w, name in zip(words, template, strict=True))
        for template in TEMPLATES
    )


def next_words(n=10_000, *, rng=0):
    """Read n sentences without a break, one word a step, and foretell the next word.

    xs (T, 1, 29) one-hot, targets (T, 1), the word that follows, as its place in WORDS; T is one
    less than the number of words. 10,000 sentences have about 27,500 (Elman's had 27,534).
    """
    place = {word: i for i, word in enumerate(WORDS)}
    stream = np.array([place[word] for word in chain.from_iterable(draw_sentences(n, rng=rng))])
    return Batch(one_hot(stream[:-1, None], len(WORDS)), stream[1:, None].copy())
