"""Who is forgotten: the items are what they are said to be, and the figure tells the results."""

import gzip
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnlib import backward, forward, losses, results
from rnnlib.widgets.who_is_forgotten import (
    BAR,
    NETWORKS,
    SENTENCES,
    contributions,
    height,
    key_row,
    layout,
    who_is_forgotten,
)

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
sys.path.insert(0, str(EXPERIMENTS))

import table  # noqa: E402
import who_is_forgotten as experiment  # noqa: E402

RESULTS = EXPERIMENTS.parent / "rnnlib" / "data"


@pytest.fixture(scope="module")
def figure():
    return who_is_forgotten()


# --- the experiment ---------------------------------------------------------------------------


@pytest.mark.parametrize("network", NETWORKS)
def test_items_are_the_outer_products_whose_sum_is_dW(network):
    cell, out = experiment.start(network, np.random.default_rng(3))
    found = experiment.look(network, (cell, out), "brown")
    batch = experiment.encode([experiment.shown("brown")])
    trace = forward(cell, batch.xs)
    _, dlogits = losses.softmax_cross_entropy(out.logits(trace.h[-1:]), batch.targets)
    dh, _ = out.backward(trace.h[-1:], dlogits)
    dtrace, dcell = backward(cell, trace, dh_end=dh[0])  # no other loss: its da are the items' da
    gates = {"RNN": ("a",), "LSTM": ("a_i", "a_f", "a_g", "a_o"), "GRU": ("a_r", "a_z", "s")}
    da = np.hstack([getattr(dtrace, name)[:, 0] for name in gates[network]])
    products = da[:, :, None] * trace.h_prev[:, 0, None, :]
    np.testing.assert_allclose(products.sum(axis=0), dcell.W, rtol=1e-10, atol=1e-16)
    items = np.array(found["items"].split(), float)
    np.testing.assert_allclose(items, np.linalg.norm(products, axis=(1, 2)), rtol=1e-5)
    assert float(found["dW"]) == pytest.approx(np.linalg.norm(dcell.W), rel=1e-5)
    column = dcell.U[:, experiment.PLACE["brown"]]  # "brown" stands at one step alone
    columns = np.array(found["columns"].split(), float)
    assert columns[1] == pytest.approx(np.linalg.norm(column), rel=1e-5)
    assert items[0] == 0 < items[1]


@pytest.mark.parametrize("network", NETWORKS)
def test_an_untrained_row_of_the_results_can_be_reproduced(network):
    params = experiment.start(network, np.random.default_rng(0))
    wanted = {"network": network, "training": "none", "sentence": "France", "seed": "0"}
    (row,) = (r for r in table.read(RESULTS / "who_is_forgotten_networks.csv")
              if wanted.items() <= r.items())
    found = experiment.look(network, params, "France")
    for name in ("items", "columns", "dW"):
        np.testing.assert_allclose(np.array(str(found[name]).split(), float),
                                   np.array(row[name].split(), float), rtol=1e-4)


def test_key_words_stand_where_the_docstring_says_and_decide_the_answer():
    rng = np.random.default_rng(0)
    for family, near in (("clouds", 3), ("France", 4), ("brown", 7)):
        _, _, answers, clauses = experiment.FAMILIES[family]
        assert len(set(answers.values())) == 4 and all(len(c.split()) == 4 for c in clauses)
        for count in range(len(clauses) + 1):
            words, last = experiment.draw(rng, family, count)
            (place,) = (k for k, word in enumerate(words) if word in answers)
            assert len(words) - 1 - place == near + 4 * count
            assert answers[words[place]] == last


def run_a_little(job):
    return experiment.run(job, steps=2)


def run_seed_1_only(job):
    if job["seed"] != 1:
        raise ValueError("seed 1 only")
    return run_a_little(job)


