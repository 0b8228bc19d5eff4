"""A training watched: its moments are those of `train.fit`, for any cell, task and torch model."""

import dataclasses
from functools import partial
from itertools import islice

import numpy as np
import pytest
import torch
from references import central_differences, relative_error

from rnnlib import (
    GRUCell,
    LSTMCell,
    OutputLayer,
    RNNCell,
    Stack,
    backward,
    bridge,
    bridge_watch,
    forward,
    optim,
    tasks,
    train,
    watch,
)
from rnnlib.records import leaves

RNG = np.random.default_rng(3)
LENGTHS = np.array([4, 1, 6])
#: (how answers are scored, batch, number of outputs): at the end or at each step, with lengths
CASES = {
    "class at the end": ("cross_entropy", tasks.latch(3, 6), 2),
    "class at ends of their own": ("cross_entropy", tasks.temporal_order(3, (10, 14)), 4),
    "number at the end": ("mse", tasks.adding(3, (2, 7)), 1),
    "class at each step": ("cross_entropy", tasks.copying(3, 2, symbols=2), 10),
    "class at each step, lengths": (
        "cross_entropy", tasks.Batch(RNG.normal(size=(6, 3, 2)), RNG.integers(0, 3, (6, 3)),
                                     LENGTHS), 3),
    "numbers at each step, lengths": (
        "mse", tasks.Batch(RNG.normal(size=(6, 3, 2)), RNG.normal(size=(6, 3, 2)), LENGTHS), 2),
}
every_case = pytest.mark.parametrize(("loss", "batch", "K"), CASES.values(), ids=CASES)
CELLS = {"rnn": RNNCell, "lstm": LSTMCell, "gru": GRUCell}


def network(batch, K, kind="rnn", H=4):
    rng = np.random.default_rng(0)
    cell = CELLS[kind].init(batch.xs.shape[2], H, rng=rng)
    return cell, OutputLayer.init(H, K, rng=rng)


def torch_loss(module, V, c_out, loss, batch):
    """The same loss, sequence by sequence, each cut at its own end."""
    total, entries = 0, 0
    lengths = [len(batch.xs)] * batch.xs.shape[1] if batch.lengths is None else batch.lengths
    for b, length in enumerate(lengths):
        hs, _ = module(torch.tensor(batch.xs[:length, b : b + 1]))
        answers = (hs[-1:] if batch.at_end else hs)[:, 0] @ V.T + c_out
        targets = torch.tensor(batch.targets[: len(answers), b])
        if loss == "mse":
            total, entries = total + (answers - targets).square().sum(), entries + answers.numel()
        else:
            total = total + torch.nn.functional.cross_entropy(answers, targets, reduction="sum")
            entries = batch.xs.shape[1]
    return total / entries


@every_case
@pytest.mark.parametrize("kind", CELLS)
def test_answers_and_gradients_are_those_of_torch(loss, batch, K, kind):
    cell, out = network(batch, K, kind)
    value, (dcell, dout) = watch.Answering(loss).loss_and_grads((cell, out), batch)
    module = bridge.to_torch(cell)
    V, c_out = (torch.tensor(v, requires_grad=True) for v in (out.V, out.c_out))
    expected = torch_loss(module, V, c_out, loss, batch)
    expected.backward()
    assert value == pytest.approx(expected.item(), rel=1e-12)
    for ours, theirs in ((dcell.W, module.weight_hh_l0), (dcell.U, module.weight_ih_l0),
                         (dout.V, V), (dout.c_out, c_out)):
        assert relative_error(ours, theirs.grad.numpy()) < 1e-10


@every_case
def test_gradients_against_differences(loss, batch, K):
    answers, params = watch.Answering(loss), network(batch, K)
    _, grads = answers.loss_and_grads(params, batch)
    for i, part in enumerate(params):
        for name, value in part.fields().items():
            def moved(p, i=i, part=part, name=name):
                new = [*params]
                new[i] = dataclasses.replace(part, **{name: p})
                return answers.loss_and_grads(new, batch)[0]

            assert relative_error(getattr(grads[i], name), central_differences(moved, value)) < 1e-8


