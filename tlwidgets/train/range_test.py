"""Finding a learning rate: train with a growing rate, and see where the loss falls fastest (Smith 2017)."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ..core import FreezePlan
from .control import Control
from .data import Examples, TaskData, as_task_data, batches_a_pass
from .engine import fit
from .events import Event, Stepped
from .failures import TrainingError
from .optim import MakeOptimizer, OptimizerName, make_optimizer
from .restore import restored
from .whole_numbers import is_whole_number

SMOOTHING = 0.9
EXPLODED = 4.0


@dataclass(frozen=True)
class RangeTest:
    """What a learning-rate range test measured.

    Attributes:
        rates: the rate of each step.
        losses: the loss of each step's batch.
        smooth: the losses, averaged over the steps before (exponentially, corrected for the start at zero).
        suggestion: the rate at which the smoothed loss falls fastest.
        words: how the suggestion was chosen, in a sentence.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smooth: tuple[float, ...]
    suggestion: float
    words: str


def lr_range_test(
    model: nn.Module,
    plan: FreezePlan | None,
    data: TaskData | Examples,
    *,
    low: float = 1e-6,
    high: float = 1.0,
    steps: int = 100,
    batch_size: int = 16,
    optimizer: OptimizerName | MakeOptimizer = "adamw",
    seed: int = 0,
    device: str | torch.device | None = None,
) -> RangeTest:
    """Train for some steps while the rate grows from `low` to `high`, then put everything back as it was.

    It ends early when the loss has grown to four times its lowest value. The model (weights, buffers,
    gradients, what learns, modes) and the caller's random numbers are the same bits afterwards.

    Args:
        model: as in `fit`.
        plan: as in `fit`.
        data: as in `fit`; only the training data are used.
        low: the rate of the first step.
        high: the rate of the last step.
        steps: how many there are, at least 10.
        batch_size: as in `TrainConfig`.
        optimizer: as in `TrainConfig`.
        seed: as in `TrainConfig`.
        device: as in `TrainConfig`.

    Raises:
        ValueError: rates or steps that do not make a range, or data that cannot be trained on.
        FreezeError: a plan that cannot be applied.
    """
    if not (0 < low < high < math.inf):
        raise ValueError(
            f"The range goes from {low!r} to {high!r}. Expected two numbers above 0, the lower one first."
        )
    if not is_whole_number(steps, least=10):
        raise ValueError(f"steps is {steps!r}. Expected a whole number of at least 10: fewer show no slope.")
    task = as_task_data(data)
    train = TaskData(task.train, collate=task.collate)
    a_pass = batches_a_pass(train, batch_size)
    ramp = _Ramp(low, high, steps)
    # A loss that becomes infinite ends the range.
    with restored(model), suppress(TrainingError):
        fit(
            model,
            plan,
            train,
            epochs=math.ceil(steps / a_pass),
            batch_size=batch_size,
            lr=low,
            optimizer=lambda groups: ramp.attach(groups, optimizer),
            schedule="constant",
            warmup=0.0,
            seed=seed,
            device=device,
            trace=False,
            control=ramp.control,
            on_event=ramp.note,
        )
    return _read(ramp)


class _Ramp:
    """Sets the rate of each step, and stops at the end or when the loss has exploded."""

    def __init__(self, low: float, high: float, steps: int) -> None:
        self.control = Control()
        self.planned = [low * (high / low) ** (step / (steps - 1)) for step in range(steps)]
        self.losses: list[float] = []
        self.smooth: list[float] = []
        self._average = 0.0

    def attach(
        self, groups: list[dict[str, Any]], optimizer: OptimizerName | MakeOptimizer
    ) -> torch.optim.Optimizer:
        made = make_optimizer(optimizer, groups, self.planned[0], 0.0)
        made.register_step_pre_hook(self._set_rate)
        return made

    def _set_rate(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        for group in optimizer.param_groups:
            group["lr"] = self.planned[min(len(self.losses), len(self.planned) - 1)]

    def note(self, event: Event) -> None:
        if not isinstance(event, Stepped) or math.isnan(event.loss):  # no label of that batch counted
            return
        self.losses.append(event.loss)
        self._average = SMOOTHING * self._average + (1 - SMOOTHING) * event.loss
        self.smooth.append(self._average / (1 - SMOOTHING ** len(self.losses)))
        if len(self.losses) == len(self.planned) or self.smooth[-1] > EXPLODED * min(self.smooth):
            self.control.stop()


def _read(ramp: _Ramp) -> RangeTest:
    rates = ramp.planned[: len(ramp.losses)]
    lowest = ramp.smooth.index(min(ramp.smooth)) if ramp.smooth else 0
    # The average of the first steps is mostly the first loss.
    slopes = {
        step: ramp.smooth[step + 1] - ramp.smooth[step - 1]
        for step in range(5, min(lowest, len(rates) - 2) + 1)
    }
    if slopes and min(slopes.values()) < 0:
        step = min(slopes, key=slopes.__getitem__)
        suggestion = rates[step]
        words = (
            f"The smoothed loss falls fastest at a rate of {suggestion:.2g}, and is lowest at "
            f"{rates[lowest]:.2g}: take the first, or up to a tenth of the second, and compare on validation "
            "data."
        )
    else:
        suggestion = rates[lowest] / 10 if rates else ramp.planned[0]
        words = (
            "The loss never fell clearly in this range, so this is only a tenth of the rate where it was "
            "lowest. Try a lower range, more steps or a larger batch."
        )
    return RangeTest(tuple(rates), tuple(ramp.losses), tuple(ramp.smooth), suggestion, words)
