"""A click in real JupyterLab, from the mouse to the new numbers on the page."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

CELL = """
from tlwidgets import FreezePanel
from course.units.u01_transfer_learning import experiments as lesson01
model, _ = lesson01.classifier(from_scratch=False, seed=0)
panel = FreezePanel(model)
panel.preset("feature-extraction")
"""


def measure() -> dict[str, float]:
    """`lab_click_ms`: median of 50 clicks on a layer of the course's text model."""
    from tests.widgets.freeze.click_speed import click_times
    from tests.widgets.jupyter_lab import LabNotebook, chromium, jupyter_lab

    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        jupyter_lab(Path(folder)) as lab,
        chromium() as browser,
    ):
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.set_default_timeout(60_000)
        notebook = LabNotebook(page, lab).open(lab.write("click.ipynb", CELL, "panel"))
        notebook.run_all()
        notebook.locate(".tl-freeze [role=treeitem]").first.wait_for()
        return {"lab_click_ms": statistics.median(click_times(notebook, 50))}