def test_what_is_looked_at_is_the_trace_and_its_total_derivative():
    batch = tasks.latch(3, 6)
    cell, out = network(batch, 2)
    trace, dtrace = watch.Answering().about(batch)((cell, out))
    assert trace.h.tobytes() == forward(cell, batch.xs).h.tobytes()
    _, (dcell, _) = watch.Answering().loss_and_grads((cell, out), batch)
    assert dtrace.cell.W.tobytes() == dcell.W.tobytes()
    p = np.exp(out.logits(trace.h[-1:])[0])
    p = p / p.sum(axis=1, keepdims=True) - np.eye(2)[batch.targets[0]]
    np.testing.assert_allclose(dtrace.h[-1], p @ out.V / 3, rtol=1e-12)


def test_a_stack_is_a_network_too():
    batch = tasks.latch(3, 6)
    stack = Stack((RNNCell.init(1, 4), LSTMCell.init(4, 5, rng=1)))
    out = OutputLayer.init(5, 2)
    trace, dtrace = watch.Answering().look((stack, out), batch)
    expected, _ = backward(stack, trace, dh_end=dtrace.h[-1])
    np.testing.assert_allclose(dtrace.layers[0].h, expected.layers[0].h, rtol=1e-12)


def flat(params):
    return np.concatenate([v.ravel() for v in leaves("params", params).values()])


def arguments(clip=None, steps=None):
    """The arguments of fit and of moments for the same training: 8 sequences of a latch."""
    batch = tasks.latch(8, 6)
    answers = watch.Answering()
    draw = lambda k: tasks.latch(8, 6, rng=np.random.default_rng([9, k]))  # noqa: E731
    return network(batch, 2), answers.loss_and_grads, draw, optim.Adam(0.05)


