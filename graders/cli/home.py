"""The course's home page, a Markdown file that JupyterLab opens rendered."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

from .places import units


@dataclass(frozen=True)
class Unit:
    """A lesson as the home page and the launch links show it."""

    id: str
    title: str
    xp: int
    goal: str


def read_unit(source: Path) -> Unit:
    """Title, XP and goal of a lesson, read from its notebook."""
    notebook = nbformat.read(source, as_version=4)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    title = re.search(r"^# (.+)$", prose, re.M)
    goal = re.search(r"\*\*By the end you can\*\*\s+(.+?)(?:\n\s*\n|$)", prose, re.S)
    points = [
        cell.metadata.nbgrader.get("points", 0)
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    ]
    return Unit(
        source.stem,
        title[1].strip() if title else source.stem,
        round(sum(points)),
        " ".join(goal[1].split()) if goal else "",
    )


def home_page(root: Path) -> str:
    """The page as Markdown, with a line for each lesson."""
    lines = [
        "# Transfer learning, hands on",
        "",
        "Freeze and thaw the layers of real pretrained models, train them, and measure what happens. Open a "
        "lesson:",
        "",
        "| lesson | XP | by the end you can |",
        "| --- | --- | --- |",
    ]
    for source in units(root):
        unit = read_unit(source)
        number = unit.id.partition("-")[0]
        lines.append(f"| [{number} · {unit.title}]({unit.id}/{unit.id}.ipynb) | {unit.xp} | {unit.goal} |")
    lines += [
        "",
        "**How a lesson goes.** Run the cells from top to bottom (Shift+Enter). You predict, you try, then "
        "we explain. Each "
        "exercise has a cell to fill in and a check below it. If your answer is not right yet, the check "
        "says what it "
        "looks like.",
        "",
        "**Check your work** at any time: the *Validate* button above the notebook, or in a terminal "
        "`tlcourse check 01`; without a number, all lessons are checked. What you see there is "
        "provisional; your "
        "instructor's gradebook has the last word.",
        "",
        "**Your notebooks are yours.** Updates of the course never overwrite one that you changed: a "
        "lesson's new version "
        "is put beside yours.",
        "",
        "**Something is wrong?** `tlcourse doctor` in a terminal says what is missing and what to do.",
        "",
    ]
    return "\n".join(lines)
