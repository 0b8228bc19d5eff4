"""Chapter 5's drawn cell: its numbers against rnnlib, what a held gate does, what is drawn."""

import dataclasses
import functools
import gzip
import importlib
import itertools
import re

import numpy as np
import pytest
from matplotlib.text import Text

from rnnlib import forward, style
from rnnlib.plots import cell_strip, cells
from rnnlib.plots.matrices import signed
from rnnlib.widgets.drawn_cell import INPUTS

# The function of that name hides its module in the package.
module = importlib.import_module("rnnlib.widgets.lstm_cell")

FREE, HOLDS, STEPS = module.FREE, list(module.HOLDS), len(INPUTS)
ALL = list(itertools.product(range(1, STEPS + 1), range(1, 6), HOLDS))
ROW = {"i": 0, "f": 1, "g": 2, "o": 3}


@pytest.fixture(scope="module")
def figure():
    return module.lstm_cell()


@functools.cache
def by_forward(hold=FREE):
    """The trace of the same cell; a held gate by a bias so large that nothing else counts."""
    cell = module.lstm_by_hand()
    if hold != FREE:
        b = cell.b.copy()
        b[ROW[hold[0]]] = 1e3 if hold.endswith("1") else -1e3
        cell = dataclasses.replace(cell, b=b)
    return forward(cell, module.sequence())


def shown(figure, t, stage, hold=FREE):
    """(text, artists) of a state, moved but not drawn."""
    return module._update(figure.scene.artists, t, stage, hold), figure.scene.artists


def arithmetic(line):
    """(what the numbers of "... = 0.98·0.45 + 0.98·0.38 = 0.81" come to, what it says)."""
    left, right = line.replace("−", "-").split(" = ")[-2:]
    assert re.fullmatch(r"[-+.·\d ]+", left), line
    return eval(left.replace("·", "*")), float(right)


def crowded(figure):
    """Pairs of texts that overlap, and texts that leave the picture."""
    fig = figure.scene.figure
    boxes = [(t.get_text(), t.get_window_extent().padded(-1)) for t in fig.findobj(Text)
             if t.get_visible() and t.get_text().strip()]
    out = [text for text, box in boxes
           if box.x0 < 0 or box.y0 < 0 or box.x1 > fig.bbox.x1 or box.y1 > fig.bbox.y1]
    pairs = itertools.combinations(boxes, 2)
    return out + [(a, b) for (a, one), (b, two) in pairs if one.overlaps(two)]


# --- numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("hold", HOLDS)
def test_the_run_is_rnnlibs_forward_also_with_a_gate_held(hold):
    run, trace = module.lstm_run(hold), by_forward(hold)
    for name in ("a_i", "a_f", "a_g", "a_o", "i", "f", "g", "o"):
        if name != f"a_{hold[0]}":                                  # it is not used
            np.testing.assert_allclose(run[name], getattr(trace, name)[:, 0, 0], rtol=0, atol=1e-12)
    for name in "ch":
        assert run[name][0] == 0
        np.testing.assert_allclose(run[name][1:], getattr(trace, name)[:, 0, 0], atol=1e-12)
    if hold != FREE:
        assert set(run[hold[0]]) == {float(hold[-1])}


def test_the_cell_does_what_its_purpose_is():
    run = module.lstm_run()
    number = [x for x, _ in INPUTS]
    assert [c for _, c in INPUTS] == ["", "store", "", "add", "", "", "show", "", "store",
                                             "store"]
    gates = np.stack([run["f"], run["i"], run["o"]], axis=1)
    hold, store, add, show, drop = (1, 0, 0), (0, 1, 0), (1, 1, 0), (1, 0, 1), (0, 0, 0)
    assert gates.round().astype(int).tolist() == [
        list(g) for g in (hold, store, hold, add, hold, hold, show, drop, store, store)]
    assert (np.minimum(gates, 1 - gates) < 0.03).all()
    c, g = run["c"][1:], np.tanh(number)
    wanted = [0, g[1], g[1], *[g[1] + g[3]] * 4, 0, g[8], g[9]]
    np.testing.assert_allclose(c, wanted, atol=0.08)                # gates are never quite shut
    assert (run["h"][1:] > 0.03).tolist() == [t == 7 for t in range(1, 11)]


