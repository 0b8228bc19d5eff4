"""A training, watched: what is drawn after k updates is what `train.fit` has after k updates."""

import gzip
import re
from functools import partial
from itertools import islice

import numpy as np
import pytest
import torch

from rnnlib import (
    GRUCell,
    JordanCell,
    LSTMCell,
    OutputLayer,
    RNNCell,
    Stack,
    bridge,
    bridge_watch,
    optim,
    tasks,
    train,
    watch,
)
from rnnlib.widgets import training_runs as own
from rnnlib.widgets.training import LOSSES, training

ORTHOGONAL, SMALL, LARGE = own.STARTS
ANSWERS = watch.Answering()
PROBE = tasks.latch(5, 8, rng=3)


@pytest.fixture(scope="module")
def figure():
    """The book's figure, but shorter: 60 updates, every sixth of them shown."""
    return training(updates=60)


@pytest.fixture(scope="module")
def fitted():
    """name -> the same training by `fit`, its parameters after each update."""
    return {
        name: train.fit(
            own.network(name), ANSWERS.loss_and_grads, own.batch, optim.SGD(own.RATE), steps=60,
            clip=own.CLIP, record_every=1, progress=False,
        )
        for name in own.STARTS
    }


def artists(figure, **values):
    text, _ = figure.frame(values)
    return text, figure.scene.artists


def run_of(cell, rate=0.1, probe=PROBE):
    """A run of a latch for any cell."""
    out = OutputLayer.init(cell.output_size, 2)
    draw = lambda k: tasks.latch(4, 8, rng=k)  # noqa: E731
    return partial(train.moments, (cell, out), ANSWERS.loss_and_grads, draw, optim.SGD(rate),
                   look=ANSWERS.about(probe))


def test_it_drives(figure):
    assert figure.drive() == 3 + 3 + 3
    assert list(figure.controls) == ["updates", "start"]


@pytest.mark.parametrize("name", own.STARTS)
@pytest.mark.parametrize("k", [0, 30, 60])
def test_the_eigenvalues_are_those_of_w_after_k_updates(figure, fitted, name, k):
    text, drawn = artists(figure, updates=k, start=name)
    cell, _ = dict(fitted[name].snapshots)[k]
    expected = np.linalg.eigvals(cell.W)
    x, y = (values[::3] for values in drawn["eigen"].get_data())
    found = x + 1j * y
    assert len(found) == len(expected) == own.UNITS
    # A tenth of a unit of the page is 5 / 1600.
    assert abs(found[:, None] - expected).min(axis=1).max() < 0.003
    assert abs(found[:, None] - expected).min(axis=0).max() < 0.003
    assert f"ρ(W) = {abs(expected).max():.2f}" == drawn["radius"].get_text()
    assert drawn["radius"].get_text() in text


@pytest.mark.parametrize("name", own.STARTS)
def test_the_losses_are_those_of_fit(figure, fitted, name):
    losses = fitted[name].losses
    _, drawn = artists(figure, updates=54, start=name)
    ks, shown = drawn["loss"].get_data()
    np.testing.assert_allclose(ks, np.arange(0, 55, 6), atol=0.05)
    np.testing.assert_allclose(shown, losses[:55:6], rtol=0.02)
    now = [values[0] for values in drawn["loss now"].get_data()]
    np.testing.assert_allclose(now, [54, losses[54]], rtol=0.02)


@pytest.mark.parametrize("k", [0, 42])
def test_the_gradient_is_the_mean_norm_over_sequences(figure, fitted, k):
    params = dict(fitted[SMALL].snapshots)[k]
    _, dtrace = ANSWERS.look(params, own.probe())
    expected = np.sqrt((dtrace.h**2).sum(axis=2)).mean(axis=1)
    text, drawn = artists(figure, updates=k, start=SMALL)
    t, norms = drawn["norms"].get_data()
    np.testing.assert_allclose(t, np.arange(1, 31), atol=0.02)
    np.testing.assert_allclose(norms, expected, rtol=0.02)
    share = float(re.search(r"is ([\d.]+)·10⁻(¹⁰|⁹|⁸)", text)[1])
    assert f"{expected[0] / expected[-1]:.1e}".startswith(str(share))
    _, first = drawn["norms first"].get_data()
    assert (k == 0) == np.array_equal(first, norms)


