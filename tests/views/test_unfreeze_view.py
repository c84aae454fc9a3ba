"""The score without a browser: every move is checked, undone exactly, and shown the same live and as a static twin."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.zoo import ZOO
from tests.train.conftest import data, make_model  # noqa: F401 - fixtures
from tlwidgets.core import FreezeError, FreezePlan, ModelTree, NothingTrainableError, UnknownGroupError
from tlwidgets.render.unfreeze import unfreeze_html, unfreeze_text
from tlwidgets.train import EpochEnded, Unfreezing, fit, gradual_unfreezing
from tlwidgets.views import TrainPanel, UnfreezeScore

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
        st.tuples(st.just("preset"), st.sampled_from(["all", "head", "gradual", "last"])),
        st.tuples(st.just("undo")),
        st.tuples(st.just("redo")),
    ),
    max_size=15,
)


def act(score: UnfreezeScore, action) -> None:
    """Carry out one action, as far as it is allowed."""
    kind, *rest = action
    rows = [row["id"] for row in score.state["rows"]]
    try:
        if kind == "move":
            score.move(rows[rest[0] % len(rows)], rest[1], rest[2])
        elif kind == "preset":
            score.preset(rest[0])
        else:
            getattr(score, kind)()
    except FreezeError as error:
        assert str(error).endswith(".")


@given(st.sampled_from(sorted(TREES)), actions)
@settings(max_examples=40, deadline=None)
def test_whatever_is_done_the_schedule_can_be_trained_and_the_state_has_json(name, done):
    score = UnfreezeScore(TREES[name], EPOCHS)
    for action in done:
        act(score, action)
        schedule = score.schedule
        assert min(schedule) == 1 and all(plan.trainable for plan in schedule.values())
    state = json.loads(json.dumps(score.state, allow_nan=False))
    assert {row["id"]: row["start"] for row in state["rows"]} == dict(score.unfreezing.starts)
    assert [cost["epoch"] for cost in state["costs"]] == list(range(1, EPOCHS + 1))
    shares = [cost["share"] for cost in state["costs"]]
    assert shares == sorted(shares) and shares[0] >= 0 and shares[-1] <= 1
    assert Unfreezing.from_dict(TREES[name], score.to_dict()) == score.unfreezing


@given(st.sampled_from(sorted(TREES)), actions)
@settings(max_examples=40, deadline=None)
def test_undo_is_exact_and_redo_takes_it_back(name, done):
    score = UnfreezeScore(TREES[name], EPOCHS)
    first = score.to_dict()
    for action in done:
        before, depth = score.to_dict(), len(score._past)
        act(score, action)
        if action[0] in ("move", "preset") and len(score._past) > depth:
            after = score.to_dict()
            score.undo()
            assert score.to_dict() == before
            score.redo()
            assert score.to_dict() == after
    last = score.to_dict()
    steps = 0
    while score.state["undo"]:
        score.undo()
        steps += 1
    assert score.to_dict() == first
    for _ in range(steps):
        score.redo()
    assert score.to_dict() == last


def test_it_begins_gradual_and_takes_what_gradual_unfreezing_gives():
    tree = TREES["bert"]
    plans = gradual_unfreezing(tree, every=2)
    assert UnfreezeScore(tree, 4).unfreezing == Unfreezing.preset("gradual", tree, 4)
    assert UnfreezeScore(tree, 11, plans).schedule == {
        epoch: Unfreezing.from_schedule(tree, 11, plans).plan(epoch) for epoch in plans
    }
    saved = UnfreezeScore(tree, 4).to_dict()
    assert UnfreezeScore(tree, 4, Unfreezing.from_dict(tree, saved)).to_dict() == saved


def test_rows_go_from_the_head_down_to_the_embeddings():
    labels = [row["label"] for row in UnfreezeScore(TREES["bert"], 3).state["rows"]]
    assert labels[0] == "Head: classifier" and labels[-1] == "Embeddings"


def test_a_drag_is_undone_as_one_and_a_drag_back_leaves_nothing_to_undo():
    score = UnfreezeScore(TREES["bert"], EPOCHS)
    start = score.to_dict()
    for epoch in (3, 4, 5):
        score.move("bert.pooler", epoch, "a drag")
    score.undo()
    assert score.to_dict() == start
    score.move("bert.pooler", 4, "another")
    score.move("bert.pooler", 2, "another")
    assert score.to_dict() == start and not score.state["undo"]


def test_costs_are_those_of_the_estimate_and_full_fine_tuning_costs_all():
    score = UnfreezeScore(ZOO["bert"].make(), 3)
    score.preset("all")
    assert [cost["text"] for cost in score.state["costs"]] == ["100 %"] * 3
    assert "100 % of full fine-tuning's backward work" in score.state["whole"]
    score.preset("head")
    assert all(cost["share"] < 0.05 for cost in score.state["costs"])
    assert "run once on shapes alone" in score.state["assumptions"]
    assert "from the number of weights" in UnfreezeScore(TREES["bert"], 3).state["assumptions"]


def test_tied_rows_say_so_and_move_together():
    score = UnfreezeScore(TREES["gpt2"], EPOCHS)
    rows = {row["id"]: row for row in score.state["rows"]}
    assert rows["lm_head"]["note"] == "shares weights, and moves, with Token embeddings"
    score.move("transformer.ln_f", 1)
    score.move("lm_head", 4)
    rows = {row["id"]: row for row in score.state["rows"]}
    assert rows["lm_head"]["start"] == rows["transformer.wte"]["start"] == 4
    assert "shares its weights" in score.state["message"]["text"]


def test_what_cant_be_is_a_sentence_and_changes_nothing():
    score = UnfreezeScore(TREES["bert"], EPOCHS)
    before = score.to_dict()
    with pytest.raises(NothingTrainableError, match="Nothing would learn in epoch 1"):
        score.move("classifier", None)
    with pytest.raises(FreezeError, match="from 1 to 5"):
        score.move("bert.pooler", 6)
    with pytest.raises(UnknownGroupError):
        score.move("bert.poler", 2)
    with pytest.raises(FreezeError, match="no schedule 'fast'"):
        score.preset("fast")
    with pytest.raises(TypeError, match="made of a torch.nn.Module or a ModelTree, and this is a str"):
        UnfreezeScore("bert", 3)
    with pytest.raises(ValueError, match="epochs is 0"):
        UnfreezeScore(TREES["bert"], 0)
    with pytest.raises(FreezeError, match="a part stays frozen"):
        UnfreezeScore(TREES["bert"], 3, {1: FreezePlan.preset("norms-and-biases", TREES["bert"])})
    assert score.to_dict() == before and not score.state["undo"]


def test_callbacks_hear_each_change():
    score = UnfreezeScore(TREES["bert"], EPOCHS)
    heard = []
    end = score.on_change(lambda each: heard.append(each.unfreezing.starts["bert.pooler"]))
    score.move("bert.pooler", 4)
    score.undo()
    end()
    score.move("bert.pooler", 3)
    assert heard == [4, 2]


# -- with a training --------------------------------------------------------------------------------------------------


def test_a_training_panel_takes_the_score_and_marks_the_epoch(monkeypatch, make_model, data):  # noqa: F811
    monkeypatch.setenv("TLWIDGETS_VIEW", "static")
    model, other = make_model(), make_model()
    score = UnfreezeScore(model, 3)
    panel = TrainPanel(model, None, data, lr=0.02, unfreeze=score)
    marks = []
    on_event = panel._on_event

    def told(event):
        on_event(event)
        if isinstance(event, EpochEnded):
            marks.append(score.state["current"])

    monkeypatch.setattr(panel, "_on_event", told)
    panel.start()
    assert marks == [2, 3, 3] and score.state["current"] == 0
    run = fit(other, score.schedule[1], data, epochs=3, lr=0.02, unfreeze=score.schedule)
    assert panel.wait().curves == run.curves
    assert len(run.curves.epoch) == 3, "the score says how many epochs there are"


# -- the wire and the twin --------------------------------------------------------------------------------------------


@pytest.fixture
def shown(monkeypatch):
    """A score displayed live, the messages to the browser, and what went into the cell's output."""
    import IPython.display

    monkeypatch.setenv("TLWIDGETS_VIEW", "live")
    outputs = []
    monkeypatch.setattr(
        IPython.display, "publish_display_data", lambda shown, *_, **more: outputs.append(shown)
    )
    score = UnfreezeScore(TREES["bert"], EPOCHS)
    score._ipython_display_()
    messages = []
    score._widget.send = lambda content, buffers=None: messages.append(json.loads(json.dumps(content)))
    score._widget._pace._interval = 0
    yield score, messages, outputs
    score.close()


