"""Notebooks that students hand in, made from the released one, and how they are rebuilt."""

import json

from classroom import ROOT, UNIT

from graders.autograde.course.folder import open_course
from graders.autograde.course.lesson import load_assignment
from graders.autograde.submission.notebook import parse_notebook
from graders.autograde.submission.rebuild import rebuild

ASSIGNMENT = load_assignment(open_course(ROOT / "course"), UNIT)
(LESSON,) = ASSIGNMENT.lessons


def released(answers: dict[str, str] | None = None) -> dict:
    """The student version as JSON, with answers."""
    notebook = json.loads(LESSON.release)
    for cell in notebook["cells"]:
        if grade_id(cell) in (answers or {}):
            cell["source"] = answers[grade_id(cell)]
    return notebook


def grade_id(cell: dict) -> str:
    return cell["metadata"].get("nbgrader", {}).get("grade_id", "")


def find(notebook: dict, id: str) -> dict:
    return next(cell for cell in notebook["cells"] if cell.get("id") == id or grade_id(cell) == id)


def place(notebook: dict, id: str) -> int:
    return notebook["cells"].index(find(notebook, id))


def code(source: str, **metadata) -> dict:
    """A code cell of a student's own."""
    return {
        "cell_type": "code",
        "source": source,
        "metadata": metadata,
        "outputs": [],
        "execution_count": None,
    }


def hand_in(notebook: dict | bytes, student: str = "ada"):
    """The notebook, rebuilt."""
    content = notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
    return rebuild(ASSIGNMENT, LESSON, parse_notebook(LESSON.name, content), student)


def plan(rebuilt) -> list[tuple[str, str]]:
    return [(cell.kind, cell.grade_id) for cell in rebuilt.submission.cells]


def sources(rebuilt, kind: str) -> dict[str, str] | list[str]:
    cells = [cell for cell in rebuilt.submission.cells if cell.kind == kind]
    return (
        [cell.source for cell in cells] if kind == "extra" else {cell.grade_id: cell.source for cell in cells}
    )


def instructors(rebuilt) -> list[tuple[str, str, str, float]]:
    """What the instructor wrote of a rebuilt notebook."""
    cells = rebuilt.submission.cells
    return [
        (cell.kind, cell.grade_id, cell.source, cell.points)
        for cell in cells
        if cell.kind in ("setup", "test")
    ]


ORIGINAL = instructors(hand_in(released()))
PLAN = plan(hand_in(released()))
