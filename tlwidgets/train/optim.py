"""Optimizers, learning-rate schedules, and plans that change from epoch to epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeAlias

import torch
from torch import nn
from torch.optim.lr_scheduler import LRScheduler

from ..core import FreezeError, FreezePlan, ModelTree, OptimizerError
from ..core.towers import depths
from .whole_numbers import check_whole_number

Rates: TypeAlias = float | Mapping[str, float]
"""One learning rate for all, or one for each row of a model's tree, by id."""

MakeOptimizer: TypeAlias = Callable[[list[dict[str, Any]]], torch.optim.Optimizer]
"""From parameter groups to an optimizer that holds them."""

OptimizerName: TypeAlias = Literal["adamw", "sgd"]
ScheduleName: TypeAlias = Literal["one-cycle", "linear", "cosine", "constant"]


def check_rates(lr: Rates) -> None:
    """Reject a learning rate that is not a positive finite number.

    Raises:
        ValueError: it is not, or that of a row is not.
    """
    for group, rate in lr.items() if isinstance(lr, Mapping) else [("", lr)]:
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < rate < math.inf:
            of = f" of {group!r}" if group else ""
            raise ValueError(f"The learning rate{of} is {rate!r}. Expected a number above 0, such as 1e-3.")


def make_optimizer(
    optimizer: OptimizerName | MakeOptimizer,
    groups: list[dict[str, Any]],
    lr: float,
    weight_decay: float,
) -> torch.optim.Optimizer:
    """Make an optimizer that holds every parameter; it skips frozen ones, which have no gradient.

    Args:
        optimizer: "adamw", "sgd" (momentum 0.9), or a function from `groups` to an optimizer.
        groups: parameter groups, as `parameter_groups` makes them.
        lr: for groups that have none of their own.
        weight_decay: for groups that have none of their own.

    Raises:
        OptimizerError: the function returned something else.
    """
    if callable(optimizer):
        made = optimizer(groups)
        if not isinstance(made, torch.optim.Optimizer):
            raise OptimizerError(
                f"The function `optimizer` returned a {type(made).__name__}. Expected a "
                "torch.optim.Optimizer of the groups that it was given."
            )
        return made
    if optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=lr, weight_decay=weight_decay, fused=_fusible(groups))
    return torch.optim.SGD(groups, lr=lr, momentum=0.9, weight_decay=weight_decay)


HEAD_RATE, WHOLE_RATE = 1e-3, 5e-5


def default_rate(model: nn.Module, plans: Iterable[FreezePlan]) -> tuple[float, str]:
    """A learning rate by what learns now and under these plans, and a sentence that says which it is.

    A new head starts from nothing; pretrained weights should move little (Devlin et al. 2019 take 2e-5 to
    5e-5).
    """
    learning = {name for name, weight in model.named_parameters() if weight.requires_grad}
    learning.update(name for plan in plans for name in plan.trainable)
    try:
        head = FreezePlan.preset(model, "feature-extraction").trainable
    except FreezeError:  # the model has none
        head = frozenset()
    if learning <= set(head):
        return HEAD_RATE, f"lr=None: only the head learns, so the learning rate is {HEAD_RATE:g}."
    return WHOLE_RATE, f"lr=None: more than the head learns, so the learning rate is {WHOLE_RATE:g}."