def click(score, **content):
    score._widget._handle_custom_msg(content, [])


def test_clicks_act_and_are_answered_with_the_whole_state(shown):
    score, messages, outputs = shown
    click(score, type="move", row="bert.pooler", start=4, gesture="one")
    assert score.unfreezing.starts["bert.pooler"] == 4
    click(score, type="preset", name="gradual", options={"every": 2})
    assert score.unfreezing == Unfreezing.preset("gradual", TREES["bert"], EPOCHS, every=2)
    click(score, type="undo")
    assert score.unfreezing.starts["bert.pooler"] == 4
    assert messages[-1]["type"] == "snapshot"
    assert messages[-1]["state"] == {**json.loads(json.dumps(score.state)), "seq": messages[-1]["seq"]}


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({"type": "move", "row": "classifier", "start": None}, "Nothing would learn in epoch 1"),
        ({"type": "move", "row": 7, "start": 1}, "no group 7"),
        ({"type": "move", "row": "bert.pooler", "start": "soon"}, "'soon' is no epoch"),
        ({"type": "preset", "name": "gradual", "options": {"every": 0}}, "every is 0"),
        ({"type": "preset", "name": "last", "options": {"k": 99}}, "from 1 to 3"),
        ({"type": "dance"}, "knows no request 'dance'"),
        ({}, "knows no request None"),
    ],
)
def test_what_a_browser_may_not_ask_is_told_as_a_sentence(shown, request_, sentence):
    score, messages, _ = shown
    before = score.to_dict()
    click(score, **request_)
    assert score.to_dict() == before
    assert messages[-1]["state"]["message"]["kind"] == "error"
    assert sentence in messages[-1]["state"]["message"]["text"]


