"""What of our own library an answer may not call: the very function that its exercise asks for.

An answer may import `tlwidgets`. While a check runs, the functions that its exercise names raise a sentence
wherever the answer has them from: by their module, under another name, through a function that calls them.
Their code is replaced for that time, so the object that an answer has kept is the same one.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterable, Iterator
from importlib import import_module
from types import CodeType, FunctionType, ModuleType

__all__ = ["names_off_limits", "off_limits"]

_now: tuple[str, ...] = ()


def names_off_limits() -> tuple[str, ...]:
    """What is off limits at the moment, for the process in which a student's function runs."""
    return _now


@contextlib.contextmanager
def off_limits(names: Iterable[str]) -> Iterator[None]:
    """Let these functions raise a RuntimeError while the block runs.

    Args:
        names: dotted names of functions, of classes (all their methods) and of modules (every function
            defined there).

    Raises:
        ImportError, AttributeError: there is nothing of that name; an author's mistake.
    """
    global _now
    before, codes = _now, dict[FunctionType, CodeType]()
    for name in names:
        for function in _functions(find(name)):
            codes.setdefault(function, function.__code__)
    try:
        _now = (*before, *names)
        for function in codes:
            function.__code__ = _refusal(function)
        yield
    finally:
        _now = before
        for function, code in codes.items():
            function.__code__ = code


def find(name: str):
    """The module, class or function of a dotted name; its module is imported."""
    try:
        return import_module(name)
    except ModuleNotFoundError:
        place, _, last = name.rpartition(".")
        if not place:
            raise
        return getattr(find(place), last)


def _functions(thing) -> Iterator[FunctionType]:
    if isinstance(thing, (ModuleType, type)):
        home = thing.__name__ if isinstance(thing, ModuleType) else thing.__module__
        for own in vars(thing).values():
            if isinstance(own, (FunctionType, staticmethod, classmethod)) and own.__module__ == home:
                yield from _functions(own)
    else:
        plain = inspect.unwrap(getattr(thing, "__func__", thing))  # below a decorator such as `torch.no_grad`
        if isinstance(plain, FunctionType) and not plain.__code__.co_freevars:
            yield plain


def _refusal(function: FunctionType) -> CodeType:
    sentence = (
        f"{function.__module__}.{function.__qualname__} does what this exercise asks for. Expected your own "
        "code: write it yourself, with PyTorch alone."
    )
    scope: dict = {}
    exec(f"def {function.__name__}(*args, **kwargs):\n    raise RuntimeError({sentence!r})", scope)
    return scope[function.__name__].__code__
