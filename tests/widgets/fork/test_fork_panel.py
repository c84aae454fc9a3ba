"""The fork panel without a browser: what a fork is, how it is removed, and what is rejected."""

from __future__ import annotations

import copy
import json

import pytest
import torch

from tests.train.fork_tasks import make_data, make_model
from tests.widgets.fork.runs import train
from tlwidgets.core import FreezeError, FreezePlan
from tlwidgets.train import ForkError, Run, TrainingError, fork
from tlwidgets.widgets import ForkPanel, FreezePanel, TrainPanel


def row(panel, name) -> dict:
    return next(each for each in panel.state["rows"] if each["name"] == name)


# -- a fork --------------------------------------------------------------------------------------------


def test_it_forks_as_fork_does_and_leaves_the_run_and_its_model_alone(static):
    run, model = train()
    before, weights = repr(run), copy.deepcopy(model.state_dict())
    panel = ForkPanel(run, model)
    panel.move(11)
    panel.choose_plan("full")
    panel.choose_rate("half")
    panel.fork()
    other = copy.deepcopy(model)
    expected = fork(run, other, 11, FreezePlan.preset(model, "full"), lr=0.01)
    (made,) = panel.forks
    assert made.run.curves == expected.curves
    assert all(map(torch.equal, made.model.state_dict().values(), other.state_dict().values()))
    assert repr(run) == before
    assert all(map(torch.equal, model.state_dict().values(), weights.values()))


def test_the_code_behind_the_button_does_the_same(static):
    run, model = train()
    panel = ForkPanel(run, model)
    for plan, rate, step in (("full", "twice", 3), ("last", "same", 17), ("as", "tenth", 9)):
        panel.choose_plan(plan)
        panel.choose_rate(rate)
        panel.move(step)
        space = {"run": run, "model": model, "forks": panel}
        exec(panel.code, space)
        panel.fork()
        assert panel.wait().curves == space["other"].curves


def test_without_a_change_the_fork_lies_on_the_run(static):
    run, model = train()
    panel = ForkPanel(run, model)
    panel.move(10)
    panel.fork()
    assert panel.wait().curves == run.curves
    lines = panel.state["lines"]
    assert lines[1]["loss"] == [point for point in lines[0]["loss"] if point[0] >= 10]
    assert lines[1]["valid_loss"] == [point for point in lines[0]["valid_loss"] if point[0] >= 10]
    assert row(panel, "A")["change"] == "nothing"


def test_a_fork_of_a_fork_and_its_code(static):
    run, model = train()
    panel = ForkPanel(run, model)
    panel.move(6)
    panel.choose_plan("full")
    panel.fork()
    panel.choose_base("A")
    panel.move(15)
    panel.choose_plan("feature-extraction")
    assert "fork(forks.forks[0].run, copy.deepcopy(model), 15" in panel.code
    panel.fork()
    second = panel.forks[1].run
    assert second.curves.loss[:15] == panel.forks[0].run.curves.loss[:15] != run.curves.loss[:15]
    assert row(panel, "B")["since"] == "step 15 of fork A"


def test_the_plan_of_a_freezing_panel_can_be_chosen(static):
    run, model = train()
    freezing = FreezePanel(copy.deepcopy(model))
    freezing.preset("full")
    panel = ForkPanel(run, model, freezing)
    panel.choose_plan("panel")
    panel.move(9)
    panel.fork()
    assert panel.wait().config["plan"] == freezing.plan.to_dict()
    with pytest.raises(FreezeError, match="no plan 'panel' to choose"):
        ForkPanel(run, model).choose_plan("panel")


def test_from_a_training_panel(static):
    model = make_model()
    training = TrainPanel(model, None, make_data(), epochs=3, batch_size=8, snapshots=6)
    with pytest.raises(RuntimeError, match="training has not begun"):
        ForkPanel(training)
    training.start()
    panel = ForkPanel(training)
    panel.move(13)
    assert "fork(training.run, copy.deepcopy(model), 13)" in panel.code
    panel.fork()
    assert panel.wait().curves == training.run.curves
    again = training.start() or training.wait()
    assert again.snapshots is not panel.run.snapshots, "each training keeps its own"


def test_a_run_that_broke_off_can_be_forked_from_before(static):
    model = make_model()
    training = TrainPanel(
        model,
        None,
        make_data(),
        epochs=3,
        lr=1e30,
        optimizer="sgd",
        schedule="constant",
        warmup=0.0,
        snapshots=1,
    )
    training.start()
    panel = ForkPanel(training)
    with pytest.raises(TrainingError, match="The loss became"):
        panel.fork()
    assert panel.state["message"]["kind"] == "error"
    assert panel.state["actions"]["fork"], "another choice can be tried"
    json.dumps(panel.state, allow_nan=False)


# -- removing ------------------------------------------------------------------------------------------


def test_a_fork_is_removed_and_brought_back(static):
    run, model = train()
    panel = ForkPanel(run, model)
    for step in (3, 12, 20):
        panel.move(step)
        panel.fork()
    before = panel.state["lines"]
    panel.choose_base("B")
    panel.remove("B")
    assert [each.name for each in panel.forks] == ["A", "C"]
    assert next(each["name"] for each in panel.state["bases"] if each["active"]) == ""
    panel.restore()
    assert panel.state["lines"] == before
    with pytest.raises(ForkError, match="no removed fork"):
        panel.restore()
    panel.remove()
    panel.move(2)
    panel.fork()
    assert [each.name for each in panel.forks] == ["A", "B", "C"], "a name is free again"
    panel.fork()
    with pytest.raises(ForkError, match="at most 4 forks"):
        panel.fork()


# -- wrong use -----------------------------------------------------------------------------------------


def test_wrong_sources_are_refused(static, tmp_path):
    run, model = train()
    with pytest.raises(TypeError, match="is a str. Expected a TrainPanel, or the Run"):
        ForkPanel("run", model)
    with pytest.raises(TypeError, match="The model is a NoneType.*ForkPanel.run, model"):
        ForkPanel(run)
    with pytest.raises(ForkError, match="kept no snapshots.*snapshots=25"):
        ForkPanel(Run.load(run.save(tmp_path / "run")), model)
    with pytest.raises(ForkError, match="no fork to remove"):
        ForkPanel(run, model).remove()


def test_a_closed_panel_says_so(static):
    run, model = train()
    panel = ForkPanel(run, model)
    panel.fork()
    panel.close()
    assert panel.forks[0].model is None and panel.forks[0].run.status == "finished"
    assert not any(panel.state["actions"].values())
    with pytest.raises(FreezeError, match="was closed.*Make a new one"):
        panel.fork()
