"""A gradebook of any size, in nbgrader's own tables, without grading anything."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from nbgrader.api import (
    Assignment,
    BaseCell,
    Grade,
    Gradebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy import insert

from graders.autograde.results.audit import AuditEntry, add_entry, create_table

UNITS = {
    "00-where-we-left-off": {"check-lora": 5.0, "check-perplexity": 5.0},
    "01-transfer-learning": {"check-build-head": 5.0, "check-freeze-backbone": 5.0, "essay": 2.0},
    "02-which-layers-to-train": {"check-pick": 10.0},
    "03-multimodal-models": {"check-fuse-late": 10.0, "check-split-clips": 10.0},
}
MISTAKES = ("one-score", "no-bias", "forgot-eval", "everything-frozen")
START = datetime(2026, 3, 1, 12)


def entry(unit: str, student: str, attempt: int, checks: list[dict], **more) -> AuditEntry:
    """A line of the audit."""
    line = AuditEntry(
        unit, student, unit, attempt, "d" * 64, "a" * 64, "0.1.0+test", "graded", "", "namespaces",
        START, 0.1, 0.1, sum(one["points"] for one in checks), tuple(checks), (),
    )  # fmt: skip
    return replace(line, **more)


def check(cell: str, points: float, best: float, mistake: str = "", message: str = "") -> dict:
    """The outcome of a check, as the audit has it."""
    return {"grade_id": cell, "points": points, "best": best, "completed": True, "assertions": 1,
            "message": message, "mistake": mistake, "trust": "values"}  # fmt: skip


def make(place: Path | str, names: list[tuple[str, str, str]], seed: int = 0) -> str:
    """Write a gradebook with these (id, first name, last name), as a file or at an address; its address.

    Most have handed in the first units, in one or two attempts, with some mistakes. Of the last one nobody
    has. `essay` is graded by hand.
    """
    draw = random.Random(seed)
    address = place if isinstance(place, str) else f"sqlite:///{place}"
    with Gradebook(address, "transfer-learning") as book:
        for unit, cells in UNITS.items():
            book.add_assignment(unit, duedate="2026-03-20 23:59 UTC" if unit.startswith("01") else None)
            book.add_notebook(unit, unit)
            for cell, best in cells.items():
                kind = "markdown" if cell == "essay" else "code"
                book.add_grade_cell(cell, unit, unit, max_score=best, cell_type=kind)
                if cell == "essay":
                    book.add_solution_cell(cell, unit, unit)
        create_table(book.engine)
        session = book.db
        session.execute(insert(Student), [
            {"id": id, "first_name": first, "last_name": last, "email": f"{number}@school.example"}
            for number, (id, first, last) in enumerate(names)
        ])  # fmt: skip
        units = {one.name: one for one in session.query(Assignment)}
        cells = {(one.notebook.assignment.name, one.name): one.id for one in session.query(BaseCell)
                 if one.type == "GradeCell"}  # fmt: skip
        submissions, notebooks, grades = [], [], []
        for number, (id, *_) in enumerate(names):
            for place, (unit, graded) in enumerate(list(UNITS.items())[:-1]):
                if draw.random() < 0.12 * place:
                    continue
                key = f"{number:016x}{place:016x}"
                when = START + timedelta(days=place, minutes=number)
                submissions.append(
                    {"id": key, "assignment_id": units[unit].id, "student_id": id, "timestamp": when}
                )
                late = 1.0 if draw.random() < 0.05 else None
                notebooks.append({"id": key, "assignment_id": key, "late_submission_penalty": late,
                                  "notebook_id": units[unit].notebooks[0].id})  # fmt: skip
                outcomes, first = [], []
                for cell, best in graded.items():
                    row = {"id": f"{key[16:]}{number:08x}{len(grades):08x}", "notebook_id": key}
                    row |= {"cell_id": cells[unit, cell], "auto_score": None, "manual_score": None,
                            "needs_manual_grade": False}  # fmt: skip
                    if cell == "essay":
                        row["needs_manual_grade"] = draw.random() < 0.5
                        row["manual_score"] = None if row["needs_manual_grade"] else 1.5
                    else:
                        wrong = draw.choice(MISTAKES) if draw.random() < 0.3 else ""
                        row["auto_score"] = 0.0 if wrong else best
                        message = f"`{cell}` gives one number only, for <b>{wrong}</b>." if wrong else ""
                        outcomes.append(check(cell, row["auto_score"], best, wrong, message))
                        was = draw.choice(MISTAKES)
                        first.append(check(cell, 0.0, best, was, f"It was {was}."))
                    grades.append(row)
                two = draw.random() < 0.4
                if two:
                    add_entry(session, f"a{key[1:]}", entry(unit, id, 1, first))
                add_entry(session, f"b{key[1:]}", entry(unit, id, 2 if two else 1, outcomes))
        for table, rows in (
            (SubmittedAssignment, submissions), (SubmittedNotebook, notebooks), (Grade, grades),
        ):  # fmt: skip
            session.execute(insert(table), rows)
        session.commit()
    return address


def class_of(count: int) -> list[tuple[str, str, str]]:
    """Ids and names of a class."""
    first = ["Ada", "Ben", "Chloé", "Đỗ", "Elif", "Farid", "Grace", "Håkon", "Ines", "Jörg"]
    last = ["Lovelace", "Nguyễn", "Öztürk", "García Márquez", "Okafor", "Smith", "Ивáнова", "Żak", "李"]
    return [(f"s{number:04}", first[number % 10], last[number % 9]) for number in range(count)]
