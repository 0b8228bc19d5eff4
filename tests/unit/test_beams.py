"""Beams and slips on dates: the rows agree, and a row is found again."""

import datetime
import sys
from pathlib import Path

import numpy as np
import pytest

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
sys.path.insert(0, str(EXPERIMENTS))

import beams as experiment  # noqa: E402
import table  # noqa: E402
from dates import CHUNK  # noqa: E402

from rnnlib import datasets, seq2seq  # noqa: E402
from rnnlib.losses import log_softmax  # noqa: E402
from rnnlib.widgets import date_translators as book  # noqa: E402

ROWS = table.read(table.RESULTS / "beams.csv")
SLIPS = table.read(table.RESULTS / "beams_slips.csv")
LETTERS, NETWORKS = book.stored()


def row(network, width, power=0):
    (found,) = (one for one in ROWS if (one["network"], one["width"], one["power"])
                == (network, str(width), str(power)))
    return {key: value if key == "network" else float(value) for key, value in found.items()}


@pytest.fixture(scope="module")
def dates():
    return experiment.test()


@pytest.mark.parametrize("network", experiment.NETWORKS)
def test_the_counts_of_a_network_agree(network):
    greedy = row(network, 1)
    assert greedy["gain"] == greedy["only_beam"] == greedy["only_greedy"] == 0
    for width in experiment.WIDTHS:
        for power in experiment.POWERS[: 1 if width == 1 else None]:
            one = row(network, width, power)
            assert one["right"] == greedy["right"] + one["only_beam"] - one["only_greedy"]
            assert one["likelier"] <= one["only_greedy"] and one["n"] == experiment.TEST
            _, low, high = table.share_interval(one["right"], one["n"])
            assert (one["low"], one["high"]) == pytest.approx((low, high), rel=1e-5)
            if power == 0:
                assert one["gain"] >= row(network, 1)["gain"] - 1e-6
    assert len(ROWS) == len(experiment.NETWORKS) * 7
    assert len(SLIPS) == len(experiment.NETWORKS) * len(experiment.SLIPS)


def test_the_dates_are_of_days_in_no_training(dates):
    days = [datetime.date.fromisoformat(day).toordinal() for day in dates.targets.tolist()]
    assert len(days) == experiment.TEST and not np.mod(days, book.HIDDEN_DAY).any()
    assert len(set(dates.labels)) == len(datasets.days.LOCALES)


def test_greedy_search_of_a_row_is_found_again(dates):
    some = dates.take(range(2 * CHUNK))
    texts, log_p = experiment.found(NETWORKS["additive 200"], some, LETTERS, 1, 0)
    share = (texts == some.targets).mean()
    assert share == pytest.approx(row("additive 200", 1)["right"] / experiment.TEST, abs=0.05)
    xs, lengths = book.encode(some.texts[:50], LETTERS)
    symbols = experiment.symbols(texts[:50])
    inputs = seq2seq.teacher_inputs(symbols, book.START, len(book.SYMBOLS)).astype(np.float32)
    trace = seq2seq.forward(NETWORKS["additive 200"], xs, inputs, lengths=lengths)
    each = np.take_along_axis(log_softmax(trace.logits), symbols[..., None], axis=-1)
    np.testing.assert_allclose(each.sum(axis=(0, 2)), log_p[:50], atol=1e-3)


@pytest.mark.parametrize("network", ["none", "additive"])
def test_what_follows_a_slip_is_found_again(dates, network):
    (found,) = (one for one in SLIPS if (one["network"], one["place"]) == (network, "4"))
    some = dates.take(range(CHUNK))
    due = experiment.symbols(some.targets)
    zero = book.SYMBOLS.index("0")
    assert set(np.unique(due[3])) == set(range(zero, zero + 10))
    wrong = zero + (due[3] - zero + 1 + np.arange(len(some)) % 9) % 10
    assert (wrong != due[3]).all()
    slip = experiment.after_slip(NETWORKS[network], some, LETTERS, 4, wrong)
    right = experiment.after_slip(NETWORKS[network], some, LETTERS, 4, due[3])
    assert slip.shape == right.shape == (7, len(some))
    for name, share in (("slip", slip.mean()), ("right", right.mean()), ("next", slip[0].mean()),
                        ("later", slip[1:].mean())):
        assert share == pytest.approx(float(found[name]), abs=0.05)
        low, high = float(found[f"{name}_low"]), float(found[f"{name}_high"])
        assert low <= float(found[name]) <= high


def test_with_attention_a_slip_is_soon_over():
    """What the chapter says: only the next symbol suffers, and with no attention the others too."""
    for found in SLIPS:
        if found["network"] in ("dot", "additive"):
            assert float(found["later"]) > 0.99
        if found["network"] == "none":
            assert float(found["right"]) < 0.85
