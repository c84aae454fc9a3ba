"""What students hand in, read as data: files that are never followed out of their folder, JSON of any shape."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .text import shown

MAX_FILE_BYTES = 32 << 20  # pictures in outputs are large, and they are thrown away
MAX_CELLS = 2000
MAX_PARTS = 2_000_000  # lists, dicts and their entries: each takes up to a hundred times as much memory as in the file


class RebuildError(ValueError):
    """A submission can't be graded; the message is a sentence for the student and the instructor."""


@dataclass(frozen=True)
class Piece:
    """A cell as it was handed in; everything in it is the student's word.

    Attributes:
        kind: "code", "markdown" or "raw". source: line ends are `\\n`.
    """

    kind: str
    source: str
    cell_id: str = ""
    grade_id: str = ""
    is_check: bool = False
    is_demonstration: bool = False

    @property
    def is_code(self) -> bool:
        """Whether it is a code cell."""
        return self.kind == "code"


def read_pieces(content: bytes, said: list[str]) -> list[Piece]:
    """Read a notebook of any version (3 and 4) without trusting its shape; cells that are none are left out.

    Args:
        said: sentences on what was put right are added here.

    Raises:
        RebuildError: no notebook, or too large.
    """
    if len(content) > MAX_FILE_BYTES:
        raise RebuildError(
            f"The notebook is larger than {MAX_FILE_BYTES >> 20} MiB. Clear its outputs (Edit, Clear Outputs of All Cells), "
            "save it, then hand it in again."
        )
    if sum(map(content.count, (b"[", b"{", b","))) > MAX_PARTS:
        raise RebuildError(
            f"The notebook has more than {MAX_PARTS:,} numbers, texts and lists in it. Clear its outputs (Edit, Clear Outputs of "
            "All Cells), save it, then hand it in again."
        )
    cells = _cells(_json(content, said))
    if len(cells) > MAX_CELLS:
        raise RebuildError(
            f"The notebook has {len(cells):,} cells, and at most {MAX_CELLS:,} are read. Take out what is not needed, then "
            "hand it in again."
        )
    pieces = []
    for number, cell in enumerate(cells, 1):
        piece = _piece(cell)
        if piece is None:
            said.append(f"Cell {number} is not a notebook's cell and was left out.")
        else:
            pieces.append(piece)
    return pieces


def _json(content: bytes, said: list[str]):
    if not content.strip():
        raise RebuildError("The notebook is an empty file. Save it in JupyterLab, then hand it in again.")
    try:
        return json.loads(_decode(content, said))
    except RecursionError:
        reason = "it is nested too deeply"
    except ValueError as error:
        reason = str(error)[:200]
    raise RebuildError(
        f"The file is no notebook: it is not JSON ({reason}). Open it in JupyterLab, save it, then hand it in again."
    )


def _decode(content: bytes, said: list[str]) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        said.append("The file was UTF-16; it was read as such.")
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        said.append("The file was not UTF-8; it was read as Latin-1, so letters with accents may be wrong.")
        return content.decode("latin-1")


def _cells(notebook) -> list:
    """The cells of nbformat 4 (`cells`) or 3 (`worksheets`)."""
    if isinstance(notebook, dict):
        cells = notebook.get("cells")
        if isinstance(cells, list):
            return cells
        sheets = notebook.get("worksheets")
        if isinstance(sheets, list):
            parts = [sheet["cells"] for sheet in sheets if isinstance(sheet, dict) and "cells" in sheet]
            return [cell for part in parts if isinstance(part, list) for cell in part]
    raise RebuildError(
        "The file is JSON but no notebook: it has no list of cells. Hand in the .ipynb file that JupyterLab saved."
    )


def _piece(cell) -> Piece | None:
    if not isinstance(cell, dict):
        return None
    kind = cell.get("cell_type")
    source = _text(cell.get("source", cell.get("input")))
    if source is None or kind not in ("code", "markdown", "raw", "heading"):
        return None
    metadata = _dict(cell.get("metadata"))
    grade = _dict(metadata.get("nbgrader"))
    tags = metadata.get("tags")
    return Piece(
        kind,
        source,
        _word(cell.get("id")),
        _word(grade.get("grade_id")),
        grade.get("grade") is True and grade.get("solution") is not True,
        isinstance(tags, list) and "demo" in tags,
    )


def _text(value) -> str | None:
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        value = "".join(value)
    if not isinstance(value, str):
        return None
    # Half of a surrogate pair is no text: it can't be written to any file.
    value = value.encode("utf-8", "replace").decode("utf-8")
    return value.replace("\r\n", "\n").replace("\r", "\n")


def _word(value) -> str:
    return value if isinstance(value, str) else ""


def _dict(value) -> dict:
    return value if isinstance(value, dict) else {}


def read_file(path: Path, limit: int = MAX_FILE_BYTES) -> bytes:
    """Read a plain file of a submission, at most one byte more than `limit`; no link is followed, no pipe waited for.

    Raises:
        RebuildError: it is no plain file, or can't be read.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        if path.is_symlink():
            raise RebuildError(f"{path.name} is a link, and links are not followed. Hand in the file itself.")
        with open(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise RebuildError(f"{path.name} is no file. Hand in the notebook that JupyterLab saved.")
            return file.read(limit + 1)
    except OSError as error:
        raise RebuildError(
            f"{path.name} can't be read ({error.strerror}). Check its rights, or ask for a new copy."
        ) from error


@dataclass(frozen=True)
class Handed:
    """A notebook's file, or why there is none to read.

    Attributes:
        path: None where `problem` says why.
        notes: on what was put right ("it had another name").
    """

    notebook: str
    path: Path | None
    problem: str = ""
    notes: tuple[str, ...] = ()


def find_notebooks(folder: Path, names: tuple[str, ...]) -> tuple[Handed, ...]:
    """Find the notebooks of an assignment in a student's folder.

    One file of another name is taken where exactly one notebook is missing. Hidden files, which some systems add to each one
    that they pack (`._NAME`), are none.
    """
    if folder.is_symlink() or folder.parent.is_symlink():
        problem = "The folder is a link, and links are not followed. Hand in the folder itself."
        return tuple(Handed(name, None, problem) for name in names)
    files = [path for path in sorted(_listed(folder)) if not path.name.startswith(".")]
    present = {path.stem: path for path in files if path.suffix.lower() == ".ipynb"}
    missing = [name for name in names if name not in present]
    others = [stem for stem in present if stem not in names]
    renamed = others[0] if len(others) == len(missing) == 1 else None
    found = []
    for name in names:
        if name in present:
            found.append(Handed(name, present[name]))
        elif renamed is not None:
            note = f"The notebook was called {shown(renamed)}.ipynb; it was taken for {name}.ipynb."
            found.append(Handed(name, present[renamed], notes=(note,)))
        else:
            problem = (
                f"{name}.ipynb was not handed in: the folder was expected to hold it, and {_seen(files)}. Hand in the "
                "notebook itself, under that name."
            )
            found.append(Handed(name, None, problem))
    return tuple(found)


def _seen(files: list[Path]) -> str:
    """What there is instead, as far as a person should know it."""
    named = [f"a folder {shown(path.name)}" if path.is_dir() else shown(path.name) for path in files]
    named = [name for name in named if name not in ("timestamp.txt", "submission_secret.txt")]
    if not named:
        return "it is empty"
    return f"it has {', '.join(named[:5])}{' and more' if len(named) > 5 else ''}"


def _listed(folder: Path) -> Iterator[Path]:
    try:
        yield from folder.iterdir()
    except OSError:
        return
