"""Networks that read a few digits and write them, as experiments/exposure.py makes them.

    model = stored()["round and round", "teacher"]
    xs, lengths = encode([[4, 7, 1]])
    found = write(model, xs, lengths, given=np.full((10, 1), OWN))      # found.symbols (10, 1)

Two tasks, for an encoder-decoder without attention: the encoder's last state is all that the
decoder knows of the digits.

    list              six digits, any: write them
    round and round   three or four different digits: write 4 7 1 as 4 7 1 4 7 1 4 7 1 4
"""

from functools import cache

import numpy as np

from rnnlib import checks, results, search, seq2seq
from rnnlib.records import leaves, rebuild
from rnnlib.seq2seq import EncoderDecoder

DIGITS, START = 10, 10  # the symbols 0 .. 9, and the one that comes before the first
OWN = -1  # in the place of a digit: the network writes its own
#: task -> (fewest digits, most digits, how many are written)
TASKS = {"list": (6, 6, 6), "round and round": (3, 4, 10)}
#: how a network was trained, by what it was given of its own
REGIMES = ("teacher", "scheduled", "own")
HIDDEN, DECIMALS, FILE = 40, 3, "exposure_networks"


def draw(task, count, rng, *, held_out=False):
    """Return `count` random lists of digits for a task.

    Those whose sum is a multiple of 5 are held out: `held_out` gives these alone, else none.
    """
    fewest, most, _ = TASKS[task]
    found = []
    while len(found) < count:
        sizes = rng.integers(fewest, most, count, endpoint=True)
        if task == "list":
            rows = rng.integers(DIGITS, size=(count, most))
        else:
            rows = rng.permuted(np.tile(np.arange(DIGITS), (count, 1)), axis=1)
        cut = [digits[:size] for digits, size in zip(rows, sizes, strict=True)]
        found += [digits for digits in cut if (digits.sum() % 5 == 0) == held_out]
    return found[:count]


def encode(lists):
    """Return xs (S, B, 10) float32, a digit a step, and lengths (B,)."""
    lengths = np.array([len(digits) for digits in lists])
    xs = np.zeros((lengths.max(), len(lists), DIGITS), np.float32)
    for b, digits in enumerate(lists):
        xs[np.arange(len(digits)), b, digits] = 1
    return xs, lengths


def asked(task, lists):
    """Return the digits to be written, (T, B): from the first on again after the last."""
    T = TASKS[task][2]
    return np.stack([np.resize(digits, T) for digits in lists], axis=1)


def network(rng):
    """Return an untrained one, float32."""
    model = EncoderDecoder.init(DIGITS, HIDDEN, DIGITS + 1, rng=rng)
    arrays = {path: array.astype(np.float32) for path, array in leaves("model", model).items()}
    return rebuild("model", model, arrays)


def write(model, xs, lengths, given, *, rng=None):
    """Let a network write, with some digits put into its mouth; return `search.Found`.

    given (T, B): a digit, or OWN where it writes its most likely one; with a Generator `rng`, one
    drawn as it finds them likely. It reads next what stands there in the end, whoever put it there.
    """
    T, B = given.shape
    given = checks.classes("given", given - OWN, given.shape, DIGITS + 1) + OWN
    _, source = seq2seq.encode(model, xs, lengths=lengths)
    step, state = search.decoder_step(model.decoder, **source, batch=B, dtype=np.float32)
    rows = iter(given)

    def choose(log_p):
        now = next(rows)
        noise = 0 if rng is None else rng.gumbel(size=log_p.shape)   # its argmax is a draw
        return np.where(now == OWN, (log_p + noise).argmax(axis=1), now)

    return search.follow(step, state, np.full(B, START), stop=None, max_steps=T, choose=choose)


def slipped(targets, place, wrong):
    """Return `given` (T, B) for `write`: right up to `place`, then `wrong` (B,), then its own.

    place counts from 1; at place 0 nothing is given, and there is no slip.
    """
    given = np.full_like(targets, OWN)
    if place:
        given[: place - 1] = targets[: place - 1]
        given[place - 1] = wrong
    return given


def rows_of(models):
    """Return the rows of the file that `stored` reads; models: {(task, regime): network}."""
    return [{"task": task, "regime": regime} | row for (task, regime), model in models.items()
            for row in results.network_rows(model, DECIMALS)]


@cache
def stored():
    """Return {(task, regime): network} as rnnlib/data has them, float32."""
    rows, like = results.load(FILE), network(0)
    return {(task, regime): results.network(results.find(rows, task=task, regime=regime), like)
            for task in TASKS for regime in REGIMES}
