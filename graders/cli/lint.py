"""`tlcourse lint-lesson`: lessons looked over before they are handed out, and how many mistakes their checks catch."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from .places import course_folder, lessons


@click.command("lint-lesson")
@click.argument("unit", nargs=-1)
@click.option("--static", is_flag=True, help="Only the rules that need nothing to be run.")
@click.option(
    "--mutants/--no-mutants", "mutate", default=True, help="Try faulty versions of right programs. [yes]"
)
@click.option(
    "--strict", is_flag=True, help="Refuse a lesson with survivors that are not marked as equivalent."
)
@click.option("--jobs", type=click.IntRange(1), help="Trials at a time. [processors, at most 4]")
@click.option("--timeout", default=20.0, show_default=True, help="Seconds a trial may take.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def lint_lesson(
    unit: tuple[str, ...],
    static: bool,
    mutate: bool,
    strict: bool,
    jobs: int | None,
    timeout: float,
    as_json: bool,
) -> None:
    """Look lessons over before they are handed out: all of them, or each UNIT (01, or 01-transfer-learning).

    \b
    Refused (exit status 1):
      comparisons in test cells that empty shapes or foreign objects pass
      test cells that write to stderr, assert nothing, or end in a value
      exercises that need demonstrations or other exercises
      points, grade_ids, tags, locks, regions, hidden tests, stored outputs
      a right program that fails, an unanswered cell that passes
      a wrong program that is not told by its own message

    Reported is how much each check catches: the catalogue's wrong programs, and mutants, which are right programs with one
    small fault put in. A survivor is a mutant that passed: sharpen the check, or mark it in the exercise's record,
    `equivalent=(("old => new", "why"),)`, when it is no fault. Everything runs in processes of its own.
    """
    reports = []
    for path in _chosen(unit):
        reports.append(_static(path) if static else _whole(path, mutate, jobs, timeout, quiet=as_json))
    refused = any(
        report.findings or (strict and any(rate.survivors for rate in report.rates)) for report in reports
    )
    if as_json:
        click.echo(json.dumps([asdict(report) for report in reports], indent=2))
    else:
        _print(reports)
    sys.exit(refused)


def _chosen(names: tuple[str, ...]) -> list[Path]:
    there = lessons(course_folder())
    known = {name: path for path in there for name in (path.stem, path.stem.partition("-")[0])}
    for name in names:
        if name not in known:
            expected = ", ".join(path.stem for path in there) or "none yet"
            raise click.UsageError(f"There is no unit {name!r}. Expected one of {expected}, or its number.")
    return list(dict.fromkeys(known[name] for name in names)) if names else there


def _static(path: Path):
    from graders.checks.notebook import read_notebook
    from graders.lint.lesson import Report
    from graders.lint.rules import static_findings

    return Report(path.stem, static_findings(read_notebook(path), path.stem))


def _whole(path: Path, mutate: bool, jobs: int | None, timeout: float, quiet: bool):
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from graders.checks import exercises
    from graders.checks.notebook import read_notebook
    from graders.lint import lesson

    from .student import unchecked_student_notebook

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=quiet) as progress:
        bars: dict = {}

        def tell(exercise: str, done: int, of: int) -> None:
            if exercise not in bars:
                bars[exercise] = progress.add_task(exercise, total=of)
            progress.update(bars[exercise], completed=done)

        return lesson.lint_lesson(
            read_notebook(path),
            unchecked_student_notebook(path),
            path.stem,
            exercises(path.stem),
            mutate=mutate,
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
        state = "clean" if not count else f"{count} thing{'s' * (count > 1)} to mend"
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
