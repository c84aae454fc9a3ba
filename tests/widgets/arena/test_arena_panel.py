"""The arena panel without a browser: it runs, stops, goes on, and says whose results it shows."""

from __future__ import annotations

import dataclasses
import json
import threading
from statistics import fmean

import pytest
import torch
from torch import nn

from tests.train.conftest import examples
from tests.widgets.conftest import click, shown
from tlwidgets.core import FreezeError, FreezePlan
from tlwidgets.train import Arena, ArenaError, ArenaResult, Contender, TaskData, TrainingError
from tlwidgets.widgets import ArenaPanel

PATIENCE = 120


def make(seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))


def task(size: int, seed: int) -> TaskData:
    return TaskData(examples(size, seed), examples(40, 500 + seed), examples(60, 900 + seed))


def an_arena(**changes) -> Arena:
    contenders = [
        Contender(name, make, lambda tree, preset=preset: FreezePlan.preset(tree, preset), (1e-2,))
        for name, preset in (("head", "feature-extraction"), ("full", "full"))
    ]
    arena = Arena("points", contenders, task, sizes=(16, 48), seeds=(0, 1, 2), steps=6)
    return dataclasses.replace(arena, **changes)


class Gate:
    """Data whose making waits, from the `after`-th time on, until the gate opens."""

    def __init__(self, after: int) -> None:
        self.after, self.made = after, 0
        self.reached, self.open = threading.Event(), threading.Event()

    def __call__(self, size: int, seed: int) -> TaskData:
        self.made += 1
        if self.made > self.after:
            self.reached.set()
            assert self.open.wait(PATIENCE)
        return task(size, seed)


def received(messages: list[dict]) -> dict:
    """What a view shows that got these messages."""
    state: dict = {}
    for message in messages:
        state = dict(message["state"]) if message["type"] == "snapshot" else {**state, **message["frame"]}
    return state


def recorded() -> ArenaResult:
    bouts = an_arena().fight().bouts
    return ArenaResult(
        "points", "a big machine", tuple(dataclasses.replace(b, test_accuracy=0.5) for b in bouts)
    )


# -- where nobody can click ----------------------------------------------------------------------------


def test_headless_a_start_runs_to_the_end_and_the_static_view_becomes_the_results(static, published):
    panel = ArenaPanel(an_arena(), chance=0.5)
    panel._ipython_display_()
    assert "The 12 runs of this arena have not begun" in published[0][0]["text/plain"]
    panel.start()
    data, transient, update = published[-1]
    assert update and transient == published[0][1]
    assert "Finished: 12 runs." in data["text/plain"]
    assert data["text/html"].count("<figure") == 4
    assert panel.wait() == panel.result
    assert panel._widget is None


def test_it_finds_what_the_arena_finds(static):
    panel = ArenaPanel(an_arena())
    panel.start()
    direct = an_arena().fight()
    assert [b.test_accuracy for b in panel.result.bouts] == [b.test_accuracy for b in direct.bouts]
    assert [b.losses for b in panel.result.bouts] == [b.losses for b in direct.bouts]


def test_charts_words_and_tables_have_the_numbers_of_the_results(static):
    panel = ArenaPanel(an_arena())
    panel.start()
    state = panel.state
    json.dumps(state, allow_nan=False)
    by_name = {chart["name"]: chart for chart in state["charts"]}
    lines = {(line.contender, line.examples): line for line in panel.result.standings()}
    (examples_chart,) = by_name["examples"]["variants"]
    for each in examples_chart["series"]:
        for (size, accuracy), (_, low, high) in zip(each["line"], each["band"], strict=False):
            line = lines[each["name"], size]
            assert accuracy == line.accuracy
            assert (low, high) == (max(0, line.low), min(1, line.high))
    for row in examples_chart["table"]["rows"]:
        assert row[3] == f"{lines[row[0], int(row[1])].accuracy:.1%}"
    for base, chart in zip(
        by_name["differences"]["choices"], by_name["differences"]["variants"], strict=True
    ):
        for each in chart["series"]:
            for size, points in each["line"]:
                assert points == 100 * panel.result.difference(each["name"], base, size).difference
    for size, chart in zip((16, 48), by_name["curves"]["variants"], strict=True):
        for each in chart["series"]:
            losses = [bout.losses for bout in panel.result.of(each["name"], size)]
            assert [y for _, y in each["line"]] == [fmean(values) for values in zip(*losses, strict=True)]
            assert [band[1:] for band in each["band"]] == [
                [min(v), max(v)] for v in zip(*losses, strict=True)
            ]


