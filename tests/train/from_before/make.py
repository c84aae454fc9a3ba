"""Writes the files of this folder: `python -m tests.train.from_before.make`, with the code of version 0.1.0.

They are what students have on disk. Later versions must read them, so they are never made again.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import torch
from torch import nn

from tlwidgets.core import FreezePlan, ModelTree
from tlwidgets.train import (
    Arena,
    Contender,
    Control,
    Snapshots,
    TaskData,
    discriminative_rates,
    fit,
    fork,
    gradual_unfreezing,
)

HERE = Path(__file__).parent
STOPPED_AFTER = 13
SNAPSHOT_AT = 5
FORKED_AT = 7


def examples(number: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    inputs = torch.randn(number, 4, generator=torch.Generator().manual_seed(seed))
    return inputs, (inputs.sum(1) > 0).long()


DATA = TaskData(examples(48, 1), examples(16, 2), examples(16, 3))


def make_model(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(4, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.2),
        nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2),
    )  # fmt: skip


def train(model: nn.Module, **more):
    """A run with all that a checkpoint must remember: changing plans, rates by row, dropout, best epoch."""
    tree = ModelTree.of(model)
    schedule = gradual_unfreezing(tree)
    return fit(
        model,
        schedule[1],
        DATA,
        epochs=5,
        batch_size=8,
        lr=discriminative_rates(tree, 0.02, 0.7),
        accumulate=2,
        patience=4,
        unfreeze=schedule,
        source=DATA.valid,
        trace_every=2,
        seed=3,
        device="cpu",
        **more,
    )


def task(size: int, seed: int) -> TaskData:
    return TaskData(examples(size, seed), examples(16, 500 + seed), examples(16, 900 + seed))


def arena() -> Arena:
    ways = [("head", "feature-extraction", {}), ("full", "full", {"weight_decay": 0.0})]
    contenders = [
        Contender(
            name,
            make_model,
            lambda tree, plan=plan: FreezePlan.preset(plan, tree),
            (1e-3, 1e-1),
            options=more,
        )
        for name, plan, more in ways
    ]
    return Arena("points", contenders, task, sizes=(16,), seeds=(0, 1), steps=4)


def main() -> None:
    train(make_model()).save(HERE / "whole.run")

    control = Control()
    train(
        make_model(),
        checkpoint=HERE / "checkpoint.pt",
        control=control,
        on_event=lambda event: control.stop() if getattr(event, "step", 0) == STOPPED_AFTER else None,
    )

    model = make_model()
    run = train(model, snapshots=Snapshots(5))
    home = Path(run.snapshots._home.name)
    shutil.copy(home / f"{SNAPSHOT_AT:08d}.pt", HERE / "snapshot.pt")
    rates = {row: 0.01 for row in run.config["lr"]}
    fork(run, model, FORKED_AT, FreezePlan.preset("full", ModelTree.of(model)), lr=rates).save(
        HERE / "fork.run"
    )

    result = arena().fight(HERE / "arena", machine="a machine")
    result.save(HERE / "arena.json")
    about = {"python": sys.version_info[:2], "torch": torch.__version__, "snapshots": run.snapshots.steps}
    (HERE / "about.json").write_text(json.dumps(about) + "\n")


if __name__ == "__main__":
    main()
