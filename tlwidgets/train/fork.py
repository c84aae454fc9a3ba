"""What if? A run, gone on with from one of its steps under another plan or at other rates."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import nn

from ..core import FreezePlan, ModelTree, parameter_groups
from ..core.plan import check_structure
from .checkpoint import frozen_digest, put_weights, shape_difference
from .control import Control
from .data import Batches, as_task_data
from .engine import make_loop, run_loop, schedule_record
from .events import Event
from .optim import change_rates, check_names
from .records import Run
from .snapshots import Snapshots, data_digest


class ForkError(ValueError):
    """A run that can't be forked so. Nothing was changed."""


def fork(
    run: Run,
    model: nn.Module,
    step: int,
    plan: FreezePlan | None = None,
    *,
    lr: float | Mapping[str, float] | None = None,
    unfreeze: Mapping[int, FreezePlan] | None = None,
    control: Control | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Run:
    """Go on with `run` after its `step`-th step, in another way, to the end, and return the record.

    The state after that step is reached from the snapshot before it, by training again on the same batches with the same
    random numbers: on a CPU to the same bits, so that a fork which changes nothing ends where `run` did. The curves of the
    new record are the run's up to `step`. What it was forked from is in `config["fork"]`. It keeps snapshots, too, so a
    fork can be forked.

    Args:
        run: the record of `fit(..., snapshots=...)`, or of a fork. It is not changed.
        model: trained in place. The model that `run` trained, or one with the same pretrained weights: what learned in
            `run` is put back as it was. `copy.deepcopy(model)` keeps the other one as it is.
        step: how many of the run's steps are kept, from 0.
        plan: what is frozen from there on; None goes on as `run` did.
        lr: the highest rate of the schedule from there on, for all or by row; None keeps the run's. The schedule keeps its
            shape: halfway down it, a rate is half of this.
        unfreeze: plans by epoch (counted from the start of `run`); the one that holds at this step is applied here unless
            `plan` is given. None keeps the run's, or drops it where `plan` is given.
        control, on_event: as in `fit`; the steps that are trained again are told, too.

    Raises:
        ForkError: `run` has no snapshots, or no such step; the model or the data are not those of `run`. Nothing was
            changed.
        ValueError, FreezeError: a rate or plan that can't be. Nothing was changed.
        TrainingError: as in `fit`.
    """
    origin = _origin(run, _check_run(run), step)
    kept = origin.snapshots
    record = kept.before(step)
    tree = _check_model(model, run.snapshots.last())
    asked = {**kept.arguments, "model": model, "plan": FreezePlan.from_dict(tree, record["plan"])}
    rates = _check_rates(lr, asked, tree, model)
    for each in [plan, *(unfreeze or {}).values()]:
        if each is not None:
            _check_plan(each, tree)
    _check_data(kept)
    put_weights(run.snapshots.initial(), model)
    loop = make_loop(asked, control, on_event)
    loop.record = record
    later = dict(asked["unfreeze"] or {}) if plan is None else {}
    later = later if unfreeze is None else dict(unfreeze)

    def turn(epoch: int) -> None:
        _compare(loop.run, origin, step)
        loop.recipe = replace(loop.recipe, unfreeze=later)
        now = plan
        if plan is None and unfreeze is not None:
            begun = [each for each in later if each <= epoch]
            now = later[max(begun)] if begun else None
        if now is not None:
            loop.adopt(now, epoch)
        if rates is not None:
            change_rates(loop.optimizer, loop.schedule, rates, loop.groups)
        loop.run.notes.append(
            f"Forked after step {step} of the run {run_digest(origin)}; what is before it is that run's."
        )

    loop.fork = (step, turn)
    loop.run.config = {
        **origin.config,
        "lr": origin.config["lr"] if lr is None else dict(lr) if isinstance(lr, Mapping) else lr,
        "plan": origin.config["plan"] if plan is None else plan.to_dict(),
        "unfreeze": schedule_record(later),
        "fork": {"run": run_digest(origin), "step": step, "changed": _changed(plan, lr, unfreeze)},
    }
    child = Snapshots(kept.asked, kept.folder, disk_bytes=kept.disk_bytes)
    options = {**kept.arguments, "unfreeze": later, "lr": asked["lr"] if lr is None else lr}
    child.begin(options, loop.parts.all())
    child.parent = origin
    loop.snapshots = child
    return run_loop(loop)


def run_digest(run: Run) -> str:
    """Twelve letters that stand for a run: of its options, steps and losses."""
    curves = run.curves
    content = json.dumps(
        [run.config, curves.loss, curves.valid_loss, run.status], sort_keys=True, default=str
    )
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def _check_run(run: Run) -> Snapshots:
    if not isinstance(run, Run):
        raise ForkError(
            f"What is to be forked is a {type(run).__name__}. Expected the Run that fit returned."
        )
    if run.snapshots is None or not run.snapshots.steps:
        raise ForkError(
            "This run kept no snapshots, so there is no way back into it. Train with fit(..., snapshots=25), which keeps "
            "the state every 25 steps (they live as long as the run; a file that Run.save wrote has none)."
        )
    return run.snapshots


def _origin(run: Run, kept: Snapshots, step: int) -> Run:
    """The run itself, or the one it was forked from where the step is before that fork."""
    last = run.steps - (run.status != "stopped")
    if isinstance(step, bool) or not isinstance(step, int) or not 0 <= step <= last:
        raise ForkError(
            f"There is no step {step!r} to fork at: the run made {run.steps:,} steps. Expected a whole number from 0 "
            f"(before the first step) to {last:,}."
        )
    while kept.parent is not None and step < kept.steps[0]:
        run, kept = kept.parent, kept.parent.snapshots
    return run


def _check_model(model: nn.Module, last: dict) -> ModelTree:
    difference = shape_difference(last, model)
    if difference:
        raise ForkError(
            f"The model has another shape than the one that was trained: {difference}. Expected that model, or one made in "
            "the same way."
        )
    if frozen_digest(model, last["learned"]) != last["frozen"]:
        raise ForkError(
            "The weights that stayed frozen in the run are other ones in this model (another fork may have trained it). "
            "Expected the model that the run trained, or a new one with the same pretrained weights."
        )
    return ModelTree.of(model)


def _check_rates(lr, asked: Mapping, tree: ModelTree, model: nn.Module) -> dict[str, float] | None:
    if lr is None:
        return None
    check_names(asked["optimizer"], asked["schedule"], lr, asked["warmup"])
    return {group["name"]: group["lr"] for group in parameter_groups(tree, model, lr)}


def _check_plan(plan: FreezePlan, tree: ModelTree) -> None:
    check_structure(plan.tree, list(tree.parameter_names))
    if not plan.gradient_bits:
        raise ForkError(
            "A plan of this fork freezes everything, so it could learn nothing. Thaw at least one group: "
            "plan.with_policy(group, 'trained')."
        )


def _check_data(kept: Snapshots) -> None:
    data = as_task_data(kept.arguments["data"])
    cpu = torch.device("cpu")
    for name, examples in (("training", data.train), ("validation", data.valid), ("test", data.test)):
        if examples is not None and data_digest(Batches(examples, name, cpu)) != kept.data[name]:
            raise ForkError(
                f"The {name} data were changed since the run: its steps can't be made again. Expected the tensors as "
                "they were; train anew on the new ones with fit."
            )


def _compare(again: Run, before: Run, step: int) -> None:
    """Say so where the steps that were made again came out differently (a GPU, another number of threads)."""
    pairs = zip(again.curves.loss[:step], before.curves.loss[:step], strict=True)
    off = max((abs(one - other) for one, other in pairs if not math.isnan(one)), default=0.0)
    if off:
        again.notes.append(
            f"The steps that were made again differ from the run's, in the loss by at most {off:.1e}: this device does not "
            "compute the same bits twice."
        )


def _changed(plan, lr, unfreeze) -> list[str]:
    return [name for name, value in (("plan", plan), ("lr", lr), ("unfreeze", unfreeze)) if value is not None]