@pytest.mark.parametrize("hold", HOLDS)
def test_nothing_overflows_its_channel(hold):
    for t in range(1, STEPS + 1):
        now = module.values_at(module.lstm_run(hold), t)
        for name, flow in module.FLOWS.items():
            assert 0 <= now[name] <= flow.room, (name, t)
        assert now["c"] == pytest.approx(now["kept"] + now["written"], abs=1e-12)
        assert now["h"] == pytest.approx(now["o"] * now["tanh_c"], abs=1e-12)


# --- what is drawn ----------------------------------------------------------------------------


def test_the_figure_survives_every_probe_and_is_light(figure):
    assert figure.states == 350 <= 600
    assert figure.drive() >= 2 + len(figure.presets)
    assert figure.scene.smallest_text() >= 9.5
    assert len(gzip.compress(figure.bake().encode())) < 40_000


def test_flows_are_as_thick_as_rnnlibs_numbers_and_appear_in_their_stage(figure):
    level = {"c_prev", "kept", "c", "h_out", "h_prev"}
    for t, stage, hold in ALL:
        _, artists = shown(figure, t, stage, hold)
        trace = by_forward(hold)
        q = {k: getattr(trace, k)[t - 1, 0, 0] for k in "ifgoch"}
        c_prev, h_prev = trace.c_prev[t - 1, 0, 0], trace.h_prev[t - 1, 0, 0]
        expected = {
            "c_prev": (1, c_prev), "h_prev": (1, h_prev), "g": (2, q["g"]),
            "kept": (3, q["f"] * c_prev), "written": (4, q["i"] * q["g"]), "c": (4, q["c"]),
            "tanh_c": (5, np.tanh(q["c"])), "h": (5, q["h"]), "h_out": (5, q["h"]),
        }
        assert set(expected) == set(artists["flows"])
        for name, (since, amount) in expected.items():
            bar, thick = artists["flows"][name], cells.SCALE * amount
            assert bar.get_visible() == (stage >= since and thick >= 0.1), (name, t, stage, hold)
            if bar.get_visible():
                seen = bar.get_height() if name in level else bar.get_width()
                assert seen == pytest.approx(thick, abs=0.051)


def test_the_belt_grows_by_what_is_written(figure):
    _, artists = shown(figure, 4, 5)
    flows = artists["flows"]
    kept, c = (flows[name].get_height() for name in ("kept", "c"))
    assert c - kept == pytest.approx(flows["written"].get_width(), abs=0.2) and c > kept > 5
    middle = {round(f.get_y() + f.get_height() / 2) for f in (flows["kept"], flows["c"])}
    assert middle == {module.BELT}


def test_tips_are_wider_than_what_flows_and_grey_before_it_does(figure):
    for t, stage, hold in ALL:
        _, artists = shown(figure, t, stage, hold)
        for name, since in (("c", 4), ("h_out", 5)):
            head, amount = artists["heads"][name], getattr(by_forward(hold), name[0])[t - 1, 0, 0]
            colour = style.H if stage >= since else style.MUTED
            assert head.get_facecolor()[:3] == pytest.approx(_rgba(colour)[:3])
            wide, thick = np.ptp(head.get_xy()[:, 1]), cells.SCALE * amount * (stage >= since)
            assert wide == pytest.approx(max(14, thick + 8), abs=0.21)
            assert head.get_xy()[:, 0].min() == module.FLOWS[name].stop[0]


def test_valves_are_open_by_their_share_and_hollow_before(figure):
    for t, stage, hold in ALL:
        _, artists = shown(figure, t, stage, hold)
        trace = by_forward(hold)
        for gate in "fio":
            valve = artists["valves"][gate]
            if stage < 2:
                assert not any(jaw.get_visible() for jaw in valve["jaws"])
                continue
            side = "get_height" if gate == "f" else "get_width"
            closed = sum(getattr(jaw, side)() for jaw in valve["jaws"] if jaw.get_visible())
            share = getattr(trace, gate)[t - 1, 0, 0]
            assert closed / cells.JAWS == pytest.approx(1 - share, abs=0.004)


