"""A training loop: batches in, a `Run` out, with the losses and the parameters on the way.

    def loss_and_grads(params, batch):                      # an answer at the end
        cell, out = params
        trace = forward(cell, batch.xs, lengths=batch.lengths)
        h = trace.h_end[None]
        loss, dlogits = losses.softmax_cross_entropy(out.logits(h), batch.targets)
        dh, dout = out.backward(h, dlogits)
        _, dcell = backward(cell, trace, dh_end=dh[0])
        return loss, (dcell, dout)

    run = fit((cell, out), loss_and_grads, draw, optim.Adam(), steps=200, clip=1.0)

where draw(step) gives the batch of a step. For an answer at every step read trace.h instead, and
give backward the dhs; `watch.Answering` writes this function for any batch of rnnlib.tasks.

To look on, ask for one moment after the other instead: nothing is trained that nobody asks for.

    for moment in moments((cell, out), loss_and_grads, draw, optim.Adam(), look=look):
        moment.updates, moment.loss, moment.dtrace.h
"""

import os
from collections.abc import Callable, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from rnnlib import checks, clipping
from rnnlib.optim import Optimizer


@dataclass(frozen=True, eq=False)
class Run:
    """What a training run leaves behind. Its parts agree, also after an interrupt.

    params: after the last of len(losses) updates. losses (steps,): losses[k] is the loss after k
    updates, on the batch of update k + 1. norms (steps,): norms[k] is the norm of that loss's
    gradient, over all parameters, before clipping. snapshots: pairs (k, what was recorded after
    k updates), in order. interrupted: stopped from the keyboard before the last step.
    """

    params: object = field(repr=False)
    losses: np.ndarray = field(repr=False)
    norms: np.ndarray = field(repr=False)
    snapshots: tuple = field(repr=False)
    interrupted: bool


def fit(params, loss_and_grads, batches, optimizer, *, steps, record_every=0, record_at=None,
        record=None, clip=None, progress=True):
    """Take that many optimiser steps from `params` and return a `Run`, showing a progress bar.

    loss_and_grads(params, batch) -> (loss, grads), with grads of the structure of params.
    batches: an iterable, gone through again when it ends, or a function of the step 0, 1, ...
    clip=v scales gradients of a norm above v down to v, by `optim.clip_by_norm`.

    record_every=k keeps snapshots after 0, k, 2k, ... and the last of the updates, 0 none;
    record_at=(0, 1, 10, 100) keeps them after these. A snapshot is the params, or record(params)
    if `record` is given: the trace of one example, say, to scrub over the training.

    The same start and the same batches give the same bits. An interrupt from the keyboard ends the
    run and keeps what it had. progress=False or TQDM_DISABLE=1 silences the bar.
    Raises ValueError if the loss or a gradient is NaN or infinite; any error tells its step.
    """
    clip = _checked(loss_and_grads, batches, optimizer, clip)
    total = checks.whole("steps", steps)
    progress = checks.flag("progress", progress)
    due, record = _recording(total, record_every, record_at, record)
    draw, history, snapshots = _draw_from(batches), [], {}
    done = 0, params, optimizer.init(params)    # replaced as one: no interrupt can tear it apart
    with suppress(KeyboardInterrupt), _progress_bar(total, progress) as bar:
        _keep(snapshots, due, record, done)
        for _ in range(total):
            numbers, after = _step(loss_and_grads, draw, optimizer, clip, done)
            history.append(numbers)
            _keep(snapshots, due, record, after)
            done = after
            bar.update()
            bar.set_postfix_str(f"loss {numbers[0]:.4g}", refresh=False)
    count, params, _ = done
    if record_every and count < total:
        with suppress(KeyboardInterrupt):
            snapshots[count] = record(params)
    losses, norms = np.array(history[:count]).reshape(count, 2).T.copy()
    kept = tuple((k, snapshots[k]) for k in sorted(snapshots) if k <= count)
    return Run(params, losses, norms, kept, interrupted=count < total)


@dataclass(frozen=True, eq=False)
class Moment:
    """What is seen of a training after `updates` updates.

    loss, norm: the losses[k] and norms[k] of a `Run`, k = updates: of the batch that the next
    update learns from. trace, dtrace: what `look` saw, a trace and its gradient.
    """

    updates: int
    loss: float
    norm: float
    trace: object = field(repr=False)
    dtrace: object = field(repr=False)


