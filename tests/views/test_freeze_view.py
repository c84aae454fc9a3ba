"""What the freezing panel does in Python: state, undo, messages from views, and its static twin."""

import gc
import weakref

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from transformers import BertConfig, BertForSequenceClassification, GPT2Config, GPT2LMHeadModel

from tlwidgets.core import FreezeError, FreezePlan, NothingTrainableError, UnknownGroupError
from tlwidgets.render.freeze import freeze_html, freeze_text
from tlwidgets.views import FreezePanel
from tlwidgets.views.freeze_widget import FreezeWidget


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
    assert panel.state["pending"]
    for command in waiting:
        command()
    assert sum(flags(panel.model)) == 2
    assert not panel.state["pending"]


def test_tied_weights_are_explained():
    config = GPT2Config(
        n_embd=16, n_layer=2, n_head=2, vocab_size=50, n_positions=8, bos_token_id=1, eos_token_id=2
    )
    panel = FreezePanel(GPT2LMHeadModel(config))
    assert any("tied" in note for note in panel.state["notes"])
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


def test_the_twin_says_the_same_without_scripts(panel):
    panel.preset("feature-extraction")
    html, text = freeze_html(panel.state), freeze_text(panel.state)
    for said in (html, text):
        assert "Encoder layer 3" in said
        assert "Frozen" in said or "frozen" in said
    assert "<script" not in html and "<style" not in html
    assert f"{panel.plan.trainable_count:,}" in html


def test_where_nobody_clicks_no_widget_is_made(panel, monkeypatch):
    monkeypatch.setenv("TLWIDGETS_VIEW", "static")
    shown = []
    monkeypatch.setattr("IPython.display.publish_display_data", lambda data, **_: shown.append(data))
    panel._ipython_display_()
    assert panel._widget is None
    assert set(shown[0]) == {"text/html", "text/plain"}


class Wire(FreezeWidget):
    """A widget whose messages are kept instead of sent."""

    def __init__(self, panel):
        self.sent = []
        super().__init__(panel)

    def send(self, content, buffers=None):
        self.sent.append(content)


def test_a_click_is_answered_with_what_changed_and_a_stale_one_is_refused(panel):
    wire = panel._widget = Wire(panel)
    wire.snapshot()
    revision = panel.state["revision"]
    wire._on_message(None, {"type": "toggle", "id": "bert.pooler", "revision": revision, "seq": 7}, [])
    delta = wire.sent[-1]
    assert (delta["type"], delta["seq"]) == ("delta", 7)
    assert "bert.pooler" in str(delta["rows"])
    assert not panel.model.bert.pooler.dense.weight.requires_grad
    wire._on_message(None, {"type": "toggle", "id": "bert.pooler", "revision": revision, "seq": 8}, [])
    assert wire.sent[-1]["frame"]["message"]["kind"] == "error"
    assert not panel.model.bert.pooler.dense.weight.requires_grad


@pytest.mark.parametrize(
    "content", [None, 3, {}, {"type": "dance"}, {"type": "expand", "id": "nowhere", "seq": 1}]
)
def test_nonsense_from_a_browser_changes_nothing(panel, content):
    wire = panel._widget = Wire(panel)
    before = flags(panel.model)
    wire._on_message(None, content, [])
    assert flags(panel.model) == before
    assert wire.sent


def test_the_cost_shown_is_the_plans(panel):
    panel.preset("feature-extraction")
    assert panel.plan == FreezePlan.preset("feature-extraction", panel.tree)
    assert "What the figures rest on" in freeze_html(panel.state)


def test_code_that_sets_up_what_is_so_already_leaves_no_message_and_a_click_gets_one(panel):
    panel.preset("feature-extraction")
    again = FreezePanel(panel.model)
    again.set_policy("bert.embeddings", "frozen")
    assert again.state["message"]["text"] == ""
    again._widget = FreezeWidget(again)
    again.set_policy("bert.embeddings", "frozen")
    assert again.state["message"]["text"] == "It is so already."
    again.close()
