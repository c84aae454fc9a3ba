"""Memory that was freed goes back to the system."""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def gives_back_memory(function: Callable[P, R]) -> Callable[P, R]:
    """Hand what `function` freed back to the system once it has returned.

    glibc keeps freed blocks for later. Optimizer states come and go in blocks of many megabytes, so a process that
    trains one model after the other would hold far more than it uses (2 GB is all that a Binder session has). Elsewhere
    nothing is done.
    """

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        finally:
            trim = _trim()
            if trim is not None:
                trim(0)

    return wrapped


@functools.cache
def _trim() -> Callable[[int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        return ctypes.CDLL("libc.so.6").malloc_trim
    except (OSError, AttributeError):  # another C library
        return None
