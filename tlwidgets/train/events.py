"""What a training run tells while it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """Base of all events; `step` counts optimizer steps from the start of the run."""

    step: int


@dataclass(frozen=True)
class Started(Event):
    """Training begins: the number of steps to come, elements that learn and all, and where it runs."""

    steps: int
    trainable: int
    total: int
    device: str


@dataclass(frozen=True)
class FeaturesComputed(Event):
    """The frozen part runs once over a part of the data ("training", "validation", "test"): examples done, and all."""

    part: str
    done: int
    total: int


@dataclass(frozen=True)
class Stepped(Event):
    """One optimizer step: loss and accuracy (None for a regression) of its batch."""

    loss: float
    accuracy: float | None
    seconds: float


@dataclass(frozen=True)
class Traced(Event):
    """Gradients and drift of each group were measured at a step; see `Trace`, which has the same numbers."""

    groups: tuple[str, ...]
    gradient: tuple[float, ...]
    drift: tuple[float, ...]


@dataclass(frozen=True)
class EpochEnded(Event):
    """One pass over the training data: validation loss and accuracy, None without validation data."""

    epoch: int
    valid_loss: float | None
    valid_accuracy: float | None


@dataclass(frozen=True)
class Paused(Event):
    """Training waits between two steps."""


@dataclass(frozen=True)
class Resumed(Event):
    """Training goes on."""


@dataclass(frozen=True)
class PlanChanged(Event):
    """Layers were frozen or thawed between two steps: elements that learn now."""

    trainable: int


@dataclass(frozen=True)
class Finished(Event):
    """The end: "finished", "stopped" or "failed"; `message` says why it failed."""

    status: str
    message: str = ""
