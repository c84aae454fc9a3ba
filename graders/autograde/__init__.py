"""The grader: student code runs apart, checks judge it from outside, and only what they found counts."""

from .records import Cell, CheckOutcome, Evidence, Isolation, Limits, Submission
from .sandbox import IsolationError, available_isolation
from .worker import Worker

__all__ = [
    "Cell",
    "CheckOutcome",
    "Evidence",
    "Isolation",
    "IsolationError",
    "Limits",
    "Submission",
    "Worker",
    "available_isolation",
]
