"""What an overfitting mutant does in place of the right program that it was made from.

A mutant is the right program's source, and below it a function of the same name that calls one of these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from .dimensions import bound, call_with, measure
from .places import mapped


def _wrong(right: Callable, args: tuple, kwargs: dict, has_effects: bool):
    """Another answer than the right one: no effect, or None, or a text in the place of None."""
    if has_effects:
        return None
    return "wrong" if right(*args, **kwargs) is None else None


def _seen(right: Callable, args: tuple, kwargs: dict, dimension: str) -> list:
    seen = measure(bound(right, args, kwargs)).get(dimension)
    return seen.values if seen is not None else []


def right_up_to(
    right: Callable, args: tuple, kwargs: dict, dimension: str, largest: float, has_effects: bool = False
):
    """Right where no number of a dimension is larger than this."""
    values = _seen(right, args, kwargs, dimension)
    beyond = bool(values) and max(values) > largest
    return _wrong(right, args, kwargs, has_effects) if beyond else right(*args, **kwargs)


def right_for(
    right: Callable, args: tuple, kwargs: dict, dimension: str, known: Sequence, has_effects: bool = False
):
    """Right where the values of a dimension are all among these."""
    other = not set(_seen(right, args, kwargs, dimension)) <= set(known)
    return _wrong(right, args, kwargs, has_effects) if other else right(*args, **kwargs)


def rounded(right: Callable, args: tuple, kwargs: dict, dimension: str, step: float):
    """The right answer for real numbers rounded to multiples of a step."""
    given = mapped(bound(right, args, kwargs), dimension, lambda value: _round(value, step))
    return call_with(right, given)


def _round(value, step: float):
    return torch.round(value / step) * step if isinstance(value, Tensor) else round(value / step) * step


def without_gradient(right: Callable, args: tuple, kwargs: dict, argument: str = ""):
    """The right answer, from which no gradient reaches an argument, or any of them."""
    if not argument:
        with torch.no_grad():
            return right(*args, **kwargs)
    given = bound(right, args, kwargs)
    given[argument] = given[argument].detach()
    return call_with(right, given)


def overwriting(right: Callable, args: tuple, kwargs: dict, argument: str, part: str = ""):
    """The right answer, and an argument, or the weights of a part of it, that are not what they were."""
    result = right(*args, **kwargs)
    value = bound(right, args, kwargs)[argument]
    if isinstance(value, nn.Module):
        _zero(value.get_submodule(part))
    else:
        _spoil(value)
    return result


def _zero(model: nn.Module) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()


def _spoil(value) -> None:
    if isinstance(value, Tensor):
        with torch.no_grad():
            value.copy_(~value if value.dtype == torch.bool else value + 1)
    elif isinstance(value, Mapping):
        del value[next(iter(value))]  # type: ignore[attr-defined]
    elif isinstance(value, list) and len(value):
        value.append(value[0])
    elif isinstance(value, set) and len(value):
        value.pop()


def overwriting_inside(right: Callable, args: tuple, kwargs: dict, argument: str):
    """The right answer, and the first thing in an argument is not what it was."""
    result = right(*args, **kwargs)
    value = bound(right, args, kwargs)[argument]
    items = list(value.values()) if isinstance(value, dict) else list(value)
    if items:
        _spoil(items[0])
    return result


def leaving_alone(
    right: Callable, args: tuple, kwargs: dict, argument: str, place: str, known: Sequence[str]
):
    """The right answer, which leaves alone the parts of a model whose names are not among these."""
    model = bound(right, args, kwargs)[argument]
    home = model.get_submodule(place)
    others = [part for name, part in home.named_children() if not name.isdigit() and name not in known]
    learns = [(one, one.requires_grad) for part in others for one in part.parameters()]
    modes = [(one, one.training) for part in others for one in part.modules()]
    result = right(*args, **kwargs)
    for parameter, flag in learns:
        parameter.requires_grad_(flag)
    for module, mode in modes:
        module.training = mode
    return result
