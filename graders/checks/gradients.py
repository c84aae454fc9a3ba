"""Gradients of a student's result, compared with those of the reference: under `no_grad` nothing learns."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn

from .compare import difference
from .running import stopped
from .show import is_one

_RTOL, _ATOL = 1e-3, 1e-4  # the second in relation to the largest number of a gradient

NO_GRADIENT = (
    "{what} gives the right values, but no gradient flows back through them to what it was given, so nothing "
    "could learn from it. Expected no `torch.no_grad()`, `.detach()`, `.item()` or NumPy on the way."
)
WRONG_GRADIENT = (
    "{what} gives the right values, but its gradient with respect to {which} tensor that it was given is "
    "wrong. Expected every number to be computed from these tensors, with nothing detached on the way."
)


def with_leaves(given: tuple, places: Collection[int]) -> tuple[tuple, list[Tensor]]:
    """Arguments in which gradients go to the tensors of floating-point numbers, and these tensors.

    The arguments are results of the leaves, so that an in-place operation on one is not an error.

    Args:
        places: of the arguments that gradients go to.
    """
    leaves: list[Tensor] = []

    def lift(value):
        if is_one(type(value), (Tensor, nn.Parameter)) and value.is_floating_point():
            leaves.append(value.detach().clone().requires_grad_())
            return leaves[-1].clone()
        if is_one(type(value), (list, tuple)):
            return type(value)(lift(item) for item in value)
        if type(value) is dict:
            return {key: lift(item) for key, item in value.items()}
        return value

    return tuple(lift(value) if place in places else value for place, value in enumerate(given)), leaves


def gradients_of(result, leaves: list[Tensor]) -> list[Tensor] | None:
    """Gradients of a fixed weighted sum of a result's tensors; None where no gradient flows.

    A leaf that does not count has zeros. The result is what the student's code made: a list, tuple or dict of
    tensors counts, too.

    Raises:
        CheckFailed: the backward pass stopped.
    """
    outputs = _outputs(result)
    if not outputs or not leaves:
        return None
    generator = torch.Generator().manual_seed(0)
    total = torch.stack(
        [(one.double() * torch.randn(one.shape, generator=generator)).sum() for one in outputs]
    ).sum()
    try:
        found = torch.autograd.grad(total, leaves, allow_unused=True)
    except Exception as error:  # an in-place change of what the gradient needs
        raise stopped("backward()", error) from error
    return [torch.zeros_like(leaf) if one is None else one for leaf, one in zip(leaves, found, strict=True)]


def gradient_problem(found: list[Tensor] | None, expected: list[Tensor] | None, what: str) -> str:
    """What is wrong with the gradients of a result whose values are right, or ""."""
    if expected is None:
        return ""
    if found is None:
        return NO_GRADIENT.format(what=what)
    wrong = _differing(found, expected)
    return "" if wrong is None else WRONG_GRADIENT.format(what=what, which=_ordinal(wrong))


def same_gradients(one: list[Tensor] | None, other: list[Tensor] | None) -> bool:
    """Whether two lists of gradients are the same, or none flows in both."""
    return one is other if one is None or other is None else _differing(one, other) is None


def _differing(found: list[Tensor], expected: list[Tensor]) -> int | None:
    """The place of the first gradient that differs by more than rounding, None if there is none."""
    largest = max((float(one.abs().max()) for one in expected if one.numel()), default=0.0) or 1.0
    for place, (one, other) in enumerate(zip(found, expected, strict=True)):
        if difference(one / largest, other / largest, "", rtol=_RTOL, atol=_ATOL, allow_nan=True):
            return place
    return None


def _outputs(result) -> list[Tensor]:
    if is_one(type(result), (Tensor, nn.Parameter)):
        return [result] if result.requires_grad and result.is_floating_point() else []
    if is_one(type(result), (list, tuple)):
        return [one for item in result for one in _outputs(item)]
    if type(result) is dict:
        return [one for item in result.values() for one in _outputs(item)]
    return []


def _ordinal(place: int) -> str:
    words = ("the first", "the second", "the third", "the fourth")
    return words[place] if place < len(words) else f"the {place + 1}th"
