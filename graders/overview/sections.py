"""The parts of the course's page: units, mistakes, and the table of students."""

from __future__ import annotations

import re
import statistics
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from graders.names import shown

from .records import CourseRecord, Mistake, Student, Unit, UnitResult

# A student's state in a unit, as letters for the filter: handed in or missing, complete or not, waiting for
# a person, with a named mistake.
_STATES = {
    "h": "handed in",
    "m": "not handed in",
    "c": "all points",
    "p": "points missing",
    "w": "a person has to grade it",
    "x": "has a named mistake",
    "f": "could not be read, or stopped early",
}


@dataclass(frozen=True)
class MistakeTable:
    """The named mistakes of a course, the most frequent first.

    Attributes:
        now: for each mistake's key, how many students have it in their last submission.
        fixed: how many had it before, and no longer.
        number: for each key, its place.
    """

    mistakes: tuple[Mistake, ...]
    now: dict[tuple, int]
    fixed: dict[tuple, int]
    number: dict[tuple, int]

    @classmethod
    def of(cls, course: CourseRecord) -> MistakeTable:
        """Count the mistakes of all students in all units."""
        now: dict[tuple, int] = defaultdict(int)
        fixed: dict[tuple, int] = defaultdict(int)
        known: dict[tuple, Mistake] = {}
        for student in course.students:
            for result in student.units.values():
                for found, counts in ((result.mistakes, now), (result.fixed, fixed)):
                    for mistake in found:
                        known.setdefault(mistake.key, mistake)
                        counts[mistake.key] += 1
        ordered = sorted(known.values(), key=lambda one: (-now[one.key], -fixed[one.key], one.key))
        number = {mistake.key: place for place, mistake in enumerate(ordered)}
        return cls(tuple(ordered), now, fixed, number)

    def label(self, mistake: Mistake) -> str:
        """A mistake in a few words: its id, and the unit and exercise it belongs to."""
        return f"{shown(mistake.id)} ({_short(mistake.unit)}, {shown(mistake.cell.removeprefix('check-'))})"


def units_section(course: CourseRecord, mistakes: MistakeTable, summaries: Collection[str]) -> str:
    """How far the class is in each unit."""
    rows = [_unit_row(unit, course, mistakes, unit.name in summaries) for unit in course.units]
    body = "".join(rows) or '<tr><td colspan="7">The gradebook has no units yet.</td></tr>'
    heads = (
        '<th scope="col">unit</th><th scope="col" class="number">XP</th>'
        '<th scope="col">handed in</th><th scope="col" class="number">all points</th>'
        '<th scope="col" class="number">mean</th><th scope="col" class="number">median</th>'
        '<th scope="col" class="number">to grade by hand</th><th scope="col">most frequent mistakes</th>'
    )
    return (
        '<section id="units"><h2 id="units-title">Units</h2>'
        '<p class="facts">Mean and median are of those who handed in, with late penalties taken off.</p>'
        '<div class="grid" role="region" tabindex="0" aria-labelledby="units-title">'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div></section>"
    )


def _unit_row(unit: Unit, course: CourseRecord, mistakes: MistakeTable, linked: bool) -> str:
    results = [one.units[unit.name] for one in course.students if unit.name in one.units]
    scores = [one.xp for one in results]
    share = len(results) / len(course.students) if course.students else 0.0
    name = escape(shown(unit.name))
    if linked:
        name = f'<a href="{escape(quote(unit.name))}.html">{name}</a>'
    due = f"<br><small>due {unit.due:%Y-%m-%d %H:%M} UTC</small>" if unit.due else ""
    often = [one for one in mistakes.mistakes if one.unit == unit.name and mistakes.now[one.key]][:3]
    said = ", ".join(
        f"{escape(f'{shown(one.id)} in {_exercise(one)}')} ({mistakes.now[one.key]})" for one in often
    )
    full = sum(one.solved(unit) == len(unit.exercises) for one in results)
    waiting = sum(one.waiting for one in results)
    mean, median = (
        (f"{statistics.fmean(scores):.2f}", f"{statistics.median(scores):.2f}") if scores else ("–", "–")
    )
    return (
        f'<tr><th scope="row">{name}{due}</th><td class="number">{unit.best:g}</td>'
        '<td class="whole"><span class="track" aria-hidden="true">'
        f'<span class="bar" style="width:{share:.1%}"></span></span>'
        f"{len(results):,} of {len(course.students):,}</td>"
        f'<td class="number">{full}</td><td class="number">{mean}</td><td class="number">{median}</td>'
        f'<td class="number{" wait" if waiting else ""}">{waiting}</td><td>{said}</td></tr>'
    )


