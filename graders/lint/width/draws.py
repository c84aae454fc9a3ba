"""What a check draws, over many seeds, and what its right answer does with it."""

from __future__ import annotations

import copy
import functools
import math
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from graders.lint.trial import Trial, run_cells, run_test, silenced

from .dimensions import REAL, call_with, measure, own_parts, type_name
from .places import mapped
from .records import Record
from .watch import recording

SEEDS = range(1000, 1040)
_BUDGET_S, _LEAST = 6.0, 4  # seconds for all runs, and how many there are at least
_KEPT, _LARGEST = 24, 4_000_000  # calls kept for each function, and the numbers one may hold
_TRIES = 4
_CHANGEABLE = (Tensor, list, dict, set, nn.Module)
EXTRA = "unnamed_part"


@dataclass
class Facts:
    """What a right answer does with what it is given.

    Attributes:
        returns: names of the types that it returned.
        gradients: arguments that a gradient reaches from what it returns.
        rounded: dimensions of real numbers for which it matters how exact they are.
        parts: where a part with an unknown name would be treated like those there are: "model",
            "model.backbone".
        changeable: arguments that could be overwritten: (name, name of the type).
        changeable_inside: arguments that contain what could be overwritten.
        weights: parts of the models it gets that have weights: "model.head". All models have them.
    """

    returns: set = field(default_factory=set)
    gradients: set = field(default_factory=set)
    rounded: set = field(default_factory=set)
    parts: set = field(default_factory=set)
    changeable: set = field(default_factory=set)
    changeable_inside: set = field(default_factory=set)
    weights: set = field(default_factory=set)


@dataclass
class Draws:
    """What a check gave to the functions of an exercise.

    Attributes:
        record: over all runs.
        first: in the first run alone: a small sample.
        facts: by the function's name.
        runs: how often the check ran, each time with another seed.
        problem: why the record is not complete; "" if it is.
    """

    record: Record = field(default_factory=Record)
    first: Record = field(default_factory=Record)
    facts: dict[str, Facts] = field(default_factory=dict)
    runs: int = 0
    problem: str = ""


@dataclass(frozen=True)
class Draw(Trial):
    """A trial whose test cell is run again and again, with its functions watched.

    Attributes:
        functions: their names.
    """

    functions: tuple[str, ...] = ()


def record_draws(draw: Draw) -> Draws:
    """Run a check with many seeds in this process, which is of no other use afterwards."""
    from graders.checks import evidence

    torch.set_num_threads(1)
    found = Draws(facts={name: Facts() for name in draw.functions})
    kept: dict[str, list[dict]] = {name: [] for name in draw.functions}
    with silenced():
        try:
            scope = run_cells(draw.cells)
            right = {name: scope[name] for name in draw.functions}
        except BaseException as error:  # whatever a cell raises
            found.problem = f"a cell stopped with {type(error).__name__}: {error}"
            return found
        for name, function in right.items():
            scope[name] = recording(
                function,
                functools.partial(_called, found, kept, name),
                functools.partial(_returned, found.facts[name]),
            )
        start = time.perf_counter()
        for seed in SEEDS:
            if found.runs >= _LEAST and time.perf_counter() - start > _BUDGET_S:
                break
            evidence.begin(seed)
            try:
                run_test(draw.test, scope)
            except BaseException as error:  # likewise
                found.problem = f"the check fails on it (seed {seed}) with {type(error).__name__}: {error}"
                return found
            found.runs += 1
        for name, function in right.items():
            for arguments in kept[name]:
                _examine(function, arguments, found.facts[name])
    return found


def _called(found: Draws, kept: dict[str, list[dict]], name: str, arguments: dict) -> None:
    measured = measure(arguments)
    found.record.add(name, measured, found.runs)
    if not found.runs:
        found.first.add(name, measured)
    own = kept[name]
    if len(own) < _KEPT and _numbers(arguments) <= _LARGEST:
        try:
            own.append(_copied(arguments))
        except Exception:  # a generator, a tensor with a history: whatever cannot be copied is not examined
            return


def _returned(facts: Facts, result: object) -> None:
    facts.returns.add(type(result).__name__)


