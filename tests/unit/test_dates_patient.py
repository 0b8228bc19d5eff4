"""Dates without attention, trained longer: rows and summary agree, a seed begins as it should."""

import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "experiments"))

import dates  # noqa: E402
import dates_patient as experiment  # noqa: E402
import table  # noqa: E402

from rnnlib import budget, optim, train  # noqa: E402
from rnnlib.widgets import date_translators as book  # noqa: E402

ROWS = table.read(table.RESULTS / "dates_patient.csv")
SUMMARY = table.read(table.RESULTS / "dates_patient_summary.csv")
PILOT = table.read(table.RESULTS / "dates_patient_pilot.csv")
LIKE = table.read(table.RESULTS / "dates.csv")
UPDATES = {"none": 8000, "none reversed": 8000, "additive": 1000}
SEEDS = 5


def of(variant, name, rows=ROWS):
    """{seed: a number} of the networks of a variant."""
    return {int(row["seed"]): float(row[name]) for row in rows if row["variant"] == variant}


def curves(variant, rows=ROWS):
    """(seeds, moments), in the order of the seeds."""
    mine = {int(row["seed"]): row["curve"].split() for row in rows if row["variant"] == variant}
    return np.array([mine[seed] for seed in range(SEEDS)], float)


def line(**wanted):
    found, = (row for row in SUMMARY if wanted.items() <= row.items())
    return [float(found[name]) for name in ("mean", "low", "high")], int(found["seeds"])


def same(values, **wanted):
    """Is a row of the summary that of these values?"""
    found, seeds = line(**wanted)
    np.testing.assert_allclose(found, table.mean_interval(values), rtol=1e-4, atol=2e-6)
    assert seeds == len(values) == SEEDS


# --- the files --------------------------------------------------------------------------------


def test_every_variant_has_its_updates_and_the_seeds_starts_and_tests_of_dates():
    assert {row["variant"] for row in ROWS} == set(UPDATES)
    assert len(ROWS) == SEEDS * len(UPDATES)
    for variant, updates in UPDATES.items():
        assert set(of(variant, "seed")) == set(range(SEEDS))
        assert set(of(variant, "updates").values()) == {updates}
        assert set(of(variant, "n").values()) == {2400}
        for name in ("hidden", "parameters"):
            sizes = set(of(variant, name).values())
            assert len(sizes) == 1 and sizes == set(of(variant, name, LIKE).values())


def test_a_row_has_a_share_for_each_moment_that_its_training_saw():
    for row in ROWS:
        updates = UPDATES[row["variant"]]
        shares = np.array(row["curve"].split(), float)
        assert len(shares) == sum(k <= updates for k in experiment.MOMENTS)
        for share, of_how_many in ((float(row["exact"]), 2400), (float(row["trained"]), 500),
                                   *((share, 500) for share in shares)):
            assert 0 <= share <= 1
            assert share * of_how_many == pytest.approx(round(share * of_how_many), abs=0.01)
        # The last look on the way and the test are of the same network, on different dates.
        assert abs(shares[-1] - float(row["exact"])) < 0.07
        assert shares[0] == 0 and float(row["loss"]) < float(row["first_loss"])


def test_the_settings_are_those_that_the_script_tells():
    long = (0.01, 6000), (0.003, 2000)
    for variant, updates in UPDATES.items():
        assert experiment.STAGES[variant] == (long if updates == 8000 else ((0.01, 1000),))
        assert experiment.updates(variant) == updates
    told = " ".join(experiment.__doc__.split())
    assert "8,000 updates: 6,000 of Adam at rate 0.01, then 2,000 at 0.003" in told
    assert "1,000 updates of Adam at rate 0.01" in told and "Clipped at norm 1, 5 seeds" in told
    assert dates.CLIP == 1.0 and dates.BATCH == 64


def test_the_rows_give_the_summary_again():
    again = experiment.summary(ROWS, LIKE)
    assert [{name: str(value) for name, value in row.items()} for row in again] == SUMMARY


def test_the_ends_in_the_summary_come_from_the_rows():
    for variant, updates in UPDATES.items():
        for where, name in (("test", "exact"), ("trained days", "trained")):
            same([*of(variant, name).values()], what=variant, updates=str(updates), where=where)


