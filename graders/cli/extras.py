"""What a command needs beyond what a student has installed, and the sentence that says how to get it."""

from __future__ import annotations

from importlib import import_module

import click

DISTRIBUTION = "transfer-learning-course"


def need(package: str, extra: str, command: str) -> None:
    """Make sure that `package`, which the extra brings, can be imported.

    Raises:
        click.ClickException: it is not installed.
    """
    try:
        import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:  # the package is there, and something that it needs is not
            raise
        raise click.ClickException(
            f"`{command}` needs the package {package}, which is not installed here. "
            f"Install it with: pip install '{DISTRIBUTION}[{extra}]'"
        ) from error


def need_driver(database: str, command: str) -> None:
    """Make sure that a gradebook on PostgreSQL can be opened; nbgrader's own, SQLite, needs nothing.

    Raises:
        click.ClickException: the driver is not installed.
    """
    if database.startswith("postgresql+psycopg:"):
        need("psycopg", "grading", command)
