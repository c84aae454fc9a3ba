"""Keeps every version of a rubric beside the audit, in the gradebook's database."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timezone
from uuid import uuid4

from sqlalchemy import Column, DateTime, Float, Integer, MetaData, String, Table, Text, func, insert, select
from sqlalchemy.orm import Session

from .rubric import Rubric

_METADATA = MetaData()

# nbgrader does not read this table.
RUBRICS = Table(
    "tlcourse_rubrics",
    _METADATA,
    Column("id", String(32), primary_key=True),
    Column("assignment", String(128), nullable=False),
    Column("notebook", String(128), nullable=False),
    Column("cell", String(128), nullable=False),
    Column("version", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("best", Float, nullable=False),
    Column("criteria", Text, nullable=False),
    Column("notes", Text, nullable=False),
    Column("since", DateTime, nullable=False),
)


def keep_rubrics(session: Session, assignment: str, rubrics: Iterable[Rubric]) -> int:
    """Write the rubrics that are new or have changed, with the time (UTC), and commit; how many.

    Points that a person gives later were given by the newest version of that time.
    """
    _METADATA.create_all(session.connection(), checkfirst=True)
    written = 0
    for rubric in rubrics:
        place = {"assignment": assignment, "notebook": rubric.notebook, "cell": rubric.cell}
        mine = [RUBRICS.c[name] == value for name, value in place.items()]
        newest = session.execute(select(func.max(RUBRICS.c.version)).where(*mine)).scalar() or 0
        known = session.execute(
            select(RUBRICS.c.digest).where(*mine, RUBRICS.c.version == newest)
        ).scalar_one_or_none()
        if known == rubric.digest:
            continue
        session.execute(
            insert(RUBRICS).values(
                **place,
                id=uuid4().hex,
                version=newest + 1,
                digest=rubric.digest,
                best=rubric.best,
                criteria=json.dumps([asdict(one) for one in rubric.criteria]),
                notes=rubric.notes,
                since=datetime.now(timezone.utc).replace(tzinfo=None),
            )
        )
        written += 1
    session.commit()
    return written
