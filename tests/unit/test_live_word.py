"""The control that takes a word of the reader's own. tests/browser/test_word.py types one."""

import re

import pytest
import traitlets
from test_live import make, wave

from rnnlib import live

LISTED = ("tea", "coffee")


def accepts(text):
    return None if text.islower() and len(text) <= 8 else "expected at most 8 small letters"


def drinks(accepts=accepts, update=None):
    def say(artists, drink, cups):
        artists["line"].set_ydata([cups * len(drink)] * 60)
        return f"{cups} of {drink}."

    controls = {"drink": live.Word("drink", LISTED, accepts=accepts),
                "cups": live.Range("cups", 1, 3)}
    return make(wave, update or say, controls)


def test_without_accepts_it_is_a_choice():
    word, choice = live.Word("drink", LISTED, value="coffee"), live.Choice("drink", LISTED)
    assert word.value == "coffee" and word.values == choice.values == word.probes()
    assert word.spec() == {"kind": "word", "label": "drink", "values": list(LISTED), "own": False}
    for control in (word, choice):
        with pytest.raises(ValueError, match="drink: expected one of 'tea', 'coffee', got 'milk'"):
            control.check("milk")


def test_what_accepts_allows_is_a_value_and_its_message_says_what_is_not():
    word = live.Word("drink", LISTED, accepts=accepts)
    assert word.spec()["own"] is True and word.probes() == LISTED
    assert word.check("milk") == "milk" and word.check("tea") == "tea"
    with pytest.raises(ValueError, match="^drink: expected at most 8 small letters$"):
        word.check("lemonades")
    for other in (3, None, True, ["tea"]):
        with pytest.raises(ValueError, match="drink: expected one of 'tea', 'coffee'"):
            word.check(other)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: live.Word("", LISTED), "label: expected a name"),
    (lambda: live.Word("w", ["tea"]), "two or more different values"),
    (lambda: live.Word("w", "tea"), "expected a list of strings"),
    (lambda: live.Word("w", LISTED, value="milk"), "w: expected one of"),
    (lambda: live.Word("w", LISTED, accepts="any"), "accepts: expected a function of a text"),
])
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()


def test_a_listed_word_is_not_asked_about():
    assert live.Word("drink", LISTED, accepts=lambda text: "none other").check("tea") == "tea"


def test_the_figure_takes_an_own_word_everywhere_and_counts_the_listed_ones():
    figure = drinks()
    assert figure.states == 6 and figure.drive() == 5
    assert figure.frame({"drink": "milk"})[0] == "1 of milk."
    with pytest.raises(ValueError, match="values: drink: expected at most 8 small letters"):
        figure.frame({"drink": "MILK"})
    assert "milk" not in figure.bake()


# --- with a kernel ----------------------------------------------------------------------------


@pytest.fixture
def widget():
    return drinks().widget


def test_python_may_set_a_word_and_an_assignment_that_is_refused_raises(widget):
    widget.drink = "milk"
    assert widget._frame["text"] == "1 of milk."
    with pytest.raises(traitlets.TraitError, match="drink: expected at most 8 small letters"):
        widget.drink = "MILK"
    assert widget.drink == "milk" and "refused" not in widget._frame


def test_the_page_is_told_why_and_the_picture_stays(widget):
    """set_state is what a message from the page calls."""
    widget.set_state({"drink": "milk", "cups": 2})
    shown = widget._frame
    assert shown["text"] == "2 of milk."
    widget.set_state({"drink": "LEMONADES", "cups": 3})
    told = widget._frame
    assert told["reason"] == "drink: expected at most 8 small letters"
    assert told["refused"] == {"drink": "LEMONADES", "cups": 3}
    assert told["n"] == shown["n"] + 1
    assert {key: told[key] for key in ("values", "text", "pieces")} == {
        key: shown[key] for key in ("values", "text", "pieces")}
    assert (widget.drink, widget.cups) == ("milk", 2), "half of what was refused has been taken"


def test_the_next_word_is_drawn_as_if_nothing_had_been_refused(widget):
    for _ in range(2):
        widget.set_state({"drink": "LEMONADES"})
    assert widget._frame["n"] == 2
    widget.set_state({"drink": "water"})
    assert set(widget._frame) == {"n", "values", "text", "pieces"} and widget._frame["n"] == 3
    assert widget._frame["text"] == "1 of water."


def test_a_grid_refuses_in_the_same_way(widget):
    widget.set_state({"cups": 7})
    assert re.search("cups: expected a number from 1 to 3", widget._frame["reason"])
    assert widget.cups == 1


def test_an_update_that_fails_is_an_error_and_not_a_refusal():
    def update(artists, drink, cups):
        if drink == "poison":
            raise RuntimeError("no such drink")
        return drink

    widget = drinks(update=update).widget
    with pytest.raises(live.LiveError, match="no such drink"):
        widget.set_state({"drink": "poison"})
    assert "no such drink" in widget._frame["error"] and "reason" not in widget._frame
    widget.set_state({"drink": "LEMONADES"})
    assert widget._frame["error"] and widget._frame["reason"], "what failed is forgotten"
