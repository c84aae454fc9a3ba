"""From what a model returns to logits, or to a loss of its own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

Loss = Callable[[Tensor, Tensor], Tensor]
"""From logits and labels to their mean loss, or to a value for each example or label."""


class NoLogitsError(TypeError):
    """The model returned something in which there are neither logits nor, without labels, a loss."""


def logits_of(model: nn.Module, inputs: Mapping[str, Tensor]) -> Tensor:
    """The logits of a batch, in whichever form the model returns them.

    Args:
        model: called with the inputs as keywords, or with one tensor where its name is "".
        inputs: by name, (examples, ...).

    Raises:
        TypeError: the model returned something without logits.
    """
    outputs = call(model, inputs)
    if isinstance(outputs, Tensor):
        return outputs
    logits = _found(outputs, "logits")
    if logits is None and isinstance(outputs, tuple) and outputs:
        logits = outputs[0]
    if not isinstance(logits, Tensor):
        raise NoLogitsError(
            f"The model returned a {type(outputs).__name__} without `logits`. Expected logits, a tensor "
            "(examples, classes): put a head on the backbone, or wrap it in a module that returns its logits."
        )
    return logits


def loss_of(model: nn.Module, inputs: Mapping[str, Tensor]) -> Tensor:
    """The loss that a model computes by itself, of inputs without labels, as a single number.

    Raises:
        TypeError: the model returned something without a loss.
    """
    asked = "return_loss" in inspect.signature(model.forward).parameters  # CLIP, for instance
    outputs = model(**inputs, return_loss=True) if asked and "" not in inputs else call(model, inputs)
    loss = outputs if isinstance(outputs, Tensor) else _found(outputs, "loss")
    if not isinstance(loss, Tensor) or loss.numel() != 1:
        raise NoLogitsError(f"the model returned a {type(outputs).__name__} without a `loss`")
    return loss.reshape(())


def outputs_of(model: nn.Module, inputs: Mapping[str, Tensor], labelled: bool = True) -> Tensor:
    """`logits_of`, or `loss_of` where there are no labels."""
    return (logits_of if labelled else loss_of)(model, inputs)


def call(model: nn.Module, inputs: Mapping[str, Tensor]) -> Any:
    """What the model returns for a batch, in whichever form."""
    return model(inputs[""]) if "" in inputs else model(**inputs)


def _found(outputs: Any, name: str) -> Any:
    found = getattr(outputs, name, None)
    return outputs.get(name) if found is None and isinstance(outputs, dict) else found
