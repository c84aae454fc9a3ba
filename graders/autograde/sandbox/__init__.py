"""Holding code apart from the grader: what this machine can do, and a process that runs under it."""

from .isolation import IsolationError, Start, available_isolation, choose_isolation, start

__all__ = ["IsolationError", "Start", "available_isolation", "choose_isolation", "start"]
