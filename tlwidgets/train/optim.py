"""Optimizers and learning-rate schedules by name."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

OPTIMIZERS = ("adamw", "sgd")
SCHEDULES = ("one-cycle", "constant")


def check_names(optimizer, schedule: str, lr: float) -> None:
    """Refuse what the functions below can't make, before anything is changed.

    Raises:
        ValueError: unknown optimizer or schedule, or a learning rate that is no positive finite number.
    """
    if not (isinstance(lr, (int, float)) and 0 < lr < math.inf):
        raise ValueError(f"The learning rate is {lr!r}. Expected a number above 0, such as 1e-3.")
    if not callable(optimizer) and optimizer not in OPTIMIZERS:
        raise ValueError(
            f"Unknown optimizer {optimizer!r}. Expected one of {', '.join(OPTIMIZERS)}, or a function."
        )
    if schedule not in SCHEDULES:
        raise ValueError(f"Unknown schedule {schedule!r}. Expected one of {', '.join(SCHEDULES)}.")


def make_optimizer(
    optimizer: str | Callable[[list[dict]], torch.optim.Optimizer],
    groups: list[dict],
    lr: float,
    weight_decay: float,
) -> torch.optim.Optimizer:
    """Make an optimizer that holds every parameter, frozen ones too (they have no gradient and are passed over)."""
    if callable(optimizer):
        return optimizer(groups)
    if optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=lr, weight_decay=weight_decay, fused=_fusible(groups))
    return torch.optim.SGD(groups, lr=lr, momentum=0.9, weight_decay=weight_decay)


def _fusible(groups: list[dict]) -> bool:
    """Whether AdamW can do a step in one pass over memory: on a CPU about five times as fast, the same rule."""
    weights = [parameter for group in groups for parameter in group["params"]]
    return all(weight.is_floating_point() and weight.device.type in ("cpu", "cuda") for weight in weights)


def make_schedule(name: str, optimizer: torch.optim.Optimizer, steps: int):
    """One-cycle (Smith and Topin 2018): warm up for 30 % of the steps, then anneal to nothing; or a constant rate."""
    if name == "constant":
        return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
    rates = [group["lr"] for group in optimizer.param_groups]
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, total_steps=steps + 1, cycle_momentum=False)
