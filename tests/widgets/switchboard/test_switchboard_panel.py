"""The switchboard without a browser: every number is a measurement, undone exactly, and its code gives the
same."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.widgets.conftest import click, shown
from tests.widgets.pairs import GROUPS, Early, Late, trained
from tlwidgets.train import MODES, measure_modes
from tlwidgets.widgets import ModalitySwitchboard

DRAW = torch.Generator().manual_seed(0)
FEATURES = {
    "text": torch.randn(60, 6, generator=DRAW) + torch.arange(60)[:, None] % 3,
    "audio": torch.randn(60, 5, 4, generator=DRAW) * 2,
}
LABELS = torch.arange(60) % 3
MODELS = {
    "early": trained(Early, FEATURES, LABELS, steps=40),
    "late": trained(Late, FEATURES, LABELS, steps=40),
}
actions = st.lists(
    st.tuples(st.sampled_from(list(FEATURES)), st.sampled_from(MODES))
    | st.sampled_from(["undo", "redo", "reset"]),
    max_size=10,
)


def board(**options) -> ModalitySwitchboard:
    return ModalitySwitchboard(MODELS, FEATURES, LABELS, **options)


def act(panel: ModalitySwitchboard, action) -> None:
    getattr(panel, action)() if isinstance(action, str) else panel.set_mode(*action)


@given(actions)
@settings(max_examples=25, deadline=None)
def test_whatever_is_clicked_each_number_is_what_the_model_gets_right(done):
    panel = board()
    for action in done:
        act(panel, action)
    state = json.loads(json.dumps(panel.state, allow_nan=False))
    assert {row["id"]: row["mode"] for row in state["modalities"]} == panel.modes
    for entry in state["models"]:
        (measured,) = measure_modes(MODELS[entry["name"]], FEATURES, LABELS, [panel.modes])
        assert panel.results[entry["name"]] == measured
        assert (entry["share"], entry["low"], entry["high"]) == (measured.accuracy, *measured.interval)
        assert entry["confusion"] == [list(row) for row in measured.confusion]
        assert [found["text"] for found in entry["classes"]] == [
            f"{r} of {of}" for r, of in measured.per_class
        ]
    assert len(state["tried"]["rows"]) == len({tuple(row[:2]) for row in state["tried"]["rows"]})
    assert [MODES.index(mode) for mode in panel.modes.values()] in [row[:2] for row in state["tried"]["sort"]]


@given(actions)
@settings(max_examples=25, deadline=None)
def test_undo_goes_all_the_way_back_and_redo_returns(done):
    panel = board()
    for action in done:
        act(panel, action)
    last, steps = panel.modes, len(panel._history)
    for _ in range(steps):
        panel.undo()
    assert steps == 0 or set(panel.modes.values()) == {"on"} or panel.state["undo"] is False
    assert not panel.state["undo"]
    for _ in range(steps):
        panel.redo()
    assert panel.modes == last


@pytest.mark.parametrize("present", [None, {"text": torch.arange(60) % 5 > 0}])
@pytest.mark.parametrize("modes", [("on", "on"), ("noise", "off"), ("shuffled", "missing"), ("off", "noise")])
def test_the_code_alone_gives_the_same_accuracy(modes, present):
    panel = board(seed=7, present=present)
    for name, mode in zip(FEATURES, modes, strict=True):
        panel.set_mode(name, mode)
    for name, model in MODELS.items():
        names = {"torch": torch, "features": FEATURES, "labels": LABELS, "model": model, "present": present}
        exec(panel.code, names)
        assert names["answers"].tolist() == list(panel.results[name].answers)
        assert names["accuracy"] == pytest.approx(panel.results[name].accuracy)


def test_a_modality_that_is_not_used_changes_no_answer_and_one_that_is_does():
    panel = ModalitySwitchboard(Late({"text": 6}, 3), FEATURES, LABELS)
    panel.set_mode("audio", "noise")
    assert panel.state["models"][0]["change"] == "the same answers as with all on"
    panel = board()
    panel.set_mode("text", "shuffled")
    for entry in panel.state["models"]:
        assert entry["share"] < entry["on"]["share"] and "points less than with all on" in entry["change"]


def test_a_model_that_learned_is_measured_anew(static, published):
    model = Late({"text": 6, "audio": 4}, 3)
    panel = ModalitySwitchboard(model, FEATURES, LABELS)
    panel.set_mode("audio", "off")
    before = panel.results[""]
    model.load_state_dict(MODELS["late"].state_dict())
    panel._ipython_display_()
    after = panel.state["models"][0]
    assert panel.results[""] == measure_modes(model, FEATURES, LABELS, [panel.modes])[0] != before
    assert after["on"]["share"] == measure_modes(model, FEATURES, LABELS, [{}])[0].accuracy


def test_chance_is_the_most_frequent_class(static, published):
    labels = torch.tensor([0] * 45 + [1] * 10 + [2] * 5)
    state = board().state
    assert state["chance"] == {"share": 1 / 3, "text": "chance 33.3 %: always naming any one class"}
    panel = ModalitySwitchboard(MODELS, FEATURES, labels, classes=GROUPS[:3])
    assert panel.state["chance"]["text"] == "chance 75.0 %: always naming “Animals & Nature”"
    panel._ipython_display_()
    data = published[-1][0]
    assert "Animals &amp; Nature" in data["text/html"] and "chance 75.0 %" in data["text/plain"]


def test_a_static_board_shows_the_same_words_as_the_live_one(static, published):
    panel = board()
    panel.set_mode("audio", "missing")
    panel._ipython_display_()
    data, state = published[-1][0], panel.state
    for entry in state["models"]:
        for words in (entry["text"], entry["interval"], entry["change"]):
            assert words in data["text/html"] and words in data["text/plain"]
    assert "left out, and the model is told so" in data["text/plain"]
    assert "there[&#x27;audio&#x27;] = torch.zeros_like" in data["text/html"]
    assert "2 combinations tried" in data["text/plain"]


def test_a_click_is_answered_and_a_wrong_one_gets_a_sentence(live):
    panel = board()
    messages = shown(panel)
    click(panel, type="mode", modality="audio", mode="noise")
    panel._widget.publish(now=True)
    assert messages[-1]["state"]["modalities"][1]["mode"] == "noise"
    assert messages[-1]["state"]["message"]["text"].startswith("Text on, audio noise: early ")
    for wrong, said in (
        ({"type": "mode", "modality": "smell", "mode": "on"}, "no modality 'smell'"),
        ({"type": "mode", "modality": "text"}, "None is not a mode"),
        ({"type": "dance"}, "not understand the request 'dance'"),
    ):
        click(panel, **wrong)
        assert said in panel.state["message"]["text"] and panel.state["message"]["kind"] == "error"
    assert panel.modes == {"text": "on", "audio": "noise"}
    assert len(json.dumps(panel.state)) < 20_000


class Proud(torch.nn.Module):
    """Can't do without its audio."""

    def forward(self, features, present=None):
        if not present["audio"].all():
            raise RuntimeError("I need my audio")
        return features["text"][:, :3]


