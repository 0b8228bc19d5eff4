"""`LiveFigure`: a matplotlib figure, the controls that move it, and its frames."""

import hashlib
import io
import itertools
import math
import os
import weakref
from collections.abc import Mapping

import matplotlib as mpl
from matplotlib.figure import Figure

from .bake import bake
from .controls import Control
from .scene import Scene

_made = []
_count = itertools.count(1)


class LiveError(RuntimeError):
    """An `update` that failed; the message names the values it failed at."""


def figures():
    """Every live figure made in this process that is still in use, oldest first."""
    alive = [figure for figure in (reference() for reference in _made) if figure is not None]
    _made[:] = [weakref.ref(figure) for figure in alive]
    return alive


class LiveFigure:
    """A figure that follows its controls, with a Python kernel and without one.

    setup: () -> (figure, artists). Called once. `artists` holds every artist that will move, in
        dicts, lists or tuples: lines, images, texts, collections, patches, arrows.
    update: (artists, **values) -> str. Moves the artists to the state that `values` names, from
        whatever state they are in, and returns a sentence or two that say what is seen: they are
        shown below the figure, announced, and serve as its text alternative.
    controls: name -> Range, Step, Play, Choice, Word or Toggle, three at most.
    presets: name of a button -> {control: value}; controls that it leaves out are not moved.
    rc: matplotlib settings; colours: {light "#rrggbb": its place-taker in dark mode}.

    Raises ValueError or TypeError for arguments that do not fit, LiveError when `update` fails.
    """

    def __init__(self, setup, update, *, title, controls, presets=None, rc=None, colours=None):
        self.title = self._checked_title(title)
        self.controls = self._checked_controls(controls)
        self.presets = self._checked_presets(presets or {})
        for name, function in (("setup", setup), ("update", update)):
            if not callable(function):
                raise TypeError(f"{name}: expected a function, got {function!r}")
        self._update = update
        self._widget = None
        digest = hashlib.sha256(repr((title, self.controls)).encode()).hexdigest()[:6]
        self.uid = f"lf{next(_count)}-{digest}"
        self.scene = Scene(setup, rc=rc or {}, colours=colours or {}, uid=self.uid)
        self.frame(self.opening)
        _made.append(weakref.ref(self))

    @staticmethod
    def _checked_title(title):
        if not isinstance(title, str) or not title.strip():
            raise ValueError(f"title: expected a short name for the figure, got {title!r}")
        return title

    @staticmethod
    def _checked_controls(controls):
        if not isinstance(controls, Mapping) or not 1 <= len(controls) <= 3:
            raise ValueError(f"controls: expected a dict of one to three, got {controls!r}")
        for name, control in controls.items():
            if not isinstance(name, str) or not name.isidentifier() or name.startswith("_"):
                raise ValueError(f"controls: expected an argument name of update, got {name!r}")
            if not isinstance(control, Control):
                raise TypeError(f"controls[{name!r}]: expected a control, got {control!r}")
        return dict(controls)

    def _checked_presets(self, presets):
        if "Reset" in presets:
            raise ValueError("presets: expected other names than 'Reset', which every figure has")
        return {name: self.check(values, f"presets[{name!r}]") for name, values in presets.items()}

    @property
    def opening(self):
        """The values the figure opens with."""
        return {name: control.value for name, control in self.controls.items()}

    @property
    def states(self):
        """How many states there are: the product of the controls' values."""
        return math.prod(len(control.values) for control in self.controls.values())

    def check(self, values, argument="values"):
        """`values` with every number on its control's grid; ValueError names what does not fit."""
        checked = {}
        for name, value in values.items():
            if name not in self.controls:
                known = ", ".join(self.controls)
                raise ValueError(f"{argument}: expected controls among {known}, got {name!r}")
            try:
                checked[name] = self.controls[name].check(value)
            except ValueError as error:
                raise ValueError(f"{argument}: {error}") from None
        return checked

    def frame(self, values):
        """(text, {slot: SVG}) of the state that `values` names; missing controls as at opening."""
        values = self.opening | self.check(values)
        try:
            text, pieces = self.scene.frame(lambda artists: self._update(artists, **values))
        except Exception as error:
            where = ", ".join(f"{name} = {value!r}" for name, value in values.items())
            reason = f"{type(error).__name__}: {error}"
            raise LiveError(f"{self.title}: update failed at {where}: {reason}") from error
        if not isinstance(text, str) or not text.strip():
            raise LiveError(f"{self.title}: expected update to return a sentence, got {text!r}")
        return text, pieces

    def svg(self, values):
        """The whole figure in the state that `values` names, as it stands in the page."""
        text, pieces = self.frame(values)
        return text, self.scene.compose(pieces)

    def probes(self):
        """States to try: each control at its probes with the others as at opening; all presets."""
        for name, control in self.controls.items():
            yield from (self.opening | {name: value} for value in control.probes())
        yield from (self.opening | values for values in self.presets.values())

    def drive(self):
        """Try all `probes`; return how many. LiveError if update fails or depends on its past."""
        first = self.frame(self.opening)
        tried = [self.frame(values) for values in self.probes()]
        if self.frame(self.opening) != first:
            raise LiveError(f"{self.title}: update must not depend on the state before it")
        return len(tried)

    def spec(self):
        """What a page needs to know beside the pictures."""
        width, height = self.scene.figure.get_size_inches() * 72
        return {
            "uid": self.uid,
            "title": self.title,
            "size": [round(width, 2), round(height, 2)],
            "smallestText": self.scene.smallest_text(),
            "controls": {name: control.spec() for name, control in self.controls.items()},
            "presets": self.presets,
            "opening": self.opening,
        }

    def bake(self):
        """The figure with all its frames as HTML; BakeError if it is over its budget."""
        return bake(self)

    @property
    def widget(self):
        """The figure as an anywidget: each control is a trait, to be set, linked or observed."""
        if self._widget is None:
            from .widget import make_widget  # a page without a kernel must not open a widget

            self._widget = make_widget(self)
        return self._widget

    def __repr__(self):
        return f"LiveFigure: {self.title}. {self.frame(self.opening)[0]}"

    def _repr_mimebundle_(self, include=None, exclude=None):
        text = {"text/plain": repr(self)}
        if os.environ.get("RNNLIB_LIVE") == "baked":
            return text | {"text/html": self.bake()}
        from .widget import mime_bundle

        return mime_bundle(self.widget) | text | {"image/png": self._png()}

    def _png(self):
        """The opening state for viewers that show neither widgets nor HTML."""
        self.frame(self.opening)
        out = io.BytesIO()
        with mpl.rc_context(self.scene.rc):
            Figure.savefig(self.scene.figure, out, format="png", dpi=108, facecolor="white")
        return out.getvalue()
