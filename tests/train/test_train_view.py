"""The training panel without a browser: what it shows, what it sends, and what it does to the model."""

from __future__ import annotations

import json
import threading

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tlwidgets.core import FreezeError, FreezePlan, ModelTree
from tlwidgets.train import EpochEnded, Stepped, TaskData, TrainingError, fit
from tlwidgets.views import FreezePanel, TrainPanel
from tlwidgets.views import train_panel as module
from tlwidgets.views.pace import Pace
from tlwidgets.views.train_state import MOST_POINTS, Trace, time_words

PATIENCE = 120


@pytest.fixture
def published(monkeypatch):
    """What was put into the cells' outputs: (data, transient, update)."""
    import IPython.display

    found = []

    def publish(data, metadata=None, *, transient=None, update=False, **_):
        found.append((data, transient, update))

    monkeypatch.setattr(IPython.display, "publish_display_data", publish)
    return found


@pytest.fixture
def static(monkeypatch):
    monkeypatch.setenv("TLWIDGETS_VIEW", "static")


class Steps:
    """Lets a training in another thread make one step at a time."""

    def __init__(self, monkeypatch):
        self._made, self._go = threading.Semaphore(0), threading.Semaphore(0)
        monkeypatch.setattr(module, "fit", self._fit)

    def _fit(self, *arguments, on_event, **options):
        def told(event):
            on_event(event)
            if isinstance(event, Stepped):
                self._made.release()
                assert self._go.acquire(timeout=PATIENCE)

        return fit(*arguments, on_event=told, **options)

    def wait(self):
        """Until a step was made; the training waits after it."""
        assert self._made.acquire(timeout=PATIENCE)

    def go(self, steps: int = 1):
        self._go.release(steps)


@pytest.fixture
def live(monkeypatch, published):
    """A live view, whose training makes one step at a time."""
    monkeypatch.setenv("TLWIDGETS_VIEW", "live")
    return Steps(monkeypatch)


def shown(panel) -> list[dict]:
    """Display a panel live; returns the list that all messages to the browser go into."""
    panel._ipython_display_()
    messages = []
    panel._widget.send = lambda content, buffers=None: messages.append(json.loads(json.dumps(content)))
    return messages


def click(panel, **content):
    panel._widget._handle_custom_msg(content, [])


# -- where nobody can click ------------------------------------------------------------------------------------


