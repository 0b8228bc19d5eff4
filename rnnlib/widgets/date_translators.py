"""Networks that write a day as computers do, as experiments/dates.py trained them.

    letters, networks = stored()
    xs, lengths = encode(["jeudi 31 décembre 1999"], letters)
    model = networks["additive"]
    found = search.greedy(model, xs, lengths, start=START, stop=STOP, max_steps=STEPS)
    write(found.symbols[:, 0])                                          # "1999-12-31"

All are of one seed and have about as many parameters: "none" has a vector between reader and
writer, "dot" and "additive" have attention alone. "additive 100" is "additive" after 100 updates.
"""

from functools import cache

import numpy as np

from rnnlib import results, seq2seq
from rnnlib.attention import AdditiveAttention, ScaledDotAttention
from rnnlib.decoder import Decoder
from rnnlib.gru import GRUCell
from rnnlib.outputs import OutputLayer
from rnnlib.seq2seq import EncoderDecoder

#: what a network reads of its own and writes: eleven letters, "begin" and "end"
SYMBOLS = "-0123456789▸■"
START, STOP = SYMBOLS.index("▸"), SYMBOLS.index("■")
STEPS = 12  # symbols at most: a date has 10, then STOP
HIDDEN_DAY = 20  # every twentieth day, counted from 1 January of the year 1, is in no training
MOMENTS = (0, 50, 100, 200, 400)  # updates after which "additive" is stored as well
DECIMALS = 3  # of the weights that are stored: what is written does not feel it
FILE = "dates_networks"

#: dates of days that are in no training -> the same day as it should be written
HELD_OUT = {
    "jeudi 23 septembre 1976": "1976-09-23",
    "Monday, July 28, 2025": "2025-07-28",
    "1971. április 23., péntek": "1971-04-23",
    "tiistai 17. joulukuuta 2097": "2097-12-17",
    "čtvrtek 15. prosince 2067": "2067-12-15",
    "martedì 29 gennaio 1907": "1907-01-29",
    "martes, 23 de marzo de 1954": "1954-03-23",
    "26.07.1972": "1972-07-26",
    "09.08.2057": "2057-08-09",
}


def encode(texts, letters):
    """Return inputs xs (S, B, D), float32, one column a letter, and lengths (B,) of texts.

    Raises ValueError for an empty text, and for a letter that is not among `letters`.
    """
    place = {letter: k for k, letter in enumerate(letters)}
    lengths = np.array([len(text) for text in texts])
    if not lengths.all():
        raise ValueError("texts: expected no empty one, got one")
    if strange := set("".join(texts)) - place.keys():
        raise ValueError(f"texts: expected letters of the dates, got {min(strange)!r}")
    xs = np.zeros((lengths.max(), len(texts), len(letters)), np.float32)
    for b, text in enumerate(texts):
        xs[np.arange(len(text)), b, [place[letter] for letter in text]] = 1
    return xs, lengths


def answers(days):
    """Return the symbols (T, B) of days such as "1999-12-31", each with STOP after it."""
    return np.array([[*map(SYMBOLS.index, day), STOP] for day in days]).T


def taught(model, xs, lengths, targets):
    """Return the trace of a network that is given the right symbols (T, B), one step late."""
    inputs = seq2seq.teacher_inputs(targets, START, len(SYMBOLS)).astype(np.float32)
    return seq2seq.forward(model, xs, inputs, lengths=lengths)


def write(symbols):
    """Return the text of symbols (T,) up to the first STOP."""
    text = "".join(SYMBOLS[k] for k in symbols)
    return text.partition(SYMBOLS[STOP])[0]


def rows_of(letters, networks):
    """Return the rows of the file that `stored` reads: DECIMALS of every weight."""
    rows = [{"network": "all", "array": "letters", "shape": "", "numbers": letters}]
    for name, model in networks.items():
        rows += [{"network": name} | row for row in results.network_rows(model, DECIMALS)]
    return rows


@cache
def stored():
    """Return (letters, {name: EncoderDecoder}) as rnnlib/data has them."""
    rows = results.load(FILE)
    letters = results.find(rows, network="all")[0]["numbers"]
    names = dict.fromkeys(row["network"] for row in rows if row["network"] != "all")
    return letters, {name: network(rows, name) for name in names}


def network(rows, name):
    """Return the network of a name, float32, from rows of `rows_of`."""
    kind = {"additive": AdditiveAttention.init(1, 1, 1), "dot": ScaledDotAttention()}
    attention = kind.get(name.split()[0])
    H, context = (1, "state") if attention is None else (2, None)
    decoder = Decoder(GRUCell.init(1, 1), OutputLayer.init(H, 1), attention, context)
    like = EncoderDecoder(GRUCell.init(1, 1), decoder)
    return single(results.network(results.find(rows, network=name), like))


def single(model):
    """Return the same network in float32."""
    d = model.decoder
    attention = d.attention and d.attention.astype(np.float32)
    cell, out = d.cell.astype(np.float32), d.out.astype(np.float32)
    return EncoderDecoder(model.encoder.astype(np.float32),
                          Decoder(cell, out, attention, d.context))
