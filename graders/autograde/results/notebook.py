"""The graded notebook, which stock formgrader and `nbgrader generate_feedback` read.

Its outputs are made from the evidence.

nbgrader counts a test cell with an `error` output as failed, one whose result is a number as worth that many
points, and one without outputs as passed. So the evidence is written as such outputs, in which
`nbgrader.utils.determine_grade` finds the points as it does after nbgrader's own execution.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import nbformat
from nbconvert.preprocessors.sanitize import SanitizeHTML
from nbformat import v4
from nbgrader.utils import determine_grade, find_all_files, is_grade, is_solution, is_task

from ..course.folder import Course
from ..course.lesson import Lesson
from ..records import CheckOutcome, Evidence
from ..submission.rebuild import Rebuilt
from ..text import escape_markdown, strip_control_characters, visible_source, without_active_content
from .files import write_whole

UNSAFE = "Graded without isolation: the student's code could have changed this result."
_MISSING = "# This cell is missing from what was handed in."
_MAX_MESSAGE_BYTES, _MAX_OUTPUT_BYTES = 4 << 10, 16 << 10
# Limits of what is shown: of one cell, of all cells together, and of one cell if all together are too long.
_MAX_SOURCE_BYTES, _MAX_SHOWN_BYTES, _SHORT_BYTES = 16 << 10, 96 << 10, 1 << 10
_MAX_PROSE_BYTES = 32 << 10  # five thousand words; the time for cleaning grows with the square of the length


def autograded_notebook(lesson: Lesson, rebuilt: Rebuilt | None, evidence: Evidence) -> nbformat.NotebookNode:
    """The lesson's student version with the answers in it, and the evidence as outputs of its checks.

    It contains no hidden tests, and of the student's file only source, as text. `rebuilt` is None if the
    submission could not be rebuilt.
    """
    notebook = v4.reads(lesson.release)  # without validation, since this is our own
    outcomes = {outcome.grade_id: outcome for outcome in evidence.checks}
    answers = rebuilt.answers if rebuilt else {}
    extras = rebuilt.extras if rebuilt else ()
    most = _most_shown([*answers.values(), *(source for _, source in extras)])
    own: dict[int, list] = {}
    for number, (place, source) in enumerate(extras, 1):
        cell = v4.new_code_cell(visible_source(source, most), metadata={"tags": ["student"]})
        cell.id = f"student-{number}"
        own.setdefault(place, []).append(cell)
    cells = [*_remarks(rebuilt, evidence), *own.get(-1, [])]
    for place, (cell, wrote) in enumerate(zip(notebook.cells, lesson.cells, strict=True)):
        if wrote.role == "solution":
            cell.source = _answer(wrote.cell_type, answers.get(wrote.grade_id), most)
        if cell.cell_type == "code":
            cell.outputs = _outputs(outcomes.get(wrote.grade_id), evidence) if wrote.role == "test" else []
        cells += [cell, *own.get(place, [])]
    notebook.cells = [*cells, *_printed(evidence)]
    if notebook.get("nbformat_minor", 0) < 5:
        for cell in notebook.cells:
            cell.pop("id", None)
    return notebook


def points_by_cell(
    notebook: nbformat.NotebookNode, rebuilt: Rebuilt | None, lesson: Lesson
) -> dict[str, float | None]:
    """The points of each graded cell, as nbgrader finds them; None if a person has to grade it.

    A written answer that was not handed in, or was left unchanged, gets 0 without a person.
    """
    written = {cell.grade_id: cell.source for cell in lesson.cells}
    found: dict[str, float | None] = {}
    for cell in notebook.cells:
        if not (is_grade(cell) or is_task(cell)):
            continue
        grade_id = cell.metadata.nbgrader.grade_id
        if is_task(cell):
            found[grade_id] = None
        elif is_solution(cell):
            answer = rebuilt.answers.get(grade_id) if rebuilt else None
            found[grade_id] = 0.0 if answer in (None, written[grade_id]) else None
        else:
            found[grade_id] = determine_grade(cell)[0]
    return found


def write_notebook(
    course: Course, assignment: str, student: str, lesson: Lesson, notebook: nbformat.NotebookNode
) -> str:
    """Write a notebook to `autograded/`, atomically, with the instructor's files (pictures) beside it.

    Returns its SHA-256.

    Raises:
        OSError: the disk is full, or cannot be written to.
    """
    source = course.folder("source", ".", assignment)
    folder = course.folder("autograded", student, assignment)
    folder.mkdir(parents=True, exist_ok=True)
    for name in find_all_files(str(source), [*course.directory.ignore, "*.ipynb"]):
        copy = folder / Path(name).relative_to(source)
        if not copy.exists() or copy.stat().st_size != os.stat(name).st_size:
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(name, half := copy.with_name(f".{copy.name}.part"))
            os.replace(half, copy)
    content = (v4.writes(notebook) + "\n").encode()
    mode = 0o664 if course.directory.groupshared else 0o444
    write_whole(folder / f"{lesson.name}.ipynb", content, mode)
    return hashlib.sha256(content).hexdigest()


def _most_shown(sources: list[str]) -> int:
    """Bytes of each cell to show: a page that takes hours to highlight delays everybody's feedback."""
    size = sum(min(len(source.encode()), _MAX_SOURCE_BYTES) for source in sources)
    return _MAX_SOURCE_BYTES if size <= _MAX_SHOWN_BYTES else _SHORT_BYTES


def _answer(cell_type: str, answer: str | None, most: int) -> str:
    if answer is None:
        return _MISSING if cell_type == "code" else _MISSING.lstrip("# ")
    if cell_type == "code":
        return visible_source(answer, most)
    return without_active_content(
        SanitizeHTML().sanitize_html_tags(strip_control_characters(answer, _MAX_PROSE_BYTES))
    )


def _outputs(outcome: CheckOutcome | None, evidence: Evidence) -> list:
    if outcome is None:
        outcome = CheckOutcome("", 0.0, 1.0, False, 0, evidence.reason or "This check was not run.")
    if outcome.points >= outcome.best:
        return []
    message = strip_control_characters(outcome.message or "This check did not pass.", _MAX_MESSAGE_BYTES)
    if outcome.points > 0:
        number = v4.new_output("execute_result", {"text/plain": repr(outcome.points)}, execution_count=1)
        return [v4.new_output("stream", name="stdout", text=message), number]
    lines = f"CheckFailed: {message}".splitlines()
    return [v4.new_output("error", ename="CheckFailed", evalue=message, traceback=lines)]


def _remarks(rebuilt: Rebuilt | None, evidence: Evidence) -> list:
    said = [evidence.reason, *evidence.notes]  # include those of the rebuilding
    if evidence.isolation == "none" and rebuilt is not None:
        said.append(UNSAFE)
    lines = [
        f"- {escape_markdown(' '.join(strip_control_characters(text, 2 << 10).split()))}"
        for text in said
        if text
    ]
    if not lines:
        return []
    cell = v4.new_markdown_cell("\n".join(["**What the grader noticed**", "", *lines]))
    cell.id = "grader-remarks"
    return [cell]


def _printed(evidence: Evidence) -> list:
    text = strip_control_characters(evidence.output, _MAX_OUTPUT_BYTES)
    if not text.strip():
        return []
    cell = v4.new_code_cell("# What the cells printed while they were graded")
    cell.id = "grader-output"
    cell.outputs = [v4.new_output("stream", name="stdout", text=text)]
    return [cell]
