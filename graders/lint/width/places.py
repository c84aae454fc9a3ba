"""Where a dimension is in the arguments of a call, and how to change the real numbers there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from .dimensions import is_record

_VALUES = "values of "


def mapped(arguments: dict, dimension: str, change: Callable) -> dict:
    """The arguments with another value in the place of each real number of a dimension.

    Args:
        arguments: by name. Lists and dicts on the way are new ones, or changed in place.
        dimension: one of real numbers, as `measure` names it.
        change: takes a float or a tensor of floats, and returns another.
    """
    path = dimension.removeprefix(_VALUES)
    return {name: _mapped(value, name, path, change) for name, value in arguments.items()}


def _mapped(value, path: str, target: str, change: Callable):
    if path == target:
        if isinstance(value, Tensor) and value.is_floating_point():
            return change(value)
        return change(value) if isinstance(value, float) else value
    if not target.startswith(path):
        return value
    if isinstance(value, Mapping):
        record = is_record(value)
        return {
            key: _mapped(one, f"{path}.{key}" if record else f"{path}{{}}", target, change)
            for key, one in value.items()
        }
    if isinstance(value, (list, tuple)):
        return type(value)(_mapped(one, f"{path}[]", target, change) for one in value)
    return value
