"""Where the course's files are, and where a student's copies go."""

from __future__ import annotations

from pathlib import Path

import click

MANIFEST = ".tlcourse.json"
"""In a folder of copies: which version of each file was put there."""
NO_COURSE = (
    "There is no course here: neither {here} nor any folder above it has a folder course/source. Change to "
    "the "
    "course's checkout (cd), then run the command again."
)


def course_root(start: Path | None = None) -> Path:
    """The folder that holds `course/source`: the working directory or one above it, else where this package
    is installed.

    Raises:
        click.ClickException: none of them holds it.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents, _installed()):
        if (folder / "course" / "source").is_dir():
            return folder
    raise click.ClickException(NO_COURSE.format(here=here))


def work_folder(start: Path | None = None) -> Path:
    """Where a student's copies go: `work/` in the checkout or, where the course came as a package, in the
    working directory.

    Copies made earlier, in the working directory or a folder above it, are found again.

    Raises:
        click.ClickException: there is no course.
    """
    here = (start or Path.cwd()).resolve()
    root = course_root(here)
    if _is_checkout(root):
        return root / "work"
    for folder in (here, *here.parents):
        for copies in (folder, folder / "work"):
            if (copies / MANIFEST).is_file():
                return copies
    return here / "work"


def course_folder(start: Path | None = None) -> Path:
    """The nbgrader course: the working directory or one above it that has `source/` and nbgrader's
    configuration, whatever its name, as nbgrader's own commands take it; otherwise the checkout's `course/`.

    Raises:
        click.ClickException: there is none, or only the installed package, which is not the place for grades.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "source").is_dir() and any(folder.glob("nbgrader_config.*")):
            return folder
    root = course_root(here)
    if not _is_checkout(root):
        raise click.ClickException(NO_COURSE.format(here=here))
    return root / "course"


def units(root: Path) -> list[Path]:
    """The source notebooks of a course, in order; `root` holds `course/source`."""
    return lessons(root / "course")


def lessons(course: Path) -> list[Path]:
    """The source notebooks of a course folder, in order."""
    return sorted(path for path in (course / "source").glob("*/*.ipynb") if path.stem == path.parent.name)


def _installed() -> Path:
    """The checkout that this package is imported from, or the folder that pip installed it into."""
    return Path(__file__).resolve().parents[2]


def _is_checkout(root: Path) -> bool:
    """Whether the course lies in a folder of its own, which may be written to."""
    return root != _installed() or (root / "pyproject.toml").is_file()
