"""One quick pass over a model: every module and parameter under every name it has.

`nn.Module.named_parameters` leaves out a tied weight's other names and is slow to call at each click; this
walk keeps all names and costs about a millisecond for a model of a thousand modules. Parameters are told
apart by identity: their values may be equal by chance, and their addresses are all 0 on the meta device.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import nn
from torch.nn.parameter import is_lazy

from .collecting import collected_later
from .errors import NoParametersError


class ScannedModule(NamedTuple):
    """A module under one of its names; `first` and `last` bound its subtree's slots in `Scan.slots`."""

    name: str
    module: nn.Module
    parent: int
    first: int
    last: int
    end: int  # index after the last module of the subtree


class Scan(NamedTuple):
    """What a model holds. A slot is one name of a parameter; tied parameters have several slots."""

    modules: list[ScannedModule]
    slot_names: list[str]
    slots: list[int]  # index of the slot's parameter in `parameters`
    parameters: list[nn.Parameter]
    names: list[str]  # canonical name (the first met) of each parameter


def unwrap(model: nn.Module) -> nn.Module:
    """Return the module that `torch.compile` wrapped, or the module itself.

    Raises:
        TypeError: `model` is not an `nn.Module`.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(
            f"A torch.nn.Module was expected, and this is a {type(model).__name__}. "
            "Pass the model itself, not its name, its weights or a pipeline around it."
        )
    inner = model._modules.get("_orig_mod")
    return unwrap(inner) if inner is not None and hasattr(model, "dynamo_ctx") else model


def scan(model: nn.Module) -> Scan:
    """Walk `model` depth first, in the order of registration (own parameters before children).

    Raises:
        TypeError: `model` is not an `nn.Module`.
        NoParametersError: it has no parameter, or lazy ones that have no shape yet.
    """
    model = unwrap(model)
    found = Scan([], [], [], [], [])
    with collected_later():
        _visit(found, {}, model, "", -1)
    if not found.parameters:
        raise NoParametersError(
            f"This {type(model).__name__} has no parameters, so there is nothing to freeze or train. "
            "A model with at least one weight was expected: check that its layers are attributes of the "
            "module (a plain Python list of layers is not seen; use nn.ModuleList)."
        )
    return found


def _visit(found: Scan, known: dict[int, int], module: nn.Module, name: str, parent: int) -> None:
    """Add a module and all within it; `known` has the place of each parameter, by its identity."""
    position, first = len(found.modules), len(found.slots)
    found.modules.append(ScannedModule(name, module, parent, first, first, position))  # its extent: below
    prefix = f"{name}." if name else ""
    for key, parameter in module._parameters.items():
        if parameter is None:
            continue
        index = known.get(id(parameter))
        if index is None:
            if is_lazy(parameter):
                raise NoParametersError(
                    f"The parameter {prefix}{key} has no shape yet (a lazy module decides it at its first "
                    "batch), so it cannot be counted. Run one batch through the model first, then make the "
                    "tree."
                )
            index = known[id(parameter)] = len(found.parameters)
            found.parameters.append(parameter)
            found.names.append(prefix + key)
        found.slots.append(index)
        found.slot_names.append(prefix + key)
    for key, child in module._modules.items():
        if child is not None:
            _visit(found, known, child, prefix + key, position)
    found.modules[position] = ScannedModule(name, module, parent, first, len(found.slots), len(found.modules))
