"""What a prediction shows, as a plain dict: the widget, its static view and the tests all read this.

Numbers are read as people write them; guess and answer are compared in words. The browser computes nothing.
"""

from __future__ import annotations

import re
from typing import Literal, TypedDict

from ..base.records import PanelState

SCHEMA = 1
_FACTORS = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "%": 1e-2}
_NUMBER = re.compile(r"^([+-]?\d[\d,_ ]*\.?\d*(?:e[+-]?\d+)?|[+-]?\.\d+)\s*([kmb%]?)$", re.I)

Value = float | str | None
"""A guess or an answer: a number, one of the choices, or none yet."""


class PredictSide(TypedDict):
    """The guess or the answer, beside the other; `share` is the length of its bar."""

    name: str
    title: str
    text: str
    share: float


class PredictState(PanelState):
    """The state of a `Predict`; its title is the question."""

    view: Literal["predict"]
    unit: str
    kind: Literal["number", "choice"]
    choices: list[str]
    guess: str
    answer: str
    sides: list[PredictSide]
    verdict: str


def read_number(value) -> float | None:
    """A number, or the text of one as people write it ("22,700", "1.5 M", "85 %"); None for anything else."""
    if isinstance(value, str):
        found = _NUMBER.match(value.strip())
        return float(re.sub(r"[,_ ]", "", found[1])) * _FACTORS[found[2].lower()] if found else None
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def value_text(value: Value, unit: str = "") -> str:
    """A guess or an answer as people read it; "" where there is none yet."""
    if value is None or isinstance(value, str):
        return value or ""
    words = f"{value:,.0f}" if value.is_integer() else f"{value:,.4g}"
    return f"{words} {unit}".strip()


def sides(guess: Value, answer: Value, unit: str, labels: dict[str, str]) -> list[PredictSide]:
    """Guess and answer side by side; the length of a bar is its share of the longer one."""
    longest = max((abs(value) for value in (guess, answer) if isinstance(value, float)), default=0.0)

    def side(name: str, title: str, value: Value, missing: str) -> PredictSide:
        return {
            "name": name,
            "title": title,
            "text": value_text(value, unit) or missing,
            "share": abs(value) / longest if isinstance(value, float) and longest else 0.0,
        }

    return [
        side("guess", labels["guess"], guess, labels["no_guess"]),
        side("answer", labels["answer"], answer, ""),
    ]


def verdict(guess: Value, answer: Value) -> str:
    """How the guess compares with the answer; "" before the answer is known."""
    if answer is None:
        return ""
    if guess is None:
        return "No guess made."
    if isinstance(guess, str) or isinstance(answer, str):
        return "You guessed right." if guess == answer else "Not what you guessed."
    return _compare(guess, answer)


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
