"""What a reader can set: each control is a finite list of values, so that a figure can be baked.

A `Word` takes more than is listed, but only where there is a kernel.
"""

from dataclasses import dataclass, field
from numbers import Integral, Real


def _number(name, value):
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}: expected a number, got {value!r}")
    return value


def _grid(start, stop, step):
    """The values start, start + step, ..., up to stop, without the dust of binary fractions."""
    for name, value in (("start", start), ("stop", stop), ("step", step)):
        _number(name, value)
    if step <= 0:
        raise ValueError(f"step: expected a positive number, got {step!r}")
    if stop <= start:
        raise ValueError(f"stop: expected more than start = {start!r}, got {stop!r}")
    count = int((stop - start) / step + 1e-9) + 1
    if all(isinstance(value, Integral) for value in (start, stop, step)):
        return tuple(int(start) + i * int(step) for i in range(count))
    return tuple(round(start + i * step, 10) for i in range(count))


@dataclass(frozen=True)
class Control:
    """A label, the values it can take, and the one it opens with (by default the first)."""

    label: str
    values: tuple = field(init=False)
    value: object = field(init=False)

    def _settle(self, values, value):
        if not isinstance(self.label, str) or not self.label.strip():
            raise ValueError(f"label: expected a name to show, got {self.label!r}")
        if len(values) < 2 or len(set(values)) != len(values):
            raise ValueError(f"{self.label}: expected two or more different values, got {values!r}")
        object.__setattr__(self, "values", tuple(values))
        object.__setattr__(self, "value", self.check(values[0] if value is None else value))

    def check(self, value):
        """The value of this control that `value` names; ValueError if there is none."""
        for own in self.values:
            if own == value and isinstance(own, bool) == isinstance(value, bool):
                return own
        raise ValueError(f"{self.label}: expected {self._expected()}, got {value!r}")

    def _expected(self):
        return "one of " + ", ".join(map(repr, self.values))

    def probes(self):
        """The values a test tries: all of a choice, the ends and the middle of a range."""
        return self.values

    def spec(self):
        """What the page needs to know to draw the control."""
        return {"kind": self.kind, "label": self.label, "values": list(self.values)}


@dataclass(frozen=True, init=False)
class Range(Control):
    """A slider with an editable number beside it.

    `Range("rate", 0.1, 2, step=0.1, value=1)` is an even grid;
    `Range("step", values=[0, 1, 10, 100])` takes any rising list of numbers.
    """

    kind = "range"

    def __init__(self, label, start=None, stop=None, *, step=1, value=None, values=None):
        object.__setattr__(self, "label", label)
        if values is None:
            values, even = _grid(start, stop, step), True
        else:
            values, even = tuple(_number("values", v) for v in values), False
            if start is not None or stop is not None:
                raise ValueError("values: expected either values or start and stop, got both")
            if list(values) != sorted(values):
                raise ValueError(f"values: expected rising numbers, got {values!r}")
        object.__setattr__(self, "step", step if even else None)
        self._settle(values, value)

    def check(self, value):
        """The grid value equal to `value` up to rounding; ValueError beside the grid."""
        if not isinstance(value, bool) and isinstance(value, Real):
            for own in self.values:
                if abs(own - value) <= 1e-9 * max(1.0, abs(own)):
                    return own
        raise ValueError(f"{self.label}: expected {self._expected()}, got {value!r}")

    def _expected(self):
        first, last = self.values[0], self.values[-1]
        if self.step is None:
            return super()._expected()
        return f"a number from {first} to {last} in steps of {self.step}"

    def probes(self):
        """The smallest, the middle and the largest value."""
        return (self.values[0], self.values[len(self.values) // 2], self.values[-1])

    def spec(self):
        """As for every control, with the grid's step (null where the values are a list)."""
        return super().spec() | {"step": self.step}


@dataclass(frozen=True, init=False)
class Step(Range):
    """A whole number with buttons for one step back and one step forward."""

    kind = "step"

    def __init__(self, label, start, stop, *, value=None):
        for name, limit in (("start", start), ("stop", stop)):
            if not isinstance(limit, Integral) or isinstance(limit, bool):
                raise TypeError(f"{name}: expected a whole number, got {limit!r}")
        super().__init__(label, start, stop, step=1, value=value)


@dataclass(frozen=True, init=False)
class Play(Range):
    """A range that is played through: start, pause, one step, beside the slider and the number.

    It takes the arguments of `Range`. The page asks for one value after the other, `per_second` of
    them at most, and for the next only when the last has been painted: with a kernel, a training
    run goes on just as far as it is watched, and the kernel is free in between. So a value far
    ahead, not seen yet, is walked to as well. Nothing plays until the reader starts it.
    """

    kind = "play"

    def __init__(
        self, label, start=None, stop=None, *, step=1, value=None, values=None, per_second=12
    ):
        if not 0 < _number("per_second", per_second) <= 60:
            raise ValueError(f"per_second: expected more than 0, at most 60, got {per_second!r}")
        object.__setattr__(self, "per_second", per_second)
        super().__init__(label, start, stop, step=step, value=value, values=values)

    def spec(self):
        """As for a range, with how many values a second are played at most."""
        return super().spec() | {"perSecond": self.per_second}


@dataclass(frozen=True, init=False)
class Choice(Control):
    """One of a few names."""

    kind = "choice"

    def __init__(self, label, values, *, value=None):
        object.__setattr__(self, "label", label)
        if isinstance(values, str) or not all(isinstance(v, str) for v in values):
            raise TypeError(f"values: expected a list of strings, got {values!r}")
        self._settle(tuple(values), value)


@dataclass(frozen=True, init=False)
class Word(Choice):
    """One of a few words or, with a kernel, one that the reader types.

    accepts: text -> None if it may be a value, else a message that says what was expected. In a
    notebook a text field stands beside the list, and what is typed there goes to Python: accepted,
    it becomes the value; else the figure shows the message and stays as it is. A built page has
    the list alone. Without `accepts` it is a `Choice`.
    """

    kind = "word"

    def __init__(self, label, values, *, value=None, accepts=None):
        if accepts is not None and not callable(accepts):
            raise TypeError(f"accepts: expected a function of a text, got {accepts!r}")
        object.__setattr__(self, "accepts", accepts)
        super().__init__(label, values, value=value)

    def check(self, value):
        """`value` if it is listed or accepted; ValueError with what `accepts` says against it."""
        if value in self.values or self.accepts is None or not isinstance(value, str):
            return super().check(value)
        message = self.accepts(value)
        if message is not None:
            raise ValueError(f"{self.label}: {message}")
        return value

    def spec(self):
        """As for every control, with whether other words than those listed may be typed."""
        return super().spec() | {"own": self.accepts is not None}


@dataclass(frozen=True, init=False)
class Toggle(Control):
    """On or off."""

    kind = "toggle"

    def __init__(self, label, *, value=False):
        object.__setattr__(self, "label", label)
        self._settle((False, True), value)
