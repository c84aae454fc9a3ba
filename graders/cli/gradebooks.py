"""Which gradebook a command reads."""

from __future__ import annotations

from pathlib import Path

import click

from .extras import need_driver
from .places import course_folder

OPTION_HELP = "The gradebook: a file, or the address of a database. [that of the course you are in]"


def gradebook_address(db: str | None, command: str) -> str:
    """The address of the gradebook that `--db` names, or of the course around the working directory.

    Raises:
        click.ClickException: there is no course, its configuration cannot be read, or the database's driver
            is missing.
    """
    if db is None:
        from graders.autograde.course.folder import open_course
        from graders.autograde.records import GradingError

        try:
            db = open_course(course_folder()).directory.db_url
        except GradingError as error:
            raise click.ClickException(str(error)) from error
    need_driver(db, command)
    return db


def output_file(path: Path, force: bool, kind: str) -> Path:
    """The path, if something may be written there.

    Raises:
        click.ClickException: there is a file already and `force` is false, or it is a folder.
    """
    if path.is_dir():
        raise click.ClickException(f"{path} is a folder. Expected the name of a file for {kind}.")
    if path.exists() and not force:
        raise click.ClickException(
            f"{path} exists already, and nothing was written. Choose another name, or use --force."
        )
    return path
