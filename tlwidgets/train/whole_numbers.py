"""Rejecting what is not a whole number: `True` and 2.0 are not."""

from __future__ import annotations

from typing import TypeGuard


def is_whole_number(value: object, least: int = 1) -> TypeGuard[int]:
    """Whether it is an `int`, not a `bool`, and at least `least`."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def check_whole_number(name: str, value: object, least: int = 1, more: str = "") -> None:
    """Reject anything else, in a sentence that names the option; `more` follows the number in it.

    Raises:
        ValueError: it is not a whole number of at least `least`.
    """
    if not is_whole_number(value, least):
        raise ValueError(f"{name} is {value!r}. Expected a whole number of at least {least}{more}.")
