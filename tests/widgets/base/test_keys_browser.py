"""While a panel has the focus, the notebook's shortcuts work, and its letters do nothing."""

import pytest

pytestmark = pytest.mark.browser

PANEL = """
from torch import nn
from tlwidgets import FreezePanel
panel = FreezePanel(nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2)))
"""
DIRTY = ".lm-TabBar-tab.jp-mod-current.jp-mod-dirty"


@pytest.fixture
def panel(notebook):
    """A notebook with unsaved changes, and the focus on a row of a panel in it."""
    opened = notebook("keys.ipynb", PANEL, "panel", "runs = globals().get('runs', 0) + 1")
    opened.locate(".tl-freeze [role=treeitem]").first.focus()
    return opened


def focus_is_inside(panel) -> bool:
    return panel.page.evaluate("!!document.activeElement.closest('.tl-freeze')")


def test_saving_works_from_inside_a_panel(panel):
    panel.page.wait_for_selector(DIRTY)
    panel.page.keyboard.press("Control+s")
    panel.page.wait_for_selector(DIRTY, state="detached")


def test_a_cell_runs_from_inside_its_panel(panel):
    prompts = "[...document.querySelectorAll('.jp-Cell .jp-InputPrompt')].map(one => one.innerText).join()"
    before = panel.page.evaluate(prompts)
    panel.page.keyboard.press("Shift+Enter")
    panel.page.wait_for_function(f"(before) => !{prompts}.includes('*') && {prompts} !== before", arg=before)


def test_letters_are_no_commands_of_the_notebook_inside_a_panel(panel):
    before = panel.page.locator(".jp-Notebook .jp-Cell").count()
    for key in "ddabxcvz":
        panel.page.keyboard.press(key)
    assert focus_is_inside(panel)
    assert panel.page.locator(".jp-Notebook .jp-Cell").count() == before
