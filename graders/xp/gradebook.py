"""Reads nbgrader's gradebook, and never writes to it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from .rules import Student


class GradebookError(ValueError):
    """The gradebook cannot be read; the message says what to do."""


def read_students(url: str) -> list[Student]:
    """All students, sorted by id, with the score of each assignment that was handed in and graded.

    Late penalties and extra credit are part of the score, as nbgrader computes it.

    Args:
        url: an address as nbgrader takes it ("sqlite:////path/to/gradebook.db"), or an SQLite file.

    Raises:
        GradebookError: it is missing, locked, too old, or not a gradebook. It is not changed.
    """
    from nbgrader.api import Gradebook

    with readable(url) as address, Gradebook(address) as gradebook:
        return sorted((_student(student) for student in gradebook.students), key=lambda student: student.id)


@contextlib.contextmanager
def readable(url: str) -> Iterator[str]:
    """An address that opens the gradebook for reading only; the database's errors become sentences.

    Args:
        url: an address as nbgrader takes it ("sqlite:////path/to/gradebook.db"), or an SQLite file.

    Raises:
        GradebookError: it is missing, locked, too old, or not a gradebook. It is not changed.
    """
    try:
        yield _read_only(url)
    except OperationalError as error:
        raise GradebookError(_explain(url, str(error.orig))) from error
    except (ArgumentError, ImportError) as error:  # not an address, or a database whose driver is missing
        raise GradebookError(
            f"{url} is not the address of a gradebook ({error}). Expected a file that nbgrader writes, or an "
            "address such as postgresql+psycopg://... whose driver is installed."
        ) from error
    except DatabaseError as error:
        raise GradebookError(
            f"{url} is not a gradebook ({error.orig}). Expected the database that nbgrader writes."
        ) from error


def _student(student) -> Student:
    name = " ".join(part for part in (student.first_name, student.last_name) if part)
    units = {
        submission.assignment.name: (
            submission.score - (submission.late_submission_penalty or 0.0),
            submission.assignment.max_score,
        )
        for submission in student.submissions
    }
    return Student(student.id, name, units)


def _read_only(url: str) -> str:
    """An address that opens an SQLite file read-only, so that opening a missing file does not create it."""
    parsed = make_url(url if "://" in url else f"sqlite:///{url}")
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return url
    path = Path(parsed.database)
    if not path.is_file():
        raise GradebookError(
            f"There is no gradebook at {path}. Expected the database that nbgrader writes when it makes or "
            "grades an assignment: run `nbgrader generate_assignment` in the course folder first, or name "
            "another file with --db."
        )
    return f"sqlite:///file:{path.resolve()}?mode=ro&uri=true"


def _explain(url: str, reason: str) -> str:
    if "locked" in reason:
        return (
            f"The gradebook {url} is locked: another program is writing to it. Wait until it has finished, "
            "then try again."
        )
    if "no such column" in reason or "no such table" in reason or "readonly" in reason:
        return (
            f"The gradebook {url} comes from an older nbgrader or is incomplete ({reason}). Run `nbgrader db "
            "upgrade` in the course folder (it makes a backup first), then try again."
        )
    return f"The gradebook {url} cannot be opened ({reason}). Check its address and your permissions."
