"""What the freezing panel does in Python: state, undo, requests of views, and its static view."""

import gc
import weakref

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from transformers import BertConfig, BertForSequenceClassification, GPT2Config, GPT2LMHeadModel

from tests.widgets.conftest import click, shown
from tlwidgets.core import FreezeError, FreezePlan, NothingTrainableError, UnknownGroupError
from tlwidgets.widgets import FreezePanel
from tlwidgets.widgets.freeze.static import freeze_html, freeze_text


def bert() -> nn.Module:
    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32, vocab_size=50
    )
    return BertForSequenceClassification(config)


@pytest.fixture
def panel():
    made = FreezePanel(bert())
    yield made
    made.close()


def flags(model) -> list[bool]:
    return [parameter.requires_grad for parameter in model.parameters()]


def states(panel) -> dict[str, str]:
    return {row["id"]: row["state"] for row in panel.state["rows"]}


def test_the_panel_sets_the_model_at_once_and_shows_what_is(panel):
    panel.preset("feature-extraction")
    assert [n for n, p in panel.model.named_parameters() if p.requires_grad] == [
        "classifier.weight",
        "classifier.bias",
    ]
    panel.set_policy("bert.encoder.layer.2", "trained")
    assert states(panel)["bert.encoder.layer.2"] == "trained"
    assert all(p.requires_grad for p in panel.model.bert.encoder.layer[2].parameters())


def test_its_heading_is_the_models_class_or_what_it_is_told():
    model = bert()
    plain, told = FreezePanel(model), FreezePanel(model, title="Image + text")
    assert plain.state["title"] == "BertForSequenceClassification"
    assert told.state["title"] == "Image + text" and "Image + text" in freeze_html(told.state)
    plain.close(), told.close()


def test_it_follows_what_code_does(panel):
    panel.model.bert.requires_grad_(False)
    assert panel.plan.state("bert.embeddings") == "frozen"
    panel.refresh()
    assert states(panel)["bert.embeddings"] == "frozen"


def test_a_module_added_later_is_found_by_refresh(panel):
    panel.model.extra = nn.Linear(3, 3)
    panel.refresh()
    assert "extra" in states(panel)
    panel.set_policy("extra", "frozen")
    assert not panel.model.extra.weight.requires_grad


def test_freezing_everything_is_refused_and_changes_nothing(panel):
    before = flags(panel.model)
    with pytest.raises(NothingTrainableError, match="nothing learns"):
        panel.set_policy("", "frozen")
    with pytest.raises(UnknownGroupError, match="nearest names"):
        panel.set_policy("bert.encoder.layer.9", "frozen")
    assert flags(panel.model) == before


ids = ["bert.embeddings", "bert.encoder.layer.0", "bert.encoder.layer.1", "bert.pooler", "classifier"]
actions = st.lists(
    st.tuples(st.sampled_from(ids), st.sampled_from(["frozen", "trained"])), min_size=1, max_size=8
)


@settings(max_examples=25, deadline=None)
@given(actions)
def test_undo_goes_back_step_by_step_and_redo_forward(actions):
    panel = FreezePanel(bert())
    seen = [flags(panel.model)]
    for group, policy in actions:
        try:
            panel.set_policy(group, policy)
        except NothingTrainableError:
            continue
        if flags(panel.model) != seen[-1]:
            seen.append(flags(panel.model))
    for expected in reversed(seen[:-1]):
        panel.undo()
        assert flags(panel.model) == expected
    for expected in seen[1:]:
        panel.redo()
        assert flags(panel.model) == expected
    panel.close()


def test_unknown_options_are_refused(panel):
    with pytest.raises(TypeError):
        FreezePanel(bert(), colour="red")
    with pytest.raises(TypeError):
        FreezePanel("bert")
    with pytest.raises(FreezeError, match="There is no preset"):
        panel.preset("half")


def test_callbacks_hear_each_change_until_they_end(panel):
    heard = []
    end = panel.on_change(lambda changed: heard.append(changed.plan.trainable_count))
    panel.preset("feature-extraction")
    end()
    panel.preset("full")
    assert heard == [2 * 16 + 2]


def test_while_something_trains_changes_wait_for_a_step_boundary(panel):
    waiting = []
    panel.defer = waiting.append
    before = flags(panel.model)
    panel.preset("feature-extraction")
    assert flags(panel.model) == before
    assert panel.state["pending"] and "next training step" in panel.state["message"]["text"]
    for command in waiting:
        command()
    assert sum(flags(panel.model)) == 2
    assert not panel.state["pending"] and "next training step" not in panel.state["message"]["text"]


