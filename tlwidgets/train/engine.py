"""Training a model under a freeze plan: the options, checked before anything is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import nn

from ..core import FreezePlan, ModelTree, apply_plan, parameter_groups
from .control import Control
from .data import Batches, Examples, TaskData, as_task_data, check_learnable
from .events import Event
from .features import FeatureCache
from .loop import Loop, TrainingError, counts
from .memory import gives_back_memory
from .optim import check_names, make_optimizer, make_schedule
from .recipe import Parts, Recipe
from .records import Costs, Run
from .scores import Loss, default_loss
from .snapshots import Snapshots
from .trace import Tracer

__all__ = ["TrainingError", "fit"]

PRECISIONS = ("fp32", "bf16", "fp16")
_shared_cache = FeatureCache()


@gives_back_memory
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
    snapshots: Snapshots | int | None = None,
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
        snapshots: keep the state every so many steps (a number, or a `Snapshots`), so that the run can be forked (`fork`).
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
    asked = dict(locals())
    snapshots = _as_snapshots(asked.pop("snapshots"), checkpoint)
    control, on_event = asked.pop("control"), asked.pop("on_event")
    loop = make_loop(asked, control, on_event)
    if snapshots is not None:
        options = {name: value for name, value in asked.items() if name != "model"}
        snapshots.begin(options, loop.parts.all())
        loop.snapshots = snapshots
    return run_loop(loop)


def make_loop(asked: Mapping, control: Control | None, on_event: Callable[[Event], None] | None) -> Loop:
    """Check `fit`'s arguments, freeze as its plan says, and have everything ready for the first step."""
    o = SimpleNamespace(**asked)
    model, plan, data = o.model, o.plan, as_task_data(o.data)
    _check_counts(
        epochs=o.epochs, batch_size=o.batch_size, accumulate=o.accumulate, valid_every=o.valid_every
    )
    check_names(o.optimizer, o.schedule, o.lr, o.warmup)
    target = _pick_device(o.device)
    _check_choices(o.precision, o.patience, data, target)
    parts = Parts(
        Batches(data.train, "training", target),
        Batches(data.valid, "validation", target) if data.valid is not None else None,
        Batches(data.test, "test", target) if data.test is not None else None,
    )
    if o.loss is None:
        check_learnable(parts.train)
    tree = plan.tree if plan is not None else ModelTree.of(model)
    named = parameter_groups(tree, model, o.lr)
    if plan is not None:
        apply_plan(plan, model)
    _check_something_learns(model)
    model.to(target)
    made = make_optimizer(o.optimizer, named, _highest(o.lr), o.weight_decay)
    recipe = Recipe(
        epochs=o.epochs,
        batch_size=o.batch_size,
        accumulate=o.accumulate,
        group_by_length=o.group_by_length,
        precision=o.precision,
        patience=o.patience,
        valid_every=o.valid_every,
        cache=_shared_cache if o.cache is True else o.cache or None,
        checkpoint=Path(o.checkpoint) if o.checkpoint is not None else None,
        unfreeze=dict(o.unfreeze or {}),
        source=o.source if o.source is None or callable(o.source) else Batches(o.source, "source", target),
        augment=o.augment,
        trace_every=o.trace_every,
    )
    config = {
        "epochs": o.epochs,
        "batch_size": o.batch_size,
        "lr": dict(o.lr) if isinstance(o.lr, Mapping) else o.lr,
        "optimizer": o.optimizer
        if isinstance(o.optimizer, str)
        else getattr(o.optimizer, "__name__", "custom"),
        "weight_decay": o.weight_decay,
        "schedule": o.schedule,
        "warmup": o.warmup,
        "seed": o.seed,
        "accumulate": o.accumulate,
        "group_by_length": o.group_by_length,
        "precision": o.precision,
        "patience": o.patience,
        "valid_every": o.valid_every,
        "examples": parts.train.size,
        "plan": plan.to_dict() if plan is not None else None,
        "unfreeze": schedule_record(recipe.unfreeze),
    }
    groups = {group["name"]: group["params"] for group in named}
    return Loop(
        model,
        tree,
        parts,
        recipe,
        made,
        make_schedule(o.schedule, made, recipe.steps(parts.train.size), o.warmup),
        o.loss or default_loss(parts.train),
        Tracer(groups) if o.trace else None,
        groups,
        control or Control(),
        on_event or (lambda event: None),
        Run(config, costs=Costs(**counts(model)), device=_device_name(target)),
    )


def run_loop(loop: Loop) -> Run:
    """Train to the end; the caller's random numbers go on as if nothing had been drawn here."""
    with torch.random.fork_rng(devices=[loop.device] if loop.device.type == "cuda" else []):
        torch.manual_seed(loop.run.config["seed"])
        return loop.run_all()


def schedule_record(unfreeze: Mapping[int, FreezePlan]) -> dict[str, dict]:
    """Plans by epoch as plain JSON data."""
    return {str(epoch): plan.to_dict() for epoch, plan in unfreeze.items()}


def _as_snapshots(snapshots: Snapshots | int | None, checkpoint) -> Snapshots | None:
    given = snapshots is None or isinstance(snapshots, Snapshots)
    found = snapshots if given else Snapshots(snapshots)
    if found is not None and checkpoint is not None:
        raise ValueError(
            "A run with a checkpoint can't keep snapshots: after going on from the checkpoint its first steps would be "
            "missing. Leave out one of `checkpoint` and `snapshots`."
        )
    return found


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
