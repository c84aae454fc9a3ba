"""Rebuild, don't trust: the instructor's notebook with the source of a student's answers, no more."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..course.lesson import Assignment, Lesson, LessonCell
from ..records import Cell, Submission
from ..text import printable_name
from .files import SubmissionError
from .notebook import SubmittedCell, SubmittedNotebook

MAX_SOURCE_BYTES = 256 << 10  # of one cell
MAX_TOTAL_BYTES = 1 << 20  # of everything the student wrote
MAX_NOTES = 20
_DEFINED = re.compile(r"^(?:def|class)[ \t]+(\w+)|^(\w+)[ \t]*=", re.M)


@dataclass(frozen=True)
class Rebuilt:
    """A submission ready to run, and what is needed to show it.

    Attributes:
        answers: `grade_id` -> the student's source, for each solution cell that was handed in, prose
            included.
        extras: (place, source) of each code cell of the student's own, which follows the lesson's cell at
            `place`; -1 is before all of them.
    """

    submission: Submission
    answers: dict[str, str]
    extras: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class _PlacedCell:
    """A submitted cell, and the place of the lesson's cell that it copies; None for the student's own."""

    cell: SubmittedCell
    place: int | None


def rebuild(assignment: Assignment, lesson: Lesson, notebook: SubmittedNotebook, student: str) -> Rebuilt:
    """Put a student's answers into the lesson.

    Two things count: the source of solution cells, found by `grade_id` (or by the cell's own id, if an editor
        dropped the
    metadata), and the student's own code cells, each after the lesson's cell that it followed. A set-up cell
    that the student changed runs first as the instructor wrote it, then, as a cell of the student's own, as
    they changed it.

    Raises:
        SubmissionError: the notebook cannot be read or is too large; the message says why.
    """
    if notebook.problem:
        raise SubmissionError(notebook.problem)
    notes = [*notebook.notes]
    placed = _found_by_definition(lesson, list(_place(lesson, notebook.cells)), notes)
    chosen = _chosen(lesson, placed, notes)
    answers = {lesson.cells[place].grade_id: placed[number].cell.source for place, number in chosen.items()}
    extras = tuple(_extras(lesson, placed, chosen, notes))
    _check_sizes(answers, extras)
    cells = tuple(_cells(lesson, answers, extras))
    # The assignment's digest covers the hidden tests, so a student cannot work out which inputs will be
    # drawn.
    drawn = hashlib.sha256(f"{assignment.digest} {notebook.digest} {student}".encode()).digest()
    submission = Submission(
        student=student,
        assignment=assignment.name,
        notebook=lesson.name,
        cells=cells,
        digest=notebook.digest,
        seed=int.from_bytes(drawn[:4], "big"),
        notes=tuple(_first_notes(notes)),
    )
    return Rebuilt(submission, answers, extras)


def _place(lesson: Lesson, cells: tuple[SubmittedCell, ...]) -> Iterator[_PlacedCell]:
    by_grade = {cell.grade_id: place for place, cell in enumerate(lesson.cells) if cell.grade_id}
    by_id = {cell.cell_id: place for place, cell in enumerate(lesson.cells) if cell.cell_id}
    # Before nbformat 4.5 cells had no ids; there, cells that were left unchanged show where we are.
    by_source = {
        _normalised(cell.source): place
        for place, cell in enumerate(lesson.cells)
        if cell.cell_type == "code" and cell.role != "solution"
    }
    for cell in cells:
        place = by_grade.get(cell.grade_id) if cell.grade_id else None
        if place is None and not (cell.is_check and cell.grade_id):  # no metadata, or another name in it
            place = by_id.get(cell.cell_id)
        if place is None and cell.is_code:
            place = by_source.get(_normalised(cell.source))
        yield _PlacedCell(cell, place)


def _found_by_definition(lesson: Lesson, placed: list[_PlacedCell], notes: list[str]) -> list[_PlacedCell]:
    """Find answers that lost their ids (an editor dropped them, or the cell is new) by what they define."""
    unplaced = {
        number: one.cell.source
        for number, one in enumerate(placed)
        if one.place is None and one.cell.is_code and not one.cell.is_check
    }
    if sum(map(len, unplaced.values())) > MAX_TOTAL_BYTES:
        return placed  # will be refused as too large
    candidates = {number: _defined(source) for number, source in unplaced.items()}
    for place, cell in enumerate(lesson.cells):
        names = _defined(cell.source) if cell.role == "solution" and cell.cell_type == "code" else set()
        if not names or any(one.place == place for one in placed):
            continue
        number = max((number for number, defined in candidates.items() if names <= defined), default=None)
        if number is not None:
            placed[number] = _PlacedCell(placed[number].cell, place)
            del candidates[number]
            notes.append(
                f"The cell `{cell.grade_id}` is missing; the cell that defines `{min(names)}` was taken for "
                "it."
            )
    return placed


def _defined(source: str) -> set[str]:
    """Names defined at the start of a line. This process never parses what a student wrote."""
    return {found[1] or found[2] for found in _DEFINED.finditer(source)}


def _chosen(lesson: Lesson, placed: list[_PlacedCell], notes: list[str]) -> dict[int, int]:
    """For the place of each solution cell, the number of the submitted cell that is its answer."""
    chosen = {}
    for place, cell in enumerate(lesson.cells):
        if cell.role != "solution":
            continue
        copies = [number for number, one in enumerate(placed) if one.place == place]
        if not copies:
            notes.append(f"The cell `{cell.grade_id}` is missing from what was handed in.")
            continue
        number = chosen[place] = min(copies, key=lambda number: _rank(placed, number, place, cell))
        if len(copies) > 1:
            notes.append(
                f"The cell `{cell.grade_id}` is there {len(copies)} times; the last one that was filled in "
                "and is in its place counts, and the others run where they are."
            )
        answer = placed[number].cell
        if answer.is_code != (cell.cell_type == "code"):
            notes.append(
                f"The cell `{cell.grade_id}` had become {answer.kind}; it counts as {cell.cell_type}."
            )
    return chosen


def _rank(placed: list[_PlacedCell], number: int, place: int, cell: LessonCell) -> tuple[bool, bool, int]:
    """Of copies of the cell at a place, the lowest rank counts: filled in, then in its place, then the last.

    As in a notebook that is run from top to bottom, the last definition of a name is the one that holds.
    """
    before, after = _other_place(placed[:number][::-1], place), _other_place(placed[number + 1 :], place)
    in_place = (before is None or before < place) and (after is None or place < after)
    return _is_untouched(placed[number], cell), not in_place, -number


def _other_place(placed: list[_PlacedCell], place: int) -> int | None:
    return next((one.place for one in placed if one.place is not None and one.place != place), None)


def _is_untouched(one: _PlacedCell, cell: LessonCell) -> bool:
    return _normalised(one.cell.source) == _normalised(cell.source)


def _extras(
    lesson: Lesson, placed: list[_PlacedCell], chosen: dict[int, int], notes: list[str]
) -> Iterator[tuple[int, str]]:
    anchor = -1
    for number, one in enumerate(placed):
        cell, place = one.cell, one.place
        if place is None:
            if cell.is_check:
                notes.append(
                    f"A check that is not the lesson's (`{printable_name(cell.grade_id)}`) was left out."
                )
            elif cell.is_code and cell.source.strip() and not cell.is_demonstration:
                yield anchor, cell.source
            continue
        original = lesson.cells[place]
        if original.role == "solution" and chosen[place] != number:  # a copy, which may hold a helper
            if cell.is_code and cell.source.strip() and not _is_untouched(one, original):
                yield anchor, cell.source
            continue
        anchor = place
        if _is_untouched(one, original) or original.role in ("solution", "demo"):
            continue
        if original.role == "test" or original.locked:
            if not _is_release_of(cell.source, original.source):
                notes.append(f"The cell `{original.grade_id}` was changed; the lesson's own was used.")
        elif cell.is_code and cell.source.strip():
            yield place, cell.source


def _is_release_of(source: str, full: str) -> bool:
    """Whether a check is unchanged: its lines are the lesson's, in order; hidden ones may be missing."""
    lines = iter(full.splitlines())
    return all(line in lines for line in source.rstrip().splitlines())


