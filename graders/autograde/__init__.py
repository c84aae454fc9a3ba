"""The grader: students' code runs in its own process, and checks judge it from another."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from .records import Cell, CheckOutcome, Evidence, Isolation, Limits, Submission

if TYPE_CHECKING:
    from .processes.worker import Worker
    from .sandbox import IsolationError, available_isolation

# Loaded on first use: the worker loads torch, and a process that will fork should not.
_WHERE = {"Worker": ".processes.worker", "IsolationError": ".sandbox", "available_isolation": ".sandbox"}

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


def __getattr__(name: str):
    if name not in _WHERE:
        raise AttributeError(f"graders.autograde has no {name!r}; it offers {', '.join(__all__)}.")
    return getattr(importlib.import_module(_WHERE[name], __name__), name)
