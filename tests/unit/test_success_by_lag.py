"""Success against lag: rows and summaries agree, a seed gives its row, the figure shows them."""

import gzip
import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
sys.path.insert(0, str(EXPERIMENTS))

import success_by_lag as experiment  # noqa: E402
import table  # noqa: E402

from rnnlib import RNNCell, tasks  # noqa: E402

# By its full name: `rnnlib.widgets` has the figure under that of its module.
widget = importlib.import_module("rnnlib.widgets.success_by_lag")
ROWS = table.read(table.RESULTS / "success_by_lag.csv")
SUMMARY = table.read(table.RESULTS / "success_by_lag_summary.csv")
GUESSES = table.read(table.RESULTS / "success_by_lag_guessing.csv")


def group(rows, **wanted):
    return [row for row in rows if wanted.items() <= row.items()]


def numbers(rows, name):
    return np.array([float(row[name]) for row in rows])


# --- the files --------------------------------------------------------------------------------


def test_every_variant_and_lag_has_the_same_seeds_updates_and_its_rate():
    found = {}
    for row in ROWS:
        assert row["updates"] == str(experiment.UPDATES)
        assert float(row["rate"]) == experiment.RATES[row["variant"]]
        found.setdefault((row["variant"], int(row["lag"])), []).append(int(row["seed"]))
    assert {variant for variant, _ in found} >= set(widget.VARIANTS.values())
    assert {lag for _, lag in found} == set(experiment.LAGS)
    assert len(found) == sum(
        lag <= experiment.LONGEST.get(variant, np.inf)
        for variant in {variant for variant, _ in found} for lag in experiment.LAGS)
    assert all(sorted(seeds) == list(range(20)) for seeds in found.values())


def test_solved_is_an_accuracy_of_95_percent():
    assert [row["solved"] for row in ROWS] == [
        str(int(float(row["accuracy"]) >= 0.95)) for row in ROWS]
    assert experiment.SOLVED == widget.SOLVED == 0.95
    assert widget.TRAINED_ON == experiment.UPDATES * experiment.BATCH


@pytest.mark.parametrize("row", SUMMARY, ids=lambda row: f"{row['variant']}-{row['lag']}")
def test_every_number_of_the_summary_comes_from_the_rows(row):
    rows = group(ROWS, **{name: row[name] for name in experiment.KEY[:-1]})
    solved = numbers(rows, "solved").sum()
    assert (int(row["solved"]), int(row["n"])) == (solved, len(rows))
    wanted = [*table.share_interval(solved, len(rows)),
              np.median(numbers(rows, "gradient_ratio"))]
    np.testing.assert_allclose([float(row[name]) for name in
                                ("share", "low", "high", "gradient_ratio")], wanted, rtol=1e-5)


def test_every_number_of_the_summary_of_guessing_comes_from_the_rows():
    summary = table.read(table.RESULTS / "success_by_lag_guessing_summary.csv")
    assert [int(row["lag"]) for row in summary] == list(experiment.LAGS)
    for row in summary:
        rows = group(GUESSES, lag=row["lag"])
        assert len(rows) == int(row["n"]) == 20
        for name in ("draws", "sequences"):
            values = np.sort(numbers(rows, name))
            # Of 20, the 6th and the 15th: P(fewer than 6 of 20 coins) = 2.1%.
            assert float(row[name]) == np.median(values)
            assert (float(row[f"{name}_low"]), float(row[f"{name}_high"])) == (*values[[5, 14]],)


def solved(variant):
    """Of 20, at the lags 5, 10, 15, 20, 40, 80, 160 and 320."""
    return [int(row["solved"]) for row in group(SUMMARY, variant=variant)]


def test_what_the_readme_and_the_book_quote():
    assert solved("uniform") == [20, 20, 8, 1, 1, 0, 0, 0]
    assert solved("leaky") == [20, 20, 20, 20, 8, 0, 0, 0]
    assert min(solved("fast")) == 19 and min(solved("adam")) == 18
    assert min(solved("gaussian")) == min(solved("orthogonal")) == 17
    assert solved("skip")[:6] == [20] * 6 and solved("skip")[-1] == 13
    assert solved("lstm") == [20, 20, 20, 9, 0, 0] and solved("lstm_5") == [20, 20, 20, 20, 14, 8]
    others = ("leaky", "lstm", "lstm_5")
    sharp = numbers([row for row in ROWS if row["variant"] not in others], "accuracy")
    counts = [(sharp >= 0.95).sum(), (sharp >= 0.99).sum(), (sharp < 0.95).sum(),
              (sharp < 0.55).sum()]
    assert counts == [816, 805, 144, 140]
    ratio = {(row["variant"], row["lag"]): float(row["gradient_ratio"]) for row in SUMMARY}
    assert ratio["uniform", "15"] == pytest.approx(2e-4, rel=0.05)
    assert ratio["leaky", "80"] > 1e4 * ratio["gaussian", "80"]
    assert 1e-74 < ratio["uniform", "320"] == ratio["fast", "320"] < 1e-73