def test_tied_weights_are_explained():
    config = GPT2Config(
        n_embd=16, n_layer=2, n_head=2, vocab_size=50, n_positions=8, bos_token_id=1, eos_token_id=2
    )
    panel = FreezePanel(GPT2LMHeadModel(config))
    assert any("tied" in note for note in panel.state["notes"])
    panel.close()


def test_what_is_taken_for_the_head_is_shown_with_the_reason_and_can_be_named():
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
    for options, words in (({}, "`2`, the last part."), ({"head": "0"}, "`0`, as you said.")):
        panel = FreezePanel(model, **options)
        assert panel.state["notes"] == [f"Taken for the head: {words}"]
        assert all(words in view for view in panel._rendered())
        panel.preset("feature-extraction")
        assert flags(model) == [name.startswith(words[1]) for name, _ in model.named_parameters()]
        panel.close()


def test_weights_without_gradients_are_shown_as_fixed():
    model = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 2))
    model[0].weight = nn.Parameter(torch.ones(4, 4, dtype=torch.int8), requires_grad=False)
    panel = FreezePanel(model)
    rows = {row["id"]: row for row in panel.state["rows"]}
    assert "int8" in rows["0"]["fixed"]
    with pytest.raises(NothingTrainableError, match="int8"):
        panel.set_policy("0", "trained")
    panel.close()


def test_a_model_on_the_meta_device_opens():
    with torch.device("meta"):
        model = bert()
    panel = FreezePanel(model)
    assert "meta" in panel.state["device"]["text"]
    panel.preset("last", k=1)
    panel.close()


def test_a_closed_panel_lets_its_model_go():
    model = bert()
    panel = FreezePanel(model)
    alive = weakref.ref(model)
    panel.close()
    del model
    gc.collect()
    assert alive() is None
    with pytest.raises(FreezeError, match="was closed"):
        panel.preset("full")


def test_the_static_view_says_the_same_without_scripts(panel):
    panel.preset("feature-extraction")
    html, text = freeze_html(panel.state), freeze_text(panel.state)
    for said in (html, text):
        assert "Encoder layer 3" in said
        assert "Frozen" in said or "frozen" in said
    assert "<script" not in html and "<style" not in html
    assert f"{panel.plan.trainable_count:,}" in html


def test_where_nobody_clicks_no_widget_is_made_and_the_static_view_is_what_code_made_of_it(
    panel, static, published
):
    panel.model.bert.requires_grad_(False)
    panel._ipython_display_()
    assert panel._widget is None
    assert set(published[0][0]) == {"text/html", "text/plain"}
    assert "[x] Embeddings" in published[0][0]["text/plain"]


def ask(panel, **request) -> None:
    """What a view sends: a request with the revision that it shows."""
    click(panel, **{"revision": panel.state["revision"], **request})


def test_a_click_is_answered_once_with_what_changed_and_a_stale_one_is_refused(panel, live):
    messages = shown(panel)
    ask(panel, type="toggle", id="bert.pooler", tag="first")
    assert [message["type"] for message in messages] == ["snapshot"]  # since then it is known what views know
    revision = panel.state["revision"]
    ask(panel, type="toggle", id="bert.pooler", tag="second")
    delta = messages[-1]
    assert (len(messages), delta["type"], delta["answered"]) == (2, "delta", ["second"])
    assert [row["id"] for row in delta["rows"]] == ["bert.pooler"] and delta["opened"] == []
    assert "label" not in delta["rows"][0] and delta["rows"][0]["state"] == "trained"
    assert panel.model.bert.pooler.dense.weight.requires_grad
    click(panel, type="toggle", id="bert.pooler", revision=revision, tag="third")
    message = messages[-1]["frame"]["message"]
    assert (message["kind"], messages[-1]["answered"]) == ("error", ["third"])
    assert "was not carried out" in message["text"]
    assert panel.model.bert.pooler.dense.weight.requires_grad


def test_rows_are_sent_when_they_are_opened_and_followed_from_then_on(panel, live):
    messages = shown(panel)
    ask(panel, type="refresh")
    layer = "bert.encoder.layer.0"
    assert all(not row["children"] for row in messages[-1]["state"]["rows"])
    ask(panel, type="expand", id=layer, tag="open")
    (opened,) = messages[-1]["opened"]
    children = [row["id"] for row in opened["children"]]
    assert opened["id"] == layer and children and all(id.startswith(layer) for id in children)
    assert messages[-1]["rows"] == [] and messages[-1]["answered"] == ["open"]
    ask(panel, type="expand", id=children[0])
    assert [each["id"] for each in messages[-1]["opened"]] == [children[0]]
    ask(panel, type="toggle", id=layer)
    changed = {row["id"] for row in messages[-1]["rows"]}
    assert {layer, *children} <= changed and messages[-1]["opened"] == []
    click(panel, type="hello", view="late")
    (row,) = (row for row in messages[-1]["state"]["rows"] if row["id"] == layer)
    assert [child["id"] for child in row["children"]] == children


