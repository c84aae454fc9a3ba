"""Training a model under a freeze plan: the options, checked before anything is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import nn

from ..core import FreezePlan, ModelTree, apply_plan, parameter_groups
from .control import Control
from .data import Batches, Examples, TaskData, as_task_data, check_learnable
from .events import Event
from .features import FeatureCache
from .loop import Loop, Parts, Recipe, TrainingError, counts
from .optim import check_names, make_optimizer, make_schedule
from .records import Costs, Run
from .scores import Loss, default_loss
from .trace import Tracer

__all__ = ["TrainingError", "fit"]

PRECISIONS = ("fp32", "bf16", "fp16")
_shared_cache = FeatureCache()


def fit(
    model: nn.Module,
    plan: FreezePlan | None,
    data: TaskData,
    *,
    epochs: int = 3,
    batch_size: int = 16,
    lr: float | Mapping[str, float] = 1e-3,
    optimizer="adamw",
    weight_decay: float = 0.01,
    schedule: str = "one-cycle",
    warmup: float = 0.3,
    seed: int = 0,
    device: str | torch.device | None = None,
    loss: Loss | None = None,
    accumulate: int = 1,
    group_by_length: bool = False,
    precision: str = "fp32",
    patience: int | None = None,
    valid_every: int = 1,
    unfreeze: Mapping[int, FreezePlan] | None = None,
    cache: bool | FeatureCache = True,
    augment: Callable | None = None,
    source: Examples | Callable[[nn.Module], float] | None = None,
    checkpoint: str | Path | None = None,
    trace: bool = True,
    trace_every: int = 0,
    control: Control | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Run:
    """Train `model` in place under `plan` and return the record. The model is left in evaluation mode.

    What is frozen below the first part that learns is computed once and read back at each pass, where that changes
    nothing (`Run.cache` says whether, and why not).

    Args:
        model: any module; one of `transformers` is called with the inputs' names and may return `.logits`.
        plan: what is frozen; None keeps the model as it is.
        data: a `TaskData` (see there), or training examples alone.
        lr: the highest rate of the schedule, for all, or for each row of the model's tree by id (`discriminative_rates`).
        optimizer: "adamw", "sgd" (momentum 0.9), or a function from parameter groups to an optimizer.
        schedule: "one-cycle", "linear", "cosine" or "constant"; `warmup` is the share of the steps in which it climbs.
        seed: draws the order of the examples and dropout; the same seed gives the same bits on a CPU.
        device: None takes the GPU if there is one, else the CPU.
        loss: function of (outputs, labels); None takes cross-entropy for class numbers, mean squared error else.
        accumulate: batches whose gradients make one step.
        group_by_length: put texts of about the same length into a batch, so that less padding is computed.
        precision: "fp32"; "bf16" or "fp16" for mixed precision (on a GPU; on a CPU "bf16" works, and is slow).
        patience: stop when the validation loss has not fallen for so many epochs, and take the best epoch's weights.
        valid_every: look at the validation data after each so-manieth epoch, and after the last.
        unfreeze: plans by epoch (from 1), each applied before its epoch (`gradual_unfreezing`).
        cache: where features of the frozen part are kept; True is a cache that this process shares, False computes
            them anew at each pass.
        augment: function of a batch's inputs (a tensor, or a mapping) to changed ones, at each training step.
        source: examples of the source task, or a function from the model to an accuracy: measured before training and
            after each epoch.
        checkpoint: a file that an unfinished run leaves, at each epoch and when it is stopped; the same call goes on from
            it. It is removed at the end.
        trace: measure gradients and drift of each group, at the first step and the last of each epoch;
            `trace_every` adds each so-manieth step.
        control: pause, stop and commands from another thread, honoured before the next step.
        on_event: called in the training thread with each `Event`.

    Raises:
        ValueError, TypeError: data or options that can't be trained on; no weight was changed.
        FreezeError: a plan that can't be applied; nothing was changed.
        CheckpointError: the checkpoint is damaged, of another model or of other options; no weight was changed.
        TrainingError: the loss became infinite or NaN, or memory ran out; `.run` has what was measured.
    """
    data = as_task_data(data)
    _check_counts(epochs=epochs, batch_size=batch_size, accumulate=accumulate, valid_every=valid_every)
    check_names(optimizer, schedule, lr, warmup)
    target = _pick_device(device)
    _check_choices(precision, patience, data, target)
    parts = Parts(
        Batches(data.train, "training", target),
        Batches(data.valid, "validation", target) if data.valid is not None else None,
        Batches(data.test, "test", target) if data.test is not None else None,
    )
    if loss is None:
        check_learnable(parts.train)
    tree = plan.tree if plan is not None else ModelTree.of(model)
    named = parameter_groups(tree, model, lr)
    if plan is not None:
        apply_plan(plan, model)
    _check_something_learns(model)
    model.to(target)
    made = make_optimizer(optimizer, named, _highest(lr), weight_decay)
    recipe = Recipe(
        epochs=epochs,
        batch_size=batch_size,
        accumulate=accumulate,
        group_by_length=group_by_length,
        precision=precision,
        patience=patience,
        valid_every=valid_every,
        cache=_shared_cache if cache is True else cache or None,
        checkpoint=Path(checkpoint) if checkpoint is not None else None,
        unfreeze=dict(unfreeze or {}),
        source=source if source is None or callable(source) else Batches(source, "source", target),
        augment=augment,
        trace_every=trace_every,
    )
    config = {
        "epochs": epochs,
        "batch_size": batch_size,
        "lr": dict(lr) if isinstance(lr, Mapping) else lr,
        "optimizer": optimizer if isinstance(optimizer, str) else getattr(optimizer, "__name__", "custom"),
        "weight_decay": weight_decay,
        "schedule": schedule,
        "warmup": warmup,
        "seed": seed,
        "accumulate": accumulate,
        "group_by_length": group_by_length,
        "precision": precision,
        "patience": patience,
        "valid_every": valid_every,
        "examples": parts.train.size,
        "plan": plan.to_dict() if plan is not None else None,
        "unfreeze": {str(epoch): each.to_dict() for epoch, each in recipe.unfreeze.items()},
    }
    groups = {group["name"]: group["params"] for group in named}
    loop = Loop(
        model,
        parts,
        recipe,
        made,
        make_schedule(schedule, made, recipe.steps(parts.train.size), warmup),
        loss or default_loss(parts.train),
        Tracer(groups) if trace else None,
        groups,
        control or Control(),
        on_event or (lambda event: None),
        Run(config, costs=Costs(**counts(model)), device=_device_name(target)),
    )
    # The caller's random numbers go on as if nothing had been drawn here.
    with torch.random.fork_rng(devices=[target] if target.type == "cuda" else []):
        torch.manual_seed(seed)
        return loop.run_all()


def _check_something_learns(model: nn.Module) -> None:
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError(
            "Every weight of this model is frozen, so training could change nothing. Thaw at least one group: "
            "FreezePlan.preset('feature-extraction', tree) trains the head."
        )


def _check_counts(**options: int) -> None:
    for name, value in options.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} is {value!r}. Expected a whole number of at least 1.")


def _check_choices(precision: str, patience: int | None, data: TaskData, device: torch.device) -> None:
    if precision not in PRECISIONS:
        raise ValueError(f"Unknown precision {precision!r}. Expected one of {', '.join(PRECISIONS)}.")
    if precision == "fp16" and device.type == "cpu":
        raise ValueError("precision='fp16' needs a GPU. On a CPU take 'fp32' (or 'bf16').")
    if patience is None:
        return
    _check_counts(patience=patience)
    if data.valid is None:
        raise ValueError(
            "patience looks at the validation loss, and there are no validation data. Give TaskData(valid=...), or leave "
            "patience out."
        )


def _highest(lr: float | Mapping[str, float]) -> float:
    return max(lr.values()) if isinstance(lr, Mapping) else lr


def _pick_device(device: str | torch.device | None) -> torch.device:
    if device is not None:
        return torch.device(device)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return f"cpu ({torch.get_num_threads()} threads)" if device.type == "cpu" else str(device)
