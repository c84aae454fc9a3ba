"""`tlcourse xp`: XP, levels and badges from the gradebook."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from .places import course_folder


@click.command()
@click.option("--student", metavar="ID", help="Only the student with this id.")
@click.option("--db", help="The gradebook: a file, or a database's address. [that of the course you are in]")
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw them to this file, too (.svg, .png or .pdf).",
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def xp(student: str | None, db: str | None, picture: Path | None, as_json: bool) -> None:
    """Show XP, levels and badges from the gradebook, highest first. A point is an XP; nothing is changed."""
    from graders.autograde.course import open_course
    from graders.autograde.records import GradingError
    from graders.xp import GradebookError, read_students, standing

    try:
        students = read_students(db or open_course(course_folder()).directory.db_url)
    except (GradebookError, GradingError) as error:
        raise click.ClickException(str(error)) from error
    if student is not None:
        known = [one.id for one in students]
        students = [one for one in students if one.id == student]
        if not students:
            raise click.ClickException(
                f"The gradebook has no student {student!r}. It has {', '.join(known) or 'none yet'}."
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
                f"{picture} can't be drawn: {reason}. Expected the name of an .svg, .png or .pdf file in a folder that can be "
                "written to."
            ) from error
        click.echo(f"Drawn to {picture}", err=True)


def _print(standings: list) -> None:
    from rich.console import Console
    from rich.table import Column, Table

    from graders.xp import BADGES

    titles = {badge.id: badge.title for badge in BADGES}
    table = Table(Column("student", overflow="fold"), "XP", "rank", "next", "badges")
    for one in standings:
        name = one.student.id + (f" ({one.student.name})" if one.student.name else "")
        following = f"{one.next_rank} in {one.to_next:g} XP" if one.next_rank else ""
        badges = ", ".join(titles[id] for id in one.badges)
        table.add_row(name, f"{one.xp:g}", f"{one.level} {one.rank}", following, badges)
    Console().print(table if standings else "The gradebook has no students yet.")
