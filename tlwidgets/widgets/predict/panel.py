"""Ask for a guess before the answer is shown: people remember what they predicted."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..base.labels import labels
from ..base.panel import Panel
from . import state as shown
from .static import predict_html, predict_text


class Predict(Panel):
    """A question that is answered twice: first by a person, then by a measurement.

    Args:
        question: what is asked.
        unit: what the numbers count ("parameters", "%"), for kind "number".
        kind: "number", or "choice" with at least two `choices`.
        choices: the answers to choose from, for kind "choice".

    Show it as a cell's last line; later call `reveal(answer)`. Where nobody can click, nothing waits for a
    guess: the static view says that none was made.

    Raises:
        ValueError: an unknown kind, or choices that don't fit the kind.
    """

    requests = {"guess": ("_take_guess", "value")}

    def __init__(self, question: str, unit: str = "", kind: str = "number", choices: Sequence[str] = ()):
        super().__init__()
        self._choices = tuple(str(choice) for choice in choices)
        if kind not in ("number", "choice"):
            raise ValueError(f"The kind of a question is 'number' or 'choice'; got {kind!r}.")
        if kind == "choice" and len(set(self._choices)) < 2:
            raise ValueError(
                "A question of kind 'choice' needs at least two different choices: choices=('a', 'b')."
            )
        if kind == "number" and self._choices:
            raise ValueError(
                "A question with choices is of kind 'choice': pass kind='choice', or leave out choices."
            )
        self._question, self._unit, self._kind = question, unit, kind
        self._guess: shown.Value = None
        self._answer: shown.Value = None

    @property
    def guess(self) -> float | str | None:
        """The guess, or None. Code can set it to a number ("1.5 M" is understood) or to one of the choices.

        Raises:
            ValueError: not a number, not one of the choices, or the answer has been revealed.
        """
        return self._guess

    @guess.setter
    def guess(self, value) -> None:
        with self.lock:
            if self._answer is not None:
                raise ValueError(
                    "The answer has been revealed, so the guess stays as it was. "
                    "Ask again with a new Predict(...)."
                )
            self._guess = self._read(value)
            self._say("", "")

    def reveal(self, answer) -> None:
        """Show guess and answer side by side, in the running cell and in the widget.

        Raises:
            ValueError: the answer is not a number, or not one of the choices.
        """
        from IPython.display import publish_display_data

        with self.lock:
            self._answer = self._read(answer)
            self._say("info", shown.verdict(self._guess, self._answer))
            html, text = self._rendered()
        publish_display_data({"text/html": html, "text/plain": text})

    def close(self) -> None:
        """End the live view; the output keeps a static one. The answer can still be revealed."""
        self._end()

    @property
    def state(self) -> dict:
        """All that is shown, as plain data: what the widget, its static view and tests read."""
        with self.lock:
            guess, answer, named = self._guess, self._answer, labels("predict")
            return {
                "schema": shown.SCHEMA,
                "view": "predict",
                "title": self._question,
                "unit": self._unit,
                "kind": self._kind,
                "choices": list(self._choices),
                "guess": shown.value_text(guess, self._unit),
                "answer": shown.value_text(answer, self._unit),
                "sides": shown.sides(guess, answer, self._unit, named),
                "labels": named,
                "verdict": shown.verdict(guess, answer),
                "message": dict(self._message),
                "closed": self._closed,
            }

    def _read(self, value) -> float | str:
        if self._kind == "choice":
            if value in self._choices:
                return value
            raise ValueError(f"Expected one of the choices, {', '.join(self._choices)}; got {value!r}.")
        number = shown.read_number(value)
        if number is None or not math.isfinite(number):
            raise ValueError(f"{value!r} is not a number. Expected one such as 1200, 0.85 or 1.5 M.")
        return number

    def _take_guess(self, value) -> None:
        self.guess = value

    def _rendered(self) -> tuple[str, str]:
        state = self.state
        return predict_html(state), predict_text(state)

    def __repr__(self) -> str:
        return f"Predict({self._question!r}, guess={shown.value_text(self._guess, self._unit) or None!r})"