def mistakes_section(mistakes: MistakeTable) -> str:
    """Which named mistakes are made how often; a button shows by whom."""
    if not mistakes.mistakes:
        body = "<p>The audit has no named mistake yet.</p>"
    else:
        rows = "".join(_mistake_row(one, place, mistakes) for place, one in enumerate(mistakes.mistakes))
        body = (
            '<p class="facts">Now: in the last submission. Fixed: in an earlier one only.</p>'
            '<div class="grid" role="region" tabindex="0" aria-labelledby="mistakes-title">'
            '<table class="sortable"><thead><tr><th scope="col">mistake</th><th scope="col">exercise</th>'
            '<th scope="col" class="number" aria-sort="descending">now</th>'
            '<th scope="col" class="number">fixed</th>'
            f'<th scope="col">what students read</th></tr></thead><tbody>{rows}</tbody></table></div>'
        )
    return f'<section id="mistakes"><h2 id="mistakes-title">Mistakes</h2>{body}</section>'


def _mistake_row(mistake: Mistake, place: int, mistakes: MistakeTable) -> str:
    now, fixed = mistakes.now[mistake.key], mistakes.fixed[mistake.key]
    name, where = escape(shown(mistake.id)), escape(f"{_short(mistake.unit)} {_exercise(mistake)}")
    find = (
        f' <button type="button" class="find" value="{place}" hidden>who<span class="unseen"> has {name}'
        "</span></button>"
        if now
        else ""
    )
    return (
        f'<tr><th scope="row">{name}{find}</th><td>{where}</td>'
        f'<td class="number" data-sort="{now}">{now}</td>'
        f'<td class="number" data-sort="{fixed}">{fixed}</td><td>{_words(mistake.message)}</td></tr>'
    )


def class_section(course: CourseRecord, mistakes: MistakeTable) -> str:
    """The table of students by units, with what filters it."""
    heads = "".join(
        f'<th scope="col" class="number unit" title="{escape(shown(unit.name))}">'
        f"{escape(_short(unit.name, True))}<br><small>of {unit.best:g}</small></th>"
        for unit in course.units
    )
    rows = "".join(_student_row(one, course, mistakes) for one in course.students)
    if not rows:
        table = "<p>The gradebook has no students yet.</p>"
    else:
        table = (
            f"{_filters(course, mistakes)}"
            '<p class="facts" id="signs">XP with late penalties taken off. ✓ all points, ◐ a part, ✗ none, '
            "✎ a person has to grade something, – not handed in. Point at a cell for its exercises.</p>"
            '<div class="grid" role="region" tabindex="0" aria-labelledby="class-title">'
            '<table class="sortable" aria-labelledby="class-title" aria-describedby="signs"><thead><tr>'
            '<th scope="col" aria-sort="ascending">student</th>'
            f'<th scope="col" class="number">XP<br><small>of {course.best:g}</small></th>'
            f'<th scope="col" class="number">exercises solved</th>{heads}'
            '<th scope="col" class="number">mistakes now</th><th scope="col" class="number">fixed</th>'
            f'<th scope="col">last handed in (UTC)</th></tr></thead><tbody>{rows}</tbody></table></div>'
        )
    return f'<section id="class"><h2 id="class-title">Students</h2>{table}</section>'


def _filters(course: CourseRecord, mistakes: MistakeTable) -> str:
    units = "".join(
        f'<option value="{place}">{escape(shown(unit.name))}</option>'
        for place, unit in enumerate(course.units)
    )
    states = "".join(f'<option value="{letter}">{said}</option>' for letter, said in _STATES.items())
    found = "".join(
        f'<option value="{place}">{escape(mistakes.label(one))}</option>'
        for place, one in enumerate(mistakes.mistakes)
        if mistakes.now[one.key]
    )
    return (
        '<div class="filters" role="search" aria-label="Students" hidden>'
        '<label for="filter-text">name or id<input id="filter-text" type="search" autocomplete="off"></label>'
        '<label for="filter-state">state<select id="filter-state"><option value="">any</option>'
        f"{states}</select></label>"
        '<label for="filter-unit">in unit<select id="filter-unit"><option value="">any</option>'
        f"{units}</select></label>"
        '<label for="filter-mistake">mistake<select id="filter-mistake"><option value="">any</option>'
        f"{found}</select></label>"
        '<button type="button" id="filter-reset">Show all</button>'
        '<span id="shown" role="status"></span></div>'
    )


