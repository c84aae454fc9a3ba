"""What `nbgrader submit` writes beside a notebook: when it was handed in, as far as that can be believed, and a secret."""

from __future__ import annotations

import os
import re
import warnings
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
    """When, in UTC; None: not known, or not believed. `note` says why a timestamp does not count.

    Attributes:
        text: the timestamp as it was handed in, where it is one, whether it counts or not.
        secret: by which a student finds their feedback in the exchange, "" where there is none.
    """

    when: datetime | None
    text: str = ""
    note: str = ""
    secret: str = ""


def timestamps(course: Course, assignment: str, trust: Trust) -> Callable[[str, Path], HandedIn]:
    """A function (student, folder) -> HandedIn.

    `nbgrader submit` writes `timestamp.txt` into what it hands in and names the folder in the exchange after it. A folder
    that came another way may have a `timestamp.txt` of the student's own making. So with "exchange" the file counts where
    the exchange has a submission of that student with that time; with "file" it always does, as with stock nbgrader.
    """
    inbound = _inbound(course, assignment) if trust == "exchange" else frozenset()

    def handed_in(student: str, folder: Path) -> HandedIn:
        secret = _secret(folder)
        path = folder / "timestamp.txt"
        if not os.path.lexists(path):
            return HandedIn(None, secret=secret)
        try:
            text = read_file(path, 200).decode("ascii").strip()
            when = _time(text)
        except (RebuildError, ValueError):
            return HandedIn(None, note="Its timestamp.txt is no time, and does not count.", secret=secret)
        if trust == "none":
            return HandedIn(None, text, secret=secret)
        note = ""
        if when > now() + _SLACK:
            note = f"Its timestamp.txt says {shown(text)}, which is to come; it does not count."
        elif trust == "exchange" and f"{student}+{assignment}+{text}" not in inbound:
            note = (
                f"Its timestamp.txt says {shown(text)}, but the exchange has no such submission; it does not count "
                "(--timestamps file: it does)."
            )
        return HandedIn(None if note else when, text, note, secret)

    return handed_in


def _time(text: str) -> datetime:
    """A time in UTC.

    Raises:
        ValueError: it is none.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they quote the text
            return parse_utc(text)
    except Exception as error:  # of numbers alone, dateutil lets out whatever `decimal` raises
        raise ValueError("that is no time") from error


def _secret(folder: Path) -> str:
    path = folder / "submission_secret.txt"
    if not os.path.lexists(path):
        return ""
    try:
        text = read_file(path, 200).decode("ascii").strip()
    except (RebuildError, UnicodeDecodeError):
        return ""
    return text if re.fullmatch(r"\w{1,200}", text) else ""


def _inbound(course: Course, assignment: str) -> frozenset[str]:
    exchange = ExchangeCollect(coursedir=course.directory, config=course.config)
    folder = Path(exchange.root, course.directory.course_id, "inbound")
    try:
        names = [name for name in os.listdir(folder) if f"+{assignment}+" in name]
    except OSError:
        return frozenset()
    # STUDENT+ASSIGNMENT+TIME, and in newer versions +RANDOM.
    return frozenset(names) | {name.rpartition("+")[0] for name in names}
