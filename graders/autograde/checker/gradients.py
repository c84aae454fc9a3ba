"""Gradients that flow through a call to the student's process."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

AskBackward = Callable[[list[Tensor | None], int], list[Tensor | None]]


def connected(value: object, outputs: list[Tensor], leaves: list[Tensor], ask: AskBackward) -> object:
    """A call's results, such that gradients flow through them as if the call had been made here.

    Args:
        value: the results, a plain value. outputs: the tensors in it that gradients flow through.
        leaves: what the gradients of the call go to.
        ask: (gradients of the results, number of leaves) -> gradients of the leaves, asked of the student's
            process.
    """
    start = leaves or [torch.zeros((), requires_grad=True)]
    joined = iter(_Across.apply(ask, len(leaves), len(outputs), *outputs, *start))
    return _replace_tensors(value, joined)


class _Across(torch.autograd.Function):
    @staticmethod
    def forward(ctx, ask: AskBackward, leaves: int, count: int, *tensors: Tensor):
        ctx.ask, ctx.leaves, ctx.count = ask, leaves, count
        ctx.inputs = len(tensors) - count
        ctx.set_materialize_grads(False)
        return tuple(tensor.detach().clone() for tensor in tensors[:count])

    @staticmethod
    def backward(ctx, *gradients):
        found = ctx.ask(list(gradients), ctx.leaves) if ctx.leaves else [None] * ctx.inputs
        return (None, None, None, *[None] * ctx.count, *found)


def _replace_tensors(value: object, joined: Iterator[Tensor]) -> object:
    if isinstance(value, Tensor):
        return next(joined) if value.requires_grad else value
    if type(value) is dict:
        return {key: _replace_tensors(item, joined) for key, item in value.items()}
    if type(value) is list or type(value) is tuple:
        return type(value)(_replace_tensors(item, joined) for item in value)
    return value