def test_the_curves_in_the_summary_come_from_the_rows():
    for variant, updates in UPDATES.items():
        moments = [k for k in experiment.MOMENTS if k <= updates]
        for k, shares in zip(moments, curves(variant).T, strict=True):
            same(shares, what=variant, updates=str(k), where="on the way")


def test_the_differences_in_the_summary_come_from_the_rows():
    for one, two in experiment.PAIRS:
        first, second = of(one, "exact"), of(two, "exact")
        same([first[seed] - second[seed] for seed in range(SEEDS)], what=f"{one} - {two}")
    for variant in UPDATES:
        like = curves(variant, LIKE)[:, dates.MOMENTS.index(1000)]
        mixed = curves(variant)[:, experiment.MOMENTS.index(1000)]
        same(mixed - like, what=f"{variant}: mixed - like length", updates="1000")
    assert len(SUMMARY) == 3 * 2 + (11 + 11 + 4) + 3 + 3


def test_the_summary_takes_seeds_together_and_needs_no_row():
    def rows(*shares):
        return [{"variant": who, "seed": str(seed), "exact": share, "trained": "0.5",
                 "curve": f"0 0 0.1 {share}"} for who, seed, share in shares]

    found = {row["what"]: row for row in experiment.summary(
        rows(("none", 0, "0.25"), ("none", 1, "0.75"), ("additive", 1, "1")), [])
        if row["where"] == "test"}
    assert found["none"]["mean"] == "0.5" and found["none"]["seeds"] == 2
    assert found["additive - none"]["mean"] == "0.25" and found["additive - none"]["seeds"] == 1
    assert "none reversed" not in found and "none reversed - none" not in found


def test_what_the_readme_and_the_book_quote():
    none, reversed_, additive = (line(what=variant, where="test")[0] for variant in UPDATES)
    assert none == pytest.approx([0.048, 0.005, 0.090], abs=0.001)
    assert reversed_ == pytest.approx([0.030, -0.009, 0.068], abs=0.001)
    assert additive == pytest.approx([0.992, 0.987, 0.997], abs=0.001)
    # Eight times as long, the best of ten is not a tenth right; the worst with attention .98.
    longest = [*of("none", "exact").values(), *of("none reversed", "exact").values()]
    assert 0.002 < min(longest) < 0.003 and 0.085 < max(longest) < 0.086
    assert min(of("additive", "exact").values()) > 0.98
    assert line(what="additive - none")[0][1] > 0.9
    # No seed shows more on days that it may have met: what fails is not the carrying over.
    for variant in UPDATES:
        gaps = np.subtract([*of(variant, "trained").values()], [*of(variant, "exact").values()])
        assert np.abs(gaps).max() < 0.02
    # Neither batches of mixed length nor reversal change what can be told from nothing.
    for what in ("none reversed - none", *(f"{name}: mixed - like length" for name in UPDATES)):
        (_, low, high), _ = line(what=what)
        assert low < 0 < high


def test_one_network_of_the_pilots_learned_it_without_attention():
    row, = PILOT
    assert {name: row[name] for name in experiment.LUCKY} == {"variant": "none", "seed": "1001"}
    curve = dict(zip(experiment.MOMENTS, map(float, row["curve"].split()), strict=True))
    assert curve[1000] < 0.1 and 0.4 < curve[3000] < 0.5 and curve[8000] > 0.97
    assert float(row["exact"]) == pytest.approx(0.977, abs=0.001) and row["n"] == "2400"
    assert row["updates"] == "8000" and row["parameters"] == ROWS[-1]["parameters"]
    _, losses, _ = experiment.trained("none", 1001, ((0.01, experiment.LAST),))
    assert losses.mean() == pytest.approx(float(row["first_loss"]), rel=1e-3)


# --- batches ----------------------------------------------------------------------------------


