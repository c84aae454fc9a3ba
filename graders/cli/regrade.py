"""`tlcourse regrade-requests`: list students' requests, and answer them."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path

import click

from .places import course_folder


@click.command()
@click.argument("unit", required=False)
@click.option("--student", metavar="ID", help="Only this student's or group's; with --answer, who gets it.")
@click.option("--answer", metavar="TEXT", help="Answer the request of --student; feedback shows it.")
@click.option("--open", "only_open", is_flag=True, help="Only those without an answer.")
@click.option(
    "--course",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The nbgrader course folder. [the one you are in, or the checkout's course]",
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def regrade_requests(
    unit: str | None,
    student: str | None,
    answer: str | None,
    only_open: bool,
    folder: Path | None,
    as_json: bool,
) -> None:
    """List requests to look at a grade again, for UNIT or all units, and answer them.

    A request is a file beside the submission, submitted/STUDENT/UNIT/regrade-request.md. An answer is kept
    with its request in regrade-requests/UNIT/STUDENT.json, and shown in the student's feedback.
    """
    from graders.autograde.course.folder import open_course
    from graders.autograde.course.lesson import find_assignment
    from graders.autograde.records import GradingError
    from graders.autograde.regrade.requests import read_requests, write_answer
    from graders.names import normal_name, shown

    from .places import lessons

    if answer is not None and (unit is None or student is None or not answer.strip()):
        raise click.UsageError("An --answer needs a text, a UNIT and --student.")
    try:
        course = open_course(folder or course_folder())
        known = [path.parent.name for path in lessons(course.root)]
        units = known if unit is None else [find_assignment(course, unit)]
        found = [one for name in units for one in read_requests(course, name)]
        if student is not None:
            found = [one for one in found if one.student == normal_name(student)]
        if answer is not None:
            if not found:
                raise GradingError(f"{shown(student or '')} has no request for {units[0]}.")
            write_answer(course, found[0], answer.strip())
            _feedback_is_old(course, units[0], found[0].student)
            click.echo(
                f"Answered. `nbgrader generate_feedback {units[0]} --force` puts it into the student's "
                "feedback."
            )
            return
    except GradingError as error:
        raise click.ClickException(str(error)) from error
    found = [one for one in found if one.is_open] if only_open else found
    if as_json:
        click.echo(json.dumps([{**asdict(one), "open": one.is_open} for one in found], indent=2))
        return
    for one in found:
        state = "open" if one.is_open else "answered"
        click.echo(f"{one.unit} {shown(one.student)}: {state}")
        text = one.text or one.problem or one.answers[-1].request
        click.echo("".join(f"    {shown(line, 2000)}\n" for line in text.splitlines()), nl=False)
        for reply in one.answers if not one.is_open else ():
            click.echo(f"  answer ({reply.at} UTC): {shown(reply.answer, 2000)}")
    click.echo(f"{sum(one.is_open for one in found)} open, {len(found)} in all.", err=True)


def _feedback_is_old(course, unit: str, student: str) -> None:
    """Feedback without the answer is older than the graded notebook from now on."""
    for who in {student, *student.split("+")}:
        for path in course.folder("autograded", who, unit).glob("*.ipynb"):
            with contextlib.suppress(OSError):
                path.touch()
