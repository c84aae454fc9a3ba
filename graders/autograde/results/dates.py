"""The dates of `dates.json` in the gradebook, and what they change of late penalties."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from nbgrader.api import Assignment, Student, SubmittedAssignment, SubmittedNotebook
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload, undefer

from ..course.folder import Course
from ..dates.file import Extension, UnitDates
from ..dates.moments import write_duration
from .penalties import LatePenalties


@dataclass(frozen=True)
class PenaltyChange:
    """A submission's points without penalties, and the penalty before and after a change of dates."""

    unit: str
    student: str
    points: float
    before: float
    after: float

    @property
    def changed(self) -> bool:
        return abs(self.before - self.after) > 1e-9


def units_in_gradebook(session: Session) -> list[str]:
    """The names of all units that were generated."""
    return list(session.execute(select(Assignment.name).order_by(Assignment.name)).scalars())


def students_in_gradebook(session: Session) -> list[str]:
    """The id of every student."""
    return list(session.execute(select(Student.id)).scalars())


def due_in_gradebook(session: Session, unit: str) -> datetime | None:
    """The due date in the gradebook, in UTC."""
    return session.execute(select(Assignment.duedate).where(Assignment.name == unit)).scalar_one_or_none()


def extensions_in_gradebook(session: Session, unit: str) -> dict[str, Extension]:
    """Extensions that were granted by nbgrader's own means."""
    return {
        one.student_id: Extension(by=one.extension)
        for one in _submissions(session, unit)
        if one.extension is not None and one.extension >= timedelta(minutes=1)
    }


def change_dates(
    session: Session, course: Course, unit: str, before: UnitDates, after: UnitDates
) -> list[PenaltyChange]:
    """Put a unit's dates into the gradebook, and renew its late penalties, in the session's transaction.

    What `before` had put there and `after` does not have is taken out. Points are not touched. Returns every
    submission's penalty before and after.
    """
    assignment = session.execute(select(Assignment).where(Assignment.name == unit)).scalar_one_or_none()
    if assignment is None:
        return []
    if before.due is not None and after.due is None:
        assignment.duedate = None
    penalties, changes = LatePenalties(course, unit, after), []
    penalties.set_dates(assignment)
    for submission in _submissions(session, unit):
        if before.extensions is not None and after.extensions is None:
            submission.extension = None
        penalties.set_dates(assignment, submission)
        old = _sum(row.late_submission_penalty for row in submission.notebooks)
        points = _sum(row.score for row in submission.notebooks)
        for row in submission.notebooks:
            penalties.renew(session, submission, row)
        new = _sum(row.late_submission_penalty for row in submission.notebooks)
        changes.append(PenaltyChange(unit, submission.student_id, points, old, new))
    session.flush()
    return changes


def moved_dates(session: Session, unit: str, penalties: LatePenalties) -> Iterator[tuple[str, str]]:
    """(name, sentence) of each date in the gradebook that another program has set since."""
    dates = penalties.dates
    due = due_in_gradebook(session, unit)
    if dates.due is not None and due is not None and due != dates.due.utc:
        yield (
            unit,
            f"The gradebook had another due date ({due:%Y-%m-%d %H:%M} UTC). That of dates.json counts and "
            f"was put there: {dates.due.text}. To change it, use `tlcourse dates due {unit} TIME`.",
        )
    due = dates.due.utc if dates.due is not None else due
    for one in _submissions(session, unit) if dates.extensions is not None else ():
        granted = dates.extension(one.student_id, due)
        if one.extension is not None and one.extension != granted:
            is_now = f"it has {write_duration(granted)}" if granted else "it has none"
            yield (
                one.student_id,
                f"The gradebook had an extension of {write_duration(one.extension)}. That of dates.json "
                f"counts, and {is_now}. To change it, use `tlcourse dates extend {unit} STUDENT`.",
            )


def _submissions(session: Session, unit: str) -> list[SubmittedAssignment]:
    query = (
        select(SubmittedAssignment)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .where(Assignment.name == unit)
        .order_by(SubmittedAssignment.student_id)
        .options(selectinload(SubmittedAssignment.notebooks).options(undefer(SubmittedNotebook.score)))
    )
    return list(session.execute(query).scalars())


def _sum(numbers) -> float:
    return float(sum(number or 0.0 for number in numbers))
