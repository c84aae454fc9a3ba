"""Moves memory to large pages: a fork then copies a hundred page-table entries, not fifty thousand."""

from __future__ import annotations

import ctypes

_SIZE = 2 << 20
_MADV_HUGEPAGE, _MADV_COLLAPSE = 14, 25  # the second since Linux 6.1


def gather() -> int:
    """Move this process's own memory (the heap, Python's arenas) to huge pages; returns how many were moved.

    It is 0 if the kernel does not support this, which only costs time.
    """
    advise = ctypes.CDLL(None, use_errno=True).madvise
    moved = 0
    for first, last in _own_memory():
        for start in range(-(-first // _SIZE) * _SIZE, last - _SIZE + 1, _SIZE):
            place, size = ctypes.c_void_p(start), ctypes.c_size_t(_SIZE)
            if advise(place, size, _MADV_HUGEPAGE):
                return moved
            moved += not advise(place, size, _MADV_COLLAPSE)  # refused where nothing is mapped yet
    return moved


def _own_memory() -> list[tuple[int, int]]:
    """The ranges of writable memory that is not backed by a file."""
    found = []
    try:
        with open("/proc/self/maps") as lines:
            for line in lines:
                place, rights, _, _, inode, *name = line.split()
                if rights == "rw-p" and inode == "0" and name in ([], ["[heap]"]):
                    first, last = place.split("-")
                    found.append((int(first, 16), int(last, 16)))
    except FileNotFoundError:
        pass
    return found
