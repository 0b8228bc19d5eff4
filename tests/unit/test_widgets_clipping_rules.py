"""Three rules on one gradient: against torch and algebra, what is drawn and what is said."""

import gzip
import importlib

import numpy as np
import pytest
import torch

from rnnlib.clipping import norm
from rnnlib.widgets.clipping_rules import (
    ALL,
    EACH,
    ELEMENTS,
    RULES,
    TALLEST,
    TENSORS,
    THRESHOLDS,
    angle,
    clipping_rules,
    flat,
    gradient,
)

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.clipping_rules")


@pytest.fixture(scope="module")
def figure():
    return clipping_rules()


def shown(figure, **values):
    text, _ = figure.frame(values)
    return text, figure.scene.artists


def degrees(a, b):
    """The angle by the cosine: another way than the module's."""
    return np.degrees(np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1)))


def torch_clipped(rule, v):
    """The gradient's entries after torch's own clipping, from torch.nn.RNN's own autograd."""
    net = network_of_torch()
    parts = [net.weight_ih_l0, net.weight_hh_l0, net.bias_ih_l0]
    if rule == ELEMENTS:
        torch.nn.utils.clip_grad_value_(parts, v)
    elif rule == ALL:
        torch.nn.utils.clip_grad_norm_(parts, v)
    else:
        for part in parts:
            torch.nn.utils.clip_grad_norm_([part], v)
    return np.concatenate([part.grad.numpy().ravel() for part in parts])


def network_of_torch():
    """The network of the figure drawn again, one call of the generator after the other."""
    from rnnlib.cells import RNNCell

    rng = np.random.default_rng(5)
    first = RNNCell.init(1, 3, rng=rng)
    W = rng.normal(size=(3, 3))
    W *= 1.6 / np.abs(np.linalg.eigvals(W)).max()
    xs, signs = 0.3 * rng.normal(size=(20, 1, 1)), rng.choice([-1.0, 1.0], size=(1, 3))
    net = torch.nn.RNN(1, 3).double()
    with torch.no_grad():
        for part, value in ((net.weight_ih_l0, first.U), (net.weight_hh_l0, W),
                            (net.bias_ih_l0, first.b), (net.bias_hh_l0, 0 * first.b)):
            part.copy_(torch.tensor(value))
    _, h = net(torch.tensor(xs))
    ((h[0] - torch.tensor(signs)) ** 2).mean().backward()
    return net


# --- the gradient and the rules -----------------------------------------------------------------


def test_the_gradient_is_torchs():
    net = network_of_torch()
    for name, theirs in (("U", net.weight_ih_l0), ("W", net.weight_hh_l0), ("b", net.bias_ih_l0)):
        np.testing.assert_allclose(getattr(gradient(), name), theirs.grad, rtol=1e-8, atol=1e-12)


def test_of_twelve_seeds_it_is_the_longest():
    lengths = [norm(gradient(seed)) for seed in range(12)]
    assert int(np.argmax(lengths)) == module.SEED
    assert lengths[module.SEED] == pytest.approx(11.65, abs=0.01)


@pytest.mark.parametrize("v", THRESHOLDS)
@pytest.mark.parametrize("rule", RULES)
def test_the_rules_are_torchs(rule, v):
    np.testing.assert_allclose(flat(RULES[rule](gradient(), v)), torch_clipped(rule, v),
                               rtol=2e-5, atol=1e-12)


@pytest.mark.parametrize("v", THRESHOLDS)
def test_one_norm_for_all_keeps_the_direction_and_the_others_do_not(v):
    g = flat(gradient())
    bent = {rule: degrees(g, flat(RULES[rule](gradient(), v))) for rule in RULES}
    assert bent[ALL] < 1e-5
    for rule in (ELEMENTS, EACH):
        cut = not np.array_equal(flat(RULES[rule](gradient(), v)), g)
        assert (bent[rule] > 1) == cut
        assert bent[rule] < 60


def test_the_angles_of_the_prose():
    g = flat(gradient())
    assert degrees(g, flat(RULES[ELEMENTS](gradient(), 1))) == pytest.approx(32.0, abs=0.1)
    assert degrees(g, flat(RULES[EACH](gradient(), 1))) == pytest.approx(46.3, abs=0.1)
    nearly = degrees(g, flat(RULES[ELEMENTS](gradient(), 1e-9)))
    assert nearly == pytest.approx(degrees(g, np.sign(g)), abs=1e-4)     # only signs are left


