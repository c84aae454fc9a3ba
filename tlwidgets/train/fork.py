"""What if? A run that continues from one of its steps under another plan or at other rates."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from ..core import FreezePlan, ModelTree, parameter_groups
from .checkpoint import frozen_digest, load_weights, shape_difference
from .config import TrainConfig, plans_to_json
from .control import Control
from .data import Splits, TaskData
from .engine import keep_snapshots, prepare, run_loop
from .events import Event
from .loop import Turn
from .optim import Rates, change_rates, check_rates
from .records import Run
from .restore import restored_on_failure
from .snapshots import Snapshots
from .whole_numbers import is_whole_number


class ForkError(ValueError):
    """A run that cannot be forked with these options. Nothing was changed."""


def fork(
    run: Run,
    model: nn.Module,
    step: int,
    plan: FreezePlan | None = None,
    *,
    lr: Rates | None = None,
    unfreeze: Mapping[int, FreezePlan] | None = None,
    control: Control | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Run:
    """Continue `run` from step `step` to its end in another way, and return the record.

    The state after that step is reached from the snapshot before it, by training again on the same batches
    with the same random numbers: on a CPU to the same bits, so that a fork which changes nothing ends where
    `run` did. Up to `step` the curves of the new record are those of `run`. `config["fork"]` says what it was
    forked from. A fork keeps snapshots, too, so it can be forked.

    Args:
        run: the record of `fit(..., snapshots=...)`, or of a fork. It is not changed.
        model: trained in place. Either the model that `run` trained, or one with the same pretrained weights:
            what learned in `run` is put back as it was. Pass `copy.deepcopy(model)` to keep the trained one.
        step: how many of the run's steps are kept, from 0.
        plan: the freeze plan from there on; None continues as `run` did.
        lr: the highest rate of the schedule from there on, for all or by row; None keeps the run's. The
            schedule keeps its shape: halfway down it, a rate is half of this.
        unfreeze: plans by epoch (counted from the start of `run`). The one for this step is applied here
            unless `plan` is given. None keeps the run's plans, or drops them where `plan` is given.
        control: as in `fit`.
        on_event: as in `fit`; it is also called for the steps that are trained again.

    Raises:
        ForkError: `run` has no snapshots or no such step, or the model or the data are not those of `run`.
            Nothing was changed.
        ValueError, FreezeError: a rate or plan that cannot be used. Nothing was changed.
        TrainingError: as in `fit`.
    """
    origin, kept, data = _origin(run, step)
    record = kept.before(step)
    tree = _check_model(model, run)
    config = TrainConfig(**kept.options)
    rates = _check_rates(model, tree, lr)
    for each in [plan, *(unfreeze or {}).values()]:
        if each is not None:
            _check_plan(each, tree)
    _check_data(kept, data)
    first = _initial(run)
    with restored_on_failure(model, first):
        load_weights(model, first)
        loop = prepare(model, FreezePlan.from_dict(tree, record["plan"]), data, config, control, on_event)
    loop.begin_from = record
    later = dict(config.unfreeze or {}) if plan is None else {}
    later = later if unfreeze is None else dict(unfreeze)

    def turn(epoch: int) -> None:
        _compare(loop.run, origin, step)
        loop.plans = later
        now = plan
        if plan is None and unfreeze is not None:
            begun = [each for each in later if each <= epoch]
            now = later[max(begun)] if begun else None
        if now is not None:
            loop.adopt(now, epoch)
        if rates is not None:
            change_rates(loop.state.optimizer, loop.state.scheduler, rates, loop.state.groups)
        loop.run.notes.append(
            f"Forked after step {step} of the run {run_digest(origin)}; what is before it is that run's."
        )

    loop.turn = Turn(step, turn)
    changed = replace(config, unfreeze=later, lr=config.lr if lr is None else lr)
    loop.run.config = {
        **origin.config,
        "lr": origin.config["lr"] if lr is None else dict(lr) if isinstance(lr, Mapping) else lr,
        "plan": origin.config["plan"] if plan is None else plan.to_dict(),
        "unfreeze": plans_to_json(later),
        "fork": {"run": run_digest(origin), "step": step, "changed": _changed(plan, lr, unfreeze)},
    }
    loop.run.parent = origin
    keep_snapshots(loop, Snapshots(kept.asked, kept.folder, disk_bytes=kept.disk_bytes), data, changed)
    return run_loop(loop)


def run_digest(run: Run) -> str:
    """Twelve hexadecimal digits that stand for a run: a digest of its options, steps and losses."""
    curves = run.curves
    content = json.dumps(
        [run.config, curves.loss, curves.valid_loss, run.status], sort_keys=True, default=str
    )
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def _kept(run: Run) -> Snapshots:
    if not isinstance(run, Run):
        raise ForkError(f"The run to fork is a {type(run).__name__}. Expected the Run that fit returned.")
    if run.snapshots is None or not run.snapshots.steps:
        raise ForkError(
            "This run kept no snapshots, so it cannot be forked. Train with fit(..., snapshots=25), "
            "which keeps the state every 25 steps (they live as long as the run; a file that Run.save wrote "
            "has none)."
        )
    return run.snapshots


def _origin(run: Run, step: int) -> tuple[Run, Snapshots, TaskData]:
    """The run, or the one it was forked from if the step is before that; its snapshots and its data."""
    kept = _kept(run)
    last = run.steps - (run.status != "stopped")
    if not is_whole_number(step, least=0) or step > last:
        raise ForkError(
            f"There is no step {step!r} to fork at: the run made {run.steps:,} steps. Expected a whole "
            f"number from 0 (before the first step) to {last:,}."
        )
    while run.parent is not None and step < kept.steps[0]:
        run = run.parent
        kept = _kept(run)
    assert kept.data is not None  # they were begun with the run
    return run, kept, kept.data


def _initial(run: Run) -> dict[str, Tensor]:
    """The first values of the buffers and of all that learned, in this run or those it was forked from."""
    return _kept(run).initial() | ({} if run.parent is None else _initial(run.parent))


def _check_model(model: nn.Module, run: Run) -> ModelTree:
    last = _kept(run).last()
    difference = shape_difference(model, last)
    if difference:
        raise ForkError(
            f"The model has another shape than the one that was trained: {difference}. Expected that model, "
            "or one made in the same way."
        )
    if frozen_digest(model, last["learned"]) != last["frozen"]:
        raise ForkError(
            "The weights that stayed frozen in the run are different in this model (another fork may have "
            "trained it). Expected the model that the run trained, or a new one with the same pretrained "
            "weights."
        )
    return ModelTree.of(model)


def _check_rates(model: nn.Module, tree: ModelTree, lr: Rates | None) -> dict[str, float] | None:
    """The new rate of each row; None where the run's stay."""
    if lr is None:
        return None
    check_rates(lr)
    return {group["name"]: group["lr"] for group in parameter_groups(model, tree, lr)}


