"""The schedule panel without a browser: every move is checked, undone exactly, and shown the same in the live
and in the static view."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.zoo import ZOO
from tlwidgets.core import FreezeError, FreezePlan, ModelTree, NothingTrainableError, UnknownGroupError
from tlwidgets.train import EpochEnded, UnfreezeSchedule, fit, gradual_unfreezing
from tlwidgets.widgets import TrainPanel, UnfreezeSchedulePanel
from tlwidgets.widgets.unfreeze.static import unfreeze_html, unfreeze_text

EPOCHS = 5
TREES = {name: ModelTree.of(ZOO[name].make()) for name in ("bert", "gpt2", "resnet")}
actions = st.lists(
    st.one_of(
        st.tuples(
            st.just("move"),
            st.integers(0, 20),
            st.none() | st.integers(-1, EPOCHS + 1),
            st.none() | st.sampled_from(["drag1", "drag2"]),
        ),
        st.tuples(st.just("preset"), st.sampled_from(["full", "feature-extraction", "gradual", "last"])),
        st.tuples(st.just("undo")),
        st.tuples(st.just("redo")),
    ),
    max_size=15,
)


def act(panel: UnfreezeSchedulePanel, action) -> None:
    """Carry out one action, as far as it is allowed."""
    kind, *rest = action
    rows = [row["id"] for row in panel.state["rows"]]
    try:
        if kind == "move":
            panel.move(rows[rest[0] % len(rows)], rest[1], rest[2])
        elif kind == "preset":
            panel.preset(rest[0])
        else:
            getattr(panel, kind)()
    except FreezeError as error:
        assert str(error).endswith(".")


@given(st.sampled_from(sorted(TREES)), actions)
@settings(max_examples=40, deadline=None)
def test_whatever_is_done_the_schedule_can_be_trained_and_the_state_has_json(name, done):
    panel = UnfreezeSchedulePanel(TREES[name], EPOCHS)
    for action in done:
        act(panel, action)
        schedule = panel.schedule
        assert min(schedule) == 1 and all(plan.trainable for plan in schedule.values())
    state = json.loads(json.dumps(panel.state, allow_nan=False))
    assert {row["id"]: row["start"] for row in state["rows"]} == dict(panel.unfreezing.starts)
    assert [cost["epoch"] for cost in state["costs"]] == list(range(1, EPOCHS + 1))
    shares = [cost["share"] for cost in state["costs"]]
    assert shares == sorted(shares) and shares[0] >= 0 and shares[-1] <= 1
    assert UnfreezeSchedule.from_dict(TREES[name], panel.to_dict()) == panel.unfreezing


@given(st.sampled_from(sorted(TREES)), actions)
@settings(max_examples=40, deadline=None)
def test_undo_is_exact_and_redo_takes_it_back(name, done):
    panel = UnfreezeSchedulePanel(TREES[name], EPOCHS)
    first = panel.to_dict()
    for action in done:
        before, depth = panel.to_dict(), len(panel._history)
        act(panel, action)
        if action[0] in ("move", "preset") and len(panel._history) > depth:
            after = panel.to_dict()
            panel.undo()
            assert panel.to_dict() == before
            panel.redo()
            assert panel.to_dict() == after
    last = panel.to_dict()
    steps = 0
    while panel.state["undo"]:
        panel.undo()
        steps += 1
    assert panel.to_dict() == first
    for _ in range(steps):
        panel.redo()
    assert panel.to_dict() == last


def test_it_begins_gradual_and_takes_what_gradual_unfreezing_gives():
    tree = TREES["bert"]
    plans = gradual_unfreezing(tree, every=2)
    assert UnfreezeSchedulePanel(tree, 4).unfreezing == UnfreezeSchedule.preset(tree, "gradual", 4)
    assert UnfreezeSchedulePanel(tree, 11, plans).schedule == {
        epoch: UnfreezeSchedule.from_schedule(tree, 11, plans).plan(epoch) for epoch in plans
    }
    saved = UnfreezeSchedulePanel(tree, 4).to_dict()
    assert UnfreezeSchedulePanel(tree, 4, UnfreezeSchedule.from_dict(tree, saved)).to_dict() == saved


def test_rows_go_from_the_head_down_to_the_embeddings():
    labels = [row["label"] for row in UnfreezeSchedulePanel(TREES["bert"], 3).state["rows"]]
    assert labels[0] == "Head: classifier" and labels[-1] == "Embeddings"


def test_a_drag_is_undone_as_one_and_a_drag_back_leaves_nothing_to_undo():
    panel = UnfreezeSchedulePanel(TREES["bert"], EPOCHS)
    start = panel.to_dict()
    for epoch in (3, 4, 5):
        panel.move("bert.pooler", epoch, "a drag")
    panel.undo()
    assert panel.to_dict() == start
    panel.move("bert.pooler", 4, "another")
    panel.move("bert.pooler", 2, "another")
    assert panel.to_dict() == start and not panel.state["undo"]


def test_costs_are_those_of_the_estimate_and_full_fine_tuning_costs_all():
    panel = UnfreezeSchedulePanel(ZOO["bert"].make(), 3)
    panel.preset("full")
    assert [cost["text"] for cost in panel.state["costs"]] == ["100 %"] * 3
    assert "100 % of the backward work of full fine-tuning" in panel.state["whole"]
    panel.preset("feature-extraction")
    assert all(cost["share"] < 0.05 for cost in panel.state["costs"])
    assert "run once on shapes alone" in panel.state["assumptions"]
    assert "from the number of weights" in UnfreezeSchedulePanel(TREES["bert"], 3).state["assumptions"]


def test_tied_rows_say_so_and_move_together():
    panel = UnfreezeSchedulePanel(TREES["gpt2"], EPOCHS)
    rows = {row["id"]: row for row in panel.state["rows"]}
    assert rows["lm_head"]["note"] == "shares weights, and moves, with Token embeddings"
    panel.move("transformer.ln_f", 1)
    panel.move("lm_head", 4)
    rows = {row["id"]: row for row in panel.state["rows"]}
    assert rows["lm_head"]["start"] == rows["transformer.wte"]["start"] == 4
    assert "shares its weights" in panel.state["message"]["text"]


def test_what_cant_be_is_a_sentence_and_changes_nothing():
    panel = UnfreezeSchedulePanel(TREES["bert"], EPOCHS)
    before = panel.to_dict()
    with pytest.raises(NothingTrainableError, match="Nothing would learn in epoch 1"):
        panel.move("classifier", None)
    with pytest.raises(FreezeError, match="from 1 to 5"):
        panel.move("bert.pooler", 6)
    with pytest.raises(UnknownGroupError):
        panel.move("bert.poler", 2)
    with pytest.raises(FreezeError, match="no schedule 'fast'"):
        panel.preset("fast")
    with pytest.raises(TypeError, match="Expected a torch.nn.Module or a ModelTree; got a str"):
        UnfreezeSchedulePanel("bert", 3)
    with pytest.raises(ValueError, match="epochs is 0"):
        UnfreezeSchedulePanel(TREES["bert"], 0)
    with pytest.raises(FreezeError, match="a part stays frozen"):
        UnfreezeSchedulePanel(TREES["bert"], 3, {1: FreezePlan.preset(TREES["bert"], "norms-and-biases")})
    assert panel.to_dict() == before and not panel.state["undo"]


def test_callbacks_hear_each_change():
    panel = UnfreezeSchedulePanel(TREES["bert"], EPOCHS)
    heard = []
    end = panel.on_change(lambda each: heard.append(each.unfreezing.starts["bert.pooler"]))
    panel.move("bert.pooler", 4)
    panel.undo()
    end()
    panel.move("bert.pooler", 3)
    assert heard == [4, 2]


# -- with a training -----------------------------------------------------------------------------------


def test_a_training_panel_takes_the_schedule_panel_and_marks_the_epoch(monkeypatch, make_model, data):
    monkeypatch.setenv("TLWIDGETS_VIEW", "static")
    model, other = make_model(), make_model()
    panel = UnfreezeSchedulePanel(model, 3)
    training = TrainPanel(model, None, data, lr=0.02, unfreeze=panel)
    marks = []
    on_event = training._on_event

    def told(event):
        on_event(event)
        if isinstance(event, EpochEnded):
            marks.append(panel.state["current"])

    monkeypatch.setattr(training, "_on_event", told)
    training.start()
    assert marks == [2, 3, 3] and panel.state["current"] == 0
    run = fit(other, panel.schedule[1], data, epochs=3, lr=0.02, unfreeze=panel.schedule)
    assert training.wait().curves == run.curves
    assert len(run.curves.epoch) == 3, "the panel says how many epochs there are"


# -- the bridge and the static view ----------------------------------------------------------------------


@pytest.fixture
def shown(monkeypatch):
    """A panel displayed live, the messages to the browser, and what went into the cell's output."""
    import IPython.display

    monkeypatch.setenv("TLWIDGETS_VIEW", "live")
    outputs = []
    monkeypatch.setattr(
        IPython.display, "publish_display_data", lambda shown, *_, **more: outputs.append(shown)
    )
    panel = UnfreezeSchedulePanel(TREES["bert"], EPOCHS)
    panel._ipython_display_()
    messages = []
    panel._widget.send = lambda content, buffers=None: messages.append(json.loads(json.dumps(content)))
    panel._widget._throttle._interval = 0
    yield panel, messages, outputs
    panel.close()


