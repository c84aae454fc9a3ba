"""The files of grades: what each learning platform asks of its columns (sources: docs/sources.md)."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from graders.names import shown
from graders.overview.records import CourseRecord, Student, Unit
from graders.spreadsheets import inert

Identity = Literal["id", "email", "lms"]
_SAID = {"id": "id", "email": "e-mail address", "lms": "lms_user_id"}
# Headings that Canvas takes for its own totals, wherever they are in a heading.
_CANVAS_TOTALS = re.compile(r"(?:Current|Final) (?:Score|Points|Grade)|Override (?:Score|Grade|Status)")
_CANVAS_OWN = ("Student", "LastName", "FirstName", "ID", "SIS User ID", "SIS Login ID", "Section",
               "Integration ID", "Root Account")  # fmt: skip


class ExportError(ValueError):
    """The file cannot be made as asked; the message says why and what to do."""


@dataclass(frozen=True)
class Export:
    """A file of grades.

    Attributes:
        content: the bytes to write.
        students: how many are in it.
        left_out: (id, reason) of students who have results and are not in the file.
        waiting: how many results a person still has to complete.
    """

    content: bytes
    students: int
    left_out: tuple[tuple[str, str], ...] = ()
    waiting: int = 0


@dataclass(frozen=True)
class _Format:
    identity: Identity  # by which the platform finds a student, if the instructor says nothing
    write: Callable[[_Grades], str]
    encoding: str = "utf-8"  # a byte order mark would become part of the first heading


@dataclass(frozen=True)
class _Grades:
    units: Sequence[Unit]
    headings: Mapping[str, str]
    students: Sequence[Student]
    identity: Identity
    zero: bool
    keys: Mapping[str, str] = field(default_factory=dict)

    def row(self, student: Student) -> list[str]:
        """A student's grade in each unit; empty where there is none."""
        results = (student.units.get(unit.name) for unit in self.units)
        return [number(one.xp) if one else "0" if self.zero else "" for one in results]

    @property
    def titles(self) -> list[str]:
        """The heading of each unit's column."""
        return [self.headings.get(unit.name, inert(shown(unit.name))) for unit in self.units]


def export(
    course: CourseRecord,
    kind: str,
    *,
    units: Sequence[str] = (),
    headings: Mapping[str, str] | None = None,
    identity: Identity | None = None,
    zero: bool = False,
) -> Export:
    """Make a file of grades, with late penalties taken off.

    Args:
        kind: one of `FORMATS`.
        units: the names of the units to write; all of them if it is empty.
        headings: for a unit, the heading that the platform has for it; otherwise the unit's name.
        identity: by what the platform finds a student: the gradebook's id, e-mail address or lms_user_id.
        zero: write 0 for a unit that was not handed in, rather than nothing.

    Raises:
        ExportError: there is nothing to write, or the platform would not take a heading.
    """
    form = FORMATS[kind]
    chosen = [unit for unit in course.units if not units or unit.name in units]
    if not chosen or not course.students:
        missing = "units" if not chosen else "students"
        raise ExportError(
            f"The gradebook has no {missing} yet, so there is nothing to export. Generate an assignment, "
            "import the list of students (`nbgrader db student import`), and grade first."
        )
    _check_headings(kind, headings or {}, chosen)
    identity = identity or form.identity
    students: list[Student] = list(course.students)
    left_out: list[tuple[str, str]] = []
    if kind != "table":
        students, left_out = _identified(course.students, identity)
        if not students:
            raise ExportError(
                f"No student has a usable {_SAID[identity]} in the gradebook, by which the platform finds "
                "them. Import a list that has it (`nbgrader db student import`), or choose another one with "
                "--identify."
            )
    keys = {one.id: _key(one, identity) for one in students}
    text = form.write(_Grades(chosen, headings or {}, students, identity, zero, keys))
    results = [one.units[unit.name] for one in students for unit in chosen if unit.name in one.units]
    return Export(
        text.encode(form.encoding),
        len(students),
        tuple(left_out),
        sum(one.waiting for one in results),
    )


def number(points: float) -> str:
    """Points with four digits at most after the point, and no exponent."""
    text = f"{points:.4f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _key(student: Student, identity: Identity) -> str:
    return {"id": student.id, "email": student.email, "lms": student.lms_user_id}[identity].strip()


