"""Lesson 03 by papermill: the first time on a machine that computed no features before, and again."""

from __future__ import annotations

import os
import tempfile
from datetime import datetime
from pathlib import Path
from unittest import mock

LESSON = Path(__file__).resolve().parents[2] / "course/source/03-multimodal-models/03-multimodal-models.ipynb"


def measure() -> dict[str, float]:
    """`lesson03_cold_s` and `lesson03_kept_s` (features are there); of the latter, seconds from the start of
    the kernel to the first view and to the first freeze panel."""
    from tests.notebooks.conftest import execute

    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        mock.patch.dict(os.environ, XDG_CACHE_HOME=folder),
    ):
        cold, kept = (execute(LESSON, Path(folder, f"{name}.ipynb")) for name in ("cold", "kept"))
    assert cold.returncode == kept.returncode == 0, cold.log + kept.log
    cells = [cell for cell in kept.notebook.cells if cell.cell_type == "code"]
    began = datetime.fromisoformat(kept.notebook.metadata.papermill.start_time)
    shown = [
        (datetime.fromisoformat(cell.metadata.papermill.end_time) - began).total_seconds() for cell in cells
    ]
    has_view = [any("text/html" in output.get("data", {}) for output in cell.outputs) for cell in cells]
    has_panel = ["FreezePanel(" in cell.source for cell in cells]
    return {
        "lesson03_cold_s": cold.wall_s,
        "lesson03_kept_s": kept.wall_s,
        "lesson03_first_view_s": shown[has_view.index(True)],
        "lesson03_first_panel_s": shown[has_panel.index(True)],
    }
