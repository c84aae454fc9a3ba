"""`tlcourse check`: a student's own check of a notebook."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from .places import course_root, units


@click.command()
@click.argument("notebook", type=click.Path(path_type=Path))
@click.option("--timeout", default=120, show_default=True, help="Seconds that a cell may take.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def check(notebook: Path, timeout: int, as_json: bool) -> None:
    """Check the exercises of your copy of a lesson as the grader would.

    Run set-up, your answers and the lesson's own checks in a new kernel, without the demonstrations, whatever
    became of the checks in your copy. The XP shown are provisional, and the notebook is not changed. Exit
    status 1: an exercise is not solved yet.
    """
    from graders.autograde.text import strip_control_characters
    from graders.checks.notebook import NotebookError, run_checks
    from graders.names import shown

    from .answers import read_answers

    try:
        rebuilt = read_answers(notebook, units(course_root()))
    except NotebookError as error:
        raise click.UsageError(str(error)) from error
    submission = rebuilt.submission
    cells = ((cell.source, cell.grade_id, cell.points) for cell in submission.cells)
    results = run_checks(cells, notebook.parent, timeout)
    earned, best = sum(result.xp for result in results), sum(result.best for result in results)
    if as_json:
        records = [{**asdict(result), "passed": result.passed} for result in results]
        found = {"lesson": submission.notebook, "xp": earned, "best": best, "provisional": True}
        click.echo(json.dumps({**found, "notes": submission.notes, "checks": records}, indent=2))
    else:
        for note in submission.notes:
            click.echo(f"Note: {shown(note, 2000)}")
        for result in results:
            mark = click.style("✓", fg="green") if result.passed else click.style("✗", fg="red")
            click.echo(f"{mark} {result.check}: {result.xp:g} of {result.best:g} XP")
            for line in strip_control_characters(result.message).splitlines():
                click.echo(f"    {line}")
        click.echo(f"{earned:g} of {best:g} XP, provisional: the gradebook has the last word.")
    sys.exit(earned < best)
