"""The summary of an assignment as a page, and its table of students as a file for spreadsheets."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from urllib.parse import quote

from graders.names import shown
from tlwidgets import palette

from ..results.files import write_whole
from .table import POLICY, SORTING, STATUS, csv_table, html_table


def write_report(summary: dict, path: Path) -> Path:
    """Write the summary as a single HTML file, and its table of students beside it as CSV.

    Raises:
        OSError: the disk is full, or cannot be written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # With a byte order mark, by which spreadsheets recognise UTF-8.
    write_whole(path.with_suffix(".csv"), csv_table(summary).encode("utf-8-sig"))
    return write_whole(path, page(summary, f"{path.stem}.csv").encode())


def page(summary: dict, table: str) -> str:
    """The summary as HTML; `table` is the name of the CSV file beside it."""
    name, students = escape(summary["assignment"]), summary["students"]
    count = f"{len(students)} submission{'' if len(students) == 1 else 's'}"
    facts = [count, f"graded in {summary['seconds']:.1f} s of work", f"written {_date(summary['made'])}"]
    if students:
        facts.insert(
            1, f"mean {summary['mean']:.2f}, median {summary['median']:.2f} of {summary['best']:g} XP"
        )
    warning = (
        f'<p class="warning" role="note"><strong>Not isolated.</strong> {summary["not_isolated"]} of the '
        "submissions ran "
        "without isolation: their code could have changed these results.</p>"
        if summary["not_isolated"]
        else ""
    )
    return _PAGE.format(
        title=f"Grades of {name}",
        name=name,
        good=palette.BLUE,
        bad=(palette.VERMILLION.light, palette.ORANGE.dark),
        facts=" · ".join(facts),
        warning=warning,
        attention=_attention(students, summary["not_handed_in"], summary["not_listed"]),
        cells="".join(map(_cell_section, summary["cells"])) or "<p>The assignment has no checks.</p>",
        students=html_table(summary),
        csv=f'<a href="{escape(quote(table))}">{escape(table)}</a>',
        policy=POLICY,
        script=SORTING,
    )


def _date(made: str) -> str:
    return escape(made.replace("T", " ").replace("Z", " UTC"))


def _attention(students: list[dict], missing: list[str], unlisted: list[str]) -> str:
    rows = [
        f"<li>{_name(one['id'])} ({STATUS[one['status']]}): {_words(' '.join(one['remarks']))}</li>"
        for one in students
        if one["remarks"] or one["status"] in ("grader-failed", "not-rebuilt")
    ]
    lost = [f"{_name(one['id'])} (-{one['lost']:g})" for one in students if one["lost"] > 0]
    if lost:
        rows.append(f"<li>Had more points in an earlier grading: {', '.join(lost)}</li>")
    by_hand = [one["id"] for one in students if one["needs_manual_grade"]]
    if by_hand:
        rows.append(f"<li>To grade by hand, in formgrader: {_names(by_hand)}</li>")
    if missing:
        rows.append(f"<li>In the gradebook, but not handed in: {_names(missing)}</li>")
    if unlisted:
        rows.append(
            "<li>Handed in, but without a name or address in the gradebook, unlike others (is a folder in "
            "submitted/ "
            f"misnamed?): {_names(unlisted)}</li>"
        )
    if not rows:
        return "<p>Nothing: every submission was graded without remarks.</p>"
    return f"<ul>{''.join(rows)}</ul>"


def _names(ids: list[str]) -> str:
    return ", ".join(map(_name, ids))


def _name(id: str) -> str:
    """An id or name that keeps its direction of writing, and changes nothing around it."""
    return f"<b><bdi>{escape(shown(id))}</bdi></b>"


def _words(text: str) -> str:
    """Text with names in backticks formatted as code."""
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
        f"<tr><th scope='row'><span aria-hidden='true'>{sign}</span> {label}{more}</th><td "
        f"class='number'>{count}</td>"
        f"<td class='share'><span class='track'><span class='bar {kind}' "
        f"style='width:{100 * share:.1f}%'></span></span> "
        f"{share:.0%}</td></tr>"
    )


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --ink: #1b1b1b; --quiet: #545454; --paper: #ffffff; --line: #d0d0d0;
  --good: {good[0]}; --bad: {bad[0]}; --track: #ececec; --warn: #fff4d6; --lost: #fae0cf; --link: #005a9c; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ink: #ececec; --quiet: #b4b4b4; --paper: #161616;
  --line: #444444;
  --good: {good[1]}; --bad: {bad[1]}; --track: #2c2c2c; --warn: #453500; --lost: #55290a;
  --link: #8cc8f0; }} }}
