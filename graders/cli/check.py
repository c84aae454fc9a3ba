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
    """Check a notebook's exercises as the grader would.

    Runs set-up, answers and checks in a new kernel and leaves demonstrations out. The XP shown are provisional; the
    notebook is not changed. Exit status 1: an exercise is not solved yet.
    """
    from graders.checks.notebook import NotebookError, run_checks

    try:
        results = run_checks(notebook, _source_of(notebook), timeout)
    except NotebookError as error:
        raise click.UsageError(str(error)) from error
    earned, best = sum(result.xp for result in results), sum(result.best for result in results)
    if as_json:
        records = [{**asdict(result), "passed": result.passed} for result in results]
        click.echo(json.dumps({"xp": earned, "best": best, "provisional": True, "checks": records}, indent=2))
    else:
        for result in results:
            mark = click.style("✓", fg="green") if result.passed else click.style("✗", fg="red")
            click.echo(f"{mark} {result.check}: {result.xp:g} of {result.best:g} XP")
            for line in result.message.splitlines():
                click.echo(f"    {line}")
        click.echo(f"{earned:g} of {best:g} XP, provisional: the gradebook has the last word.")
    sys.exit(earned < best)


def _source_of(notebook: Path) -> Path | None:
    """The lesson that a notebook is a copy of, if it is in reach."""
    try:
        sources = units(course_root())
    except click.ClickException:
        return None
    return next((source for source in sources if source.name == notebook.name), None)