@pytest.mark.parametrize("n, place", [(5, 0), (6, 0), (9, 1), (20, 5), (24, 6), (100, 39)])
def test_the_interval_of_a_median_lies_between_the_tabled_places(n, place):
    """Places counted from 0, of the widest interval that may miss 2.5% on each side."""
    values = np.arange(n)[::-1]
    assert experiment.median_interval(values) == ((n - 1) / 2, place, n - 1 - place)


# --- a row from its seed ----------------------------------------------------------------------


def test_a_row_can_be_made_again_from_its_seed():
    # Right in 99.4% on every processor tried; longer lags are chaotic, another's rounding shows.
    row, = group(ROWS, variant="leaky", lag="5", seed="2")
    job = {name: type(like)(row[name]) for name, like in
           zip(experiment.KEY, ("", 0, 0.0, 0, 0), strict=True)}
    result = experiment.run(job)
    assert float(result["gradient_ratio"]) == pytest.approx(float(row["gradient_ratio"]), rel=1e-5)
    assert float(result["accuracy"]) == pytest.approx(float(row["accuracy"]), abs=0.0011)
    assert str(result["solved"]) == row["solved"]


@pytest.mark.parametrize("seed", [0, 1])
def test_a_row_of_guessing_can_be_made_again_from_its_seed(seed):
    row, = group(GUESSES, lag="5", seed=str(seed))
    result = experiment.guess({"lag": 5, "seed": seed})
    assert (result["draws"], result["sequences"]) == (int(row["draws"]), int(row["sequences"]))
    assert float(result["accuracy"]) == pytest.approx(float(row["accuracy"]), abs=0.0011)


def test_a_guess_that_keeps_the_sign_is_right():
    cell = RNNCell(U=np.array([[1.0]]), W=np.array([[9.0]]), b=np.zeros(1))
    keeps = experiment.accuracy(lambda xs: experiment.forward(cell, xs).h_end[:, 0] > 0, 40,
                                np.random.default_rng(0))
    assert keeps == 1
    coin = experiment.accuracy(lambda xs: xs[-1, :, 0] > 0, 40, np.random.default_rng(0))
    assert abs(coin - 0.5) < 0.05


def test_the_gradient_ratio_of_a_linear_unit_is_the_power_of_its_weight():
    cell = RNNCell(U=np.ones((1, 1)), W=np.array([[0.8]]), b=np.zeros(1), activation="identity")
    out = experiment.OutputLayer(V=np.array([[1.0], [-1.0]]), c_out=np.zeros(2))
    ratio = experiment.gradient_ratio(cell, out, tasks.latch(10, 21))
    assert ratio == pytest.approx(0.8**20)


# --- the figure -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def figure():
    return widget.success_by_lag()


def test_the_figure_draws_everywhere_and_fits_the_page(figure):
    assert figure.drive() > len(figure.presets) >= 2
    assert len(gzip.compress(figure.bake().encode())) < 70_000
    assert figure.scene.smallest_text() >= 9


@pytest.mark.parametrize("label", widget.VARIANTS)
def test_every_state_shows_the_numbers_of_the_files(figure, label):
    artists = figure.scene.artists
    for lag in experiment.LAGS:
        sentence, _ = figure.frame({"variant": label, "lag": lag})
        rows = group(ROWS, variant=widget.VARIANTS[label], lag=str(lag))
        solved = int(numbers(rows, "solved").sum())
        here = experiment.LAGS.index(lag)
        assert f"lag {lag}: {solved} of 20 networks learn it" in sentence
        assert artists["count"].get_text() == f"lag {lag}: {solved} of 20"
        assert artists["line"].get_ydata()[here] == pytest.approx(solved / 20)
        assert artists["dot"].get_data() == ([np.log2(lag)], [pytest.approx(solved / 20)])
        _, low, high = table.share_interval(solved, 20)
        bar = artists["bars"].get_segments()[here]
        np.testing.assert_allclose(bar, [[np.log2(lag), low], [np.log2(lag), high]], rtol=1e-5)
        assert f"interval {low:.0%} to {high:.0%}" in sentence
        shown = [artists[name].get_ydata() for name in ("learnt", "not learnt")]
        assert len(shown[0]) == solved and (shown[0] >= 0.95).all() and (shown[1] < 0.95).all()
        falling = np.sort(numbers(rows, "accuracy"))[::-1]
        np.testing.assert_array_equal(np.concatenate(shown), falling)
        draws = np.median(numbers(group(GUESSES, lag=str(lag)), "draws"))
        assert f"after {draws:g} draws" in artists["guessing"].get_text()
        assert f"{draws:g} draws" in sentence


def test_the_presets_keep_their_promise(figure):
    solved = {}
    for name, values in figure.presets.items():
        found = widget.success(widget.VARIANTS[values["variant"]])
        solved[name] = found["solved"][experiment.LAGS.index(values["lag"])]
    assert solved["Short lag: all learn"] == 20 and solved["Long lag: none does"] == 0
    assert 5 <= solved["It depends on the seed"] <= 15
    assert solved["A better start"] >= 18 and solved["Three times the rate"] >= 18


def test_powers_of_ten_are_written_as_such():
    assert [widget._power(x) for x in (0.5, 0.034, 0.0000123, 3.4e-120)] == [
        "0.5", "0.034", "1·10⁻⁵", "3·10⁻¹²⁰"]
