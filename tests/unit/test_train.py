"""The training loop: it learns, records, repeats, and can be stopped."""

import os
import subprocess
import sys

import numpy as np
import pytest

from rnnlib import OutputLayer, RNNCell, backward, forward, losses, optim, train
from rnnlib.records import leaves

XS = np.random.default_rng(0).normal(size=(5, 8, 2))
TARGETS = (XS.cumsum(axis=0).sum(axis=-1) > 0).astype(int)


def start():
    rng = np.random.default_rng(0)
    return RNNCell.init(2, 6, rng=rng), OutputLayer.init(6, 2, rng=rng)


def loss_and_grads(params, batch):
    (cell, out), (xs, targets) = params, batch
    trace = forward(cell, xs)
    loss, dlogits = losses.softmax_cross_entropy(out.logits(trace.h), targets)
    dhs, dout = out.backward(trace.h, dlogits)
    _, dcell = backward(cell, trace, dhs)
    return loss, (dcell, dout)


def fit(steps=4, batches=((XS, TARGETS),), **options):
    optimizer = options.pop("optimizer", optim.Adam(lr=0.05))
    function = options.pop("function", loss_and_grads)
    options = {"progress": False, **options}
    return train.fit(start(), function, batches, optimizer, steps=steps, **options)


def flat(tree):
    return np.concatenate([array.ravel() for array in leaves("t", tree).values()])


def test_it_learns():
    run = fit(steps=150)
    assert run.losses[0] > 3
    assert run.losses[-1] < 0.2
    assert run.losses.shape == (150,)
    assert not run.interrupted
    assert loss_and_grads(run.params, (XS, TARGETS))[0] < run.losses[-1]


def test_it_takes_the_steps_of_the_optimizer():
    optimizer, params = optim.SGD(0.1), start()
    state, expected = optimizer.init(params), []
    for _ in range(3):
        loss, grads = loss_and_grads(params, (XS, TARGETS))
        params, state = optimizer.update(params, grads, state)
        expected.append(loss)
    run = fit(steps=3, optimizer=optimizer)
    assert run.losses.tolist() == expected
    assert np.array_equal(run.params[0].W, params[0].W)


def test_the_same_seed_gives_the_same_bits():
    def random_batches():
        rng = np.random.default_rng(5)
        return lambda step: (rng.normal(size=(5, 8, 2)), TARGETS)

    one, other = (fit(steps=20, batches=random_batches()) for _ in range(2))
    assert one.losses.tobytes() == other.losses.tobytes()
    assert one.params[0].W.tobytes() == other.params[0].W.tobytes()


@pytest.mark.parametrize(
    ("steps", "every", "kept"),
    [(6, 2, [0, 2, 4, 6]), (5, 2, [0, 2, 4, 5]), (3, 1, [0, 1, 2, 3]), (3, 9, [0, 3]), (3, 0, [])],
)
def test_snapshots(steps, every, kept):
    run = fit(steps=steps, record_every=every)
    assert [step for step, _ in run.snapshots] == kept
    for step, params in run.snapshots:
        if step < steps:  # losses[k] is the loss of the snapshot of step k
            assert loss_and_grads(params, (XS, TARGETS))[0] == run.losses[step]
        else:
            assert params is run.params


@pytest.mark.parametrize(
    "at", [(0, 1, 3, 4), [4, 1, 1], {2}, range(0, 4, 3), np.array([1, 2]), (k for k in (3,)), ()]
)
def test_snapshots_at_chosen_steps(at):
    chosen = [3] if hasattr(at, "send") else sorted(set(map(int, at)))
    run, every = fit(record_at=at), dict(fit(record_every=1).snapshots)
    assert [k for k, _ in run.snapshots] == chosen
    for k, (cell, _) in run.snapshots:
        assert cell.W.tobytes() == every[k][0].W.tobytes()


