"""A submitted notebook as data: JSON of any shape becomes cells, or a sentence on why it cannot be read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from .files import MAX_FILE_BYTES, SubmissionError, SubmittedFile, find_notebooks, read_file

MAX_CELLS = 2000
# Lists, dicts and their entries: each takes up to a hundred times as much memory as in the file.
MAX_ITEMS = 2_000_000


@dataclass(frozen=True)
class SubmittedCell:
    """A cell as it was handed in. The student chose every value in it.

    Attributes:
        kind: "code", "markdown" or "raw" ("heading" in old formats).
        source: line ends are `\\n`.
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


@dataclass(frozen=True)
class SubmittedNotebook:
    """A notebook as it was handed in, parsed whole.

    Attributes:
        name: the notebook's name in the assignment.
        digest: SHA-256 of the file, "" if there was none to read.
        cells: in the order of the file.
        problem: "" or the sentence that says why it cannot be read; it then has no cells.
        notes: sentences on what was put right.
    """

    name: str
    digest: str = ""
    cells: tuple[SubmittedCell, ...] = ()
    problem: str = ""
    notes: tuple[str, ...] = ()


def read_submission(folder: Path, names: tuple[str, ...]) -> tuple[SubmittedNotebook, ...]:
    """Read the notebooks of an assignment from a student's folder; one for each name, whatever is there."""
    return tuple(map(_read, find_notebooks(folder, names)))


def parse_notebook(name: str, content: bytes, notes: tuple[str, ...] = ()) -> SubmittedNotebook:
    """Parse a notebook of format 3 or 4 without trusting its shape.

    Entries that are not cells are left out and noted.

    Args:
        notes: what is known already ("it had another name").
    """
    digest, found = hashlib.sha256(content).hexdigest(), [*notes]
    try:
        cells = tuple(_parse_cells(content, found))
    except SubmissionError as error:
        return SubmittedNotebook(name, digest, problem=str(error), notes=tuple(found))
    return SubmittedNotebook(name, digest, cells, notes=tuple(found))


def _read(file: SubmittedFile) -> SubmittedNotebook:
    if file.path is None:
        return SubmittedNotebook(file.name, problem=file.problem)
    try:
        content = read_file(file.path)
    except SubmissionError as error:
        return SubmittedNotebook(file.name, problem=str(error), notes=file.notes)
    return parse_notebook(file.name, content, file.notes)


def _parse_cells(content: bytes, notes: list[str]) -> list[SubmittedCell]:
    """The cells; what was put right is added to `notes`.

    Raises:
        SubmissionError: not a notebook, or too large.
    """
    if len(content) > MAX_FILE_BYTES:
        raise SubmissionError(
            f"The notebook is larger than {MAX_FILE_BYTES >> 20} MiB. Clear its outputs (Edit, Clear Outputs "
            "of All Cells), save it, then hand it in again."
        )
    if sum(map(content.count, (b"[", b"{", b","))) > MAX_ITEMS:
        raise SubmissionError(
            f"The notebook has more than {MAX_ITEMS:,} numbers, texts and lists in it. Clear its outputs "
            "(Edit, Clear Outputs of All Cells), save it, then hand it in again."
        )
    found = _list_of_cells(_load_json(content, notes))
    if len(found) > MAX_CELLS:
        raise SubmissionError(
            f"The notebook has {len(found):,} cells, and at most {MAX_CELLS:,} are read. Remove the cells "
            "you do not need, then hand it in again."
        )
    cells = []
    for number, one in enumerate(found, 1):
        cell = _parse_cell(one)
        if cell is None:
            notes.append(f"Cell {number} is not a valid notebook cell and was left out.")
        else:
            cells.append(cell)
    return cells


def _load_json(content: bytes, notes: list[str]):
    if not content.strip():
        raise SubmissionError("The notebook is an empty file. Save it in JupyterLab, then hand it in again.")
    try:
        return json.loads(_decode(content, notes))
    except RecursionError:
        reason = "it is nested too deeply"
    except ValueError as error:
        reason = str(error)[:200]
    raise SubmissionError(
        f"The file is not a notebook: it is not JSON ({reason}). Open it in JupyterLab, save it, then hand "
        "it in again."
    )


def _decode(content: bytes, notes: list[str]) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        notes.append("The file was in UTF-16 and was read as such.")
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        notes.append(
            "The file was not in UTF-8; it was read as Latin-1, so letters with accents may be wrong."
        )
        return content.decode("latin-1")


def _list_of_cells(notebook) -> list:
    """The cells of nbformat 4 (`cells`) or 3 (`worksheets`)."""
    if isinstance(notebook, dict):
        cells = notebook.get("cells")
        if isinstance(cells, list):
            return cells
        sheets = notebook.get("worksheets")
        if isinstance(sheets, list):
            parts = [sheet["cells"] for sheet in sheets if isinstance(sheet, dict) and "cells" in sheet]
            return [cell for part in parts if isinstance(part, list) for cell in part]
    raise SubmissionError(
        "The file is JSON but not a notebook: it has no list of cells. Hand in the .ipynb file that "
        "JupyterLab saved."
    )


def _parse_cell(cell) -> SubmittedCell | None:
    if not isinstance(cell, dict):
        return None
    kind = cell.get("cell_type")
    source = _text_or_none(cell.get("source", cell.get("input")))
    if source is None or kind not in ("code", "markdown", "raw", "heading"):
        return None
    metadata = _dict_or_empty(cell.get("metadata"))
    grade = _dict_or_empty(metadata.get("nbgrader"))
    tags = metadata.get("tags")
    return SubmittedCell(
        kind,
        source,
        cell_id=_string_or_empty(cell.get("id")),
        grade_id=_string_or_empty(grade.get("grade_id")),
        is_check=grade.get("grade") is True and grade.get("solution") is not True,
        is_demonstration=isinstance(tags, list) and "demo" in tags,
    )


def _text_or_none(value) -> str | None:
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        value = "".join(value)
    if not isinstance(value, str):
        return None
    # Half of a surrogate pair cannot be written to a file.
    value = value.encode("utf-8", "replace").decode("utf-8")
    return value.replace("\r\n", "\n").replace("\r", "\n")


def _string_or_empty(value) -> str:
    return value if isinstance(value, str) else ""


def _dict_or_empty(value) -> dict:
    return value if isinstance(value, dict) else {}
