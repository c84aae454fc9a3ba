"""Requests lie beside the submission; answers, with the request each belongs to, in `regrade-requests/`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from jsonschema import Draft202012Validator

from graders.names import normal_name, student_id

from ..course.folder import Course
from ..json_file import parse_checked, read_text
from ..records import GradingError
from ..results.files import write_whole
from ..submission.files import SubmissionError, read_file
from ..submission.received import utc_now
from ..text import strip_control_characters

FOLDER = "regrade-requests"
FILES = ("regrade-request.md", "regrade-request.txt")
_MAX_BYTES = 16 << 10
_TEXT = {"type": "string", "description": "a text"}
_ANSWER = {
    "type": "object",
    "properties": {"request": _TEXT, "answer": _TEXT, "at": _TEXT},
    "required": ["request", "answer", "at"],
    "additionalProperties": False,
    "description": 'an object with "request", "answer" and "at"',
}
_VALIDATOR = Draft202012Validator(
    {
        "type": "object",
        "properties": {
            "format": {"const": 1, "description": "1"},
            "answers": {"type": "array", "items": _ANSWER, "description": "a list of answers"},
        },
        "required": ["format", "answers"],
        "additionalProperties": False,
        "description": 'an object with "format": 1 and "answers"',
    }
)


@dataclass(frozen=True)
class Answer:
    """An answer, and the request that it answers. `at`: when, in UTC."""

    request: str
    answer: str
    at: str


@dataclass(frozen=True)
class Request:
    """What a student or group asks.

    Attributes:
        text: "" if the file has gone since it was answered.
        problem: why the file cannot be read, or "".
        answers: the oldest first.
    """

    unit: str
    student: str
    text: str
    problem: str
    answers: tuple[Answer, ...]

    @property
    def is_open(self) -> bool:
        """Whether this text has no answer yet."""
        return bool(self.problem) or (
            bool(self.text) and all(one.request != self.text for one in self.answers)
        )


def read_requests(course: Course, unit: str) -> list[Request]:
    """The requests for a unit, answered or not, by student.

    Raises:
        GradingError: a file of answers has a mistake.
    """
    found: dict[str, tuple[str, str]] = {}
    place = course.folder("submitted", "*", unit)
    for folder in sorted(place.parent.parent.glob(f"*/{unit}")):
        for name in FILES:
            if (folder / name).is_symlink() or (folder / name).exists():
                found.setdefault(student_id(folder.parent.name), _request(folder / name))
    answered = {path.stem for path in (course.root / FOLDER / unit).glob("*.json")}
    return [
        Request(unit, student, *found.get(student, ("", "")), read_answers(course.root, unit, student))
        for student in sorted({*found, *answered})
    ]


def read_answers(root: Path, unit: str, student: str) -> tuple[Answer, ...]:
    """The answers that a student or group got.

    Raises:
        GradingError: the file cannot be read, or has a mistake.
    """
    path = root / FOLDER / unit / f"{student}.json"
    text = read_text(path)
    if text is None:
        return ()
    content = parse_checked(text, str(path), _VALIDATOR, "answers that `tlcourse regrade-requests` wrote")
    return tuple(Answer(**one) for one in content["answers"])


def write_answer(course: Course, request: Request, answer: str) -> None:
    """Keep an answer, after those before; one to the same request takes its place.

    Raises:
        GradingError: there is nothing to answer, or the file cannot be written.
    """
    if not request.text:
        file = f"submitted/{request.student}/{request.unit}/{FILES[0]}"
        raise GradingError(
            f"{request.student} has no request for {request.unit} that can be answered. "
            f"{request.problem or f'Expected a text in {file}.'}"
        )
    kept = [one for one in request.answers if one.request != request.text]
    new = Answer(request.text, answer, utc_now().isoformat(sep=" ", timespec="minutes"))
    content = {"format": 1, "answers": [vars(one) for one in (*kept, new)]}
    path = course.root / FOLDER / request.unit / f"{request.student}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        raise GradingError(f"{path} cannot be written ({error.strerror}). No answer was changed.") from error


def answers_shown_to(root: Path, unit: str, student: str) -> list[Answer]:
    """The answers to a student, and to groups that they are in."""
    found: list[Answer] = []
    for path in sorted((root / FOLDER / unit).glob("*.json")):
        if normal_name(student) in (path.stem, *path.stem.split("+")):
            found += read_answers(root, unit, path.stem)
    return sorted(found, key=lambda one: one.at)


def _request(path: Path) -> tuple[str, str]:
    try:
        content = read_file(path, _MAX_BYTES)
    except SubmissionError as error:
        return "", str(error)
    if len(content) > _MAX_BYTES:
        return "", f"{path.name} has more than {_MAX_BYTES >> 10} KiB. Ask for a shorter request."
    text = content.decode("utf-8", "replace")
    return strip_control_characters(text).strip(), ""
