"""What a dry run found: the standing of each submission as it is, and as it would be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nbgrader.api import BaseCell, Grade, SubmittedAssignment, SubmittedNotebook
from sqlalchemy import select
from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Standing:
    """A submission in the gradebook.

    Attributes:
        cells: points of each graded cell as nbgrader counts them; None if a person has to give them.
        late_penalty: the sum of its notebooks' penalties.
    """

    cells: Mapping[str, float | None]
    late_penalty: float

    @property
    def score(self) -> float:
        """Points without the late penalty."""
        return max(0.0, sum(points or 0.0 for points in self.cells.values()) - self.late_penalty)


@dataclass(frozen=True)
class PlannedChange:
    """A submission before and after a dry run. `before`: None if it has no grades yet."""

    student: str
    before: Standing | None
    after: Standing

    @property
    def changed(self) -> bool:
        if self.before is None:
            return True
        penalties = (self.before.late_penalty, self.after.late_penalty)
        return bool(self.cells()) or not _same(*penalties)

    def cells(self) -> dict[str, tuple[float | None, float | None]]:
        """The cells whose points would change: before, after."""
        old = self.before.cells if self.before else {}
        return {
            name: (old.get(name), points)
            for name, points in self.after.cells.items()
            if name not in old or not _same(old[name], points)
        }


def _same(one: float | None, other: float | None) -> bool:
    return one is other if one is None or other is None else abs(one - other) < 1e-6


def standing(session: Session, assignment_id: str, student: str) -> Standing | None:
    """A submission's standing, with what the session has flushed; None if there is none."""
    mine = (SubmittedAssignment.assignment_id == assignment_id, SubmittedAssignment.student_id == student)
    notebooks = (
        select(SubmittedNotebook.id, SubmittedNotebook.late_submission_penalty)
        .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
        .where(*mine)
    )
    penalties: dict[str, float | None] = dict(session.execute(notebooks).tuples().all())
    if not penalties:
        return None
    query = (
        select(BaseCell.name, Grade.auto_score, Grade.manual_score, Grade.extra_credit)
        .join(Grade, Grade.cell_id == BaseCell.id)
        .where(Grade.notebook_id.in_(penalties))
        .order_by(BaseCell.name)
    )
    cells: dict[str, float | None] = {}
    for name, auto, manual, extra in session.execute(query):
        points = auto if manual is None else manual
        cells[name] = points if not extra else (points or 0.0) + extra
    return Standing(cells, float(sum(one or 0.0 for one in penalties.values())))
