"""In a real JupyterLab: a marker moves over a run's curves, and a fork from there is drawn beside it."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser

SETUP = """
import torch
from torch import nn
from tlwidgets import ForkPanel, FreezePlan, ModelTree, TrainPanel
from tlwidgets.train import TaskData

torch.manual_seed(0)
inputs = torch.randn(64, 4)
part = (inputs, (inputs[:, 0] * inputs[:, 1] > 0).long())
model = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 32), nn.ReLU(),
    nn.Linear(32, 2))
head = FreezePlan.preset(model, "feature-extraction")
training = TrainPanel(model, head, TaskData(part, part, part), epochs={epochs}, batch_size=16, lr=0.02,
    snapshots=5)
training.start(); run = training.wait()
forks = ForkPanel(training)
"""


def setup(epochs: int = 6) -> str:
    return SETUP.replace("{epochs}", str(epochs))


def panel(opened):
    return opened.locate(".tl-fork")


def button(opened, name: str):
    return panel(opened).get_by_role("button", name=name, exact=True)


def at(opened, step: int):
    """Wait until Python has the marker here."""
    opened.locate(f".tl-fork [role=slider][aria-valuenow='{step}']").wait_for()


def ended(opened, forks: int):
    opened.locate(f".tl-fork[data-forks='{forks}']:not([data-running])").wait_for()


def place(opened, step: int, chart: int = 0, steps: int = 24) -> tuple[float, float]:
    """Where a step is on a chart, on the screen."""
    box = panel(opened).locator("svg.tl-chart").nth(chart).bounding_box()
    return box["x"] + box["width"] * (46 + (400 - 46 - 8) * step / steps) / 400, box["y"] + 60


def test_the_marker_is_dragged_on_either_chart_and_a_fork_is_drawn(notebook):
    opened = notebook("drag.ipynb", setup(), "forks")
    mouse = opened.page.mouse
    mouse.move(*place(opened, 4))
    mouse.down()
    mouse.move(*place(opened, 11), steps=5)
    mouse.up()
    at(opened, 11)
    assert opened.kernel("print(forks.state['step'])") == "11"
    mouse.click(*place(opened, 17, chart=1))
    at(opened, 17)
    button(opened, "Everything").click()
    button(opened, "Fork here").click()
    ended(opened, 1)
    assert opened.kernel("print(forks.forks[0].run.curves.loss[:17] == run.curves.loss[:17])") == "True"
    assert opened.kernel("print(forks.forks[0].run.config['fork']['step'])") == "17"
    line = panel(opened).locator("svg.tl-chart").first.locator(".tl-s1 .tl-curve--line")
    first_x = float(line.get_attribute("d").split(" ")[0][1:])
    assert abs(first_x - (46 + 346 * 17 / 24)) < 0.2, "the fork's line begins at the marker"
    assert panel(opened).locator(".tl-results tbody tr").nth(1).inner_text().split() [:4] == [
        "Fork", "A", "step", "17"
    ]  # fmt: skip
    assert "Fork A ended with a validation loss of" in panel(opened).locator("[role=status]").inner_text()


def test_by_keyboard_alone(notebook):
    opened = notebook("keys.ipynb", setup(), "forks")
    press = opened.page.keyboard.press
    panel(opened).get_by_role("slider").focus()
    at(opened, 4)
    for key, step in [("PageUp", 8), ("ArrowRight", 9), ("ArrowUp", 10), ("ArrowLeft", 9), ("PageDown", 5),
                      ("End", 23), ("ArrowRight", 23), ("Home", 0), ("ArrowLeft", 0),
                      ("PageUp", 4)]:  # fmt: skip
        press(key)
        at(opened, step)
    handle = panel(opened).get_by_role("slider")
    assert handle.get_attribute("aria-valuetext") == "after step 4 (before epoch 2)"
    button(opened, "doubled").focus()
    press("Enter")
    panel(opened).get_by_role("button", name="doubled", pressed=True).wait_for()
    press("Tab")
    press("Space")
    ended(opened, 1)
    assert opened.kernel("print(forks.forks[0].run.config['lr'])") == "0.04"


def test_a_fork_is_removed_and_brought_back_and_forked_again(notebook):
    opened = notebook("remove.ipynb", setup(), "forks")
    button(opened, "Fork here").click()
    ended(opened, 1)
    button(opened, "Remove fork A").click()
    ended(opened, 0)
    assert panel(opened).locator(".tl-s1").count() == 0
    button(opened, "Bring back").click()
    ended(opened, 1)
    button(opened, "fork A").click()
    button(opened, "Fork here").click()
    ended(opened, 2)
    assert opened.kernel("print(forks.forks[1].run.curves == run.curves)") == "True"
    panel(opened).get_by_text("The same in code").click()
    assert (
        "fork(forks.forks[0].run, copy.deepcopy(model), 4)" in panel(opened).locator(".tl-code").inner_text()
    )
    panel(opened).get_by_text("The numbers of each epoch").click()
    assert panel(opened).locator("details tbody tr").count() == 6


def test_stop_ends_a_long_fork_and_the_kernel_is_free_meanwhile(notebook):
    long = (
        setup(6)
        + "\nlong = TrainPanel(model, None, TaskData(part), epochs=20_000, batch_size=16, snapshots=50)\n"
    )
    long += "long._on_event = lambda event: long.stop() if event.step >= 60 else None\n"
    long += "long.start(); long.wait(); forks = ForkPanel(long)"
    opened = notebook("stop.ipynb", long, "forks")
    button(opened, "Fork here").click()
    opened.locate(".tl-fork[data-running]").wait_for()
    assert opened.kernel("print(forks.state['running'])") == "True"
    button(opened, "Stop").click()
    opened.locate(".tl-fork:not([data-running])").wait_for()
    assert opened.kernel("print(forks.wait().status)") == "stopped"


def test_a_wrong_number_is_answered_with_a_sentence(notebook):
    opened = notebook("wrong.ipynb", setup(), "forks")
    number = panel(opened).get_by_role("spinbutton")
    number.fill("99")
    number.press("Tab")
    panel(opened).locator("[role=status]").get_by_text("k must be a whole number between 1 and").wait_for()


@pytest.mark.long
def test_the_receipt_shows_the_last_state_when_the_notebook_is_opened_again(notebook):
    opened = notebook(
        "receipt.ipynb", setup(), "forks", "forks.choose_plan('full'); forks.fork(); done = forks.wait()"
    )
    ended(opened, 1)
    receipt = opened.locate("div[class^=tl-receipt]")
    assert not receipt.is_visible()
    opened.save()
    opened.close()
    opened.open(opened.lab.folder / "receipt.ipynb")
    receipt.wait_for()
    assert receipt.locator("figure polyline").count() == 8
    assert "Fork A ended with a validation loss of" in receipt.inner_text()
    assert opened.locate(".tl-fork").count() == 0


@pytest.mark.parametrize(
    "theme", ["JupyterLab Light", pytest.param("JupyterLab Dark", marks=pytest.mark.long)]
)
def test_no_serious_violation_of_accessibility(notebook, theme):
    opened = notebook(f"axe{theme[-4:].strip()}.ipynb", setup(), "forks")
    button(opened, "Fork here").click()
    ended(opened, 1)
    opened.theme(theme)
    for summary in opened.locate(".tl-fork summary").all():
        summary.click()
    found = Axe().run(opened.page, context=".tl-fork").response["violations"]
    assert [item["id"] for item in found if item["impact"] in ("serious", "critical")] == []
