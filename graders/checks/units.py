"""All exercises of the course. Importing this loads every check, and torch with them."""

from __future__ import annotations

from . import unit00, unit01, unit02, unit03
from .mistakes import Exercise

EXERCISES: tuple[Exercise, ...] = (
    *unit00.EXERCISES,
    *unit01.EXERCISES,
    *unit02.EXERCISES,
    *unit03.EXERCISES,
)


def exercises(unit: str) -> tuple[Exercise, ...]:
    """The exercises of a unit ("01-transfer-learning"), in the lesson's order; none for an unknown one."""
    return tuple(exercise for exercise in EXERCISES if exercise.unit == unit)
