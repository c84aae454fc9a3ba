"""Reads a whole course from nbgrader's gradebook and its audit: a few queries, however large the class."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import Connection

from graders.xp import readable

from .records import CourseRecord, Exercise, Mistake, Student, Unit, UnitResult

# nbgrader's own classes would take seconds to load, and a query for each score.
_UNITS = "SELECT id, name, duedate FROM assignment"
_CELLS = """
SELECT notebook.assignment_id AS assignment, notebook.name AS notebook, base_cell.id AS id,
       base_cell.name AS name,
       COALESCE(grade_cells.max_score, task_cells.max_score) AS best,
       COALESCE(grade_cells.cell_type, task_cells.cell_type) AS kind
FROM base_cell JOIN notebook ON notebook.id = base_cell.notebook_id
LEFT JOIN grade_cells ON grade_cells.id = base_cell.id LEFT JOIN task_cells ON task_cells.id = base_cell.id
WHERE grade_cells.id IS NOT NULL OR task_cells.id IS NOT NULL
ORDER BY notebook.name, base_cell.name"""
_HAND_GRADED = """
SELECT solution_cells.id AS id FROM solution_cells UNION SELECT task_cells.id FROM task_cells"""
_STUDENTS = "SELECT id, first_name, last_name, email, lms_user_id FROM student"
_SUBMISSIONS = """
SELECT submitted_assignment.id AS id, student_id,
       submitted_assignment.assignment_id AS assignment_id, timestamp,
       SUM(submitted_notebook.late_submission_penalty) AS penalty
FROM submitted_assignment
LEFT JOIN submitted_notebook ON submitted_notebook.assignment_id = submitted_assignment.id
GROUP BY submitted_assignment.id, student_id, submitted_assignment.assignment_id, timestamp"""
_GRADES = """
SELECT submitted_notebook.assignment_id AS submission, grade.cell_id AS cell, auto_score, manual_score,
       extra_credit, needs_manual_grade
FROM grade JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id"""
_AUDIT = """
SELECT assignment, student, notebook, attempt, status, checks FROM tlcourse_audit
WHERE status <> 'grader-failed' ORDER BY attempt"""


def read_course(url: str) -> CourseRecord:
    """Read all units and students of a gradebook.

    Args:
        url: an address as nbgrader takes it ("sqlite:////path/to/gradebook.db"), or an SQLite file.

    Raises:
        GradebookError: it is missing, locked, too old, or not a gradebook. It is not changed.
    """
    with readable(url) as address:
        engine = create_engine(address)
        try:
            with engine.connect() as connection:
                return _course(connection)
        finally:
            engine.dispose()


def _course(connection: Connection) -> CourseRecord:
    by_hand = set(_rows(connection, _HAND_GRADED))
    cells, names = defaultdict(list), dict[str, str]()
    found = _rows(connection, _CELLS)
    often = Counter((row.assignment, row.name) for row in found)
    for row in found:
        # Two notebooks of a unit may have a cell of the same name.
        name = row.name if often[row.assignment, row.name] == 1 else f"{row.notebook}/{row.name}"
        written = (row.id,) in by_hand or row.kind != "code"
        cells[row.assignment].append(Exercise(name, row.best or 0.0, written))
        names[row.id] = name
    rows = {row.id: row for row in _rows(connection, _UNITS)}
    audit = _audit(connection)
    grades = _grades(connection, names)
    results: dict[str, dict[str, UnitResult]] = defaultdict(dict)
    for one in _rows(connection, _SUBMISSIONS):
        unit = rows[one.assignment_id].name
        results[one.student_id][unit] = UnitResult(
            penalty=one.penalty or 0.0,
            handed_in=_time(one.timestamp),
            **grades[one.id],
            **audit.get((unit, one.student_id), {}),
        )
    units = [Unit(row.name, tuple(cells[row.id]), _time(row.duedate)) for row in rows.values()]
    units.sort(key=lambda unit: unit.name)
    students = [
        Student(
            row.id,
            row.first_name or "",
            row.last_name or "",
            row.email or "",
            row.lms_user_id or "",
            {unit.name: results[row.id][unit.name] for unit in units if unit.name in results[row.id]},
        )
        for row in _rows(connection, _STUDENTS)
    ]
    return CourseRecord(tuple(units), tuple(sorted(students, key=lambda one: one.id)))


def _rows(connection: Connection, query: str) -> Sequence:
    return connection.execute(text(query)).all()


def _time(value) -> datetime | None:
    """A time, which SQLite hands over as text."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _grades(connection: Connection, names: dict[str, str]) -> dict[str, dict]:
    """Score and points of each submission, as nbgrader's `Grade.score` adds them up."""
    found: dict[str, dict] = defaultdict(lambda: {"score": 0.0, "points": {}, "waiting": False})
    for row in _rows(connection, _GRADES):
        given = row.manual_score if row.manual_score is not None else row.auto_score
        points = None if given is None else given + (row.extra_credit or 0.0)
        one = found[row.submission]
        one["points"][names[row.cell]] = points
        one["score"] += points or 0.0
        one["waiting"] = one["waiting"] or bool(row.needs_manual_grade)
    return found


def _audit(connection: Connection) -> dict[tuple[str, str], dict]:
    """What the audit says of each (unit, student); nothing where `tlcourse grade` never ran."""
    if not inspect(connection).has_table("tlcourse_audit"):
        return {}
    gradings: dict[tuple[str, str], dict[str, list]] = defaultdict(lambda: defaultdict(list))
    for row in _rows(connection, _AUDIT):
        gradings[row.assignment, row.student][row.notebook].append(row)
    return {(unit, student): _summary(unit, found) for (unit, student), found in gradings.items()}


def _summary(unit: str, notebooks: dict[str, list]) -> dict:
    now: dict[tuple, Mistake] = {}
    before: dict[tuple, Mistake] = {}
    failures = 0
    for gradings in notebooks.values():
        *earlier, last = gradings
        failed = [one for one in json.loads(last.checks) if one["points"] < one["best"]]
        failures += sum(not one["mistake"] for one in failed)
        now |= _named(unit, failed)
        for grading in earlier:
            before |= _named(unit, json.loads(grading.checks))
    return {
        "attempts": max(found[-1].attempt for found in notebooks.values()),
        "status": next(
            (one[-1].status for one in notebooks.values() if one[-1].status != "graded"), "graded"
        ),
        "mistakes": tuple(now.values()),
        "fixed": tuple(mistake for key, mistake in before.items() if key not in now),
        "other_failures": failures,
    }


def _named(unit: str, checks: list[dict]) -> dict[tuple, Mistake]:
    found = [
        Mistake(unit, one["grade_id"], one["mistake"], one["message"].partition("\n")[0])
        for one in checks
        if one["mistake"]
    ]
    return {mistake.key: mistake for mistake in found}
