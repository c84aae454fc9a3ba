"""Running a notebook's exercises: set-up, answers and checks, without the demonstrations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class NotebookError(ValueError):
    """The notebook can't be checked; the message says what to do."""


@dataclass(frozen=True)
class Result:
    """One check: its `grade_id`, XP earned and possible, and what it said if it failed."""

    check: str
    xp: float
    best: float
    message: str

    @property
    def passed(self) -> bool:
        """Whether the check passed."""
        return not self.message


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """Read a notebook.

    Raises:
        NotebookError: missing, or no notebook.
    """
    if not path.is_file():
        raise NotebookError(f"There is no notebook {path}. Expected the path of an .ipynb file.")
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except (ValueError, AttributeError, KeyError, TypeError, nbformat.ValidationError) as error:
        first = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise NotebookError(
            f"{path} is no notebook that can be read ({first}). It may be damaged: open it in JupyterLab, or take up an "
            "earlier version."
        ) from error
    return notebook


def exercise_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The code cells that exercises stand on: all but those tagged `demo`."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and not is_demonstration(cell)]


def is_demonstration(cell) -> bool:
    """Whether a cell is tagged `demo`. A graded cell never is, whatever tags a student gave it."""
    return "demo" in cell.metadata.get("tags", []) and not _is_graded(cell)


def _is_graded(cell) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("grade"))


def with_original_checks(
    notebook: nbformat.NotebookNode, source: nbformat.NotebookNode | None
) -> nbformat.NotebookNode:
    """Put the lesson's own checks where a notebook has them, whatever it made of them.

    Raises:
        NotebookError: a check of the lesson is missing.
    """
    if source is None:
        return notebook
    originals = {cell.metadata.nbgrader.grade_id: cell for cell in source.cells if _is_graded(cell)}
    found = {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells if _is_graded(cell)}
    missing = [id for id in originals if id not in found]
    if missing:
        raise NotebookError(
            f"The notebook lacks the check {', '.join(map(repr, missing))}: the cell was deleted or renamed. Take the "
            "lesson's fresh copy (rename yours, then run `tlcourse build`) and move your answers there."
        )
    for id, cell in found.items():
        if id in originals:
            cell.source = originals[id].source
            cell.metadata.nbgrader.points = originals[id].metadata.nbgrader.points
    return notebook


def run_checks(path: Path, source: Path | None = None, timeout: int = 120) -> list[Result]:
    """Run the exercises of a notebook in a new kernel; the file is read only.

    Args:
        source: the lesson as it was written, whose checks are taken instead of the notebook's own.
        timeout: seconds a cell may take.

    Raises:
        NotebookError: it can't be read, has no checks, or lacks one of the lesson's.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    notebook = with_original_checks(read_notebook(path), read_notebook(source) if source else None)
    notebook.cells = exercise_cells(notebook)
    graded = [cell for cell in notebook.cells if _is_graded(cell)]
    if not graded:
        raise NotebookError(f"{path} has no checks to run. Expected a lesson of this course.")
    for cell in notebook.cells:
        cell.outputs = []
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        allow_errors=True,
        resources={"metadata": {"path": str(path.resolve().parent)}},
    )
    stopped = ""
    try:
        client.execute()
    except CellTimeoutError:
        stopped = f"A cell ran longer than {timeout} seconds. Look for a loop that does not end."
    except DeadKernelError:
        stopped = "The kernel died: the code may have run out of memory."
    return [_result(cell, stopped) for cell in graded]


def _result(cell, stopped: str) -> Result:
    grade = cell.metadata.nbgrader
    error = next((output for output in cell.outputs if output.output_type == "error"), None)
    if error is not None:
        value = _ANSI.sub("", error.evalue)
        message = value if error.ename == "CheckFailed" else f"{error.ename}: {value}"
    else:
        message = stopped if cell.execution_count is None else ""
    best = float(grade.points)
    return Result(grade.grade_id, 0.0 if message else best, best, message)
