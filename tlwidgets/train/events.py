"""What a training run reports while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Event:
    """Base class of all events; `step` is the number of optimizer steps made since the start of the run."""

    step: int


@dataclass(frozen=True)
class Started(Event):
    """Training begins: the number of steps to come, elements that learn and all elements, and the device."""

    steps: int
    trainable: int
    total: int
    device: str


@dataclass(frozen=True)
class FeaturesComputed(Event):
    """The frozen part is being run once over a part of the data ("training", "validation", "test").

    `done` of its `total` examples are done.
    """

    part: str
    done: int
    total: int


@dataclass(frozen=True)
class Stepped(Event):
    """One optimizer step: loss and accuracy (None for a regression) of its batch, and its time in seconds."""

    loss: float
    accuracy: float | None
    seconds: float


@dataclass(frozen=True)
class Traced(Event):
    """Gradients and drift of each group were measured at a step; `Trace` explains the numbers."""

    groups: tuple[str, ...]
    gradient: tuple[float, ...]
    drift: tuple[float, ...]


@dataclass(frozen=True)
class EpochEnded(Event):
    """A pass over the training data has ended: validation loss and accuracy, None without validation data."""

    epoch: int
    valid_loss: float | None
    valid_accuracy: float | None
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Paused(Event):
    """Training waits between two steps."""


@dataclass(frozen=True)
class Resumed(Event):
    """Training continues."""


@dataclass(frozen=True)
class PlanChanged(Event):
    """Layers were frozen or thawed between two steps: how many elements learn now."""

    trainable: int


@dataclass(frozen=True)
class Finished(Event):
    """The end of the run: "finished", "stopped" or "failed"; `message` says why it failed."""

    status: str
    message: str = ""
