"""`tlcourse course-page`: one page for the course: who, how far, and which mistakes."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import click

from .gradebooks import OPTION_HELP, gradebook_address, output_file
from .places import course_folder

NAME = "course-page.html"


@click.command()
@click.option("--db", help=OPTION_HELP)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help=f"Where to write it. [grading/{NAME} in the course you are in, which is renewed]",
)
@click.option("--force", is_flag=True, help="Replace the file that --output names, if there is one.")
def course_page(db: str | None, output: Path | None, force: bool) -> None:
    """Make one page for the course: who handed in what, how far each student is, and which named mistakes
    were made, over all units.

    The page is a single HTML file for you alone, since it has names and scores. It can be sorted and
    filtered, asks the network for nothing, and changes nothing in the gradebook.
    """
    from graders.overview.page import write_course_page
    from graders.overview.reading import read_course
    from graders.xp.gradebook import GradebookError

    path = (
        course_folder() / "grading" / NAME
        if output is None
        else output_file(output, force, "the course's page")
    )
    try:
        course = read_course(gradebook_address(db, "tlcourse course-page"))
    except GradebookError as error:
        raise click.ClickException(str(error)) from error
    try:
        write_course_page(course, path, datetime.now(timezone.utc))
    except OSError as error:
        raise click.ClickException(
            f"The page cannot be written to {path} ({error.strerror}). Expected the name of a file in a "
            "writable folder: choose another one with --output."
        ) from error
    click.echo(f"Written to {path}", err=True)
