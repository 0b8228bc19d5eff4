"""Seeded synthetic tasks, each a function that returns a `Batch` of sequences with their answers.

    batch     Batch: xs, targets, lengths; the one shape in which every task comes
    letters   one_hot, and "dogs", the four letters of chapter 2
    lags      adding, temporal order, copying, latch: remember something over a gap
    bits      parity; temporal exclusive-or
    reber     the Reber grammar and the embedded one: strings, checker, legal successors
    sentences sentences of two and three words after Elman 1990
    spelling  letters whose sound the letters after them decide, in real words
    lists     nested list operations: expressions as binary trees, with their values

The same arguments and the same seed give the same bits. A number that a network must beat stands
beside its task, as a constant or a function with BASELINE in its name.
"""

from rnnlib.tasks.batch import Batch
from rnnlib.tasks.bits import parity, temporal_xor
from rnnlib.tasks.lags import (
    ADDING_BASELINE,
    COPYING_CLASSES,
    ORDER_CLASSES,
    ORDER_SYMBOLS,
    adding,
    adding_1997,
    copying,
    copying_baseline,
    latch,
    temporal_order,
)
from rnnlib.tasks.letters import DOGS_LETTERS, dogs, one_hot
from rnnlib.tasks.lists import (
    OPERATIONS,
    TOKENS,
    draw_expression,
    evaluate,
    expressions,
    read_expression,
    tokens_of,
    write_expression,
)
from rnnlib.tasks.reber import (
    REBER_SYMBOLS,
    is_reber,
    legal_next,
    legal_successors,
    next_symbols,
    predicts_legal,
    reber_batch,
    reber_strings,
)
from rnnlib.tasks.sentences import (
    TEMPLATES,
    WORD_CLASSES,
    WORDS,
    draw_sentences,
    is_sentence,
    next_words,
)

__all__ = [
    "ADDING_BASELINE",
    "COPYING_CLASSES",
    "DOGS_LETTERS",
    "OPERATIONS",
    "ORDER_CLASSES",
    "ORDER_SYMBOLS",
    "REBER_SYMBOLS",
    "TEMPLATES",
    "TOKENS",
    "WORDS",
    "WORD_CLASSES",
    "Batch",
    "adding",
    "adding_1997",
    "copying",
    "copying_baseline",
    "dogs",
    "draw_expression",
    "draw_sentences",
    "evaluate",
    "expressions",
    "is_reber",
    "is_sentence",
    "latch",
    "legal_next",
    "legal_successors",
    "next_symbols",
    "next_words",
    "one_hot",
    "parity",
    "predicts_legal",
    "read_expression",
    "reber_batch",
    "reber_strings",
    "temporal_order",
    "temporal_xor",
    "tokens_of",
    "write_expression",
]
