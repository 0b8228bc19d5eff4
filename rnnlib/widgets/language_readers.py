"""Three recurrent networks that say which language a word is of, as experiments/languages.py made.

    letters, languages, networks = stored()
    belief(networks["both"], encode(["Deutschland"], letters))      # (1, 20), sums to 1

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
PARTS = {"forward": ("cell",), "backward": ("cell",), "both": ("ahead", "back")}
PER_UNIT = 1000  # weights are stored as whole thousandths: the accuracy does not feel it
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


def belief(network, xs, lengths):
    """Return ŷ (B, K): the probability of every language, each text read whole."""
    return np.exp(log_belief(network, xs, lengths))


def rows_of(letters, languages, networks):
    """Return the rows of the file that `stored` reads."""
    rows = [{"network": "all", "array": "letters", "row": 0, "thousandths": letters},
            {"network": "all", "array": "languages", "row": 0, "thousandths": ",".join(languages)}]
    for direction, (cell, out) in networks.items():
        parts = cell.parts() if direction == "both" else {"cell": cell}
        for part, record in {**parts, "out": out}.items():
            for name, array in record.fields().items():
                whole = np.rint(np.atleast_2d(array) * PER_UNIT).astype(int)
                rows += [{"network": direction, "array": f"{part}.{name}", "row": k,
                          "thousandths": " ".join(map(str, row))} for k, row in enumerate(whole)]
    return rows


@cache
def stored():
    """Return (letters, languages, {direction: (cell, out)}) as rnnlib/data has them."""
    found = {}
    for row in results.load(FILE):
        found.setdefault((row["network"], row["array"]), []).append(row["thousandths"])
    networks = {direction: _network(found, direction) for direction in DIRECTIONS}
    (letters,), (languages,) = found["all", "letters"], found["all", "languages"]
    return letters, tuple(languages.split(",")), networks


def _network(found, direction):
    cells = [_record(GRUCell, found, direction, part) for part in PARTS[direction]]
    out = _record(OutputLayer, found, direction, "out")
    return (Bidirectional(*cells) if direction == "both" else cells[0]), out


def _record(kind, found, direction, part):
    arrays = {}
    for name, shape in kind.SHAPES.items():
        rows = found[direction, f"{part}.{name}"]
        array = np.array([row.split() for row in rows], np.float32) / np.float32(PER_UNIT)
        arrays[name] = array if len(shape) == 2 else array[0]
    return kind(**arrays)
