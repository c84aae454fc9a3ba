"""What the exchange knows of a submission: the folders that `nbgrader submit` left in it."""

from __future__ import annotations

import hashlib
import os
import warnings
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from nbgrader.exchange.default import ExchangeCollect
from nbgrader.utils import parse_utc

from graders.names import student_id

from ..course.folder import Course
from ..text import printable_name
from .files import SubmissionError, read_file

_COPYING = timedelta(minutes=10)  # from the time that `nbgrader submit` notes to its last change of a file
_LAST_RESORT = "(it does with --timestamps file)"


@dataclass(frozen=True)
class Received:
    """A submission in the exchange. `text` is the time in its name; whoever hands in can choose it."""

    text: str
    folder: Path


def received(course: Course, assignment: str) -> dict[str, list[Received]]:
    """The submissions of each student in the exchange, by `names.student_id`."""
    exchange = ExchangeCollect(coursedir=course.directory, config=course.config)
    folder = Path(exchange.root, course.directory.course_id, "inbound")
    try:
        names = [name for name in os.listdir(folder) if f"+{assignment}+" in name]
    except OSError:
        return {}
    found: dict[str, list[Received]] = {}
    for name in sorted(names):  # STUDENT+ASSIGNMENT+TIME, and in newer versions +RANDOM
        student, _, rest = name.partition(f"+{assignment}+")
        text = rest.partition("+")[0]
        found.setdefault(student_id(student), []).append(Received(text, folder / name))
    return found


def confirmed_time(
    inbound: list[Received], folder: Path, text: str, when: datetime
) -> tuple[datetime | None, str]:
    """The time of a submission that counts, and a sentence if it is not the time claimed.

    The folder in the exchange that was collected is the one that has the same notebooks. Its name says when
    it was handed in; if its files were changed after that, they say so: their owner cannot set back the time
    of a change.

    Args:
        inbound: the student's submissions in the exchange.
        folder: what is graded.
        text, when: the time claimed.
    """
    claimed = f"Its timestamp.txt says {printable_name(text)}, but"
    mine = _notebooks(folder)
    copies = [one for one in inbound if mine and mine.items() <= _notebooks(one.folder).items()]
    named = [one for one in inbound if one.text == text]
    found = next((one for one in copies if one.text == text), None)
    note = ""
    if found is None:
        timed = [(time, one) for one in copies if (time := _time_or_none(one.text)) is not None]
        if timed:  # handed in more than once, the same: what is collected is the last one
            when, found = max(timed, key=lambda pair: pair[0])
            note = f"{claimed} what was collected is in the exchange under {printable_name(found.text)}."
        elif not named:
            return None, f"{claimed} the exchange has no such submission; it does not count {_LAST_RESORT}."
        else:
            why = "has other notebooks" if _notebooks(named[0].folder) else "has no notebook"
            return None, (
                f"{claimed} the exchange's folder of that time {why}, so it was not collected from there; "
                f"the time does not count {_LAST_RESORT}."
            )
    changed = _changed(found.folder)
    if changed > when + _COPYING:
        return changed, (
            f"{note or claimed} {'Its' if note else 'its'} files in the exchange were changed after that, at "
            f"{changed:%Y-%m-%d %H:%M:%S} UTC, which counts. If the exchange was moved or restored since, "
            "use --timestamps file."
        )
    return when, f"{note} That time counts." if note else ""


def utc_now() -> datetime:
    """The time in UTC, without a zone, as nbgrader keeps it."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


def parsed_time(text: str) -> datetime:
    """A time in UTC.

    Raises:
        ValueError: it is not a time.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # warnings would quote the text
            return parse_utc(text)
    except Exception as error:  # dateutil also lets errors of `decimal` through
        raise ValueError("that is not a time") from error


def _time_or_none(text: str) -> datetime | None:
    try:
        return parsed_time(text)
    except ValueError:
        return None


def _notebooks(folder: Path) -> dict[str, str]:
    """The SHA-256 of each notebook in a folder that can be read."""
    found = {}
    for path in _notebook_paths(folder):
        try:
            found[path.name] = hashlib.sha256(read_file(path)).hexdigest()
        except SubmissionError:
            continue
    return found


def _notebook_paths(folder: Path) -> list[Path]:
    try:
        entries = [] if folder.is_symlink() else sorted(folder.iterdir())
    except OSError:
        return []
    return [path for path in entries if path.suffix.lower() == ".ipynb"]


def _changed(folder: Path) -> datetime:
    """When the folder, a notebook in it, or its timestamp was changed last, in UTC."""
    seconds = 0.0
    for path in (folder, folder / "timestamp.txt", *_notebook_paths(folder)):
        try:
            seconds = max(seconds, path.lstat().st_ctime)
        except OSError:
            continue
    return datetime.fromtimestamp(seconds, timezone.utc).replace(tzinfo=None)
