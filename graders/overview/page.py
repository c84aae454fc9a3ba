"""One page for the course: who, how far, and which mistakes, over all units; a single HTML file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection
from datetime import datetime
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path

from graders.autograde.results.files import write_whole

from .records import CourseRecord
from .sections import MistakeTable, class_section, mistakes_section, units_section
from .theme import theme


def write_course_page(course: CourseRecord, path: Path, made: datetime) -> Path:
    """Write the page, with links to the units' own summaries where these are beside it.

    Raises:
        OSError: the disk is full, or cannot be written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    summaries = {unit.name for unit in course.units if (path.parent / f"{unit.name}.html").is_file()}
    return write_whole(path, course_page(course, made, summaries).encode())


def course_page(course: CourseRecord, made: datetime, summaries: Collection[str] = ()) -> str:
    """The page as HTML.

    Args:
        made: when the gradebook was read, in UTC.
        summaries: the units whose summary page, UNIT.html, is beside it.
    """
    mistakes = MistakeTable.of(course)
    counted = [f"{len(course.students):,} students", f"{len(course.units)} units", f"{course.best:g} XP"]
    script = _asset("course_page.js")
    return _PAGE.format(
        policy=_policy(script),
        theme=theme(),
        style=_asset("course_page.css"),
        facts=escape(f"{', '.join(counted)}. Read from the gradebook {made:%Y-%m-%d %H:%M} UTC."),
        units=units_section(course, mistakes, summaries),
        mistakes=mistakes_section(mistakes),
        students=class_section(course, mistakes),
        script=script,
    )


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _policy(script: str) -> str:
    """Nothing but this script runs and nothing is fetched, whatever a student writes into a name."""
    digest = base64.b64encode(hashlib.sha256(f"{script}".encode()).digest()).decode()
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The course</title>
<style>
{theme}
{style}</style>
</head>
<body>
<main>
<h1>The course</h1>
<p class="facts">{facts}</p>
<nav aria-label="Parts of this page"><a href="#units">Units</a> <a href="#mistakes">Mistakes</a>
<a href="#class">Students</a></nav>
{units}
{mistakes}
{students}
</main>
<script>{script}</script>
</body>
</html>
"""
