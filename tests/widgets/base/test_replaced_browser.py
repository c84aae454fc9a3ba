"""In a real JupyterLab a cell that is run again leaves no training behind."""

import pytest

pytestmark = pytest.mark.browser

PANEL = """
import threading, torch
from torch import nn
from tlwidgets import TrainPanel
panel = TrainPanel(nn.Sequential(nn.Linear(4, 2)), None, (torch.randn(8, 4), torch.arange(8) % 2),
    epochs=1_000_000, trace=False)
panel.start()
panel
"""
TRAININGS = "print(sum(one.name == 'training' for one in threading.enumerate()))"


def test_a_cell_that_is_run_again_leaves_one_training(notebook):
    opened = notebook("replaced.ipynb", PANEL)
    opened.locate(".tl-train").first.wait_for()
    first = opened.page.locator(".jp-Cell .jp-InputPrompt").first
    before = first.inner_text()
    opened.page.locator(".jp-Cell .cm-content").first.click()
    opened.page.keyboard.press("Control+Enter")
    opened.page.wait_for_function(
        "(before) => { const now = document.querySelector('.jp-Cell .jp-InputPrompt').innerText;"
        " return now !== before && !now.includes('*'); }",
        arg=before,
    )
    assert opened.kernel(TRAININGS) == "1"
    opened.kernel("panel.close()")