def _cells(lesson: Lesson, answers: dict[str, str], extras: tuple[tuple[int, str], ...]) -> Iterator[Cell]:
    following: dict[int, list[str]] = {}
    for place, source in extras:
        following.setdefault(place, []).append(source)
    yield from (Cell("extra", "", source) for source in following.get(-1, ()))
    for place, cell in enumerate(lesson.cells):
        if cell.cell_type == "code":
            if cell.role == "solution" and cell.grade_id in answers:
                yield Cell("solution", cell.grade_id, answers[cell.grade_id])
            elif cell.role == "setup":
                yield Cell("setup", cell.grade_id, cell.source)
            elif cell.role == "test":
                yield Cell("test", cell.grade_id, cell.source, cell.points)
        yield from (Cell("extra", "", source) for source in following.get(place, ()))


def _check_sizes(answers: dict[str, str], extras: tuple[tuple[int, str], ...]) -> None:
    sources = [
        *answers.items(),
        *((f"extra cell {number}", text) for number, (_, text) in enumerate(extras, 1)),
    ]
    sizes = {name: len(source.encode()) for name, source in sources}
    for name, size in sizes.items():
        if size > MAX_SOURCE_BYTES:
            raise SubmissionError(
                f"The cell `{name}` holds {size >> 10} KiB of source, and at most {MAX_SOURCE_BYTES >> 10} "
                "KiB are read. Data does not belong in a cell: take it out, then hand the notebook in again."
            )
    if sum(sizes.values()) > MAX_TOTAL_BYTES:
        raise SubmissionError(
            f"The cells hold {sum(sizes.values()) >> 10} KiB of source, and at most {MAX_TOTAL_BYTES >> 10} "
            "KiB are read. Remove what you do not need, then hand the notebook in again."
        )


def _first_notes(notes: list[str]) -> list[str]:
    """As many notes as a person will read; a notebook can give cause for thousands."""
    more = len(notes) - MAX_NOTES
    return [*notes[:MAX_NOTES], f"And {more:,} more of this kind."] if more > 0 else notes


def _normalised(source: str) -> str:
    """Source for comparison: spaces at the end of lines do not count."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())
