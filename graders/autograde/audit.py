"""A line for each grading, in the gradebook's own database: what was graded, by what, how it was held apart, and when."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timezone

from sqlalchemy import (
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    func,
    insert,
    select,
)
from sqlalchemy.orm import Session

from .records import Evidence
from .text import plain

_METADATA = MetaData()

# Beside nbgrader's tables, which stay as they are; nothing of nbgrader reads it.
AUDIT = Table(
    "tlcourse_audit",
    _METADATA,
    Column("id", String(32), primary_key=True),
    Column("assignment", String(128), nullable=False),
    Column("student", String(128), nullable=False),
    Column("notebook", String(128), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("assignment_digest", String(64), nullable=False),
    Column("grader_version", String(64), nullable=False),
    Column("status", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("isolation", String(32), nullable=False),
    Column("at", DateTime, nullable=False),
    Column("wall_s", Float, nullable=False),
    Column("cpu_s", Float, nullable=False),
    Column("auto_score", Float),
    Column("checks", Text, nullable=False),
    Column("notes", Text, nullable=False),
    Index("tlcourse_audit_who", "assignment", "student", "notebook"),
)


@dataclass(frozen=True)
class Line:
    """A line of the audit.

    Attributes:
        attempt: from 1, for each student and notebook.
        status: a record's `Status`, or "not-rebuilt".
        at: in UTC. auto_score: the sum of what the machine gave; None where it changed nothing.
        checks: the outcomes, as plain dicts.
    """

    assignment: str
    student: str
    notebook: str
    attempt: int
    digest: str
    assignment_digest: str
    grader_version: str
    status: str
    reason: str
    isolation: str
    at: datetime
    wall_s: float
    cpu_s: float
    auto_score: float | None
    checks: tuple[dict, ...]
    notes: tuple[str, ...]


def create_table(engine) -> None:
    """Make the table where it is missing."""
    _METADATA.create_all(engine, checkfirst=True)


def has_line(session: Session, id: str) -> bool:
    """Whether a line was written: a commit whose answer was lost may have been done."""
    return session.execute(select(AUDIT.c.id).where(AUDIT.c.id == id)).first() is not None


def last_line(session: Session, assignment: str, student: str, notebook: str) -> Line | None:
    """The newest line of a student's notebook."""
    query = _lines(assignment).where(AUDIT.c.student == student, AUDIT.c.notebook == notebook)
    row = session.execute(query.order_by(AUDIT.c.attempt.desc()).limit(1)).first()
    return None if row is None else _line(row)


def last_lines(session: Session, assignment: str) -> dict[tuple[str, str], Line]:
    """The newest line of each (student, notebook) of an assignment."""
    newest = (
        select(AUDIT.c.student, AUDIT.c.notebook, func.max(AUDIT.c.attempt).label("attempt"))
        .where(AUDIT.c.assignment == assignment)
        .group_by(AUDIT.c.student, AUDIT.c.notebook)
        .subquery()
    )
    query = _lines(assignment).join(
        newest,
        (AUDIT.c.student == newest.c.student)
        & (AUDIT.c.notebook == newest.c.notebook)
        & (AUDIT.c.attempt == newest.c.attempt),
    )
    lines = map(_line, session.execute(query))
    return {(line.student, line.notebook): line for line in lines}


def best_scores(session: Session, assignment: str) -> dict[tuple[str, str], float]:
    """The most that the machine ever gave to each (student, notebook) of an assignment."""
    who = (AUDIT.c.student, AUDIT.c.notebook)
    query = select(*who, func.max(AUDIT.c.auto_score)).where(
        AUDIT.c.assignment == assignment, AUDIT.c.auto_score.is_not(None)
    )
    return {(student, notebook): best for student, notebook, best in session.execute(query.group_by(*who))}


def add_line(session: Session, id: str, line: Line) -> None:
    """Write a line, in the session's transaction."""
    values = {**vars(line), "id": id, "reason": plain(line.reason)}
    values["checks"] = json.dumps(line.checks)
    values["notes"] = json.dumps(line.notes)
    session.execute(insert(AUDIT).values(**values))


def outcomes(evidence: Evidence) -> tuple[dict, ...]:
    """The checks of an evidence, with messages made harmless."""
    return tuple({**asdict(check), "message": plain(check.message, 4 << 10)} for check in evidence.checks)


def now() -> datetime:
    """The time in UTC, without a zone, as nbgrader keeps it."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


def _lines(assignment: str):
    columns = [column for column in AUDIT.c if column.name != "id"]
    return select(*columns).where(AUDIT.c.assignment == assignment)


def _line(row) -> Line:
    values = dict(row._mapping)
    return Line(
        **{
            **values,
            "checks": tuple(json.loads(values["checks"])),
            "notes": tuple(json.loads(values["notes"])),
        }
    )
