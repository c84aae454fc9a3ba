"""The same plans under the Hugging Face `Trainer`."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from ..core import FreezePlan, apply_plan, parameter_groups
from .optim import MakeOptimizer, OptimizerName, Rates, make_optimizer
from .unfreeze_schedule import UnfreezeSchedule
from .whole_numbers import check_whole_number

__all__ = ["FreezeCallback", "trainer_optimizer"]


class FreezeCallback(TrainerCallback):  # type: ignore[misc]  # the checker does not read transformers
    """Applies a plan when training begins, and keeps what is frozen in `eval`, whatever `Trainer` does.

    A run that is resumed from a checkpoint begins with the plan that holds there. Epochs are passes over the
    data, also where `Trainer` counts in fractions because it does not know how long a stream is.

    Args:
        plan: the freeze plan, made for the model that `Trainer` gets.
        unfreeze: plans by epoch (from 1), each applied before its epoch, or an `UnfreezeSchedule`. Then give
            `Trainer` the optimizer of `trainer_optimizer`: its own holds only what learns at the start.
        steps_per_epoch: how many optimizer steps `unfreeze` takes for an epoch, where the data are a stream
            that never ends; None: an epoch is one pass.

    Raises, when training begins:
        FreezeError: the plan cannot be applied to this model; nothing was changed.
        OptimizerError: the optimizer lacks weights that a plan trains.

    Warns, when training ends:
        UserWarning: plans of a stream's later passes were not reached.
    """

    def __init__(
        self,
        plan: FreezePlan,
        unfreeze: Mapping[int, FreezePlan] | UnfreezeSchedule | None = None,
        *,
        steps_per_epoch: int | None = None,
    ) -> None:
        if steps_per_epoch is not None:
            check_whole_number("steps_per_epoch", steps_per_epoch)
        schedule = unfreeze.schedule if isinstance(unfreeze, UnfreezeSchedule) else unfreeze
        self.plan, self.unfreeze = plan, dict(schedule or {})
        self.steps_per_epoch = steps_per_epoch
        self._passes = 0
        self._epoch = 1
        self._in_effect: FreezePlan | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        done = self._done(state)
        # The epoch that the checkpoint was saved in or at the end of: its plan is in the optimizer's state.
        self._epoch = max(1, math.ceil(done - _ROUNDING), state.stateful_callbacks.get(_REACHED, 1))
        # `Trainer` goes through a stream from its beginning, and passes over what was trained on before.
        self._passes = self._epoch - 1 if _is_stream(state) else math.floor(done + _ROUNDING)
        self._in_effect = None
        self._put_into_effect(kwargs)

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._passes += 1
        if self.steps_per_epoch is None:
            self._reach(self._passes, state, kwargs)

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._reach(math.floor(self._done(state) + _ROUNDING) + 1, state, kwargs)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        left = sorted(epoch for epoch in self.unfreeze if epoch > self._epoch)
        if left and _is_stream(state) and state.global_step >= state.max_steps:
            warnings.warn(
                f"The plan of epoch {left[0]} was never applied: the training ended in pass {self._epoch} of "
                "its stream of data. Say how many steps count as an epoch: FreezeCallback(plan, unfreeze, "
                "steps_per_epoch=...).",
                stacklevel=2,
            )

    def _done(self, state: TrainerState) -> float:
        """The epochs that are over, in fractions; of a stream no more than that."""
        if self.steps_per_epoch is not None:
            return int(state.global_step) / self.steps_per_epoch
        return float(state.epoch or 0)

    def _reach(self, epoch: int, state: TrainerState, kwargs: Mapping[str, Any]) -> None:
        if epoch > self._epoch:
            self._epoch = epoch
            state.stateful_callbacks[_REACHED] = epoch  # in the checkpoint
        self._put_into_effect(kwargs)

    def _put_into_effect(self, kwargs: Mapping[str, Any]) -> None:
        """Apply the plan that holds in this epoch, unless it was the last to be applied."""
        begun = [epoch for epoch in self.unfreeze if epoch <= self._epoch]
        plan = self.unfreeze[max(begun)] if begun else self.plan
        if plan is not self._in_effect:
            apply_plan(kwargs["model"], plan, _inner(kwargs.get("optimizer")))
            self._in_effect = plan


_REACHED = "FreezeCallback's epoch"
_ROUNDING = 1e-6  # of an epoch: `Trainer` adds up fractions


def _is_stream(state: TrainerState) -> bool:
    """Whether `Trainer` trains on data of unknown length: it then plans as many epochs as there can be."""
    return int(state.num_train_epochs) >= sys.maxsize


def trainer_optimizer(
    model: nn.Module,
    plan: FreezePlan,
    lr: Rates = 5e-5,
    *,
    optimizer: OptimizerName | MakeOptimizer = "adamw",
    weight_decay: float = 0.01,
) -> torch.optim.Optimizer:
    """An optimizer for `Trainer(optimizers=(this, None))`: every weight, one group for each row of the tree.

    Layers can therefore be thawed later, and each row has a learning rate of its own.

    Args:
        model: the model that `Trainer` gets.
        plan: any plan of it; its tree has the rows.
        lr: as in `TrainConfig`.
        optimizer: as in `TrainConfig`.
        weight_decay: as in `TrainConfig`.

    Raises:
        OptimizerError: `lr` lacks a row of the tree, or names something that is not a row.
    """
    highest = max(lr.values()) if isinstance(lr, Mapping) else lr
    return make_optimizer(optimizer, parameter_groups(model, plan, lr), highest, weight_decay)


def _inner(optimizer: torch.optim.Optimizer | None) -> torch.optim.Optimizer | None:
    """The optimizer inside accelerate's: it holds the state from which a frozen weight must be removed."""
    return getattr(optimizer, "optimizer", optimizer)
