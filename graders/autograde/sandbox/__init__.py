"""Isolates code from the grader: finds what this machine offers, and starts processes under it."""

from .isolation import IsolationError, Start, available_isolation, choose_isolation, start

__all__ = ["IsolationError", "Start", "available_isolation", "choose_isolation", "start"]
