"""What a user wants measured besides loss and accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from .padding import IGNORED


def check_metrics(metrics: object) -> None:
    """Refuse what can't be measured with.

    Raises:
        TypeError: not a mapping from names to functions, or to objects with `update`, `compute` and `reset`.
    """
    if not isinstance(metrics, Mapping):
        raise TypeError(
            f"metrics is a {type(metrics).__name__}. Expected a mapping from names to functions of (outputs, "
            "labels), or to torchmetrics objects: metrics={'f1': f1}."
        )
    for name, metric in metrics.items():
        if isinstance(metric, type) or not (callable(metric) or _gathers(metric)):
            raise TypeError(
                f"The metric {name!r} is {metric!r}. Expected a function of (outputs, labels), or an object "
                "with `update`, `compute` and `reset`, as torchmetrics has them."
            )


class Measuring:
    """One pass over a part of the data, measured with each metric.

    Args:
        metrics: by name. A function is called once, with the outputs and labels of all examples in their
            order, on the CPU; where texts differ in length, outputs are padded with 0 and labels with -100.
            An object is updated with each batch.
        device: where the batches are.
    """

    def __init__(self, metrics: Mapping[str, Any], device: torch.device) -> None:
        self._objects = {name: metric for name, metric in metrics.items() if _gathers(metric)}
        self._functions = {name: metric for name, metric in metrics.items() if name not in self._objects}
        self._kept: list[tuple[Tensor, Tensor, Tensor]] = []
        for metric in self._objects.values():
            if hasattr(metric, "to"):
                metric.to(device)
            metric.reset()

    def add(self, index: Tensor, outputs: Tensor, labels: Tensor) -> None:
        """Take in a batch."""
        for metric in self._objects.values():
            metric.update(outputs, labels)
        if self._functions:
            self._kept.append((index.cpu(), outputs.cpu(), labels.cpu()))

    def values(self) -> dict[str, float]:
        """What was measured.

        Raises:
            ValueError: a metric gave something other than a single number.
        """
        found = {name: metric.compute() for name, metric in self._objects.items()}
        if self._functions:
            index, outputs, labels = zip(*self._kept, strict=True)
            order = torch.cat(index).argsort()
            whole = _joined(outputs, 0)[order], _joined(labels, IGNORED)[order]
            found |= {name: metric(*whole) for name, metric in self._functions.items()}
        return {name: _number(name, value) for name, value in found.items()}


def _gathers(metric: object) -> bool:
    return all(callable(getattr(metric, name, None)) for name in ("update", "compute", "reset"))


def _joined(parts: Sequence[Tensor], padding: int) -> Tensor:
    if parts[0].dim() < 2 or len({part.shape[1] for part in parts}) == 1:
        return torch.cat(list(parts))
    longest = max(part.shape[1] for part in parts)
    padded = [part.new_full((len(part), longest, *part.shape[2:]), padding) for part in parts]
    for whole, part in zip(padded, parts, strict=True):
        whole[:, : part.shape[1]] = part
    return torch.cat(padded)


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"The metric {name!r} gave {value!r:.60}. Expected a single number: take the mean, say."
        ) from error
