"""Which language is this word: rows, summaries and stored networks agree; a seed gives its row."""

import sys
from pathlib import Path

import numpy as np
import pytest

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
sys.path.insert(0, str(EXPERIMENTS))

import counting  # noqa: E402
import languages as experiment  # noqa: E402
import table  # noqa: E402

from rnnlib import budget, datasets, forward, losses, results  # noqa: E402
from rnnlib.records import leaves  # noqa: E402
from rnnlib.widgets import language_readers as readers  # noqa: E402

ROWS = table.read(table.RESULTS / "languages.csv")
SUMMARY = table.read(table.RESULTS / "languages_summary.csv")
CONFUSION = table.read(table.RESULTS / "languages_confusion.csv")
LANGUAGES = datasets.names().classes


def column(reader, name):
    """Of this reader, seed after seed."""
    rows = sorted((row for row in ROWS if row["reader"] == reader), key=lambda r: int(r["seed"]))
    return np.array([float(row[name]) for row in rows])


def confusion(row):
    return np.array(row["confusion"].split(), int).reshape(20, 20)


# --- the files --------------------------------------------------------------------------------


def test_every_reader_has_the_same_seeds_at_least_five():
    seeds = {reader: column(reader, "seed").tolist() for reader in experiment.READERS}
    assert len(seeds["both"]) >= 5
    assert all(found == list(range(len(seeds["both"]))) for found in seeds.values())
    assert len(ROWS) == len(experiment.READERS) * len(seeds["both"])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['reader']}-{row['seed']}")
def test_every_share_of_a_row_is_that_of_its_counts(row):
    counts = confusion(row)
    assert counts.sum() == int(row["n"]) == len(experiment.parts(int(row["seed"]))[2])
    assert float(row["accuracy"]) == pytest.approx(counts.trace() / counts.sum(), rel=1e-5)
    recall = (counts.diagonal() / counts.sum(axis=1)).mean()
    assert float(row["macro_recall"]) == pytest.approx(recall, rel=1e-5)


def test_the_networks_have_as_many_parameters_as_can_be_had():
    for seed in range(len(column("both", "seed"))):
        one, back, both = (column(reader, "parameters")[seed] for reader in readers.DIRECTIONS)
        assert one == back and abs(both / one - 1) < 0.02
    assert set(column("forward", "hidden")) == {experiment.HIDDEN}
    inputs = len(experiment.alphabet(experiment.parts(1)[0].texts)) + 2
    for reader in readers.DIRECTIONS:
        made = experiment.network(reader, inputs, 20, np.random.default_rng(0))
        assert budget.parameters(made) == column(reader, "parameters")[1]


