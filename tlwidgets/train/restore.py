"""Restoring a model, so that something can be tried on it without a trace."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import torch
from torch import nn

_HOOKS = ("_forward_pre_hooks", "_forward_hooks", "_forward_hooks_always_called")


class ModelState:
    """Weights and buffers, where they are, what learns, gradients, modes and hooks of a model.

    Args:
        model: its state now is remembered.
        names: the weights of which copies are kept; None keeps all. The others must not be written to.
    """

    def __init__(self, model: nn.Module, names: Collection[str] | None = None) -> None:
        self._weights = [
            (
                weight,
                weight.data,
                weight.detach().clone() if names is None or name in names else None,
                weight.grad,
                weight.requires_grad,
            )
            for name, weight in model.named_parameters()
        ]
        self._buffers = [
            (module, key, buffer, None if buffer is None else buffer.detach().clone())
            for module in model.modules()
            for key, buffer in module._buffers.items()
        ]
        self._modes = [(module, module.training) for module in model.modules()]
        hooks = [getattr(module, name) for module in model.modules() for name in _HOOKS]
        self._hooks = [(each, dict(each)) for each in hooks]

    @torch.no_grad()
    def put_back(self) -> None:
        """Make the model what it was, to the bit."""
        for weight, data, value, gradient, learned in self._weights:
            if value is not None:
                data.copy_(value)
            weight.data = data  # it may have moved to another device
            weight.grad = gradient
            weight.requires_grad_(learned)
        for module, key, buffer, content in self._buffers:
            if buffer is not None and content is not None and not torch.equal(buffer, content):
                buffer.copy_(content)
            module._buffers[key] = buffer
        for module, mode in self._modes:
            module.training = mode
        for hooks, kept in self._hooks:
            hooks.clear()
            hooks.update(kept)


@contextmanager
def restored(model: nn.Module) -> Iterator[None]:
    """Put the model back as it was, also where something fails."""
    before = ModelState(model)
    try:
        yield
    finally:
        before.put_back()


@contextmanager
def restored_on_failure(model: nn.Module, names: Collection[str]) -> Iterator[None]:
    """Put the model back where something fails; of its weights, only those named are written to."""
    before = ModelState(model, names)
    try:
        yield
    except BaseException:
        before.put_back()
        raise
