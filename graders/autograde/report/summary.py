"""The summary of an assignment as data: points of each student, and mistakes of the class by cell."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator

from nbgrader.api import Assignment as AssignmentRow
from nbgrader.api import BaseCell, Grade, Student, SubmittedAssignment, SubmittedNotebook
from nbgrader.api import Notebook as NotebookRow
from sqlalchemy import select
from sqlalchemy.orm import joinedload, undefer

from ..course.lesson import Assignment, Lesson, LessonCell
from ..results.audit import AuditEntry, best_scores, latest_entries
from ..submission.received import utc_now

_JUDGED = ("graded", "student-failed", "not-rebuilt")
# Of a student's notebooks, the one that needs the most attention is the last in this order.
_BY_CARE = (*_JUDGED, "grader-failed", "")
_UNNAMED, _MESSAGE = 8, 200  # most messages without a named mistake per check; most characters of one


def summarise(session, assignment: Assignment) -> dict:
    """The summary as a plain dict, from the gradebook and its audit (docs/grading.md describes its keys)."""
    session.rollback()  # read the current state
    query = (
        select(SubmittedAssignment)
        .join(AssignmentRow, AssignmentRow.id == SubmittedAssignment.assignment_id)
        .where(AssignmentRow.name == assignment.name)
        .order_by(SubmittedAssignment.student_id)
        .options(
            joinedload(SubmittedAssignment.student),
            undefer(SubmittedAssignment.score),
            undefer(SubmittedAssignment.needs_manual_grade),
            undefer(SubmittedAssignment.late_submission_penalty),
        )
    )
    rows = session.execute(query).scalars().all()
    handed_in = {row.student_id for row in rows}
    known = session.execute(select(Student)).scalars().all()
    listed = {one.id for one in known if one.first_name or one.last_name or one.email}
    entries = latest_entries(session, assignment.name)
    most = best_scores(session, assignment.name)
    best = sum(cell.points for lesson in assignment.lessons for cell in lesson.cells)
    grades = _grades(session, assignment.name)
    students = [_student(row, assignment, entries, most, grades) for row in rows]
    summary = {
        "assignment": assignment.name,
        "made": utc_now().isoformat(timespec="seconds") + "Z",
        "best": best,
        "exercises": [
            {"cell": cell.grade_id, "notebook": lesson.name, "points": cell.points}
            for lesson, cell in _graded_cells(assignment)
        ],
        "students": students,
        "not_handed_in": sorted({one.id for one in known} - handed_in),
        "not_listed": sorted(handed_in - listed) if listed else [],
        "mean": statistics.fmean(one["score"] for one in students) if students else None,
        "median": statistics.median(one["score"] for one in students) if students else None,
        "seconds": round(sum(entry.wall_s for entry in entries.values()), 3),
        "not_isolated": sum(one["isolation"] == "none" for one in students),
        "cells": [
            _cell(lesson.name, cell, entries)
            for lesson, cell in _graded_cells(assignment)
            if cell.role == "test"
        ],
    }
    session.rollback()
    return summary


def _graded_cells(assignment: Assignment) -> list[tuple[Lesson, LessonCell]]:
    """Cells that have points, whether given automatically or by a person."""
    return [
        (lesson, cell)
        for lesson in assignment.lessons
        for cell in lesson.cells
        if cell.role == "test" or cell.by_hand
    ]


def _student(
    row: SubmittedAssignment,
    assignment: Assignment,
    entries: dict[tuple[str, str], AuditEntry],
    most: dict[tuple[str, str], float],
    grades: dict[tuple[str, str, str], Grade],
) -> dict:
    mine = [entries.get((row.student_id, lesson.name)) for lesson in assignment.lessons]
    known = [entry for entry in mine if entry is not None]
    status = max((entry.status for entry in known), key=_BY_CARE.index, default="")
    ran = [entry.isolation for entry in known if entry.status != "not-rebuilt"]
    penalty = row.late_submission_penalty or 0.0
    return {
        "id": row.student_id,
        "name": " ".join(filter(None, (row.student.first_name, row.student.last_name))),
        "score": max(0.0, row.score - penalty),
        "late_penalty": penalty,
        "lost": sum(
            most[entry.student, entry.notebook] - entry.auto_score
            for entry in known
            if entry.auto_score is not None
        ),
        "needs_manual_grade": bool(row.needs_manual_grade),
        "status": status,
        "group": next((entry.group_name for entry in known if entry.group_name), ""),
        "isolation": ("none" if "none" in ran else ran[0]) if ran else "",
        "seconds": round(sum(entry.wall_s for entry in known), 3),
        "attempt": max((entry.attempt for entry in known), default=0),
        "remarks": [text for entry in known for text in (entry.reason, *entry.notes) if text],
        "exercises": [
            _exercise(
                lesson.name,
                cell,
                entries.get((row.student_id, lesson.name)),
                grades.get((row.student_id, lesson.name, cell.grade_id)),
            )
            for lesson, cell in _graded_cells(assignment)
        ],
    }


def _grades(session, assignment: str) -> dict[tuple[str, str, str], Grade]:
    """Each (student, notebook, cell)'s grade."""
    query = (
        select(SubmittedAssignment.student_id, NotebookRow.name, BaseCell.name, Grade)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(NotebookRow, NotebookRow.id == SubmittedNotebook.notebook_id)
        .join(AssignmentRow, AssignmentRow.id == SubmittedAssignment.assignment_id)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .join(BaseCell, BaseCell.id == Grade.cell_id)
        .where(AssignmentRow.name == assignment)
    )
    return {(student, notebook, cell): grade for student, notebook, cell, grade in session.execute(query)}