def test_the_three_starts_differ_in_w_alone_and_have_the_radii_of_their_names():
    networks = {name: own.network(name) for name in own.STARTS}
    cells = [cell for cell, _ in networks.values()]
    assert len({cell.U.tobytes() for cell in cells}) == 1
    assert len({out.V.tobytes() for _, out in networks.values()}) == 1
    radii = [abs(np.linalg.eigvals(cell.W)).max() for cell in cells]
    np.testing.assert_allclose(radii, [1, 0.5, 2])
    assert not any(cell.b.any() for cell in cells)


@pytest.fixture(scope="module")
def whole():
    return training()


def test_it_shows_what_the_presets_promise(whole):
    ends = whole._update.args[0]
    last = {name: run.history(720)[1][-10:].mean() for name, run in ends.items()}
    # Generous: from the large start another order of summation ends in another place.
    assert last[ORTHOGONAL] < 0.3 < 0.7 < last[LARGE]
    assert abs(last[SMALL] - np.log(4)) < 0.03
    shares = {name: run.at(0).norms[0] / run.at(0).norms[-1] for name, run in ends.items()}
    assert shares[SMALL] < 1e-8 < 1e-2 < shares[ORTHOGONAL] < 1 < 10 < shares[LARGE]
    assert [values["start"] for values in whole.presets.values()] == list(own.STARTS)
    text, _ = whole.frame(whole.presets["Orthogonal: it learns"])
    loss = re.match(r"Orthogonal \(ρ = 1\), after 720 updates: loss ([\d.]+), ρ\(W\) = ", text)[1]
    assert float(loss) == pytest.approx(ends[ORTHOGONAL].at(720).loss, rel=0.05)


def test_it_may_be_baked(whole):
    assert whole.states == 363
    assert len(gzip.compress(whole.bake().encode())) < 100_000


def test_runs_begin_when_the_figure_is_made_and_go_no_further_than_looked_at():
    pulled = []

    def begin(name):
        for moment in run_of(RNNCell.init(1, 3))():
            pulled.append((name, moment.updates))
            yield moment

    figure = training({"a": partial(begin, "a"), "b": partial(begin, "b")}, updates=20, every=5)
    assert set(pulled) == {("a", 0), ("b", 0)}
    figure.frame({"updates": 10, "start": "b"})
    assert max(k for name, k in pulled if name == "b") == 10
    assert max(k for name, k in pulled if name == "a") == 0
    count = len(pulled)
    figure.frame({"updates": 5, "start": "b"})
    assert len(pulled) == count
    assert figure.presets == {"End of: a": {"updates": 20, "start": "a"},
                              "End of: b": {"updates": 20, "start": "b"}}


def test_an_interrupted_run_goes_on_and_a_dead_one_says_so():
    stops = iter([False] * 5 + [True])

    def look(params):
        if next(stops, False):
            raise KeyboardInterrupt
        return ANSWERS.look(params, PROBE)

    def begin():
        return train.moments((RNNCell.init(1, 3), OutputLayer.init(3, 2)), ANSWERS.loss_and_grads,
                             lambda k: tasks.latch(4, 8, rng=k), optim.SGD(0.1), look=look)

    def one_by_one():
        yield from begin()

    for start, goes_on in ((begin, True), (one_by_one, False)):
        stops = iter([False] * 5 + [True])
        run = own.Watched("run", start, 1)
        with pytest.raises(KeyboardInterrupt):
            run.at(9)
        assert run.at(4).loss > 0  # what was reached is kept
        if goes_on:
            losses = [moment.loss for moment in islice(begin(), 10)]
            assert run.history(9)[1].tolist() == losses
        else:
            with pytest.raises(ValueError, match="run: the run ended after 4 updates"):
                run.at(5)


CELLS = {"lstm": (LSTMCell.init(1, 3), "ifo"), "gru": (GRUCell.init(1, 3), "rz")}


@pytest.mark.parametrize(("cell", "gates"), CELLS.values(), ids=CELLS)
def test_gates_are_shown_by_their_means(cell, gates):
    figure = training({"it": run_of(cell)}, updates=4, every=2)
    assert figure.drive() == 3 + 2 and list(figure.controls) == ["updates"]
    text, drawn = artists(figure, updates=0)
    trace, _ = ANSWERS.look((cell, OutputLayer.init(3, 2)), PROBE)
    assert list(drawn["gates"]) == list(gates)
    looks = set()
    for name, parts in drawn["gates"].items():
        expected = getattr(trace, name).mean(axis=(1, 2))
        np.testing.assert_allclose(parts["now"].get_ydata(), expected, atol=0.001)
        assert parts["label"].get_text() == name and f"{name} {expected.mean():.2f}" in text
        looks.add(parts["now"].get_linestyle())
    assert len(looks) == len(gates)


