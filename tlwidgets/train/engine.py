"""Training a model under a freeze plan: everything is checked before anything is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import nn

from ..core import FreezePlan, ModelTree, apply_plan, parameter_groups
from .compute import autocast_of
from .config import TrainConfig, shows_options
from .control import Control
from .data import Examples, Split, Splits, TaskData, as_task_data
from .datasets import split_of
from .events import Event
from .failures import half_message, half_weight
from .features import FeatureCache
from .looking import (
    check_classes,
    check_labels,
    check_names,
    explained,
    needs_two,
    no_labels,
    try_loss,
    try_out,
)
from .loop import TrainingLoop, steps_of
from .losses import outputs_of
from .memory import gives_back_memory
from .objective import Objective
from .optim import WHOLE_RATE, default_rate, make_optimizer, make_scheduler, spare_norms_and_biases
from .overlaps import half_frozen, overlapping_weights, trained_twice
from .records import Costs, Run
from .remedies import first_line
from .snapshots import Snapshots
from .state import TrainState, count_parameters
from .tasks import give_decoder_inputs, task_of
from .trace import Tracer

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .config import TrainOptions

_shared_cache = FeatureCache()


@shows_options()
@gives_back_memory
def fit(
    model: nn.Module,
    plan: FreezePlan | None,
    data: TaskData | Examples,
    *,
    config: TrainConfig | None = None,
    control: Control | None = None,
    on_event: Callable[[Event], None] | None = None,
    **options: Unpack[TrainOptions],
) -> Run:
    """Train `model` in place under `plan` and return the record. The model is left in evaluation mode.

    The frozen part below the first part that learns is computed once and read back in each pass, if that
    changes nothing (`Run.cache` says whether it did, and why not).

    Args:
        model: any module. One of `transformers` is called with the inputs' names and may return `.logits`.
        plan: the freeze plan; None keeps the model as it is.
        data: a `TaskData` (see there), or training examples alone.
        config: the options, as one record; None takes the defaults.
        control: pause, stop and commands from another thread, honoured before the next step.
        on_event: called in the training thread with each `Event`.
        options: options of `TrainConfig` by name, which override those of `config`.

    Raises:
        ValueError, TypeError: data or options that cannot be trained on; no weight was changed.
        FreezeError: a plan that cannot be applied; nothing was changed.
        CheckpointError: the checkpoint is damaged, of another model or of other options; no weight was
            changed.
        TrainingError: the loss or a gradient became infinite or NaN, memory ran out, or a batch can't be
            trained on though the first one could; `.run` has what was measured.
        others: what functions of yours raise (`loss`, `augment`, `optimizer`, `on_event`).
    """
    settings = TrainConfig.of(config, **options)
    task = as_task_data(data)
    loop = prepare(model, plan, task, settings, control, on_event)
    if settings.snapshots is not None:
        kept = settings.snapshots
        keep_snapshots(loop, kept if isinstance(kept, Snapshots) else Snapshots(kept), task, loop.config)
    return run_loop(loop)


@contextmanager
def _gradients() -> Iterator[None]:
    """Gradients, also where the caller has switched them off."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