def _numbers(value: object) -> int:
    if isinstance(value, Tensor):
        return value.numel()
    if isinstance(value, nn.Module):
        return sum(parameter.numel() for parameter in value.parameters())
    if isinstance(value, Mapping):
        return sum(map(_numbers, value.values()))
    return sum(map(_numbers, value)) if isinstance(value, (list, tuple)) else 1


def _copied(value):
    """A copy that shares nothing, of tensors with a history as well."""
    if isinstance(value, Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if isinstance(value, torch.Generator):
        return value.clone_state()
    if type(value) is dict:
        return {key: _copied(one) for key, one in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_copied, value))
    return copy.deepcopy(value)


def _examine(function: Callable, arguments: dict, facts: Facts) -> None:
    """Note what a right answer does with one call's arguments."""
    for name, value in arguments.items():
        if isinstance(value, _CHANGEABLE):
            facts.changeable.add((name, type_name(value)))
        inside = list(value.values()) if isinstance(value, dict) else value
        if isinstance(inside, list) and inside and isinstance(inside[0], _CHANGEABLE):
            facts.changeable_inside.add(name)
        if isinstance(value, nn.Module):
            own = set(_weighted(name, value))
            known = {part for part in facts.weights if part.startswith(f"{name}.")}
            facts.weights = (facts.weights - known) | (own & known if known else own)
            for place in (name, *(f"{name}.{part}" for part in own_parts(value))):
                if place not in facts.parts and _reaches_new_parts(function, arguments, name, place):
                    facts.parts.add(place)
        real = isinstance(value, Tensor) and value.is_floating_point()
        if real and name not in facts.gradients and _passes_a_gradient(function, arguments, name):
            facts.gradients.add(name)
    for dimension, seen in measure(arguments).items():
        if seen.kind == REAL and dimension not in facts.rounded and _is_exact(function, arguments, dimension):
            facts.rounded.add(dimension)


def _weighted(name: str, model: nn.Module) -> Iterator[str]:
    for part in own_parts(model):
        if any(True for _ in model.get_submodule(part).parameters()):
            yield f"{name}.{part}"


def _result(function: Callable, arguments: dict):
    """What a function returns for copies of these; None if it raises."""
    try:
        return call_with(function, _copied(arguments))
    except Exception:  # arguments that were changed need not be such as the exercise allows
        return None


def _passes_a_gradient(function: Callable, arguments: dict, name: str) -> bool:
    own = _copied(arguments)
    own[name].requires_grad_()
    try:
        result = call_with(function, own)
        (gradient,) = torch.autograd.grad(result.sum(), own[name], allow_unused=True)
    except Exception:  # it returns no tensor, or none with a history
        return False
    return gradient is not None


def _reaches_new_parts(function: Callable, arguments: dict, name: str, place: str) -> bool:
    """Whether a part with an unknown name is changed by the function, where it is added at this place."""
    own = _copied(arguments)
    home = own[name].get_submodule(place.partition(".")[2])
    if not any(True for _ in home.children()) or isinstance(home, (nn.ModuleDict, nn.ModuleList)):
        return False
    for learns in (True, False):
        part = nn.Linear(2, 2).requires_grad_(learns).train(learns)
        try:
            home.add_module(EXTRA, part)
            call_with(function, own)
        except Exception:  # a list that takes no names, a function that asks for known ones
            return False
        if any(one.requires_grad is not learns for one in part.parameters()) or part.training is not learns:
            return True
    return False


def _is_exact(function: Callable, arguments: dict, dimension: str) -> bool:
    """Whether the answer depends on the real numbers of a dimension."""
    numbers = random.Random(0)
    for _ in range(_TRIES):
        moved = mapped(_copied(arguments), dimension, lambda value: value * numbers.uniform(0.7, 1.4))
        rounded = mapped(_copied(moved), dimension, lambda value: 0.0 * value)
        if not _alike(_result(function, moved), _result(function, rounded)):
            return True
    return False


def _alike(one: object, other: object) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.shape == other.shape and torch.allclose(one.double(), other.double(), equal_nan=True)
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-6)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)
    return isinstance(one, nn.Module) or one == other
