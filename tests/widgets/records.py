"""Whether a state is what its record says: each field there, no other, and all of the right types."""

from __future__ import annotations

import types
from collections.abc import Iterator
from functools import cache
from typing import Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from tests.js.state_types import records


@cache
def record_of(view: str) -> type:
    """The record whose `view` is this.

    Raises:
        LookupError: there is none.
    """
    for record in records():
        if get_args(_hints(record).get("view")) == (view,):
            return record
    raise LookupError(f"No state.py has a record whose view is {view!r}.")


def problems(value, record, place: str = "state") -> Iterator[str]:
    """What is wrong with a value, in sentences."""
    origin, arguments = get_origin(record), get_args(record)
    if is_typeddict(record):
        if not isinstance(value, dict):
            yield f"{place} is {value!r}, not a dict of {record.__name__}."
            return
        hints = _hints(record)
        for name in sorted(hints.keys() ^ value.keys()):
            missing = "lacks" if name in hints else "has, and its record has not,"
            yield f"{place} {missing} {name!r} ({record.__name__})."
        for name in hints.keys() & value.keys():
            yield from problems(value[name], hints[name], f"{place}.{name}")
    elif origin in (Union, types.UnionType):
        found = [list(problems(value, each, place)) for each in arguments]
        if all(found):
            yield min(found, key=len)[0]
    elif origin is Literal:
        if value not in arguments:
            yield f"{place} is {value!r}. Expected one of {arguments}."
    elif origin is list and isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            yield from problems(item, arguments[0], f"{place}[{number}]")
    elif origin is tuple and isinstance(value, (list, tuple)) and len(value) == len(arguments):
        for number, (item, each) in enumerate(zip(value, arguments, strict=True)):
            yield from problems(item, each, f"{place}[{number}]")
    elif origin is dict and isinstance(value, dict):
        for key, item in value.items():
            yield from problems(key, arguments[0], f"{place}'s key")
            yield from problems(item, arguments[1], f"{place}[{key!r}]")
    elif origin is not None or type(value) not in {float: (float, int)}.get(record, (record,)):
        yield f"{place} is {value!r}. Expected {record}."


@cache
def _hints(record: type) -> dict:
    return get_type_hints(record)
