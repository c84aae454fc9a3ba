"""When a submission was handed in, as far as that can be believed."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from nbgrader.exchange.default import ExchangeCollect
from nbgrader.utils import parse_utc

from .audit import now
from .course import Course
from .handed_in import RebuildError, read_file
from .text import shown

Trust = Literal["exchange", "file", "none"]
_SLACK = timedelta(days=1)  # clocks and time zones


@dataclass(frozen=True)
class HandedIn:
    """When, in UTC; None: not known. `note` says why a timestamp does not count."""

    when: datetime | None
    text: str = ""
    note: str = ""


def timestamps(course: Course, assignment: str, trust: Trust) -> Callable[[str, Path], HandedIn]:
    """A function (student, folder) -> HandedIn.

    `nbgrader submit` writes `timestamp.txt` into what it hands in and names the folder in the exchange after it. A folder
    that came another way may have a `timestamp.txt` of the student's own making. So with "exchange" the file counts where
    the exchange has a submission of that student with that time; with "file" it always does, as with stock nbgrader.
    """
    inbound = _inbound(course, assignment) if trust == "exchange" else frozenset()

    def handed_in(student: str, folder: Path) -> HandedIn:
        path = folder / "timestamp.txt"
        if trust == "none" or not os.path.lexists(path):
            return HandedIn(None)
        try:
            text = read_file(path, 200).decode("ascii").strip()
            when = parse_utc(text)
        except (RebuildError, ValueError, OverflowError, UnicodeDecodeError):
            return HandedIn(None, note="Its timestamp.txt is no time, and does not count.")
        if when > now() + _SLACK:
            return HandedIn(
                None, note=f"Its timestamp.txt says {shown(text)}, which is to come; it does not count."
            )
        if trust == "exchange" and f"{student}+{assignment}+{text}" not in inbound:
            return HandedIn(
                None,
                note=f"Its timestamp.txt says {shown(text)}, but the exchange has no such submission; it does not count "
                "(--timestamps file: it does).",
            )
        return HandedIn(when, text)

    return handed_in


def _inbound(course: Course, assignment: str) -> frozenset[str]:
    exchange = ExchangeCollect(coursedir=course.directory, config=course.config)
    folder = Path(exchange.root, course.directory.course_id, "inbound")
    try:
        names = [name for name in os.listdir(folder) if f"+{assignment}+" in name]
    except OSError:
        return frozenset()
    # STUDENT+ASSIGNMENT+TIME, and in newer versions +RANDOM.
    return frozenset(names) | {name.rpartition("+")[0] for name in names}
