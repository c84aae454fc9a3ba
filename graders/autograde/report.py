"""The summary of an assignment: who got what, and which named mistakes the class made, cell by cell."""

from __future__ import annotations

import re
import statistics
from html import escape
from pathlib import Path

from nbgrader.api import Assignment as AssignmentRow
from nbgrader.api import SubmittedAssignment
from sqlalchemy import select
from sqlalchemy.orm import undefer

from .assignment import Assignment
from .audit import Line, last_lines, now
from .autograded import write_whole

_STATUS = {
    "graded": "graded",
    "student-failed": "stopped early",
    "not-rebuilt": "could not be read",
    "grader-failed": "not graded: the grader failed, the old grade stays",
    "": "not graded here",
}


def summarise(session, assignment: Assignment) -> dict:
    """The summary as a plain dict, from the gradebook and its audit lines (`docs/grading.md` says what each entry is)."""
    session.rollback()  # see what is there now
    query = (
        select(SubmittedAssignment)
        .join(AssignmentRow, AssignmentRow.id == SubmittedAssignment.assignment_id)
        .where(AssignmentRow.name == assignment.name)
        .order_by(SubmittedAssignment.student_id)
        .options(
            undefer(SubmittedAssignment.score),
            undefer(SubmittedAssignment.needs_manual_grade),
            undefer(SubmittedAssignment.late_submission_penalty),
        )
    )
    rows = session.execute(query).scalars().all()
    lines = last_lines(session, assignment.name)
    best = sum(cell.points for lesson in assignment.lessons for cell in lesson.cells)
    students = [_student(row, assignment, lines) for row in rows]
    summary = {
        "assignment": assignment.name,
        "made": now().isoformat(timespec="seconds") + "Z",
        "best": best,
        "students": students,
        "mean": statistics.fmean(one["score"] for one in students) if students else None,
        "median": statistics.median(one["score"] for one in students) if students else None,
        "seconds": round(sum(line.wall_s for line in lines.values()), 3),
        "not_isolated": sum(one["isolation"] == "none" for one in students),
        "cells": [
            _cell(lesson.name, cell, lines)
            for lesson in assignment.lessons
            for cell in lesson.cells
            if cell.role == "test"
        ],
    }
    session.rollback()
    return summary


def _student(row: SubmittedAssignment, assignment: Assignment, lines: dict[tuple[str, str], Line]) -> dict:
    mine = [lines.get((row.student_id, lesson.name)) for lesson in assignment.lessons]
    known = [line for line in mine if line is not None]
    order = list(_STATUS)
    status = max((line.status for line in known), key=order.index, default="")
    ran = [line.isolation for line in known if line.status != "not-rebuilt"]
    penalty = row.late_submission_penalty or 0.0
    return {
        "id": row.student_id,
        "score": max(0.0, row.score - penalty),
        "late_penalty": penalty,
        "needs_manual_grade": bool(row.needs_manual_grade),
        "status": status,
        "isolation": ("none" if "none" in ran else ran[0]) if ran else "",
        "seconds": round(sum(line.wall_s for line in known), 3),
        "attempt": max((line.attempt for line in known), default=0),
        "remarks": [text for line in known for text in (line.reason, *line.notes) if text],
    }


def _cell(notebook: str, cell, lines: dict[tuple[str, str], Line]) -> dict:
    outcomes = [
        check
        for (_, name), line in lines.items()
        if name == notebook and line.status in ("graded", "student-failed")
        for check in line.checks
        if check["grade_id"] == cell.grade_id
    ]
    counts: dict[str, int] = {}
    messages = {"": ""}
    for check in outcomes:
        if check["points"] < check["best"]:
            counts[check["mistake"]] = counts.get(check["mistake"], 0) + 1
            messages.setdefault(check["mistake"], check["message"].partition("\n")[0])
    ranked = sorted(counts.items(), key=lambda item: (item[0] == "", -item[1], item[0]))
    return {
        "cell": cell.grade_id,
        "notebook": notebook,
        "points": cell.points,
        "graded": len(outcomes),
        "passed": sum(check["points"] >= check["best"] for check in outcomes),
        "mistakes": [{"id": id, "students": count, "message": messages[id]} for id, count in ranked],
    }