def test_a_gate_has_one_colour_and_grey_before_it_is_computed(figure):
    _, artists = shown(figure, 4, 2)
    for gate in "fio":
        assert artists["wires"][gate].get_color() == style.GATES[gate]
        assert artists["labels"][gate].get_color() == style.GATES[gate]
        assert artists["valves"][gate]["jaws"][0].get_facecolor() == pytest.approx(
            _rgba(style.GATES[gate]))
        assert artists["boxes"]["a_" + gate].get_color() == style.GATES[gate]
    assert artists["labels"]["g"].get_color() == style.GATES["g"]
    _, artists = shown(figure, 4, 1)
    assert {artists["wires"][g].get_color() for g in "fio"} == {style.MUTED}
    assert {artists["labels"][g].get_color() for g in "figo"} == {style.MUTED}
    assert {artists["labels"][g].get_text() for g in "figo"} == {"f₄", "i₄", "g₄", "o₄"}


def _rgba(colour):
    return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)) + (1.0,)


def test_labels_carry_rnnlibs_numbers(figure):
    _, artists = shown(figure, 7, 5)
    trace, texts = by_forward(), artists["labels"]
    for k in "figo":
        assert texts[k].get_text() == f"{k}₇ = {signed(getattr(trace, k)[6, 0, 0])}"
        assert artists["boxes"]["a_" + k].get_text() == signed(
            getattr(trace, "a_" + k)[6, 0, 0], 1)
    assert texts["c"].get_text() == f"c₇\n{signed(trace.c[6, 0, 0])}"
    assert texts["c_prev"].get_text() == f"c₆\n{signed(trace.c[5, 0, 0])}"
    assert texts["h"].get_text() == f"h₇\n{signed(trace.h[6, 0, 0])}"
    assert texts["h_prev"].get_text() == f"h₆\n{signed(trace.h[5, 0, 0])}"
    assert texts["tanh_c"].get_text() == signed(np.tanh(trace.c[6, 0, 0]))
    assert artists["x"].get_text() == "x₇: 0.2, show"


def test_what_was_computed_just_now_is_bold(figure):
    for stage, bold in ((1, {"c_prev", "h_prev"}), (2, {"f", "i", "g", "o"}), (3, {"kept"}),
                        (4, {"written", "c"}), (5, {"tanh_c", "h"})):
        _, artists = shown(figure, 4, stage)
        assert {n for n, t in artists["labels"].items() if t.get_weight() == "bold"} == bold
        assert [t.get_weight() for t in artists["stages"]].index("bold") == stage - 1


@pytest.mark.parametrize("hold", HOLDS)
def test_only_the_held_gate_is_cut_off_and_says_so(figure, hold):
    text, artists = shown(figure, 5, 5, hold)
    for gate in "fio":
        held = hold.startswith(gate)
        assert (artists["wires"][gate].get_linestyle() == "--") == held
        assert artists["labels"][gate].get_text().endswith("held") == held
    assert ("is held at" in text) == (hold != FREE) == bool(
        artists["strip"]["note"].get_text())


def test_the_strip_shows_the_whole_run_and_the_run_with_nothing_held(figure):
    for hold in (FREE, "f = 1", "o = 1"):
        for stage in (3, 4, 5):
            _, artists = shown(figure, 9, stage, hold)
            strip, trace = artists["strip"], by_forward(hold)
            assert strip["now"].get_x() == cell_strip.LEFT + 8 * cell_strip.COLUMN
            for name, since in (("c", 4), ("h", 5)):
                bars = strip["bars"][name]
                heights = [-bar.get_height() for bar in bars]
                values = getattr(trace, name)[:, 0, 0]
                np.testing.assert_allclose(heights, cell_strip.SCALE * values, atol=0.051)
                known = [bar.get_alpha() == 1 for bar in bars]
                assert known == [True] * 8 + [stage >= since, False]
    frames = [p for p in figure.scene.figure.axes[0].patches
              if not p.get_fill() and getattr(p, "get_width", int)() == cell_strip.BAR]
    free = by_forward()
    np.testing.assert_allclose(
        [p.get_height() for p in frames],
        cell_strip.SCALE * np.concatenate([free.c.ravel(), free.h.ravel()]), atol=1e-9)


def test_no_text_touches_another_or_leaves_the_picture(figure):
    for t, stage, hold in ALL:
        if t in (1, 4, 7, 10) and (stage in (1, 2, 5) or hold == FREE):
            shown(figure, t, stage, hold)
            assert crowded(figure) == [], (t, stage, hold)