def test_headless_the_twin_is_the_output(monkeypatch):
    import IPython.display

    monkeypatch.setenv("TLWIDGETS_VIEW", "static")
    outputs = []
    monkeypatch.setattr(
        IPython.display, "publish_display_data", lambda shown, *_, **more: outputs.append(shown)
    )
    score = UnfreezeScore(TREES["bert"], 4)
    score._ipython_display_()
    assert score._widget is None
    assert outputs == [{"text/html": unfreeze_html(score.state), "text/plain": unfreeze_text(score.state)}]


@given(st.sampled_from(sorted(TREES)), actions)
@settings(max_examples=15, deadline=None)
def test_the_twin_says_of_every_row_when_it_learns(name, done):
    score = UnfreezeScore(TREES[name], EPOCHS)
    for action in done:
        act(score, action)
    state = score.state
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


def test_the_twin_escapes_and_marks_the_epoch_in_training():
    score = UnfreezeScore(TREES["bert"], 4)
    state = score.state
    plain = unfreeze_html(state)
    state["rows"][0]["label"] = "<b>head</b>"
    state["current"] = 2
    marked = unfreeze_html(state)
    assert "<b>head" not in marked
    assert marked.count("fill-opacity") > plain.count("fill-opacity")


def test_closing_keeps_the_schedule_and_ends_the_view(shown):
    score, messages, outputs = shown
    schedule = score.schedule
    score.close()
    assert score._widget is None and score.schedule == schedule and score.state["closed"]
    assert "text/html" in outputs[-1]