def moments(params, loss_and_grads, batches, optimizer, *, look, every=1, clip=None):
    """The training of `fit`, to the bit, one `Moment` after the other: an iterator without end.

    look(params) -> (trace, dtrace) is asked after 0, every, 2 · every, ... updates, best about a
    batch that stays the same. The other arguments are those of `fit`. Between two moments nothing
    runs. An interrupt from the keyboard reaches the caller, and the next moment can still be had.
    Raises as `fit` does, at the moment where it happens.
    """
    clip = _checked(loss_and_grads, batches, optimizer, clip)
    checks.instance("look", look, Callable, "a function of the params")
    draw = lru_cache(maxsize=1)(_draw_from(batches))    # after an interrupt, the same batch again
    done = 0, params, optimizer.init(params)

    def update(before):
        return _step(loss_and_grads, draw, optimizer, clip, before)

    return Moments(update, lambda now: look(now[1]), done, every=every)


class Moments:
    """An iterator of moments; not a generator, which an interrupt would end for good.

    look(before) -> (trace, dtrace), where it is due, then update(before) -> ((loss, norm), after);
    the first entry of `before` and of `after` is the number of updates.
    """

    def __init__(self, update, look, start, *, every=1):
        self._update, self._look, self._done = update, look, start
        self._every = checks.whole("every", every)

    def __iter__(self):
        return self

    def __next__(self):
        seen = None
        while seen is None:
            before = self._done
            if before[0] % self._every == 0:
                with _telling(f"looking after {before[0]} updates of a training"):
                    seen = self._look(before)
            numbers, self._done = self._update(before)
        return Moment(before[0], *numbers, *seen)


def _checked(loss_and_grads, batches, optimizer, clip):
    checks.instance("optimizer", optimizer, Optimizer, "an optimiser such as Adam(lr=0.01)")
    checks.instance("loss_and_grads", loss_and_grads, Callable, "a function (params, batch)")
    checks.instance("batches", batches, (Callable, Iterable), "an iterable or a function of step")
    return clip if clip is None else checks.number("clip", clip, above=0)


def _recording(total, every, at, record):
    """(due, record): whether a snapshot is due after k updates, and what it is of the params."""
    every = checks.whole("record_every", every, least=0)
    if record is None:
        record = _itself
    elif not every and at is None:
        raise ValueError("record: expected record_every or record_at with it, got neither")
    checks.instance("record", record, Callable, "a function of the params")
    if at is None:
        return lambda k: every and (k % every == 0 or k == total), record
    if every:
        raise ValueError("record_at: expected it or record_every, got both")
    checks.instance("record_at", at, Iterable, "whole numbers such as (0, 1, 10)")
    chosen = {checks.whole("record_at", k, least=0) for k in at}
    if chosen and max(chosen) > total:
        raise ValueError(f"record_at: expected whole numbers 0 to {total}, got {max(chosen)}")
    return chosen.__contains__, record


def _itself(params):
    return params


def _keep(snapshots, due, record, moment):
    count, params, _ = moment
    if due(count):
        with _telling(f"recording after {count} updates of train.fit"):
            snapshots[count] = record(params)


def _step(loss_and_grads, draw, optimizer, clip, before):
    """One update: ((loss, norm), (updates so far, params, state))."""
    step, params, state = before
    with _telling(f"in step {step} of train.fit, counted from 0"):
        pair = loss_and_grads(params, draw(step))
        words = "a function that returns a pair (loss, grads)"
        if len(checks.instance("loss_and_grads", pair, (tuple, list), words)) != 2:
            raise ValueError(f"loss_and_grads: expected {words}, got {len(pair)}")
        loss, grads = pair
        loss = checks.number("loss", loss)
        if clip is None:
            norm = clipping.norm(grads)
        else:
            grads, norm = clipping.clip_by_norm(grads, clip)
        return (loss, norm), (step + 1, *optimizer.update(params, grads, state))


@contextmanager
def _telling(where):
    try:
        yield
    except Exception as error:
        error.add_note(where)
        raise


def _draw_from(batches):
    """A function of the step that gives the next batch."""
    if callable(batches):
        return batches
    source = iter(batches)

    def draw(step):
        nonlocal source
        for _ in range(2):
            for batch in source:
                return batch
            source = iter(batches)
        raise ValueError(
            f"batches: expected one for every step, got {step} (a generator can be read only once)"
        )

    return draw


def _progress_bar(total, progress):
    from tqdm.auto import tqdm  # here, so that `import rnnlib` loads numpy only

    # tqdm's notebook bar does not read this variable itself.
    silent = not progress or os.environ.get("TQDM_DISABLE", "0") not in ("", "0")
    return tqdm(total=total, disable=silent)
