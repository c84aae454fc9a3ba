"""The table of students by exercises, with points and mistakes; as HTML, and as CSV for spreadsheets."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from html import escape

from graders.names import shown
from graders.spreadsheets import inert

from ..text import strip_control_characters

STATUS = {
    "graded": "graded",
    "student-failed": "stopped early",
    "not-rebuilt": "could not be read",
    "grader-failed": "not graded: the grader failed, the old grade stays",
    "": "not graded here",
}

# The page's only script. Without it (as in JupyterLab, until the page is trusted) the table is sorted by
# student.
SORTING = """
const table = document.querySelector(".grid table"), body = table.tBodies[0];
const heads = [...table.tHead.rows[0].cells];
const number = (text) => Number(/^\\D*([\\d.]+)/.exec(text)?.[1] ?? -1);
const byText = (one, other) => one.localeCompare(other, undefined, { numeric: true });
const byNumber = (one, other) => number(one) - number(other) || byText(one, other);
heads.forEach((head, column) => {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => {
    const way = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const compare = head.classList.contains("number") ? byNumber : byText;
    const rows = [...body.rows].map((row) => ({ row, text: row.cells[column].textContent }));
    body.append(...rows.sort((one, other) => way * compare(one.text, other.text)).map(({ row }) => row));
    heads.forEach((one) => one.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
  });
});
"""
# Nothing else runs or is fetched, whatever a student manages to get into the page.
_DIGEST = base64.b64encode(hashlib.sha256(SORTING.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_DIGEST}'"


def html_table(summary: dict) -> str:
    """The table, in a scrolling region below a legend. A cell's tooltip names the mistake."""
    heads = "".join(
        f'<th scope="col" class="number" title="{escape(one["cell"])}">{escape(_title(one))}'
        f"<br><small>{one['points']:g} XP</small></th>"
        for one in summary["exercises"]
    )
    return (
        '<p class="facts" id="signs">Points as nbgrader computes them; in XP, late penalties are taken off. '
        "✗ no points, ◐ a "
        "part of them: point at them for the mistake. ✎ given by hand, ✎? a person has to grade it.</p>"
        '<div class="grid" role="region" tabindex="0" aria-labelledby="students">'
        '<table aria-labelledby="students" aria-describedby="signs"><thead><tr>'
        '<th scope="col" aria-sort="ascending">student</th>'
        f'<th scope="col" class="number">XP<br><small>of {summary["best"]:g}</small></th>{heads}'
        '<th scope="col" class="state">state</th><th scope="col" class="number">gradings</th>'
        f'<th scope="col" class="number">seconds</th></tr></thead>'
        f"<tbody>{''.join(map(_row, summary['students']))}</tbody>"
        "</table></div>"
    )


def csv_table(summary: dict) -> str:
    """The same as CSV, with two columns per exercise: points and remark.

    Text may come from students or their programs: if a spreadsheet would take it for a formula, it gets an
        apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    titles = [head for one in summary["exercises"] for head in (_title(one), f"{_title(one)}: remark")]
    writer.writerow(
        ["student", "name", "score", "best", "late_penalty", "state", "gradings", *map(_inert, titles)]
    )
    for one in summary["students"]:
        who = [
            _inert(shown(one["id"])),
            _inert(shown(one["name"])),
            one["score"],
            summary["best"],
            one["late_penalty"],
        ]
        found = [
            entry
            for exercise in one["exercises"]
            for entry in (exercise["points"], _inert(_remark(exercise, exercise["mistake"])))
        ]
        writer.writerow([*who, _state(one), one["attempt"], *found])  # None is an empty field
    return out.getvalue()


def _title(exercise: dict) -> str:
    return exercise["cell"].removeprefix("check-")


def _state(student: dict) -> str:
    said = [STATUS[student["status"]]]
    said += ["a person has to grade it"] if student["needs_manual_grade"] else []
    said += [f"late: -{student['late_penalty']:g}"] if student["late_penalty"] else []
    said += ["not isolated"] if student["isolation"] == "none" else []
    return ", ".join(said)


def _row(student: dict) -> str:
    name = f"<br><small><bdi>{escape(shown(student['name']))}</bdi></small>" if student["name"] else ""
    return (
        f'<tr><th scope="row"><bdi>{escape(shown(student["id"]))}</bdi>{name}</th>'
        f'<td class="number">{student["score"]:g}</td>'
        f'{"".join(map(_cell, student["exercises"]))}<td class="state">{escape(_state(student))}</td>'
        f'<td class="number">{student["attempt"]}</td><td class="number">{student["seconds"]:.2f}</td></tr>'
    )


def _cell(exercise: dict) -> str:
    """Points with a sign; the tooltip has the whole remark, and screen readers get its short form."""
    points, best = exercise["points"], exercise["best"]
    if points is None:
        sign, kind = ("✎?", " wait") if exercise["needs_manual_grade"] else ("–", "")
    else:
        kind = " lost" if points < best else ""
        sign = ("✗ " if points <= 0 else "◐ ") if kind else ""
        if exercise["by_hand"]:
            sign, kind = "✎ ", " wait" if exercise["needs_manual_grade"] else kind
    told = exercise["mistake"] and f"{exercise['mistake']}: {exercise['message']}"
    title, read = _remark(exercise, told), _remark(exercise, exercise["mistake"])
    said = f'<span class="unseen"> {escape(read)}</span>' if read else ""
    title = f' title="{escape(title)}"' if title else ""
    shown = f'<span aria-hidden="true">{sign}</span>' if sign else ""
    return (
        f'<td class="number{kind}"{title}>{shown}{"" if points is None else format(points, "g")}{said}</td>'
    )


def _remark(exercise: dict, mistake: str) -> str:
    """The remark on a student's points; `mistake` is how to name the mistake."""
    if exercise["points"] is None:
        return "a person has to grade it" if exercise["needs_manual_grade"] else "no grade"
    said = []
    if exercise["by_hand"]:
        again = ", before it was graded again: please review" if exercise["needs_manual_grade"] else ""
        said.append(f"given by hand{again}")
    if exercise["extra_credit"]:
        said.append(f"with {exercise['extra_credit']:+g} extra credit")
    if exercise["points"] < exercise["best"]:
        said += filter(None, [mistake or exercise["message"]])
    return "; ".join(said)


def _inert(text: str) -> str:
    return inert(strip_control_characters(text))
