"""The autograded notebook: what stock formgrader and `nbgrader generate_feedback` read, with outputs made from evidence.

nbgrader takes a test cell with an `error` output for failed, one with a number as its result for that many points, and
one without outputs for passed. So evidence is written as such outputs, and `nbgrader.utils.determine_grade` finds the
points in them as it does after its own execution.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nbformat
from nbconvert.preprocessors.sanitize import SanitizeHTML
from nbformat import v4
from nbgrader.utils import determine_grade, find_all_files, is_grade, is_solution, is_task

from .assignment import Lesson
from .course import Course
from .rebuild import Rebuilt
from .records import CheckOutcome, Evidence
from .text import as_markdown, plain, visible, without_actions

UNSAFE = "Graded without isolation: the student's code could have changed this result."
_MISSING = "# This cell is missing from what was handed in."
_MAX_MESSAGE_BYTES, _MAX_OUTPUT_BYTES = 4 << 10, 16 << 10
# Of a cell's source, as long as all that is shown is no more than so much; of each cell where it is.
_MAX_SOURCE_BYTES, _MAX_SHOWN_BYTES, _SHORT_BYTES = 16 << 10, 96 << 10, 1 << 10
_MAX_PROSE_BYTES = 32 << 10  # five thousand words; cleaning takes a time that grows with the square of it


def autograded_notebook(lesson: Lesson, rebuilt: Rebuilt | None, evidence: Evidence) -> nbformat.NotebookNode:
    """The lesson's student version with the answers in it, and the evidence as outputs of its checks.

    Hidden tests are not in it, nor anything else of the student's than source, as text. `rebuilt` is None where the
    submission could not be rebuilt.
    """
    notebook = v4.reads(lesson.release)  # no validation, which is for what comes from elsewhere
    outcomes = {outcome.grade_id: outcome for outcome in evidence.checks}
    answers = rebuilt.answers if rebuilt else {}
    extras = rebuilt.extras if rebuilt else ()
    most = _most_shown([*answers.values(), *(source for _, source in extras)])
    own: dict[int, list] = {}
    for number, (place, source) in enumerate(extras, 1):
        cell = v4.new_code_cell(visible(source, most), metadata={"tags": ["student"]})
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


def scores(
    notebook: nbformat.NotebookNode, rebuilt: Rebuilt | None, lesson: Lesson
) -> dict[str, float | None]:
    """Points of each graded cell, as nbgrader finds them; None: a person has to grade it.

    What was not handed in, or is as it was handed out, has 0 without a person's help.
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
) -> Path:
    """Write it to `autograded/`, whole or not at all, with the instructor's files (pictures) beside it.

    Raises:
        OSError: the disk is full, or can't be written to.
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
    return write_whole(
        folder / f"{lesson.name}.ipynb",
        (v4.writes(notebook) + "\n").encode(),
        0o664 if course.directory.groupshared else 0o444,
    )


def write_whole(path: Path, content: bytes, mode: int = 0o644) -> Path:
    """Write beside, see it on the disk, and move it into place."""
    half = path.with_name(f".{path.name}.part")
    half.unlink(missing_ok=True)
    try:
        with open(half, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(half, mode)
        os.replace(half, path)
    except OSError:
        half.unlink(missing_ok=True)
        raise
    return path


def _most_shown(sources: list[str]) -> int:
    """Bytes of each cell to show: a page that takes hours to colour holds up everybody's feedback."""
    size = sum(min(len(source.encode()), _MAX_SOURCE_BYTES) for source in sources)
    return _MAX_SOURCE_BYTES if size <= _MAX_SHOWN_BYTES else _SHORT_BYTES


def _answer(cell_type: str, answer: str | None, most: int) -> str:
    if answer is None:
        return _MISSING if cell_type == "code" else _MISSING.lstrip("# ")
    if cell_type == "code":
        return visible(answer, most)
    return without_actions(SanitizeHTML().sanitize_html_tags(plain(answer, _MAX_PROSE_BYTES)))


def _outputs(outcome: CheckOutcome | None, evidence: Evidence) -> list:
    if outcome is None:
        outcome = CheckOutcome("", 0.0, 1.0, False, 0, evidence.reason or "This check was not run.")
    if outcome.points >= outcome.best:
        return []
    message = plain(outcome.message or "This check did not pass.", _MAX_MESSAGE_BYTES)
    if outcome.points > 0:
        number = v4.new_output("execute_result", {"text/plain": repr(outcome.points)}, execution_count=1)
        return [v4.new_output("stream", name="stdout", text=message), number]
    lines = f"CheckFailed: {message}".splitlines()
    return [v4.new_output("error", ename="CheckFailed", evalue=message, traceback=lines)]


def _remarks(rebuilt: Rebuilt | None, evidence: Evidence) -> list:
    said = [evidence.reason, *evidence.notes]  # those of the rebuilding are among them
    if evidence.isolation == "none" and rebuilt is not None:
        said.append(UNSAFE)
    lines = [f"- {as_markdown(' '.join(plain(text, 2 << 10).split()))}" for text in said if text]
    if not lines:
        return []
    cell = v4.new_markdown_cell("\n".join(["**What the grader noticed**", "", *lines]))
    cell.id = "grader-remarks"
    return [cell]


def _printed(evidence: Evidence) -> list:
    text = plain(evidence.output, _MAX_OUTPUT_BYTES)
    if not text.strip():
        return []
    cell = v4.new_code_cell("# What the cells printed while they were graded")
    cell.id = "grader-output"
    cell.outputs = [v4.new_output("stream", name="stdout", text=text)]
    return [cell]
