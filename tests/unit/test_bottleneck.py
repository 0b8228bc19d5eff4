"""The copying experiment: rows, summaries and what is said of them; its parts, computed again."""

import sys
from pathlib import Path

import numpy as np
import pytest

from rnnlib import budget, losses, optim, seq2seq, train
from rnnlib.records import leaves
from rnnlib.seq2seq import teacher_inputs
from rnnlib.tasks.batch import inside

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))
import bottleneck as experiment
import table

ROWS = table.read(table.RESULTS / "bottleneck.csv")
SUMMARY = table.read(table.RESULTS / "bottleneck_summary.csv")
PLACES = table.read(table.RESULTS / "bottleneck_places.csv")
LENGTHS = range(1, experiment.LONGEST + 1)


def group(rows, **wanted):
    return [row for row in rows if all(row[name] == str(v) for name, v in wanted.items())]


def numbers(rows, name):
    return np.array([float(row[name]) for row in rows])


def mean(model, size, length):
    row, = group(SUMMARY, model=model, size=size, length=length)
    return float(row["mean"])


# --- the files --------------------------------------------------------------------------------


def test_every_model_and_size_has_the_same_ten_seeds():
    assert len(ROWS) == len(experiment.MODELS) * len(experiment.SIZES) * 10
    for model in experiment.MODELS:
        for size in experiment.SIZES:
            seeds = numbers(group(ROWS, model=model, size=size), "seed")
            assert sorted(seeds) == list(range(10))


def test_the_summary_is_that_of_the_rows():
    assert len(SUMMARY) == len(experiment.MODELS) * len(experiment.SIZES) * len(LENGTHS)
    for line in SUMMARY:
        mine = group(ROWS, model=line["model"], size=line["size"])
        wanted = table.mean_interval(numbers(mine, f"exact_{line['length']}"))
        found = [float(line[name]) for name in ("mean", "low", "high")]
        assert found == pytest.approx(wanted, rel=1e-5, abs=1e-9)
        assert int(line["n"]) == len(mine)
        assert {row["parameters"] for row in mine} == {line["parameters"]}


def test_the_places_are_those_of_the_rows():
    assert len(PLACES) == len(experiment.SIZES) * len(LENGTHS)
    for line in PLACES:
        mine = group(ROWS, model="attention", size=line["size"])
        for name, column in (("at", f"at_{line['output']}"), ("place", f"place_{line['output']}"),
                             ("said", "said")):
            wanted = table.mean_interval(numbers(mine, column))
            found = [float(line[key]) for key in (name, f"{name}_low", f"{name}_high")]
            assert found == pytest.approx(wanted, rel=1e-5, abs=1e-9)
        assert int(line["looking"]) == (numbers(mine, "at_1") >= 0.5).sum()


def test_a_network_looks_at_the_first_place_nearly_always_or_nearly_never():
    """So that it matters little where between the line is drawn."""
    at = numbers(group(ROWS, model="attention"), "at_1")
    assert not ((at > 0.2) & (at < 0.8)).any()


def test_equal_sizes_are_not_equal_numbers_of_parameters():
    for size in experiment.SIZES:
        counts = {model: numbers(group(ROWS, model=model, size=size), "parameters")[0]
                  for model in experiment.MODELS}
        assert counts["forward"] == counts["reversed"] < counts["attention"]
        for model, count in counts.items():
            assert count == budget.parameters(experiment.network(model, size, 0))


def test_a_network_again_from_its_seed():
    job = {"model": "forward", "size": 8, "seed": 4}
    row, = group(ROWS, **job)
    again = experiment.run(job)
    assert again.keys() == row.keys() - job.keys()
    # After 1,000 updates the rounding of another processor shows.
    assert float(again["loss"]) == pytest.approx(float(row["loss"]), rel=0.1)
    copied = [sum(float(one[f"exact_{n}"]) for n in LENGTHS) for one in (again, row)]
    assert copied[0] == pytest.approx(copied[1], abs=0.4)
    assert {again[name] for name in row if name[:3] in ("at_", "pla", "sai")} == {""}


@pytest.mark.parametrize("model", experiment.MODELS)
def test_a_seed_says_all_of_a_training(model):
    one, again, other = (
        experiment.trained({"model": model, "size": 8, "seed": seed}, schedule=((0.01, 50),))[1]
        for seed in (4, 4, 5))
    assert len(one) == 50
    np.testing.assert_array_equal(one, again)
    assert (one != other).all()


def test_what_the_readme_and_the_book_quote():
    at_10 = {model: [round(mean(model, size, 10), 3) for size in experiment.SIZES]
             for model in experiment.MODELS}
    assert at_10["forward"] == pytest.approx([0, 0, 0.025, 0.237], abs=6e-4)
    assert at_10["reversed"] == pytest.approx([0, 0.004, 0.180, 0.586], abs=6e-4)
    assert at_10["attention"] == pytest.approx([0.743, 0.901, 0.920, 1.000], abs=6e-4)
    for size in experiment.SIZES:
        lengths = (4, 5) if size == 8 else (5, 6, 7, 8, 9, 10)
        assert all(mean("reversed", size, n) > mean("forward", size, n) for n in lengths)
        assert mean("attention", size, 12) < 0.02
        assert max(mean("attention", size, n) for n in range(13, 21)) == 0
    looking = {int(row["size"]): int(row["looking"]) for row in PLACES}
    assert looking == {8: 8, 16: 9, 32: 9, 64: 10}


