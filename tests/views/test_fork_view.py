"""The fork panel without a browser: where the marker may stand, what a fork is, and what is shown of it."""

from __future__ import annotations

import copy
import json
import math
import re
import threading

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.train.conftest import data, make_model  # noqa: F401 - fixtures
from tests.train.test_fork import make_data
from tests.train.test_fork import make_model as make_deep_model
from tlwidgets.core import FreezeError, FreezePlan, ModelTree
from tlwidgets.render.fork import fork_html, fork_text
from tlwidgets.train import ForkError, Run, Stepped, TrainingError, fit, fork
from tlwidgets.views import ForkPanel, FreezePanel, TrainPanel
from tlwidgets.views import forks as module

PATIENCE = 120
STEPS, EACH = 24, 8


def train(**options):
    model = make_deep_model()
    plan = FreezePlan.preset("feature-extraction", ModelTree.of(model))
    options = {"epochs": 3, "batch_size": 8, "lr": 0.02, "snapshots": 5, **options}
    return fit(model, plan, make_data(), **options), model


@pytest.fixture
def outputs(monkeypatch):
    """What was put into the cells' outputs: (data, update)."""
    import IPython.display

    found = []

    def publish(shown, metadata=None, *, transient=None, update=False, **_):
        found.append((shown, update))

    monkeypatch.setattr(IPython.display, "publish_display_data", publish)
    return found


@pytest.fixture
def static(monkeypatch, outputs):
    monkeypatch.setenv("TLWIDGETS_VIEW", "static")
    return outputs


OPEN: list[ForkPanel] = []


@pytest.fixture
def live(monkeypatch, outputs):
    monkeypatch.setenv("TLWIDGETS_VIEW", "live")
    yield outputs
    while OPEN:  # no receipt is written after the test
        OPEN.pop().close()


def shown(panel) -> list[dict]:
    """Display a panel live; returns the list that all messages to the browser go into."""
    OPEN.append(panel)
    panel._ipython_display_()
    messages = []
    panel._widget.send = lambda content, buffers=None: messages.append(json.loads(json.dumps(content)))
    panel._widget._pace._interval = 0
    return messages


def click(panel, **content):
    panel._widget._handle_custom_msg(content, [])


def row(panel, name) -> dict:
    return next(each for each in panel.state["rows"] if each["name"] == name)


# -- a fork ----------------------------------------------------------------------------------------------------------


def test_it_forks_as_fork_does_and_leaves_the_run_and_its_model_alone(static):
    run, model = train()
    before, weights = repr(run), copy.deepcopy(model.state_dict())
    panel = ForkPanel(run, model)
    panel.move(11)
    panel.choose_plan("full")
    panel.choose_rate("half")
    panel.fork()
    other = copy.deepcopy(model)
    expected = fork(run, other, 11, FreezePlan.preset("full", ModelTree.of(model)), lr=0.01)
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
    model = make_deep_model()
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
    model = make_deep_model()
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


# -- taking away ------------------------------------------------------------------------------------------------------


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
    with pytest.raises(ForkError, match="4 forks are as many as can be told apart"):
        panel.fork()


# -- live -------------------------------------------------------------------------------------------------------------


class Steps:
    """Lets a fork in another thread make one step at a time."""

    def __init__(self, monkeypatch):
        self._made, self._go = threading.Semaphore(0), threading.Semaphore(0)
        monkeypatch.setattr(module, "fork", self._fork)

    def _fork(self, *arguments, on_event, **options):
        def told(event):
            on_event(event)
            if isinstance(event, Stepped):
                self._made.release()
                assert self._go.acquire(timeout=PATIENCE)

        return fork(*arguments, on_event=told, **options)

    def wait(self):
        assert self._made.acquire(timeout=PATIENCE)

    def go(self, steps: int = 1):
        self._go.release(steps)


def test_a_click_forks_in_the_background_and_stop_ends_it(live, monkeypatch):
    run, model = train()
    steps = Steps(monkeypatch)
    panel = ForkPanel(run, model)
    messages = shown(panel)
    click(panel, type="move", step=12)
    click(panel, type="plan", name="full")
    click(panel, type="fork")
    steps.wait()  # the 11th step, made again
    assert panel.state["running"] and panel.state["progress"] == "fork A: reaching step 12 again"
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
    steps = Steps(monkeypatch)
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
    messages = shown(panel)
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
        ({"type": "plan", "name": "last", "k": 99}, "from 1 to"),
        ({"type": "rate", "name": "huge"}, "no rate 'huge'"),
        ({"type": "base", "name": "Z"}, "no fork 'Z'"),
        ({"type": "remove", "name": "Z"}, "no fork"),
        ({"type": "restore"}, "no removed fork"),
        ({"type": "dance"}, "knows no request 'dance'"),
    ],
)
def test_what_a_browser_may_not_ask_is_told_as_a_sentence(live, asked, sentence):
    run, model = train()
    panel = ForkPanel(run, model)
    messages = shown(panel)
    click(panel, **asked)
    message = messages[-1]["frame"]["message"]
    assert message["kind"] == "error" and re.search(sentence, message["text"])


# -- wrong use --------------------------------------------------------------------------------------------------------


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


# -- what is shown ------------------------------------------------------------------------------------------------------


@given(step=st.integers(0, STEPS - 1))
@settings(max_examples=20, deadline=None)
def test_the_marker_says_where_it_is_and_how_far_back_the_snapshot(step):
    run, model = RUN
    panel = ForkPanel(run, model)
    panel.move(step)
    state = panel.state
    again = step - max(kept for kept in run.snapshots.steps if kept <= step)
    assert state["place"].startswith(f"after step {step} ")
    assert f"epoch {step // EACH + 1}" in state["place"]
    assert state["how"].startswith(f"{again} step" if again else "a snapshot was kept there")


RUN = train()


def test_headless_the_twin_becomes_both_curves_in_the_same_place(static):
    run, model = train()
    panel = ForkPanel(run, model)
    panel._ipython_display_()
    panel.move(10)
    panel.choose_plan("full")
    panel.fork()
    (before, first), (after, update) = static[0], static[-1]
    assert not first and update and panel._widget is None
    assert before["text/html"].count("<polyline") == 4  # two charts, training and validation
    assert after["text/html"].count("<polyline") == 8
    assert after == {"text/html": fork_html(panel.state), "text/plain": fork_text(panel.state)}


def test_the_twin_has_every_number_of_the_state_and_no_script(static):
    run, model = train()
    panel = ForkPanel(run, model)
    panel.move(5)
    panel.choose_rate("tenth")
    panel.fork()
    state = panel.state
    html, text = fork_html(state), fork_text(state)
    assert "<script" not in html and "<style" not in html
    for each in state["rows"]:
        for key in ("loss", "valid_loss", "valid_accuracy", "test", "since", "change"):
            assert each[key] in html and each[key] in text
    for line in state["lines"]:
        for numbers in line["epochs"]:
            assert all(cell in html for cell in numbers[3:])
    assert state["status"] in text and "Fork A ended with a validation loss of" in state["status"]


def test_without_validation_data_training_is_compared(static):
    model = make_deep_model()
    run = fit(model, None, make_data().train, epochs=2, batch_size=8, snapshots=5)
    panel = ForkPanel(run, model)
    panel.fork()
    assert "ended with a training loss of" in panel.state["status"]
    assert math.isnan(panel.wait().curves.valid_loss[0])
    json.dumps(panel.state, allow_nan=False)
