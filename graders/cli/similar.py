"""`tlcourse similar`: answers that are alike in form, as pairs to look at."""

from __future__ import annotations

from pathlib import Path

import click

from .places import course_folder

_MOST = 15


@click.command()
@click.argument("unit")
@click.option(
    "--course",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The nbgrader course folder. [the one you are in, or the checkout's course]",
)
@click.option(
    "--at-least",
    type=click.FloatRange(0, 1),
    default=0.7,
    show_default=True,
    help="How much alike two answers have to be, from 0 to 1, to be listed.",
)
@click.option(
    "--evidence",
    type=click.FloatRange(1),
    default=10.0,
    show_default=True,
    help="How many parts that few others have two answers have to share to be listed.",
)
def similar(unit: str, folder: Path | None, at_least: float, evidence: float) -> None:
    """List answers to the exercises of UNIT that are alike in form, the most telling first: pairs for you to
    look at, not a verdict.

    Names, constants, comments and the order of statements do not count. What the lesson gives counts nothing,
    nor does what half of the class has; a known right answer counts as one of the class. The same is written
    to grading/UNIT-similar.html, side by side, for you alone. Nothing is run, and nothing is graded.
    """
    from graders.autograde.course.folder import open_course
    from graders.autograde.course.lesson import find_assignment, load_assignment
    from graders.autograde.records import GradingError
    from graders.similar.answers import compare_unit
    from graders.similar.page import write_page
    from graders.similar.text import lines

    try:
        course = open_course(folder or course_folder())
        name = find_assignment(course, unit)
        found = compare_unit(course, load_assignment(course, name), at_least, evidence)
    except GradingError as error:
        raise click.ClickException(str(error)) from error
    for line in lines(found, _MOST):
        click.echo(line)
    path = course.root / "grading" / f"{name}-similar.html"
    try:
        write_page(found, path)
    except OSError as error:
        raise click.ClickException(
            f"The page cannot be written to {path} ({error.strerror}). Make the folder writable, then "
            "run the command again."
        ) from error
    click.echo(f"Side by side: {path}", err=True)
