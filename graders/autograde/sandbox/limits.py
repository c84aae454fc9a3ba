"""Limits that the kernel enforces on a process and its children."""

from __future__ import annotations

import resource
from pathlib import Path

from ..records import Limits

_DESCRIPTORS = 256


def mapped_bytes() -> int:
    """Bytes that this process has mapped, mostly PyTorch's libraries. Call it while /proc is visible."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def set_limits(limits: Limits, mapped: int) -> None:
    """Limit memory beyond `mapped` bytes, processes, files and their size, and CPU time; no core dumps."""
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
