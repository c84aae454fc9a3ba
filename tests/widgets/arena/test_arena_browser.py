"""In a real JupyterLab: an arena runs in the kernel, results come in, and a receipt stays behind."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser

SETUP = """
import dataclasses, threading, torch
from torch import nn
from tlwidgets import ArenaPanel, FreezePlan
from tlwidgets.train import Arena, ArenaResult, Contender, TaskData

gate = threading.Semaphore(0)  # a run for each release

def make(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))

def examples(number, seed):
    inputs = torch.randn(number, 4, generator=torch.Generator().manual_seed(seed))
    return inputs, (inputs.sum(1) > 0).long()

def task(size, seed):
    gate.acquire()
    return TaskData(examples(size, seed), examples(40, 500 + seed), examples(60, 900 + seed))

contenders = [
    Contender(name, make, lambda tree, preset=preset: FreezePlan.preset(tree, preset), (1e-2,))
    for name, preset in (("head", "feature-extraction"), ("full <b>", "full"))
]
arena = Arena("points", contenders, task, sizes=(16, 48), seeds=(0, 1, 2), steps=6)
panel = ArenaPanel(arena, chance=0.5)
"""
ALL = "gate.release(1000)"


def button(opened, name: str):
    return opened.locate(".tl-arena").get_by_role("button", name=name, exact=True)


def in_phase(opened, phase: str):
    opened.locate(f".tl-arena[data-phase={phase}]").wait_for()


def chart(opened, name: str):
    return opened.locate(f".tl-arena [data-chart={name}]")


def finished(notebook, name: str):
    opened = notebook(name, SETUP + ALL, "panel", "panel.start(); result = panel.wait()")
    in_phase(opened, "finished")
    return opened


def test_results_come_in_while_it_runs_and_a_stop_keeps_them(notebook):
    opened = notebook("arena.ipynb", SETUP, "panel")
    in_phase(opened, "ready")
    assert opened.locate(".tl-arena figure").count() == 0
    button(opened, "Start").click()
    in_phase(opened, "running")
    opened.kernel("gate.release(1)")  # the data of a seed, which the contenders share
    opened.locate(".tl-arena .tl-steps").get_by_text("1 of 12 runs").wait_for()
    chart(opened, "curves").locator("path.tl-curve").first.wait_for(state="attached")
    marks = chart(opened, "examples").locator(".tl-mark")
    assert marks.count() == 1
    button(opened, "Stop").click()
    in_phase(opened, "stopping")
    opened.kernel("gate.release(1)")
    in_phase(opened, "stopped")
    assert "Stopped after 1 of 12 runs" in opened.locate(".tl-arena [role=status]").inner_text()
    assert marks.count() == 1
    opened.kernel(ALL)
    button(opened, "Continue").click()
    in_phase(opened, "finished")
    assert marks.count() == 4
    assert opened.kernel("print(len(panel.result.bouts))") == "12"


def test_the_tables_have_the_results_and_are_sorted_by_keyboard(notebook):
    opened = finished(notebook, "arena_table.ipynb")
    table = chart(opened, "examples")
    table.locator("summary").focus()
    opened.page.keyboard.press("Enter")
    column = table.locator("tbody tr td:nth-child(4)")
    expected = opened.kernel("print(*(f'{line.accuracy:.1%}' for line in result.standings()))").split()
    assert column.all_inner_texts() == expected
    table.get_by_role("button", name="Test accuracy").focus()
    opened.page.keyboard.press("Enter")
    numbers = [float(text[:-1]) for text in column.all_inner_texts()]
    assert numbers == sorted(numbers, reverse=True)
    opened.page.keyboard.press("Space")
    assert column.all_inner_texts() == [f"{number:.1f}%" for number in sorted(numbers)]
    assert table.locator("th[aria-sort=ascending]").inner_text().strip().startswith("Test accuracy")
    assert table.locator("td").get_by_text("full <b>").count() == 2


def test_what_differences_are_against_is_chosen_by_keyboard(notebook):
    opened = finished(notebook, "arena_choose.ipynb")
    differences = chart(opened, "differences")
    assert differences.locator("select").input_value() == "full <b>"
    differences.locator("select").focus()
    opened.page.keyboard.press("ArrowUp")
    opened.page.wait_for_function(
        "(chart) => chart.querySelector('svg.tl-chart').getAttribute('aria-label').includes(' head with ')",
        arg=differences.element_handle(),
    )
    said = differences.locator("svg.tl-chart").get_attribute("aria-label")
    points = opened.kernel(
        'print(f\'{abs(100 * result.difference("full <b>", "head", 48).difference):.1f}\')'
    )
    assert f"{points} points" in said and "head with 48 examples" in said and "full <b> with" not in said


def test_recorded_marks_are_hollow_until_ones_own_take_their_place(notebook):
    recorded = (
        "gate.release(1000); record = dataclasses.replace(arena.fight(), machine='a big machine')\n"
        "mixed = ArenaPanel(dataclasses.replace(arena, sizes=(48,)), recorded=record)"
    )
    opened = notebook("arena_recorded.ipynb", SETUP, recorded, "mixed")
    in_phase(opened, "ready")
    assert chart(opened, "examples").locator(".tl-mark--recorded").count() == 4
    assert "recorded on a big machine" in opened.locate(".tl-arena .tl-whose").inner_text()
    button(opened, "Start").click()
    in_phase(opened, "finished")
    assert chart(opened, "examples").locator(".tl-mark--recorded").count() == 2


def test_an_error_is_told_as_a_sentence(notebook):
    bad = (
        "bad = ArenaPanel(dataclasses.replace(arena, data=lambda size, seed: TaskData(examples(size, "
        "seed)))); bad"
    )
    opened = notebook(
        "arena_error.ipynb", SETUP, "open('file', 'w').close()", "ArenaPanel(arena, 'file/runs')", bad
    )
    button(opened, "Start").first.click()
    first = opened.locate(".tl-arena").first
    first.get_by_text("Finished runs cannot be kept in").wait_for()


@pytest.mark.long
def test_the_receipt_shows_the_results_when_the_notebook_is_opened_again(notebook):
    opened = finished(notebook, "arena_receipt.ipynb")
    receipt = opened.locate("div[class^=tl-receipt]")
    assert not receipt.is_visible()
    opened.save()
    opened.close()
    opened.open(opened.lab.folder / "arena_receipt.ipynb")
    receipt.wait_for()
    assert "Finished: 12 runs." in receipt.inner_text()
    assert receipt.locator("figure svg[role=img]").count() == 4
    assert opened.locate(".tl-arena").count() == 0


@pytest.mark.parametrize(
    "theme", ["JupyterLab Light", pytest.param("JupyterLab Dark", marks=pytest.mark.long)]
)
def test_no_serious_violation_of_accessibility_and_no_label_on_another(notebook, theme):
    opened = finished(notebook, f"arena_axe{theme[-4:].strip()}.ipynb")
    opened.theme(theme)
    for summary in opened.locate(".tl-arena summary").all():
        summary.click()
    found = Axe().run(opened.page, context=".tl-arena").response["violations"]
    assert [item["id"] for item in found if item["impact"] in ("serious", "critical")] == []
    for width in (1200, 700):
        opened.page.set_viewport_size({"width": width, "height": 900})
        assert opened.page.evaluate(OVERLAPS, ".tl-arena svg.tl-chart") == []


OVERLAPS = """(selector) => [...document.querySelectorAll(selector)].flatMap((svg) => {
  const boxes = [...svg.querySelectorAll('text')]
    .map((node) => [node.textContent, node.getBoundingClientRect()]);
  const apart = (a, b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top + 2 ||
      b.bottom <= a.top + 2;
  const hit = (a, place) => boxes.slice(place + 1).filter(([, b]) => !apart(a, b)).map(([other]) => other);
  return boxes.flatMap(([one, a], place) => hit(a, place).map((other) => [one, other]));
})"""
