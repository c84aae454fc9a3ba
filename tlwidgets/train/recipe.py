"""What the loop is given: the options it reads at each step, and the data on the training device."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from ..core import FreezePlan
from .data import Batches
from .features import FeatureCache


@dataclass(frozen=True)
class Recipe:
    """What the loop needs to know of the options; see `fit`."""

    epochs: int
    batch_size: int
    accumulate: int
    group_by_length: bool
    precision: str
    patience: int | None
    valid_every: int
    cache: FeatureCache | None
    checkpoint: Path | None
    unfreeze: Mapping[int, FreezePlan]
    source: Batches | Callable[[nn.Module], float] | None
    augment: Callable | None
    trace_every: int

    def steps(self, examples: int) -> int:
        """Optimizer steps in all."""
        return self.epochs * self.steps_an_epoch(examples)

    def steps_an_epoch(self, examples: int) -> int:
        """Optimizer steps of one pass over the data."""
        return math.ceil(math.ceil(examples / self.batch_size) / self.accumulate)


@dataclass
class Parts:
    """The data, on the training device."""

    train: Batches
    valid: Batches | None
    test: Batches | None

    def all(self) -> list[Batches]:
        return [part for part in (self.train, self.valid, self.test) if part is not None]
