"""What the kernel says of running processes."""

from __future__ import annotations

import os
import select
from pathlib import Path


def private_bytes(pid: int) -> int:
    """Memory of a process that belongs to it and no file, in bytes; 0 where it has ended."""
    try:
        with open(f"/proc/{pid}/status") as file:
            sizes = [line.split()[1] for line in file if line.startswith(("RssAnon", "RssShmem"))]
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(size) << 10 for size in sizes)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far; 0 where it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descendants(pid: int) -> list[int]:
    """A process and all that it started, as far as they run."""
    found, pending = [], [pid]
    while pending:
        one = pending.pop()
        found.append(one)
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                pending += map(int, task.read_text().split())
            except OSError:  # it has just ended
                continue
    return found


def ends_within(pid: int, seconds: float) -> bool:
    """Wait for a child to end, without reaping it."""
    watch = os.pidfd_open(pid)
    try:
        return ended(watch, seconds)
    finally:
        os.close(watch)


def ended(watch: int, within: float = 0.0) -> bool:
    """Whether a process ends within so many seconds. `watch`: what `os.pidfd_open` gave."""
    poll = select.poll()
    poll.register(watch, select.POLLIN)
    return bool(poll.poll(within * 1000))
