"""Putting a plan into effect on a model and its optimizer."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import compress
from typing import Any

import torch
from torch import nn

from .argument_order import model_first
from .errors import NothingTrainableError, OptimizerError
from .groups import bit_set, bits_of, flags
from .hold import hold, is_held, keep_dense, nests, protect_weight, release, renormalises
from .plan import FreezePlan
from .scan import Scan, scan
from .structure import Flags, Structure
from .tree import ModelTree


@dataclass(frozen=True)
class Change:
    """One shown group that changed: from one state to another, and why its modules follow."""

    group: str
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class PlanDiff:
    """What applying a plan changed.

    Attributes:
        changed: rows of the tree whose state changed.
        frozen, thawed: names of parameters whose `requires_grad` was switched.
        held, released: number of modules newly kept in `eval`, and released from it.
        warnings: sentences a person should read.
    """

    changed: tuple[Change, ...]
    frozen: tuple[str, ...]
    thawed: tuple[str, ...]
    held: int
    released: int
    warnings: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.frozen or self.thawed or self.held or self.released)

    def __str__(self) -> str:
        if not self:
            return "Nothing changed: the model already follows the plan."
        lines = [f"{len(self.frozen)} weights frozen, {len(self.thawed)} thawed."]
        lines += [f"  {change.label}: {change.before} -> {change.after}" for change in self.changed]
        if self.held:
            lines.append(f"  {self.held} modules now stay in eval mode (no dropout, no moving statistics).")
        if self.released:
            lines.append(f"  {self.released} modules follow model.train() again.")
        return "\n".join(lines + [f"  Note: {warning}" for warning in self.warnings])


def freeze(
    model: nn.Module,
    preset: str = "feature-extraction",
    *,
    optimizer: torch.optim.Optimizer | None = None,
    **options: Any,
) -> FreezePlan:
    """Freeze and thaw `model` in place in one of the usual ways; return the plan that says what learns now.

    ```python
    plan = freeze(model, "last", k=2)   # the last two layers and the head learn
    run = fit(model, plan, data)        # audit(model, plan), estimate_cost(model, plan) take it too
    freeze(model, "full")               # everything learns again
    ```

    It does what `FreezePlan.preset` and `apply_plan` do one after the other; call those to see what a plan
    changes (`PlanDiff`), or to apply a plan of your own.

    Args:
        preset: one of `PRESETS`: "feature-extraction" (only the head learns), "last", "full",
            "norms-and-biases", "lora".
        optimizer: the optimizer that trains the model, if there is one; it drops what it kept for frozen
            weights.
        options: the preset's own, such as `k` of "last", and `head` as in `FreezePlan.preset`.

    Warns:
        UserWarning: each of the difference's warnings.

    Raises:
        FreezeError: unknown preset or option, or one that does not fit this model.
        NothingTrainableError: nothing of this model would learn.
        OptimizerError: `optimizer` lacks weights that the plan trains.
    """
    plan = FreezePlan.preset(model, preset, **options)
    for sentence in apply_plan(model, plan, optimizer).warnings:
        warnings.warn(sentence, stacklevel=2)
    return plan


def apply_plan(
    model: nn.Module, plan: FreezePlan, optimizer: torch.optim.Optimizer | None = None
) -> PlanDiff:
    """Freeze and thaw `model` in place as `plan` says.

    Call it between training steps, never between `backward` and `step`.
    Frozen weights lose their gradient, so that no optimizer touches them, and their optimizer state, so that
    its memory is free; frozen modules stay in `eval` through every later `model.train()`. Nothing is changed
    when an error is raised.

    Raises:
        NothingTrainableError: the plan freezes everything.
        StructureChangedError: the plan was made for another model.
        OptimizerError: `optimizer` lacks weights that the plan trains.
    """
    model, plan = model_first(model, plan, nn.Module, "apply_plan(model, plan)")
    if plan.trains_nothing:
        raise NothingTrainableError(
            "This plan freezes everything, so training could change nothing (and backward() would fail). "
            "Thaw at least one group, the head for instance: plan.with_policy(group, 'trained')."
        )
    structure = Structure(model)
    return apply_to(structure, structure.flags(), plan, optimizer)[0]


def apply_to(
    structure: Structure, now: Flags, plan: FreezePlan, optimizer: torch.optim.Optimizer | None = None
) -> tuple[PlanDiff, Flags]:
    """`apply_plan`, of a model whose structure and flags are at hand; the plan trains something.

    Returns:
        What changed, and the model's flags after it.

    Raises:
        StructureChangedError, OptimizerError: as `apply_plan` does.
    """
    scanned, model = structure.scan, structure.model
    plan.tree.check(structure.parameter_names)
    if optimizer is not None:
        _check_optimizer(plan, scanned, optimizer)
    before = FreezePlan.of_flags(now, plan.tree)
    notes = _notes(plan, model, optimizer)
    frozen, thawed = _switch_gradients(plan, scanned, now, optimizer)
    held, released, after = _switch_modes(plan, structure, now)
    changed = tuple(
        Change(row.id, row.label, was, will)
        for row in (plan.tree.root.children if before._bits != plan._bits else ())
        if (was := before.state(row.id)) != (will := plan.state(row.id))
    )
    diff = PlanDiff(changed, tuple(frozen), tuple(thawed), held, released, tuple(notes))
    if diff and hasattr(model, "dynamo_ctx"):
        torch.compiler.reset()  # compiled graphs remember what was frozen
    return diff, after


def parameter_groups(
    model: nn.Module,
    plan_or_tree: FreezePlan | ModelTree | None = None,
    lr: float | Mapping[str, float] = 1e-3,
) -> list[dict[str, Any]]:
    """Every parameter of `model`, frozen ones too, in one optimizer group per row of the tree.

    With all of them in the optimizer from the start, layers can be thawed later without adding groups (which
    breaks learning-rate schedulers); a frozen weight has no gradient, and optimizers pass over it.

    Args:
        plan_or_tree: whose rows the groups are; None: the model's tree as it is now.
        lr: one learning rate, or one for each row of the tree by id (discriminative rates).

    Raises:
        OptimizerError: `lr` lacks a row, or names something that is not a row of the tree.
        StructureChangedError: the plan or tree was made for another model.
    """
    model, plan_or_tree = model_first(model, plan_or_tree, nn.Module, "parameter_groups(model, plan)")
    tree = plan_or_tree.tree if isinstance(plan_or_tree, FreezePlan) else plan_or_tree or ModelTree.of(model)
    scanned = scan(model)
    tree.check(scanned.names)
    by_name = dict(zip(scanned.names, scanned.parameters, strict=True))
    taken: set[str] = set()
    groups = []
    _check_rates(lr, [row.id for row in tree.rows])
    for row in tree.rows:
        names = [
            name
            for name in row.parameters
            if name not in taken and (by_name[name].is_floating_point() or by_name[name].is_complex())
        ]
        taken.update(names)
        if not names:
            continue
        if isinstance(lr, Mapping) and row.id not in lr:
            raise OptimizerError(
                f"No learning rate for the group {row.id!r}. Expected one for each row of the tree: "
                "discriminative_rates(tree, lr) gives them all."
            )
        rate = lr[row.id] if isinstance(lr, Mapping) else lr
        groups.append({"name": row.id, "params": [by_name[name] for name in names], "lr": rate})
    return groups


def _check_rates(lr: float | Mapping[str, float], rows: list[str]) -> None:
    unknown = [name for name in lr if name not in rows] if isinstance(lr, Mapping) else []
    if unknown:
        near = difflib.get_close_matches(str(unknown[0]), rows, 3, cutoff=0.3) or rows[:3]
        raise OptimizerError(
            f"There is a learning rate for {unknown[0]!r}, which is not a row of the tree. The nearest are "
            f"{', '.join(map(repr, near))}."
        )


def _check_optimizer(plan: FreezePlan, scanned: Scan, optimizer: torch.optim.Optimizer) -> None:
    known = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    missing = [
        scanned.names[place]
        for place in bits_of(plan._bits.gradients)
        if id(scanned.parameters[place]) not in known
    ]
    if missing:
        raise OptimizerError(
            f"The optimizer lacks {len(missing)} of the weights that the plan trains "
            f"(`{missing[0]}`, ...), so they would never move. Make it with all of them from the start: "
            "torch.optim.AdamW(parameter_groups(model, plan))."
        )


def _notes(plan: FreezePlan, model: nn.Module, optimizer: torch.optim.Optimizer | None) -> list[str]:
    found = list(plan.notes)
    if isinstance(optimizer, torch.optim.LBFGS):
        found.append("LBFGS keeps one history for all weights: make a new one after freezing or thawing.")
    if hasattr(model, "dynamo_ctx"):
        found.append("The model is compiled: it compiles again at its next step.")
    if plan.name == "feature-extraction":
        learning = plan.trainable
        found += [
            f"The head learns, and {tied.explanation}" for tied in plan.tree.tied if tied.names[0] in learning
        ]
    return found


def _switch_gradients(
    plan: FreezePlan, scanned: Scan, before: Flags, optimizer: torch.optim.Optimizer | None
) -> tuple[list[str], list[str]]:
    parameters, names, learning = scanned.parameters, scanned.names, plan._bits.gradients
    learned = bit_set(before.learns)
    to_freeze, to_thaw = bits_of(learned & ~learning), bits_of(learning & ~learned)
    for place in to_freeze:
        parameters[place].requires_grad_(False)
    for place in to_thaw:
        parameters[place].requires_grad_(True)
    stays = flags(~learning & ((1 << len(parameters)) - 1), len(parameters))
    for parameter in compress(parameters, stays):
        # A gradient left over would let momentum and weight decay move a frozen weight.
        if parameter.grad is not None:
            parameter.grad = None
    if optimizer is not None and optimizer.state:
        for parameter in compress(parameters, stays):
            optimizer.state.pop(parameter, None)
    return [names[place] for place in to_freeze], [names[place] for place in to_thaw]


def _switch_modes(plan: FreezePlan, structure: Structure, before: Flags) -> tuple[int, int, Flags]:
    """Hold and release the modules that do not follow the plan yet; returns how many, and the flags then."""
    modules, follows = structure.modules, plan._bits.active
    training = bool(before.training[0]) and not before.held[0]
    in_training, kept = bit_set(before.training), bit_set(before.held)
    every = (1 << len(modules)) - 1
    to_hold = every & ~follows & (in_training | ~kept)
    to_release = follows & (kept | (every & ~in_training if training else 0))
    held = sum(hold(modules[place]) for place in bits_of(to_hold))
    released = sum(release(modules[place], training) for place in bits_of(to_release))
    for module in structure.special:
        if renormalises(module):
            protect_weight(module, frozen=not module.weight.requires_grad)
        elif nests(module):
            keep_dense(module, frozen=any(map(is_held, module.modules())))
    trains = follows if training else follows & in_training & ~kept
    after = Flags(
        flags(plan._bits.gradients, len(before.learns)),
        flags(trains, len(modules)),
        flags(every & ~follows, len(modules)),
    )
    return held, released, after
