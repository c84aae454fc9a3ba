"""In a real JupyterLab: a slider goes through the measured steps, a training is followed, and a receipt stays
behind."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser

SETUP = """
import torch
from torch import nn
from tlwidgets import DriftPanel, FreezePlan, ModelTree, TrainPanel, fit
from tlwidgets.train import TaskData

inputs = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
part = (inputs, (inputs.sum(1) > 0).long())

def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 2))

def run(preset):
    net = model()
    return fit(net, FreezePlan.preset(net, preset), TaskData(part), epochs=3, trace_every=1)
"""
RUNS = "runs = {'head': run('feature-extraction'), 'full': run('full')}; panel = DriftPanel(runs); panel"


def rows(opened):
    return opened.locate(".tl-drift .tl-drift-row:not(.tl-drift-head)")


def slider(opened):
    return opened.locate(".tl-drift").get_by_label("Step", exact=True)


def test_the_slider_goes_through_the_steps_by_keyboard_and_shows_the_runs_numbers(notebook):
    opened = notebook("drift.ipynb", SETUP, RUNS)
    rows(opened).first.wait_for()
    assert rows(opened).count() == 3
    assert "head: frozen by requires_grad, as is everything before it" in rows(opened).first.inner_text()
    slider(opened).focus()
    assert slider(opened).get_attribute("aria-valuetext") == "step 12"
    for key, step in (("Home", 1), ("ArrowRight", 2), ("ArrowRight", 3), ("End", 12), ("ArrowLeft", 11)):
        opened.page.keyboard.press(key)
        assert slider(opened).get_attribute("aria-valuetext") == f"step {step}"
        said = rows(opened).last.locator(".tl-sr").last.text_content()
        expected = opened.kernel(
            f"print(*(f'{{r.trace.drift[{step - 1}][-1]:.2%}}' for r in runs.values()))"
        ).split()
        assert said == f"head: {expected[0]}, full: {expected[1]}"
    bars = rows(opened).last.locator(".tl-moved")
    opened.page.wait_for_function(
        "(bar) => bar.getBoundingClientRect().width > 20", arg=bars.first.element_handle()
    )


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_play_ends_at_the_last_step_and_moves_nothing_for_those_who_asked_for_it(notebook, motion):
    opened = notebook("play.ipynb", SETUP, RUNS)
    opened.page.emulate_media(reduced_motion=motion)
    moves = "(bar) => getComputedStyle(bar).transitionDuration"
    seconds = opened.locate(".tl-drift .tl-moved").first.evaluate(moves)
    assert (seconds == "0s") == (motion == "reduce")
    slider(opened).focus()
    for _ in range(2):
        opened.page.keyboard.press("ArrowLeft")
    play = opened.locate(".tl-drift .tl-play")
    said = opened.texts_of(play)
    play.focus()
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_function("(said) => said.length === 2", arg=said)
    assert said.json_value() == ["Pause", "Play"]
    assert slider(opened).get_attribute("aria-valuetext") == "step 12"


def test_a_training_is_followed_while_it_goes(notebook):
    follow = (
        "training = TrainPanel(model(), None, TaskData(part), epochs=100_000, trace_every=1); "
        "DriftPanel(training)"
    )
    opened = notebook("follow.ipynb", SETUP, follow, "training")
    opened.locate(".tl-drift").get_by_text("Nothing has been measured yet").wait_for()
    opened.locate(".tl-train").get_by_role("button", name="Start", exact=True).click()
    rows(opened).first.wait_for()
    first = slider(opened).get_attribute("aria-valuetext")
    now = "document.querySelector('.tl-slider').getAttribute('aria-valuetext')"
    opened.page.wait_for_function(f"(step) => {now} !== step", arg=first)
    opened.locate(".tl-train").get_by_role("button", name="Stop", exact=True).click()
    opened.locate(".tl-train[data-phase=stopped]").wait_for()
    last = f"step {int(opened.kernel('print(training.run.trace.step[-1])')):,}"
    opened.page.wait_for_function(f"(step) => {now} === step", arg=last)


@pytest.mark.long
def test_the_receipt_shows_the_last_step_when_the_notebook_is_opened_again(notebook):
    opened = notebook("drift_receipt.ipynb", SETUP, RUNS)
    rows(opened).first.wait_for()
    receipt = opened.locate("div[class^=tl-receipt]")
    assert not receipt.is_visible()
    opened.save()
    opened.close()
    opened.open(opened.lab.folder / "drift_receipt.ipynb")
    receipt.wait_for()
    assert "Step 12, first layer at the top." in receipt.inner_text()
    assert opened.locate(".tl-drift").count() == 0


@pytest.mark.parametrize(
    "theme", ["JupyterLab Light", pytest.param("JupyterLab Dark", marks=pytest.mark.long)]
)
def test_no_serious_violation_of_accessibility_and_nothing_sticks_out(notebook, theme):
    opened = notebook(f"drift_axe{theme[-4:].strip()}.ipynb", SETUP, RUNS)
    opened.theme(theme)
    opened.locate(".tl-drift summary").click()
    found = Axe().run(opened.page, context=".tl-drift").response["violations"]
    assert [item["id"] for item in found if item["impact"] in ("serious", "critical")] == []
    for width in (1200, 700):
        opened.page.set_viewport_size({"width": width, "height": 900})
        assert opened.page.evaluate(STICKING_OUT) == []


STICKING_OUT = """() => {
  const frame = document.querySelector('.tl-drift').getBoundingClientRect();
  const parts = '.tl-drift .tl-tick, .tl-drift .tl-why, .tl-drift .tl-rail, .tl-drift .tl-step';
  return [...document.querySelectorAll(parts)]
    .filter((node) => node.getBoundingClientRect().right > frame.right + 0.5).map((node) => node.textContent);
}"""
