"""The student version of a lesson, made by nbgrader's own preprocessors, as `nbgrader generate_assignment`
does."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbgrader.preprocessors import (
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)
from traitlets.config import Config

from graders.lint.refuse import refuse_unfit

STUB = (
    'raise NotImplementedError("Your turn: replace this line with your answer, '
    'run the cell, then the check below.")'
)


def student_config() -> Config:
    """The part of nbgrader's configuration that shapes what a student gets (course/nbgrader_config.py has the
    same)."""
    config = Config()
    config.ClearSolutions.code_stub = {"python": STUB}
    return config


def student_notebook(source: Path) -> nbformat.NotebookNode:
    """Solutions replaced by a stub, checks locked, outputs cleared.

    Raises:
        UnfitLesson: the lesson breaks a rule of `graders.lint.rules`.
    """
    refuse_unfit(nbformat.read(source, as_version=4), source.stem)
    return unchecked_student_notebook(source)


def unchecked_student_notebook(source: Path) -> nbformat.NotebookNode:
    """The same of a lesson that may break rules."""
    notebook = nbformat.read(source, as_version=4)
    config = student_config()
    resources: dict = {"nbgrader": {}}
    for step in (LockCells, ClearSolutions, ClearOutput, ComputeChecksums, ClearHiddenTests, ClearMarkScheme):
        notebook, resources = step(config=config).preprocess(notebook, resources)
    return notebook


def student_files(source: Path) -> dict[str, bytes]:
    """Everything a student gets of a unit: the notebook, and the files beside it (pictures)."""
    files = {source.name: (nbformat.writes(student_notebook(source)) + "\n").encode()}
    for path in sorted(source.parent.rglob("*")):
        name = path.relative_to(source.parent)
        if path.is_file() and path != source and not any(part.startswith(".") for part in name.parts):
            files[name.as_posix()] = path.read_bytes()
    return files
