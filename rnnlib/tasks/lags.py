"""Tasks that ask for something seen long ago: adding, temporal order, copying, latch.

Each makes its sequences at random; `length` is a whole number, or a pair (shortest, longest) from
which every sequence draws its own, padded with zeros to the longest of the batch.
"""

import numpy as np

from rnnlib import checks
from rnnlib.tasks.batch import Batch, draw_lengths, padded
from rnnlib.tasks.letters import one_hot

#: The mean squared error of always answering 1, the mean, in `adding`: Var(u + v) = 2 · 1/12.
ADDING_BASELINE = 1 / 6

#: The inputs of `temporal_order`: two that matter, four that do not.
ORDER_SYMBOLS = "ABcdef"
#: Its classes: which of A, B came first, and which second. Guessing is right in 1 of 4.
ORDER_CLASSES = ("AA", "AB", "BA", "BB")

#: The categories of `copying`: eight symbols to copy, 0 .. 7, the blank and the delimiter.
COPYING_CLASSES = 10
_BLANK, _DELIMITER = 8, 9


def adding(batch_size, length, *, rng=0):
    """Add the two marked numbers.

        x_t = (u_t, m_t),   u_t ~ uniform(0, 1),   m_t = 1 at two steps, else 0
        target = Σ_t m_t u_t

    One step is marked in the first half and one in the second, so that neither half is enough.
    xs (T, B, 2), targets (1, B, 1); length at least 2. Always answering 1 gives a mean squared
    error of ADDING_BASELINE = 1/6.
    Source: Le, Jaitly and Hinton 2015 (arXiv 1504.00941), after `adding_1997`.
    """
    rng = checks.generator("rng", rng)
    lengths = draw_lengths(batch_size, length, rng, least=2)
    T, sequences = lengths.max(), np.arange(len(lengths))
    xs = np.zeros((T, len(lengths), 2))
    xs[..., 0] = rng.random((T, len(lengths)))
    xs[rng.integers(0, lengths // 2), sequences, 1] = 1
    xs[rng.integers(lengths // 2, lengths), sequences, 1] = 1
    sums = (xs[..., 0] * xs[..., 1]).sum(axis=0)
    return padded(xs, sums[None, :, None], lengths)


def adding_1997(batch_size, length, *, rng=0):
    """The adding problem as first posed.

        x_t = (u_t, m_t),   u_t ~ uniform(-1, 1),   m_t = 1, 0 or -1
        target = 0.5 + (X_1 + X_2) / 4,             X_1, X_2 the u_t with m_t = 1

    X_1 is one of the first ten pairs, X_2 one of the first length/2 - 1 pairs that are left; the
    first and the last pair have the marker -1, and a number marked there counts as 0. Lengths are
    drawn from length .. length + length/10. xs (T, B, 2), targets (1, B, 1); length at least 20.
    An answer counts as right if it is off by less than 0.04. Always answering 0.5 gives a mean
    squared error just below 1/24.
    Source: Hochreiter and Schmidhuber 1997, section 5.4, experiment 4.
    """
    shortest = checks.whole("length", length, least=20)
    rng = checks.generator("rng", rng)
    lengths = draw_lengths(batch_size, (shortest, shortest + shortest // 10), rng)
    T, B, sequences = lengths.max(), len(lengths), np.arange(len(lengths))
    first = rng.integers(0, 10, B)
    second = rng.integers(0, shortest // 2 - 1, B)
    second += second >= first                                       # the place `first` is taken
    xs = np.zeros((T, B, 2))
    xs[..., 0] = rng.uniform(-1, 1, (T, B))
    xs[np.stack([first, second]), sequences, 1] = 1
    xs[0, :, 1] = xs[lengths - 1, sequences, 1] = -1
    sums = (xs[..., 0] * (xs[..., 1] == 1)).sum(axis=0)
    return padded(xs, 0.5 + sums[None, :, None] / 4, lengths)


def temporal_order(batch_size, length, *, rng=0):
    """Say which of A and B was seen first, and which second, among distractors.

    Each sequence has A or B at a step of [L/10, 2L/10) and again at one of [5L/10, 6L/10), counted
    from 0, and one of c, d, e, f everywhere else (ORDER_SYMBOLS). xs (T, B, 6) one-hot;
    targets (1, B), the class AA, AB, BA or BB (ORDER_CLASSES); length at least 10. All four are
    equally likely: guessing is right in 25%.
    Source: Pascanu, Mikolov and Bengio 2013, places as in the authors' published code
    (trainingRNNs, tempOrder.py); after Hochreiter and Schmidhuber 1997, section 5.6, task 6a, whose
    sequences also have a start and a trigger symbol and lengths from 100 to 110.
    """
    rng = checks.generator("rng", rng)
    lengths = draw_lengths(batch_size, length, rng, least=10)
    sequences, tenth = np.arange(len(lengths)), lengths // 10
    symbols = rng.integers(2, 6, (lengths.max(), len(lengths)))
    first, second = rng.integers(0, 2, (2, len(lengths)))
    symbols[tenth + rng.integers(0, tenth), sequences] = first
    symbols[lengths // 2 + rng.integers(0, tenth), sequences] = second
    return padded(one_hot(symbols, len(ORDER_SYMBOLS)), (2 * first + second)[None], lengths)


def copying(batch_size, delay, *, symbols=10, rng=0):
    """Repeat the first symbols after a delay.

        step     1 .. S     then T - 1    then      then S
        input    symbols    blanks        delimiter blanks
        target   blanks     blanks        blank     the symbols, in order

    S = `symbols` are drawn from 8 kinds (classes 0 .. 7; the blank is 8, the delimiter 9) and
    T = `delay`, at least 1. xs (T + 2S, B, 10) one-hot, targets (T + 2S, B). See
    `copying_baseline`.
    Source: Arjovsky, Shah and Bengio 2016, after Hochreiter and Schmidhuber 1997.
    """
    batch_size = checks.whole("batch_size", batch_size)
    delay, symbols = checks.whole("delay", delay), checks.whole("symbols", symbols)
    shown = checks.generator("rng", rng).integers(0, _BLANK, (symbols, batch_size))
    seen = np.full((delay + 2 * symbols, batch_size), _BLANK)
    targets = seen.copy()
    seen[:symbols], targets[-symbols:] = shown, shown
    seen[symbols + delay - 1] = _DELIMITER
    return Batch(one_hot(seen, COPYING_CLASSES), targets)


def copying_baseline(delay, *, symbols=10):
    """The cross-entropy per step of the best answers without memory, in nats.

        S ln 8 / (T + 2S)

    Blanks until the delimiter, then a uniform guess among 8. Summed over the steps, as
    `losses.softmax_cross_entropy` does, it is S ln 8 for any delay.
    """
    delay, symbols = checks.whole("delay", delay), checks.whole("symbols", symbols)
    return symbols * np.log(8) / (delay + 2 * symbols)


def latch(batch_size, length, *, shown=1, noise=0.2**0.5, rng=0):
    """Keep one bit while noise comes in.

        x_t = +1 (class 1) or -1 (class 0)      the first `shown` steps
        x_t ~ normal(0, noise²)                 after that

    xs (T, B, 1), targets (1, B), both classes equally likely; length at least shown + 1. The lag is
    length - shown: vary it. With `noise` = 0 the gap is silent.
    Source: the latching task of Bengio, Simard and Frasconi 1994, section II, there with inputs
    that are learned; in this form, with noise of variance 0.2 and shown = 1 or 3, task 3a of
    Hochreiter and Schmidhuber 1997, section 5.3. Guessing weights at random solves it (ibid.).
    """
    shown = checks.whole("shown", shown)
    noise = checks.number("noise", noise, least=0)
    rng = checks.generator("rng", rng)
    lengths = draw_lengths(batch_size, length, rng, least=shown + 1)
    classes = rng.integers(0, 2, len(lengths))
    xs = rng.normal(0, noise, (lengths.max(), len(lengths), 1))
    xs[:shown] = (2 * classes - 1)[:, None]
    return padded(xs, classes[None], lengths)
