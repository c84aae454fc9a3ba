"""In a real JupyterLab: the starts of the bars move by mouse and by keyboard, and Python says what may be."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser

SETUP = """
import torch, transformers
from tlwidgets import TrainPanel, UnfreezeSchedulePanel
from tlwidgets.train import TaskData

torch.manual_seed(0)
model = transformers.BertForSequenceClassification(transformers.BertConfig(
    hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32, vocab_size=40))
schedule = UnfreezeSchedulePanel(model, 6)
"""
ROWS = ("Head: classifier", "Pooler", "Encoder layer 3", "Encoder layer 2", "Encoder layer 1", "Embeddings")


def slider(opened, name: str):
    return opened.locate(".tl-unfreeze").get_by_role("slider", name=name, exact=True)


def starts(opened) -> str:
    return opened.kernel("print(*schedule.unfreezing.starts.values())")


def said(opened, name: str, words: str):
    """Wait until a slider says this."""
    slider(opened, name).and_(opened.page.locator(f"[aria-valuetext='{words}']")).wait_for()


def column(opened, name: str, epoch: int) -> tuple[float, float]:
    """The middle of an epoch's cell in a row; epochs + 1 is "never"."""
    row = opened.locate(".tl-unfreeze .tl-row").nth(1 + ROWS.index(name))
    box = row.locator(".tl-cell").nth(epoch - 1).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(opened, name: str, *epochs: int):
    """Press on the first epoch's cell, move over the others, let go."""
    mouse = opened.page.mouse
    mouse.move(*column(opened, name, epochs[0]))
    mouse.down()
    for epoch in epochs[1:]:
        mouse.move(*column(opened, name, epoch), steps=3)
    mouse.up()


def test_bars_are_dragged_and_a_drag_is_undone_as_one(notebook):
    opened = notebook("drag.ipynb", SETUP, "schedule")
    assert starts(opened) == "6 5 4 3 2 1"
    drag(opened, "Encoder layer 3", 3, 4, 5)
    said(opened, "Encoder layer 3", "learns from epoch 5")
    assert starts(opened) == "6 5 4 5 2 1"
    drag(opened, "Embeddings", 6, 7)
    said(opened, "Embeddings", "never learns")
    assert starts(opened) == "None 5 4 5 2 1"
    undo = opened.locate(".tl-unfreeze").get_by_role("button", name="Undo")
    undo.click()
    undo.click()
    said(opened, "Encoder layer 3", "learns from epoch 3")
    assert starts(opened) == "6 5 4 3 2 1"


def test_by_keyboard_alone(notebook):
    opened = notebook("keys.ipynb", SETUP, "schedule")
    press = opened.page.keyboard.press
    slider(opened, "Pooler").focus()
    press("ArrowRight")
    said(opened, "Pooler", "learns from epoch 3")
    press("ArrowLeft")
    press("ArrowLeft")
    said(opened, "Pooler", "learns from epoch 1")
    press("Delete")
    said(opened, "Pooler", "never learns")
    press("ArrowLeft")
    said(opened, "Pooler", "learns from epoch 6")
    press("Home")
    said(opened, "Pooler", "learns from epoch 1")
    press("End")
    said(opened, "Pooler", "never learns")
    press("Control+z")
    said(opened, "Pooler", "learns from epoch 1")
    press("Control+y")
    said(opened, "Pooler", "never learns")
    press("Tab")
    press("Home")
    said(opened, "Encoder layer 3", "learns from epoch 1")
    assert starts(opened) == "6 5 4 1 None 1"
    # JupyterLab did not take the keys for its own: no cell went away, and none was added.
    assert opened.locate(".jp-CodeCell").count() == 2


def test_what_cannot_be_is_refused_with_a_sentence_and_the_bar_stays(notebook):
    opened = notebook("refused.ipynb", SETUP, "schedule")
    drag(opened, "Head: classifier", 1, 3)
    status = opened.locate(".tl-unfreeze [role=status]")
    status.get_by_text("Nothing would learn in epoch 1").wait_for()
    assert slider(opened, "Head: classifier").get_attribute("aria-valuenow") == "1"
    assert starts(opened) == "6 5 4 3 2 1"


def test_presets_costs_and_code_follow(notebook):
    opened = notebook("presets.ipynb", SETUP, "schedule")
    panel = opened.locate(".tl-unfreeze")
    panel.get_by_role("button", name="Everything").click()
    panel.get_by_role("button", name="Everything", pressed=True).wait_for()
    work = panel.locator(".tl-row--work [role=img]")
    assert "epoch 1 100 %" in work.get_attribute("aria-label")
    assert panel.locator(".tl-row--work .tl-cell").first.inner_text() == "100 %"
    number = panel.get_by_role("spinbutton", name="epochs from one part to the next")
    number.fill("2")
    number.press("Tab")
    said(opened, "Pooler", "learns from epoch 3")
    panel.get_by_text("The same in plain PyTorch").click()
    assert "(model.bert.pooler,           3)," in panel.locator(".tl-code").inner_text()
    panel.get_by_text("The numbers of each epoch").click()
    assert panel.locator("tbody tr").count() == 6
    assert starts(opened) == "None None None 5 3 1"


def test_the_epoch_in_training_is_marked(notebook):
    train = """
inputs = torch.randint(3, 40, (32, 6))
part = {"input_ids": inputs, "labels": (inputs[:, 0] > 20).long()}
training = TrainPanel(model, None, TaskData(part, part), unfreeze=schedule, batch_size=8)
seen, tell = [], training._on_event
def told(event):
    tell(event)
    if type(event).__name__ == "EpochEnded" and event.epoch == 2:
        training.pause()
training._on_event = told
training
"""
    opened = notebook("mark.ipynb", SETUP, "schedule", train)
    opened.locate(".tl-train").get_by_role("button", name="Start").click()
    opened.locate(".tl-unfreeze[data-current='3']").wait_for()
    assert opened.locate(".tl-unfreeze .tl-row").nth(1).locator(".tl-cell--now").count() == 1
    opened.locate(".tl-train").get_by_role("button", name="Resume").click()
    opened.locate(".tl-train[data-phase=finished]").wait_for()
    opened.locate(".tl-unfreeze:not([data-current])").wait_for()


@pytest.mark.long
def test_the_receipt_shows_the_last_state_when_the_notebook_is_opened_again(notebook):
    opened = notebook("receipt.ipynb", SETUP, "schedule")
    slider(opened, "Pooler").focus()
    opened.page.keyboard.press("Delete")
    said(opened, "Pooler", "never learns")
    receipt = opened.locate("div[class^=tl-receipt]")
    assert not receipt.is_visible()
    opened.page.wait_for_function(
        "() => document.querySelector('div[class^=tl-receipt]').textContent.includes('Pooler never learns')"
    )
    opened.save()
    opened.close()
    opened.open(opened.lab.folder / "receipt.ipynb")
    receipt.wait_for()
    assert receipt.get_by_role("img", name="Pooler never learns").is_visible()
    assert opened.locate(".tl-unfreeze").count() == 0


@pytest.mark.parametrize(
    "theme", ["JupyterLab Light", pytest.param("JupyterLab Dark", marks=pytest.mark.long)]
)
def test_no_serious_violation_of_accessibility(notebook, theme):
    opened = notebook(f"axe{theme[-4:].strip()}.ipynb", SETUP, "schedule")
    opened.theme(theme)
    for summary in opened.locate(".tl-unfreeze summary").all():
        summary.click()
    found = Axe().run(opened.page, context=".tl-unfreeze").response["violations"]
    assert [item["id"] for item in found if item["impact"] in ("serious", "critical")] == []
