"""Optimizers and learning-rate schedules by name."""

from __future__ import annotations

from collections.abc import Callable

import torch

OPTIMIZERS = ("adamw", "sgd")
SCHEDULES = ("one-cycle", "constant")


def make_optimizer(
    optimizer: str | Callable[[list[dict]], torch.optim.Optimizer],
    groups: list[dict],
    lr: float,
    weight_decay: float,
) -> torch.optim.Optimizer:
    """Make an optimizer that holds every parameter, frozen ones too (they have no gradient and are passed over).

    Raises:
        ValueError: unknown name, or a learning rate that is no positive number.
    """
    if not lr > 0:
        raise ValueError(f"The learning rate is {lr!r}. Expected a number above 0, such as 1e-3.")
    if callable(optimizer):
        return optimizer(groups)
    if optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=lr, weight_decay=weight_decay, fused=_fusible(groups))
    if optimizer == "sgd":
        return torch.optim.SGD(groups, lr=lr, momentum=0.9, weight_decay=weight_decay)
    raise ValueError(
        f"Unknown optimizer {optimizer!r}. Expected one of {', '.join(OPTIMIZERS)}, or a function."
    )


def _fusible(groups: list[dict]) -> bool:
    """Whether AdamW can do a step in one pass over memory: on a CPU about five times as fast, the same rule."""
    weights = [parameter for group in groups for parameter in group["params"]]
    return all(weight.is_floating_point() and weight.device.type in ("cpu", "cuda") for weight in weights)


def make_schedule(name: str, optimizer: torch.optim.Optimizer, steps: int):
    """One-cycle (Smith and Topin 2018): warm up for 30 % of the steps, then anneal to nothing; or a constant rate.

    Raises:
        ValueError: unknown name.
    """
    if name == "constant":
        return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
    if name == "one-cycle":
        rates = [group["lr"] for group in optimizer.param_groups]
        return torch.optim.lr_scheduler.OneCycleLR(
            optimizer, rates, total_steps=steps + 1, cycle_momentum=False
        )
    raise ValueError(f"Unknown schedule {name!r}. Expected one of {', '.join(SCHEDULES)}.")
