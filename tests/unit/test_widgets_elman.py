"""Elman's experiments repeated: the figures say what the result files say."""

import numpy as np
import pytest

from rnnlib import widgets
from rnnlib.results import find, load
from rnnlib.widgets import elman


@pytest.mark.parametrize("make", [widgets.elman_xor, widgets.elman_letters])
def test_drives(make):
    assert make().drive() >= 5


def test_blindness_costs_two_ninths():
    # Every confidence p in the exclusive-or of the last two bits, its place unknown.
    p = np.linspace(0, 1, 3001)
    cost = (((1 - p) ** 2 + p**2) + (1 - p) ** 2) / 3
    assert abs(cost.min() - elman.TWO_BITS.mean()) < 1e-6
    assert abs(p[cost.argmin()] - 2 / 3) < 1e-3


def test_best_guess_at_a_consonant_is_the_mean_of_the_three():
    errors = [elman.least_error(letter) for letter in "bdg"]
    assert np.isclose(np.mean(errors), 4 / 9)
    assert elman.least_error("a") == 0.0


def test_least_errors_fall_from_a_coin_to_full_knowledge():
    least = [elman.least_error_from(bits) for bits in range(9)]
    assert np.allclose(least[:3], [1 / 4, 1 / 4, 2 / 9])
    assert all(a > b for a, b in zip(least[1:], least[2:], strict=False))
    assert elman.ALL_BITS.mean() < least[8] < 0.19


@pytest.mark.parametrize(("network", "hidden"), elman.SIZES.items())
def test_the_sentence_says_what_the_results_say(network, hidden):
    text, _ = widgets.elman_xor().frame({"network": network})
    row, = find(load("elman_xor_summary"), hidden=hidden, variant="elman")
    assert f"{row['error_xor']:.3f} at the exclusive-or" in text
    assert f"{row['error_all']:.3f} over all" in text
    # Trained one bit back, no network reaches what eight bits allow.
    assert min(elman.overall_errors(hidden, "elman")) > elman.least_error_from(8)
    assert text.endswith(", 0 than the last 8.")


def test_rows_are_copies_and_numbers():
    row = load("elman_xor_summary")[0]
    assert isinstance(row["error_xor"], float) and row["variant"] in ("elman", "bptt")
    row["error_xor"] = 9.0
    assert load("elman_xor_summary")[0]["error_xor"] != 9.0


def test_unknown_results_are_refused_by_name():
    with pytest.raises(ValueError, match="name: expected .* such as 'elman_xor', got 'elman_xr'"):
        load("elman_xr")
