"""A gate has one colour in figures, equations and text, and it can be read on both papers."""

import re
from pathlib import Path

import pytest

from rnnlib import style

CSS = (Path(__file__).parents[2] / "theme/site/static/book.css").read_text("utf-8")
ROLES = {"keep": style.KEEP, "write": style.WRITE, "look": style.LOOK,
         "candidate": style.CANDIDATE}


def luminance(colour):
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("role", ROLES)
def test_pages_and_figures_agree(role):
    light, dark, printed = re.findall(rf"--{role}: (#\w+);", CSS)
    assert light == printed == ROLES[role].lower()
    assert dark == style.COLOURS[ROLES[role]].lower()
    assert f".{role} {{ color: var(--{role}); }}" in CSS


@pytest.mark.parametrize("colour", sorted(style.COLOURS))
def test_every_colour_stands_out_from_its_paper(colour):
    if colour == style.PAPER:
        return
    for own, paper in ((colour, style.PAPER), (style.COLOURS[colour], style.COLOURS[style.PAPER])):
        low, high = sorted((luminance(own), luminance(paper)))
        assert (high + 0.05) / (low + 0.05) >= 3


def test_every_gate_has_a_colour_of_its_own_within_its_cell():
    for cell in ("ifgo", "rzn"):
        assert len({style.GATES[gate] for gate in cell}) == len(cell)
    assert not set(style.GATES.values()) & {style.X, style.H, style.THETA, style.GRAD, style.INK}


def test_an_equation_colours_a_gate_by_its_role(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "theme"))
    from mathml import mathml

    drawn = mathml(r"c_t = \class{keep}{f_t} \odot c_{t-1} + 1", block=True)
    assert '<mrow class="keep"><msub><mi>f</mi><mi>t</mi></msub></mrow><mo>⊙</mo>' in drawn
    assert "¶" not in drawn and "mtext" not in drawn


@pytest.mark.parametrize("accent", ["overrightarrow", "overleftarrow", "vec", "hat", "bar"])
def test_the_index_of_an_accented_letter_stands_beside_it(monkeypatch, accent):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "theme"))
    from mathml import mathml

    drawn = mathml(rf"\{accent}{{h}}_t + \{accent}{{h}}_{{t+1}}", block=True)
    assert drawn.count('<msub><mover accent="true"><mi>h</mi>') == 2 and "munder" not in drawn