@pytest.mark.parametrize("when", [{"record_every": 3}, {"record_at": (0, 3, 6, 7)}])
def test_what_is_recorded_is_a_function_of_the_params(when):
    def recorded(params):
        return forward(params[0], XS)

    run, plain = fit(steps=7, record=recorded, **when), fit(steps=7, **when)
    assert [k for k, _ in run.snapshots] == [0, 3, 6, 7]
    for (_, trace), (_, params) in zip(run.snapshots, plain.snapshots, strict=True):
        assert trace.h.tobytes() == recorded(params).h.tobytes()
    assert run.losses.tobytes() == plain.losses.tobytes() == fit(steps=7).losses.tobytes()
    assert flat(run.params).tobytes() == flat(fit(steps=7).params).tobytes()


def test_an_error_in_record_tells_its_step():
    with pytest.raises(ZeroDivisionError) as caught:
        fit(record=lambda params: 1 / 0, record_at=[2])
    assert caught.value.__notes__ == ["recording after 2 updates of train.fit"]


def test_the_norms_are_of_the_gradients_before_clipping():
    run = fit(steps=5, record_every=1)
    for k in range(5):
        _, grads = loss_and_grads(dict(run.snapshots)[k], (XS, TARGETS))
        assert run.norms[k] == pytest.approx(np.linalg.norm(flat(grads)), rel=1e-13)
    assert run.norms.shape == (5,)
    assert fit(steps=5, clip=1e9).norms.tobytes() == run.norms.tobytes()


def test_clipping_bounds_every_update_and_nothing_else():
    clip, lr = 2.0, 0.1
    run = fit(steps=30, clip=clip, optimizer=optim.SGD(lr), record_every=1)
    moved = np.linalg.norm(np.diff([flat(params) for _, params in run.snapshots], axis=0), axis=1)
    assert moved == pytest.approx(lr * np.minimum(run.norms, clip), rel=1e-9)
    assert run.norms[0] > clip > run.norms[-1]  # so that both cases occur
    loose, none = (fit(steps=5, clip=v, optimizer=optim.SGD(lr)).losses for v in (1e9, None))
    assert loose.tobytes() == none.tobytes() != run.losses[:5].tobytes()


def seen_batches(batches, steps):
    seen = []

    def remember(params, batch):
        seen.append(batch)
        return loss_and_grads(params, (XS, TARGETS))

    fit(steps=steps, batches=batches, function=remember)
    return seen


def test_batches_are_an_iterable_gone_through_again_or_a_function_of_the_step():
    assert seen_batches("abc", 7) == list("abcabca")
    assert seen_batches(iter(range(3)), 3) == [0, 1, 2]
    assert seen_batches(lambda step: step * 10, 3) == [0, 10, 20]


def test_a_generator_that_runs_dry_says_so():
    with pytest.raises(ValueError, match="batches: expected one for every step, got 3") as caught:
        seen_batches(iter(range(3)), 4)
    assert caught.value.__notes__ == ["in step 3 of train.fit, counted from 0"]


def stop_at(count, function):
    """`function`, but the call of this number, from 0, is interrupted from the keyboard."""
    calls = iter(range(count))

    def stopping(*arguments):
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return function(*arguments)

    return stopping


class Stopped(optim.SGD):
    """SGD that is interrupted in the midst of its fourth update."""

    def _rule(self, g, t, v):
        if t == 4 and g.ndim == 2 and g.shape[0] == 2:
            raise KeyboardInterrupt
        return super()._rule(g, t, v)


INTERRUPTS = {
    "the loss": lambda **o: fit(steps=9, function=stop_at(3, loss_and_grads), **o),
    "the batches": lambda **o: fit(steps=9, batches=stop_at(3, lambda k: (XS, TARGETS)), **o),
    "the optimiser": lambda **o: fit(steps=9, **o | {"optimizer": Stopped(0.1)}),
}