def _student_row(student: Student, course: CourseRecord, mistakes: MistakeTable) -> str:
    name = f"<br><small><bdi>{escape(shown(student.name))}</bdi></small>" if student.name else ""
    results = [student.units.get(unit.name) for unit in course.units]
    pairs = list(zip(course.units, results, strict=True))
    states = " ".join(_state(unit, result) for unit, result in pairs)
    solved = sum(result.solved(unit) for unit, result in pairs if result)
    every = sum(len(unit.exercises) for unit in course.units)
    mine, fixed = student.mistakes, sum(len(one.fixed) for one in results if one)
    numbers = " ".join(str(mistakes.number[one.key]) for one in mine)
    last = max((one.handed_in for one in results if one and one.handed_in), default=None)
    return (
        f'<tr data-states="{states}" data-mistakes="{numbers}"><th scope="row">'
        f"<bdi>{escape(shown(student.id))}</bdi>{name}</th>"
        f'<td class="number" data-sort="{student.xp:g}">{_points(student.xp)}</td>'
        f'<td class="number" data-sort="{solved}">{solved} of {every}</td>'
        f"{''.join(_cell(unit, result) for unit, result in pairs)}"
        f'<td class="number" data-sort="{len(mine)}">{_mistake_list(mine)}</td>'
        f'<td class="number" data-sort="{fixed}">{fixed or ""}</td>'
        f'<td class="whole">{last.strftime("%Y-%m-%d %H:%M") if last else ""}</td></tr>'
    )


def _state(unit: Unit, result: UnitResult | None) -> str:
    if result is None:
        return "mp"
    full = result.solved(unit) == len(unit.exercises)
    signs = ["h", "c" if full else "p"]
    signs += ["w"] if result.waiting else []
    signs += ["x"] if result.mistakes else []
    signs += ["f"] if result.status not in ("", "graded") else []
    return "".join(signs)


def _cell(unit: Unit, result: UnitResult | None) -> str:
    if result is None:
        return (
            '<td class="number none" data-sort="-1"><span aria-hidden="true">–</span>'
            '<span class="unseen">not handed in</span></td>'
        )
    full = result.solved(unit) == len(unit.exercises)
    sign, said, kind = ("✓", "all points", "") if full else ("◐", "a part", " part")
    if not full and result.score <= 0:
        sign, said = "✗", "no points"
    if result.waiting:
        sign, said, kind = "✎", "a person has to grade something", " wait"
    parts = [
        f"{shown(one.title)}: {_points(result.points.get(one.cell), 'no grade')} of {one.best:g}"
        for one in unit.exercises
    ]
    parts += [f"late penalty: {result.penalty:g}"] if result.penalty else []
    return (
        f'<td class="number{kind}" data-sort="{result.xp:g}" title="{escape("; ".join(parts))}">'
        f'<span aria-hidden="true">{sign} </span>{_points(result.xp)}'
        f'<span class="unseen">, {said}</span></td>'
    )


def _mistake_list(mistakes: tuple[Mistake, ...]) -> str:
    if not mistakes:
        return ""
    items = "".join(
        f"<li>{escape(f'{shown(one.id)} ({_short(one.unit)} {_exercise(one)})')}</li>" for one in mistakes
    )
    return f"<details><summary>{len(mistakes)}</summary><ul>{items}</ul></details>"


def _points(points: float | None, none: str = "") -> str:
    return none if points is None else f"{round(points, 2):g}"


def _short(unit: str, long: bool = False) -> str:
    """The number of a unit; with `long`, its name with spaces for hyphens, so that a heading can wrap."""
    number, _, rest = unit.partition("-")
    return shown(f"{number} {rest.replace('-', ' ')}".strip() if long else number)


def _exercise(mistake: Mistake) -> str:
    return shown(mistake.cell.removeprefix("check-"))


def _words(message: str) -> str:
    """Text with names in backticks formatted as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(shown(message, 400)))
