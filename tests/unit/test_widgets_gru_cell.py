"""Chapter 6's drawn cell: its numbers against rnnlib, what a held gate does, what is drawn."""

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

# The functions of those names hide their modules in the package.
module = importlib.import_module("rnnlib.widgets.gru_cell")
lstm = importlib.import_module("rnnlib.widgets.lstm_cell")

FREE, HOLDS, STEPS = module.FREE, list(module.HOLDS), len(INPUTS)
ALL = list(itertools.product(range(1, STEPS + 1), range(1, 5), HOLDS))
ROW = {"r": 0, "z": 1}


@pytest.fixture(scope="module")
def figure():
    return module.gru_cell()


@functools.cache
def by_forward(hold=FREE):
    """The trace of the same cell; a held gate by a bias so large that nothing else counts."""
    cell = module.gru_by_hand()
    if hold != FREE:
        b = cell.b.copy()
        b[ROW[hold[0]]] = 1e3 if hold.endswith("1") else -1e3
        cell = dataclasses.replace(cell, b=b)
    return forward(cell, lstm.sequence())


def value(name, t, hold=FREE):
    return float(getattr(by_forward(hold), name)[t - 1, 0, 0])


def shown(figure, t, stage, hold=FREE):
    """(text, artists) of a state, moved but not drawn."""
    return module._update(figure.scene.artists, t, stage, hold), figure.scene.artists


