"""The highway's figure: counts, gradients and σ(b)ⁿ as drawn and said are those of the files."""

import gzip
import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnlib import results, style

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "experiments"))
import forget_bias as experiment  # noqa: E402
import table  # noqa: E402

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.highway")

ROWS = [row for row in results.load("forget_bias") if row["task"] == "keep"]


@pytest.fixture(scope="module")
def figure():
    return module.highway()


def networks(bias, lag):
    mine = [row for row in ROWS if row["lag"] == lag
            and row["bias"] == ("drawn" if bias == "drawn" else float(bias))]
    assert len(mine) == 10
    return mine


def count(bias, lag, updates):
    """From the rows of the networks, not from the summary that the figure reads."""
    return sum(0 < row["solved_after"] <= updates for row in networks(bias, lag))


def sigma(bias):
    return 1 / (1 + np.exp(-(0.0 if bias == "drawn" else float(bias))))


def test_every_state_draws_and_fits_the_page(figure):
    assert figure.drive() > len(figure.presets) >= 2
    assert len(gzip.compress(figure.bake().encode())) < 30_000
    assert figure.scene.smallest_text() >= 9


def test_the_controls_are_what_the_experiment_ran(figure):
    assert figure.controls["bias"].values == experiment.BIASES == module.BIASES
    assert figure.controls["lag"].values == experiment.LAGS == module.LAGS
    assert figure.controls["updates"].values == experiment.MOMENTS["keep"] == module.UPDATES


@pytest.mark.parametrize("updates", module.UPDATES)
def test_every_cell_has_its_count_and_its_tint(figure, updates):
    figure.frame({"updates": updates})
    cells, counts = (figure.scene.artists[name] for name in ("cells", "counts"))
    assert set(cells) == set(counts) == {(b, n) for b in module.BIASES for n in module.LAGS}
    for (bias, lag), text in counts.items():
        expected = count(bias, lag, updates)
        assert text.get_text() == str(expected)
        assert cells[bias, lag].get_alpha() == pytest.approx(module.TINT * expected / 10)
        x, y = text.get_position()
        assert np.allclose(cells[bias, lag].get_xy(), (x - 0.5, y - 0.5))
        assert y == module.LAGS.index(lag)


@pytest.mark.parametrize("bias", module.BIASES)
def test_the_chosen_cell_is_framed_and_told(figure, bias):
    for lag in module.LAGS:
        text, _ = figure.frame({"bias": bias, "lag": lag, "updates": 100})
        artists, found = figure.scene.artists, count(bias, lag, 100)
        assert artists["here"].get_xy() == artists["cells"][bias, lag].get_xy()
        assert artists["head"].get_text().endswith(f"{bias}, lag {lag}: {found} learn it")
        assert artists["told"].get_text() == "of 10 networks, after 100 updates"
        assert f"Forget bias {bias}, lag {lag}: {found} of 10 networks" in text
        _, low, high = table.share_interval(found, 10)
        assert f"within 100 updates (95% interval {low:.0%} to {high:.0%})" in text


@pytest.mark.parametrize("bias", module.BIASES)
@pytest.mark.parametrize("lag", module.LAGS)
def test_the_dashed_line_is_the_power_of_sigma(figure, bias, lag):
    text, _ = figure.frame({"bias": bias, "lag": lag})
    artists, power = figure.scene.artists, lag * np.log10(sigma(bias))
    (x0, x1), (y0, y1) = artists["guide"].get_data()
    assert (x0, y0) == (0, 0) and 0 < x1 <= 1
    assert y1 == pytest.approx(x1 * power, abs=0.002 + 0.001 * abs(power))
    assert artists["gone"].get_visible() == (power < -module.DECADES) == (x1 < 1)
    if x1 < 1:
        assert artists["gone"].get_xdata() == [x1] and y1 == pytest.approx(-12, abs=0.03)
    assert f"{sigma(bias):.3g}ⁿ" in artists["power"].get_text()
    assert text.endswith(f")ⁿ = {module.amount(sigma(bias) ** lag)}.")


