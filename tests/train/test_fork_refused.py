"""A fork that cannot be made is refused with a sentence, and the model is as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from tests.train.fork_tasks import (
    STEPS,
    make_data,
    make_model,
    same,
    state,
    train,
)
from tlwidgets.core import FreezeError, FreezePlan, ModelTree
from tlwidgets.train import CheckpointError, ForkError, Run, Snapshots, fork


def refused(sentence, run, model, *arguments, error=ForkError, **options):
    """The fork is refused with this sentence, and the model is as it was."""
    before = state(model)
    flags = [parameter.requires_grad for parameter in model.parameters()]
    with pytest.raises(error, match=sentence):
        fork(run, model, *arguments, **options)
    assert same(before, state(model))
    assert flags == [parameter.requires_grad for parameter in model.parameters()]


@pytest.mark.parametrize("step", [-1, STEPS, 1.5, True, "3", None])
def test_a_step_that_is_none_is_refused(step):
    model = make_model()
    refused("There is no step .* to fork at: the run made 32 steps.*to 31", train(model), model, step)


def test_a_run_without_snapshots_is_refused(tmp_path):
    model = make_model()
    run = train(model, snapshots=None)
    refused("This run kept no snapshots.*fit.*snapshots=25", run, model, 3)
    kept = train(make_model())
    refused("This run kept no snapshots", Run.load(kept.save(tmp_path / "run")), make_model(), 3)
    refused("is a dict. Expected the Run", {}, make_model(), 3)


def test_a_model_of_another_shape_or_with_other_frozen_weights_is_refused():
    model = make_model()
    tree = ModelTree.of(model)
    head = FreezePlan.preset(tree, "feature-extraction")
    run = train(model, head)
    refused("another shape.*0.weight was .8, 4. and is .9, 4.", run, make_model(9), 3)
    fork(run, model, 3, FreezePlan.preset(tree, "full"))
    refused("weights that stayed frozen in the run are different.*another fork", run, model, 3)


@pytest.mark.parametrize("part", ["train", "valid", "test"])
def test_data_that_were_changed_since_are_refused(part):
    data = make_data()
    model = make_model()
    run = train(model, data=data)
    getattr(data, part)[0][0, 0] += 1
    named = {"train": "training", "valid": "validation"}.get(part, part)
    refused(f"The {named} data have changed since the run", run, model, 3)


def test_plans_and_rates_that_cant_be_are_refused():
    model = make_model()
    tree = ModelTree.of(model)
    run = train(model)
    other = FreezePlan.preset(ModelTree.of(nn.Linear(4, 2)), "full")
    refused("made for another shape", run, model, 3, other, error=FreezeError)
    nothing = FreezePlan.all_frozen(tree)
    refused("freezes everything", run, model, 3, nothing)
    refused("freezes everything", run, model, 3, unfreeze={2: nothing})
    refused("learning rate is -1", run, model, 3, lr=-1, error=ValueError)
    refused("No learning rate for the group", run, model, 3, lr={"0": 0.1}, error=FreezeError)


@pytest.mark.parametrize("bad", [0, -5, 2.5, True, "25"])
def test_snapshots_of_a_strange_number_are_refused(bad):
    with pytest.raises(ValueError, match="every is .*Expected a whole number"):
        Snapshots(bad)


def test_snapshots_are_of_one_run_and_go_with_no_checkpoint(tmp_path):
    used = Snapshots(5)
    train(make_model(), snapshots=used)
    with pytest.raises(ValueError, match="belong to another run.*new ones for each run"):
        train(make_model(), snapshots=used)
    with pytest.raises(ValueError, match="Leave out one of `checkpoint` and `snapshots`"):
        train(make_model(), checkpoint=tmp_path / "run.pt")


def test_a_damaged_snapshot_is_told_as_a_sentence():
    model = make_model()
    run = train(model)
    file = Path(run.snapshots._home.name) / "00000010.pt"
    file.write_bytes(file.read_bytes()[:100])
    refused("holds no whole checkpoint", run, model, 12, error=CheckpointError)
    assert fork(run, model, 9).status == "finished"


def test_what_fails_while_a_fork_is_made_ready_leaves_the_trained_model():
    made = []

    def once(groups):
        made.append(groups)
        if len(made) > 1:
            raise RuntimeError("no second optimizer")
        return torch.optim.SGD(groups, lr=0.1)

    model = make_model()
    run = train(model, optimizer=once)
    refused("no second optimizer", run, model, 3, error=RuntimeError)
