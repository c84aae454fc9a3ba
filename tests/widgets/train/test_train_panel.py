"""The training panel without a browser: what it shows and what it does to the model."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from tlwidgets.core import FreezeError, FreezePlan
from tlwidgets.train import TaskData, TrainingError, fit
from tlwidgets.widgets import FreezePanel, TrainPanel
from tlwidgets.widgets.train import panel as module

# -- where nobody can click ----------------------------------------------------------------------------


def test_headless_a_start_trains_to_the_end_and_the_static_view_becomes_the_curves(
    static, published, make_model, data
):
    panel = TrainPanel(make_model(), None, data, epochs=2)
    panel._ipython_display_()
    (before, transient, update) = published[0]
    assert "Training has not begun" in before["text/plain"]
    assert not update
    panel.start()
    assert panel.run.status == "finished"
    (after, same, update) = published[-1]
    assert update and same == transient
    assert "Finished: 8 steps." in after["text/plain"]
    assert after["text/html"].count("<polyline") >= 4
    assert panel._widget is None
    assert panel.wait() is panel.run


def test_it_trains_as_fit_does(static, make_model, data):
    direct, through = make_model(), make_model()
    run = fit(direct, None, data, epochs=2, seed=7, lr=0.02)
    panel = TrainPanel(through, None, data, epochs=2, seed=7, lr=0.02)
    panel.start()
    assert panel.wait().curves == run.curves
    assert all(map(torch.equal, direct.parameters(), through.parameters()))


def test_a_second_start_trains_on_and_leaves_a_new_run(static, make_model, data):
    panel = TrainPanel(make_model(), None, data, epochs=3, lr=0.02)
    panel.start()
    first = panel.wait()
    panel.start()
    second = panel.wait()
    assert second is not first
    assert second.curves.loss[0] < first.curves.loss[0]
    assert [point[0] for point in panel.state["points"]] == second.curves.step


_EXPLODES = {"lr": 1e30, "optimizer": "sgd", "schedule": "constant", "warmup": 0.0}


@pytest.mark.parametrize(
    ("poison", "options", "error", "sentence"),
    [
        (lambda x, y: (x, y), _EXPLODES, TrainingError, "The loss became"),
        (lambda x, y: (x * float("nan"), y), {}, ValueError, "NaN or infinite in 64 of 64 examples"),
        (lambda x, y: (x, y + 5), {}, ValueError, "labels go up to class 6"),
        (lambda x, y: (x[:0], y[:0]), {}, ValueError, "training data are empty"),
    ],
)
def test_an_error_is_shown_as_its_sentence_and_raised_by_wait(
    static, make_model, data, poison, options, error, sentence
):
    panel = TrainPanel(make_model(), None, TaskData(poison(*data.train)), **options)
    panel.start()
    assert panel.state["phase"] == "failed"
    assert panel.state["message"] == {"kind": "error", "text": panel.state["message"]["text"]}
    assert sentence in panel.state["message"]["text"]
    with pytest.raises(error, match=sentence):
        panel.wait()
    assert (panel.run is not None) is (error is TrainingError)
    json.dumps(panel.state, allow_nan=False)


def test_an_interrupt_ends_the_training_and_gives_the_freezing_panel_back(
    static, monkeypatch, make_model, data
):
    model = make_model()
    freezing = FreezePanel(model)
    panel = TrainPanel(model, freezing, data)

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        panel.start()
    assert panel.state["phase"] == "stopped"
    assert freezing.defer is None


def test_a_plan_is_put_into_effect(static, make_model, data):
    model = make_model()
    plan = FreezePlan.preset(model, "feature-extraction")
    panel = TrainPanel(model, plan, data, epochs=1)
    panel.start()
    assert panel.state["learns"] == "18 of 74 parameters learn"
    assert {name for name, p in model.named_parameters() if p.requires_grad} == plan.trainable


def test_a_regression_shows_no_accuracy(static):
    inputs = torch.randn(32, 4, generator=torch.Generator().manual_seed(0))
    part = (inputs, inputs.sum(1))
    panel = TrainPanel(nn.Linear(4, 1), None, TaskData(part, part, part), epochs=2)
    panel.start()
    assert all(point[3] is None and point[4] is None for point in panel.state["points"])
    assert panel.state["rows"][0][5] is None
    json.dumps(panel.state, allow_nan=False)


# -- wrong use -----------------------------------------------------------------------------------------


def test_an_unknown_option_is_refused_at_once_with_the_nearest_name(make_model, data):
    with pytest.raises(TypeError, match="no option 'epoch'. Did you mean 'epochs'?"):
        TrainPanel(make_model(), None, data, epoch=3)
    with pytest.raises(TypeError, match="no option 'control'. Expected some of epochs"):
        TrainPanel(make_model(), None, data, control=None)


def test_what_is_neither_a_model_nor_a_plan_is_rejected(make_model, data):
    with pytest.raises(TypeError, match="The model is a str. Expected a torch.nn.Module"):
        TrainPanel("model", None, data)
    with pytest.raises(TypeError, match="The plan is a str. Expected a FreezePlan"):
        TrainPanel(make_model(), "full", data)
    with pytest.raises(ValueError, match="belongs to another model"):
        TrainPanel(make_model(), FreezePanel(make_model()), data)


def test_waiting_before_a_start_says_so(make_model, data):
    with pytest.raises(RuntimeError, match="training has not begun. Call start"):
        TrainPanel(make_model(), None, data).wait()


def test_a_closed_panel_says_so(static, make_model, data):
    panel = TrainPanel(make_model(), None, data)
    panel.close()
    assert not any(panel.state["actions"].values())
    with pytest.raises(FreezeError, match="was closed.*Make a new one"):
        panel.start()
