"""A rubric: what an answer in words gets points for, read from nbgrader's mark scheme region of its cell."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import nbformat

BEGIN, END = "BEGIN MARK SCHEME", "END MARK SCHEME"  # nbgrader's own: it never hands such a region out
_CRITERION = re.compile(r"^[\s#>*-]*\(?(\d+(?:[.,]\d+)?)\s*(?:points?|XP)?\)?\s*:\s*(\S.*)$", re.I)


@dataclass(frozen=True)
class Criterion:
    """What gets points, and how many."""

    points: float
    text: str


@dataclass(frozen=True)
class Rubric:
    """The rubric of a cell that a person grades.

    Attributes:
        best: the points of the cell.
        criteria: the lines that name points, in their order.
        notes: the other lines, for whoever grades.
    """

    notebook: str
    cell: str
    best: float
    criteria: tuple[Criterion, ...]
    notes: str

    @property
    def digest(self) -> str:
        """The same for the same rubric."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def as_markdown(self) -> str:
        """The rubric as a list, with the notes below: in formgrader, the columns of a table touch."""
        rows = "\n".join(f"- **{one.points:g}**: {one.text}" for one in self.criteria)
        return "\n\n".join(filter(None, (f"**Rubric** (points: {self.best:g})", rows, self.notes)))


def rubric_of(cell, notebook: str) -> Rubric | None:
    """The rubric in a cell of a source notebook; None if it has none, or no person grades it."""
    region = _region(cell.source)
    if region is None or not _by_hand(cell):
        return None
    found = [(line, _CRITERION.match(line)) for line in region]
    criteria = [Criterion(float(one[1].replace(",", ".")), one[2].strip()) for _, one in found if one]
    notes = "\n".join(line for line, one in found if not one).strip()
    meta = cell.metadata.nbgrader
    return Rubric(notebook, meta.grade_id, float(meta.get("points", 0)), tuple(criteria), notes)


def read_rubrics(folder: Path) -> tuple[Rubric, ...]:
    """The rubrics in the notebooks of a unit's folder in `source/`, in the order of their cells."""
    found = []
    for path in sorted(folder.glob("*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        found += [rubric for cell in cells if (rubric := rubric_of(cell, path.stem)) is not None]
    return tuple(found)


def rubric_problems(cell) -> Iterator[str]:
    """What is wrong with the mark scheme of a cell; nothing if it has none."""
    begins, ends = cell.source.count(BEGIN), cell.source.count(END)
    if not begins and not ends:
        return
    if begins != 1 or ends != 1 or cell.source.index(BEGIN) > cell.source.index(END):
        yield (
            f"The cell has {begins} lines `### {BEGIN}` and {ends} `### {END}`. Write one of each, in this "
            "order."
        )
        return
    rubric = rubric_of(cell, "")
    if rubric is None:
        yield (
            "The cell has a mark scheme, but no person grades it. Make it a manually graded answer or task "
            "(nbgrader: Create Assignment), or remove the region."
        )
    elif rubric.criteria and abs(sum(one.points for one in rubric.criteria) - rubric.best) > 1e-9:
        total = sum(one.points for one in rubric.criteria)
        yield (
            f"The points of the mark scheme add up to {total:g}, and the cell has {rubric.best:g}. "
            "Correct one of the two."
        )


def _region(source: str) -> list[str] | None:
    lines = source.splitlines()
    begin = next((place for place, line in enumerate(lines) if BEGIN in line), None)
    end = next((place for place, line in enumerate(lines) if END in line), None)
    return None if begin is None or end is None or end < begin else lines[begin + 1 : end]


def _by_hand(cell) -> bool:
    meta = cell.metadata.get("nbgrader", {})
    return bool(meta.get("task") or (meta.get("grade") and meta.get("solution")))
