"""What a gradebook says of a course, as plain records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Exercise:
    """A cell that has points. `by_hand`: whether a person gives them."""

    cell: str
    best: float
    by_hand: bool = False

    @property
    def title(self) -> str:
        """Its name as a person would say it."""
        return self.cell.removeprefix("check-")


@dataclass(frozen=True)
class Unit:
    """A unit (nbgrader: an assignment) as the gradebook has it. `due` is in UTC."""

    name: str
    exercises: tuple[Exercise, ...]
    due: datetime | None = None

    @property
    def best(self) -> float:
        """The most points that it gives."""
        return sum(one.best for one in self.exercises)


@dataclass(frozen=True)
class Mistake:
    """A named mistake in an exercise of a unit; `message` is what students read."""

    unit: str
    cell: str
    id: str
    message: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells mistakes apart."""
        return self.unit, self.cell, self.id


@dataclass(frozen=True)
class UnitResult:
    """What a student has in a unit.

    Attributes:
        score: the points as nbgrader computes them, without the late penalty (`penalty`).
        points: of each exercise; None if nobody has given any yet.
        waiting: whether a person has to grade something.
        handed_in: in UTC; None if the gradebook has no time.
        attempts: how often it was graded.
        status: of the last grading, as the audit records it; "" if `tlcourse grade` never graded it.
        mistakes: the named mistakes in the last grading.
        fixed: those of earlier gradings that are gone.
        other_failures: checks that failed in the last grading without a named mistake.
    """

    score: float
    penalty: float
    points: Mapping[str, float | None]
    waiting: bool = False
    handed_in: datetime | None = None
    attempts: int = 0
    status: str = ""
    mistakes: tuple[Mistake, ...] = ()
    fixed: tuple[Mistake, ...] = ()
    other_failures: int = 0

    @property
    def xp(self) -> float:
        """The score with the late penalty taken off, and never below zero."""
        return max(0.0, self.score - self.penalty)

    def solved(self, unit: Unit) -> int:
        """How many exercises have all their points."""
        return sum((self.points.get(one.cell) or 0.0) >= one.best - 1e-9 for one in unit.exercises)


@dataclass(frozen=True)
class Student:
    """A student, with the result of each unit that was handed in."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_user_id: str = ""
    units: Mapping[str, UnitResult] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """First and last name, as far as the gradebook has them."""
        return " ".join(filter(None, (self.first_name, self.last_name)))

    @property
    def xp(self) -> float:
        """The sum over the units."""
        return sum(one.xp for one in self.units.values())

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The named mistakes of all units that are there now."""
        return tuple(mistake for one in self.units.values() for mistake in one.mistakes)


@dataclass(frozen=True)
class CourseRecord:
    """A course: its units and its students in order of their names and ids."""

    units: tuple[Unit, ...]
    students: tuple[Student, ...]

    @property
    def best(self) -> float:
        """The most points that all units give."""
        return sum(unit.best for unit in self.units)