def test_a_model_that_fails_says_so_and_the_setting_stays(live):
    panel = ModalitySwitchboard(Proud(), FEATURES, LABELS)
    shown(panel)
    click(panel, type="mode", modality="audio", mode="missing")
    assert panel.state["message"]["text"] == "RuntimeError: I need my audio"
    assert panel.modes["audio"] == "on" and not panel.state["undo"]
    with pytest.raises(RuntimeError, match="I need my audio"):
        panel.set_mode("audio", "missing")


def test_many_classes_are_counted_together():
    labels = torch.arange(60) % 20
    panel = ModalitySwitchboard(Late({"text": 6, "audio": 4}, 20), FEATURES, labels)
    assert panel.state["models"][0]["confusion"] == [] and len(json.dumps(panel.state)) < 20_000


def test_a_closed_board_keeps_its_results_and_lets_its_models_go(live, published):
    panel = board()
    panel.set_mode("text", "off")
    shown(panel)
    panel.close()
    panel.close()
    assert panel._models == {} and panel.state["closed"] and panel.results
    with pytest.raises(ValueError, match="was closed and no longer has its models"):
        panel.set_mode("text", "noise")
    assert panel.modes["text"] == "off"


def test_what_does_not_fit_gets_a_sentence():
    with pytest.raises(TypeError, match="Expected a torch.nn.Module, or several by name"):
        ModalitySwitchboard([MODELS["late"]], FEATURES, LABELS)
    with pytest.raises(ValueError, match="There are 7 models. Expected 1 to 6"):
        ModalitySwitchboard({str(n): MODELS["late"] for n in range(7)}, FEATURES, LABELS)
    with pytest.raises(ValueError, match="logits for 3 classes, .* Expected 2 classes"):
        ModalitySwitchboard(MODELS, FEATURES, LABELS, classes=("a", "b"))
    with pytest.raises(ValueError, match="59 labels and 60 examples"):
        ModalitySwitchboard(MODELS, FEATURES, LABELS[1:])