def write_page(summary: dict, path: Path) -> Path:
    """Write the summary as one HTML file that needs nothing else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_whole(path, page(summary).encode())


def page(summary: dict) -> str:
    """The summary as HTML."""
    name, students = escape(summary["assignment"]), summary["students"]
    count = f"{len(students)} submission{'' if len(students) == 1 else 's'}"
    facts = [count, f"graded in {summary['seconds']:.1f} s of work", f"written {escape(summary['made'])}"]
    if students:
        facts.insert(
            1, f"mean {summary['mean']:.2f}, median {summary['median']:.2f} of {summary['best']:g} XP"
        )
    warning = (
        f'<p class="warning" role="note"><strong>Not isolated.</strong> {summary["not_isolated"]} of the submissions ran '
        "without isolation: their code could have changed these results.</p>"
        if summary["not_isolated"]
        else ""
    )
    return _PAGE.format(
        title=f"Grades of {name}",
        name=name,
        facts=" · ".join(facts),
        warning=warning,
        attention=_attention(students),
        cells="".join(map(_cell_section, summary["cells"])) or "<p>The assignment has no checks.</p>",
        students=_student_rows(students, summary["best"]),
    )


def _attention(students: list[dict]) -> str:
    rows = [
        f"<li><b>{escape(one['id'])}</b> ({_STATUS[one['status']]}): {_words(' '.join(one['remarks']))}</li>"
        for one in students
        if one["remarks"] or one["status"] in ("grader-failed", "not-rebuilt")
    ]
    if not rows:
        return "<p>Nothing: every submission was graded as it was handed in.</p>"
    return f"<ul>{''.join(rows)}</ul>"


def _words(text: str) -> str:
    """Text with `names` set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _cell_section(cell: dict) -> str:
    graded, passed = cell["graded"], cell["passed"]
    rows = [_bar("passed", passed, graded, "", "✓")]
    for mistake in cell["mistakes"]:
        label = mistake["id"] or "something else"
        rows.append(_bar(label, mistake["students"], graded, mistake["message"], "✗"))
    return (
        f"<h3>{escape(cell['cell'])} <small>{cell['points']:g} XP</small></h3>"
        f"<table><caption>{passed} of {graded} passed</caption><thead><tr><th scope='col'>what</th>"
        f"<th scope='col' class='number'>students</th><th scope='col' class='share'>share</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _bar(label: str, count: int, of: int, message: str, sign: str) -> str:
    share = count / of if of else 0.0
    kind = "good" if sign == "✓" else "bad"
    more = f"<br><small>{_words(message)}</small>" if message else ""
    return (
        f"<tr><th scope='row'><span aria-hidden='true'>{sign}</span> {escape(label)}{more}</th><td class='number'>{count}</td>"
        f"<td class='share'><span class='track'><span class='bar {kind}' style='width:{100 * share:.1f}%'></span></span> "
        f"{share:.0%}</td></tr>"
    )


def _student_rows(students: list[dict], best: float) -> str:
    rows = []
    for one in students:
        said = [_STATUS[one["status"]]]
        said += ["a person has to grade it"] if one["needs_manual_grade"] else []
        said += [f"late: -{one['late_penalty']:g}"] if one["late_penalty"] else []
        said += ["not isolated"] if one["isolation"] == "none" else []
        rows.append(
            f"<tr><th scope='row'>{escape(one['id'])}</th><td class='number'>{one['score']:g} of {best:g}</td>"
            f"<td>{escape(', '.join(said))}</td><td class='number'>{one['attempt']}</td>"
            f"<td class='number'>{one['seconds']:.2f}</td></tr>"
        )
    return "".join(rows)


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --ink: #1b1b1b; --quiet: #545454; --paper: #ffffff; --line: #d0d0d0;
  --good: #0072b2; --bad: #d55e00; --track: #ececec; --warn: #fff4d6; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ink: #ececec; --quiet: #b4b4b4; --paper: #161616; --line: #444444;
  --good: #56b4e9; --bad: #e69f00; --track: #2c2c2c; --warn: #453500; }} }}
body {{ margin: 2rem auto; max-width: 60rem; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--paper); }}
p.facts, small {{ color: var(--quiet); font-weight: normal; }}
p.warning {{ background: var(--warn); padding: .6rem 1rem; border-left: 4px solid var(--bad); }}
table {{ border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }}
caption {{ text-align: left; color: var(--quiet); padding-bottom: .3rem; }}
th, td {{ text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); }}
tbody th {{ font-weight: normal; }}
.number {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }}
.share {{ white-space: nowrap; width: 12rem; }}
.track {{ display: inline-block; width: 8rem; height: .7rem; background: var(--track); vertical-align: baseline; }}
.bar {{ display: block; height: 100%; }}
.good {{ background: var(--good); }}
.bad {{ background: var(--bad); }}
@media print {{ h3, table {{ break-inside: avoid; }} }}
</style>
</head>
<body>
<main>
<h1>{name}</h1>
<p class="facts">{facts}</p>
{warning}
<h2>To look at</h2>
{attention}
<h2>Exercise by exercise</h2>
{cells}
<h2>Students</h2>
<table>
<caption>Scores as nbgrader computes them, late penalties taken off</caption>
<thead><tr><th scope="col">student</th><th scope="col" class="number">XP</th><th scope="col">state</th>
<th scope="col" class="number">attempt</th><th scope="col" class="number">seconds</th></tr></thead>
<tbody>{students}</tbody>
</table>
</main>
</body>
</html>
"""
