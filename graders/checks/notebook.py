"""Running a notebook's exercises: set-up, answers and checks, without the demonstrations."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import nbformat

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class NotebookError(ValueError):
    """The notebook cannot be checked; the message says what to do."""


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
        NotebookError: it is missing, or not a notebook.
    """
    if not path.is_file():
        raise NotebookError(f"There is no notebook {path}. Expected the path of an .ipynb file.")
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except (ValueError, AttributeError, KeyError, TypeError, nbformat.ValidationError) as error:
        first = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise NotebookError(
            f"{path} cannot be read as a notebook ({first}). It may be damaged: open it in JupyterLab, or go "
            "back to an earlier version."
        ) from error
    return notebook


def exercise_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The code cells that exercises depend on: all but those tagged `demo`."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and not is_demonstration(cell)]


def is_demonstration(cell) -> bool:
    """Whether a cell is tagged `demo`. A graded cell never is, whatever tags a student gave it."""
    return "demo" in cell.metadata.get("tags", []) and not _is_graded(cell)


def _is_graded(cell) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("grade"))


def run_checks(cells: Iterable[tuple[str, str, float]], folder: Path, timeout: int = 120) -> list[Result]:
    """Run cells in a new kernel, and say how the checks among them ended.

    Args:
        cells: (source, `grade_id`, points) of each code cell, in order; of a check, the points are above 0.
        folder: where they run.
        timeout: seconds a cell may take.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    notebook, checks = nbformat.v4.new_notebook(), []
    for source, grade_id, points in cells:
        notebook.cells.append(nbformat.v4.new_code_cell(source))
        if points:
            checks.append((notebook.cells[-1], grade_id, points))
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        allow_errors=True,
        extra_arguments=["--log-level=ERROR"],  # its warnings are not about the student's work
        resources={"metadata": {"path": str(folder.resolve())}},
    )
    stopped = ""
    try:
        client.execute()
    except CellTimeoutError:
        stopped = f"A cell ran longer than {timeout} seconds. Look for a loop that does not end."
    except DeadKernelError:
        stopped = "The kernel died: the code may have run out of memory."
    return [_result(cell, grade_id, points, stopped) for cell, grade_id, points in checks]


def _result(cell: nbformat.NotebookNode, check: str, best: float, stopped: str) -> Result:
    error = next((output for output in cell.outputs if output.output_type == "error"), None)
    if error is not None:
        value = _ANSI.sub("", error.evalue)
        message = value if error.ename == "CheckFailed" else f"{error.ename}: {value}"
    else:
        message = stopped if cell.execution_count is None else ""
    return Result(check, 0.0 if message else best, best, message)
