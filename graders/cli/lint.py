"""`tlcourse lint-lesson`: checks lessons before they are released, and says how much their checks catch."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from graders.units import UnknownUnit, find_unit

from .extras import need
from .places import course_folder, lessons
from .width_table import print_widths


@click.command("lint-lesson")
@click.argument("unit", nargs=-1)
@click.option("--static", is_flag=True, help="Only the rules that need nothing to be run.")
@click.option(
    "--mutants/--no-mutants", "mutate", default=True, help="Try faulty versions of right programs. [yes]"
)
@click.option(
    "--width/--no-width",
    default=True,
    help="Run the lesson, and compare what its checks draw with what it gives its functions. [yes]",
)
@click.option(
    "--strict", is_flag=True, help="Also reject a lesson with survivors or narrow checks that are not marked."
)
@click.option("--jobs", type=click.IntRange(1), help="Trials at a time. [processors, at most 4]")
@click.option("--timeout", default=20.0, show_default=True, help="Seconds a trial may take.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def lint_lesson(
    unit: tuple[str, ...],
    static: bool,
    mutate: bool,
    width: bool,
    strict: bool,
    jobs: int | None,
    timeout: float,
    as_json: bool,
) -> None:
    """Check lessons before they are released: all of them, or each UNIT (01, or 01-transfer-learning).

    \b
    Rejected (exit status 1):
      comparisons in test cells that empty shapes or foreign objects pass
      test cells that write to stderr, assert nothing, or end in a value
      exercises that need demonstrations or other exercises
      points, grade_ids, tags, locks, regions, hidden tests, stored outputs
      a right program that fails, an unanswered cell or a cheat that passes
      the program of a mistake that does not get the mistake's message
      programs that are missing or belong to no mistake

    It also says how much each check catches: the programs of named mistakes, and mutants, which are right
    programs with one small fault. A survivor is a mutant that passed: sharpen the check, or, if the change
    makes no difference, mark it in exercise.py, `equivalent=(("old => new", "why"),)`.

    Then it runs the lesson, and says how wide each check draws: a table of what the lesson and the check
    give to the exercise's functions, dimension by dimension, and overfitting mutants, which are right for
    what the check happens to draw. Widen what is too narrow, or, if it is narrow on purpose, say so in
    exercise.py, `narrow=(("dimension", "why"),)`. Everything runs in processes of its own.
    """
    need("rich", "grading", "tlcourse lint-lesson")
    reports = []
    for path in _chosen(unit):
        reports.append(_static(path) if static else _whole(path, mutate, width, jobs, timeout, quiet=as_json))
    refused = any(report.findings or (strict and _weak(report)) for report in reports)
    if as_json:
        click.echo(json.dumps([asdict(report) for report in reports], indent=2))
    else:
        _print(reports)
    sys.exit(refused)


def _chosen(names: tuple[str, ...]) -> list[Path]:
    there = {path.stem: path for path in lessons(course_folder())}
    try:
        chosen = [find_unit(name, there) for name in names]
    except UnknownUnit as error:
        raise click.UsageError(str(error)) from error
    return [there[unit] for unit in dict.fromkeys(chosen or there)]


def _weak(report) -> bool:
    """Whether a check lets mutants pass, or draws narrowly, without a mark."""
    return any(rate.survivors for rate in report.rates) or any(width.too_narrow for width in report.widths)


def _static(path: Path):
    from graders.checks import exercises
    from graders.checks.notebook import read_notebook
    from graders.lint.lesson import Report, record_findings
    from graders.lint.rules import static_findings

    notebook = read_notebook(path)
    found = (*static_findings(notebook, path.stem), *record_findings(notebook, exercises(path.stem)))
    return Report(path.stem, found)


def _whole(path: Path, mutate: bool, width: bool, jobs: int | None, timeout: float, quiet: bool):
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from graders.checks import exercises
    from graders.checks.notebook import read_notebook
    from graders.lint import lesson

    from .student import unchecked_student_notebook

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=quiet) as progress:
        bars: dict = {}

        def tell(what: str, done: int, of: int) -> None:
            if what not in bars:
                bars[what] = progress.add_task(what, total=of)
            progress.update(bars[what], completed=done, total=of)

        return lesson.lint_lesson(
            read_notebook(path),
            unchecked_student_notebook(path),
            path.stem,
            exercises(path.stem),
            mutate=mutate,
            width_in=path.parent if width else None,
            jobs=jobs,
            timeout=timeout,
            on_progress=tell,
        )


def _print(reports: list) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, soft_wrap=True)
    for report in reports:
        count = len(report.findings)
        state = "clean" if not count else f"{count} thing{'s' * (count > 1)} to fix"
        console.print(
            f"{'✗' if count else '✓'} {report.unit}: {state}", style="red" if count else "green", markup=False
        )
        for finding in report.findings:
            console.print(f"    {finding} ({finding.rule})", markup=False)
        if not report.rates:
            continue
        table = Table("exercise", "named mistakes caught", "mutants caught", "equivalent", "survivors")
        for rate in report.rates:
            table.add_row(
                rate.exercise,
                f"{rate.named} of {rate.of_named}",
                f"{rate.caught} of {rate.mutants}",
                str(rate.equivalent),
                str(len(rate.survivors)),
            )
        console.print(table)
        for rate in report.rates:
            for survivor in rate.survivors:
                console.print(f"    {rate.exercise}, {survivor.program}: {survivor.change}", markup=False)
        print_widths(console, report.widths)
