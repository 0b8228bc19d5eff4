"""Tasks on bits: parity, and Elman's temporal exclusive-or."""

import numpy as np

from rnnlib import checks, elman
from rnnlib.tasks.batch import Batch, draw_lengths, padded


def parity(batch_size, length, *, at_end=False, rng=0):
    """Is the number of ones so far odd?

        target_t = (x_1 + ... + x_t) mod 2

    The bits are fair coins. xs (T, B, 1) of 0 and 1; targets (T, B), or (1, B) with `at_end`, the
    parity of the whole sequence. `length` is a whole number or a pair (shortest, longest). Whoever
    misses a single bit is left with guessing, right in 50%.
    """
    at_end = checks.instance("at_end", at_end, bool, "True or False")
    rng = checks.generator("rng", rng)
    lengths = draw_lengths(batch_size, length, rng)
    bits = rng.integers(0, 2, (lengths.max(), len(lengths)))
    targets = bits.cumsum(axis=0) % 2
    if at_end:
        targets = targets[lengths - 1, np.arange(len(lengths))][None]
    return padded(bits[..., None].astype(float), targets, lengths)


def temporal_xor(batch_size, length, *, rng=0):
    """Foretell the next bit of b1 b2 (b1 xor b2) b3 b4 (b3 xor b4) ...

    xs (T, B, 1) of 0 and 1, targets (T, B), the bit that follows; `length`, a multiple of 3, is T.
    Only the targets of steps 1, 4, 7, ... (counted from 0), the second bits of the pairs, can be
    known; the others are fair coins. The bits are those of `rnnlib.elman.xor_bits`.
    Source: Elman 1990, p. 185.
    """
    batch_size = checks.whole("batch_size", batch_size)
    length = checks.whole("length", length)
    if length % 3:
        raise ValueError(f"length: expected a multiple of 3, got {length}")
    bits = elman.xor_bits(batch_size * (length + 3), rng=checks.generator("rng", rng))
    bits = bits.reshape(batch_size, length + 3).T[: length + 1]     # one more, to be foretold
    return Batch(bits[:-1, :, None].astype(float), bits[1:].copy())
