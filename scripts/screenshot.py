"""Take the README's picture: lesson 01 in JupyterLab, at its freezing panel.

`python scripts/screenshot.py [--dark] [OUT]` runs the lesson's cells up to the panel in a real JupyterLab.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

LESSON = ROOT / "course" / "source" / "01-transfer-learning" / "01-transfer-learning.ipynb"
LAST = "freeze-panel"


def take(out: Path, dark: bool) -> None:
    """Write the picture (PNG) to `out`."""
    from tests.widgets.jupyter_lab import LabNotebook, chromium, jupyter_lab

    notebook = nbformat.read(LESSON, as_version=4)
    ids = [cell.id for cell in notebook.cells]
    notebook.cells = notebook.cells[: ids.index(LAST) + 3]
    keep = {"setup", "setup-torch", "load-data", "load-model", "build-head", "count-head", LAST, "guess-head"}
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        jupyter_lab(Path(folder)) as lab,
        chromium() as browser,
    ):
        path = lab.folder / LESSON.name
        for cell in notebook.cells:
            if cell.cell_type == "code" and cell.id not in keep:
                cell.source = ""
        nbformat.write(notebook, path)
        page = browser.new_page(viewport={"width": 1280, "height": 700}, device_scale_factor=1.5)
        page.set_default_timeout(60_000)
        opened = LabNotebook(page, lab).open(path)
        if dark:
            opened.theme("JupyterLab Dark")
        opened.run_all()
        panel = opened.locate(".tl-freeze")
        panel.locator("[role=treeitem]").first.wait_for()
        opened.command("application:toggle-left-area")
        panel.locator("[role=treeitem]").nth(6).locator(".tl-lock").click()
        page.wait_for_function(
            "(row) => row.getAttribute('aria-checked') === 'true'",
            arg=panel.locator("[role=treeitem]").nth(6).element_handle(),
        )
        panel.scroll_into_view_if_needed()
        page.mouse.move(5, 5)
        page.wait_for_timeout(1500)
        out.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", nargs="?", type=Path, default=ROOT / "docs" / "images" / "lesson-01.png")
    parser.add_argument("--dark", action="store_true")
    options = parser.parse_args()
    take(options.out, options.dark)


if __name__ == "__main__":
    main()
