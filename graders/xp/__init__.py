"""XP, levels and badges: pure functions over the scores in nbgrader's gradebook. A point is an XP."""

from .gradebook import GradebookError, read_students
from .rules import BADGES, RANKS, Badge, Rank, Standing, Student, standing

__all__ = [
    "BADGES",
    "RANKS",
    "Badge",
    "GradebookError",
    "Rank",
    "Standing",
    "Student",
    "read_students",
    "standing",
]
