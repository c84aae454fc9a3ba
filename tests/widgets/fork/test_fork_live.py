"""The fork panel with a front end that only listens: forks in the background, and what is sent."""

from __future__ import annotations

import json
import re

import pytest

from tests.widgets.conftest import click, shown
from tests.widgets.fork.runs import STEPS, train
from tests.widgets.one_step import Steps
from tlwidgets.widgets import ForkPanel
from tlwidgets.widgets.fork import forks as module


def listen(panel) -> list[dict]:
    """Display a panel live, and send each message at once into the list that is returned."""
    messages = shown(panel)
    panel._widget._throttle._interval = 0
    return messages


def test_a_click_forks_in_the_background_and_stop_ends_it(live, monkeypatch):
    run, model = train()
    steps = Steps(monkeypatch, module, "fork")
    panel = ForkPanel(run, model)
    messages = listen(panel)
    click(panel, type="move", step=12)
    click(panel, type="plan", name="full")
    click(panel, type="fork")
    steps.wait()  # the 11th step, made again
    assert panel.state["running"] and panel.state["progress"] == "fork A: training up to step 12 again"
    assert not panel.state["actions"]["fork"] and panel.state["actions"]["stop"]
    click(panel, type="fork")
    assert "A fork is being trained" in panel.state["message"]["text"]
    click(panel, type="remove", name="A")
    assert "Stop it first" in panel.state["message"]["text"]
    steps.go(2)
    steps.wait(), steps.wait()
    assert panel.state["progress"] == "fork A: step 13 of 24"
    click(panel, type="stop")
    steps.go(100)
    made = panel.wait()
    assert (made.status, made.steps) == ("stopped", 13)
    state = None
    for message in messages:
        if message["type"] == "delta":
            state = {**(state or {}), **message["frame"]}
    assert state["rows"][1]["status"] == "stopped" and state["order"] == ["", "A"]


def test_stopped_before_its_step_nothing_comes_of_a_fork(live, monkeypatch):
    run, model = train()
    steps = Steps(monkeypatch, module, "fork")
    panel = ForkPanel(run, model)
    panel.move(14)
    panel.fork()
    steps.wait()
    panel.stop()
    steps.go(100)
    panel._forks.wait()
    assert panel.forks == [] and panel.state["order"] == [""]
    assert panel.state["status"] == "Fork A was not made."
    with pytest.raises(RuntimeError, match="nothing was forked"):
        panel.wait()


def test_a_move_of_the_marker_sends_no_curves(live):
    run, model = train()
    panel = ForkPanel(run, model)
    panel.fork()
    panel.wait()
    messages = listen(panel)
    click(panel, type="hello", view="one")
    state = messages[-1]["state"]
    click(panel, type="move", step=1)
    messages.clear()
    click(panel, type="move", step=3)
    (delta,) = messages
    assert delta["lines"] == [] and delta["frame"]["step"] == 3
    state.update(delta["frame"])
    now = json.loads(json.dumps(panel.state))
    state.pop("seq")
    assert state == now


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"type": "move", "step": STEPS}, "from 0 .before the first step. to 23"),
        ({"type": "move", "step": "two"}, "no step 'two'"),
        ({"type": "plan", "name": "some"}, "no plan 'some' to choose"),
        ({"type": "plan", "name": "last", "k": 99}, "between 1 and 2"),
        ({"type": "rate", "name": "huge"}, "no rate 'huge'"),
        ({"type": "base", "name": "Z"}, "no fork 'Z'"),
        ({"type": "remove", "name": "Z"}, "no fork"),
        ({"type": "restore"}, "no removed fork"),
        ({"type": "dance"}, "does not understand the request 'dance'"),
    ],
)
def test_what_a_browser_may_not_ask_is_told_as_a_sentence(live, asked, sentence):
    run, model = train()
    panel = ForkPanel(run, model)
    messages = listen(panel)
    click(panel, **asked)
    message = messages[-1]["frame"]["message"]
    assert message["kind"] == "error" and re.search(sentence, message["text"])
