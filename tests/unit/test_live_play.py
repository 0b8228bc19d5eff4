"""The control that is played through: what Python knows of it. tests/browser/test_play.py plays."""

import pytest
from test_live import make, move, wave

from rnnlib import live


def test_it_takes_values_as_a_range_does_and_tells_the_page_its_pace():
    play = live.Play("updates", 0, 20, step=5, value=10)
    assert play.values == (0, 5, 10, 15, 20) and play.value == 10
    assert play.probes() == (0, 10, 20)
    assert play.spec() == {"kind": "play", "label": "updates", "values": [0, 5, 10, 15, 20],
                           "step": 5, "perSecond": 12}
    uneven = live.Play("updates", values=[0, 1, 10], per_second=3)
    assert uneven.value == 0 and uneven.spec()["step"] is None
    assert uneven.spec()["perSecond"] == 3


@pytest.mark.parametrize(("call", "message"), [
    (lambda: live.Play("", 0, 5), "label: expected a name"),
    (lambda: live.Play("p", 0, 0), "stop: expected more than start"),
    (lambda: live.Play("p", 0, 5, value=7), "p: expected a number from 0 to 5 in steps of 1"),
    (lambda: live.Play("p", values=[3, 1]), "expected rising numbers"),
    (lambda: live.Play("p", 0, 5, values=[1, 2]), "either values or start and stop"),
    (lambda: live.Play("p", 0, 5, per_second=0), "per_second: expected more than 0, at most 60"),
    (lambda: live.Play("p", 0, 5, per_second=61), "per_second: expected .*, got 61"),
    (lambda: live.Play("p", 0, 5, per_second=float("nan")), "per_second: expected .*, got nan"),
    (lambda: live.Play("p", 0, 5, per_second="fast"), "per_second: expected a number"),
])
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()


def test_a_figure_is_asked_for_nothing_but_what_is_shown():
    asked = []

    def update(artists, freq):
        asked.append(freq)
        return move(artists, freq)

    figure = make(wave, update, {"freq": live.Play("frequency", 1, 99)})
    figure.widget.freq = 2
    assert set(asked) == {1, 2}


def test_an_interrupt_is_told_to_the_page_and_the_next_value_is_to_be_had():
    def update(artists, freq):
        if freq == 3:
            raise KeyboardInterrupt
        return move(artists, freq)

    widget = make(wave, update, {"freq": live.Play("frequency", 1, 9)}).widget
    with pytest.raises(KeyboardInterrupt):
        widget.freq = 3
    assert widget._frame["error"] == "Interrupted from the keyboard."
    assert widget._frame["values"] == {"freq": 3}
    widget.freq = 4
    assert widget._frame["text"] == "Frequency 4."