body {{ margin: 2rem auto; max-width: 60rem; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif;
  color: var(--ink);
  background: var(--paper); }}
p.facts, small {{ color: var(--quiet); font-weight: normal; }}
p.warning {{ background: var(--warn); padding: .6rem 1rem; border-left: 4px solid var(--bad); }}
table {{ border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }}
caption {{ text-align: left; color: var(--quiet); padding-bottom: .3rem; }}
th, td {{ text-align: left; vertical-align: top; padding: .3rem 1rem .3rem 0;
  border-bottom: 1px solid var(--line); }}
tbody th {{ font-weight: normal; }}
tbody th, li, h1, h3 {{ overflow-wrap: anywhere; }}
summary {{ color: var(--quiet); cursor: pointer; }}
.number {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }}
.share {{ white-space: nowrap; width: 12rem; }}
.track {{ display: inline-block; width: 8rem; height: .7rem; background: var(--track);
  vertical-align: baseline; }}
.bar {{ display: block; height: 100%; }}
.good {{ background: var(--good); }}
.bad {{ background: var(--bad); }}
a {{ color: var(--link); }}
nav a {{ margin-right: 1.2rem; }}
:focus-visible {{ outline: 2px solid var(--good); outline-offset: 1px; }}
.unseen {{ position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }}
/* As wide as its content and the window allow; its headings stay in place while scrolling. */
.grid {{ position: relative; left: 50%; transform: translateX(-50%); width: fit-content; min-width: 100%;
  max-width: 96vw;
  max-height: 85vh; overflow: auto; }}
.grid table {{ border-collapse: separate; border-spacing: 0; margin: 0; }}
.grid th, .grid td {{ padding: .2rem .45rem; vertical-align: baseline; }}
.grid thead th {{ position: sticky; top: 0; z-index: 1; background: var(--paper); vertical-align: bottom;
  font-size: .85rem;
  line-height: 1.25; }}
.grid thead .number {{ white-space: normal; max-width: 6rem; overflow-wrap: break-word; }}
.grid tr > :first-child {{ position: sticky; left: 0; background: var(--paper); min-width: 7rem;
  max-width: min(14rem, 35vw); }}
.grid thead tr > :first-child {{ z-index: 2; }}
.grid .state {{ font-size: .85rem; min-width: 7rem; }}
.grid td.lost {{ background: var(--lost); }}
.grid td.wait {{ background: var(--warn); }}
.grid td[title] {{ cursor: help; }}
.grid button {{ all: unset; cursor: pointer; font-weight: bold; }}
.grid button:focus-visible {{ outline: 2px solid var(--good); outline-offset: 1px; }}
.grid [aria-sort=ascending] button::after {{ content: " ▲" / ""; }}
.grid [aria-sort=descending] button::after {{ content: " ▼" / ""; }}
@media (max-width: 40rem) {{ .share {{ width: auto; }} .track {{ display: none; }}
  td, th {{ padding-right: .6rem; }} }}
@media print {{ h3, main > table, tr {{ break-inside: avoid; }} nav {{ display: none; }}
  .grid {{ max-height: none; overflow: visible; }} }}
</style>
</head>
<body>
<main>
<h1>{name}</h1>
<p class="facts">{facts}</p>
{warning}
<nav aria-label="Parts of this page"><a href="#attention">Needs attention</a>
<a href="#exercises">Exercise by exercise</a>
<a href="#students">Students</a></nav>
<h2 id="attention">Needs attention</h2>
{attention}
<h2 id="exercises">Exercise by exercise</h2>
{cells}
<h2 id="students">Students</h2>
<p class="facts">For a spreadsheet: {csv}, beside this page.</p>
{students}
</main>
<script>{script}</script>
</body>
</html>
"""