def click(panel, **content):
    panel._widget._handle_custom_msg(content, [])


def test_clicks_act_and_are_answered_with_the_whole_state(shown):
    panel, messages, outputs = shown
    click(panel, type="move", row="bert.pooler", start=4, gesture="one")
    assert panel.unfreezing.starts["bert.pooler"] == 4
    click(panel, type="preset", name="gradual", options={"every": 2})
    assert panel.unfreezing == UnfreezeSchedule.preset(TREES["bert"], "gradual", EPOCHS, every=2)
    click(panel, type="undo")
    assert panel.unfreezing.starts["bert.pooler"] == 4
    assert messages[-1]["type"] == "snapshot"
    assert messages[-1]["state"] == {**json.loads(json.dumps(panel.state)), "seq": messages[-1]["seq"]}


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({"type": "move", "row": "classifier", "start": None}, "Nothing would learn in epoch 1"),
        ({"type": "move", "row": 7, "start": 1}, "no group 7"),
        ({"type": "move", "row": "bert.pooler", "start": "soon"}, "from 1 to 5, or never (None); got 'soon'"),
        ({"type": "preset", "name": "gradual", "options": {"every": 0}}, "every is 0"),
        ({"type": "preset", "name": "last", "options": {"k": 99}}, "between 1 and 3"),
        ({"type": "dance"}, "does not understand the request 'dance'"),
        ({}, "does not understand the request None"),
    ],
)
def test_what_a_browser_may_not_ask_is_told_as_a_sentence(shown, request_, sentence):
    panel, messages, _ = shown
    before = panel.to_dict()
    click(panel, **request_)
    assert panel.to_dict() == before
    assert messages[-1]["state"]["message"]["kind"] == "error"
    assert sentence in messages[-1]["state"]["message"]["text"]


