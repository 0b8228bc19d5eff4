"""Bidirectional: one cell reads from the start, one from the end."""

import dataclasses
from typing import ClassVar

import numpy as np

from rnnlib.cells import Network, Trace
from rnnlib.lengths import turned
from rnnlib.records import Record, record
from rnnlib.stack import Several, check_part, unchecked


@record
class BidirectionalTrace(Record):
    """The traces of both directions; as a gradient, the gradients of both.

    x (T, B, D) inputs; h (T, B, H + H') the states of both at the same place of the text, those of
    `ahead` first; h_ahead, h_back: its two parts; ahead, back: the traces, that of `back` in the
    order in which it read, from the end to the start. state, last: pairs, a state of `ahead` and
    one of `back`, as are the state that forward takes and the dlast that backward takes. h[-1] is
    not what is known in the end, for there `back` has read one step only: see h_end.
    """

    x: np.ndarray
    h: np.ndarray
    ahead: Trace
    back: Trace
    cell: "Bidirectional"
    lengths: tuple | None = None

    @property
    def h_end(self):
        """What both have in the end, (B, H + H'): `ahead` at the last step, `back` at the first."""
        return np.concatenate([self.h_ahead[-1], self.h_back[0]], axis=-1)

    def made_by(self, cell):
        """The same traces with these cells as their makers."""
        ahead, back = self.ahead.made_by(cell.ahead), self.back.made_by(cell.back)
        return dataclasses.replace(self, ahead=ahead, back=back, cell=cell)

    def state_after(self, *steps):
        """Not here: after t steps one direction has read the start, the other the end."""
        raise ValueError("trace: expected one direction of time, got a BidirectionalTrace")

    steps = state_after

    @property
    def h_ahead(self):
        """What is known from the start up to each place, (T, B, H)."""
        return self.h[..., : self.ahead.h.shape[-1]]

    @property
    def h_back(self):
        """What is known from the end back to each place, (T, B, H')."""
        return self.h[..., self.ahead.h.shape[-1] :]

    @property
    def state(self):
        """The initial states of both."""
        return self.ahead.state, self.back.state

    @property
    def last(self):
        """The states of both after their last step: at the end, and at the start of the text."""
        return self.ahead.last, self.back.last


@record
class Bidirectional(Several, Record):
    """One cell reads from the start, one from the end (Schuster and Paliwal 1997).

        h_t = [h_t of ahead; h_t of back]

    ahead, back: two cells of the same input size. Every h_t depends on the whole sequence.
    """

    ahead: Network
    back: Network

    causal: ClassVar = False

    def __post_init__(self):
        for name in ("ahead", "back"):
            check_part(name, getattr(self, name))
        if self.back.input_size != self.ahead.input_size:
            raise ValueError(
                f"back: expected input size {self.ahead.input_size}, that of ahead, "
                f"got {self.back.input_size}"
            )

    @property
    def cells(self):
        """Both cells."""
        return self.ahead, self.back

    @property
    def input_size(self) -> int:
        """D, the width of one input."""
        return self.ahead.input_size

    @property
    def output_size(self) -> int:
        """The width of what the loss reads: of both states together."""
        return self.ahead.output_size + self.back.output_size

    def astype(self, dtype):
        """The same network in float32 or float64."""
        ahead, back = self.ahead.astype(dtype), self.back.astype(dtype)
        return dataclasses.replace(self, ahead=ahead, back=back)

    def parts(self):
        """The cells, for `leaves`."""
        return {"ahead": self.ahead, "back": self.back}

    def _unroll(self, xs, state, lengths=None, teacher=None):
        ahead = self.ahead._unroll(xs, state[0], lengths)
        back = self.back._unroll(turned(xs, lengths), state[1], lengths)
        h = np.concatenate([ahead.h, turned(back.h, lengths)], axis=-1)
        return BidirectionalTrace(ahead.x, h, ahead, back, self, lengths)

    def _roll_back(self, trace, dhs, dlast, d):
        H, lengths = self.ahead.output_size, trace.lengths
        ahead = self.ahead._roll_back(trace.ahead, dhs[..., :H], dlast[0], d[0])
        dhs_back = turned(dhs[..., H:], lengths)
        back = self.back._roll_back(trace.back, dhs_back, dlast[1], d[1])
        dx = ahead.x + turned(back.x, lengths)
        dh = np.concatenate([ahead.h, turned(back.h, lengths)], axis=-1)
        return BidirectionalTrace(dx, dh, ahead, back, None, lengths)

    def _add_at_end(self, dhs, dh_end):
        H = self.ahead.output_size
        dhs[-1, :, :H] += dh_end[:, :H]
        dhs[0, :, H:] += dh_end[:, H:]

    def _gradient(self, d):
        ahead, back = self._gradients(d)
        return unchecked(self, ahead=ahead, back=back)
