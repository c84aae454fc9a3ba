"""The audit, in the gradebook's own database: what was graded, by which grader, how isolated, and when."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import (
    DDL,
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
    inspect,
    select,
)
from sqlalchemy.orm import Session

from ..records import Evidence
from ..text import strip_control_characters

_METADATA = MetaData()

# Beside nbgrader's tables, which stay unchanged; nbgrader does not read this one.
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
    Column("scores", Text),
    Column("written", String(64)),
    Column("group_name", Text),
    Index("tlcourse_audit_who", "assignment", "student", "notebook"),
)


@dataclass(frozen=True)
class AuditEntry:
    """An entry of the audit.

    Attributes:
        attempt: counts from 1 for each student and notebook.
        status: a `records.Status`, or "not-rebuilt".
        at: in UTC. auto_score: the sum of the automatic scores; None if no grade was changed.
        checks: the outcomes, as plain dicts.
        scores: the automatic score of each graded cell; None if no grade was changed, and in entries of
            older versions.
        written: SHA-256 of the graded notebook; "" if none was written, and in those.
        group_name: the group that handed it in together (`ben+fay`), or "".
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
    scores: dict[str, float | None] | None = None
    written: str = ""
    group_name: str = ""


def create_table(engine) -> None:
    """Create the table if it is missing, and the columns that an older version did not have."""
    _METADATA.create_all(engine, checkfirst=True)
    have = {column["name"] for column in inspect(engine).get_columns(AUDIT.name)}
    for column in AUDIT.c:
        if column.name not in have:
            kind = column.type.compile(engine.dialect)
            with engine.begin() as connection:
                connection.execute(DDL(f"ALTER TABLE {AUDIT.name} ADD COLUMN {column.name} {kind}"))


def has_table(engine) -> bool:
    """Whether the table is there, as this version writes it."""
    found = inspect(engine)
    if not found.has_table(AUDIT.name):
        return False
    return {column.name for column in AUDIT.c} <= {one["name"] for one in found.get_columns(AUDIT.name)}


def has_entry(session: Session, id: str) -> bool:
    """Whether an entry was written: a commit may have succeeded although its confirmation was lost."""
    return session.execute(select(AUDIT.c.id).where(AUDIT.c.id == id)).first() is not None


def latest_entry(session: Session, assignment: str, student: str, notebook: str) -> AuditEntry | None:
    """The newest entry of a student's notebook."""
    query = _entries(assignment).where(AUDIT.c.student == student, AUDIT.c.notebook == notebook)
    row = session.execute(query.order_by(AUDIT.c.attempt.desc()).limit(1)).first()
    return None if row is None else _entry(row)


def latest_entries(session: Session, assignment: str) -> dict[tuple[str, str], AuditEntry]:
    """The newest entry of each (student, notebook) of an assignment."""
    newest = (
        select(AUDIT.c.student, AUDIT.c.notebook, func.max(AUDIT.c.attempt).label("attempt"))
        .where(AUDIT.c.assignment == assignment)
        .group_by(AUDIT.c.student, AUDIT.c.notebook)
        .subquery()
    )
    query = _entries(assignment).join(
        newest,
        (AUDIT.c.student == newest.c.student)
        & (AUDIT.c.notebook == newest.c.notebook)
        & (AUDIT.c.attempt == newest.c.attempt),
    )
    entries = map(_entry, session.execute(query))
    return {(entry.student, entry.notebook): entry for entry in entries}


def best_scores(session: Session, assignment: str) -> dict[tuple[str, str], float]:
    """The highest automatic score of each (student, notebook) of an assignment so far."""
    who = (AUDIT.c.student, AUDIT.c.notebook)
    query = select(*who, func.max(AUDIT.c.auto_score)).where(
        AUDIT.c.assignment == assignment, AUDIT.c.auto_score.is_not(None)
    )
    return {(student, notebook): best for student, notebook, best in session.execute(query.group_by(*who))}


def add_entry(session: Session, id: str, entry: AuditEntry) -> None:
    """Write an entry, in the session's transaction."""
    values = {**vars(entry), "id": id, "reason": strip_control_characters(entry.reason)}
    values["checks"] = json.dumps(entry.checks)
    values["notes"] = json.dumps(entry.notes)
    values["scores"] = None if entry.scores is None else json.dumps(entry.scores)
    session.execute(insert(AUDIT).values(**values))


def outcomes(evidence: Evidence) -> tuple[dict, ...]:
    """The checks of an evidence, with messages made harmless."""
    return tuple(
        {**asdict(check), "message": strip_control_characters(check.message, 4 << 10)}
        for check in evidence.checks
    )


def _entries(assignment: str):
    columns = [column for column in AUDIT.c if column.name != "id"]
    return select(*columns).where(AUDIT.c.assignment == assignment)


def _entry(row) -> AuditEntry:
    values = dict(row._mapping)
    return AuditEntry(
        **{
            **values,
            "checks": tuple(json.loads(values["checks"])),
            "notes": tuple(json.loads(values["notes"])),
            "scores": None if values["scores"] is None else json.loads(values["scores"]),
            "written": values["written"] or "",
            "group_name": values["group_name"] or "",
        }
    )
