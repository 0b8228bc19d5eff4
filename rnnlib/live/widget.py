"""A live figure as an anywidget: its controls are traits, its frames are drawn on demand."""

from pathlib import Path

import anywidget
import traitlets

STATIC = Path(__file__).parent / "static"


class _ControlTrait(traitlets.TraitType):
    """A trait that takes the values of one control."""

    def __init__(self, control):
        super().__init__(default_value=control.value)
        self.control = control

    def validate(self, obj, value):
        try:
            return self.control.check(value)
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from None


class FigureWidget(anywidget.AnyWidget):
    """The page's side of a live figure: `_spec` and `_svg` once, `_frame` for each state.

    `_frame` is {"n": its number, "values": ..., "text": ..., "pieces": {slot: SVG}}, or with
    "error" in place of text and pieces when `update` failed. It is complete, so that a second
    view of the same figure, opened later, shows the same picture. Where the page asks for what a
    control does not take, nothing moves: the frame comes again, with what was "refused" and the
    "reason".
    """

    # The script is a classic one for built pages (modules are blocked on file://).
    _esm = (STATIC / "live.js").read_text("utf-8") + "\nexport default LiveFigure;\n"
    _css = (STATIC / "live.css").read_text("utf-8")
    _spec = traitlets.Dict().tag(sync=True)
    _svg = traitlets.Unicode().tag(sync=True)
    _frame = traitlets.Dict().tag(sync=True)

    def _attach(self, figure):
        self._figure = figure
        self._values = None
        self._names = list(figure.controls)
        self._draw()
        self.observe(self._draw, self._names)

    def set_state(self, sync_data):
        """What the page asks for; it is told where a control does not take it, and nothing moves.

        In Python an assignment that is refused raises, as for any trait.
        """
        try:
            super().set_state(sync_data)
        except traitlets.TraitError as error:
            refused = {name: sync_data[name] for name in self._names if name in sync_data}
            told = {"n": self._frame["n"] + 1, "refused": refused, "reason": str(error)}
            self._frame = self._frame | told

    def values(self):
        """The controls' values as a dict."""
        return {name: getattr(self, name) for name in self._names}

    def _draw(self, change=None):
        values = self.values()
        if values == self._values:  # a preset moves several traits at once
            return
        self._values = values
        frame = {"n": self._frame.get("n", -1) + 1, "values": values}
        try:
            text, pieces = self._figure.frame(values)
        except (Exception, KeyboardInterrupt) as error:  # the page must not wait for ever
            self._frame = frame | {"error": str(error) or "Interrupted from the keyboard."}
            raise  # the kernel's log shows it too
        self._frame = frame | {"text": text, "pieces": pieces}


def make_widget(figure):
    """The widget of `figure`; ValueError where a control has the name of a widget's own part."""
    taken = [name for name in figure.controls if hasattr(FigureWidget, name)]
    if taken:
        raise ValueError(f"controls: expected names that a widget does not have, got {taken[0]!r}")
    traits = {name: _ControlTrait(c).tag(sync=True) for name, c in figure.controls.items()}
    kind = type("FigureWidget", (FigureWidget,), traits)
    widget = kind(_spec=figure.spec(), _svg=figure.scene.skeleton)
    widget._attach(figure)
    return widget


class _View(anywidget.AnyWidget):
    """A piece of HTML that needs no answer from Python."""

    _esm = "export default { render({ model, el }) { el.innerHTML = model.get('_html'); } };"
    _html = traitlets.Unicode().tag(sync=True)


def make_view(html):
    """What a notebook displays to show `html` as a widget."""
    return mime_bundle(_View(_html=html))


def mime_bundle(widget):
    """The data that displaying a widget sends, whether or not metadata come along."""
    bundle = widget._repr_mimebundle_()
    return dict(bundle[0] if isinstance(bundle, tuple) else bundle)
