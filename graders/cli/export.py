"""`tlcourse export`: grades as a file for Moodle, Canvas or Blackboard, or as a plain table."""

from __future__ import annotations

from pathlib import Path

import click

from .gradebooks import OPTION_HELP, gradebook_address, output_file
from .places import course_folder

_FORMATS = ("moodle", "canvas", "blackboard", "table")
_SHOWN = 20  # students named in a list


@click.command()
@click.argument("format", type=click.Choice(_FORMATS))
@click.argument("units", nargs=-1)
@click.option("--db", help=OPTION_HELP)
@click.option(
    "--output", type=click.Path(path_type=Path), help="Where to write it. [grading/FORMAT.csv in the course]"
)
@click.option("--force", is_flag=True, help="Replace the file if there is one.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="UNIT=HEADING",
    help="The heading that the platform has for a unit, as its own export shows it; once for each unit.",
)
@click.option(
    "--identify",
    type=click.Choice(["id", "email", "lms"]),
    help="By what the platform finds a student: the id, the e-mail address or the lms_user_id of the "
    "gradebook. [email for moodle, otherwise id]",
)
@click.option("--zero", is_flag=True, help="Write 0 for what was not handed in, rather than nothing.")
def export(
    format: str,
    units: tuple[str, ...],
    db: str | None,
    output: Path | None,
    force: bool,
    columns: tuple[str, ...],
    identify: str | None,
    zero: bool,
) -> None:
    """Write grades to a CSV file for FORMAT, with late penalties taken off. UNITS are names or numbers; all
    units without any.

    Nothing in the gradebook changes, and no file is replaced without --force. Students whom the platform
    could not find are left out, and you get a line for each.
    """
    from graders.autograde.results.files import write_whole
    from graders.exports import ExportError
    from graders.exports import export as exported
    from graders.overview.reading import read_course
    from graders.units import UnknownUnit, find_unit
    from graders.xp import GradebookError

    path = output_file(output or course_folder() / "grading" / f"{format}.csv", force, "the grades")
    try:
        course = read_course(gradebook_address(db, "tlcourse export"))
        known = [unit.name for unit in course.units]
        made = exported(
            course,
            format,
            units=[find_unit(unit, known) for unit in units],
            headings={find_unit(unit, known): heading for unit, heading in map(_pair, columns)},
            identity=identify,  # type: ignore[arg-type]  # click checks it
            zero=zero,
        )
    except (GradebookError, ExportError, UnknownUnit) as error:
        raise click.ClickException(str(error)) from error
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, made.content)
    except OSError as error:
        raise click.ClickException(
            f"The grades cannot be written to {path} ({error.strerror}). Expected the name of a file in a "
            "writable folder: choose another one with --output."
        ) from error
    _tell(made, path)


def _pair(column: str) -> tuple[str, str]:
    unit, equals, heading = column.partition("=")
    if not equals:
        raise click.ClickException(f"{column!r} is not UNIT=HEADING, such as 01='Transfer learning (4711)'.")
    return unit, heading


def _tell(made, path: Path) -> None:
    from graders.names import shown

    for student, reason in made.left_out[:_SHOWN]:
        click.echo(f"{shown(student)} is not in the file: {reason}.", err=True)
    if len(made.left_out) > _SHOWN:
        click.echo(f"... and {len(made.left_out) - _SHOWN} others.", err=True)
    if made.waiting:
        click.echo(
            f"{made.waiting} results wait for a person's grade (formgrader) and are written as they are now.",
            err=True,
        )
    count = f"{made.students} student" + ("" if made.students == 1 else "s")
    click.echo(f"{count} written to {path}", err=True)