def test_of_a_stack_the_highest_layer_is_shown_and_of_padding_nothing():
    stack = Stack((RNNCell.init(1, 4), LSTMCell.init(4, 3)))
    probe = tasks.latch(6, (4, 9), rng=2)
    first = own.Watched("run", run_of(stack, probe=probe), 1).at(0)
    trace, dtrace = ANSWERS.look((stack, OutputLayer.init(3, 2)), probe)
    f = [np.mean([trace.layers[1].f[t, b] for b in range(6) if t < probe.lengths[b]])
         for t in range(probe.lengths.max())]
    np.testing.assert_allclose(first.gates["f"], f)
    last = [b for b in range(6) if probe.lengths[b] == probe.lengths.max()]
    assert 0 < len(last) < 6
    assert first.norms[-1] == pytest.approx(np.linalg.norm(dtrace.h[-1, last], axis=1).mean())


def test_a_torch_lstm_shows_its_gates():
    torch.manual_seed(0)
    module, head = torch.nn.LSTM(1, 4), torch.nn.Linear(4, 2)
    parameters = [*module.parameters(), *head.parameters()]

    def loss(batch):
        hs, _ = module(torch.tensor(batch.xs, dtype=torch.float32))
        return torch.nn.functional.cross_entropy(head(hs[-1]), torch.tensor(batch.targets[0]))

    def begin():
        return bridge_watch.moments(module, loss, torch.optim.Adam(parameters, 0.05), probe=PROBE,
                                    batches=lambda k: tasks.latch(4, 8, rng=k))

    trace, dtrace = bridge.trace_torch(module, lambda: loss(PROBE))
    figure = training({"torch": begin}, updates=6, every=3)
    _, drawn = artists(figure, updates=0)
    for gate in "ifo":
        expected = getattr(trace, gate).mean(axis=(1, 2))
        np.testing.assert_allclose(drawn["gates"][gate]["now"].get_ydata(), expected, atol=0.001)
    np.testing.assert_allclose(drawn["norms"].get_ydata(),
                               np.linalg.norm(dtrace.h, axis=2).mean(axis=1), rtol=0.02)
    assert figure.drive() == 5


def test_what_lies_beyond_the_axes_is_marked_and_said():
    cell = RNNCell(np.ones((2, 1)), np.diag([3.0, 0.1]), np.zeros(2))
    begin = run_of(cell, rate=1e-9)
    figure = training({"wide": begin}, updates=2, every=1, guess=np.log(2))
    text, drawn = artists(figure, updates=1)
    assert drawn["eigen off"].get_xdata() == pytest.approx([2.5])
    assert len(drawn["eigen"].get_xdata()) == 3  # one eigenvalue is left inside
    assert text.endswith("mark what lies beyond the axes.") and "ρ(W) = 3.00" in text

    def enormous():
        for moment in begin():
            yield train.Moment(moment.updates, 1e6, moment.norm, moment.trace, moment.dtrace)

    _, drawn = artists(training({"loss": enormous}, updates=2, every=1), updates=1)
    assert drawn["loss off"]["up"].get_xydata().tolist() == [[1, LOSSES[1]]]
    assert drawn["loss label"].get_text() == "1.0·10⁶"


def skipping():
    for moment in run_of(RNNCell.init(1, 3))():
        if moment.updates != 2:
            yield moment


@pytest.mark.parametrize(("call", "message"), [
    (lambda: training({"a": 3}), r"runs\['a'\]: expected a function that begins it, got 3"),
    (lambda: training({"a": run_of(RNNCell.init(1, 3))}, every=0), "every: expected a whole"),
    (lambda: training({"a": run_of(RNNCell.init(1, 3)), "b": run_of(LSTMCell.init(1, 3))}),
     "runs: expected as many steps and the same gates in all"),
    (lambda: training({"a": lambda: iter(())}), "a: the run ended after None updates"),
    (lambda: training({"a": run_of(JordanCell.init(1, 3, 2))}), "runs: expected cells with gates"),
    (lambda: own.Watched("a", skipping, 1).at(2), "a: expected a moment after 2 updates, got 1"),
])
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()
