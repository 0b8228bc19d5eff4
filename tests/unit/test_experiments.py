"""The task generators of Elman's paper, the experiments' loops and their scripts."""

import sys
from pathlib import Path

import numpy as np
import pytest

from rnnlib import OutputLayer, RNNCell, backward, forward
from rnnlib import elman as tasks

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
sys.path.insert(0, str(EXPERIMENTS))

import elman_letters  # noqa: E402
import elman_xor  # noqa: E402
import many_networks  # noqa: E402
import shifts  # noqa: E402
import table  # noqa: E402

RESULTS = EXPERIMENTS.parent / "rnnlib" / "data"


# --- generators -------------------------------------------------------------------------------


def test_every_third_bit_is_the_xor_of_the_two_before_and_the_others_are_fair():
    bits = tasks.xor_bits(30_000, rng=3)
    np.testing.assert_array_equal(bits[2::3], bits[0::3] ^ bits[1::3])
    for a, b in [(0, 1), (1, 2)]:  # neither alone says anything about the next bit
        agree = (bits[a::3] == bits[b::3]).mean()
        assert abs(agree - 0.5) < 0.02
    assert set(np.unique(bits)) == {0, 1}


@pytest.mark.parametrize("n_bits", [0, -3, 3001])
def test_xor_bits_wants_whole_triples(n_bits):
    with pytest.raises(ValueError, match="multiple of 3"):
        tasks.xor_bits(n_bits)


def test_a_text_of_random_words_parses_back_and_holds_all_three():
    text = tasks.letter_text(1000, rng=5)
    words = tasks.split_words(text)
    assert "".join(words) == text and len(words) == 1000
    counts = [words.count(word) for word in ("ba", "dii", "guuu")]
    assert min(counts) > 280 and sum(counts) == 1000


@pytest.mark.parametrize("text", ["b", "di", "abba", "guu", "xa"])
def test_text_that_is_not_whole_words_is_refused(text):
    with pytest.raises(ValueError, match="no word"):
        tasks.split_words(text)


def test_letters_have_the_vectors_of_table_1():
    np.testing.assert_array_equal(
        tasks.encode("bdgaiu"),
        [[1, 0, 1, 0, 0, 1], [1, 0, 1, 1, 0, 1], [1, 0, 1, 0, 1, 1],
         [0, 1, 0, 0, 1, 1], [0, 1, 0, 1, 0, 1], [0, 1, 0, 1, 1, 1]],
    )
    with pytest.raises(ValueError, match="x"):
        tasks.encode("bax")
    assert tasks.letter_positions("diibaguuu").tolist() == [0, 1, 2, 0, 1, 0, 1, 2, 2]


def test_the_least_possible_error_at_a_consonant_is_four_ninths():
    vectors = tasks.encode("bdg")
    assert np.square(vectors - vectors.mean(axis=0)).mean(axis=0).sum() == pytest.approx(4 / 9)


def test_predict_next_wraps_round():
    xs, ys = tasks.predict_next([1, 2, 3])
    assert xs.tolist() == [1, 2, 3] and ys.tolist() == [2, 3, 1]
    with pytest.raises(ValueError, match="two"):
        tasks.predict_next([1])


def test_shifted_patterns_hold_elmans_two_vectors():
    patterns = tasks.shifted_patterns()
    assert patterns.shape == (7, 9)
    assert patterns[1].tolist() == [0, 1, 1, 1, 0, 0, 0, 0, 0]
    assert patterns[3].tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 0]


def test_distractors_are_all_other_strings_with_three_ones():
    others = tasks.distractors()
    assert others.shape == (84 - 7, 9)
    assert (others.sum(axis=1) == 3).all()
    both = np.concatenate([others, tasks.shifted_patterns()])
    assert len(np.unique(both, axis=0)) == 84
    assert not tasks.occurrences(others).any()


def test_occurrences_agree_with_a_search_in_text():
    for row, found in zip(tasks.binary_strings(7), tasks.occurrences(tasks.binary_strings(7)),
                          strict=True):
        text = "".join(map(str, row))
        assert found.tolist() == [text.startswith("111", i) for i in range(5)]


def test_a_split_by_shift_keeps_new_shifts_out_of_training():
    strings = tasks.binary_strings(9)
    known, others, new, new_others = tasks.split_by_shift(strings, (0, 2, 4, 6), rng=1)
    found = tasks.occurrences(strings)
    assert not found[known][:, [1, 3, 5]].any() and found[known].any(axis=1).all()
    assert not found[new][:, [0, 2, 4, 6]].any() and found[new].any(axis=1).all()
    assert sorted([*others, *new_others]) == np.flatnonzero(~found.any(axis=1)).tolist()
    for wrong in [(), range(7), (7,)]:
        with pytest.raises(ValueError, match="shifts"):
            tasks.split_by_shift(strings, wrong)


@pytest.mark.parametrize("call", [
    lambda rng: tasks.xor_bits(30, rng=rng),
    lambda rng: tasks.encode(tasks.letter_text(10, rng=rng)).ravel()[:60],
    lambda rng: np.concatenate(tasks.split_by_shift(tasks.binary_strings(9), (0, 1), rng=rng)),
])
def test_the_same_seed_gives_the_same_bits(call):
    np.testing.assert_array_equal(call(7), call(np.random.default_rng(7)))
    assert not np.array_equal(call(7), call(8))


