"""Rebuild, don't trust: the instructor's notebook with the source of a student's answers, and nothing else of theirs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .assignment import Assignment, Lesson, LessonCell
from .handed_in import Piece, RebuildError, read_pieces
from .records import Cell, Submission
from .text import shown

MAX_SOURCE_BYTES = 256 << 10  # of one cell
MAX_TOTAL_BYTES = 1 << 20  # of all that is the student's
MAX_NOTES = 20
_DEFINED = re.compile(r"^(?:def|class)[ \t]+(\w+)|^(\w+)[ \t]*=", re.M)


@dataclass(frozen=True)
class Rebuilt:
    """A submission ready to run, and what is needed to show it.

    Attributes:
        answers: `grade_id` -> the student's source, for each solution cell that was handed in (prose, too).
        extras: (place, source): a code cell of the student's that follows the lesson's cell at `place`; -1: before all.
    """

    submission: Submission
    answers: dict[str, str]
    extras: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class _Placed:
    """A piece and the lesson's cell that it is a copy of; None for one of the student's own."""

    piece: Piece
    place: int | None


def rebuild(
    assignment: Assignment, lesson: Lesson, content: bytes, student: str, notes: tuple[str, ...] = ()
) -> Rebuilt:
    """Put a student's answers into the lesson.

    What counts is the source of solution cells, found by `grade_id` (or by the cell's own id, where an editor dropped
    the metadata), and the student's own code cells, each after the cell of the lesson that it followed. A set-up cell
    that the student may change runs as the instructor wrote it, and then, as a cell of their own, as the student did.

    Args:
        content: the file as it was handed in.
        notes: what is known already ("the notebook had another name").

    Raises:
        RebuildError: a sentence on why it can't be.
    """
    digest = hashlib.sha256(content).hexdigest()
    said: list[str] = [*notes]
    pieces = read_pieces(content, said)
    placed = _found_by_name(lesson, list(_place(lesson, pieces)), said)
    chosen = _chosen(lesson, placed, said)
    answers = {lesson.cells[place].grade_id: placed[number].piece.source for place, number in chosen.items()}
    extras = tuple(_extras(lesson, placed, chosen, said))
    _check_sizes(answers, extras)
    cells = tuple(_cells(lesson, answers, extras))
    # The hidden tests are part of the assignment's digest, so that a student can't work out what will be drawn.
    drawn = hashlib.sha256(f"{assignment.digest} {digest} {student}".encode()).digest()
    submission = Submission(
        student=student,
        assignment=assignment.name,
        notebook=lesson.name,
        cells=cells,
        digest=digest,
        seed=int.from_bytes(drawn[:4], "big"),
        notes=tuple(_some(said)),
    )
    return Rebuilt(submission, answers, extras)


def _place(lesson: Lesson, pieces: list[Piece]) -> Iterator[_Placed]:
    by_grade = {cell.grade_id: place for place, cell in enumerate(lesson.cells) if cell.grade_id}
    by_id = {cell.cell_id: place for place, cell in enumerate(lesson.cells) if cell.cell_id}
    # Before nbformat 4.5 cells had no ids: there, what was left as it is tells where we are.
    by_source = {
        _same(cell.source): place
        for place, cell in enumerate(lesson.cells)
        if cell.cell_type == "code" and cell.role != "solution"
    }
    for piece in pieces:
        place = by_grade.get(piece.grade_id) if piece.grade_id else None
        if place is None and not piece.grade_id:
            place = by_id.get(piece.cell_id)
        if place is None and piece.is_code:
            place = by_source.get(_same(piece.source))
        yield _Placed(piece, place)


def _found_by_name(lesson: Lesson, placed: list[_Placed], said: list[str]) -> list[_Placed]:
    """Find answers whose cells lost all that names them (to an editor, or it is a new cell) by what they define."""
    alone = {
        number: one.piece.source
        for number, one in enumerate(placed)
        if one.place is None and one.piece.is_code and not one.piece.grade_id
    }
    if sum(map(len, alone.values())) > MAX_TOTAL_BYTES:
        return placed  # more than is read
    own = {number: _defined(source) for number, source in alone.items()}
    for place, cell in enumerate(lesson.cells):
        names = _defined(cell.source) if cell.role == "solution" and cell.cell_type == "code" else set()
        if not names or any(one.place == place for one in placed):
            continue
        number = max((number for number, defined in own.items() if names <= defined), default=None)
        if number is not None:
            placed[number] = _Placed(placed[number].piece, place)
            del own[number]
            said.append(
                f"The cell `{cell.grade_id}` is missing; the one that defines `{min(names)}` was taken for it."
            )
    return placed


def _defined(source: str) -> set[str]:
    """Functions, classes and values at the start of a line. No parser: one has no business with a student's text here."""
    return {found[1] or found[2] for found in _DEFINED.finditer(source)}


