"""A student's folder: which notebooks are in it, and their bytes. Nothing is followed out of the folder."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from graders.names import shown

from ..text import printable_name

MAX_FILE_BYTES = 32 << 20  # pictures in outputs are large, and they are thrown away
_FROM_EXCHANGE = ("timestamp.txt", "submission_secret.txt")


class SubmissionError(ValueError):
    """A submission cannot be read or rebuilt; the message is for the student and the instructor."""


@dataclass(frozen=True)
class SubmittedFile:
    """Where a notebook of the assignment was found in a student's folder.

    Attributes:
        name: the notebook's name in the assignment, without its ending.
        path: None if it was not found; `problem` then says why.
        notes: what was put right ("it had another name").
    """

    name: str
    path: Path | None
    problem: str = ""
    notes: tuple[str, ...] = ()


def find_notebooks(folder: Path, names: tuple[str, ...]) -> tuple[SubmittedFile, ...]:
    """Find the notebooks of an assignment in a student's folder.

    If exactly one notebook is missing and exactly one other notebook is there, that one is taken for it.
    Hidden files are
    ignored: some systems add one to each file they pack (`._NAME`).
    """
    if folder.is_symlink() or folder.parent.is_symlink():
        problem = "The folder is a link, and links are not followed. Hand in the folder itself."
        return tuple(SubmittedFile(name, None, problem) for name in names)
    try:
        files = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    except OSError as error:
        problem = (
            f"There is a file where a folder was expected: {shown(folder.name)}. Hand in a folder with the "
            "notebook in it."
            if folder.is_file()
            else f"The folder cannot be read ({error.strerror}). Check its permissions, or ask for a copy."
        )
        return tuple(SubmittedFile(name, None, problem) for name in names)
    present = {path.stem: path for path in files if path.suffix.lower() == ".ipynb"}
    missing = [name for name in names if name not in present]
    others = [stem for stem in present if stem not in names]
    renamed = others[0] if len(others) == len(missing) == 1 else None
    found = []
    for name in names:
        if name in present:
            found.append(SubmittedFile(name, present[name]))
        elif renamed is not None:
            note = f"The notebook was called {printable_name(renamed)}.ipynb; it was taken for {name}.ipynb."
            found.append(SubmittedFile(name, present[renamed], notes=(note,)))
        else:
            problem = (
                f"{name}.ipynb was not handed in: expected it in the folder, but {_contents(files)}. Hand in "
                "the notebook itself, under that name."
            )
            found.append(SubmittedFile(name, None, problem))
    return tuple(found)


def read_file(path: Path, limit: int = MAX_FILE_BYTES) -> bytes:
    """Read a regular file of a submission, at most `limit` bytes and one more.

    Follows no link and waits for no pipe.

    Raises:
        SubmissionError: it is not a regular file, or cannot be read.
    """
    name = printable_name(path.name)
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        if path.is_symlink():
            raise SubmissionError(f"{name} is a link, and links are not followed. Hand in the file itself.")
        with open(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise SubmissionError(
                    f"{name} is not a regular file. Hand in the notebook that JupyterLab saved."
                )
            return file.read(limit + 1)
    except OSError as error:
        raise SubmissionError(
            f"{name} cannot be read ({error.strerror}). Check its permissions, or ask for a new copy."
        ) from error


def _contents(files: list[Path]) -> str:
    """What the folder has instead, as far as a person needs to know."""
    named = [
        f"a folder {printable_name(path.name)}" if path.is_dir() else printable_name(path.name)
        for path in files
        if path.name not in _FROM_EXCHANGE
    ]
    if not named:
        return "it is empty"
    return f"it has {', '.join(named[:5])}{' and more' if len(named) > 5 else ''}"