def test_headless_a_start_trains_to_the_end_and_the_twin_becomes_the_curves(
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


@pytest.mark.parametrize(
    ("poison", "error", "sentence"),
    [
        (lambda x, y: (x * float("nan"), y), TrainingError, "The loss became nan"),
        (lambda x, y: (x, y + 5), ValueError, "labels go up to class 6"),
        (lambda x, y: (x[:0], y[:0]), ValueError, "training data are empty"),
    ],
)
def test_an_error_is_shown_as_its_sentence_and_raised_by_wait(
    static, make_model, data, poison, error, sentence
):
    panel = TrainPanel(make_model(), None, TaskData(poison(*data.train)))
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


# -- wrong use --------------------------------------------------------------------------------------------------


def test_an_unknown_option_is_refused_at_once_with_the_nearest_name(make_model, data):
    with pytest.raises(TypeError, match="no option 'epoch'. Did you mean 'epochs'?"):
        TrainPanel(make_model(), None, data, epoch=3)
    with pytest.raises(TypeError, match="no option 'control'. Expected some of epochs"):
        TrainPanel(make_model(), None, data, control=None)


def test_what_is_no_model_or_no_plan_is_refused(make_model, data):
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


# -- live -------------------------------------------------------------------------------------------------------


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
    assert panel._step == 1
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


def test_a_plan_is_put_into_effect(static, make_model, data):
    model = make_model()
    plan = FreezePlan.preset("feature-extraction", ModelTree.of(model))
    panel = TrainPanel(model, plan, data, epochs=1)
    panel.start()
    assert panel.state["learns"] == "18 of 74 parameters learn"
    assert {name for name, p in model.named_parameters() if p.requires_grad} == plan.trainable


def test_deltas_are_few_and_numbered_and_rebuild_the_state(live, make_model, data, monkeypatch):
    panel = TrainPanel(make_model(), None, data, epochs=20)
    messages = shown(panel)
    panel._widget._pace._interval = 3600  # so long that only the first and the last are sent
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
    assert panel.state["message"]["text"].startswith("The panel knows no request 'explode'.")


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


# -- parts ------------------------------------------------------------------------------------------------------

values = st.floats(-1e6, 1e6) | st.just(float("nan")) | st.just(float("inf"))


@given(st.lists(st.tuples(values, st.none() | st.floats(0, 1)), max_size=3 * MOST_POINTS))
@settings(max_examples=30, deadline=None)
def test_curves_stay_short_keep_the_last_step_and_have_json(steps):
    trace = Trace()
    for number, (loss, accuracy) in enumerate(steps, 1):
        trace.step(Stepped(number, loss, accuracy, 0.0))
    trace.finish()
    json.dumps(trace.points, allow_nan=False)
    assert len(trace.points) < MOST_POINTS or not steps
    order = [point[0] for point in trace.points]
    assert order == sorted(set(order))
    assert order[-1:] == ([len(steps)] if steps else [])
    finite = [loss for loss, _ in steps if loss == loss and abs(loss) != float("inf")]
    slack = 1e-6 * max(map(abs, finite), default=0.0)
    for point in trace.points:
        for value in point[1:3]:
            assert value is None or min(finite) - slack <= value <= max(finite) + slack


def test_a_row_has_the_means_of_its_epoch():
    trace = Trace()
    for step, (loss, accuracy) in enumerate([(4.0, 0.5), (2.0, 1.0)], 1):
        trace.step(Stepped(step, loss, accuracy, 0.0))
    trace.epoch(EpochEnded(2, 1, None, None))
    trace.step(Stepped(3, 1.0, 1.0, 0.0))
    trace.epoch(EpochEnded(3, 2, 0.5, 0.75))
    assert [row[:6] for row in trace.rows] == [[1, 2, 3.0, 0.75, None, None], [2, 3, 1.0, 1.0, 0.5, 0.75]]
    assert [row[6] for row in trace.rows] == [
        ["1", "3", "75.0 %", "–", "–"],
        ["2", "1", "100 %", "0.5", "75.0 %"],
    ]


def test_smoothing_begins_at_the_first_value_and_follows():
    trace = Trace()
    for step in range(1, 101):
        trace.step(Stepped(step, 5.0 if step <= 50 else 1.0, None, 0.0))
    assert trace.points[0][2] == pytest.approx(5.0)
    assert trace.points[99][2] == pytest.approx(1.0, abs=0.05)


def test_a_pace_acts_at_once_then_waits_and_a_flush_takes_the_place_of_what_is_due():
    done = []
    pace = Pace(lambda: done.append(1), 3600)
    for _ in range(100):
        pace.touch()
    assert len(done) == 1
    pace.flush()
    assert len(done) == 2


def test_a_pace_carries_out_what_is_due_by_itself():
    due = threading.Semaphore(0)
    pace = Pace(due.release, 0.01)
    pace.touch()
    pace.touch()
    assert due.acquire(timeout=PATIENCE) and due.acquire(timeout=PATIENCE)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (59.4, "59 s"), (75, "1 min 15 s"), (7290, "2 h 1 min")]
)
def test_times_are_words(seconds, words):
    assert time_words(seconds) == words


def test_a_regression_shows_no_accuracy(static):
    inputs = torch.randn(32, 4, generator=torch.Generator().manual_seed(0))
    part = (inputs, inputs.sum(1))
    panel = TrainPanel(nn.Linear(4, 1), None, TaskData(part, part, part), epochs=2)
    panel.start()
    assert all(point[3] is None and point[4] is None for point in panel.state["points"])
    assert panel.state["rows"][0][5] is None
    json.dumps(panel.state, allow_nan=False)
