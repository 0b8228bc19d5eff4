"""A novel to read letter by letter: Alice's Adventures in Wonderland, by Lewis Carroll (1865).

In the public domain: the author died in 1898. The words are those of alice29.txt of the Canterbury
corpus, a plain text of the book that was first typed for Project Gutenberg, as the source archive
of brotli 1.2.1 carries it. alice.txt is the work alone, from "CHAPTER I" to "THE END". Changed:

- left out: the title, the name of the edition, rows of asterisks, underscores for italics, and the
  editor's two additions from later editions (the bracketed verses of chapter X);
- a paragraph is one line, a blank line between two; verse keeps its lines, not its indentation;
- one space where there were several; ' and " for all quotation marks.
"""

from functools import cache
from importlib.resources import files

import numpy as np

from rnnlib import checks
from rnnlib.datasets.letters import alphabet


@cache
def text():
    """Alice's Adventures in Wonderland: one string of 142,474 characters, 65 different ones.

    Twelve chapters, in English, without digits. Cut it with `parts`. Source and licence: see the
    module.
    """
    return files("rnnlib.datasets").joinpath("alice.txt").read_text(encoding="utf-8")


def characters(text):
    """(letters, codes): the alphabet of a text, and its characters as whole numbers (N,).

        letters[codes[n]] == text[n]

    Take the alphabet from the whole text before cutting it, so that the codes of its parts agree.
    """
    if not checks.instance("text", text, str, "a text"):
        raise ValueError("text: expected at least one character, got none")
    letters = alphabet([text])
    points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    return letters, np.searchsorted([ord(letter) for letter in letters], points)