# --- the side-by-side loop against rnnlib -----------------------------------------------------


def as_tanh(networks, i):
    """Network i as RNNCell and OutputLayer: with s = 2h - 1, σ(a) = (1 + tanh(a / 2)) / 2."""
    size = len(networks.context)
    W, U, b = np.split(networks.hidden[..., i], [size, networks.hidden.shape[1] - 1], axis=1)
    V, c = np.split(networks.output[..., i], [size], axis=1)
    cell = RNNCell(U / 2, W / 4, b[:, 0] / 2 + W.sum(axis=1) / 4)
    return cell, OutputLayer(V / 2, c[:, 0] + V.sum(axis=1) / 2)


def rnnlib_gradients(networks, i, xs, ys):
    """Elman's gradients of ½ Σ (σ(logit) - y)², by the chain rule from rnnlib's."""
    cell, out = as_tanh(networks, i)
    trace = forward(cell, xs[:, None, :, i], 2 * networks.context[None, :, i] - 1)
    y_hat = 1 / (1 + np.exp(-out.logits(trace.h)))
    dlogits = (y_hat - ys[:, None, :, i]) * y_hat * (1 - y_hat)
    dhs, dout = out.backward(trace.h, dlogits)
    _, dcell = backward(cell, trace, dhs)
    dW = dcell.W / 4 + dcell.b[:, None] / 4
    hidden = np.column_stack([dW, dcell.U / 2, dcell.b / 2])
    output = np.column_stack([dout.V / 2 + dout.c_out[:, None] / 2, dout.c_out])
    return y_hat[:, 0], hidden, output


