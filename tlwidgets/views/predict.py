"""Ask for a guess before the answer is shown: a prediction that was made is remembered, one that was
read is not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import anywidget
import traitlets

from ..render.predict import predict_html, predict_text
from .assets import script, style
from .environment import is_live
from .live import publish_view
from .receipt import Receipt

_FACTORS = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "%": 1e-2}
_NUMBER = re.compile(r"^([+-]?\d[\d,_ ]*\.?\d*(?:e[+-]?\d+)?|[+-]?\.\d+)\s*([kmb%]?)$", re.I)


class Predict:
    """A question that is answered twice: first by a person, then by a measurement.

    Args:
        question: what is asked.
        unit: what the numbers count ("parameters", "%"), for kind "number".
        kind: "number", or "choice" with at least two `choices`.

    Show it as a cell's last line; later call `reveal(answer)`. Where nobody can click nothing waits: the
    static twin says that no guess was made.

    Raises:
        ValueError: unknown kind, or choices that don't fit it.
    """

    def __init__(self, question: str, unit: str = "", kind: str = "number", choices: Sequence[str] = ()):
        self._choices = tuple(str(choice) for choice in choices)
        if kind not in ("number", "choice"):
            raise ValueError(f"{kind!r} is no kind of question. Expected 'number' or 'choice'.")
        if kind == "choice" and len(set(self._choices)) < 2:
            raise ValueError(
                "A question of kind 'choice' needs at least two different choices: choices=('a', 'b')."
            )
        if kind == "number" and self._choices:
            raise ValueError(
                "A question with choices is of kind 'choice': pass kind='choice', or leave out choices."
            )
        self._question, self._unit, self._kind = question, unit, kind
        self._guess = self._answer = None
        self._message = ""
        self._widget: _PredictWidget | None = None
        self._receipt = Receipt(self._rendered)

    @property
    def guess(self) -> float | str | None:
        """The guess, or None. Can be set in code: a number ("1.5 M" is understood) or one of the choices.

        Raises:
            ValueError: not a number, not one of the choices, or the answer is out already.
        """
        return self._guess

    @guess.setter
    def guess(self, value) -> None:
        if self._answer is not None:
            raise ValueError(
                "The answer is out, so the guess stays as it was. Ask again with a new Predict(...)."
            )
        self._guess = self._read(value)
        self._message = ""
        self._changed()

    def reveal(self, answer) -> None:
        """Show guess and answer side by side, in the running cell and in the widget.

        Raises:
            ValueError: the answer is no number, or none of the choices.
        """
        from IPython.display import publish_display_data

        self._answer = self._read(answer)
        self._message = ""
        self._changed()
        html, text = self._rendered()
        publish_display_data({"text/html": html, "text/plain": text})

    @property
    def state(self) -> dict:
        """All that is shown, as plain data."""
        return {
            "schema": 1,
            "view": "predict",
            "question": self._question,
            "unit": self._unit,
            "kind": self._kind,
            "choices": list(self._choices),
            "guess": self._shown(self._guess),
            "answer": self._shown(self._answer),
            "guess_bar": self._bar(self._guess),
            "answer_bar": self._bar(self._answer),
            "verdict": self._verdict(),
            "message": self._message,
        }

    def _read(self, value) -> float | str:
        if self._kind == "choice":
            if value in self._choices:
                return value
            raise ValueError(f"{value!r} is none of the choices. Expected one of {', '.join(self._choices)}.")
        number = _number(value)
        if number is None or not math.isfinite(number):
            raise ValueError(f"{value!r} is no number. Expected one such as 1200, 0.85 or 1.5 M.")
        return number

    def _shown(self, value) -> str:
        if value is None or self._kind == "choice":
            return value or ""
        words = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"
        return f"{words} {self._unit}".strip()

    def _bar(self, value) -> float:
        numbers = [abs(number) for number in (self._guess, self._answer) if isinstance(number, float)]
        return abs(value) / max(numbers) if isinstance(value, float) and numbers and max(numbers) else 0.0

    def _verdict(self) -> str:
        if self._answer is None:
            return ""
        if self._guess is None:
            return "No guess made."
        if self._kind == "choice":
            return "You guessed right." if self._guess == self._answer else "Not what you guessed."
        return _compare(self._guess, self._answer)

    def _rendered(self) -> tuple[str, str]:
        return predict_html(self.state), predict_text(self.state)

    def _changed(self) -> None:
        if self._widget is not None:
            self._widget._state = self.state
        self._receipt.touch()

    def _from_browser(self, value) -> None:
        try:
            self.guess = value
        except ValueError as error:
            self._message = str(error)
            self._changed()

    def _ipython_display_(self) -> None:
        from IPython.display import publish_display_data

        if not is_live():
            html, text = self._rendered()
            publish_display_data({"text/html": html, "text/plain": text})
            return
        if self._widget is None:
            self._widget = _PredictWidget(self)
        publish_view(self._widget)
        self._receipt.show()

    def __repr__(self) -> str:
        return f"Predict({self._question!r}, guess={self._shown(self._guess) or None!r})"


class _PredictWidget(anywidget.AnyWidget):
    """Small enough to send its whole state at each change. From the browser: guess {value}."""

    _esm = script("predict")
    _css = style("predict")
    _state = traitlets.Dict().tag(sync=True)
    _receipt = traitlets.Unicode().tag(sync=True)

    def __init__(self, predict: Predict):
        super().__init__(_state=predict.state, _receipt=predict._receipt.name)
        self._predict = predict
        self.on_msg(self._on_message)

    def _on_message(self, _, content, buffers) -> None:
        if isinstance(content, dict) and content.get("type") == "guess":
            self._predict._from_browser(content.get("value"))


def _number(value) -> float | None:
    """A number, or what a person writes for one: "22,700", "1.5 M", "85 %"."""
    if isinstance(value, str):
        found = _NUMBER.match(value.strip())
        return float(re.sub(r"[,_ ]", "", found[1])) * _FACTORS[found[2].lower()] if found else None
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _compare(guess: float, answer: float) -> str:
    if guess == answer:
        return "Exactly right."
    side = "high" if guess > answer else "low"
    if not answer or not guess or (guess > 0) != (answer > 0):
        return f"Too {side}."
    ratio = max(guess / answer, answer / guess)
    if ratio >= 2:
        return f"Too {side}, by a factor of {ratio:,.3g}."
    off = abs(guess - answer) / abs(answer)
    near = "Close: " if off <= 0.1 else ""
    return f"{near}{off:.0%} too {side}." if off >= 0.005 else f"Very close: less than 1% too {side}."
