"""What must hold between two calls, whatever the right answer is: order, copies, joined batches, padding.

Each helper makes another input of one input; lists and tensors go through the same way, along their first
axis. Together with `against_reference(variations=...)` they try inputs that are hardly ever drawn; with
`same_answer` they check a function without a reference.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from .compare import difference, to_builtin
from .evidence import count_comparison
from .mistakes import CheckFailed
from .running import call

__all__ = ["doubled", "joined", "order_of", "padded", "same_answer", "scaled", "take"]


def order_of(numbers: random.Random, count: int) -> list[int]:
    """An order of `count` things, for `take`."""
    return numbers.sample(range(count), count)


def take(things, order: Sequence[int]):
    """A list's items or a tensor's rows in this order; some may be left out, or taken twice."""
    if isinstance(things, Tensor):
        return things[torch.tensor(order, dtype=torch.long)]
    return [copy.deepcopy(things[place]) for place in order]


def joined(one, other):
    """Two lists, or two tensors of the same width, as one."""
    return torch.cat([one, other]) if isinstance(one, Tensor) else [*one, *copy.deepcopy(other)]


def doubled(things):
    """Everything twice, one whole after the other."""
    return joined(things, things)


def padded(tensor: Tensor, more: int, value: float, axis: int = 1) -> Tensor:
    """`more` places with this value after the last one of an axis."""
    shape = [*tensor.shape[:axis], more, *tensor.shape[axis + 1 :]]
    return torch.cat([tensor, torch.full(shape, value, dtype=tensor.dtype)], axis)


def scaled(things, factor: float):
    """A list of numbers, or a tensor, times a factor."""
    return things * factor if isinstance(things, Tensor) else [thing * factor for thing in things]


def same_answer(
    function,
    given: tuple,
    other: tuple,
    *,
    name: str,
    because: str,
    relation: Callable = lambda answer: answer,
    rtol: float = 1e-4,
    atol: float = 1e-6,
) -> None:
    """Check that two inputs of a student's function have the same answer, or answers that are related.

    Args:
        because: what was done to the first input ("the same examples in another order").
        relation: makes of the first answer what is expected of the second.

    Raises:
        CheckFailed: the answers do not fit each other, or a call raised.
    """
    first = to_builtin(call(function, *given, what=f"{name}(...)"))
    second = to_builtin(call(function, *other, what=f"{name}(...)"))
    message = difference(second, relation(first), f"`{name}`, given {because},", rtol=rtol, atol=atol)
    if message:
        raise CheckFailed(message)
    count_comparison()
