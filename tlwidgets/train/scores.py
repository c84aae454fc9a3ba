"""From a model's output to scores, loss and accuracy."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor, nn

from .data import Batches

Loss = Callable[[Tensor, Tensor], Tensor]
"""Scores and labels to a single number."""


def scores_of(model: nn.Module, inputs: Mapping[str, Tensor]) -> Tensor:
    """Scores of a batch, whichever way the model hands them over.

    Raises:
        TypeError: it returned something without scores.
    """
    outputs = model(inputs[""]) if "" in inputs else model(**inputs)
    if isinstance(outputs, Tensor):
        return outputs
    logits = getattr(outputs, "logits", None)
    if logits is None and isinstance(outputs, dict):
        logits = outputs.get("logits")
    if logits is None and isinstance(outputs, tuple) and outputs:
        logits = outputs[0]
    if not isinstance(logits, Tensor):
        raise TypeError(
            f"The model returned a {type(outputs).__name__} without `logits`. Expected scores, a tensor "
            "(examples, classes): put a head on the backbone, or wrap it in a module that returns its scores."
        )
    return logits


def default_loss(train: Batches) -> Loss:
    """Cross-entropy for class numbers, mean squared error for other labels; both explain shapes that don't fit."""
    classes = train.classes
    if classes is None:
        return _squared_error

    def cross_entropy(outputs: Tensor, labels: Tensor) -> Tensor:
        if outputs.dim() != 2 or outputs.shape[1] < classes:
            raise ValueError(
                f"The model gives scores of shape {tuple(outputs.shape)}, and the labels go up to class {classes - 1}. "
                f"Expected (examples, {classes} or more): make the head's output as wide as there are classes."
            )
        return nn.functional.cross_entropy(outputs, labels)

    return cross_entropy


def _squared_error(outputs: Tensor, labels: Tensor) -> Tensor:
    if outputs.numel() != labels.numel():
        raise ValueError(
            f"The model gives outputs of shape {tuple(outputs.shape)} for labels of shape {tuple(labels.shape)}. "
            "Expected one output for each label: make the head as wide as an example has labels."
        )
    return nn.functional.mse_loss(outputs.reshape(labels.shape), labels)


def accuracy_of(outputs: Tensor, labels: Tensor) -> float | None:
    """Share of the examples whose highest score is their class; None where labels are no class numbers."""
    if labels.is_floating_point() or outputs.dim() != 2 or labels.dim() != 1:
        return None
    return float((outputs.detach().argmax(1) == labels).float().mean())
