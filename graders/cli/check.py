"""`tlcourse check`: a student's own check of a notebook, or of all."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .places import course_root, units, work_folder

if TYPE_CHECKING:
    from graders.checks.notebook import Result


@dataclass(frozen=True)
class Checked:
    """A lesson's checks, run on a student's answers."""

    lesson: str
    notes: tuple[str, ...]
    results: list[Result]

    @property
    def earned(self) -> float:
        """XP earned."""
        return sum(result.xp for result in self.results)

    @property
    def best(self) -> float:
        """XP that can be earned."""
        return sum(result.best for result in self.results)

    def record(self) -> dict:
        """As JSON."""
        checks = [{**asdict(result), "passed": result.passed} for result in self.results]
        found = {"lesson": self.lesson, "xp": self.earned, "best": self.best, "provisional": True}
        return {**found, "notes": self.notes, "checks": checks}


@click.command()
@click.argument("notebooks", nargs=-1, metavar="[NOTEBOOK]...", type=click.Path(path_type=Path))
@click.option("--timeout", default=120, show_default=True, help="Seconds that a cell may take.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def check(notebooks: tuple[Path, ...], timeout: int, as_json: bool) -> None:
    """Check the exercises of your copies of the lessons as the grader would: all of them, or each NOTEBOOK.

    A NOTEBOOK is a path, or the number of a lesson (01). Run set-up, your answers and the lesson's own checks
    in a new kernel, without the demonstrations, whatever became of the checks in your copy. The XP shown are
    provisional, and the notebooks are not changed. Exit status 1: an exercise is not solved yet.
    """
    sources = units(course_root())
    chosen = [_copy(one, sources) for one in notebooks] or _copies(sources)
    found = []
    for place, path in enumerate(chosen):
        if not as_json and len(chosen) > 1:
            click.echo("\n" * bool(place) + click.style(path.stem, bold=True))
        found.append(_checked(path, sources, timeout))
        if not as_json:
            _print(found[-1])
    earned, best = sum(one.earned for one in found), sum(one.best for one in found)
    if as_json and len(notebooks) == 1:
        click.echo(json.dumps(found[0].record(), indent=2))
    elif as_json:
        lessons = [one.record() for one in found]
        click.echo(
            json.dumps({"lessons": lessons, "xp": earned, "best": best, "provisional": True}, indent=2)
        )
    else:
        total = f"All {len(found)} lessons: " if len(found) > 1 else ""
        click.echo(f"{total}{earned:g} of {best:g} XP, provisional: the gradebook has the last word.")
    sys.exit(earned < best)


def _copies(sources: list[Path]) -> list[Path]:
    """The student's copies of all lessons."""
    folder = work_folder()
    found = [folder / source.parent.name / source.name for source in sources]
    there = [path for path in found if path.is_file()]
    if not there:
        raise click.UsageError(
            f"There are no copies of the lessons in {folder}. `tlcourse lab` puts them there; or give a "
            "notebook's path."
        )
    return there


def _copy(given: Path, sources: list[Path]) -> Path:
    """The path as it is, or the student's copy of the lesson whose number or name it is."""
    if given.exists():
        return given
    named = [one for one in sources if str(given) in (one.stem, one.stem.partition("-")[0])]
    return work_folder() / named[0].parent.name / named[0].name if named else given


def _checked(path: Path, sources: list[Path], timeout: int) -> Checked:
    from graders.checks.notebook import NotebookError, run_checks

    from .answers import read_answers

    try:
        submission = read_answers(path, sources).submission
    except NotebookError as error:
        raise click.UsageError(str(error)) from error
    cells = ((cell.source, cell.grade_id, cell.points) for cell in submission.cells)
    return Checked(
        submission.notebook, tuple(submission.notes), list(run_checks(cells, path.parent, timeout))
    )


def _print(checked: Checked) -> None:
    from graders.autograde.text import strip_control_characters
    from graders.names import shown

    for note in checked.notes:
        click.echo(f"Note: {shown(note, 2000)}")
    for result in checked.results:
        mark = click.style("✓", fg="green") if result.passed else click.style("✗", fg="red")
        click.echo(f"{mark} {result.check}: {result.xp:g} of {result.best:g} XP")
        for line in strip_control_characters(result.message).splitlines():
            click.echo(f"    {line}")
