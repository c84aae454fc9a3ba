"""The progress of a training: everything that its events have reported so far."""

from __future__ import annotations

from ...train import EpochEnded, Event, FeaturesComputed, Paused, Resumed, Started, Stepped, Trace, Traced
from ..base.formats import time_words
from .state import Clock, CurveBuffer


class Progress:
    """One training, from its start on.

    Attributes:
        step, steps, epoch: where it is; `steps` is 0 until it is known.
        curves: what the charts show.
        layers: the gradients and the drift that were measured.
        clock: the time spent, pauses left out.
        features: the progress of the single pass through the frozen layers, in words; empty when there is
            none.
    """

    def __init__(self) -> None:
        self.step = self.steps = self.epoch = 0
        self.curves, self.layers, self.clock = CurveBuffer(), Trace(), Clock()
        self.features = ""

    def take(self, event: Event) -> None:
        """Take in one event."""
        self.features = ""
        if isinstance(event, Stepped):
            self.step = event.step
            self.curves.step(event)
        elif isinstance(event, EpochEnded):
            self.epoch = event.epoch
            self.curves.epoch(event)
        elif isinstance(event, Traced):
            self.layers.groups = list(event.groups)
            self.layers.step.append(event.step)
            self.layers.gradient.append(list(event.gradient))
            self.layers.drift.append(list(event.drift))
        elif isinstance(event, Started):
            self.steps = event.steps
        elif isinstance(event, Paused):
            self.clock.halt()
        elif isinstance(event, Resumed):
            self.clock.go()
        elif isinstance(event, FeaturesComputed) and event.done < event.total:
            self.features = f"frozen layers, once: {event.done:,} of {event.total:,} {event.part} examples"

    def end(self) -> None:
        """The training has ended: what was not drawn yet is drawn."""
        self.clock.halt()
        self.curves.finish()

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        return self.step / self.steps if self.steps else 0.0

    @property
    def words(self) -> str:
        """Where it is, in words."""
        if self.features or not self.steps:
            return self.features or "no step yet"
        return f"step {self.step:,} of {self.steps:,}"

    @property
    def left(self) -> str:
        """The time left, in words; empty while it cannot be estimated."""
        if not 0 < self.step < self.steps:
            return ""
        return f"about {time_words(self.clock.seconds / self.step * (self.steps - self.step))} left"