@pytest.mark.parametrize("bias", module.BIASES)
@pytest.mark.parametrize("lag", module.LAGS)
def test_the_dots_are_the_medians_of_the_networks_and_the_bars_their_range(figure, bias, lag):
    text, _ = figure.frame({"bias": bias, "lag": lag})
    artists = figure.scene.artists
    each = np.array([[row[f"gradient_{k}"] for k in range(1, 6)] for row in networks(bias, lag)])
    each = np.log10(np.hstack([np.ones((10, 1)), each]))
    middle = np.log10(np.median(10**each, axis=0))
    shown = middle > -module.DECADES
    x, y = artists["dots"].get_data()
    np.testing.assert_allclose(x, np.arange(6)[shown] / 5)
    np.testing.assert_allclose(y, np.minimum(middle[shown], module.TOP), atol=0.001)
    for k, ((x0, low), (x1, high)) in enumerate(artists["spans"].get_segments()):
        assert x0 == x1 == pytest.approx(k / 5)
        wanted = np.clip((each[:, k].min(), each[:, k].max()), -module.DECADES, module.TOP)
        assert (low, high) == pytest.approx(tuple(wanted), abs=0.001)
    assert [tick.get_text() for tick in artists["ticks"]] == ["0", f"{lag / 2:g}", str(lag)]
    told = module.amount(10 ** middle[-1])
    assert artists["back"].get_text() == f"gradient left: {told}"
    assert f"at the bit is {told}{' that' if '×' in told else ' of that'} at the answer" in text


def test_the_curve_is_where_the_power_is_a_hundredth(figure):
    ax = figure.scene.figure.axes[0]
    curve, = [line for line in ax.lines if line.get_color() == style.KEEP]
    b, y = curve.get_data()
    lags = 5 * 2**np.asarray(y)                                     # rows double the lag, from 5
    drawn = np.isfinite(y)
    np.testing.assert_allclose((1 / (1 + np.exp(-b[drawn]))) ** lags[drawn], 0.01, rtol=1e-9)
    assert drawn.sum() > 100
    assert module.reach("1") == pytest.approx(14.7, abs=0.05)


@pytest.mark.parametrize("share, said", [(1.0, "1.0×"), (2.76, "2.8×"), (0.9949, "99%"),
                                         (0.14, "14%"), (0.0012, "0.12%"), (4e-6, "4·10⁻⁶")])
def test_amounts_are_said_as_one_reads_them(share, said):
    assert module.amount(share) == said


def test_a_bias_as_drawn_counts_as_nought():
    assert module.forget("drawn") == module.forget("0") == 0.5
    assert module.forget("3") == pytest.approx(sigma("3"))


def test_the_presets_keep_their_promises(figure):
    learnt = {name: count(*values.values()) for name, values in figure.presets.items()}
    assert learnt["Bias 1, lag 40: none learn"] == 0
    assert learnt["As PyTorch starts, lag 20: none learn"] == 0
    assert learnt["Bias 3, lag 40: all learn"] == 10
    assert 5 < learnt["Bias 3, lag 80: most learn"] < 10
    assert learnt["Bias 1, lag 20: after 100 updates, 6 learn"] == 6
    assert figure.presets["Bias 1, lag 20: after 100 updates, 6 learn"]["updates"] == 100
    assert count("1", 20, 400) == count("3", 20, 100) == 10
    assert figure.opening == figure.presets["Bias 1, lag 40: none learn"]


def test_the_curve_does_not_run_through_a_number(figure):
    figure.frame({"updates": 400})
    ax = figure.scene.figure.axes[0]
    curve, = [line for line in ax.lines if line.get_color() == style.KEEP]
    along = ax.transData.transform(curve.get_xydata()[np.isfinite(curve.get_ydata())])
    for text in figure.scene.artists["counts"].values():
        box = text.get_window_extent()
        assert not any(box.contains(x, y) for x, y in along), text
