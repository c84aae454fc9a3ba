"""What is alike in a unit, side by side, as a page for the instructor."""

from __future__ import annotations

from html import escape
from pathlib import Path

from graders.autograde.results.files import write_whole
from graders.autograde.text import visible_source
from graders.names import shown
from graders.overview.theme import theme

from .answers import OWN_CELLS, ExerciseLikeness, UnitLikeness
from .compare import Likeness
from .text import NO_VERDICT, counts, measure, repeated, who

MOST = 50  # of an exercise
_SOURCE_BYTES = 16 << 10
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def write_page(unit: UnitLikeness, path: Path) -> Path:
    """Write the page.

    Raises:
        OSError: the disk is full, or cannot be written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_whole(path, page(unit).encode("utf-8", "replace"))


def page(unit: UnitLikeness) -> str:
    """The page as HTML; it has no script."""
    shown_exercises = [one for one in unit.exercises if one.answers or one.exercise != OWN_CELLS]
    skipped = "".join(f"<li>{_bold(name)}: {escape(shown(reason))}</li>" for name, reason in unit.skipped)
    return _PAGE.format(
        policy=_POLICY,
        theme=theme(),
        name=escape(shown(unit.unit)),
        students=unit.students,
        verdict=escape(NO_VERDICT),
        skipped=f"<h2>Not compared</h2><ul>{skipped}</ul>" if skipped else "",
        repeated=_repeated(unit),
        exercises="".join(map(_exercise, shown_exercises)),
    )


def _repeated(unit: UnitLikeness) -> str:
    pairs = repeated(unit)
    if not pairs:
        return ""
    items = "".join(
        f"<li>{_bold(one)} and {_bold(other)}: {escape(', '.join(map(shown, ids)))}</li>"
        for one, other, ids in pairs[:MOST]
    )
    more = f"<p class='facts'>... and {len(pairs) - MOST} more.</p>" if len(pairs) > MOST else ""
    return f"<h2>Alike in more than one exercise</h2><ul>{items}</ul>{more}"


def _exercise(one: ExerciseLikeness) -> str:
    unread = "".join(f"<li>{_bold(who)}: {escape(shown(reason))}</li>" for who, reason in one.unread)
    more = len(one.found) - MOST
    return (
        f"<h2>{escape(shown(one.exercise))}</h2><p class='facts'>{escape(counts(one))}</p>"
        f"{''.join(map(_likeness, one.found[:MOST]))}"
        + (f"<p class='facts'>... and {more} more.</p>" if more > 0 else "")
        + (f"<details><summary>not compared</summary><ul>{unread}</ul></details>" if unread else "")
    )


def _likeness(one: Likeness) -> str:
    names = [group[0] for group in one.students if group] if not one.equal else list(one.students[0][:2])
    columns = "".join(
        f'<div><h3><bdi>{escape(shown(name))}</bdi></h3><pre tabindex="0" aria-label="{escape(shown(name))}">'
        f"{_source(source, lines)}</pre></div>"
        for name, source, lines in zip(names, one.sources, one.lines, strict=True)
    )
    return (
        f"<details><summary>{escape(measure(one))}: <bdi>{escape(who(one))}</bdi></summary>"
        f'<div class="pair">{columns}</div></details>'
    )


def _source(source: str, marked: frozenset[int]) -> str:
    rows = visible_source(source, _SOURCE_BYTES).split("\n")
    return "\n".join(
        f"<mark>{escape(row)}</mark>" if number in marked and row.strip() else escape(row)
        for number, row in enumerate(rows, 1)
    )


def _bold(name: str) -> str:
    return f"<b><bdi>{escape(shown(name))}</bdi></b>"


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Alike in {name}</title>
<style>
{theme}
body {{ margin: 0 auto; max-width: 90rem; padding: 1rem 1.5rem 3rem; font: 16px/1.45 system-ui, sans-serif;
  color: var(--ink); background: var(--paper); }}
.facts {{ color: var(--quiet); }}
.warning {{ background: var(--warn); padding: .6rem 1rem; border-left: 4px solid var(--edge); }}
summary {{ cursor: pointer; padding: .25rem 0; overflow-wrap: anywhere; }}
:focus-visible {{ outline: 2px solid var(--good); outline-offset: 1px; }}
.pair {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 1rem; }}
.pair > div {{ min-width: 0; }}
h3 {{ margin: .3rem 0; font-size: 1rem; overflow-wrap: anywhere; }}
pre {{ margin: 0; padding: .6rem; overflow: auto; max-height: 30rem; background: var(--field);
  border: 1px solid var(--line); font-size: .875rem; line-height: 1.4; tab-size: 4; }}
mark {{ background: var(--lost); color: inherit; }}
li {{ overflow-wrap: anywhere; }}
</style>
</head>
<body>
<main>
<h1>Alike in {name}</h1>
<p class="facts">{students} submissions. Names, constants, comments and order do not count; nor does what the
lesson gave, and what half of the class has. Marked lines have something that few others have.</p>
<p class="warning" role="note">{verdict}</p>
{repeated}
{exercises}
{skipped}
</main>
</body>
</html>
"""
