"""The version of the grader; when it changes, everything is graded again."""

from __future__ import annotations

import functools
import hashlib
from importlib.metadata import version
from pathlib import Path

from graders.units import exercise_folders


@functools.cache
def grader_version() -> str:
    """The package's version and a digest of grader and exercises, so that a corrected check grades again."""
    here = Path(__file__).resolve().parents[2]
    content = hashlib.sha256()
    for folder in (here / "autograde", here / "checks", *exercise_folders()):
        for path in sorted(folder.rglob("*.py")):
            name = path.relative_to(folder.parent).as_posix()
            content.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{version('transfer-learning-course')}+{content.hexdigest()[:12]}"
