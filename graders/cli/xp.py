"""`tlcourse xp`: XP, levels and badges from the gradebook."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from .extras import need, need_driver
from .places import course_folder


@click.command()
@click.option("--student", metavar="ID", help="Only the student with this id.")
@click.option(
    "--db", help="The gradebook: a file, or the address of a database. [that of the course you are in]"
)
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw them to this file as well (.svg, .png or .pdf).",
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def xp(student: str | None, db: str | None, picture: Path | None, as_json: bool) -> None:
    """Show XP, levels and badges from the gradebook, highest first. A point is one XP. Nothing is changed."""
    need("rich", "grading", "tlcourse xp")
    from graders.autograde.course.folder import open_course
    from graders.autograde.records import GradingError
    from graders.names import normal_name, shown
    from graders.xp import GradebookError, read_students, standing

    try:
        database = db or open_course(course_folder()).directory.db_url
        need_driver(database, "tlcourse xp")
        students = read_students(database)
    except (GradebookError, GradingError) as error:
        raise click.ClickException(str(error)) from error
    if student is not None:
        known = [shown(one.id) for one in students]
        students = [one for one in students if normal_name(one.id) == normal_name(student)]
        if not students:
            names = ", ".join(known[:10]) + (" and others" if len(known) > 10 else "")
            raise click.ClickException(
                f"The gradebook has no student {student!r}. It has {names or 'none yet'}."
            )
    standings = sorted(map(standing, students), key=lambda one: (-one.xp, one.student.id))
    if as_json:
        click.echo(json.dumps([asdict(one) for one in standings], indent=2))
    else:
        _print(standings)
    if picture is not None:
        from graders.xp.picture import draw

        try:
            draw(standings, picture)
        except (ValueError, OSError) as error:
            reason = getattr(error, "strerror", None) or error
            raise click.ClickException(
                f"{picture} cannot be drawn: {reason}. Expected the name of an .svg, .png or .pdf file in a "
                "writable "
                "folder."
            ) from error
        click.echo(f"Drawn to {picture}", err=True)


def _print(standings: list) -> None:
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    from graders.names import shown
    from graders.xp import BADGES

    titles = {badge.id: badge.title for badge in BADGES}
    table = Table(Column("student", overflow="fold"), "XP", "rank", "next", "badges")
    for one in standings:
        name = shown(one.student.id) + (f" ({shown(one.student.name)})" if one.student.name else "")
        following = f"{one.next_rank} in {one.to_next:g} XP" if one.next_rank else ""
        badges = ", ".join(titles[id] for id in one.badges)
        table.add_row(Text(name), f"{one.xp:g}", f"{one.level} {one.rank}", following, badges)
    Console().print(table if standings else "The gradebook has no students yet.")
