"""In a real JupyterLab: buttons steer a training in the kernel, curves grow, and a receipt stays behind."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser

SETUP = """
import torch
from torch import nn
from tlwidgets import FreezePanel, TrainPanel
from tlwidgets.train import TaskData

torch.manual_seed(0)
inputs = torch.randn(64, 4)
part = (inputs, (inputs.sum(1) > 0).long())
model = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 2))
panel = FreezePanel(model)
training = TrainPanel(model, panel, TaskData(part, part, part), epochs={epochs}, batch_size=16)
made = []  # steps made at the moment when a stop had been asked for
stop = training.stop
training.stop = lambda: (stop(), made.append(training.state["step"]))
"""


def setup(epochs: int) -> str:
    return SETUP.format(epochs=epochs)


def button(opened, name: str):
    return opened.locate(".tl-train").get_by_role("button", name=name, exact=True)


def in_phase(opened, phase: str):
    opened.locate(f".tl-train[data-phase={phase}]").wait_for()


def test_start_draws_curves_and_stop_ends_within_a_step(notebook):
    opened = notebook("steer.ipynb", setup(100_000), "training")
    in_phase(opened, "ready")
    button(opened, "Start").click()
    in_phase(opened, "running")
    opened.page.wait_for_function(
        "() => (document.querySelector('.tl-train .tl-curve--smooth').getAttribute('d') || "
        "'').split('L').length > 20"
    )
    opened.page.wait_for_function("() => document.querySelectorAll('.tl-train tbody tr').length > 2")
    assert opened.kernel("print(training.state['phase'])") == "running"  # the kernel is free meanwhile
    button(opened, "Stop").click()
    in_phase(opened, "stopped")
    made, steps = map(int, opened.kernel("print(made[0], training.run.steps)").split())
    assert made <= steps <= made + 1
    assert "Stopped after" in opened.locate(".tl-train [role=status]").inner_text()
    assert opened.locate(".tl-train .tl-steps").inner_text() == f"step {steps:,} of 400,000"


def test_pause_holds_and_resume_goes_on_by_keyboard_alone(notebook):
    opened = notebook("keys.ipynb", setup(100_000), "training")
    button(opened, "Start").focus()
    opened.page.keyboard.press("Enter")
    in_phase(opened, "running")
    opened.page.keyboard.press("Tab")
    opened.page.keyboard.press("Space")
    in_phase(opened, "paused")
    paused = "steps = training.state['step']; import threading; seen = threading.Event();"
    paused += "training._control.enqueue(seen.set); print(seen.wait(20), training.state['step'] - steps)"
    assert opened.kernel(paused) == "True 0"
    opened.page.keyboard.press("Space")  # the focus stayed on the button, which says Resume now
    in_phase(opened, "running")
    opened.page.keyboard.press("Tab")
    opened.page.keyboard.press("Enter")
    in_phase(opened, "stopped")
    assert int(opened.kernel("print(training.run.steps - steps)")) > 0


def test_a_click_in_the_freezing_panel_takes_effect_between_steps(notebook):
    opened = notebook("freeze_while.ipynb", setup(100_000), "panel", "training")
    button(opened, "Start").click()
    in_phase(opened, "running")
    opened.locate(".tl-freeze").get_by_role("button", name="Feature extraction").click()
    opened.locate(".tl-train .tl-head").get_by_text("130 of 450 parameters learn").wait_for()
    assert (
        opened.kernel("print(model[0].weight.requires_grad, model[2].weight.requires_grad)") == "False True"
    )
    button(opened, "Stop").click()
    in_phase(opened, "stopped")
    assert opened.kernel("print(panel.defer)") == "None"


def test_stop_is_heard_while_a_cell_waits_for_the_end(notebook):
    opened = notebook("wait.ipynb", setup(100_000), "training", run_all=False)
    opened.run_all()
    opened.page.evaluate(
        """() => {
             const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
             const code = "training.start(); run = training.wait()";
             window.waiting = kernel.requestExecute({code, store_history: false}).done;
           }"""
    )
    in_phase(opened, "running")
    button(opened, "Stop").click()
    in_phase(opened, "stopped")
    opened.page.evaluate("() => window.waiting")
    assert opened.kernel("print(run.status, run.steps - made[0] <= 1)") == "stopped True"


def test_interrupting_a_waiting_cell_stops_the_training(notebook):
    opened = notebook("interrupt.ipynb", setup(100_000), "training")
    reply = opened.page.evaluate(
        """async () => {
             const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
             const code = "training.start(); training.wait()";
             const future = kernel.requestExecute({code, store_history: false});
             while (!document.querySelector('.tl-train[data-phase=running]')) {
               await new Promise(requestAnimationFrame);
             }
             await kernel.interrupt();
             return (await future.done).content;
           }"""
    )
    assert reply["ename"] == "KeyboardInterrupt"
    in_phase(opened, "stopped")
    assert opened.kernel("print(training.run.status)") == "stopped"


def test_the_receipt_shows_the_last_state_when_the_notebook_is_opened_again(notebook):
    opened = notebook("receipt.ipynb", setup(3), "training", "training.start(); run = training.wait()")
    in_phase(opened, "finished")
    assert opened.locate("figure svg[role=img]").first.is_visible()
    receipt = opened.locate("div[class^=tl-receipt]")
    assert not receipt.is_visible()
    opened.save()
    opened.close()
    opened.open(opened.lab.folder / "receipt.ipynb")
    receipt.wait_for()
    assert "Finished: 12 steps." in receipt.inner_text()
    assert receipt.locator("figure polyline").count() == 6
    assert opened.locate(".tl-train").count() == 0


def test_a_second_view_starts_with_all_that_happened(notebook):
    opened = notebook(
        "late.ipynb", setup(3), "training", "run = (training.start(), training.wait())", "training"
    )
    opened.page.wait_for_function(
        "() => document.querySelectorAll('.tl-train[data-phase=finished]').length === 2"
    )
    rows = opened.locate(".tl-train").last.locator("tbody tr")
    assert rows.count() == 3


def test_an_error_in_training_is_told_as_a_sentence(notebook):
    opened = notebook("error.ipynb", setup(3), "bad = TrainPanel(model, None, (inputs, part[1] + 5)); bad")
    button(opened, "Start").click()
    in_phase(opened, "failed")
    assert "the labels go up to class 6" in opened.locate(".tl-train [role=status]").inner_text()


@pytest.mark.parametrize(
    "theme", ["JupyterLab Light", pytest.param("JupyterLab Dark", marks=pytest.mark.long)]
)
def test_no_serious_violation_of_accessibility(notebook, theme):
    opened = notebook(
        f"axe{theme[-4:].strip()}.ipynb", setup(3), "training", "run = (training.start(), training.wait())"
    )
    in_phase(opened, "finished")
    opened.theme(theme)
    opened.locate(".tl-train summary").click()
    found = Axe().run(opened.page, context=".tl-train").response["violations"]
    assert [item["id"] for item in found if item["impact"] in ("serious", "critical")] == []
