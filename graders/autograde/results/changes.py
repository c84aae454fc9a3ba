"""What became of grades since they were written: another program's changes, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nbgrader.api import BaseCell, Grade, SubmittedAssignment, SubmittedNotebook
from nbgrader.api import Notebook as NotebookRow
from sqlalchemy import select
from sqlalchemy.orm import Session

from .audit import AuditEntry

_SHOWN = 5  # cells


def changes(
    session: Session, assignment_id: str, entries: Mapping[tuple[str, str], AuditEntry]
) -> dict[tuple[str, str], str]:
    """For each (student, notebook) whose automatic points are not those of its entry, a sentence.

    Points given by hand, extra credit and comments are a person's, and are not compared. Entries that changed
    no grade (the grader had failed) are left out.
    """
    query = (
        select(SubmittedAssignment.student_id, NotebookRow.name, BaseCell.name, Grade.auto_score)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(NotebookRow, NotebookRow.id == SubmittedNotebook.notebook_id)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .join(BaseCell, BaseCell.id == Grade.cell_id)
        .where(SubmittedAssignment.assignment_id == assignment_id)
    )
    there: dict[tuple[str, str], dict[str, float | None]] = {}
    for student, notebook, cell, score in session.execute(query):
        there.setdefault((student, notebook), {})[cell] = score
    found = {}
    for who, entry in entries.items():
        if entry.auto_score is None:
            continue
        cells = list(_differences(entry, there.get(who, {})))
        if cells:
            more = f" and {len(cells) - _SHOWN} more" if len(cells) > _SHOWN else ""
            found[who] = (
                "Another program had changed automatic points since they were given: "
                f"{', '.join(cells[:_SHOWN])}{more}. The submission was graded again; points given by hand "
                "stay."
            )
    return found


def _differences(entry: AuditEntry, there: Mapping[str, float | None]) -> Iterator[str]:
    given = entry.scores
    if given is None:  # an entry of an older version: it has the checks, and the sum of all cells
        given = {one["grade_id"]: one["points"] for one in entry.checks}
        if not _same(sum(score or 0.0 for score in there.values()), entry.auto_score):
            yield "their sum is another"
    for cell, score in given.items():
        if cell not in there:
            yield f"{cell} had {_number(score)} and is gone"
        elif not _same(score, there[cell]):
            yield f"{cell} had {_number(score)} and has {_number(there[cell])}"


def _same(one: float | None, other: float | None) -> bool:
    return one is other if one is None or other is None else abs(one - other) < 1e-6


def _number(score: float | None) -> str:
    return "none yet" if score is None else format(score, "g")
