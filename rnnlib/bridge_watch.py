"""A torch model in training, seen from inside: what `train.moments` is for rnnlib's own cells.

    seen = moments(model.lstm, lambda batch: loss_of(model(batch)), optimizer,
                   batches=draw, probe=probe)
    for moment in seen:
        moment.updates, moment.loss, moment.trace.f, moment.dtrace.h
"""

from collections.abc import Callable

import torch

from rnnlib import bridge, checks
from rnnlib.train import Moments


def moments(module, loss, optimizer, *, batches, probe, every=1):
    """Train a torch model and look at one of its recurrent modules: an iterator of `train.Moment`.

    module: the torch.nn.RNN, LSTM or GRU to look at, as in `bridge.trace_torch`. loss(batch) runs
    the model and returns its loss, a tensor of one number; batches(k) is the batch that update
    k + 1 learns from. optimizer: a torch optimiser of the model's parameters; norm is that of
    their gradients. After 0, every, 2 · every, ... updates trace and dtrace are those of
    loss(probe). The model is trained in place, as far as moments are asked for: one model, one
    iterator. Raises TypeError, and ValueError as `trace_torch` does or for a loss that is NaN.
    """
    checks.instance("optimizer", optimizer, torch.optim.Optimizer, "an optimiser of torch")
    for name, function in (("loss", loss), ("batches", batches)):
        checks.instance(name, function, Callable, "a function")

    def update(before):
        optimizer.zero_grad()
        value = loss(batches(before[0]))
        value.backward()
        numbers = checks.number("loss", value.item()), _norm(optimizer)
        optimizer.step()
        return numbers, (before[0] + 1,)

    def look(_):
        return bridge.trace_torch(module, lambda: loss(probe))

    return Moments(update, look, (0,), every=every)


def _norm(optimizer):
    """The norm of all gradients that the optimiser is about to use."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    return float(torch.nn.utils.get_total_norm(p.grad for p in parameters if p.grad is not None))
