"""Optimizers, learning-rate schedules, and plans that change from epoch to epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch

from ..core import FreezePlan, ModelTree

OPTIMIZERS = ("adamw", "sgd")
SCHEDULES = ("one-cycle", "linear", "cosine", "constant")


def check_names(optimizer, schedule: str, lr: float | Mapping[str, float], warmup: float) -> None:
    """Refuse what the functions below can't make, before anything is changed.

    Raises:
        ValueError: unknown optimizer or schedule, or a learning rate that is no positive finite number.
    """
    for group, rate in lr.items() if isinstance(lr, Mapping) else [("", lr)]:
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < rate < math.inf:
            of = f" of {group!r}" if group else ""
            raise ValueError(f"The learning rate{of} is {rate!r}. Expected a number above 0, such as 1e-3.")
    if isinstance(warmup, bool) or not isinstance(warmup, (int, float)) or not 0 <= warmup < 1:
        raise ValueError(f"warmup is {warmup!r}. Expected a share of the steps, from 0 up to (not with) 1.")
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


def make_schedule(name: str, optimizer: torch.optim.Optimizer, steps: int, warmup: float):
    """How the rates change over the steps, from what each group of the optimizer was given.

    "one-cycle" (Smith and Topin 2018) climbs over the `warmup` share of the steps, then anneals to nothing; "linear" and
    "cosine" do so in a straight line or half a wave; "constant" stays, after the climb.
    """
    if name == "one-cycle" and warmup:
        rates = [group["lr"] for group in optimizer.param_groups]
        if warmup * (steps + 1) == 1:  # the top is the first step, and PyTorch divides by the steps before it
            warmup = math.nextafter(warmup, 0)
        return torch.optim.lr_scheduler.OneCycleLR(
            optimizer, rates, total_steps=steps + 1, pct_start=warmup, cycle_momentum=False
        )
    climb = round(warmup * steps)

    def factor(step: int) -> float:
        if step < climb:
            return (step + 1) / (climb + 1)
        left = (steps - step) / max(1, steps - climb)
        if name == "constant":
            return 1.0
        return left if name == "linear" else 0.5 * (1 - math.cos(math.pi * left))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def discriminative_rates(tree: ModelTree, lr: float, decay: float = 0.8) -> dict[str, float]:
    """A learning rate for each row of the tree: `lr` for the last, times `decay` for each layer before it.

    Early layers hold what is general and should move less (Howard and Ruder 2018, who divide by 2.6 a layer).

    Raises:
        ValueError: `decay` is not above 0 and at most 1.
    """
    if not 0 < decay <= 1:
        raise ValueError(f"decay is {decay!r}. Expected a factor above 0 and at most 1, such as 0.8.")
    rows = tree.root.children or (tree.root,)
    layers = [row.id for row in rows if row.id in tree.layers or row.kind == "layers"]
    rates, depth = {}, 0
    for row in reversed(rows):
        if row.id in layers:
            depth += 1
        after_all = row.id not in layers and layers and depth == len(layers)
        rates[row.id] = lr * decay ** (depth + bool(after_all))
    return {row.id: rates[row.id] for row in rows}


def gradual_unfreezing(
    tree: ModelTree, *, every: int = 1, start: FreezePlan | None = None
) -> dict[int, FreezePlan]:
    """Plans by epoch: from `start` (the head alone), thaw one more layer every so many epochs, the last layer first.

    `fit(..., plan=schedule[1], unfreeze=schedule)` trains by it (Howard and Ruder 2018). The embeddings come last.

    Raises:
        ValueError: `every` is no whole number above 0.
        FreezeError: the model has no head or layers to begin with.
    """
    if isinstance(every, bool) or not isinstance(every, int) or every < 1:
        raise ValueError(f"every is {every!r}. Expected a whole number of epochs, 1 or more.")
    plan = start or FreezePlan.preset("feature-extraction", tree)
    schedule, epoch = {1: plan}, 1
    rows = [
        child for row in tree.root.children for child in (row.children if row.kind == "layers" else [row])
    ]
    for row in reversed(rows):
        if row.tied_to or row.fixed or plan.state(row.id) == "trained":
            continue
        epoch += every
        plan = plan.with_policy(row.id, "trained")
        schedule[epoch] = plan
    return schedule


def change_rates(
    optimizer: torch.optim.Optimizer, schedule, rates: Mapping[str, float], rows: Mapping[str, list]
) -> None:
    """Give each row another highest rate, in the middle of a schedule, which keeps its shape.

    Args:
        rates: the new highest rate by row.
        rows: each row's parameters.
    """
    row_of = {id(weight): name for name, weights in rows.items() for weight in weights}
    for index, group in enumerate(optimizer.param_groups):
        factor = rates[row_of[id(group["params"][0])]] / group.get("max_lr", group["initial_lr"])
        for key in ("lr", "initial_lr", "max_lr", "min_lr"):
            if key in group:
                group[key] *= factor
        schedule.base_lrs[index] *= factor
