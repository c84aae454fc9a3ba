"""When freed memory goes back to the system: not at each step, and always at the end."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import sys
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

# Of glibc's <malloc.h>.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_MB = 1 << 20


def gives_back_memory(function: Callable[P, R]) -> Callable[P, R]:
    """Give what `function` freed back to the system when it returns.

    glibc keeps freed blocks for later. Optimizer states come and go in blocks of many megabytes, so a process
    that trains one model after another would hold far more than it uses (a Binder session has 2 GB). With
    other C libraries nothing is done.
    """

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        finally:
            libc = _glibc()
            if libc is not None:
                libc.malloc_trim(0)

    return wrapped


@contextlib.contextmanager
def reuses_memory() -> Iterator[None]:
    """Inside this block, the process keeps up to 256 MB of what it frees, in blocks of up to 64 MB.

    A network's activations are freed with each batch and asked for again with the next. glibc would give the
    larger ones back and get other pages each time, which takes nearly as long as the network itself. With
    other C libraries nothing is done.
    """
    libc = _glibc()
    if libc is None:
        yield
        return
    libc.mallopt(_MMAP_THRESHOLD, 64 * _MB)
    libc.mallopt(_TRIM_THRESHOLD, 256 * _MB)
    try:
        yield
    finally:
        # The values that glibc's own thresholds reach when a large block is freed.
        libc.mallopt(_MMAP_THRESHOLD, 32 * _MB)
        libc.mallopt(_TRIM_THRESHOLD, 64 * _MB)


@functools.cache
def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        libc = ctypes.CDLL("libc.so.6")
    except OSError:  # another C library
        return None
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None