@_gradients()
def prepare(
    model: nn.Module,
    plan: FreezePlan | None,
    data: TaskData,
    config: TrainConfig,
    control: Control | None,
    on_event: Callable[[Event], None] | None,
) -> TrainingLoop:
    """Check that data and options fit together, freeze as `plan` says, and make all ready for the first step.

    Raises:
        ValueError, TypeError, FreezeError: as `fit`.
    """
    device = _pick_device(config.device)
    _check_together(config, data, device)
    _check_not_half(model, plan, config)
    splits = Splits.of(data, device)
    source = config.source
    on_device = source if source is None or callable(source) else split_of(source, "source", device)
    parts = [*splits.all(), *([on_device] if isinstance(on_device, Split) else [])]
    for part in parts:
        give_decoder_inputs(model, part)
    tree = plan.tree if plan is not None else ModelTree.of(model)
    rates = config.lr if config.lr is not None else WHOLE_RATE
    rows = parameter_groups(model, tree, rates)
    if plan is not None:
        apply_plan(model, plan)
    _check_something_learns(model)
    _check_not_for_inference(model)
    model.to(device)
    overlaps = _look_at_overlaps(model, config)
    objective, notes = _look_at(model, parts, config, partial(autocast_of, config.precision, device))
    if config.lr is None:
        rate, chosen = default_rate(model, (config.unfreeze or {}).values())
        config = replace(config, lr=rate)
        notes.append(chosen)
        rows = parameter_groups(model, tree, rate)
    spared = rows if config.decay_norms_and_biases else spare_norms_and_biases(model, rows)
    optimizer = make_optimizer(config.optimizer, spared, config.highest_lr, config.weight_decay)
    groups = {row["name"]: row["params"] for row in rows}
    record = {
        **config.to_json(),
        "examples": splits.train.size,
        "plan": plan.to_dict() if plan is not None else None,
    }
    state = TrainState(
        model=model,
        tree=tree,
        optimizer=optimizer,
        scheduler=make_scheduler(config.schedule, optimizer, steps_of(config, splits.train), config.warmup),
        scaler=torch.amp.GradScaler(device.type, enabled=config.precision == "fp16"),
        groups=groups,
        tracer=Tracer(groups) if config.trace else None,
        run=Run(record, costs=Costs(**count_parameters(model)), device=_device_name(device)),
        device=device,
    )
    _check_something_counts(objective, splits)
    state.run.notes += overlaps + notes
    state.order.manual_seed(config.seed)
    return TrainingLoop(
        state,
        config,
        splits,
        objective,
        source=on_device,
        cache=_shared_cache if config.cache is True else config.cache or None,
        control=control or Control(),
        on_event=_all_of([*([on_event] if on_event is not None else []), *config.callbacks]),
    )