@pytest.mark.parametrize("run", INTERRUPTS.values(), ids=INTERRUPTS)
@pytest.mark.parametrize(
    ("options", "kept"),
    [({"record_every": 2}, [0, 2, 3]), ({"record_at": (0, 1, 4, 9)}, [0, 1]), ({}, [])],
)
def test_an_interrupt_anywhere_keeps_what_there_is(run, options, kept):
    sgd = optim.SGD(0.1)
    run, full = run(optimizer=sgd, **options), fit(steps=3, optimizer=sgd, record_every=1)
    assert run.interrupted
    assert run.losses.tobytes() == full.losses.tobytes()
    assert run.norms.tobytes() == full.norms.tobytes()
    assert flat(run.params).tobytes() == flat(full.params).tobytes()
    assert [k for k, _ in run.snapshots] == kept
    for k, params in run.snapshots:
        assert flat(params).tobytes() == flat(dict(full.snapshots)[k]).tobytes()


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_an_interrupt_while_recording(count):
    """The update whose snapshot was cut off is not counted."""
    run = fit(steps=9, record=stop_at(count, lambda params: params), record_every=1)
    updates = max(count - 1, 0)
    full = fit(steps=updates + 1, record_every=1)
    assert run.interrupted
    assert run.losses.tolist() == full.losses.tolist()[:updates]
    assert len(run.norms) == updates
    assert [k for k, _ in run.snapshots] == list(range(count))
    assert flat(run.params).tobytes() == flat(dict(full.snapshots)[updates]).tobytes()


class InterruptAt:
    """A trace function that raises KeyboardInterrupt before instruction `target` of train.py."""

    def __init__(self, target):
        self.target, self.seen = target, 0

    def __call__(self, frame, event, argument):
        if frame.f_code.co_filename != train.__file__:
            return None
        frame.f_trace_opcodes = True
        self.seen += event == "opcode"
        if self.seen == self.target:
            raise KeyboardInterrupt
        return self


def halving(target):
    """p halves three times, interrupted at one instruction: (Run or None, was there one)."""
    arguments = np.ones(1), lambda p, batch: (float(p[0] ** 2), 2 * p), [0], optim.SGD(0.25)
    interrupt, before = InterruptAt(target), sys.gettrace()
    sys.settrace(interrupt)
    try:
        run = train.fit(*arguments, steps=3, record_every=1, progress=False)
    except KeyboardInterrupt:
        run = None  # before the first step or after the last
    finally:
        sys.settrace(before)
    return run, interrupt.seen >= target


def test_an_interrupt_between_any_two_instructions_leaves_the_parts_in_step():
    target, counts = 1, []
    while (result := halving(target))[1]:
        if result[0] is not None:
            counts.append(len(result[0].losses))
            check_in_step(result[0])
        target += 1
    assert list(dict.fromkeys(counts)) == [0, 1, 2, 3]
    assert len(counts) > target / 2


def check_in_step(run):
    """p halves at every update: everything is known from the number of updates."""
    count = len(run.losses)
    assert run.params.tolist() == [0.5**count]
    assert run.losses.tolist() == [0.25**k for k in range(count)]
    assert run.norms.tolist() == [2 * 0.5**k for k in range(count)]
    kept = [(k, p.tolist()) for k, p in run.snapshots]
    assert kept == [(k, [0.5**k]) for k in range(len(kept))]
    assert len(kept) in (count, count + 1)
    assert run.interrupted == (count < 3)


@pytest.mark.parametrize("loss", [np.nan, np.inf])
def test_a_loss_that_is_not_a_number_stops_the_run(loss):
    def broken(params, batch):
        return loss, loss_and_grads(params, batch)[1]

    with pytest.raises(ValueError, match="loss: expected a finite number, got") as caught:
        fit(function=broken)
    assert caught.value.__notes__ == ["in step 0 of train.fit, counted from 0"]


BAR = """
import numpy as np
from rnnlib import optim, train
run = train.fit(np.ones(1), lambda p, batch: (float(p[0]), p), [0], optim.SGD(0.1), steps=3{})
print(len(run.losses))
"""


@pytest.mark.parametrize(
    ("disable", "options", "shown"),
    [("", "", True), ("1", "", False), ("", ", progress=False", False)],
)
def test_the_progress_bar_is_shown_unless_silenced(disable, options, shown):
    done = subprocess.run(
        [sys.executable, "-c", BAR.format(options)],
        env={**os.environ, "TQDM_DISABLE": disable, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, check=True,
    )
    assert done.stdout == "3\n"
    assert ("3/3" in done.stderr and "loss 0.81" in done.stderr) is shown
    assert shown or done.stderr == ""