def test_a_batch_holds_new_dates_of_mixed_length():
    forth = list(islice(experiment.mixed_length(np.random.default_rng(6)), 8))
    back = list(islice(experiment.mixed_length(np.random.default_rng(6), backwards=True), 8))
    assert len({write for _, _, targets in forth for write in map(book.write, targets.T)}) > 500
    for (xs, lengths, targets), (sx, same_lengths, same_targets) in zip(forth, back, strict=True):
        assert xs.shape[1] == dates.BATCH and lengths.min() <= 12 and lengths.max() >= 25
        assert not any(dates.held_out(book.write(column)) for column in targets.T)
        np.testing.assert_array_equal(lengths, same_lengths)
        np.testing.assert_array_equal(targets, same_targets)
        for b, n in enumerate(lengths):
            np.testing.assert_array_equal(xs[:n, b], sx[:n, b][::-1])


# --- trainings --------------------------------------------------------------------------------


def weights(model):
    return np.concatenate([model.encoder.W.ravel(), model.decoder.out.V.ravel()])


@pytest.mark.parametrize("variant", UPDATES)
def test_a_short_training_again_gives_the_same_bits(variant):
    stages = (0.01, 3), (0.003, 2)
    first, again = (experiment.trained(variant, 1, stages, (0, 2, 3, 5, 9), weights)
                    for _ in range(2))
    np.testing.assert_array_equal(first[1], again[1])
    assert len(first[1]) == 5 and list(first[2]) == list(again[2]) == [0, 2, 3, 5]
    for k, there in first[2].items():
        np.testing.assert_array_equal(there, again[2][k])
    np.testing.assert_array_equal(weights(first[0]), first[2][5])


def test_stages_are_one_training_whose_rate_falls():
    stages = (0.01, 3), (0.003, 2)
    _, losses, seen = experiment.trained("none", 1, stages, (3, 4), weights)
    model = dates.network("none", np.random.default_rng([1, 0]))
    batches = list(islice(experiment.mixed_length(np.random.default_rng([1, 1])), 5))
    wanted = []
    for rate, those in ((0.01, batches[:3]), (0.003, batches[3:])):
        run = train.fit(model, dates.loss_and_grads, those, optim.Adam(rate), steps=len(those),
                        clip=1.0, progress=False)
        model, wanted = run.params, [*wanted, *run.losses]
    np.testing.assert_array_equal(losses, wanted)
    # Adam's first step moves every weight by its rate, where there is a gradient.
    step = np.abs(seen[4] - seen[3])
    assert step.max() == pytest.approx(0.003, rel=0.01)


@pytest.mark.parametrize("variant", ["none", "additive"])
def test_a_row_begins_as_its_seed_says(variant):
    last = experiment.LAST
    _, losses, _ = experiment.trained(variant, 3, ((0.01, last),))
    assert losses.mean() == pytest.approx(of(variant, "first_loss")[3], rel=1e-3)


def test_a_run_is_what_its_parts_say(monkeypatch):
    """A run of five updates, its questions noted, 10 more dates of each taken as right."""
    monkeypatch.setitem(experiment.STAGES, "none reversed", ((0.01, 3), (0.003, 2)))
    monkeypatch.setattr(experiment, "MOMENTS", (0, 3, 5, 9))
    monkeypatch.setattr(dates, "TEST", 600)
    monkeypatch.setattr(dates, "ON_THE_WAY", 200)
    asked = []

    def right(model, those, backwards):
        asked.append((those, backwards))
        return np.arange(len(those)) < 10 * len(asked)

    monkeypatch.setattr(dates, "right", right)
    row = experiment.run({"variant": "none reversed", "seed": 2})
    assert row["updates"] == 5 and row["n"] == 600 and row["curve"] == "0.05 0.1 0.15"
    assert float(row["exact"]) == 0.25 and float(row["trained"]) == 0.35     # of the 5th, the 7th
    assert all(backwards for _, backwards in asked) and len(asked) == 3 + 3 + 1   # moments, formats
    assert row["parameters"] == budget.parameters(
        dates.network("none reversed", np.random.default_rng(0)))
    held = [{dates.held_out(day) for day in those.targets} for those, _ in asked]
    assert held == [{True}] * 6 + [{False}]
    # As in dates.py: first those on the way, then the test, from one stream.
    rng = np.random.default_rng([2, 2])
    for those, kinds in ((asked[0][0], dates.FORMATS), *(
            (those, (kind,)) for (those, _), kind in zip(asked[3:6], dates.FORMATS, strict=True))):
        wanted = dates.drawn(len(those), rng, held=True, formats=kinds)
        assert those.texts.tolist() == wanted.texts.tolist()
