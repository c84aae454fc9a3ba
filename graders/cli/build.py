"""`tlcourse build`: a student's copies of the lessons, and the home page; what a student changed is never
touched."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import click

from .places import MANIFEST, course_root, units, work_folder


@dataclass(frozen=True)
class Built:
    """What happened to one file: `what` is new, updated, kept (unchanged), or beside (you had changed yours,
    so the new version was written to `beside`)."""

    file: str
    what: str
    beside: str = ""


@click.command()
@click.option(
    "--dir", "folder", type=click.Path(file_okay=False, path_type=Path), help="Where your copies are. [work]"
)
@click.option("--json", "as_json", is_flag=True, help="Print what happened as JSON.")
def build(folder: Path | None, as_json: bool) -> None:
    """Make or update your copies of the lessons.

    A notebook that you changed is never overwritten: if the lesson has changed as well, its new version is
    put beside yours.
    """
    built = build_work(course_root(), folder or work_folder())
    if as_json:
        click.echo(json.dumps([vars(record) for record in built], indent=2))
    else:
        tell(built)


def tell(built: list[Built]) -> None:
    """Print a line for each file that was written."""
    for record in built:
        if record.what == "beside":
            click.echo(
                f"{record.file} has your changes and was left alone; the lesson's new version is "
                f"{record.beside}"
            )
        elif record.what != "kept":
            click.echo(f"{record.what}: {record.file}")


def build_work(root: Path, work: Path) -> list[Built]:
    """Bring `work` up to date with the lessons in `root`: all of them or, if one is unfit, none.

    Raises:
        click.ClickException: a lesson breaks a rule of `graders.lint.rules`, or `work` cannot be written to.
    """
    from graders.lint.refuse import UnfitLesson

    from .home import home_page
    from .student import student_files

    fresh: dict[str, bytes] = {}
    try:
        for source in units(root):
            fresh |= {f"{source.stem}/{name}": content for name, content in student_files(source).items()}
    except UnfitLesson as error:
        raise click.ClickException(str(error)) from error
    fresh["Home.md"] = home_page(root).encode()
    known = read_manifest(work)
    try:
        work.mkdir(parents=True, exist_ok=True)
        built = [_place(work, name, content, known) for name, content in fresh.items()]
        write_whole(work / MANIFEST, json.dumps(known, indent=2, sort_keys=True).encode())
    except OSError as error:
        raise click.ClickException(
            f"Your copies cannot be written to {work} ({error.strerror}). Nothing that you wrote was "
            "changed. Make the folder writable and run the command again, or choose another one with --dir."
        ) from error
    return built


def _place(work: Path, name: str, content: bytes, known: dict[str, str]) -> Built:
    target = work / name
    new = _digest(content)
    if not target.exists():
        write_whole(target, content)
        known[name] = new
        return Built(name, "new")
    mine = _digest(target.read_bytes())
    if mine == new:
        known[name] = new
        return Built(name, "kept")
    if mine == known.get(name):
        write_whole(target, content)
        known[name] = new
        return Built(name, "updated")
    # The student changed it. `known` remembers which version was offered, so that each is offered once.
    offered = f"{name} (offered)"
    if known.get(name) == new or known.get(offered) == new:
        return Built(name, "kept")
    beside = target.with_name(f"{target.stem}.new{target.suffix}")
    if name == "Home.md":
        return Built(name, "kept")
    if beside.exists() and _digest(beside.read_bytes()) != known.get(f"{name} (beside)"):
        number = 2
        while (beside := target.with_name(f"{target.stem}.new{number}{target.suffix}")).exists():
            number += 1
    write_whole(beside, content)
    known[offered] = known[f"{name} (beside)"] = new
    return Built(name, "beside", str(beside.relative_to(work)))


def read_manifest(work: Path) -> dict[str, str]:
    """Digests of the files as they were put there. Without a readable manifest, every file counts as
    changed."""
    try:
        known = json.loads((work / MANIFEST).read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def write_whole(path: Path, content: bytes) -> None:
    """Write to a temporary file and move it into place, so that no half-written file is ever seen."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.part")
    half.write_bytes(content)
    os.replace(half, path)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