def _exercise(notebook: str, cell: LessonCell, entry: AuditEntry | None, grade: Grade | None) -> dict:
    """A student's points in an exercise as nbgrader counts them, and why the check took points off."""
    found = [] if entry is None or entry.status not in _JUDGED else entry.checks
    lost = [one for one in found if one["grade_id"] == cell.grade_id and one["points"] < one["best"]]
    given = grade
    if grade is not None and grade.manual_score is None and grade.auto_score is None:
        given = None
    return {
        "cell": cell.grade_id,
        "notebook": notebook,
        "best": cell.points,
        "points": None if given is None else given.score,
        "extra_credit": 0.0 if given is None else given.extra_credit or 0.0,
        "by_hand": given is not None and given.manual_score is not None,
        "needs_manual_grade": grade is not None and bool(grade.needs_manual_grade),
        "mistake": lost[0]["mistake"] if lost else "",
        "message": _message(lost[0]) if lost else "",
    }


def _message(check: dict) -> str:
    """The first line of a message; shortened unless it comes from the catalogue."""
    first = check["message"].partition("\n")[0]
    return first if check["mistake"] else first[:_MESSAGE]


def _cell(notebook: str, cell, entries: dict[tuple[str, str], AuditEntry]) -> dict:
    outcomes = [
        (student, check)
        for (student, name), entry in sorted(entries.items())
        if name == notebook and entry.status in ("graded", "student-failed")
        for check in entry.checks
        if check["grade_id"] == cell.grade_id
    ]
    failed = [(student, check) for student, check in outcomes if check["points"] < check["best"]]
    return {
        "cell": cell.grade_id,
        "notebook": notebook,
        "points": cell.points,
        "graded": len(outcomes),
        "passed": len(outcomes) - len(failed),
        "mistakes": list(_mistakes(failed)),
    }


def _mistakes(failed: list[tuple[str, dict]]) -> Iterator[dict]:
    """Named mistakes, then other failures by message, the most frequent first; each with who made it."""
    named: dict[str, list[str]] = defaultdict(list)
    unnamed: dict[str, list[str]] = defaultdict(list)
    messages: dict[str, str] = {}
    for student, check in failed:
        message = _message(check)
        if check["mistake"]:
            named[check["mistake"]].append(student)
            messages.setdefault(check["mistake"], message)
        else:
            unnamed[message].append(student)
    for id, who in _by_number(named):
        yield _mistake(id, messages[id], who)
    ranked = _by_number(unnamed)
    for message, who in ranked[:_UNNAMED]:
        yield _mistake("", message, who)
    rest = sorted(student for _, who in ranked[_UNNAMED:] for student in who)
    if rest:
        yield _mistake("", "", rest)


def _by_number(groups: dict[str, list[str]]) -> list[tuple[str, list[str]]]:
    return sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))


def _mistake(id: str, message: str, who: list[str]) -> dict:
    return {"id": id, "students": len(who), "message": message, "who": who}