def test_a_tree_that_was_read_again_is_sent_whole(panel, live):
    messages = shown(panel)
    ask(panel, type="expand", id="bert.encoder.layer.0")
    panel.model.extra = nn.Linear(3, 3)
    ask(panel, type="toggle", id="extra", tag="click")  # of a view that shows the tree without it
    snapshot = next(message for message in messages[1:] if message["type"] == "snapshot")
    assert "extra" in [row["id"] for row in snapshot["state"]["rows"]]
    assert any(row["children"] for row in snapshot["state"]["rows"])
    assert panel.model.extra.weight.requires_grad and panel.state["message"]["kind"] == "error"


def test_the_code_is_sent_when_it_is_asked_for(panel, live):
    messages = shown(panel)
    panel.preset("feature-extraction")
    panel.preset("full")
    assert "code" not in messages[-1]
    ask(panel, type="code")
    assert messages[-1]["code"] == panel.code and "requires_grad_" in panel.code
    panel.preset("feature-extraction")
    assert "code" not in messages[-1]


def test_the_views_numbers_have_no_gap(panel, live):
    messages = shown(panel)
    for request in ("toggle", "undo", "redo", "refresh", "code", "dance"):
        ask(panel, type=request, id="bert.pooler")
    assert [message["seq"] for message in messages] == list(range(1, len(messages) + 1))
    assert [len(messages), panel.state["message"]["kind"]] == [6, "error"]


@pytest.mark.parametrize(
    "content",
    [None, 3, {}, {"type": "dance"}, {"type": "expand", "id": "nowhere"}, {"type": "expand", "id": []}],
)
def test_nonsense_from_a_browser_changes_nothing_and_gets_a_sentence(panel, live, content):
    messages = shown(panel)
    before = flags(panel.model)
    panel._widget._on_message(None, content, [])
    assert flags(panel.model) == before
    assert messages and panel.state["message"]["kind"] == "error"


def test_what_options_a_view_sends_with_a_preset_is_looked_at(panel, live):
    shown(panel)
    ask(panel, type="preset", name="last", options={"k": 1})
    assert panel.plan == FreezePlan.preset(panel.tree, "last", k=1)
    for options in ({"k": 99}, {"depth": 1}):
        ask(panel, type="preset", name="last", options=options)
        assert panel.state["message"]["kind"] == "error"
    assert panel.plan == FreezePlan.preset(panel.tree, "last", k=1)


def test_two_panels_on_one_model_follow_each_other(panel):
    other = FreezePanel(panel.model)
    other.preset("feature-extraction")
    other.set_policy("bert.pooler", "trained")
    panel._follow()  # as after each cell
    assert panel.plan == other.plan and states(panel)["bert.pooler"] == "trained"
    assert panel.state["message"]["text"].startswith("Changed in code: 4 groups.")
    panel.undo()
    assert all(flags(panel.model)) and other.plan == panel.plan
    other.close()


def test_a_plan_that_cannot_be_applied_leaves_plan_and_history_as_they_were(panel, monkeypatch):
    panel.preset("feature-extraction")
    panel.undo()
    before = (panel.plan, panel.state["undo"], panel.state["redo"])

    def fail(*_):
        raise FreezeError("It cannot be applied.")

    with monkeypatch.context() as patched:
        patched.setattr("tlwidgets.widgets.freeze.follow.apply_to", fail)
        for act in (panel.redo, lambda: panel.preset("last", k=1)):
            with pytest.raises(FreezeError, match="cannot be applied"):
                act()
    assert (panel.plan, panel.state["undo"], panel.state["redo"]) == before


def test_the_cost_shown_is_the_plans(panel):
    panel.preset("feature-extraction")
    assert panel.plan == FreezePlan.preset(panel.tree, "feature-extraction")
    assert "What these figures are based on" in freeze_html(panel.state)


def test_code_that_changes_nothing_leaves_no_message_and_a_click_gets_one(panel, live):
    panel.preset("feature-extraction")
    again = FreezePanel(panel.model)
    again.set_policy("bert.embeddings", "frozen")
    assert again.state["message"]["text"] == ""
    shown(again)
    again.set_policy("bert.embeddings", "frozen")
    assert again.state["message"]["text"] == "Nothing changed."
    again.close()
