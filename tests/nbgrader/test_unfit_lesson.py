"""nbgrader's own `generate_assignment` refuses a lesson that breaks a rule."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
UNIT = "02-which-layers-to-train"


def test_a_lesson_that_breaks_a_rule_is_not_released(tmp_path):
    """One that keeps them is: tests/nbgrader/test_round_trip.py."""
    course = tmp_path / "course"
    shutil.copytree(ROOT / "course" / "source" / UNIT, course / "source" / UNIT)
    shutil.copy(ROOT / "course" / "nbgrader_config.py", course)
    path = course / "source" / UNIT / f"{UNIT}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    (test,) = [cell for cell in notebook.cells if cell.id == "check-pick"]
    test.source = "import torch\nassert torch.allclose(torch.tensor(pick([], 3, 0.1)), torch.tensor(0))"
    nbformat.write(notebook, path)
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "generate_assignment", UNIT],
        cwd=course,
        env={**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path / "jupyter")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    assert not (course / "release" / UNIT / f"{UNIT}.ipynb").exists()
    assert "check-pick: `allclose` passes on empty shapes" in done.stderr
