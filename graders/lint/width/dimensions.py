"""The dimensions of a call: sizes, values, names and kinds of what a function is given, each under a name.

`len(losses)`, `logits.shape[2]`, `values of logits`, `runs[].plan`, `parts of model`, `type of layers`: what
is said of all items of a list has `[]` in its name, of all values of a dict whose keys are names `{}`.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

SIZE, WHOLE, REAL, NAME, KIND, WAY = "size", "whole", "real", "name", "kind", "way"
_ITEMS, _SAMPLE, _DEPTH, _DISTINCT = 500, 64, 5, 2_000_000


@dataclass
class Seen:
    """What one call shows of a dimension.

    Attributes:
        kind: of the dimension: `SIZE` (how many), `WHOLE` and `REAL` (values), `NAME` (text), `KIND` (what it
            is, where a check needs to draw what the lesson has and no more), `WAY` (what it is, where a check
            should draw more than one, whatever the lesson has).
        values: all of them or, of a large tensor, the least, the largest and a sample.
    """

    kind: str
    values: list = field(default_factory=list)


Measured = dict[str, Seen]


def bound(function: Callable, args: tuple, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call by the names of the function's parameters, defaults included."""
    try:
        signature = inspect.signature(function)
        call = signature.bind(*args, **kwargs)
    except (TypeError, ValueError):  # no signature, or a call that does not fit it
        return {f"argument {place}": value for place, value in enumerate(args, 1)} | dict(kwargs)
    call.apply_defaults()
    found: dict[str, Any] = {}
    for name, value in call.arguments.items():
        many = signature.parameters[name].kind
        if many is inspect.Parameter.VAR_POSITIONAL:
            found |= {f"argument {place}": one for place, one in enumerate(value, 1)}
        elif many is inspect.Parameter.VAR_KEYWORD:
            found |= value
        else:
            found[name] = value
    return found


def call_with(function: Callable, arguments: dict):
    """Call a function with its arguments by name, or by place where they have none."""
    placed = [value for name, value in arguments.items() if name.startswith("argument ")]
    return function(*placed, **{k: v for k, v in arguments.items() if not k.startswith("argument ")})


def measure(arguments: Mapping[str, object]) -> Measured:
    """The dimensions of a call. Nothing is changed, and no random number is drawn."""
    found: Measured = {}
    with torch.no_grad():
        for name, value in arguments.items():
            _walk(found, name, value, 0)
    return found


def is_record(value: Mapping) -> bool:
    """Whether the keys of a dict are the fields of a record, rather than names of things that are alike."""
    return len({type_name(one) for one in value.values()}) > 1


def type_name(value: object) -> str:
    """The name of a value's type; all models are one type, and so are all tensors."""
    if isinstance(value, nn.Module):
        return "Module"
    return "Tensor" if isinstance(value, Tensor) else type(value).__name__


def _add(found: Measured, name: str, kind: str, *values: object) -> None:
    found.setdefault(name, Seen(kind)).values.extend(values)


def _walk(found: Measured, path: str, value: object, depth: int) -> None:
    _add(found, f"type of {path}", KIND, type_name(value))
    if isinstance(value, bool):
        _add(found, path, KIND, value)
    elif isinstance(value, int):
        _add(found, path, WHOLE, value)
    elif isinstance(value, float):
        _add(found, path, REAL, float(value))
    elif isinstance(value, str):
        _add(found, path, NAME, value)
    elif isinstance(value, Tensor):
        _tensor(found, path, value)
    elif isinstance(value, nn.Module):
        _module(found, path, value)
    elif depth < _DEPTH:
        _container(found, path, value, depth)


def _container(found: Measured, path: str, value: object, depth: int) -> None:
    if isinstance(value, Mapping):
        if is_record(value):
            for key, one in value.items():
                _walk(found, f"{path}.{key}", one, depth + 1)
            return
        _add(found, f"len({path})", SIZE, len(value))
        _add(found, f"names in {path}", NAME, *(key for key in value if isinstance(key, str)))
        for one in itertools.islice(value.values(), _ITEMS):
            _walk(found, f"{path}{{}}", one, depth + 1)
    elif isinstance(value, (list, tuple, set, frozenset)):
        _add(found, f"len({path})", SIZE, len(value))
        for one in itertools.islice(value, _ITEMS):
            _walk(found, f"{path}[]", one, depth + 1)


def _tensor(found: Measured, path: str, value: Tensor) -> None:
    _add(found, f"{path}.dtype", KIND, str(value.dtype).removeprefix("torch."))
    _add(found, f"{path}.ndim", KIND, value.dim())
    for axis, size in enumerate(value.shape):
        _add(found, f"{path}.shape[{axis if axis < value.dim() - 1 or not axis else -1}]", SIZE, size)
    if value.is_floating_point():
        _add(found, f"{path}.requires_grad", KIND, value.requires_grad)
    if value.is_complex() or not value.numel() or value.is_meta:
        return
    flat = value.detach().flatten()
    if value.dtype == torch.bool:
        _add(found, f"values of {path}", KIND, *map(bool, flat.unique()))
        return
    if value.is_floating_point():
        finite = flat.isfinite()
        _add(found, f"finiteness of {path}", KIND, bool(finite.all()))
        flat = flat if bool(finite.all()) else flat[finite]
        if not flat.numel():
            return
    elif flat.numel() <= _DISTINCT:
        _add(found, f"distinct values of {path}", SIZE, len(flat.unique()))
    some = flat[:: max(1, flat.numel() // _SAMPLE)][:_SAMPLE]
    kind = REAL if value.is_floating_point() else WHOLE
    _add(found, f"values of {path}", kind, flat.min().item(), flat.max().item(), *some.tolist())


def _module(found: Measured, path: str, model: nn.Module) -> None:
    _add(found, f"{path}.training", KIND, model.training)
    learns = {parameter.requires_grad for parameter in model.parameters()}
    _add(
        found,
        f"what learns in {path}",
        KIND,
        "some" if len(learns) > 1 else "all" if True in learns else "none",
    )
    statistics = any(isinstance(one, nn.modules.batchnorm._NormBase) for one in model.modules())
    _add(found, f"running statistics in {path}", KIND, statistics)
    tied = len(list(model.parameters())) < len(list(model.named_parameters(remove_duplicate=False)))
    _add(found, f"tied weights in {path}", KIND, tied)
    names = list(own_parts(model))
    if names:
        _add(found, f"parts of {path}", NAME, *names)
    for name, part in model.named_children():
        if name.isdigit() or not list(part.children()):
            continue
        if isinstance(part, (nn.Sequential, nn.ModuleList)):
            _add(found, f"len({path}.{name})", SIZE, len(part))
        # A ModuleList cannot be called, so where there is one nothing else could be in its place.
        kind = KIND if isinstance(part, nn.ModuleList) else WAY
        is_list = isinstance(part, (nn.Sequential, nn.ModuleList))
        _add(found, f"kind of {path}.{name}", kind, "a list" if is_list else "not a list")
        inner = list(own_parts(part))
        if inner:
            _add(found, f"parts of {path}.{name}", NAME, *inner)


def own_parts(model: nn.Module) -> Iterator[str]:
    """The names of a model's direct parts, those of a list left out."""
    return (name for name, _ in model.named_children() if not name.isdigit())
