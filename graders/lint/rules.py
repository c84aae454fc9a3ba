"""Rules on a lesson's cells, without running them: ids, points, tags, regions, outputs, test cells."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from graders.rubrics import rubric_problems

from .cell_code import code_problems

__all__ = ["Finding", "static_findings"]

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
HIDDEN = "BEGIN HIDDEN TESTS"
_TAGS = ("setup", "demo")


@dataclass(frozen=True)
class Finding:
    """What is wrong with a lesson.

    Attributes:
        cell: the cell's id or `grade_id`; "" for the lesson as a whole.
        rule: a short name of the rule.
        message: what is wrong, and what to do.
    """

    cell: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.cell}: {self.message}" if self.cell else self.message


def unit_xp(unit: str) -> int | None:
    """XP of a unit: 5 for lessons ("01-transfer-learning"), 15 for projects ("P1-..."); None if neither."""
    if re.match(r"\d\d-", unit):
        return 5
    return 15 if re.match(r"[Pp]\d-", unit) else None


def static_findings(notebook, unit: str) -> tuple[Finding, ...]:
    """What the rules find in a lesson's source notebook, in the order of its cells.

    Args:
        notebook: an `nbformat` notebook, with solutions.
        unit: its folder's name.
    """
    found = [Finding(cell_name(cell), *problem) for cell in notebook.cells for problem in _cell(cell)]
    return (*found, *_ids(notebook), *_pairs(notebook), *_points(notebook, unit))


def graded_kind(cell) -> str:
    """ "test", "solution", "both" (graded by hand) or "" of a cell, by its nbgrader metadata."""
    meta = cell.metadata.get("nbgrader", {})
    kinds = (bool(meta.get("grade")), bool(meta.get("solution")))
    return {(True, True): "both", (True, False): "test", (False, True): "solution"}.get(kinds, "")


def cell_name(cell) -> str:
    """The name by which a person finds the cell."""
    return str(cell.metadata.get("nbgrader", {}).get("grade_id") or cell.get("id", "?"))


def _cell(cell) -> Iterator[tuple[str, str]]:
    for problem in rubric_problems(cell):
        yield "rubric", problem
    if cell.cell_type != "code":
        return
    kind = graded_kind(cell)
    if cell.get("outputs") or cell.get("execution_count") is not None:
        yield (
            "outputs",
            "The cell has stored outputs. Clear all outputs and save (Edit > Clear Outputs of All Cells).",
        )
    if HIDDEN in cell.source:
        yield (
            "hidden-tests",
            "The cell has a region of hidden tests, which feedback would print. Let a check of "
            "graders.checks draw its inputs instead, and remove the region.",
        )
    yield from _tag_problems(cell, kind)
    yield from _region_problems(cell, kind)
    if kind == "test":
        if not cell.metadata.nbgrader.get("locked"):
            yield (
                "locked",
                "The test cell is not locked, so students can change it. Set it to locked (nbgrader: "
                "Autograder tests).",
            )
        yield from code_problems(cell.source)


def _tag_problems(cell, kind: str) -> Iterator[tuple[str, str]]:
    tags = [tag for tag in cell.metadata.get("tags", []) if tag in _TAGS]
    if kind and tags:
        yield "tags", f"A graded cell is tagged {tags[0]!r}. Remove the tag: it is for other cells."
    elif not kind and len(tags) != 1:
        yield (
            "tags",
            f"The cell is tagged {' and '.join(tags) or 'neither setup nor demo'}. Tag it `setup` if "
            "exercises depend on it (grading runs it), else `demo`.",
        )


def _region_problems(cell, kind: str) -> Iterator[tuple[str, str]]:
    lines = [line.strip() for line in cell.source.splitlines()]
    marks = [line for line in lines if re.fullmatch(r"#+\s*(BEGIN|END)\s+SOLUTION.*", line, re.I)]
    if kind not in ("solution", "both"):
        if marks:
            yield (
                "solution",
                "A solution stands in a cell that is not a solution cell, so students would get it. Move it.",
            )
        return
    if [mark for mark in marks if mark not in (BEGIN, END)]:
        yield (
            "solution",
            f"A region is marked {marks[0]!r}, which nbgrader does not know. Write `{BEGIN}` and `{END}`.",
        )
    elif not marks:
        yield (
            "solution",
            f"The solution has no region, so students would get an empty cell. Put it between `{BEGIN}` and "
            f"`{END}`, and leave the function's first line and its docstring outside.",
        )
    elif marks != [BEGIN, END] * (len(marks) // 2):
        yield "solution", f"The regions don't pair up: `{BEGIN}` and `{END}` must alternate."


def _ids(notebook) -> Iterator[Finding]:
    cells = [cell for cell in notebook.cells if graded_kind(cell)]
    ids = [cell.metadata.nbgrader.get("grade_id", "") for cell in cells]
    for cell, id in zip(cells, ids, strict=True):
        if not id:
            yield Finding(
                cell_name(cell),
                "grade-id",
                "The cell has no grade_id. Give it one that says what it is (build-head).",
            )
    for id, times in Counter(filter(None, ids)).items():
        if times > 1:
            yield Finding(
                id,
                "grade-id",
                f"{times} cells have this grade_id. Give each its own: nbgrader keeps one grade for each.",
            )


def _pairs(notebook) -> Iterator[Finding]:
    kinds = {
        cell.metadata.nbgrader.get("grade_id"): graded_kind(cell)
        for cell in notebook.cells
        if graded_kind(cell)
    }
    for id, kind in kinds.items():
        if kind == "solution" and kinds.get(f"check-{id}") != "test":
            yield Finding(id, "pair", f"The exercise has no test cell. Add one with the grade_id check-{id}.")
        if kind == "test" and kinds.get(str(id).removeprefix("check-")) != "solution":
            yield Finding(
                id,
                "pair",
                "The test cell belongs to no solution cell. Name it check- and the exercise's grade_id.",
            )


def _points(notebook, unit: str) -> Iterator[Finding]:
    cells = [cell for cell in notebook.cells if graded_kind(cell) in ("test", "both")]
    points = [cell.metadata.nbgrader.get("points", 0) for cell in cells]
    for cell, own in zip(cells, points, strict=True):
        if not own > 0:
            yield Finding(
                cell_name(cell), "points", "The cell is worth nothing. Give it points (a point is one XP)."
            )
    xp = unit_xp(unit)
    if xp is None:
        yield Finding(
            "",
            "points",
            f"{unit!r} is not a unit's name. Expected two digits (01-...) or P and a digit (P1-...).",
        )
    elif sum(points) != xp:
        yield Finding(
            "",
            "points",
            f"The points add up to {sum(points):g}, and the unit is worth {xp} XP. Change the cells' points.",
        )
