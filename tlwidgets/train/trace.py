"""How far each group of layers moves, and how much gradient reaches it, while it trains."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from .events import Traced


@dataclass
class Trace:
    """Measurements at some steps: one inner list for each step, with one number for each group, NaN where it
    did not learn.

    Attributes:
        groups: names of the groups, in the model's order.
        step: optimizer steps at which they were measured.
        gradient: L2 norm of each group's gradient, before any clipping.
        drift: distance of each group's weights from where they started, relative to their norm there.
    """

    groups: list[str] = field(default_factory=list)
    step: list[int] = field(default_factory=list)
    gradient: list[list[float]] = field(default_factory=list)
    drift: list[list[float]] = field(default_factory=list)


class Tracer:
    """Measures. It keeps a copy of each weight that learns, from the moment it starts to, to compare with."""

    def __init__(self, groups: Mapping[str, Sequence[nn.Parameter]]) -> None:
        self._groups = groups
        self._start: dict[int, Tensor] = {}
        self.trace = Trace(list(groups))
        self.note_start()

    @torch.no_grad()
    def note_start(self, also: Sequence[nn.Parameter] = ()) -> None:
        """Copy the weights that learn now and did not before (frozen ones have not moved), and `also`."""
        learning = [weight for weights in self._groups.values() for weight in weights if weight.requires_grad]
        for weight in [*learning, *also]:
            if id(weight) not in self._start:
                self._start[id(weight)] = weight.detach().clone()

    @torch.no_grad()
    def gradients(self) -> list[float]:
        """L2 norm of each group's gradient; call it between `backward` and the optimizer's step."""
        return [
            _norm([weight.grad for weight in weights if weight.grad is not None])
            for weights in self._groups.values()
        ]

    @torch.no_grad()
    def measure(self, step: int, gradients: list[float]) -> Traced:
        """Record a step's gradients, and how far each group has moved."""
        moved = [self._drift(weights) for weights in self._groups.values()]
        self.trace.step.append(step)
        self.trace.gradient.append(gradients)
        self.trace.drift.append(moved)
        return Traced(step, tuple(self._groups), tuple(gradients), tuple(moved))

    def _drift(self, weights: Sequence[nn.Parameter]) -> float:
        known = [weight for weight in weights if id(weight) in self._start]
        if not known:
            return math.nan
        starts = [self._start[id(weight)] for weight in known]
        moved = _norm(torch._foreach_sub([weight.detach() for weight in known], starts))
        return moved / max(_norm(starts), torch.finfo(torch.float32).tiny)


def norm_of(tensors: Sequence[Tensor]) -> Tensor:
    """L2 norm of all elements of some tensors together, as a single number where the first of them is."""
    norms = [norm.float().to(tensors[0].device) for norm in torch._foreach_norm(list(tensors))]
    return torch.linalg.vector_norm(torch.stack(norms))


def _norm(tensors: Sequence[Tensor]) -> float:
    """L2 norm of all elements together; NaN for none."""
    return float(norm_of(tensors)) if tensors else math.nan
