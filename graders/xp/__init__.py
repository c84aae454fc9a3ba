"""XP, levels and badges: pure functions of the scores in nbgrader's gradebook. One point is one XP."""

from .gradebook import GradebookError, read_students, readable
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
    "readable",
    "standing",
]
