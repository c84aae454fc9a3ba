"""A submission's own time: its code runs or sleeps. To wait for a processor that others keep busy is not."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

WALL_FACTOR = 10.0
"""The backstop: whatever the load of the machine, a limit of own time ends after this many times as long."""


def waited_seconds(pid: int | str = "self") -> float | None:
    """How long a process has been ready to run, but had no processor; None if the system does not tell."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return None


class OwnTime:
    """Seconds since the beginning, less those in which processes that work one at a time waited.

    Attributes:
        late: whether whoever watches has found that they are too many.
    """

    def __init__(self, pids: Iterable[int | str] = ("self",)) -> None:
        self._begin = time.monotonic()
        # What was waited before, and what has been waited now, by process; the last is kept when one ends.
        self._before = {pid: waited_seconds(pid) or 0.0 for pid in pids}
        self._now = dict(self._before)
        self.late = False

    @property
    def waited(self) -> float:
        """Seconds waited."""
        for pid in self._before:
            self._now[pid] = waited_seconds(pid) or self._now[pid]
        return sum(self._now.values()) - sum(self._before.values())

    @property
    def seconds(self) -> float:
        """Seconds that count; at least a tenth of those on the wall's clock."""
        wall = time.monotonic() - self._begin
        return max(wall - self.waited, wall / WALL_FACTOR)