def files(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_run_that_was_cut_off_goes_on_to_the_same_files(tmp_path, monkeypatch):
    monkeypatch.setattr(experiment, "CELLS", {"RNN": experiment.CELLS["RNN"]})

    def main(folder, seeds, work=run_a_little):
        monkeypatch.setattr(experiment, "run", work)
        return experiment.main(["--jobs", "1", "--seeds", seeds, "--out", str(tmp_path / folder)])

    assert main("at once", "2") is None
    whole = files(tmp_path / "at once")
    assert len(whole) == 3
    main("in two", "1")
    assert main("in two", "2", run_seed_1_only) is None         # seed 0 is not run again
    assert files(tmp_path / "in two") == whole
    with monkeypatch.context() as cut_off:
        cut_off.setattr(experiment, "unpack", sys.exit)         # what Ctrl-C leaves
        with pytest.raises(SystemExit):
            main("unpacked later", "1")
    assert list(files(tmp_path / "unpacked later")) == ["who_is_forgotten_new.csv"]
    assert main("unpacked later", "2", run_seed_1_only) is None
    assert files(tmp_path / "unpacked later") == whole
    assert "2 failed" in main("fails", "2", run_seed_1_only)    # two diets of seed 0
    assert main("fails", "2") is None and files(tmp_path / "fails") == whole


def test_the_published_files_lack_nothing(tmp_path):
    names = [f"who_is_forgotten{part}.csv" for part in ("", "_networks", "_solved")]
    for name in names[1:]:
        shutil.copy(RESULTS / name, tmp_path)
    assert experiment.main(["--out", str(tmp_path)]) is None
    assert files(tmp_path) == {name: (RESULTS / name).read_bytes() for name in names}


# --- what was found ---------------------------------------------------------------------------


def test_untrained_brown_is_forgotten_by_rnn_and_gru_but_less_by_the_lstm():
    rnn, lstm, gru = (key_row(network, "none", "brown") for network in NETWORKS)
    assert rnn["seeds"] >= 10
    assert rnn["share_high"] < 1e-5 and gru["share_high"] < 1e-5 < 5e-4 < lstm["share_low"]
    assert rnn["dW"] > 0.4 and rnn["column_share_high"] < 1e-5


def test_near_clouds_are_forgotten_by_none():
    assert min(key_row(n, "none", "clouds")["share_low"] for n in NETWORKS) > 0.02


def test_the_bars_of_an_untrained_rnn_rise_all_the_way():
    for sentence in SENTENCES.values():
        shares = [row["share"] for row in contributions("RNN", "none", sentence)]
        assert (np.diff(shares) > 0).all() and shares[-1] > 0.5


def test_training_opens_the_way_to_brown():
    for network in NETWORKS:
        before, after = (key_row(network, training, "brown") for training in ("none", "all"))
        assert after["share"] > 5 * before["share"] and after["right"] >= after["seeds"] - 1
    assert key_row("RNN", "all", "brown")["share"] > 1e3 * key_row("RNN", "none", "brown")["share"]


def test_most_networks_solve_what_they_were_trained_on():
    rows = results.find(results.load("who_is_forgotten_solved"), training="all", clauses=4.0)
    for network in NETWORKS:
        for family in ("France", "brown"):
            accuracies = [r["accuracy"] for r in results.find(rows, network=network, family=family)]
            assert len(accuracies) >= 10
            assert np.mean(np.array(accuracies) >= 0.95) >= 0.8


# --- the figure -------------------------------------------------------------------------------


def test_figure_draws_everywhere_and_fits_the_page(figure):
    assert figure.drive() > len(figure.presets) >= 3
    assert len(gzip.compress(figure.bake().encode())) < 30_000
    assert figure.scene.smallest_text() >= 9


def test_the_sentences_are_those_of_the_experiment_and_stay_inside_the_figure():
    for sentence in SENTENCES.values():
        words, last = experiment.shown(sentence)
        places = layout(sentence)
        assert [p[0].lower() for p in places] == [w.lower() for w in [*words, last]]
        assert max(x + width for _, x, _, width, _ in places) < 455
        assert max(line for _, _, line, _, _ in places) <= 1
        for (_, x, line, width, _), (_, after, below, _, _) in zip(places, places[1:],
                                                                 strict=False):
            assert below == line + 1 or x + width + 4 < after


def test_bars_have_the_heights_of_the_shares_and_unused_ones_are_hidden(figure):
    figure.frame({"sentence": "clouds → sky", "network": "GRU", "training": "none"})
    artists, rows = figure.scene.artists, contributions("GRU", "none", "clouds")
    drawn = [bar.get_height() for bar in artists["bars"] if bar.get_visible()]
    np.testing.assert_allclose(drawn, [BAR * height(row["share"]) for row in rows])
    words = [text.get_text() for text in artists["words"] if text.get_visible()]
    assert words == ["The", "clouds", "are", "in", "the", "sky"]
    assert height(1) == 1 and height(1e-4) == pytest.approx(0.5) and height(0) == 0


def test_the_sentence_says_that_w_moves_although_brown_gives_nothing(figure):
    row = key_row("RNN", "none", "brown")
    text, _ = figure.frame({})
    assert f"a gradient of norm {row['dW']:.2g}; only" in text
    digits, exponent = f"{row['share']:.0e}".split("e-0")
    sign = {"7": "⁻⁷", "6": "⁻⁶"}[exponent]
    assert f"only {digits}·10{sign} of it comes through “brown”. W moves all the same." in text
    assert figure.scene.artists["part number"].get_text() == f"{digits}·10{sign}"


def test_the_sentence_counts_the_networks_that_are_right(figure):
    row = key_row("RNN", "all", "France")
    text, _ = figure.frame({"sentence": "France → French", "training": "all distances"})
    assert f"{row['right']:.0f} of {row['seeds']:.0f} networks foretell “French”" in text