def _chosen(lesson: Lesson, placed: list[_Placed], said: list[str]) -> dict[int, int]:
    """For the place of each solution cell, which of the pieces is the answer."""
    chosen = {}
    for place, cell in enumerate(lesson.cells):
        if cell.role != "solution":
            continue
        copies = [number for number, one in enumerate(placed) if one.place == place]
        if not copies:
            said.append(f"The cell `{cell.grade_id}` is missing from what was handed in.")
            continue
        number = chosen[place] = min(copies, key=lambda number: _rank(placed, number, cell))
        if len(copies) > 1:
            which = (
                "the last one that was filled in and is in its place counts, and others run where they are"
            )
            said.append(f"The cell `{cell.grade_id}` is there {len(copies)} times; {which}.")
        piece = placed[number].piece
        if piece.is_code != (cell.cell_type == "code"):
            said.append(f"The cell `{cell.grade_id}` had become {piece.kind}; it counts as {cell.cell_type}.")
    return chosen


def _rank(placed: list[_Placed], number: int, cell: LessonCell) -> tuple[bool, bool, int]:
    """Of copies of a cell, the smallest counts: filled in before left as it was, in its place before elsewhere, last.

    As in a notebook that is run from top to bottom, the last one that defines a name defines it.
    """
    place = placed[number].place
    before = next((one.place for one in placed[number - 1 :: -1] if one.place not in (None, place)), None)
    before = None if number == 0 else before
    after = next((one.place for one in placed[number + 1 :] if one.place not in (None, place)), None)
    at_home = (before is None or before < place) and (after is None or place < after)
    return _is_untouched(placed[number], cell), not at_home, -number


def _is_untouched(one: _Placed, cell: LessonCell) -> bool:
    return _same(one.piece.source) == _same(cell.source)


def _extras(
    lesson: Lesson, placed: list[_Placed], chosen: dict[int, int], said: list[str]
) -> Iterator[tuple[int, str]]:
    anchor = -1
    for number, one in enumerate(placed):
        piece, place = one.piece, one.place
        if place is None:
            if piece.is_check:
                said.append(f"A check that is not the lesson's (`{shown(piece.grade_id)}`) was left out.")
            elif piece.is_code and piece.source.strip() and not piece.is_demonstration:
                yield anchor, piece.source
            continue
        cell = lesson.cells[place]
        if cell.role == "solution" and chosen[place] != number:  # a copy; a helper may be in it
            if piece.is_code and piece.source.strip() and not _is_untouched(one, cell):
                yield anchor, piece.source
            continue
        anchor = place
        if _is_untouched(one, cell) or cell.role in ("solution", "demo"):
            continue
        if cell.role == "test" or cell.locked:
            if not _is_release_of(piece.source, cell.source):
                said.append(f"The cell `{cell.grade_id}` was changed; the lesson's own was taken.")
        elif piece.is_code and piece.source.strip():
            yield place, piece.source


def _is_release_of(source: str, full: str) -> bool:
    """Whether a check is as it was handed out: every line of it is one of the lesson's, hidden ones left out."""
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
            raise RebuildError(
                f"The cell `{name}` holds {size >> 10} KiB of source, and at most {MAX_SOURCE_BYTES >> 10} KiB are read. "
                "Data does not belong into a cell: take it out, then hand the notebook in again."
            )
    if sum(sizes.values()) > MAX_TOTAL_BYTES:
        raise RebuildError(
            f"The cells hold {sum(sizes.values()) >> 10} KiB of source, and at most {MAX_TOTAL_BYTES >> 10} KiB are read. "
            "Take out what is not needed, then hand the notebook in again."
        )


def _some(said: list[str]) -> list[str]:
    """So many that a person reads them all: a notebook can give cause for thousands."""
    more = len(said) - MAX_NOTES
    return [*said[:MAX_NOTES], f"There is more of this kind ({more:,})."] if more > 0 else said


def _same(source: str) -> str:
    """Source as it is compared: blanks at the end of lines don't count."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())
