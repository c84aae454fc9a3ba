"""How many comparisons held: a point needs at least one, counted where the student's code can't reach."""

from __future__ import annotations

import threading

_lock = threading.Lock()
_count = 0


def held(n: int = 1) -> None:
    """Count `n` comparisons that held. A check that compares without `same` calls this after each that did."""
    global _count
    with _lock:
        _count += n


def count() -> int:
    """Comparisons that held since the last `reset`."""
    return _count


def reset() -> None:
    """Begin to count anew, as before each test cell."""
    global _count
    with _lock:
        _count = 0
