"""The drift panel without a browser: all measured steps of runs, or of a training that goes on."""

from __future__ import annotations

import gc
import json
import weakref

import pytest
import torch
from torch import nn

from tests.train.conftest import examples
from tests.widgets.conftest import click, shown
from tlwidgets.core import FreezePlan
from tlwidgets.train import Run, TaskData, fit
from tlwidgets.widgets import DriftPanel, TrainPanel


def model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))


def a_run(preset: str, **options) -> Run:
    net = model()
    plan = FreezePlan.preset(net, preset)
    return fit(net, plan, TaskData(examples(32, 0)), epochs=2, trace_every=1, **options)


@pytest.fixture(scope="module")
def runs() -> dict[str, Run]:
    return {"head": a_run("feature-extraction"), "full": a_run("full")}


def test_every_number_is_the_runs_own(runs):
    state = DriftPanel(runs).state
    json.dumps(state, allow_nan=False)
    assert [frame["step"] for frame in state["frames"]] == runs["full"].trace.step
    for at, frame in enumerate(state["frames"]):
        for place, cells in enumerate(frame["cells"]):
            head, full = cells
            assert full[0] == runs["full"].trace.gradient[at][place]
            assert full[2] == runs["full"].trace.drift[at][place]
            frozen = place < len(frame["cells"]) - 1
            assert (head[0] is None) == frozen
            assert state["reasons"][head[4]].startswith("frozen by requires_grad") == frozen


def test_a_static_panel_shows_the_last_step_as_a_page(static, published, runs):
    DriftPanel(runs)._ipython_display_()
    data = published[-1][0]
    last = runs["full"].trace
    assert f"Step {last.step[-1]}, first layer at the top." in data["text/plain"]
    for drift in last.drift[-1]:
        assert f"{drift:.2%}" in data["text/html"] and f"{drift:.2%}" in data["text/plain"]
    assert "head: frozen by requires_grad, as is everything before it" in data["text/html"]


def test_a_training_is_followed_while_it_goes_and_ends_with_its_record(live):
    training = TrainPanel(model(), None, TaskData(examples(32, 0)), epochs=3, trace_every=1)
    panel = DriftPanel(training)
    assert panel.state["frames"] == [] and "Nothing has been measured yet" in panel.state["status"]
    messages = shown(panel)
    panel._widget._throttle._interval = 0  # everything is sent
    training.start()
    run = training.wait()
    told = [len(message["state"]["frames"]) for message in messages]
    assert told == [1, 2, 3, 4, 5, 6, 6]
    assert training.layers == run.trace
    assert panel.state["frames"] == DriftPanel(run).state["frames"]
    assert DriftPanel(training).state["frames"] == panel.state["frames"], "also where it is made afterwards"


def test_where_nobody_can_click_the_page_of_a_training_becomes_its_last_step(static, published):
    training = TrainPanel(model(), None, TaskData(examples(32, 0)), epochs=1)
    panel = DriftPanel(training)
    panel._ipython_display_()
    assert "Nothing has been measured yet" in published[-1][0]["text/plain"]
    place = published[-1][1]
    training.start()
    data, transient, update = published[-1]
    assert update and transient == place
    assert "Step 2, first layer at the top." in data["text/plain"]


def test_a_training_that_begins_anew_is_shown_anew(static):
    training = TrainPanel(model(), None, TaskData(examples(32, 0)), epochs=1, trace_every=1)
    panel = DriftPanel(training)
    training.start()
    first = panel.state["frames"]
    training.start()
    second = panel.state["frames"]
    assert [frame["step"] for frame in first] == [frame["step"] for frame in second]
    assert first != second


def test_a_panel_is_not_kept_by_the_training_it_follows(static):
    training = TrainPanel(model(), None, TaskData(examples(32, 0)), epochs=1)
    panel = weakref.ref(DriftPanel(training))
    gc.collect()
    assert panel() is None
    training.start()
    assert training.run.status == "finished"


def test_a_closed_panel_follows_no_more(live):
    training = TrainPanel(model(), None, TaskData(examples(32, 0)), epochs=1)
    panel = DriftPanel(training)
    shown(panel)
    panel.close()
    panel.close()
    training.start()
    training.wait()
    assert panel.state["frames"] == [] and panel.state["closed"]


def test_a_view_that_opens_late_gets_everything(live, runs):
    panel = DriftPanel(runs["full"])
    messages = shown(panel)
    click(panel, type="hello", view="late")
    assert messages[-1]["state"]["frames"] == json.loads(json.dumps(panel.state["frames"]))


def test_what_has_no_layers_is_refused(runs):
    with pytest.raises(TypeError, match="A list has no layers to show. Expected a Run"):
        DriftPanel([runs["full"]])
    with pytest.raises(ValueError, match="has no measurements of its layers"):
        DriftPanel(Run({}))
    with pytest.raises(ValueError, match="There is no run to draw"):
        DriftPanel({})