def test_angle_is_that_of_the_cosine_and_keeps_small_ones():
    rng = np.random.default_rng(1)
    for a, b in rng.normal(size=(20, 2, 15)):
        assert angle(a, b) == pytest.approx(degrees(a, b), rel=1e-9)
    assert angle(np.array([1, 0]), np.array([1, 1e-9])) == pytest.approx(np.degrees(1e-9), rel=1e-6)
    assert angle(np.array([1.0, 0]), np.array([-3.0, 0])) == 180


# --- what is drawn and said ---------------------------------------------------------------------


def test_figure_draws_everywhere_and_fits_the_page(figure):
    assert figure.states == 18
    assert figure.drive() > len(figure.presets) >= 3
    assert len(gzip.compress(figure.bake().encode())) < 20_000
    assert figure.scene.smallest_text() >= 9.5


@pytest.mark.parametrize("v", THRESHOLDS)
@pytest.mark.parametrize("rule", RULES)
def test_filled_bars_are_the_clipped_gradient_at_the_old_length(figure, rule, v):
    text, artists = shown(figure, rule=rule, v=v)
    g, new = flat(gradient()), flat(RULES[rule](gradient(), v))
    bars = np.array([bar.get_height() for bar in artists["bars"]])
    np.testing.assert_allclose(bars, new * np.linalg.norm(g) / np.linalg.norm(new), atol=6e-4)
    assert np.linalg.norm(bars) == pytest.approx(np.linalg.norm(g), rel=1e-3)
    assert np.abs(bars).max() < TALLEST
    outlines = [patch.get_height() for patch in figure.scene.figure.axes[0].patches
                if patch not in artists["bars"]]
    np.testing.assert_array_equal(outlines, g)


@pytest.mark.parametrize("v", THRESHOLDS)
@pytest.mark.parametrize("rule", RULES)
def test_arrow_numbers_and_sentence_agree(figure, rule, v):
    text, artists = shown(figure, rule=rule, v=v)
    g, after = flat(gradient()), RULES[rule](gradient(), v)
    new = flat(after)
    bent = degrees(g, new)
    tip = artists["arrow"].get_path().vertices
    far = tip[np.hypot(*tip.T).argmax()]
    assert np.degrees(np.arctan2(far[1], far[0])) == pytest.approx(bent, abs=0.1)
    said = f"{bent:.0f}°" if bent > 9.95 or bent < 1e-4 else f"{bent:.1f}°"
    assert artists["degrees"].get_text() == said
    norms = np.linalg.norm(g), np.linalg.norm(new)
    assert artists["lengths"].get_text() == f"norm {norms[0]:.3g} → {norms[1]:.3g}"
    for text_of, name in zip(artists["norms"], TENSORS, strict=True):
        was, now = (np.linalg.norm(getattr(x, name)) for x in (gradient(), after))
        shows = f"{was:.3g}\n" + (f"{now:.2g}" if now < was else "as it was")
        assert text_of.get_text() == shows
    cut = int((np.abs(new) < np.abs(g)).sum())
    if cut == 0:
        assert "nothing is clipped" in text and bent < 1e-5
    else:
        assert f"{cut} of 15 entries become smaller" in text
        assert f"falls from {norms[0]:.3g} to {norms[1]:.3g}" in text
        assert ("the direction is as it was" in text) == (rule == ALL)
        assert (f"turns by {said}" in text) == (rule != ALL)


def test_presets_keep_their_promises(figure):
    g = flat(gradient())
    bent = {name: degrees(g, flat(RULES[values["rule"]](gradient(), values["v"])))
            for name, values in figure.presets.items()}
    assert bent["Element by element: bent"] > 20 and bent["A norm per tensor: bent"] > 20
    assert bent["One norm for all: only shorter"] < 1e-5
    assert norm(RULES[ALL](gradient(), 1)) == pytest.approx(1)
    for rule in RULES:
        np.testing.assert_array_equal(flat(RULES[rule](gradient(), 30)), g)
