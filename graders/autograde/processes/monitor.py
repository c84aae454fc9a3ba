"""What the kernel tells about running processes."""

from __future__ import annotations

import os
import select
from pathlib import Path


def private_bytes(pid: int) -> int:
    """Memory of a process that is not backed by a file, in bytes; 0 if it has ended."""
    try:
        with open(f"/proc/{pid}/status") as file:
            sizes = [line.split()[1] for line in file if line.startswith(("RssAnon", "RssShmem"))]
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(size) << 10 for size in sizes)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far; 0 if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descendants(pid: int) -> list[int]:
    """A process and everything it started that is still running."""
    found, pending = [], [pid]
    while pending:
        one = pending.pop()
        found.append(one)
        try:
            tasks = os.listdir(f"/proc/{one}/task")
        except OSError:  # it has just ended, or ends while it is looked at
            continue
        for task in tasks:
            try:
                pending += map(int, Path(f"/proc/{one}/task/{task}/children").read_text().split())
            except OSError:
                continue
    return found


def ends_within(pid: int, seconds: float) -> bool:
    """Whether a child ends within so many seconds; it is not reaped."""
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
