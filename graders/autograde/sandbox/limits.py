"""Limits that the kernel keeps for a process and what it starts."""

from __future__ import annotations

import resource
from pathlib import Path

from ..records import Limits

_DESCRIPTORS = 256


def set_limits(limits: Limits) -> None:
    """Bound memory beyond what is mapped already, processes, files and their size, CPU time; no core dumps."""
    mapped = (
        int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        if _has_proc()
        else 8 << 30
    )
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


def _has_proc() -> bool:
    return Path("/proc/self/statm").exists()
