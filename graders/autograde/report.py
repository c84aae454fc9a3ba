"""The summary of an assignment: who got what, and which named mistakes the class made, cell by cell."""

from __future__ import annotations

import re
import statistics
from collections import defaultdict
from collections.abc import Iterator
from html import escape
from pathlib import Path

from nbgrader.api import Assignment as AssignmentRow
from nbgrader.api import Student, SubmittedAssignment
from sqlalchemy import select
from sqlalchemy.orm import joinedload, undefer

from .assignment import Assignment
from .audit import Line, best_scores, last_lines, now
from .autograded import write_whole

_STATUS = {
    "graded": "graded",
    "student-failed": "stopped early",
    "not-rebuilt": "could not be read",
    "grader-failed": "not graded: the grader failed, the old grade stays",
    "": "not graded here",
}
_UNNAMED, _MESSAGE = 8, 200  # messages that are no named mistake, for each check; characters of one


def summarise(session, assignment: Assignment) -> dict:
    """The summary as a plain dict, from the gradebook and its audit lines (`docs/grading.md` says what each entry is)."""
    session.rollback()  # see what is there now
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
    known = session.execute(select(Student.id)).scalars()
    missing = sorted(set(known) - {row.student_id for row in rows})
    lines = last_lines(session, assignment.name)
    most = best_scores(session, assignment.name)
    best = sum(cell.points for lesson in assignment.lessons for cell in lesson.cells)
    students = [_student(row, assignment, lines, most) for row in rows]
    summary = {
        "assignment": assignment.name,
        "made": now().isoformat(timespec="seconds") + "Z",
        "best": best,
        "students": students,
        "not_handed_in": missing,
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


def _student(
    row: SubmittedAssignment,
    assignment: Assignment,
    lines: dict[tuple[str, str], Line],
    most: dict[tuple[str, str], float],
) -> dict:
    mine = [lines.get((row.student_id, lesson.name)) for lesson in assignment.lessons]
    known = [line for line in mine if line is not None]
    order = list(_STATUS)
    status = max((line.status for line in known), key=order.index, default="")
    ran = [line.isolation for line in known if line.status != "not-rebuilt"]
    penalty = row.late_submission_penalty or 0.0
    return {
        "id": row.student_id,
        "name": " ".join(filter(None, (row.student.first_name, row.student.last_name))),
        "score": max(0.0, row.score - penalty),
        "late_penalty": penalty,
        "lost": sum(
            most[line.student, line.notebook] - line.auto_score
            for line in known
            if line.auto_score is not None
        ),
        "needs_manual_grade": bool(row.needs_manual_grade),
        "status": status,
        "isolation": ("none" if "none" in ran else ran[0]) if ran else "",
        "seconds": round(sum(line.wall_s for line in known), 3),
        "attempt": max((line.attempt for line in known), default=0),
        "remarks": [text for line in known for text in (line.reason, *line.notes) if text],
    }


def _cell(notebook: str, cell, lines: dict[tuple[str, str], Line]) -> dict:
    outcomes = [
        (student, check)
        for (student, name), line in sorted(lines.items())
        if name == notebook and line.status in ("graded", "student-failed")
        for check in line.checks
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
    """Named mistakes, then what has no name by its message; each with who made it, the frequent ones first."""
    named, unnamed, messages = defaultdict(list), defaultdict(list), {}
    for student, check in failed:
        message = check["message"].partition("\n")[0]
        if check["mistake"]:
            named[check["mistake"]].append(student)
            messages.setdefault(check["mistake"], message)
        else:
            unnamed[message[:_MESSAGE]].append(student)
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


def write_page(summary: dict, path: Path) -> Path:
    """Write the summary as one HTML file that needs nothing else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_whole(path, page(summary).encode())


def page(summary: dict) -> str:
    """The summary as HTML."""
    name, students = escape(summary["assignment"]), summary["students"]
    count = f"{len(students)} submission{'' if len(students) == 1 else 's'}"
    facts = [count, f"graded in {summary['seconds']:.1f} s of work", f"written {_date(summary['made'])}"]
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
        attention=_attention(students, summary["not_handed_in"]),
        cells="".join(map(_cell_section, summary["cells"])) or "<p>The assignment has no checks.</p>",
        students=_student_rows(students, summary["best"]),
    )


def _date(made: str) -> str:
    return escape(made.replace("T", " ").replace("Z", " UTC"))


def _attention(students: list[dict], missing: list[str]) -> str:
    rows = [
        f"<li><b>{escape(one['id'])}</b> ({_STATUS[one['status']]}): {_words(' '.join(one['remarks']))}</li>"
        for one in students
        if one["remarks"] or one["status"] in ("grader-failed", "not-rebuilt")
    ]
    lost = [f"<b>{escape(one['id'])}</b> (-{one['lost']:g})" for one in students if one["lost"] > 0]
    if lost:
        rows.append(f"<li>Had more points when graded earlier: {', '.join(lost)}</li>")
    by_hand = [one["id"] for one in students if one["needs_manual_grade"]]
    if by_hand:
        rows.append(f"<li>A person has to grade, in formgrader: {_names(by_hand)}</li>")
    if missing:
        rows.append(f"<li>In the gradebook, and not handed in: {_names(missing)}</li>")
    if not rows:
        return "<p>Nothing: every submission was graded as it was handed in.</p>"
    return f"<ul>{''.join(rows)}</ul>"


def _names(ids: list[str]) -> str:
    return ", ".join(f"<b>{escape(id)}</b>" for id in ids)


def _words(text: str) -> str:
    """Text with `names` set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _cell_section(cell: dict) -> str:
    graded, passed = cell["graded"], cell["passed"]
    rows = [_bar("passed", passed, graded, "good", "✓")]
    for mistake in cell["mistakes"]:
        label, message = escape(mistake["id"]), _words(mistake["message"])
        label, message = (label, message) if label else (message or "something else", "")
        more = f"<br><small>{message}</small>" if message else ""
        more += f"<details><summary>who</summary>{_names(mistake['who'])}</details>"
        rows.append(_bar(label, mistake["students"], graded, "bad", "✗", more))
    return (
        f"<h3>{escape(cell['cell'])} <small>{cell['points']:g} XP</small></h3>"
        f"<table><caption>{passed} of {graded} passed</caption><thead><tr><th scope='col'>what</th>"
        f"<th scope='col' class='number'>students</th><th scope='col' class='share'>share</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _bar(label: str, count: int, of: int, kind: str, sign: str, more: str = "") -> str:
    share = count / of if of else 0.0
    return (
        f"<tr><th scope='row'><span aria-hidden='true'>{sign}</span> {label}{more}</th><td class='number'>{count}</td>"
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
        name = f"<br><small>{escape(one['name'])}</small>" if one["name"] else ""
        rows.append(
            f"<tr><th scope='row'>{escape(one['id'])}{name}</th><td class='number'>{one['score']:g} of {best:g}</td>"
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
th, td {{ text-align: left; vertical-align: top; padding: .3rem 1rem .3rem 0; border-bottom: 1px solid var(--line); }}
tbody th {{ font-weight: normal; }}
tbody th, li, h1, h3 {{ overflow-wrap: anywhere; }}
summary {{ color: var(--quiet); cursor: pointer; }}
.number {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }}
.share {{ white-space: nowrap; width: 12rem; }}
.track {{ display: inline-block; width: 8rem; height: .7rem; background: var(--track); vertical-align: baseline; }}
.bar {{ display: block; height: 100%; }}
.good {{ background: var(--good); }}
.bad {{ background: var(--bad); }}
@media (max-width: 40rem) {{ .share {{ width: auto; }} .track {{ display: none; }} td, th {{ padding-right: .6rem; }} }}
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
