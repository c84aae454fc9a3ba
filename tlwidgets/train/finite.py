"""Finding where numbers stop being finite: the example, the layer, the weight whose gradient it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..core.untouched import left_as_it_was
from .trace import norm_of

_SMALL = 2**16  # numbers; larger buffers are tables that no step changes
_TRIED = 64  # examples of a batch


class MovingBuffers:
    """The buffers that a step moves (running statistics, for instance), as they were before it."""

    def __init__(self, model: nn.Module) -> None:
        self._places = [
            (module, key)
            for module in model.modules()
            for key, buffer in module._buffers.items()
            if buffer is not None and buffer.numel() <= _SMALL
        ]
        self._before: list[tuple[nn.Module, str, Tensor]] = []

    def keep(self) -> None:
        """Remember how they are; those of frozen modules do not move."""
        self._before = [
            (module, key, buffer.detach().clone())
            for module, key in self._places
            if module.training and (buffer := module._buffers[key]) is not None
        ]

    @torch.no_grad()
    def put_back(self) -> None:
        """Restore them, because the step was not made."""
        for module, key, value in self._before:
            now = module._buffers[key]
            if now is None or now.shape != value.shape:
                module._buffers[key] = value
            elif not torch.equal(now, value):
                now.copy_(value)


def all_finite(tensors: Sequence[Tensor]) -> bool:
    """Whether every number of these gradients is finite."""
    dense = [tensor.coalesce().values() if tensor.is_sparse else tensor for tensor in tensors]
    # One pass over memory; the norm of finite numbers may overflow, which is looked at again.
    return not dense or bool(norm_of(dense).isfinite()) or all(bool(each.isfinite().all()) for each in dense)


def find_gradient(model: nn.Module) -> tuple[str, int]:
    """The last weight, in the model's order, whose gradient is not finite, and how many there are.

    Gradients are computed from the last layer to the first, so it began there or after it.
    """
    names = [
        name
        for name, weight in model.named_parameters()
        if weight.grad is not None and not all_finite([weight.grad])
    ]
    return names[-1], len(names)


def find_example(
    model: nn.Module,
    index: Tensor,
    loss_of: Callable[[Tensor], Tensor],
    weights: Sequence[nn.Parameter] = (),
) -> int | None:
    """The example that makes the loss or a gradient of a batch not finite.

    Args:
        model: left as it was.
        index: the examples of the batch.
        loss_of: from the index of a single example to its loss.
        weights: those whose gradient is asked for; none where the loss is.

    Returns:
        The first example that does so on its own; None if all do, none does, or it cannot be known.
    """
    found = []
    with left_as_it_was(model):
        model.eval()  # layers that need several examples take one
        for one in index[:_TRIED].split(1):
            try:
                value = loss_of(one)
                numbers = [value.detach()]
                if weights:
                    given = torch.autograd.grad(value, weights, allow_unused=True)
                    numbers += [each for each in given if each is not None]
            except (RuntimeError, ValueError):
                return None
            if not all_finite(numbers):
                found.append(int(one))
    return found[0] if 0 < len(found) < len(index) or len(index) == len(found) == 1 else None


def find_example_of(
    model: nn.Module, batches: Iterable[Tensor], loss_of: Callable[[Tensor], Tensor]
) -> int | None:
    """The first example, in the first of these batches whose loss is not finite, that has such a loss alone.

    The model is left as it was.
    """
    with left_as_it_was(model), torch.no_grad():
        model.eval()
        bad = next((index for index in batches if not all_finite([loss_of(index)])), None)
        return None if bad is None else find_example(model, bad, loss_of)


def find_not_finite(
    model: nn.Module,
    groups: Mapping[str, Sequence[nn.Parameter]],
    inputs: Mapping[str, Tensor],
    forward: Callable[[Mapping[str, Tensor]], object],
) -> str:
    """Where numbers stop being finite: "the inputs", a group's weights, or its output; "" if unknown."""
    if any(t.is_floating_point() and not bool(t.isfinite().all()) for t in inputs.values()):
        return "the inputs"
    for name, weights in groups.items():
        if any(not bool(weight.isfinite().all()) for weight in weights):
            return f"the weights of {name or 'the model'}"
    with left_as_it_was(model):
        first = _first_output(model, inputs, forward)
    if first is None:
        return ""
    inside = [name for name in groups if first == name or first.startswith(name + ".")]
    return f"the output of {max(inside, key=len, default=first) or 'the model'}"


def _first_output(
    model: nn.Module, inputs: Mapping[str, Tensor], forward: Callable[[Mapping[str, Tensor]], object]
) -> str | None:
    """The name of the first module whose output is not finite."""
    first: list[str] = []

    def note(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, args: Any, output: Any) -> None:
            if not first and isinstance(output, Tensor) and not bool(output.isfinite().all()):
                first.append(name)

        return hook

    handles = [module.register_forward_hook(note(name)) for name, module in model.named_modules()]
    try:
        with torch.no_grad():
            forward(inputs)
    finally:
        for handle in handles:
            handle.remove()
    return first[0] if first else None
