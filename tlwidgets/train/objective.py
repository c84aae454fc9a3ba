"""What a loss averages over, which is needed to combine the losses of several batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .losses import Loss
from .padding import IGNORED
from .tasks import CLASSES, Metric

Count: TypeAlias = Callable[[Tensor], float | Tensor]
"""From the labels of a batch to how much its mean loss counts."""


class Objective:
    """A loss as a mean, and how much that of each batch counts.

    What counts is

    - `loss.count(labels)`, where the loss has such a function (`next_token_loss` has);
    - of PyTorch's cross-entropy, each label that is not ignored, with the weight of its class;
    - of a loss that returns several values (`reduction="none"`), each value, but for ignored labels';
    - of any other loss, each label that is not -100 where some labels are; whether the first label of each
      text counts is seen from the gradient of the first loss;
    - each example otherwise. A mean over something else is treated as one over examples.

    Args:
        loss: from outputs and labels to a number, or to a value for each example or label.
        labels: those of all parts of the data.
        own: the user's own loss, if something is wrapped around it.
        partly: whether there are more labels than these, some of which may be -100.
        metric: what is measured beside the loss.

    Attributes:
        metric: what is measured beside the loss.
        summed: whether the loss is a sum, each batch of which counts as it is.
    """

    def __init__(
        self,
        loss: Loss,
        labels: Iterable[Tensor],
        own: Loss | None = None,
        *,
        partly: bool = False,
        metric: Metric = CLASSES,
    ) -> None:
        own = loss if own is None else own
        self._loss, self.metric = loss, metric
        self._count = _known_count(own)
        self._some_ignored = partly or any(_counted(part) < part.numel() for part in labels)
        self.summed = getattr(own, "reduction", "mean") == "sum"

    def __call__(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """The loss of a batch, a single number."""
        if self._count is not None:
            value = self._loss(outputs, labels)
            return value if value.dim() == 0 else self._mean(value, labels)
        with torch.enable_grad():
            seen = outputs
            if not outputs.requires_grad and outputs.is_floating_point():
                seen = outputs.detach().requires_grad_()
            # A loss may change outputs in place, which a leaf does not allow.
            value = self._loss(seen.clone() if seen.is_leaf else seen, labels)
            if _counted(labels):
                self._count = self._what_counts(value, seen, labels)
        value = value if outputs.requires_grad else value.detach()
        return self._mean(value, labels)

    def count(self, labels: Tensor) -> float:
        """How much the loss of the batch with these labels counts; 0 where none of them does."""
        return float((self._count or _counted)(labels))

    def _mean(self, value: Tensor, labels: Tensor) -> Tensor:
        return value.reshape(()) if value.numel() == 1 else value.sum() / self.count(labels)

    def _what_counts(self, value: Tensor, outputs: Tensor, labels: Tensor) -> Count:
        if value.numel() == labels.numel() != len(labels):
            return _counted
        if value.numel() != 1:
            shifted = labels.dim() == 2 and value.numel() == labels[:, 1:].numel() != len(labels)
            return _counted_after_first if shifted else _counted if labels.dim() == 1 else len
        if not self._some_ignored:
            return len
        return _counted_after_first if _skips_first(value, outputs, labels) else _counted


def _known_count(loss: Loss) -> Count | None:
    count = getattr(loss, "count", None)
    if callable(count):
        return count  # type: ignore[no-any-return]
    given: dict[str, Any] = {}
    function: Any = loss
    if isinstance(loss, partial):
        function, given = loss.func, loss.keywords
    elif isinstance(loss, (nn.CrossEntropyLoss, nn.NLLLoss)):
        given = vars(loss) | {"weight": loss.weight}
    elif function not in (F.cross_entropy, F.nll_loss):
        return None
    if not (isinstance(loss, nn.Module) or function in (F.cross_entropy, F.nll_loss)):
        return None
    if given.get("reduction", "mean") != "mean":
        return None
    return partial(_weight_of_classes, given.get("weight"), given.get("ignore_index", IGNORED))


def _weight_of_classes(weight: Tensor | None, ignored: int, labels: Tensor) -> float | Tensor:
    """What PyTorch's cross-entropy divides by."""
    if labels.is_floating_point():  # the probability of each class
        return labels.numel() / labels.shape[1]
    kept = labels[labels != ignored]
    return kept.numel() if weight is None else weight[kept].sum()


def _counted(labels: Tensor) -> int:
    return labels.numel() if labels.is_floating_point() else int((labels != IGNORED).sum())


def _counted_after_first(labels: Tensor) -> int:
    return _counted(labels[:, 1:])


def _skips_first(value: Tensor, outputs: Tensor, labels: Tensor) -> bool:
    """Whether each output is compared with the label after it: the last label's output has no gradient."""
    if labels.dim() != 2 or outputs.shape[:2] != labels.shape or not value.requires_grad:
        return False
    (gradient,) = torch.autograd.grad(value, outputs, retain_graph=True, allow_unused=True)
    if gradient is None:
        return False
    counted = labels != IGNORED
    followed = torch.cat([counted[:, 1:], torch.zeros_like(counted[:, :1])], 1)
    return not bool(gradient.flatten(2).abs().sum(2)[counted & ~followed].any())