def test_headless_the_static_view_is_the_output(monkeypatch):
    import IPython.display

    monkeypatch.setenv("TLWIDGETS_VIEW", "static")
    outputs = []
    monkeypatch.setattr(
        IPython.display, "publish_display_data", lambda shown, *_, **more: outputs.append(shown)
    )
    panel = UnfreezeSchedulePanel(TREES["bert"], 4)
    panel._ipython_display_()
    assert panel._widget is None
    assert outputs == [{"text/html": unfreeze_html(panel.state), "text/plain": unfreeze_text(panel.state)}]


@given(st.sampled_from(sorted(TREES)), actions)
@settings(max_examples=15, deadline=None)
def test_the_static_view_says_when_each_row_learns(name, done):
    panel = UnfreezeSchedulePanel(TREES[name], EPOCHS)
    for action in done:
        act(panel, action)
    state = panel.state
    html, text = unfreeze_html(state), unfreeze_text(state)
    assert "<script" not in html and "<style" not in html
    for row in state["rows"]:
        assert f"{row['label']} {row['start_text']}" in html
        line = next(line for line in text.split("\n") if line.startswith(f"{row['label']} "))
        learns = 0 if row["start"] is None else EPOCHS + 1 - row["start"]
        assert line.count("#") == learns
    for cost in state["costs"]:
        assert cost["text"].replace("<", "&lt;") in html and f"epoch {cost['epoch']}: {cost['text']}" in text
    for x in map(float, re.findall(r'<rect x="([\d.-]+)"', html)):
        assert 0 <= x <= 420


def test_the_static_view_escapes_and_marks_the_epoch_in_training():
    panel = UnfreezeSchedulePanel(TREES["bert"], 4)
    state = panel.state
    plain = unfreeze_html(state)
    state["rows"][0]["label"] = "<b>head</b>"
    state["current"] = 2
    marked = unfreeze_html(state)
    assert "<b>head" not in marked
    assert marked.count("fill-opacity") > plain.count("fill-opacity")


def test_closing_keeps_the_schedule_and_ends_the_view(shown):
    panel, messages, outputs = shown
    schedule = panel.schedule
    panel.close()
    assert panel._widget is None and panel.schedule == schedule and panel.state["closed"]
    assert "text/html" in outputs[-1]