# --- what is said -----------------------------------------------------------------------------


def test_the_written_sums_come_out_within_their_rounding(figure):
    for t, stage, hold in ALL:
        _, artists = shown(figure, t, stage, hold)
        line = artists["sum"].get_text()
        if stage == 1:
            value, said = arithmetic("a = " + line.split("for f:")[1].strip())
            assert round(value, 1) == said, line
        elif stage == 5:
            value, said = arithmetic(line)
            assert value == pytest.approx(said, abs=0.015)
        elif stage > 2:
            value, said = arithmetic(line)
            assert value == pytest.approx(said, abs=0.02), line
        else:
            for gate, a in re.findall(r"([fio])[₀-₉]+ = σ\(([^)]+)\)", line):
                assert float(a.replace("−", "-")) == pytest.approx(
                    getattr(by_forward(hold), "a_" + gate)[t - 1, 0, 0], abs=0.051)
            assert ("(held)" in line) == (hold != FREE)


def test_sentences_say_what_rnnlib_computes(figure):
    for t, hold in itertools.product(range(1, STEPS + 1), HOLDS):
        trace, free = by_forward(hold), by_forward()
        c, h, o = (signed(getattr(trace, k)[t - 1, 0, 0]) for k in "cho")
        text, _ = shown(figure, t, 5, hold)
        number, command = INPUTS[t - 1]
        assert text.startswith(f"Step {t} reads {number:.1f} and {command or 'no command'}. Show:")
        assert f" = {c} (" in text and f" = {h} of it is seen" in text
        assert ("o is open" in text) == (float(o) > 0.75)
        assert ("o is shut" in text) == (float(o) < 0.25)
        if hold != FREE:
            name = "h" if hold[0] == "o" else "c"
            assert text.endswith(f"would be {signed(getattr(free, name)[t - 1, 0, 0])}.")


def test_what_each_held_gate_is_said_to_do_is_so():
    c = {hold: by_forward(hold).c[:, 0, 0] for hold in HOLDS}
    g = np.tanh([number for number, _ in INPUTS])
    zero = by_forward("f = 0")
    np.testing.assert_allclose(c["f = 0"], (zero.i * zero.g)[:, 0, 0])  # what that step wrote
    assert (np.diff(c["f = 1"]) > 0).all()                          # nothing is dropped
    assert not c["i = 0"].any()
    one = by_forward("i = 1")
    np.testing.assert_allclose(one.c - one.f * one.c_prev, one.g)   # every number is put on
    np.testing.assert_allclose(one.g[:, 0, 0], g)
    assert not by_forward("o = 0").h.any() and c["o = 0"][7] > 0.7 > 0.1 > c[FREE][7]
    shown_always = by_forward("o = 1")
    np.testing.assert_allclose(shown_always.h, np.tanh(shown_always.c))
    assert c["o = 1"][1] > 0.4 and c["o = 1"][2] < 0.05             # seen, then dropped
    assert set(module.MEANING) == set(HOLDS) - {FREE}


def test_presets_keep_their_promises(figure):
    def at(name):
        values = figure.presets[name]
        trace = by_forward(values["hold"])
        return {k: getattr(trace, k)[values["t"] - 1, 0, 0] for k in ("i", "f", "o", "c", "h")}

    assert len({tuple(values.values()) for values in figure.presets.values()}) == 7
    assert all(values != figure.opening for values in figure.presets.values())
    write = at("The writing step")
    assert write["i"] > 0.95 and write["c"] > 0.4
    kept, asked = at("Kept and hidden"), at("Shown when asked")
    assert kept["c"] == pytest.approx(by_forward().c[3, 0, 0], abs=0.04) and kept["h"] < 0.02
    assert asked["o"] > 0.95 and asked["h"] > 0.6
    assert at("Then dropped")["f"] < 0.01
    gone = at("f = 0: forgotten at once")
    assert gone["c"] < 0.01 and by_forward("f = 0").c[1, 0, 0] > 0.4 < by_forward().c[2, 0, 0]
    assert at("f = 1: nothing is dropped")["c"] > 3 * by_forward().c[9, 0, 0]
    assert at("i = 1: every number gets in")["c"] > 1.7 * by_forward().c[5, 0, 0]
