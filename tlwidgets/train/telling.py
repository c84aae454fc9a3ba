"""Long work tells how far it is to whoever asked, however deep it is done.

with telling(progress_bar("drawings")):
    train, test = pictures_and_words(seed=0)
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar

_listener: ContextVar[Callable[[int, int, str], None] | None] = ContextVar("listener", default=None)


@contextlib.contextmanager
def telling(listener: Callable[[int, int, str], None]) -> Iterator[None]:
    """Let work that is done within, in this thread, call `listener(done, total, words)`; each piece of work from its start."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(done: int, total: int, words: str) -> None:
    """Tell the innermost listener, if anybody listens."""
    listener = _listener.get()
    if listener is not None:
        listener(done, total, words)