def _check_plan(plan: FreezePlan, tree: ModelTree) -> None:
    plan.tree.check(list(tree.parameter_names))
    if plan.trains_nothing:
        raise ForkError(
            "A plan of this fork freezes everything, so nothing could learn. Thaw at least one group: "
            "plan.with_policy(group, 'trained')."
        )


def _check_data(kept: Snapshots, data: TaskData) -> None:
    changed = kept.changed_data(Splits.of(data, torch.device("cpu")))
    if changed:
        raise ForkError(
            f"The {changed} data have changed since the run, so its steps cannot be repeated. Expected the "
            "tensors as they were; to train on the new ones, call fit."
        )


def _compare(again: Run, before: Run, step: int) -> None:
    """Note whether the repeated steps came out differently (a GPU, another number of threads)."""
    pairs = zip(again.curves.loss[:step], before.curves.loss[:step], strict=True)
    off = max((abs(one - other) for one, other in pairs if not math.isnan(one)), default=0.0)
    if off:
        again.notes.append(
            f"The repeated steps differ from the run's, by at most {off:.1e} in the loss: this "
            "device does not compute the same bits twice."
        )


def _changed(
    plan: FreezePlan | None, lr: Rates | None, unfreeze: Mapping[int, FreezePlan] | None
) -> list[str]:
    return [name for name, value in (("plan", plan), ("lr", lr), ("unfreeze", unfreeze)) if value is not None]
