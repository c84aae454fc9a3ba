"""The rules of XP. Nothing is stored: everything follows from the scores in the gradebook."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

COURSE_XP = 65  # all units of the course together


@dataclass(frozen=True)
class Student:
    """A student's scores: unit -> (score, best possible score), as in the gradebook."""

    id: str
    name: str
    units: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Rank:
    """A rank of the kitchen, and the XP at which it begins."""

    title: str
    xp: float


RANKS = (Rank("commis", 0), Rank("chef de partie", 15), Rank("sous-chef", 35), Rank("chef", 55))


@dataclass(frozen=True)
class Badge:
    """Something to be proud of."""

    id: str
    title: str
    how: str
    earned: Callable[[Student], bool]


def xp_of(student: Student) -> float:
    """XP: the sum of the scores; a negative score (a penalty larger than the points) counts as zero."""
    return sum(max(0.0, score) for score, _ in student.units.values())


def _full(student: Student, count: int) -> bool:
    return sum(best > 0 and score >= best for score, best in student.units.values()) >= count


BADGES = (
    Badge("first-plate", "First plate", "earn your first XP", lambda student: xp_of(student) > 0),
    Badge("clean-plate", "Clean plate", "all XP of a unit", lambda student: _full(student, 1)),
    Badge("three-courses", "Three courses", "all XP of three units", lambda student: _full(student, 3)),
    Badge(
        "full-menu",
        "Full menu",
        f"all {COURSE_XP} XP of the course",
        lambda student: xp_of(student) >= COURSE_XP,
    ),
)


@dataclass(frozen=True)
class Standing:
    """Where a student stands.

    Attributes:
        rank: title of the current rank; level: its number, from 1.
        next_rank, to_next: the next rank and how many XP are missing; "" and 0 at the top.
        badges: ids of the badges earned, in the order of `BADGES`.
    """

    student: Student
    xp: float
    rank: str
    level: int
    next_rank: str
    to_next: float
    badges: tuple[str, ...]


def standing(student: Student) -> Standing:
    """Compute a student's XP, level and badges."""
    xp = xp_of(student)
    # Scores are sums of floats: two half points may add up to slightly less than one.
    level = sum(xp >= rank.xp - 1e-9 for rank in RANKS)
    following = RANKS[level] if level < len(RANKS) else None
    return Standing(
        student,
        xp,
        RANKS[level - 1].title,
        level,
        following.title if following else "",
        following.xp - xp if following else 0.0,
        tuple(badge.id for badge in BADGES if badge.earned(student)),
    )
