"""What a gradebook says, in an order and a form of its own: two that say the same are equal."""

import json

from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

_GRADES = """
SELECT student.id, assignment.name, notebook.name, base_cell.name, grade.auto_score, grade.manual_score,
       grade.extra_credit, grade.needs_manual_grade
FROM grade JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
JOIN base_cell ON base_cell.id = grade.cell_id JOIN notebook ON notebook.id = submitted_notebook.notebook_id
JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
JOIN assignment ON assignment.id = submitted_assignment.assignment_id
JOIN student ON student.id = submitted_assignment.student_id ORDER BY 1, 2, 3, 4"""
_COMMENTS = """
SELECT submitted_assignment.student_id, base_cell.name, comment.auto_comment, comment.manual_comment,
       submitted_notebook.flagged, submitted_notebook.late_submission_penalty, submitted_assignment.timestamp
FROM comment JOIN submitted_notebook ON submitted_notebook.id = comment.notebook_id
JOIN base_cell ON base_cell.id = comment.cell_id
JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id ORDER BY 1, 2"""
_AUDIT = """
SELECT assignment, student, notebook, digest, assignment_digest, grader_version, status, reason, isolation,
       auto_score, checks FROM tlcourse_audit WHERE status <> 'grader-failed' ORDER BY 1, 2, 3, attempt"""


def ledger(url: str) -> dict[str, list]:
    """Grades, comments and audit lines, without ids, times and seconds."""
    return {**grades(url), "audit": _rows(url, _AUDIT)}


def grades(url: str) -> dict[str, list]:
    """What nbgrader knows: students, grades and comments."""
    students = [row[0] for row in _rows(url, "SELECT id FROM student ORDER BY id")]
    return {"students": students, "grades": _rows(url, _GRADES), "comments": _rows(url, _COMMENTS)}


def attempts(url: str) -> dict[str, int]:
    """How often each student was graded, by the audit."""
    return dict(_rows(url, "SELECT student, count(*) FROM tlcourse_audit GROUP BY student ORDER BY student"))


def attempts_so_far(url: str) -> dict[str, int]:
    """The same while a run is going on: none before its first line."""
    try:
        return attempts(url)
    except OperationalError:
        return {}


def _rows(url: str, query: str) -> list[tuple]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return [tuple(map(_plain, row)) for row in connection.execute(text(query))]
    finally:
        engine.dispose()


def _plain(value):
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and value.startswith("["):
        return json.loads(value)
    return value