def test_every_number_of_the_summary_comes_from_the_rows():
    assert len(SUMMARY) == 2 * len(experiment.READERS) + len(experiment.PAIRS)
    for row in SUMMARY:
        one, _, other = row["who"].partition(" - ")
        values = column(one, row["what"])
        if other:
            values = values - column(other, row["what"])
        wanted = table.mean_interval(values)
        assert int(row["seeds"]) == len(values)
        np.testing.assert_allclose([float(row[name]) for name in ("mean", "low", "high")], wanted,
                                   rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("reader", experiment.READERS)
def test_the_confusions_are_those_of_all_seeds_together(reader):
    total = sum(confusion(row) for row in ROWS if row["reader"] == reader)
    counts = np.zeros((20, 20), int)
    for row in CONFUSION:
        if row["reader"] == reader:
            counts[LANGUAGES.index(row["truth"]), LANGUAGES.index(row["said"])] = row["count"]
    np.testing.assert_array_equal(counts, total)


def mean(what, who):
    (row,) = (row for row in SUMMARY if (row["what"], row["who"]) == (what, who))
    return [float(row[name]) for name in ("mean", "low", "high")]


def test_what_the_readme_and_the_book_quote():
    """Reading both ways is no better here than reading one way, and counting is better still."""
    for who, percent in (("forward", 75.9), ("backward", 75.3), ("both", 76.0), ("n-grams", 76.0),
                         ("logistic", 78.8), ("most frequent", 7.8)):
        assert round(100 * mean("accuracy", who)[0], 1) == percent
    _, low, high = mean("accuracy", "both - forward")
    assert -0.004 < low < 0 < high < 0.007
    _, low, high = mean("accuracy", "both - n-grams")
    assert -0.007 < low < 0 < high < 0.0071
    assert mean("accuracy", "both - logistic")[2] < -0.021


def test_neighbours_are_confused():
    """The four pairs of languages that "both" takes for one another most often, of 190."""
    pairs = {}
    for row in CONFUSION:
        if row["reader"] == "both" and row["truth"] != row["said"]:
            pair = frozenset((row["truth"], row["said"]))
            pairs[pair] = pairs.get(pair, 0) + int(row["count"])
    most = sorted(pairs, key=pairs.get)[:-5:-1]
    assert most == [frozenset(pair) for pair in (
        ("Estonian", "Finnish"), ("Dutch", "German"), ("Portuguese", "Spanish"),
        ("Italian", "Spanish"))]
    assert [pairs[pair] for pair in most] == [410, 195, 168, 134]
    assert sum(pairs.values()) == 4838


# --- the split and what is fed ----------------------------------------------------------------


def test_the_three_parts_share_no_name_and_are_different_for_another_seed():
    training, validation, test = (set(part.texts) for part in experiment.parts(0))
    assert not (training & validation or training & test or validation & test)
    assert len(training | validation | test) == len(datasets.names())
    assert len(test) == pytest.approx(0.2 * len(datasets.names()), abs=10)
    assert len(validation) == pytest.approx(0.1 * len(datasets.names()), abs=10)
    assert test != set(experiment.parts(1)[2].texts)


def test_an_epoch_shows_every_name_of_the_training_once_and_hides_its_share():
    training = experiment.parts(0)[0]
    letters = experiment.alphabet(training.texts)
    draw, count = experiment.batches(training, "backward", letters, 0)
    drawn = [draw(step) for step in range(count)]
    assert sum(len(batch.lengths) for batch in drawn) == len(training)
    assert sorted(np.concatenate([b.targets[0] for b in drawn])) == sorted(training.labels)
    assert np.median([np.ptp(b.lengths) for b in drawn]) <= 1, "the lengths of a batch differ"
    shown = sum(b.xs[..., :-1].sum() for b in drawn)
    assert shown == sum(map(len, training.texts)), "a step has not one letter"
    plain, _ = readers.encode(training.texts, letters)
    hidden = sum(b.xs[..., -2].sum() for b in drawn) - plain[..., -2].sum()
    assert hidden / shown == pytest.approx(experiment.HIDE, abs=0.005)
    again, next_epoch = draw(0), draw(count)
    assert np.array_equal(again.xs, drawn[0].xs)
    assert np.array_equal(again.targets, drawn[0].targets)
    assert not np.array_equal(next_epoch.targets, drawn[0].targets)


def test_the_gradient_is_that_of_the_loss():
    training = experiment.parts(0)[0]
    cell, out = experiment.network("both", 9, 20, np.random.default_rng(0))
    params = cell.astype(np.float64), out.astype(np.float64)
    xs, ends = readers.encode(["abc", "de"], "abcdefg")
    batch = experiment.Batch(xs.astype(float), training.labels[:2][None], ends)
    _, (dcell, dout) = experiment.ANSWERS.loss_and_grads(params, batch)

    def loss(step):
        U = params[0].back.U.copy()
        U[3, 1] += step
        back = experiment.GRUCell(U, *(getattr(params[0].back, k) for k in ("W", "b", "b_n")))
        moved = experiment.Bidirectional(params[0].ahead, back), params[1]
        return experiment.ANSWERS.loss_and_grads(moved, batch)[0]

    assert (loss(1e-5) - loss(-1e-5)) / 2e-5 == pytest.approx(dcell.back.U[3, 1], rel=1e-6)
    assert dout.V.shape == out.V.shape


# --- counting ---------------------------------------------------------------------------------


def test_the_grams_of_a_word():
    assert counting.grams("Ab", 2) == ["\2", "A", "b", "\3", "\2A", "Ab", "b\3"]
    assert counting.grams("Ab", 1, capitals=False) == ["\2", "a", "b", "\3"]


def test_naive_bayes_is_the_product_of_the_shares():
    Texts = type(datasets.names())

    def part(texts, labels):
        return Texts(np.array(labels), ("x", "y"), np.array(texts), "ab")

    training, test = part(["aa", "ab", "bb"], [0, 0, 1]), part(["a", "b"], [0, 1])
    _, (seen, unseen) = counting.counted(training, (test,), 1)
    assert [len(name) for name in seen] == [4, 4, 4] and [len(name) for name in unseen] == [3, 3]
    setting, share, said = counting.naive_bayes(training, test, test)
    assert share == 1 and said.tolist() == [0, 1] and setting.startswith("n 1, ")


# --- a row from its seed, and the stored networks -----------------------------------------------


@pytest.mark.parametrize("reader", ["most frequent"])
def test_a_row_can_be_made_again_from_its_seed(reader):
    (row,) = (row for row in ROWS if row["reader"] == reader and row["seed"] == "1")
    again = experiment.run({"reader": reader, "seed": 1})
    assert {key: str(value) for key, value in again.items()} == {key: row[key] for key in again}


def test_logistic_regression_can_be_made_again_from_its_seed():
    (row,) = (row for row in ROWS if row["reader"] == "logistic" and row["seed"] == "1")
    assert row["setting"] == "n 4, epochs 1", "the cheapest of all rows: choose another"
    parts = experiment.parts(1)
    setting, share, said = counting.logistic(*parts, 1, sizes=(4,), epochs=1)
    assert setting == row["setting"] and share == pytest.approx(float(row["validation"]), rel=1e-5)
    assert counting.right(said, parts[2]) == pytest.approx(float(row["accuracy"]), rel=1e-5)


def test_the_first_epoch_of_a_network_begins_where_guessing_does():
    training = experiment.parts(0)[0]
    letters = experiment.alphabet(training.texts)
    params = experiment.network("forward", len(letters) + 2, 20, np.random.default_rng([0, 1]))
    draw, _ = experiment.batches(training, "forward", letters, 0)
    loss, _ = experiment.ANSWERS.loss_and_grads(params, draw(0))
    assert loss == pytest.approx(np.log(20), abs=0.1)
    assert budget.parameters(params) == column("forward", "parameters")[0]


@pytest.mark.parametrize("direction", readers.DIRECTIONS)
def test_a_stored_network_has_the_accuracy_of_its_row(direction):
    test = experiment.parts(experiment.SHOWN)[2]
    letters, languages, networks = readers.stored()
    assert languages == LANGUAGES
    assert letters == experiment.alphabet(experiment.parts(experiment.SHOWN)[0].texts)
    assert budget.parameters(networks[direction]) == column(direction, "parameters")[0]
    said = experiment.log_beliefs(networks[direction], test, direction, letters).argmax(1)
    accuracy = column(direction, "accuracy")[experiment.SHOWN]
    share = (said == test.labels).mean()
    assert share == pytest.approx(accuracy, abs=0.0011)     # rounding turned 2 names of 2,018


def test_what_is_stored_comes_back_within_its_rounding():
    rng = np.random.default_rng(3)
    networks = {d: experiment.network(d, 9, 20, rng) for d in readers.DIRECTIONS}
    rows = readers.rows_of(" a,", LANGUAGES, networks)
    for direction, old in networks.items():
        old, new = (leaves("", net) for net in (old, readers.network(rows, direction)))
        assert old.keys() == new.keys()
        for name, array in old.items():
            assert array.dtype == new[name].dtype == np.float32
            np.testing.assert_allclose(array, new[name], rtol=0, atol=5.1e-4)
    assert results.load(readers.FILE)[0]["numbers"] == readers.stored()[0]


# --- letters ----------------------------------------------------------------------------------


def test_letters_as_columns():
    xs, lengths = readers.encode(["Aß", "İb!"], "abi")
    assert lengths.tolist() == [2, 3] and xs.shape == (3, 2, 5) and xs.dtype == np.float32
    assert xs[:, 0].tolist() == [[1, 0, 0, 0, 1], [0, 0, 0, 1, 0], [0] * 5]
    assert xs[:, 1].tolist() == [[0, 0, 0, 1, 0], [0, 1, 0, 0, 0], [0, 0, 0, 1, 0]]
    assert readers.small("ÅİZ") == "åİz"


def test_a_hidden_letter_is_any_other_and_stays_a_capital():
    xs, _ = readers.encode(["Ab"], "ab")
    shown = readers.hide(xs, np.array([[True], [False]]))
    assert shown[:, 0].tolist() == [[0, 0, 1, 1], [0, 1, 0, 0]] and xs[0, 0, 0] == 1


def test_the_belief_is_the_softmax_of_the_last_state_in_either_direction():
    letters, _, networks = readers.stored()
    word = "Österreich"
    for direction in ("forward", "backward"):
        cell, out = networks[direction]
        xs, lengths = readers.encode(readers.turned([word], direction), letters)
        h = forward(cell, xs).h[-1]
        wanted = losses.log_softmax(h @ out.V.T + out.c_out)
        np.testing.assert_allclose(readers.log_belief(networks[direction], xs, lengths), wanted,
                                   atol=1e-5)
    assert readers.turned([word], "backward") == ["hcierretsÖ"]
    assert readers.turned([word], "both") == readers.turned([word], "forward") == [word]