def test_own_bouts_take_the_place_of_recorded_ones_and_are_marked(static):
    record = recorded()
    panel = ArenaPanel(an_arena(sizes=(48,), seeds=(0, 1)), recorded=record)
    before = panel.state
    assert {mark[3] for mark in _marks(before)} == {"recorded"}
    assert "recorded on a big machine" in before["whose"]
    panel.start()
    mine = {(b.contender, b.examples, b.seed) for b in panel.mine.bouts}
    assert len(mine) == 4
    for bout in panel.result.bouts:
        assert (bout.test_accuracy == 0.5) == ((bout.contender, bout.examples, bout.seed) not in mine)
    assert {(mark[0], mark[3]) for mark in _marks(panel.state)} == {(16, "recorded"), (48, "part")}
    (chart,) = panel.state["charts"][0]["variants"]
    assert {(row[1], row[-1]) for row in chart["table"]["rows"]} == {
        ("16", "recorded"),
        ("48", "partly yours"),
    }


def test_bouts_from_before_are_ones_own_until_they_are_made_anew(static):
    record = recorded()
    before = an_arena(sizes=(16,), seeds=(0,)).fight()
    panel = ArenaPanel(an_arena(), recorded=record, mine=before)
    assert panel.mine.bouts == before.bouts
    assert {(mark[0], mark[3]) for mark in _marks(panel.state)} == {(16, "part"), (48, "recorded")}
    panel.start()
    assert panel.state["phase"] == "finished"
    assert len(panel.mine.bouts) == 12
    assert {mark[3] for mark in _marks(panel.state)} == {""}


def _marks(state: dict) -> list:
    return [mark for each in state["charts"][0]["variants"][0]["series"] for mark in each["marks"]]


def test_a_failed_run_is_told_as_its_sentence_and_what_was_finished_stays(static):
    def poisoned(size: int, seed: int) -> TaskData:
        data = task(size, seed)
        return data if size == 16 else TaskData((data.train[0] * 1e30, data.train[1]), data.valid, data.test)

    fair = an_arena()
    explosive = [dataclasses.replace(each, options={"optimizer": "sgd"}) for each in fair.contenders]
    panel = ArenaPanel(dataclasses.replace(fair, contenders=explosive, data=poisoned))
    panel.start()
    state = panel.state
    assert state["phase"] == "failed" and state["actions"]["start"]
    assert state["message"]["kind"] == "error" and "The loss became" in state["message"]["text"]
    assert len(panel.result.bouts) == 6
    with pytest.raises(TrainingError, match="The loss became"):
        panel.wait()


def test_a_folder_that_can_not_be_written_is_told_in_the_panel(static, tmp_path):
    (tmp_path / "file").write_text("")
    panel = ArenaPanel(an_arena(), tmp_path / "file" / "runs")
    panel.start()
    assert "Finished runs cannot be kept in" in panel.state["message"]["text"]
    with pytest.raises(ArenaError, match="Expected a folder that can be written to"):
        panel.wait()


def test_an_interrupt_stops_the_arena(static):
    def interrupted(size, seed):
        raise KeyboardInterrupt

    panel = ArenaPanel(an_arena(data=interrupted))
    with pytest.raises(KeyboardInterrupt):
        panel.start()
    assert panel.state["phase"] == "stopped"


