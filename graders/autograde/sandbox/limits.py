"""Limits that the kernel keeps for a process and what it starts."""

from __future__ import annotations

import resource
from pathlib import Path

from ..records import Limits

_DESCRIPTORS = 256


def mapped_bytes() -> int:
    """What this process has mapped, in bytes: mostly PyTorch's libraries. Asked before /proc is out of sight."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def set_limits(limits: Limits, mapped: int) -> None:
    """Bound memory beyond `mapped` bytes, processes, files and their size, CPU time; no core dumps."""
    bounds = {
        resource.RLIMIT_AS: mapped + limits.memory_bytes,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_NOFILE: _DESCRIPTORS,
        resource.RLIMIT_NPROC: limits.processes,
        resource.RLIMIT_CPU: int(limits.total_s) + 10,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    for which, bound in bounds.items():
        hard = resource.getrlimit(which)[1]
        bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        resource.setrlimit(which, (bound, bound))
