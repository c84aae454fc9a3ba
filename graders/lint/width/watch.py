"""Records what functions are given, in the process that calls them: a lesson's kernel, or that of a check."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Callable, Iterable, MutableMapping
from pathlib import Path

from .dimensions import bound, measure
from .records import Record

_lock = threading.Lock()
_seen = Record()


def watch(scope: MutableMapping, names: Iterable[str]) -> None:
    """Put functions that record their calls in the place of those of these names, in a notebook's globals."""
    for name in names:
        if callable(scope.get(name)):
            scope[name] = recording(scope[name], functools.partial(_add, name))


def save(path: str) -> None:
    """Write what was recorded in this process."""
    with _lock:
        Path(path).write_text(json.dumps(_seen.plain()), encoding="utf-8")


def recording(function: Callable, on_call: Callable[[dict], None], on_result=None) -> Callable:
    """A function that tells its arguments by name, then calls this one, then tells what it returned."""

    @functools.wraps(function)
    def recorded(*args, **kwargs):
        on_call(bound(function, args, kwargs))
        result = function(*args, **kwargs)
        if on_result is not None:
            on_result(result)
        return result

    return recorded


def _add(name: str, arguments: dict) -> None:
    measured = measure(arguments)
    with _lock:  # a training panel calls from a thread of its own
        _seen.add(name, measured)
