"""Three recurrent networks that say which language a word is of, as experiments/languages.py made.

    letters, languages, networks = stored()
    log_belief(networks["both"], *encode(["Deutschland"], letters))     # (1, 20)

One reads from the first letter to the last, one from the last to the first, one both ways.
"""

from functools import cache

import numpy as np

from rnnlib import results
from rnnlib.bidirectional import Bidirectional
from rnnlib.gru import GRUCell
from rnnlib.losses import log_softmax
from rnnlib.outputs import OutputLayer
from rnnlib.unroll import forward

#: the networks, by the direction in which they read
DIRECTIONS = ("forward", "backward", "both")
DECIMALS = 3  # of the weights that are stored: the accuracy does not feel it
FILE = "languages_networks"


def small(text):
    """Return the text in small letters, each for one of its own ("İ" has none, and stays)."""
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)


def encode(texts, letters):
    """Return inputs xs (T, B, D), float32, and lengths (B,) of texts; D = len(letters) + 2.

    One column for each of `letters`, small ones, the next for any other letter, and the last,
    beside it, for a capital: the names of a language in Italian are small, in English they are not.
    """
    place = {letter: k for k, letter in enumerate(letters)}
    lengths = np.array([len(text) for text in texts])
    xs = np.zeros((lengths.max(), len(texts), len(letters) + 2), np.float32)
    for b, text in enumerate(texts):
        for t, (letter, low) in enumerate(zip(text, small(text), strict=True)):
            xs[t, b, place.get(low, len(letters))] = 1
            xs[t, b, -1] = letter != low
    return xs, lengths


def hide(xs, hidden):
    """Return inputs in which the letters at hidden (T, B), True or False, are unreadable.

    Each is shown as "any other letter"; whether it is a capital stays to be seen.
    """
    xs = xs.copy()
    xs[hidden, :-1] = 0
    xs[hidden, -2] = 1
    return xs


def turned(texts, direction):
    """Return the texts as the network of this direction takes them: for "backward", from the end.

    "both" takes them as they are: its second cell turns them itself.
    """
    return [text[::-1] for text in texts] if direction == "backward" else list(texts)


def log_belief(network, xs, lengths):
    """Return log ŷ (B, K), of the state in which a network (cell, out) has read each text whole."""
    cell, out = network
    return log_softmax(out.logits(forward(cell, xs, lengths=lengths).h_end[None])[0])


def rows_of(letters, languages, networks):
    """Return the rows of the file that `stored` reads: DECIMALS of every weight."""
    rows = [{"network": "all", "array": "letters", "shape": "", "numbers": letters},
            {"network": "all", "array": "languages", "shape": "", "numbers": ",".join(languages)}]
    for direction, params in networks.items():
        rows += [{"network": direction} | row for row in results.network_rows(params, DECIMALS)]
    return rows


@cache
def stored():
    """Return (letters, languages, {direction: (cell, out)}) as rnnlib/data has them."""
    rows = results.load(FILE)
    letters, languages = (row["numbers"] for row in results.find(rows, network="all"))
    networks = {direction: network(rows, direction) for direction in DIRECTIONS}
    return letters, tuple(languages.split(",")), networks


def network(rows, direction):
    """Return the (cell, out) of a direction, float32, from rows of `rows_of`."""
    cell, out = GRUCell.init(1, 1), OutputLayer.init(1, 1)
    cell = Bidirectional(cell, cell) if direction == "both" else cell
    like = cell.astype(np.float32), out.astype(np.float32)
    return results.network(results.find(rows, network=direction), like)
