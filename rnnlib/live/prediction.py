"""`Prediction`: a question whose answer stays shut until a choice is made.

HTML and CSS only, in a built page. In a notebook a widget carries the same HTML: a notebook that
is not trusted yet strips styles, and with them the lock on the answer; a widget it leaves out.
"""

import hashlib
import os
from dataclasses import dataclass
from html import escape
from pathlib import Path

_CSS = Path(__file__).parent / "static" / "prediction.css"
# Arrow keys and Enter must not reach the notebook, whose shortcuts look at what has the focus.
_OWN_KEYS = 'data-lm-suppress-shortcuts="true"'


@dataclass(frozen=True)
class Prediction:
    """A question to answer before reading on.

    choices: the answers to choose from -> what to say of each: for the right one why it holds,
        for a wrong one why it tempts. answer: the right choice, one of the keys of `choices`.

    Raises ValueError for fewer than two choices, an empty text, or an answer that is no choice.
    """

    question: str
    choices: dict
    answer: str

    def __post_init__(self):
        if not isinstance(self.choices, dict) or len(self.choices) < 2:
            raise ValueError(f"choices: expected two or more choices, got {self.choices!r}")
        if len(self.choices) > 6:
            raise ValueError(f"choices: expected six at most, got {len(self.choices)}")
        for name, text in [("question", self.question), *self.choices.items()]:
            if not isinstance(text, str) or not text.strip():
                raise ValueError(f"{name}: expected a text, got {text!r}")
        if self.answer not in self.choices:
            raise ValueError(f"answer: expected one of {list(self.choices)}, got {self.answer!r}")

    def __repr__(self):
        return f"Prediction: {self.question} ({' / '.join(self.choices)})"

    def _repr_mimebundle_(self, include=None, exclude=None):
        text = {"text/plain": repr(self)}
        if os.environ.get("RNNLIB_LIVE") == "baked":
            return text | {"text/html": self.html()}
        from .widget import make_view  # a page without a kernel must not open a widget

        return make_view(self.html()) | text

    def html(self):
        """The question, its choices and the folded answer."""
        uid = "pr-" + hashlib.sha256(repr(self.choices).encode()).hexdigest()[:8]
        options = "".join(
            f'<label><input type="radio" name="{uid}" value="{i}" {_OWN_KEYS}> '
            f"{escape(choice)}</label>"
            for i, choice in enumerate(self.choices)
        )
        return (
            f"<style>{_CSS.read_text('utf-8')}</style>"
            f'<div class="prediction"><fieldset><legend><b>Predict.</b> {escape(self.question)}'
            f"</legend>{options}</fieldset>"
            '<p class="pr-wait">Choose an answer; then you can open ours.</p>'
            f'<details aria-live="polite"><summary {_OWN_KEYS}>Compare with the answer</summary>'
            f"{self._reasons()}</details></div>"
        )

    def _reasons(self):
        # The class lets the style sheet mark the reader's own choice.
        told = {
            choice: f'class="pr-{i}"><b>{escape(choice)}</b> {escape(reason)}'
            for i, (choice, reason) in enumerate(self.choices.items())
        }
        right = f"<p {told.pop(self.answer)}</p>"
        wrong = "".join(f"<li {text}</li>" for text in told.values())
        return f"{right}<p>Why the others tempt:</p><ul>{wrong}</ul>"
