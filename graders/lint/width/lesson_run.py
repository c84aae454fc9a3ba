"""Runs a lesson with its model answers, and records what it gives to the functions of its exercises."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from graders.checks.mistakes import Exercise
from graders.lint.rules import cell_name, graded_kind

from .dimensions import bound, measure
from .records import Record

CELL_S = 900  # seconds a cell may take
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_WATCH = "from graders.lint.width.watch import watch as _watch\n_watch(globals(), {names!r})\ndel _watch"
_SAVE = "from graders.lint.width.watch import save as _save\n_save({path!r})"


@dataclass(frozen=True)
class LessonCalls:
    """What a lesson gives to the functions of its exercises.

    Attributes:
        record: the ranges.
        problem: why it is not complete: the cell that stopped, and what it said; "" if all cells ran.
    """

    record: Record = field(default_factory=Record)
    problem: str = ""


def record_lesson(
    notebook,
    exercises: Sequence[Exercise],
    folder: Path,
    on_cell: Callable[[int, int], None] | None = None,
) -> LessonCalls:
    """Run a lesson's source in a kernel of its own, without its checks, and record the calls.

    Args:
        notebook: with solutions; it is not changed.
        exercises: those of the unit.
        folder: where it runs.
        on_cell: called with the number of cells done, and of all.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    with tempfile.TemporaryDirectory(prefix="lint-lesson-") as place:
        path = Path(place) / "calls.json"
        named, cells = _cells(notebook, exercises)
        last = nbformat.v4.new_code_cell(_SAVE.format(path=str(path)))
        script = nbformat.v4.new_notebook(cells=[*cells, last])
        client = NotebookClient(
            script,
            timeout=CELL_S,
            kernel_name="python3",
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": str(folder)}},
        )
        problem = ""
        where = os.pathsep.join(os.path.abspath(one) for one in sys.path)  # the same course as here
        with client.setup_kernel(env={**os.environ, "PYTHONPATH": where, "TLWIDGETS_VIEW": "static"}):
            for number, (name, cell) in enumerate(zip(named, cells, strict=True)):
                try:
                    client.execute_cell(cell, number)
                except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                    problem = f"The cell {name} stopped: {_last_line(error)}"
                    break
                if on_cell is not None:
                    on_cell(number + 1, len(cells))
            try:
                client.execute_cell(last, len(cells))
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                problem = problem or f"What the lesson calls could not be recorded: {_last_line(error)}"
        record = Record()
        if path.exists():
            record = Record.from_plain(json.loads(path.read_text(encoding="utf-8")))
    return LessonCalls(record, problem)


def add_declared_calls(record: Record, exercise: Exercise) -> str:
    """Add the calls that an exercise declares as the lesson's; what is wrong with them, or ""."""
    if exercise.lesson_calls is None:
        return ""
    try:
        for function, arguments in exercise.lesson_calls():
            if function not in exercise.functions:
                known = ", ".join(exercise.functions)
                return f"`lesson_calls` calls {function!r}. Expected a function of the exercise: {known}."
            record.add(function, measure(_named(exercise, function, arguments)))
    except Exception as error:  # whatever an author's function raises
        return f"`lesson_calls` stopped with {type(error).__name__}: {error}"
    return ""


def _named(exercise: Exercise, function: str, arguments: tuple) -> dict[str, object]:
    from graders.checks.programs import functions

    (program,) = functions(next(iter(exercise.right.values())), (function,), exercise.id)
    return bound(program, arguments, {})


def _cells(notebook, exercises: Sequence[Exercise]) -> tuple[list[str], list]:
    """The code cells of a lesson without its checks, with a cell after each answer that watches it."""
    functions = {exercise.id: list(exercise.functions) for exercise in exercises}
    named: list[str] = []
    cells: list = []

    def add(name: str, source: str) -> None:
        named.append(name)
        cells.append(nbformat.v4.new_code_cell(source))

    for cell in notebook.cells:
        if cell.cell_type != "code" or graded_kind(cell) == "test":
            continue
        name = cell_name(cell)
        add(name, cell.source)
        if name in functions and graded_kind(cell) == "solution":
            add(name, _WATCH.format(names=functions[name]))
    return named, cells


def _last_line(error: Exception) -> str:
    lines: Iterable[str] = _ANSI.sub("", str(error)).strip().splitlines()
    return next((line for line in reversed(list(lines)) if line.strip()), type(error).__name__)