# -- wrong use -----------------------------------------------------------------------------------------


def test_what_is_not_an_arena_or_belongs_to_another_is_rejected():
    with pytest.raises(TypeError, match="The arena is a str. Expected a tlwidgets.train.Arena"):
        ArenaPanel("points")
    with pytest.raises(TypeError, match="recorded is a str"):
        ArenaPanel(an_arena(), recorded="x.json")
    with pytest.raises(TypeError, match="mine is a list"):
        ArenaPanel(an_arena(), mine=[])
    with pytest.raises(ValueError, match="of the arena 'lines', and this one is 'points'"):
        ArenaPanel(an_arena(), recorded=ArenaResult("lines", "here", ()))


def test_waiting_before_a_start_and_starting_after_the_close_say_so(static):
    panel = ArenaPanel(an_arena())
    with pytest.raises(RuntimeError, match="has not begun. Call start"):
        panel.wait()
    panel.close()
    assert not any(panel.state["actions"].values())
    with pytest.raises(FreezeError, match="was closed. Make a new one"):
        panel.start()


# -- live ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [True, False])
def test_a_click_stops_within_a_step_and_another_goes_on_where_it_was(live, tmp_path, kept):
    gate = Gate(after=2)
    panel = ArenaPanel(an_arena(data=gate), tmp_path if kept else None)
    messages = shown(panel)
    click(panel, type="start")
    assert gate.reached.wait(PATIENCE)
    assert panel.state["phase"] == "running"
    click(panel, type="stop")
    gate.open.set()
    before = panel.wait().bouts
    assert len(before) == 2
    assert panel.state["status"].startswith("Stopped after 2 of 12 runs.")
    assert received(messages)["phase"] == "stopped"
    click(panel, type="start")
    whole = panel.wait()
    assert panel.state["phase"] == "finished" and len(whole.bouts) == 12
    assert whole.bouts[:2] == before, "found again, to the second"


def test_results_are_sent_while_they_come_and_what_is_sent_is_the_state(live):
    panel = ArenaPanel(an_arena())
    messages = shown(panel)
    panel._widget._throttle._interval = 0  # everything is sent
    panel.start()
    panel.wait()
    counts = [len(received(messages[: number + 1])["charts"]) for number in range(len(messages))]
    assert [message["seq"] for message in messages] == list(range(1, len(messages) + 1))
    assert counts[0] == 0 and counts[-1] == 4
    assert {message["type"] for message in messages} == {"snapshot", "delta"}
    state = received(messages)
    state.pop("seq")
    assert state == json.loads(json.dumps(panel.state))


def test_a_view_that_opens_late_gets_everything_and_the_receipt_has_the_end(live, published):
    panel = ArenaPanel(an_arena())
    shown(panel)
    panel.start()
    panel.wait()
    messages = shown(panel)
    click(panel, type="hello", view="late")
    assert messages[-1]["type"] == "snapshot" and messages[-1]["state"]["phase"] == "finished"
    receipts = [data for data, transient, _ in published if transient == {"display_id": panel._receipt.name}]
    assert "Finished: 12 runs." in receipts[-1]["text/plain"]


def test_an_unknown_request_is_answered_with_a_sentence(live):
    panel = ArenaPanel(an_arena())
    shown(panel)
    click(panel, type="explode")
    assert panel.state["message"]["text"].startswith("This panel does not understand the request 'explode'.")


def test_closing_stops_a_running_arena(live):
    gate = Gate(after=1)
    panel = ArenaPanel(an_arena(data=gate))
    shown(panel)
    panel.start()
    assert gate.reached.wait(PATIENCE)
    panel.stop()
    gate.open.set()
    panel.close()
    assert panel.state["closed"] and panel.state["phase"] == "stopped"
    assert len(panel.result.bouts) == 1
