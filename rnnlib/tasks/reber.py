"""The Reber grammar and the embedded Reber grammar: strings, a checker, legal successors.

A string is a walk through a small automaton from its start to its end; at a fork both ways are
equally likely. The embedded grammar puts a Reber string between two letters that must agree,

    B T <Reber string> T E     or     B P <Reber string> P E,

so that whoever foretells the last letter but one has kept the second. A Reber string has 5 letters
or more, 8 on average; an embedded one 4 more.

Source: Hochreiter and Schmidhuber 1997, section 5.1, experiment 1, with its criterion of success
(`predicts_legal`).
"""

import numpy as np

from rnnlib import checks
from rnnlib.tasks.batch import padded
from rnnlib.tasks.letters import one_hot

#: The alphabet; a letter's place in it is its class.
REBER_SYMBOLS = "BTSXPVE"

_REBER = (  # for each state, the letters that may come and the states to which they lead
    {"B": 1},
    {"T": 2, "P": 3},
    {"S": 2, "X": 4},
    {"T": 3, "V": 5},
    {"X": 3, "S": 6},
    {"P": 4, "V": 6},
    {"E": 7},
    {},
)


def _embedded():
    """States 0 and 1, one Reber automaton for T and one for P (from 2 and 10), then 18 and 19."""
    copies = []
    for letter, start in (("T", 2), ("P", 10)):
        copies += [{s: start + to for s, to in moves.items()} for moves in _REBER[:-1]]
        copies.append({letter: 18})
    return ({"B": 1}, {"T": 2, "P": 10}, *copies, {"E": 19}, {})


_GRAMMARS = {False: _REBER, True: _embedded()}


def reber_strings(n, *, embedded=False, rng=0):
    """Draw n strings of the (embedded) grammar, as a tuple."""
    n, states = checks.whole("n", n), _grammar(embedded)
    rng = checks.generator("rng", rng)
    end = len(states) - 1
    forks = [2 * list(moves.items()) for moves in states[:-1]] + [2 * [("", end)]]
    letters = np.array([[letter for letter, _ in ways[:2]] for ways in forks])
    leads_to = np.array([[state for _, state in ways[:2]] for ways in forks])
    state, columns = np.zeros(n, dtype=int), []
    while (state != end).any():
        way = rng.integers(0, 2, n)
        columns.append(letters[state, way])
        state = leads_to[state, way]
    return tuple("".join(row) for row in np.stack(columns, axis=1).tolist())


def legal_next(prefix, *, embedded=False):
    """The letters that may follow `prefix`, in the order of REBER_SYMBOLS; "" after a whole string.

    Raises ValueError if no string of the grammar begins like this.
    """
    states = _grammar(embedded)
    state = _walk(states, checks.instance("prefix", prefix, str, "a string of letters"))
    if state is None:
        raise ValueError(f"prefix: expected the beginning of a string of the grammar, got {prefix}")
    return "".join(sorted(states[state], key=REBER_SYMBOLS.index))


def is_reber(string, *, embedded=False):
    """Is this a whole string of the (embedded) grammar?"""
    states = _grammar(embedded)
    string = checks.instance("string", string, str, "a string of letters")
    return _walk(states, string) == len(states) - 1


def reber_batch(batch_size, *, embedded=False, rng=0):
    """Read a string and foretell its next letter at every step: see `next_symbols`."""
    batch_size = checks.whole("batch_size", batch_size)
    return next_symbols(reber_strings(batch_size, embedded=embedded, rng=rng))


def next_symbols(strings):
    """A Batch of strings over REBER_SYMBOLS: all letters but the last are read, one at a time.

    xs (T, B, 7) one-hot, targets (T, B) the letter that follows, lengths (B,) one less than those
    of the strings, which have at least two letters and may be of any grammar.
    """
    strings = _checked_strings(strings)
    lengths = np.array([len(string) - 1 for string in strings])
    width = lengths.max() + 1
    codes = [[REBER_SYMBOLS.index(s) for s in string.ljust(width, "B")] for string in strings]
    codes = np.array(codes).T                                       # padding of any letter
    return padded(one_hot(codes[:-1], len(REBER_SYMBOLS)), codes[1:], lengths)


def legal_successors(strings, *, embedded=False):
    """(T, B, 7), True for each letter that may come where `next_symbols` asks for the next one.

    In the padding all are False. Raises ValueError for a string that is not of the grammar.
    """
    states, strings = _grammar(embedded), _checked_strings(strings)
    legal = np.zeros((max(map(len, strings)) - 1, len(strings), len(REBER_SYMBOLS)), dtype=bool)
    for b, string in enumerate(strings):
        if not is_reber(string, embedded=embedded):
            raise ValueError(f"strings: expected strings of the grammar, got {string}")
        state = 0
        for t, letter in enumerate(string[:-1]):
            state = states[state][letter]
            legal[t, b, [REBER_SYMBOLS.index(s) for s in states[state]]] = True
    return legal


def predicts_legal(logits, legal):
    """(T, B), True where every legal letter is more active than every other one.

    logits (T, B, 7); legal as from `legal_successors`; True in the padding. A string counts as
    predicted if all of its steps are (Hochreiter and Schmidhuber 1997, section 5.1).
    """
    logits = checks.array("logits", logits, ("T", "B", len(REBER_SYMBOLS)))
    legal = checks.booleans("legal", legal, logits.shape)
    least_legal = np.where(legal, logits, np.inf).min(axis=-1)
    return least_legal > np.where(legal, -np.inf, logits).max(axis=-1)


def _grammar(embedded):
    return _GRAMMARS[checks.instance("embedded", embedded, bool, "True or False")]


def _walk(states, letters):
    """The state after the letters, or None if one of them has no way on."""
    state = 0
    for letter in letters:
        state = states[state].get(letter)
        if state is None:
            return None
    return state


def _checked_strings(strings):
    checks.instance("strings", strings, (tuple, list), "a tuple or list of strings")
    for string in strings:
        checks.instance("strings", string, str, "a tuple or list of strings")
        if len(string) < 2 or set(string) - set(REBER_SYMBOLS):
            raise ValueError(
                f"strings: expected two or more of the letters {REBER_SYMBOLS}, got {string!r}"
            )
    if not strings:
        raise ValueError("strings: expected at least one string, got none")
    return strings
