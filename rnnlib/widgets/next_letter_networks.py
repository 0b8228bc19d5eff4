"""The networks of the figure `next_letter`, read from what experiments/soft_letters.py wrote."""

from functools import cache

import numpy as np

from rnnlib import reading, results
from rnnlib.tasks.spelling import SPELLING_LETTERS, soft_c, tagging

SEED = 0
WORDS = ("circus", "accident", "bicycle", "practice", "concert", "vacancy")  # each c another
#: reader -> how many steps after its letter the answer is due
READERS = {"one direction": 0, "one letter late": 1, "both directions": 0}
BOTH = "both directions"


@cache
def network(reader):
    """(cell, out) of a reader, trained on other words than `WORDS`."""
    like = reading.reader(len(SPELLING_LETTERS), 2, reading.TAG_PARAMETERS, both=reader == BOTH)
    return results.network(results.find(results.load("soft_letters_networks"), reader=reader), like)


@cache
def seen(reader, word, place):
    """(trace, log-odds of soft, influence (T,)) of the c at this place of the word.

    The influence of the input of a step is ‖d(log-odds)/dx‖, by backward; a late reader has one
    step after the last letter.
    """
    delay = READERS[reader]
    batch = tagging([word], soft_c, delay=delay)
    trace, odds, dxs = reading.log_odds(network(reader), batch, place + delay)
    return trace, odds, np.linalg.norm(dxs[:, 0], axis=-1)