def test_those_that_look_count_to_ten_or_eleven_and_then_look_near_the_end():
    looking = [row for row in group(ROWS, model="attention") if float(row["at_1"]) >= 0.5]
    at = {t: numbers(looking, f"at_{t}").mean() for t in LENGTHS}
    assert len(looking) == 36 and min(at[t] for t in range(1, 9)) > 0.95
    assert at[10] == pytest.approx(0.80, abs=0.005) and at[11] == pytest.approx(0.47, abs=0.005)
    assert max(at[t] for t in (12, 13, 14)) < 0.06      # by chance 1 in 20
    assert min(numbers(looking, f"place_{t}").mean() for t in range(12, 21)) > 17
    said = numbers(looking, "said")
    assert said.mean() == pytest.approx(11.6, abs=0.02) and 10.7 < said.min() < said.max() < 12.4


# --- its parts --------------------------------------------------------------------------------


def test_copies_are_the_source_and_a_stop_and_read_from_either_end():
    batch, turned = (experiment.copies(50, (1, 6), np.random.default_rng(3), from_end=way)
                     for way in (False, True))
    assert set(batch.lengths) == set(range(1, 7))
    np.testing.assert_array_equal(batch.targets, turned.targets)
    for b, n in enumerate(batch.lengths):
        word = batch.targets[:n, b]
        assert word.max() < experiment.STOP and (batch.targets[n:, b] == experiment.STOP).all()
        assert (batch.xs[:n, b].argmax(-1) == word).all()
        assert (turned.xs[:n, b].argmax(-1) == word[::-1]).all()
        for xs in (batch.xs, turned.xs):
            assert (xs[:n, b].sum(-1) == 1).all() and not xs[n:, b].any()


@pytest.mark.parametrize("model", experiment.MODELS)
def test_reading_the_padding_changes_no_gradient(model):
    _, from_end = experiment.MODELS[model]
    made = experiment.network(model, 7, np.random.default_rng(0))
    batch = experiment.copies(9, (1, 6), np.random.default_rng(1), from_end=from_end)
    loss, grads = experiment.loss_and_grads(made, batch)
    inputs = teacher_inputs(batch.targets, experiment.START, experiment.SAID)
    trace = seq2seq.forward(made, batch.xs, inputs, lengths=batch.lengths)
    wanted, dlogits = losses.softmax_cross_entropy(
        trace.logits, batch.targets, inside(batch.lengths + 1))
    assert loss == pytest.approx(wanted, rel=1e-12)
    found, other = (leaves("d", d) for d in (grads, seq2seq.backward(made, trace, dlogits)[1]))
    assert found.keys() == other.keys()
    for path, array in other.items():
        np.testing.assert_allclose(found[path], array, rtol=1e-9, atol=1e-14)


@pytest.fixture(scope="module")
def learner():
    """A network with attention in the midst of its training, and what it says when taught."""
    rng = np.random.default_rng(5)
    begun = experiment.network("attention", 8, rng)
    model = train.fit(begun, experiment.loss_and_grads,
                      lambda _: experiment.copies(16, (1, 3), rng), optim.Adam(0.02), steps=70,
                      clip=1.0, progress=False).params
    batch = experiment.copies(200, 3, rng)
    inputs = teacher_inputs(batch.targets, experiment.START, experiment.SAID)
    return model, batch, seq2seq.forward(model, batch.xs, inputs)


def test_exact_is_what_a_teacher_never_has_to_correct(learner):
    """Who is right at every step when taught is right on his own: he is given the same."""
    model, batch, trace = learner
    never = (trace.logits.argmax(axis=-1) == batch.targets).all(axis=0).mean()
    assert 0.02 < never < 0.98
    assert experiment.exact(model, batch) == never


def test_looking_is_at_the_largest_weight(learner):
    model, batch, trace = learner
    at, place = experiment.looking(model, batch)
    for t in range(3):
        largest = [max(range(3), key=lambda s, t=t, b=b: trace.attention.weights[t, b, s])
                   for b in range(200)]
        assert at[t] == np.mean([s == t for s in largest])
        assert place[t] == pytest.approx(np.mean(largest) + 1)
    assert at.mean() > 0.4


def test_who_stops_too_early_has_copied_nothing(monkeypatch, learner):
    model, batch, _ = learner
    silent = experiment.search.Found(
        np.full((1, 200), experiment.STOP), np.ones(200, int), np.zeros(200))
    monkeypatch.setattr(experiment.search, "greedy", lambda *_, **__: silent)
    assert experiment.exact(model, batch) == 0
