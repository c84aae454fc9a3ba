"""Progress of long work, reported to whoever asked for it, however deep in the code the work is done.

with progress_listener(progress_bar("drawings")):
    train, test = pictures_and_words(seed=0)
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TypeAlias

Listener: TypeAlias = Callable[[int, int, str], None]
"""Takes (done, total, words): how much is done, how much there is in all, and what is being counted."""

_current: ContextVar[Listener | None] = ContextVar("progress_listener", default=None)


@contextlib.contextmanager
def progress_listener(listener: Listener) -> Iterator[None]:
    """Call `listener(done, total, words)` as work inside this block, in this thread, advances.

    Each piece of work reports from its own start. Where blocks are nested, only the innermost listener is
    called.
    """
    token = _current.set(listener)
    try:
        yield
    finally:
        _current.reset(token)


def report_progress(done: int, total: int, words: str) -> None:
    """Tell the innermost `progress_listener`, if there is one, that `done` of `total` are done."""
    listener = _current.get()
    if listener is not None:
        listener(done, total, words)
