"""Describes errors: what may be quoted, and where they were raised."""

from __future__ import annotations

import traceback

from ..text import strip_control_characters

_LEAVING = ("SystemExit", "KeyboardInterrupt", "TookTooLong")  # as well known as builtin exceptions


def kind_of(error: BaseException) -> str:
    """The builtin type of an error, or the one it derives from; a student's own name could carry secrets."""
    if type(error).__name__ in _LEAVING:
        return type(error).__name__
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins")


def lines_in(file: str, error: BaseException) -> list[int]:
    """Lines of cells with this file name that were running when the error was raised, outermost first."""
    frames = traceback.walk_tb(error.__traceback__)
    return [line for frame, line in frames if frame.f_code.co_filename.startswith(file)]


def raised_by_lesson(error: BaseException) -> bool:
    """Whether the statement that raised the error is in a cell of the lesson."""
    files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(files) and files[-1].startswith(("<check ", "<setup "))


def described(error: BaseException) -> str:
    """The type and the text of an error."""
    text = strip_control_characters(str(error), 500)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
