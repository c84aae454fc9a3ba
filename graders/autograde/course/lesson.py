"""An assignment as its instructor wrote it: its notebooks, cell by cell, with the hidden tests in place."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import nbformat
from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import SaveCells
from nbgrader.utils import is_grade, is_locked, is_solution, is_task

from graders.units import UnknownUnit, find_unit

from ..records import GradingError
from .folder import Course

Role = Literal["setup", "solution", "test", "demo", "prose"]


@dataclass(frozen=True)
class LessonCell:
    """A cell as the instructor wrote it.

    Attributes:
        role: "setup" for code cells on which exercises depend; "solution" for cells that students fill in,
            code or not; "prose" for cells that are not run.
        cell_id: nbformat's id, "" before format 4.5. grade_id: nbgrader's id, or "".
        source: for a solution cell, the stub that students get; for a test cell, including its hidden
            regions.
        points: of a test cell. by_hand: whether a person grades it.
    """

    role: Role
    cell_id: str
    grade_id: str
    cell_type: str
    source: str
    points: float = 0.0
    locked: bool = False
    by_hand: bool = False


@dataclass(frozen=True)
class Lesson:
    """A notebook of an assignment.

    Attributes:
        name: file name without its ending. cells: all of them, in order.
        release: the student version as JSON, with the same cells; hidden regions are left out.
    """

    name: str
    cells: tuple[LessonCell, ...]
    release: str


@dataclass(frozen=True)
class Assignment:
    """An assignment ready to grade. `digest` changes with every cell on which a grade depends."""

    name: str
    lessons: tuple[Lesson, ...]
    digest: str


@dataclass(frozen=True)
class Exercise:
    """One exercise of an assignment, to be graded again on its own. `checks`: its test cells."""

    name: str
    checks: frozenset[str]


def find_exercise(assignment: Assignment, given: str) -> Exercise:
    """The exercise of this name: that of the cell with the answer, or of a test cell.

    Raises:
        GradingError: there is none, or a person grades it.
    """
    found: dict[str, set[str]] = {}
    for lesson in assignment.lessons:
        name = ""
        for cell in lesson.cells:
            if cell.role == "solution":
                name = cell.grade_id
                found.setdefault(name, set())
            elif cell.role == "test":
                found.setdefault(name or cell.grade_id, set()).add(cell.grade_id)
    for name, checks in found.items():
        if given in (name, *checks):
            if checks:
                return Exercise(name, frozenset(checks))
            raise GradingError(f"A person grades {name}, in formgrader; it has no check to run again.")
    names = ", ".join(name for name, checks in found.items() if checks)
    raise GradingError(f"{assignment.name} has no exercise {given!r}. Its exercises are: {names}.")


def find_assignment(course: Course, given: str) -> str:
    """The name of an assignment, given its name, its folder (as a shell completes it), or its number.

    Raises:
        GradingError: there is no such assignment, or the folder is not a course.
    """
    source = course.folder("source", ".", "?").parent
    known = sorted({path.parent.name for path in source.glob("*/*.ipynb")})
    if not known:
        raise GradingError(
            f"{course.root} is not a course folder: {source} has no folder with a notebook. Change to the "
            "course's folder, or name it with --course."
        )
    try:
        return find_unit(given, known)
    except UnknownUnit as error:
        raise GradingError(f"{error} The course is {course.root}.") from error


def load_assignment(course: Course, name: str) -> Assignment:
    """Make the assignment's notebooks from `source/`, in the same steps as `nbgrader generate_assignment`.

    Raises:
        GradingError: there is no such assignment, or nbgrader would not generate it.
    """
    folder = course.folder("source", ".", name)
    paths = sorted(folder.glob("*.ipynb"))
    if not paths:
        raise GradingError(f"There is no assignment {name!r}: {folder} has no notebook.")
    lessons = tuple(load_lesson(course, name, path) for path in paths)
    return Assignment(name, lessons, _digest(lessons))


def load_lesson(course: Course, assignment: str, path: Path) -> Lesson:
    """Make one notebook, and read the role of each of its cells."""
    steps = list(GenerateAssignment(coursedir=course.directory, config=course.config).preprocessors)
    saved = steps.index(SaveCells) if SaveCells in steps else len(steps)
    resources = {
        "nbgrader": {
            "notebook": path.stem,
            "assignment": assignment,
            "student": ".",
            "db_url": course.directory.db_url,
        },
        "metadata": {"path": str(path.parent)},
    }
    try:
        notebook = nbformat.read(path, as_version=4)
        for step in steps[:saved]:
            notebook, resources = step(config=course.config)(notebook, resources)
        cells = tuple(lesson_cell(cell) for cell in notebook.cells)
        for step in steps[saved + 1 :]:
            notebook, resources = step(config=course.config)(notebook, resources)
    except Exception as error:  # nbgrader's steps raise many kinds
        raise GradingError(
            f"{path} cannot be generated ({type(error).__name__}: {error}). Run `nbgrader "
            f"generate_assignment {assignment}` and correct what it reports."
        ) from error
    return Lesson(path.stem, cells, nbformat.writes(notebook))


def lesson_cell(cell) -> LessonCell:
    """Read the role of a cell of a lesson; a solution cell should hold the stub that students get."""
    graded, solution, code = is_grade(cell), is_solution(cell), cell.cell_type == "code"
    by_hand = is_task(cell) or (graded and (solution or not code))
    role: Role
    if solution or is_task(cell):
        role = "solution"
    elif graded and code:
        role = "test"
    elif code:
        role = "demo" if "demo" in cell.metadata.get("tags", []) else "setup"
    else:
        role = "prose"
    grade = cell.metadata.get("nbgrader", {})
    return LessonCell(
        role,
        cell.get("id", ""),
        grade.get("grade_id", ""),
        cell.cell_type,
        cell.source.replace("\r\n", "\n"),
        float(grade.get("points", 0.0)) if graded or is_task(cell) else 0.0,
        bool(is_locked(cell)),
        by_hand,
    )


def _digest(lessons: tuple[Lesson, ...]) -> str:
    """A digest of what grades depend on.

    Prose and demonstrations can be corrected without grading anything again.
    """
    counted = [
        (lesson.name, cell.role, cell.grade_id, cell.source, cell.points)
        for lesson in lessons
        for cell in lesson.cells
        if cell.role in ("setup", "solution", "test")
    ]
    return hashlib.sha256(json.dumps(counted).encode()).hexdigest()
