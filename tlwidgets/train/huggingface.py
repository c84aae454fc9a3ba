"""The same plans under the Hugging Face `Trainer`."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from transformers import TrainerCallback

from ..core import FreezePlan, apply_plan, parameter_groups
from .optim import make_optimizer


class FreezeCallback(TrainerCallback):
    """Applies a plan when training begins, and keeps what is frozen in `eval` through `Trainer`'s `model.train()`.

    Args:
        plan: what is frozen, made of the model that `Trainer` gets.
        unfreeze: plans by epoch (from 1), each applied before its epoch. Give `Trainer` the optimizer of
            `trainer_optimizer` then: its own holds only what learns at the start.

    Raises, when training begins:
        FreezeError: the plan can't be applied to this model; nothing was changed.
        OptimizerError: the optimizer lacks weights that a plan trains.
    """

    def __init__(self, plan: FreezePlan, unfreeze: Mapping[int, FreezePlan] | None = None) -> None:
        self.plan, self.unfreeze = plan, dict(unfreeze or {})

    def on_train_begin(self, args, state, control, model=None, optimizer=None, **kwargs):
        apply_plan(self.plan, model, _inner(optimizer))

    def on_epoch_begin(self, args, state, control, model=None, optimizer=None, **kwargs):
        plan = self.unfreeze.get(int(state.epoch or 0) + 1)
        if plan is not None:
            apply_plan(plan, model, _inner(optimizer))


def trainer_optimizer(
    model: nn.Module,
    plan: FreezePlan,
    lr: float | Mapping[str, float] = 5e-5,
    *,
    optimizer="adamw",
    weight_decay: float = 0.01,
) -> torch.optim.Optimizer:
    """An optimizer for `Trainer(optimizers=(this, None))`: every weight is in it, in a group for each row of the tree.

    So layers can be thawed later, and each row has a rate of its own.

    Raises:
        OptimizerError: `lr` lacks a row of the tree, or names one that is none.
    """
    highest = max(lr.values()) if isinstance(lr, Mapping) else lr
    return make_optimizer(optimizer, parameter_groups(plan, model, lr), highest, weight_decay)


def _inner(optimizer):
    """The optimizer that accelerate wrapped: its state is what a frozen weight must leave."""
    return getattr(optimizer, "optimizer", optimizer)
