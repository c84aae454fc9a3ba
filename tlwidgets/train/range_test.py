"""Finding a learning rate: train with a rate that grows, and look where the loss falls fastest (Smith 2017)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import torch
from torch import nn

from ..core import FreezePlan
from .data import TaskData, as_task_data
from .engine import fit
from .events import Stepped
from .loop import TrainingError

SMOOTHING = 0.9
EXPLODED = 4.0


@dataclass(frozen=True)
class RangeTest:
    """What a learning-rate range test saw.

    Attributes:
        rates: the rate of each step.
        losses: the loss of each step's batch.
        smooth: the same, averaged over the steps before (exponentially, without its bias to zero).
        suggestion: where the smoothed loss falls fastest.
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
    data: TaskData,
    *,
    low: float = 1e-6,
    high: float = 1.0,
    steps: int = 100,
    batch_size: int = 16,
    optimizer="adamw",
    seed: int = 0,
    device: str | torch.device | None = None,
) -> RangeTest:
    """Train for some steps while the rate grows from `low` to `high`, then put everything back as it was.

    It ends early when the loss has grown to four times its lowest. Weights, buffers, modes and gradients of the model,
    and the caller's random numbers, are the same bits afterwards; what the plan freezes stays frozen.

    Raises:
        ValueError: rates or steps that make no range, or data that can't be trained on.
        FreezeError: a plan that can't be applied.
    """
    if not (0 < low < high < math.inf):
        raise ValueError(
            f"The range goes from {low!r} to {high!r}. Expected two numbers above 0, the lower one first."
        )
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 10:
        raise ValueError(f"steps is {steps!r}. Expected a whole number of at least 10: fewer show no slope.")
    data = as_task_data(data)
    examples = len(data.train["labels"] if hasattr(data.train, "keys") else data.train[1])
    a_pass = math.ceil(examples / batch_size)
    ramp = _Ramp(low, high, steps)
    # A loss that became infinite is the end of the range.
    with _put_back(model), suppress(TrainingError):
        fit(
            model,
            plan,
            TaskData(data.train),
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
        from .control import Control

        self.control = Control()
        self.planned = [low * (high / low) ** (step / (steps - 1)) for step in range(steps)]
        self.losses: list[float] = []
        self.smooth: list[float] = []
        self._average = 0.0

    def attach(self, groups: list[dict], optimizer) -> torch.optim.Optimizer:
        from .optim import make_optimizer

        made = make_optimizer(optimizer, groups, self.planned[0], 0.0)
        made.register_step_pre_hook(self._set_rate)
        return made

    def _set_rate(self, optimizer, args, kwargs) -> None:
        for group in optimizer.param_groups:
            group["lr"] = self.planned[min(len(self.losses), len(self.planned) - 1)]

    def note(self, event) -> None:
        if not isinstance(event, Stepped):
            return
        self.losses.append(event.loss)
        self._average = SMOOTHING * self._average + (1 - SMOOTHING) * event.loss
        self.smooth.append(self._average / (1 - SMOOTHING ** len(self.losses)))
        if len(self.losses) == len(self.planned) or self.smooth[-1] > EXPLODED * min(self.smooth):
            self.control.stop()


def _read(ramp: _Ramp) -> RangeTest:
    rates = ramp.planned[: len(ramp.losses)]
    lowest = ramp.smooth.index(min(ramp.smooth)) if ramp.smooth else 0
    # The first steps' average still is mostly the first loss.
    slopes = {
        step: ramp.smooth[step + 1] - ramp.smooth[step - 1]
        for step in range(5, min(lowest, len(rates) - 2) + 1)
    }
    if slopes and min(slopes.values()) < 0:
        step = min(slopes, key=slopes.get)
        suggestion = rates[step]
        words = (
            f"The smoothed loss falls fastest at a rate of {suggestion:.2g}, and is lowest at {rates[lowest]:.2g}: take the "
            "first, or up to a tenth of the second, and compare on validation data."
        )
    else:
        suggestion = rates[lowest] / 10 if rates else ramp.planned[0]
        words = (
            "The loss never fell clearly in this range, so this is no more than a tenth of the rate where it was lowest. Try a "
            "lower range, more steps or a larger batch."
        )
    return RangeTest(tuple(rates), tuple(ramp.losses), tuple(ramp.smooth), suggestion, words)


@contextmanager
def _put_back(model: nn.Module) -> Iterator[None]:
    tensors = [*model.parameters(), *model.buffers()]
    before = [(tensor, tensor.detach().clone()) for tensor in tensors]
    modes = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, value in before:
                tensor.copy_(value)
        for parameter in model.parameters():
            parameter.grad = None
        for module, mode in modes:
            module.training = mode