# --- numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("hold", HOLDS)
def test_the_run_is_rnnlibs_forward_also_with_a_gate_held(hold):
    run, trace = module.gru_run(hold), by_forward(hold)
    for name in ("a_r", "a_z", "r", "z", "s", "a_n", "n"):
        if name != f"a_{hold[0]}":                                  # it is not used
            np.testing.assert_allclose(run[name], getattr(trace, name)[:, 0, 0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(run["h"], [0, *trace.h[:, 0, 0]], rtol=0, atol=1e-12)
    np.testing.assert_allclose(run["a_n"], run["u"] + run["r"] * run["s"], atol=1e-12)
    if hold != FREE:
        assert set(run[hold[0]]) == {float(hold[-1])}


def test_the_cell_does_what_its_purpose_is_on_the_sequence_of_the_lstm():
    assert module.sequence is lstm.sequence
    for t, (number, command) in enumerate(INPUTS, 1):
        z, r = value("z", t), value("r", t)
        assert (z < 0.02) == (command in ("store", "add")) and (z > 0.98) != (z < 0.02)
        assert (r > 0.98) == (command == "add") and (r > 0.98) != (r < 0.02)
        before = by_forward().h_prev[t - 1, 0, 0]
        wanted = {"store": np.tanh(number), "add": np.tanh(number + before)}.get(command, before)
        assert value("h", t) == pytest.approx(wanted, abs=0.02)


def test_nothing_overflows_its_channel():
    for t, hold in itertools.product(range(1, STEPS + 1), HOLDS):
        now = module.values_at(module.gru_run(hold), t)
        for name, flow in module.FLOWS.items():
            assert 0 <= now[name] <= flow.room == 1, (name, t)
        assert now["h"] == pytest.approx(now["kept"] + now["written"], abs=1e-12)


def test_what_the_chapter_compares_with_the_lstm():
    h, c = by_forward().h[:, 0, 0], forward(lstm.lstm_by_hand(), lstm.sequence()).c[:, 0, 0]
    np.testing.assert_allclose(h[:3], c[:3], atol=0.01)             # stored alike
    assert h[3] == pytest.approx(0.68, abs=0.005) and c[3] == pytest.approx(0.81, abs=0.005)
    assert h[7] > 0.6 and c[7] < 0.01                               # only the LSTM drops it
    np.testing.assert_allclose(h[8:], c[8:], atol=0.025)            # stored over it alike


# --- what is drawn ----------------------------------------------------------------------------


def test_the_figure_survives_every_probe_and_is_light(figure):
    assert figure.states == 200
    assert figure.drive() >= 2 + len(figure.presets)
    assert figure.scene.smallest_text() >= 9.5
    assert len(gzip.compress(figure.bake().encode())) < 30_000


def test_flows_are_as_thick_as_rnnlibs_numbers_and_appear_in_their_stage(figure):
    for t, stage, hold in ALL:
        _, artists = shown(figure, t, stage, hold)
        z, r, s, n, h = (value(name, t, hold) for name in "zrsnh")
        before = by_forward(hold).h_prev[t - 1, 0, 0]
        expected = {
            "h_prev": (1, before), "down": (1, before), "s": (1, s), "seen": (3, r * s),
            "n": (3, n), "kept": (4, z * before), "written": (4, (1 - z) * n), "h": (4, h),
        }
        assert set(expected) == set(artists["flows"])
        for name, (since, amount) in expected.items():
            bar, thick = artists["flows"][name], cells.SCALE * amount
            assert bar.get_visible() == (stage >= since and thick >= 0.1), (name, t, stage, hold)
            if bar.get_visible():
                level = name in ("h_prev", "kept", "h")
                seen = bar.get_height() if level else bar.get_width()
                assert seen == pytest.approx(thick, abs=0.051)


def test_one_gate_moves_two_valves_against_each_other(figure):
    for t, stage, hold in ALL:
        _, artists = shown(figure, t, stage, hold)
        z, r = value("z", t, hold), value("r", t, hold)
        for name, share in (("z", z), ("1 - z", 1 - z), ("r", r)):
            jaws = [jaw for jaw in artists["valves"][name]["jaws"] if jaw.get_visible()]
            if stage < 2:
                assert not jaws
                continue
            closed = sum(jaw.get_height() if name == "z" else jaw.get_width() for jaw in jaws)
            assert closed / cells.JAWS == pytest.approx(1 - share, abs=0.004)


def test_labels_carry_rnnlibs_numbers_in_the_colours_of_the_gates(figure):
    _, artists = shown(figure, 4, 4)
    texts = artists["labels"]
    for name in "rzn":
        assert texts[name].get_text() == f"{name}₄ = {signed(value(name, 4))}"
        assert texts[name].get_color() == style.GATES[name]
    assert texts["h"].get_text() == f"h₄\n{signed(value('h', 4))}"
    assert texts["h_prev"].get_text() == f"h₃\n{signed(value('h', 3))}"
    assert texts["a_n"].get_text() == f"aₙ = {signed(value('a_n', 4))}"
    assert texts["1 - z"].get_text() == f"1 − z₄ = {signed(1 - value('z', 4))}"
    assert texts["seen"].get_text() == f"r₄·s₄ = {signed(value('r', 4) * value('s', 4))}"
    for name, digits in (("a_r", 1), ("a_z", 1), ("s", 2)):
        assert artists["boxes"][name].get_text() == signed(value(name, 4), digits)
    assert artists["boxes"]["u"].get_text() == "0.40"
    assert artists["wires"]["r"].get_color() == style.LOOK
    assert artists["wires"]["z"].get_color() == artists["wires"]["1 - z"].get_color() == style.KEEP
    _, artists = shown(figure, 4, 1)
    assert {artists["labels"][name].get_text() for name in "rzn"} == {"r₄", "z₄", "n₄"}
    assert {artists["labels"][name].get_color() for name in "rzn"} == {style.MUTED}


def test_what_was_computed_just_now_is_bold(figure):
    for stage, bold in ((1, {"h_prev"}), (2, {"z", "1 - z", "r"}), (3, {"seen", "a_n", "n"}),
                        (4, {"kept", "written", "h"})):
        _, artists = shown(figure, 4, stage)
        assert {n for n, t in artists["labels"].items() if t.get_weight() == "bold"} == bold
        assert [t.get_weight() for t in artists["stages"]].index("bold") == stage - 1


@pytest.mark.parametrize("hold", HOLDS)
def test_only_the_held_gate_is_cut_off_and_says_so(figure, hold):
    text, artists = shown(figure, 5, 4, hold)
    for name in ("z", "1 - z", "r", "u"):
        cut = artists["wires"][name].get_linestyle() == "--"
        assert cut == (hold[0] in name and hold != FREE), name
    held = {n for n, label in artists["labels"].items() if label.get_text().endswith("held")}
    assert held == (set() if hold == FREE else {hold[0]})
    assert ("is held at" in text) == (hold != FREE) == bool(artists["strip"]["note"].get_text())


def test_the_strip_shows_the_whole_run(figure):
    for hold, stage in itertools.product((FREE, "r = 1", "z = 0"), (3, 4)):
        _, artists = shown(figure, 9, stage, hold)
        strip = artists["strip"]
        assert set(strip["bars"]) == {"h"}
        assert strip["now"].get_x() == cell_strip.LEFT + 8 * cell_strip.COLUMN
        np.testing.assert_allclose([-bar.get_height() for bar in strip["bars"]["h"]],
                                   cell_strip.SCALE * by_forward(hold).h[:, 0, 0], atol=0.051)
        known = [bar.get_alpha() == 1 for bar in strip["bars"]["h"]]
        assert known == [True] * 8 + [stage == 4, False]


def test_no_text_touches_another_or_leaves_the_picture(figure):
    fig = figure.scene.figure
    for t, stage, hold in ALL:
        if t not in (1, 4, 10) or (stage in (2, 3) and hold != FREE):
            continue
        shown(figure, t, stage, hold)
        boxes = [(text.get_text(), text.get_window_extent().padded(-1))
                 for text in fig.findobj(Text) if text.get_visible() and text.get_text().strip()]
        for text, box in boxes:
            assert box.x0 >= 0 and box.y0 >= 0, text
            assert box.x1 <= fig.bbox.x1 and box.y1 <= fig.bbox.y1, text
        for (a, one), (b, two) in itertools.combinations(boxes, 2):
            assert not one.overlaps(two), (a, b, t, stage, hold)


# --- what is said -----------------------------------------------------------------------------


def test_the_written_sums_come_out_within_their_rounding(figure):
    for t, stage, hold in ALL:
        _, artists = shown(figure, t, stage, hold)
        line = artists["sum"].get_text().replace("−", "-").replace("·", "*")
        if stage == 2:
            found = re.findall(r"([rz])[₀-₉]+ = σ\(([^)]+)\) = ([\d.]+)", line)
            assert len(found) == 2 - (hold != FREE) and ("(held)" in line) == (hold != FREE)
            for gate, a, gate_value in found:
                assert float(a) == pytest.approx(value("a_" + gate, t, hold), abs=0.051)
                assert float(gate_value) == pytest.approx(value(gate, t, hold), abs=0.0051)
            continue
        left, right = line.split(" = ")[-2:]
        assert re.fullmatch(r"(tanh\()?[-+.*\d ]+\)?", left), line
        assert eval(left, {"tanh": np.tanh}) == pytest.approx(float(right), abs=0.02), line


def test_sentences_say_what_rnnlib_computes(figure):
    for t, hold in itertools.product(range(1, STEPS + 1), HOLDS):
        text, _ = shown(figure, t, 4, hold)
        number, command = INPUTS[t - 1]
        z, n, h = (value(name, t, hold) for name in "znh")
        kept = signed(z * by_forward(hold).h_prev[t - 1, 0, 0])
        assert text.startswith(
            f"Step {t} reads {number:.1f} and {command or 'no command'}. Mix: {kept} is kept and "
            f"{signed((1 - z) * n)} is written; the belt carries")
        assert f" = {signed(h)}, for all to see." in text
        if hold != FREE:
            assert text.endswith(f"would be {signed(value('h', t))}.")
        text, _ = shown(figure, t, 2, hold)
        assert ("r is open" in text) == (value("r", t, hold) > 0.75)
        assert ("z is shut" in text) == (z < 0.25)


def test_what_each_held_gate_is_said_to_do_is_so():
    number = np.array([x for x, _ in INPUTS])
    blind, seeing = by_forward("r = 0"), by_forward("r = 1")
    np.testing.assert_allclose(blind.n[:, 0, 0], np.tanh(number))
    np.testing.assert_allclose(seeing.n, np.tanh(number[:, None, None] + seeing.h_prev))
    np.testing.assert_allclose(by_forward("z = 0").h, by_forward("z = 0").n)
    assert not by_forward("z = 1").h.any()
    assert set(module.MEANING) == set(HOLDS) - {FREE}


def test_presets_keep_their_promises(figure):
    def at(name):
        values = figure.presets[name]
        return values["t"], values["hold"], value("h", values["t"], values["hold"])

    assert len({tuple(values.values()) for values in figure.presets.values()}) == 7
    assert all(values != figure.opening for values in figure.presets.values())
    number = [0, *(x for x, _ in INPUTS)]
    assert at("The writing step") == (2, FREE, pytest.approx(np.tanh(0.5), abs=0.02))
    assert at("Kept") == (6, FREE, pytest.approx(value("h", 4), abs=0.02))
    t, _, asked = at("Asked, but it shows all the time")
    assert INPUTS[t - 1][1] == "show" and asked == pytest.approx(value("h", t - 1), abs=0.02)
    t, hold, stored = at("r = 0: add becomes store")
    assert INPUTS[t - 1][1] == "add" and hold == "r = 0"
    assert stored == pytest.approx(np.tanh(number[t]), abs=0.02) and value("h", t) > 0.6
    t, hold, added = at("r = 1: store becomes add")
    assert INPUTS[t - 1][1] == "store" and hold == "r = 1"
    before = value("h", t - 1, hold)
    assert added == pytest.approx(np.tanh(number[t] + before), abs=0.02) and before > 0.5
    t, hold, last = at("z = 0: nothing is kept")
    assert last == value("n", t, hold) == pytest.approx(np.tanh(number[t]), abs=0.01)
    assert at("z = 1: nothing gets in")[2] == 0
