"""Batch: sequences side by side, and what should be said about them.

Targets of a classification are whole numbers, (T, B) for an answer at every step and (1, B) for one
answer at the end; targets that are numbers have the width of the output too, (., B, K). Either way

    trace = forward(cell, batch.xs, lengths=batch.lengths)
    hs = trace.h_end[None] if batch.at_end else trace.h
    loss, dlogits = losses.softmax_cross_entropy(out.logits(hs), batch.targets)

compares what belongs together. Answers at every step count in the padding too, unless `mask` is
used to leave them out.
"""

import numpy as np

from rnnlib import checks
from rnnlib.records import Record, record


@record
class Batch(Record):
    """A batch of a task; its arrays are read-only.

    xs (T, B, D) inputs, zero in the padding; targets, see the module; lengths (B,) whole numbers
    1 .. T, or None if every sequence is T long.
    """

    xs: np.ndarray
    targets: np.ndarray
    lengths: np.ndarray | None = None

    @property
    def at_end(self) -> bool:
        """Is there one answer, at the end, instead of one at every step?"""
        return len(self.targets) == 1

    @property
    def mask(self):
        """(len(targets), B), True where a target counts: everywhere but in the padding."""
        if self.lengths is None or self.at_end:
            return np.ones(self.targets.shape[:2], dtype=bool)
        return inside(self.lengths)


def padded(xs, targets, lengths):
    """A Batch whose inputs are set to zero after their sequences' ends.

    Targets at every step are set to class 0 there, too. Nothing is checked.
    """
    if (lengths == len(xs)).all():
        return Batch(xs, targets)
    xs = xs * inside(lengths)[..., None]
    if len(targets) > 1:
        targets = targets * inside(lengths)
    return Batch(xs, targets, lengths)


def inside(lengths):
    """(T, B), True at the steps of each sequence, False in its padding; T is the longest length."""
    return np.arange(lengths.max())[:, None] < lengths


def draw_lengths(batch_size, length, rng, *, least=1):
    """The lengths (B,) of a batch: all `length`, or drawn from the pair (shortest, longest).

    Every whole number from shortest to longest, both included, is equally likely.
    Raises ValueError or TypeError, naming `batch_size` or `length`, before anything is drawn.
    """
    batch_size = checks.whole("batch_size", batch_size)
    if not isinstance(length, (tuple, list)):
        return np.full(batch_size, checks.whole("length", length, least))
    if len(length) != 2:
        raise ValueError(
            f"length: expected a whole number or a pair (shortest, longest), got {length}"
        )
    shortest = checks.whole("length", length[0], least)
    longest = checks.whole("length", length[1], shortest)
    return rng.integers(shortest, longest + 1, batch_size)
