"""A program that a user could write. It is not run: a type checker reads it, and must find every type in
it."""

import torch
from torch import nn

from tlwidgets import (
    ForkPanel,
    FreezePanel,
    FreezePlan,
    ModelTree,
    Run,
    Snapshots,
    TaskData,
    TrainPanel,
    UnfreezeSchedule,
    UnfreezeSchedulePanel,
    apply_plan,
    audit,
    discriminative_rates,
    estimate_cost,
    fit,
    fork,
    freeze,
    gradual_unfreezing,
    parameter_groups,
    plan_code,
)
from tlwidgets.core import PRESETS, AuditReport, Cost, PlanDiff, Preset, profile
from tlwidgets.models import TextClassifier, load_text_backbone
from tlwidgets.train import TrainOptions


def program(model: nn.Module) -> str:
    plan: FreezePlan = freeze(model, "last", k=2)
    tree: ModelTree = ModelTree.of(model)
    other: FreezePlan = FreezePlan.preset(tree, "full").with_policy(tree.head[0], "frozen")
    again: FreezePlan = FreezePlan.from_dict(model, other.to_dict())
    optimizer = torch.optim.AdamW(parameter_groups(model, again, lr=1e-3))
    diff: PlanDiff = apply_plan(model, again, optimizer)
    cost: Cost = estimate_cost(model, plan, profile(model))
    preset: Preset = PRESETS["last"]
    with audit(model, plan, optimizer) as watch:
        report: AuditReport = watch.report()
    share: float = cost.backward_share
    return f"{diff} {cost.trainable} {share} {report.ok} {preset.title} {plan_code(plan)}"


def trained(head: nn.Module, data: TaskData) -> Run:
    backbone, _ = load_text_backbone()
    model = TextClassifier(backbone, head)
    rates: dict[str, float] = discriminative_rates(model, 1e-3)
    options: TrainOptions = {"epochs": 3, "lr": rates, "snapshots": Snapshots(25)}
    run: Run = fit(model, freeze(model, "feature-extraction"), data, **options)
    schedule: UnfreezeSchedule = UnfreezeSchedule.preset(model, "gradual", 3)
    other: Run = fit(model, schedule.plan(1), data, unfreeze=gradual_unfreezing(model), seed=1)
    accuracy: float | None = other.test_accuracy
    return run if accuracy is None else fork(run, model, 25, lr=1e-4)


def clicked(model: nn.Module, data: TaskData) -> list[Run]:
    freezing = FreezePanel(model)
    freezing.preset("last", k=2)
    plan: FreezePlan = freezing.plan
    schedule: dict[int, FreezePlan] = UnfreezeSchedulePanel(model, 3).schedule
    training = TrainPanel(model, freezing, data, epochs=len(schedule), snapshots=25)
    training.start()
    run: Run = training.wait()
    forks = ForkPanel(training, freezing=freezing)
    forks.move(10)
    forks.fork()
    best: float | None = run.test_accuracy
    return [run, forks.wait()] if best and plan.trainable_count else []


def refused(model: nn.Module, plan: FreezePlan) -> None:
    apply_plan(plan, model)  # type: ignore[arg-type]
    parameter_groups(plan, model)  # type: ignore[arg-type]
    freeze(model, "last", optimizer="adamw")  # type: ignore[arg-type]
    plan.trainable = frozenset()  # type: ignore[misc]
    fit(plan, model, {})  # type: ignore[arg-type]
    fit(model, plan, {}, epoch=3)  # type: ignore[call-arg]
    TrainPanel(model, "last", {})  # type: ignore[arg-type]
    FreezePanel(plan)  # type: ignore[arg-type]
