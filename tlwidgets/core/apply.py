"""Putting a plan into effect on a model and its optimizer."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from .errors import NothingTrainableError, OptimizerError
from .hold import hold, is_held, protect_weight, release, renormalises
from .plan import FreezePlan, check_structure
from .scan import Scan, scan
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
        held, released: number of modules newly kept in `eval`, or let go.
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
            return "Nothing changed: the model already is as the plan says."
        lines = [f"{len(self.frozen)} weights frozen, {len(self.thawed)} thawed."]
        lines += [f"  {change.label}: {change.before} -> {change.after}" for change in self.changed]
        if self.held:
            lines.append(f"  {self.held} modules now stay in eval mode (no dropout, no moving statistics).")
        if self.released:
            lines.append(f"  {self.released} modules follow model.train() again.")
        return "\n".join(lines + [f"  Note: {warning}" for warning in self.warnings])


def apply_plan(
    plan: FreezePlan, model: nn.Module, optimizer: torch.optim.Optimizer | None = None
) -> PlanDiff:
    """Freeze and thaw `model` in place as `plan` says; call it between steps, never between `backward` and `step`.

    Frozen weights lose their gradient, so that no optimizer touches them, and their optimizer state, so that its memory
    is free; frozen modules stay in `eval` through every later `model.train()`. Nothing is changed when an error is raised.

    Raises:
        NothingTrainableError: the plan freezes everything.
        StructureChangedError: the plan was made of another model.
        OptimizerError: `optimizer` lacks weights that the plan trains.
    """
    if not plan.gradient_bits:
        raise NothingTrainableError(
            "This plan freezes everything, so training could change nothing (and backward() would fail). "
            "Thaw at least one group, the head for instance: plan.with_policy(group, 'trained')."
        )
    scanned = scan(model)
    check_structure(plan.tree, scanned.names)
    if optimizer is not None:
        _check_optimizer(plan, scanned, optimizer)
    before = FreezePlan.from_model(plan.tree, model)
    warnings = _warnings(plan, model, optimizer)
    frozen, thawed = _switch_gradients(plan, scanned, optimizer)
    held, released = _switch_modes(plan, scanned)
    changed = tuple(
        Change(row.id, row.label, was, now)
        for row in plan.tree.root.children
        if (was := before.state(row.id)) != (now := plan.state(row.id))
    )
    diff = PlanDiff(changed, tuple(frozen), tuple(thawed), held, released, tuple(warnings))
    if diff and hasattr(model, "dynamo_ctx"):
        torch.compiler.reset()  # compiled graphs remember what was frozen
    return diff


def parameter_groups(
    plan_or_tree: FreezePlan | ModelTree, model: nn.Module, lr: float | Mapping[str, float] = 1e-3
) -> list[dict]:
    """Every parameter of `model`, frozen ones too, in one optimizer group per row of the tree.

    With all of them in the optimizer from the start, layers can be thawed later without adding groups (which breaks
    learning-rate schedulers); a frozen weight has no gradient, and optimizers pass over it.

    Args:
        lr: one learning rate, or one per group id (discriminative rates); a missing id is an error.

    Raises:
        OptimizerError: `lr` lacks a group, or names one that is no row of the tree.
    """
    tree = plan_or_tree.tree if isinstance(plan_or_tree, FreezePlan) else plan_or_tree
    scanned = scan(model)
    check_structure(tree, scanned.names)
    by_name = dict(zip(scanned.names, scanned.parameters, strict=True))
    taken: set[str] = set()
    groups = []
    rows = tree.root.children or (tree.root,)
    _check_rates(lr, [row.id for row in rows])
    for row in rows:
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
            f"There is a learning rate for {unknown[0]!r}, which is no row of the tree. The nearest are "
            f"{', '.join(map(repr, near))}."
        )


def _check_optimizer(plan: FreezePlan, scanned: Scan, optimizer: torch.optim.Optimizer) -> None:
    known = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    missing = [
        name
        for index, (name, parameter) in enumerate(zip(scanned.names, scanned.parameters, strict=True))
        if plan.gradient_bits >> index & 1 and id(parameter) not in known
    ]
    if missing:
        raise OptimizerError(
            f"The optimizer does not hold {len(missing)} of the weights that the plan trains (`{missing[0]}`, ...), so "
            "they would never move. Make it with all of them from the start: "
            "torch.optim.AdamW(parameter_groups(plan, model))."
        )


def _warnings(plan: FreezePlan, model: nn.Module, optimizer) -> list[str]:
    found = []
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


def _switch_gradients(plan: FreezePlan, scanned: Scan, optimizer) -> tuple[list[str], list[str]]:
    frozen, thawed = [], []
    bits = plan.gradient_bits
    for index, parameter in enumerate(scanned.parameters):
        learns = bool(bits >> index & 1)
        if parameter.requires_grad != learns:
            (thawed if learns else frozen).append(scanned.names[index])
            parameter.requires_grad_(learns)
        if not learns:
            # A gradient left over would let momentum and weight decay move a frozen weight.
            parameter.grad = None
            if optimizer is not None:
                optimizer.state.pop(parameter, None)
    return frozen, thawed


def _switch_modes(plan: FreezePlan, scanned: Scan) -> tuple[int, int]:
    held = released = 0
    active = plan.active_bits
    root = scanned.modules[0].module
    training = root.training and not is_held(root)
    learning = {
        id(parameter) for index, parameter in enumerate(scanned.parameters) if plan.gradient_bits >> index & 1
    }
    known: set[int] = set()
    for entry in scanned.modules:
        module = entry.module
        if id(module) in known:
            continue
        if active >> len(known) & 1:
            released += release(module, training)
        else:
            held += hold(module)
        known.add(id(module))
        if renormalises(module):
            protect_weight(module, frozen=id(module.weight) not in learning)
    return held, released
