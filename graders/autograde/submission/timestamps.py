"""What `nbgrader submit` writes beside a notebook: a secret, and a time that may not be trustworthy."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from graders.names import student_id

from ..course.folder import Course
from ..text import printable_name
from .files import SubmissionError, read_file
from .received import confirmed_time, parsed_time, received, utc_now

Trust = Literal["exchange", "file", "none"]
_SLACK = timedelta(days=1)  # clocks and time zones


@dataclass(frozen=True)
class SubmissionTime:
    """When a submission was handed in.

    Attributes:
        when: in UTC; None if it is unknown or cannot be trusted.
        text: the timestamp as it was handed in if it is a valid time, whether it counts or not.
        note: why a timestamp does not count, or "".
        secret: by which the student finds their feedback in the exchange, or "".
    """

    when: datetime | None
    text: str = ""
    note: str = ""
    secret: str = ""


def timestamps(course: Course, assignment: str, trust: Trust) -> Callable[[str, Path], SubmissionTime]:
    """A function (student, folder) -> SubmissionTime.

    `nbgrader submit` writes `timestamp.txt` into what it hands in and names the folder in the exchange after
    it. A folder that came another way may have a `timestamp.txt` that the student wrote. So with "exchange"
    the file counts only as far as the exchange confirms it (`confirmed_time`); with "file" it always counts,
    as with stock nbgrader.
    """
    inbound = received(course, assignment) if trust == "exchange" else {}

    def handed_in(student: str, folder: Path) -> SubmissionTime:
        secret = _secret(folder)
        path = folder / "timestamp.txt"
        if not os.path.lexists(path):
            return SubmissionTime(None, secret=secret)
        try:
            text = read_file(path, 200).decode("ascii").strip()
            when = parsed_time(text)
        except (SubmissionError, ValueError):
            return SubmissionTime(
                None, note="Its timestamp.txt is not a valid time and does not count.", secret=secret
            )
        if trust == "none":
            return SubmissionTime(None, text, secret=secret)
        if when > utc_now() + _SLACK:
            note = (
                f"Its timestamp.txt says {printable_name(text)}, which is in the future; it does not count."
            )
            return SubmissionTime(None, text, note, secret)
        if trust == "file":
            return SubmissionTime(when, text, secret=secret)
        counts, note = confirmed_time(inbound.get(student_id(student), []), folder, text, when)
        return SubmissionTime(counts, text, note, secret)

    return handed_in


def _secret(folder: Path) -> str:
    path = folder / "submission_secret.txt"
    if not os.path.lexists(path):
        return ""
    try:
        text = read_file(path, 200).decode("ascii").strip()
    except (SubmissionError, UnicodeDecodeError):
        return ""
    return text if re.fullmatch(r"\w{1,200}", text) else ""
