"""The instructor's side of an assignment: its notebooks as generated, cell by cell, with hidden tests in place."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import nbformat
from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import SaveCells
from nbgrader.utils import is_grade, is_locked, is_solution, is_task

from .course import Course
from .records import GradingError

Role = Literal["setup", "solution", "test", "demo", "prose"]


@dataclass(frozen=True)
class LessonCell:
    """A cell as the instructor wrote it.

    Attributes:
        role: "setup" is every code cell that exercises stand on; "solution" cells are the student's to fill in, code or
            not; "prose" is not run.
        cell_id: nbformat's id, "" before 4.5. grade_id: nbgrader's, "" where there is none.
        source: of a solution cell, the stub that students get; of a test cell, with its hidden regions.
        points: of a test cell. by_hand: a person grades it.
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
        name: file name without ending. cells: all of them, in order.
        release: the student version as JSON, cell for cell the same; hidden regions are left out.
    """

    name: str
    cells: tuple[LessonCell, ...]
    release: str


@dataclass(frozen=True)
class Assignment:
    """An assignment ready to grade. `digest` changes with any cell that counts."""

    name: str
    lessons: tuple[Lesson, ...]
    digest: str


def find_assignment(course: Course, given: str) -> str:
    """The name of an assignment, from that name, its folder as a shell completes it, or the number before its first "-".

    Raises:
        GradingError: there is none, or the folder is no course.
    """
    source = course.folder("source", ".", "?").parent
    known = sorted({path.parent.name for path in source.glob("*/*.ipynb")})
    if not known:
        raise GradingError(
            f"{course.root} is no course folder: {source} has no folder with a notebook. Change to the course's folder, or "
            "name it with --course."
        )
    name = Path(given).name
    found = [one for one in known if name == one] or [
        one for one in known if name and name == one.partition("-")[0]
    ]
    if len(found) != 1:
        raise GradingError(
            f"There is no assignment {given!r} in {source}. Expected one of {', '.join(known)}, or its number."
        )
    return found[0]


def load_assignment(course: Course, name: str) -> Assignment:
    """Make the assignment's notebooks from `source/` by the steps of `nbgrader generate_assignment`.

    Raises:
        GradingError: there is none, or nbgrader would not generate it.
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
        cells = tuple(_lesson_cell(cell) for cell in notebook.cells)
        for step in steps[saved + 1 :]:
            notebook, resources = step(config=course.config)(notebook, resources)
    except Exception as error:  # nbgrader's steps raise whatever they like
        raise GradingError(
            f"{path} can't be generated ({type(error).__name__}: {error}). Run `nbgrader generate_assignment "
            f"{assignment}` and correct what it says."
        ) from error
    return Lesson(path.stem, cells, nbformat.writes(notebook))


def _lesson_cell(cell) -> LessonCell:
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
    """Over what a grade depends on: prose and demonstrations may be corrected without grading anything again."""
    counted = [
        (lesson.name, cell.role, cell.grade_id, cell.source, cell.points)
        for lesson in lessons
        for cell in lesson.cells
        if cell.role in ("setup", "solution", "test")
    ]
    return hashlib.sha256(json.dumps(counted).encode()).hexdigest()


@functools.cache
def grader_version() -> str:
    """The package's version and a digest of the checks and the grader, so that a corrected check grades again."""
    here = Path(__file__).resolve().parents[1]
    content = hashlib.sha256()
    for folder in ("autograde", "checks"):
        for path in sorted((here / folder).rglob("*.py")):
            content.update(path.relative_to(here).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{version('transfer-learning-course')}+{content.hexdigest()[:12]}"