@pytest.mark.parametrize("clip", [None, 0.3])
@pytest.mark.parametrize("every", [1, 4])
def test_moments_are_those_of_fit_to_the_bit(clip, every):
    run = train.fit(*arguments(), steps=13, clip=clip, record_every=1, progress=False)
    seen = train.moments(*arguments(), look=lambda params: (params, "gradient"), clip=clip,
                         every=every)
    seen = list(islice(seen, 1 + 12 // every))
    assert [m.updates for m in seen] == list(range(0, 13, every))
    assert [m.loss for m in seen] == run.losses[::every].tolist()
    assert [m.norm for m in seen] == run.norms[::every].tolist()
    for moment in seen:
        kept = dict(run.snapshots)[moment.updates]
        assert flat(moment.trace).tobytes() == flat(kept).tobytes()
        assert moment.dtrace == "gradient"


def test_nothing_is_trained_that_nobody_asks_for():
    params, loss_and_grads, draw, optimizer = arguments()
    calls = []

    def counted(params, batch):
        calls.append(1)
        return loss_and_grads(params, batch)

    seen = train.moments(params, counted, draw, optimizer, look=lambda p: (p, p))
    assert len(calls) == 0
    for count in range(1, 4):
        assert next(seen).updates == count - 1 and len(calls) == count


@pytest.mark.parametrize("where", ["the loss", "the look", "the batches"])
@pytest.mark.parametrize("listed", [False, True])
def test_after_an_interrupt_it_goes_on_where_it_was(where, listed):
    params, loss_and_grads, draw, optimizer = arguments()
    calls = iter(range(3))

    def stopping(function):
        def stopped(*given):
            if next(calls, None) == 2:
                function(*given)
                raise KeyboardInterrupt
            return function(*given)
        return stopped

    look = lambda p: (p, p)  # noqa: E731
    batches = [draw(k) for k in range(9)] if listed else draw
    if where == "the loss":
        loss_and_grads = stopping(loss_and_grads)
    elif where == "the look":
        look = stopping(look)
    elif not listed:
        batches = stopping(draw)
    seen = train.moments(params, loss_and_grads, batches, optimizer, look=look)
    losses = [next(seen).loss, next(seen).loss]
    if where != "the batches" or not listed:
        with pytest.raises(KeyboardInterrupt):
            next(seen)
    losses += [moment.loss for moment in islice(seen, 3)]
    run = train.fit(*arguments(), steps=5, progress=False)
    assert losses == run.losses.tolist()


def test_errors_tell_when():
    def broken(params):
        raise ZeroDivisionError

    seen = train.moments(*arguments(), look=broken)
    with pytest.raises(ZeroDivisionError) as caught:
        next(seen)
    assert caught.value.__notes__ == ["looking after 0 updates of a training"]


@pytest.mark.parametrize(("call", "message"), [
    (lambda: train.moments(*arguments(), look=3), "look: expected a function of the params"),
    (lambda: train.moments(*arguments(), look=len, every=0), "every: expected a whole number >= 1"),
    (lambda: train.moments(*arguments(), look=len, clip=-1), "clip: expected a finite number > 0"),
    (lambda: train.moments(1, 2, [0], optim.SGD(1), look=len), "loss_and_grads: expected"),
    (lambda: watch.Answering("hinge"), "loss: expected one of cross_entropy, mse, got 'hinge'"),
    (lambda: watch.Answering().about(3), "batch: expected a tasks.Batch, got int"),
    (lambda: bridge_watch.moments(torch.nn.RNN(1, 1), 3, optim.SGD(1), batches=len, probe=0),
     "optimizer: expected an optimiser of torch, got SGD"),
])
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()


# ---------------------------------------------------------------- a torch model


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = torch.nn.LSTM(1, 5, dtype=torch.float64)
        self.head = torch.nn.Linear(5, 2, dtype=torch.float64)

    def loss(self, batch):
        answers = self.head(self.rnn(torch.tensor(batch.xs))[0][-1])
        return torch.nn.functional.cross_entropy(answers, torch.tensor(batch.targets[0]))


def torch_training(**options):
    torch.manual_seed(1)
    model = Model()
    draw = lambda k: tasks.latch(8, 6, rng=np.random.default_rng([9, k]))  # noqa: E731
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    seen = partial(bridge_watch.moments, model.rnn, model.loss, optimizer, batches=draw)
    return model, draw, optimizer, seen(probe=tasks.latch(4, 6, rng=1), **options)


@pytest.mark.parametrize("every", [1, 3])
def test_a_torch_training_is_not_changed_by_looking(every):
    model, draw, optimizer, _ = torch_training()
    losses, norms = [], []
    for k in range(7):
        optimizer.zero_grad()
        value = model.loss(draw(k))
        value.backward()
        losses.append(value.item())
        norms.append(np.sqrt(sum((p.grad**2).sum().item() for p in model.parameters())))
        optimizer.step()
    seen = list(islice(torch_training(every=every)[-1], 1 + 6 // every))
    assert [m.updates for m in seen] == list(range(0, 7, every))
    assert [m.loss for m in seen] == losses[::every]
    np.testing.assert_allclose([m.norm for m in seen], norms[::every], rtol=1e-12)


def test_its_moments_show_what_trace_torch_shows_before_the_update():
    model, _, _, seen = torch_training()
    before = bridge.trace_torch(model.rnn, lambda: model.loss(tasks.latch(4, 6, rng=1)))
    moment = next(seen)
    for ours, theirs in zip((moment.trace, moment.dtrace), before, strict=True):
        for name in ("f", "c", "h"):
            assert getattr(ours, name).tobytes() == getattr(theirs, name).tobytes()
    assert next(seen).trace.f.tobytes() != moment.trace.f.tobytes()
