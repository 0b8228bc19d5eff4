"""What a training learns from and is watched through, made from how its answers are scored.

    answers = Answering("cross_entropy")                # a class, at the end or at every step
    run = train.fit((cell, out), answers.loss_and_grads, draw, optim.Adam(), steps=200)
    seen = train.moments((cell, out), answers.loss_and_grads, draw, optim.Adam(),
                         look=answers.about(probe))

for any cell, an `OutputLayer` above it, and batches of rnnlib.tasks: one answer at the end or one
at every step, sequences of one length or of several, classes or numbers.
"""

from dataclasses import dataclass
from functools import partial

from rnnlib import checks, losses
from rnnlib.tasks.batch import Batch
from rnnlib.unroll import backward, forward

#: how answers are scored -> (answers, targets, mask) -> (loss, its gradient)
LOSSES = {"cross_entropy": losses.softmax_cross_entropy, "mse": losses.mse}


@dataclass(frozen=True)
class Answering:
    """A cell, an output layer and a loss: the function that `train.fit` asks for.

        answer_t = c_out + V h_t        at every step, or at the last one of each sequence
        L = loss(answer, targets)       steps in the padding do not count

    loss: "cross_entropy" (targets are classes, answers logits; summed over the steps, averaged over
    the batch) or "mse" (targets are numbers; the mean over all). Raises ValueError for another.
    """

    loss: str = "cross_entropy"

    def __post_init__(self):
        checks.choice("loss", self.loss, LOSSES)

    def loss_and_grads(self, params, batch):
        """params (cell, out), a `Batch` -> (loss, (dcell, dout))."""
        loss, grads, _ = self._both_ways(params, batch)
        return loss, grads

    def look(self, params, batch):
        """The trace of the cell on this batch, and its gradient: (trace, dtrace)."""
        return self._both_ways(params, batch)[2]

    def about(self, batch):
        """`look` as a function of the params alone: always at this batch."""
        return partial(self.look, batch=checks.instance("batch", batch, Batch, "a tasks.Batch"))

    def _both_ways(self, params, batch):
        cell, out = params
        trace = forward(cell, batch.xs, lengths=batch.lengths)
        hs = trace.h_end[None] if batch.at_end else getattr(trace, cell.reads)
        mask = batch.mask if batch.lengths is not None else None
        loss, danswer = LOSSES[self.loss](out.logits(hs), batch.targets, mask)
        dhs, dout = out.backward(hs, danswer)
        sent = {"dh_end": dhs[0]} if batch.at_end else {"dhs": dhs}
        dtrace, dcell = backward(cell, trace, **sent)
        return loss, (dcell, dout), (trace, dtrace)
