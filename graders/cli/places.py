"""Where the course's files are."""

from __future__ import annotations

from pathlib import Path

import click


def course_root(start: Path | None = None) -> Path:
    """The folder with `course/source`: the working directory or one above it, or the checkout this package is run from.

    Raises:
        click.ClickException: there is none.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if (folder / "course" / "source").is_dir():
            return folder
    raise click.ClickException(
        f"No course here: {here} has no folder course/source, nor has any folder above it. Expected to be run in the course's "
        "checkout: change to it (cd), then run the command again."
    )


def course_folder(start: Path | None = None) -> Path:
    """The nbgrader course: the working directory or one above it that has `source/` and nbgrader's configuration, whatever
    its name, as nbgrader's own commands take it; otherwise the checkout's `course/`.

    Raises:
        click.ClickException: there is none.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "source").is_dir() and any(folder.glob("nbgrader_config.*")):
            return folder
    return course_root(start) / "course"


def units(root: Path) -> list[Path]:
    """The source notebooks of a checkout, in order."""
    return lessons(root / "course")


def lessons(course: Path) -> list[Path]:
    """The source notebooks of a course folder, in order."""
    return sorted(path for path in (course / "source").glob("*/*.ipynb") if path.stem == path.parent.name)