@pytest.mark.parametrize("window", [1, 5])
def test_one_update_is_rnnlibs_forward_and_backward(window):
    rng = np.random.default_rng(0)
    networks = many_networks.Networks.init((3, 4, 2), [0, 1, 2], scale=1.0)
    networks.context = rng.uniform(0, 1, networks.context.shape)
    xs, ys = rng.uniform(size=(window, 3, 3)), rng.uniform(size=(window, 2, 3))
    expected = [rnnlib_gradients(networks, i, xs, ys) for i in range(3)]
    hidden, output = networks.hidden.copy(), networks.output.copy()
    work = networks.buffers(window)
    networks.train(xs, ys, rate=0.3, window=window, work=work)
    for i, (y_hat, d_hidden, d_output) in enumerate(expected):
        np.testing.assert_allclose(work[2][..., i], y_hat, rtol=1e-12)
        np.testing.assert_allclose(hidden[..., i] - networks.hidden[..., i], 0.3 * d_hidden,
                                   rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(output[..., i] - networks.output[..., i], 0.3 * d_output,
                                   rtol=1e-9, atol=1e-14)


def test_elmans_context_of_one_half_is_the_zero_state_of_tanh():
    networks = many_networks.Networks.init((1, 2, 1), [0], scale=1.0)
    assert (2 * networks.context - 1 == 0).all()


def test_a_network_gets_the_same_bits_whoever_trains_beside_it():
    together, _ = elman_xor.run(xor_config([0, 1, 2]), n_bits=300)
    alone, _ = elman_xor.run(xor_config([1]), n_bits=300)
    assert together[1] == alone[0]


def test_without_context_the_next_letter_depends_on_this_letter_alone():
    networks = many_networks.Networks.init((6, 5, 6), [0], scale=1.0, recurrent=False)
    elman_letters.train(networks, ["diibaguuu"], passes=3, rate=0.1)
    y = networks.predict(tasks.encode("biigi")[..., None])[..., 0]
    np.testing.assert_array_equal(y[1], y[2])
    np.testing.assert_array_equal(y[1], y[4])
    assert networks.parameters == 5 * 7 + 6 * 6


# --- the scripts ------------------------------------------------------------------------------


def xor_config(seeds, passes=2, hidden=2, variant="elman"):
    return {"hidden": hidden, "variant": variant, "rate": 0.1, "passes": passes, "seeds": seeds}


def close(row, other, names, tolerance):
    for name in names:
        assert float(row[name]) == pytest.approx(float(other[name]), abs=tolerance), name


@pytest.mark.parametrize("variant", ["elman", "bptt"])
def test_two_passes_of_xor_reproduce_the_committed_rows(variant):
    _, learning = elman_xor.run(xor_config([0, 1], variant=variant))
    wanted = {"hidden": "2", "variant": variant, "passes": "600", "pass": "2"}
    kept = [row for row in table.read(RESULTS / "elman_xor_learning.csv")
            if wanted.items() <= row.items()]
    for row in learning:
        match, = (k for k in kept if int(k["seed"]) == row["seed"])
        close(row, match, ["error_first", "error_second", "error_xor"], 1e-5)


@pytest.mark.parametrize("network, hidden", [("recurrent", 5), ("window", 4)])
def test_a_row_of_the_shifts_table_can_be_reproduced(network, hidden):
    row = {"setting": "three ones", "split": "between", "network": network, "hidden": hidden,
           "steps": 1000, "seed": 0}
    match, = (r for r in table.read(RESULTS / "shifts.csv")
              if {k: str(v) for k, v in row.items()}.items() <= r.items())
    close(shifts.run(row), match, ["loss", "parameters"], 1e-4)
    close(shifts.run(row), match, ["recall", "rejection", "accuracy"], 0.03)


def test_the_settings_ask_the_same_question_at_other_times_or_another_at_the_same():
    """001110000 read bit by bit: just ended once, so far from there on, once at the end."""
    strings = np.array([[0, 0, 1, 1, 1, 0, 0, 0, 0], [1, 1, 0, 1, 1, 0, 1, 1, 0]])
    positive = np.array([True, False])
    wanted = {"each step": [0, 0, 0, 0, 1, 0, 0, 0, 0], "any string": [1],
              "each step, so far": [0, 0, 0, 0, 1, 1, 1, 1, 1]}
    for setting, answers in wanted.items():
        ys, weights = shifts.targets("recurrent", setting, strings, positive)
        np.testing.assert_array_equal(ys[:, 0, 0], answers)
        assert not ys[:, 1].any() and weights.sum() == pytest.approx(1)
        by_window, _ = shifts.targets("window", setting, strings, positive)
        np.testing.assert_array_equal(by_window.ravel(), ys[..., 0].T.ravel())


def test_so_far_counts_by_the_last_answer_and_just_ended_by_any():
    cell = RNNCell.init(1, 1, rng=0)
    cell = type(cell)(U=np.ones((1, 1)), W=np.zeros((1, 1)), b=np.zeros(1), activation="tanh")
    params = cell, OutputLayer(V=np.ones((1, 1)), c_out=np.array([-0.5]))  # yes at every 1
    strings = np.array([[1, 0, 0], [0, 0, 1], [0, 0, 0]])
    answers = {setting: shifts.says_yes("recurrent", setting, params, strings).tolist()
               for setting in shifts.SETTINGS}
    assert answers.pop("each step") == [True, True, False]
    assert set(map(tuple, answers.values())) == {(False, True, False)}


SMALL = {
    elman_xor: ["--hidden", "2", "--variants", "elman", "--passes", "1"],
    elman_letters: ["--passes", "1", "--variants", "context"],
    shifts: ["--steps", "3", "--settings", "three ones"],
}


@pytest.mark.parametrize("script", SMALL, ids=lambda script: script.__name__)
def test_an_interrupted_run_goes_on_to_the_same_files(script, tmp_path, capsys):
    common = [*SMALL[script], "--jobs", "1", "--out"]
    script.main([*common, str(tmp_path / "at once"), "--seeds", "3"])
    script.main([*common, str(tmp_path / "in two"), "--seeds", "2"])
    script.main([*common, str(tmp_path / "in two"), "--seeds", "3"])
    assert not list(script.to_do(script.arguments(
        [*common, str(tmp_path / "in two"), "--seeds", "3"])))
    names = sorted(path.name for path in (tmp_path / "at once").iterdir())
    assert names and names == sorted(path.name for path in (tmp_path / "in two").iterdir())
    for name in names:
        at_once, in_two = (tmp_path / folder / name for folder in ("at once", "in two"))
        assert at_once.read_bytes() == in_two.read_bytes(), name


def test_intervals():
    for values, mean in (([], np.nan), ([3.0], 3.0)):
        np.testing.assert_array_equal(table.mean_interval(values), (mean, np.nan, np.nan))
    mean, low, high = table.mean_interval(np.arange(10.0))
    assert mean == 4.5 and high - mean == pytest.approx(2.2622 * 3.02765 / 10**0.5, rel=1e-3)
    assert mean - low == pytest.approx(high - mean)
    assert table.share_interval(0, 20) == pytest.approx((0, 0, 0.1611), abs=1e-4)


def test_columns_of_a_summary():
    assert table.texts((0.1234567, 2, np.nan), "a", "b", "c") == {
        "a": "0.123457", "b": "2", "c": "nan"}
    with pytest.raises(ValueError, match="longer"):
        table.texts((1, 2), "a")
    found = table.mean_texts(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
    assert found == table.texts(table.mean_interval(np.arange(10.0)), "mean", "low", "high")
    assert found["mean"] == "4.5" and list(found) == ["mean", "low", "high"]


def test_groups_of_rows():
    rows = [{"model": "b", "size": "8", "seed": "0"}, {"model": "a", "size": "8", "seed": "0"},
            {"model": "b", "size": "8", "seed": "1"}, {"model": "b", "size": "9", "seed": "0"}]
    assert table.groups(rows, ["model", "size"]) == [
        ({"model": "b", "size": "8"}, [rows[0], rows[2]]), ({"model": "a", "size": "8"}, [rows[1]]),
        ({"model": "b", "size": "9"}, [rows[3]])]
    assert table.groups(rows, ["size"])[0] == ({"size": "8"}, rows[:3])
    assert table.groups([], ["size"]) == []
