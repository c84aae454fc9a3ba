"""A student's notebook, read as the grader reads it: the lesson as written, with the student's answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from graders.autograde.course.lesson import Assignment, Lesson, lesson_cell
from graders.autograde.submission.files import SubmissionError, read_file
from graders.autograde.submission.notebook import SubmittedNotebook, parse_notebook
from graders.autograde.submission.rebuild import Rebuilt, rebuild
from graders.autograde.text import printable_name
from graders.checks.notebook import NotebookError, read_notebook

from .student import unchecked_student_notebook


def read_answers(path: Path, sources: list[Path]) -> Rebuilt:
    """The exercises of a lesson with the answers of a student's copy, whatever became of its checks.

    Args:
        sources: the lessons of the course. The copy is of the one that has its name and an exercise of it;
            if it was renamed, of the one with which it shares most.

    Raises:
        NotebookError: it cannot be read, or is not a copy of a lesson.
    """
    if not path.is_file():
        raise NotebookError(f"There is no notebook {path}. Expected the path of an .ipynb file.")
    try:
        notebook = parse_notebook(path.stem, read_file(path))
        source = _source_of(notebook, path, sources)
        if source.name != path.name:
            note = f"The notebook is called {printable_name(path.name)}; it was taken for {source.name}."
            notebook = replace(notebook, notes=(note, *notebook.notes))
        lesson = _lesson(source)
        return rebuild(Assignment(lesson.name, (lesson,), ""), lesson, notebook, "")
    except SubmissionError as error:
        raise NotebookError(f"{path} cannot be checked. {error}") from error


def _source_of(notebook: SubmittedNotebook, path: Path, sources: list[Path]) -> Path:
    """The lesson of which a notebook is a copy, by its name, or by what it has of each lesson."""
    if notebook.problem:
        raise SubmissionError(notebook.problem)
    named = next((source for source in sources if source.name == path.name), None)
    if named is not None and _shared(notebook, named)[0]:
        return named
    shared = {source: _shared(notebook, source) for source in sources}
    best = max(shared, key=lambda source: shared[source], default=None)
    if best is not None and any(shared[best]):
        return best
    if named is not None:
        return named
    names = ", ".join(source.stem for source in sources) or "none"
    raise NotebookError(
        f"{path} has no exercise of this course. Expected a copy of one of its lessons: {names}."
    )


def _shared(notebook: SubmittedNotebook, source: Path) -> tuple[int, int, int]:
    """How many exercises, cells by their ids, and programs a notebook shares with a lesson."""
    lesson = read_notebook(source).cells
    exercises = {cell.metadata.get("nbgrader", {}).get("grade_id", "") for cell in lesson}
    programs = {cell.source for cell in lesson if cell.cell_type == "code"}
    return (
        len({cell.grade_id for cell in notebook.cells} & exercises - {""}),
        len({cell.cell_id for cell in notebook.cells} & {cell.get("id", "") for cell in lesson} - {""}),
        len({cell.source for cell in notebook.cells} & programs - {""}),
    )


def _lesson(source: Path) -> Lesson:
    """Stubs in the place of solutions, as students get them, and the checks whole."""
    pairs = zip(unchecked_student_notebook(source).cells, read_notebook(source).cells, strict=True)
    cells = (lesson_cell(cell if _is_solution(cell) else written) for cell, written in pairs)
    return Lesson(source.stem, tuple(cells), "")


def _is_solution(cell) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))