def spare_norms_and_biases(model: nn.Module, groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same groups, with biases and the weights of normalisation layers in groups without weight decay."""
    spared = {
        id(weight)
        for module in model.modules()
        for name, weight in module.named_parameters(recurse=False)
        if "bias" in name or "norm" in type(module).__name__.lower()
    }
    parts = []
    for group in groups:
        decayed = [weight for weight in group["params"] if id(weight) not in spared]
        rest = [weight for weight in group["params"] if id(weight) in spared]
        parts += [{**group, "params": decayed}] if decayed else []
        parts += [{**group, "params": rest, "weight_decay": 0.0}] if rest else []
    return parts


def _fusible(groups: list[dict[str, Any]]) -> bool:
    """Whether AdamW can make a step in one pass over memory: the same rule, five times as fast on a CPU."""
    weights = [parameter for group in groups for parameter in group["params"]]
    return all(weight.is_floating_point() and weight.device.type in ("cpu", "cuda") for weight in weights)


def make_scheduler(
    name: ScheduleName, optimizer: torch.optim.Optimizer, steps: int, warmup: float
) -> LRScheduler:
    """Return the scheduler that changes the rates over the steps, from the rate that each group of the
    optimizer was given.

    "one-cycle" (Smith and Topin 2018) climbs during the `warmup` share of the steps, then anneals to nothing;
    "linear" and "cosine" fall in a straight line or half a wave after the climb; "constant" stays at the top.
    """
    if name == "one-cycle" and warmup:
        rates = [group["lr"] for group in optimizer.param_groups]
        if (
            warmup * (steps + 1) == 1
        ):  # the top would be the first step, and PyTorch divides by the steps before it
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


def discriminative_rates(model: nn.Module | ModelTree, lr: float, decay: float = 0.8) -> dict[str, float]:
    """A learning rate for each row of a model's tree: `lr` for the last, times `decay` for each layer before.

    Early layers hold what is general and should move less (Howard and Ruder 2018, who divide by 2.6 a layer).
    In a model of several towers (an encoder and a decoder, text and images) each is counted from its own top.

    Raises:
        ValueError: `decay` is not above 0 and at most 1.
    """
    if not 0 < decay <= 1:
        raise ValueError(f"decay is {decay!r}. Expected a factor above 0 and at most 1, such as 0.8.")
    tree = ModelTree.of(model)
    return {id: lr * decay**depth for id, depth in depths(tree.rows, tree.towers, tree.head).items()}


def gradual_unfreezing(
    model: nn.Module | ModelTree, *, every: int = 1, start: FreezePlan | None = None
) -> dict[int, FreezePlan]:
    """Plans by epoch: from `start` (None: the head alone), thaw one more layer every `every` epochs.

    `fit(model, schedule[1], data, unfreeze=schedule)` trains by them (Howard and Ruder 2018). The last layer
    comes first, the embeddings last; of several towers, each one's last layer first.

    Raises:
        ValueError: `every` is not a whole number above 0.
        FreezeError: the model has no head or layers to begin with.
    """
    check_whole_number("every", every)
    tree = ModelTree.of(model)
    plan = start or FreezePlan.preset(tree, "feature-extraction")
    schedule, epoch = {1: plan}, 1
    rows = [row.id for row in reversed(tree.unfolded_rows) if not row.tied_to and not row.fixed]
    several = len(tree.towers) > 1
    steps: dict[object, list[str]] = {}
    for id in sorted(rows, key=tree.depths.__getitem__) if several else rows:
        steps.setdefault(tree.depths[id] if several else id, []).append(id)
    for ids in steps.values():
        frozen = [id for id in ids if plan.state(id) != "trained"]
        for id in frozen:
            plan = plan.with_policy(id, "trained")
        if frozen:
            epoch += every
            schedule[epoch] = plan
    return schedule


def change_rates(
    optimizer: torch.optim.Optimizer,
    scheduler: LRScheduler,
    rates: Mapping[str, float],
    rows: Mapping[str, list[nn.Parameter]],
) -> None:
    """Give each row another highest rate in the middle of a schedule, which keeps its shape.

    Args:
        optimizer: changed in place.
        scheduler: changed in place.
        rates: the new highest rate of each row.
        rows: the parameters of each row.
    """
    row_of = {id(weight): name for name, weights in rows.items() for weight in weights}
    for index, group in enumerate(optimizer.param_groups):
        factor = rates[row_of[id(group["params"][0])]] / group.get("max_lr", group["initial_lr"])
        for key in ("lr", "initial_lr", "max_lr", "min_lr"):
            if key in group:
                group[key] *= factor
        scheduler.base_lrs[index] *= factor