def _all_of(listeners: Sequence[Callable[[Event], object]]) -> Callable[[Event], None]:
    def tell(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return tell


def _look_at(
    model: nn.Module,
    parts: list[Split],
    config: TrainConfig,
    autocast: Callable[[], AbstractContextManager[object]],
) -> tuple[Objective, list[str]]:
    """Try every part of the data on the model, which is left as it was.

    Returns:
        What is minimised and measured, and notes for the record.

    Raises:
        ValueError, TypeError: something that would fail, now or after the last epoch.
    """
    inner = getattr(model, "_orig_mod", model)  # a few examples aren't worth compiling for
    if config.loss is None:
        check_labels(parts)
    try:
        check_names(inner, parts)
        tried = try_out(inner, parts, autocast, partial(outputs_of, labelled=parts[0].labelled))
    except (TypeError, ValueError) as error:
        raise error if parts[0].labelled else no_labels(parts[0], error) from error
    notes = [note for part in parts for note in part.notes]
    task = task_of(inner, parts[0], tried[0][1:] if tried else None, config.loss)
    if task.class_axis and tried:
        notes += check_classes(parts, tried[0].outputs.shape[task.class_axis])
    # The user's loss is not called on training data here: it may count what it is called on, and its first
    # call comes before any weight has moved.
    own = config.loss is not None
    try_loss(task.loss, tried[1:] if own else tried, own=own)
    loss = explained(task.loss, "training") if own else task.loss
    labels = [part.labels for part in parts if part.name != "source"]
    notes += _spare_singles(inner, parts[0], config, autocast)
    partly = not all(part.complete for part in parts if part.name != "source")
    return Objective(loss, labels, own=config.loss, partly=partly, metric=task.metric), notes


def _spare_singles(
    model: nn.Module,
    train: Split,
    config: TrainConfig,
    autocast: Callable[[], AbstractContextManager[object]],
) -> list[str]:
    """Join a last batch of one, which BatchNorm can't take, to the batch before it; returns notes.

    Raises:
        ValueError: every batch would have a single example.
    """
    norm = needs_two(model, train, autocast)
    if not norm:
        return []
    if train.batches_a_pass(config.batch_size) >= train.size:
        raise ValueError(
            f"{norm!r} (BatchNorm) needs batches of at least two examples, and there would be one in each. "
            "Expected a larger batch_size and as many examples."
        )
    if train.last_batch(config.batch_size) != 1:
        return []
    train.merge_last = True
    return [
        f"The last batch of each pass would have a single example, which {norm!r} (BatchNorm) can't take: it "
        "is joined to the batch before it."
    ]


def keep_snapshots(loop: TrainingLoop, snapshots: Snapshots, data: TaskData, config: TrainConfig) -> None:
    """Have the states of this run kept in `snapshots`, with what a fork of it has to know.

    Raises:
        ValueError: they belong to another run.
    """
    snapshots.begin({**vars(config), "snapshots": None}, data, loop.splits)
    loop.snapshots = snapshots


@_gradients()
def run_loop(loop: TrainingLoop) -> Run:
    """Train to the end; the caller's random numbers go on as if nothing had been drawn here.

    What fails before the first step leaves the buffers as they were, too.
    """
    device = loop.state.device
    buffers = [(buffer, buffer.detach().clone()) for buffer in loop.state.model.buffers()]
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(loop.config.seed)
        try:
            return loop.run_all()
        except BaseException:
            if not loop.run.steps:
                loop.state.optimizer.zero_grad(set_to_none=True)
                for buffer, before in buffers:
                    buffer.detach().copy_(before)
            raise


def _check_something_learns(model: nn.Module) -> None:
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError(
            "Every weight of this model is frozen, so training could change nothing. Thaw at least one "
            "group: FreezePlan.preset(model, 'feature-extraction') trains the head."
        )


def _check_not_half(model: nn.Module, plan: FreezePlan | None, config: TrainConfig) -> None:
    plans = [each for each in (plan, *(config.unfreeze or {}).values()) if each is not None]
    half = half_weight(model) if plan is None else ""
    half = half or half_weight(model, {name for each in plans for name in each.trainable})
    if half:
        raise ValueError(half_message(half))


def _look_at_overlaps(model: nn.Module, config: TrainConfig) -> list[str]:
    """Refuse plans that freeze one of two parameters over the same memory; returns notes for the record."""
    pairs = overlapping_weights(model)
    learning = {name for name, weight in model.named_parameters() if weight.requires_grad}
    for names in (learning, *(plan.trainable for plan in (config.unfreeze or {}).values())):
        sentence = half_frozen(pairs, names)
        if sentence:
            raise ValueError(sentence)
    return trained_twice(pairs, learning)


def _check_something_counts(objective: Objective, splits: Splits) -> None:
    for split in splits.all():
        if split.complete and not objective.count(split.labels):
            raise ValueError(
                f"No label of the {split.name} data counts in the loss: all are -100, which it leaves out. "
                "Expected the classes or tokens to learn as labels, and -100 at padding only."
            )


def _check_not_for_inference(model: nn.Module) -> None:
    if any(parameter.is_inference() for parameter in model.parameters()):
        raise ValueError(
            "The weights of this model were made under torch.inference_mode(), so no step can be made with "
            "them. Expected a model made outside it: copy.deepcopy(model), called outside, gives one."
        )


def _check_together(config: TrainConfig, data: TaskData, device: torch.device) -> None:
    """Reject options that this data or this device does not allow."""
    if config.precision == "fp16" and device.type == "cpu":
        raise ValueError("precision='fp16' needs a GPU. On a CPU use 'fp32' (or 'bf16').")
    if config.patience is not None and data.valid is None:
        raise ValueError(
            "patience needs the validation loss, and there are no validation data. Give TaskData(valid=...), "
            "or leave patience out."
        )


def _pick_device(device: str | torch.device | None) -> torch.device:
    if device is not None:
        return _checked_device(device)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def _checked_device(device: str | torch.device) -> torch.device:
    try:
        chosen = torch.device(device)
        torch.zeros(1, device=chosen)
    except (RuntimeError, AssertionError, TypeError, NotImplementedError) as error:
        raise ValueError(
            f"There is no device {device!r:.40} here ({first_line(error)[:80]}). Expected 'cpu', or a GPU of "
            "this machine such as 'cuda'; None takes what there is."
        ) from error
    return chosen


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return f"cpu ({torch.get_num_threads()} threads)" if device.type == "cpu" else str(device)
