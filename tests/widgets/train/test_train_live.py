"""The training panel with a front end that only listens: clicks during a training, and what is sent."""

from __future__ import annotations

import json
import threading

import pytest
import torch

from tests.widgets.conftest import click, shown
from tests.widgets.one_step import PATIENCE, Steps
from tlwidgets.core import FreezeError
from tlwidgets.train import TaskData
from tlwidgets.widgets import FreezePanel, TrainPanel
from tlwidgets.widgets.train import panel as module


@pytest.fixture
def live(monkeypatch, published):
    """A live view, whose training makes one step at a time."""
    monkeypatch.setenv("TLWIDGETS_VIEW", "live")
    return Steps(monkeypatch, module, "fit")


def test_start_returns_at_once_and_stop_ends_within_a_step(live, make_model, data):
    panel = TrainPanel(make_model(), None, data, epochs=1000)
    messages = shown(panel)
    click(panel, type="start")
    live.wait()
    assert panel.state["phase"] == "running"
    click(panel, type="stop")
    assert panel.state["phase"] == "stopping"
    live.go(100)
    run = panel.wait()
    assert (run.status, run.steps) == ("stopped", 1)
    assert messages[-1]["frame"]["phase"] == "stopped"
    assert messages[-1]["frame"]["status"].startswith("Stopped after 1 of 4000 steps")


def test_pause_and_resume_by_click(live, make_model, data):
    panel = TrainPanel(make_model(), None, data, epochs=2)
    shown(panel)
    panel.start()
    live.wait()
    click(panel, type="pause")
    live.go(100)
    passed = threading.Event()
    panel._control.enqueue(passed.set)
    assert passed.wait(PATIENCE)
    assert panel.state["step"] == 1
    assert panel.state["actions"] == {"start": False, "pause": False, "resume": True, "stop": True}
    click(panel, type="resume")
    assert panel.wait().steps == 8
    assert panel.state["actions"] == {"start": True, "pause": False, "resume": False, "stop": False}


def test_clicks_in_the_freezing_panel_wait_for_the_step_and_frozen_bits_stay(live, make_model, data):
    model = make_model()
    freezing = FreezePanel(model)
    panel = TrainPanel(model, freezing, data, epochs=3, lr=0.05)
    shown(panel)
    panel.start()
    live.wait()
    before = model[0].weight.detach().clone()
    freezing.set_policy("0", "frozen")
    assert freezing.state["pending"]
    assert model[0].weight.requires_grad  # not in the middle of a step
    live.go(100)
    panel.wait()
    assert torch.equal(model[0].weight, before)
    assert not freezing.state["pending"]
    assert freezing.defer is None
    freezing.set_policy("0", "trained")  # and afterwards at once again
    assert model[0].weight.requires_grad


def test_a_click_after_the_last_step_is_carried_out_at_the_end(live, make_model, data):
    model = make_model()
    freezing = FreezePanel(model)
    panel = TrainPanel(model, freezing, TaskData(data.train), epochs=1)
    shown(panel)
    panel.start()
    for step in range(4):
        live.wait()
        if step < 3:
            live.go()
    freezing.set_policy("0", "frozen")
    live.go()
    panel.wait()
    assert not model[0].weight.requires_grad
    assert not freezing.state["pending"]


def test_a_model_that_is_being_trained_is_not_trained_twice(live, make_model, data):
    model = make_model()
    freezing = FreezePanel(model)
    first, second = TrainPanel(model, freezing, data, epochs=1), TrainPanel(model, freezing, data)
    first.start()
    live.wait()
    with pytest.raises(FreezeError, match="Another training of this model is running"):
        second.start()
    first.start()  # already running: nothing happens
    live.go(100)
    assert first.wait().steps == 4
    assert second.state["phase"] == "ready"


def test_deltas_are_few_and_numbered_and_rebuild_the_state(live, make_model, data, monkeypatch):
    panel = TrainPanel(make_model(), None, data, epochs=20)
    messages = shown(panel)
    panel._widget._throttle._interval = 3600  # so long that only the first and the last are sent
    click(panel, type="hello", view="one")
    state = messages.pop()["state"]
    live.go(1000)
    panel.start()
    panel.wait()
    assert [message["seq"] for message in messages] == [state["seq"] + 1, state["seq"] + 2]
    for message in messages:
        for name in ("points", "rows"):
            part = message[name]
            assert part["from"] <= len(state[name])
            state[name][part["from"] :] = part["items"]
        state.update(message["frame"])
    now = json.loads(json.dumps(panel.state))
    for each in (now, state):
        each.pop("seq", None), each.pop("device")
    assert state == now
    assert len(state["points"]) == 80


def test_a_view_that_opens_late_gets_everything(live, make_model, data):
    panel = TrainPanel(make_model(), None, data, epochs=1)
    live.go(100)
    panel.start()
    panel.wait()
    messages = shown(panel)
    click(panel, type="hello", view="late")
    assert messages[-1]["type"] == "snapshot"
    assert len(messages[-1]["state"]["points"]) == 4
    assert panel._widget._state == 0 and panel._widget.get_state()["_state"]["phase"] == "finished"


def test_the_receipt_ends_with_the_final_state(live, published, make_model, data):
    panel = TrainPanel(make_model(), None, data, epochs=2)
    shown(panel)
    live.go(100)
    panel.start()
    panel.wait()
    data, transient, update = published[-1]
    assert update and transient["display_id"] == panel._receipt.name
    assert "Finished: 8 steps." in data["text/plain"]


def test_an_unknown_request_is_answered_with_a_sentence(live, make_model, data):
    panel = TrainPanel(make_model(), None, data)
    shown(panel)
    click(panel, type="explode")
    assert panel.state["message"]["text"].startswith("This panel does not understand the request 'explode'.")


def test_closing_stops_a_running_training(live, make_model, data):
    panel = TrainPanel(make_model(), None, data, epochs=1000)
    shown(panel)
    panel.start()
    live.wait()
    live.go(3)
    panel.stop()
    panel.close()
    assert panel.run.status == "stopped"
    assert panel.state["closed"]