def _identified(
    students: Sequence[Student], identity: Identity
) -> tuple[list[Student], list[tuple[str, str]]]:
    """Those whom the platform can find, and (id, reason) of the others.

    An id with an apostrophe in front would be another id, so a student whose id a spreadsheet would take for
    a formula is left out rather than changed.
    """
    said = _SAID[identity]
    kept: list[Student] = []
    left_out: list[tuple[str, str]] = []
    often = Counter(_key(one, identity).casefold() for one in students)
    for one in students:
        key, reason = _key(one, identity), ""
        if not key:
            reason = f"the gradebook has no {said}"
        elif inert(key) != key:
            reason = f"a spreadsheet would take the {said} {shown(key)} for a formula"
        elif shown(key) != key:
            reason = f"the {said} {shown(key)} is too long, or has characters that cannot be seen"
        elif often[key.casefold()] > 1:
            reason = f"another student has the same {said}, {shown(key)}"
        if reason:
            left_out.append((one.id, reason))
        else:
            kept.append(one)
    return kept, left_out


def _check_headings(kind: str, headings: Mapping[str, str], units: Sequence[Unit]) -> None:
    known = {unit.name for unit in units}
    for unit, heading in headings.items():
        if unit not in known:
            raise ExportError(f"{unit} is not among the exported units. Expected one of {', '.join(known)}.")
        if not heading.strip() or inert(heading) != heading or shown(heading) != heading:
            raise ExportError(
                f"{shown(heading)!r} cannot be a heading: it is empty or too long, has characters that "
                "cannot be seen or space at its ends, or would be taken for a formula. Rename the column in "
                "the platform."
            )
        if kind == "canvas" and (heading in _CANVAS_OWN or _CANVAS_TOTALS.search(heading)):
            raise ExportError(
                f"Canvas takes the heading {heading!r} for one of its own columns. Expected an assignment, "
                "such as 'Transfer learning (4711)'."
            )
    titles = Counter(headings.get(unit.name, unit.name) for unit in units)
    twice = [title for title, count in titles.items() if count > 1]
    if twice:
        raise ExportError(f"Two columns would have the heading {twice[0]!r}. Give each unit one of its own.")


def _csv(rows: list[list[str]], quoting: Literal[0, 1] = csv.QUOTE_MINIMAL) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=quoting).writerows(rows)
    return out.getvalue()


def _text(text: str) -> str:
    return inert(shown(text))


def _moodle(grades: _Grades) -> str:
    """A heading for each column; the importer asks which of them is the student's and which a grade's.

    One student whom Moodle does not know ends the whole import.
    """
    rows = [["First name", "Last name", "Username", "ID number", "Email address", *grades.titles]]
    for one in grades.students:
        who = {"id": _text(one.id), "lms": _text(one.lms_user_id), "email": _text(one.email)}
        who[grades.identity] = grades.keys[one.id]
        names = [_text(one.first_name), _text(one.last_name)]
        rows.append([*names, who["id"], who["lms"], who["email"], *grades.row(one)])
    return _csv(rows)


def _canvas(grades: _Grades) -> str:
    """Five columns in this order, then a row of points, which a new assignment needs.

    Points would change those of an existing assignment, so its field stays empty, and without quotes.
    """
    points = ["" if unit.name in grades.headings else number(unit.best) for unit in grades.units]
    rows = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *grades.titles]]
    rows.append(["    Points Possible", "", "", "", "", *points])
    for one in grades.students:
        key, id, user, login = grades.keys[one.id], "", "", ""
        if grades.identity != "lms":
            login = key
        elif re.fullmatch(r"[0-9]+", key):
            id = key
        else:
            user = key
        name = ", ".join(filter(None, (one.last_name, one.first_name))) or one.id
        rows.append([_text(name), id, user, login, "", *grades.row(one)])
    return _csv(rows)


def _blackboard(grades: _Grades) -> str:
    """Every field in quotes; a student is found by the user name."""
    rows = [["Last Name", "First Name", "Username", *grades.titles]]
    rows += [
        [_text(one.last_name), _text(one.first_name), grades.keys[one.id], *grades.row(one)]
        for one in grades.students
    ]
    return _csv(rows, csv.QUOTE_ALL)


def _table(grades: _Grades) -> str:
    """A row for each student, a column for each unit, and the sum."""
    titles = [
        f"{title} (of {number(unit.best)})" for title, unit in zip(grades.titles, grades.units, strict=True)
    ]
    best = number(sum(unit.best for unit in grades.units))
    rows = [["student", "first name", "last name", "email", *titles, f"sum (of {best})"]]
    for one in grades.students:
        total = sum(one.units[unit.name].xp for unit in grades.units if unit.name in one.units)
        who = map(_text, (one.id, one.first_name, one.last_name, one.email))
        rows.append([*who, *grades.row(one), number(total)])
    return _csv(rows)


FORMATS: dict[str, _Format] = {
    "moodle": _Format("email", _moodle),
    "canvas": _Format("id", _canvas),
    "blackboard": _Format("id", _blackboard),
    "table": _Format("id", _table, "utf-8-sig"),  # by the mark, spreadsheets recognise UTF-8
}
