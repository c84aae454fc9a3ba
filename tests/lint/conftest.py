"""A small lesson that keeps every rule, to break one at a time."""

import nbformat
import pytest
from nbformat import v4


def code(id: str, source: str, tag: str = "") -> nbformat.NotebookNode:
    cell = v4.new_code_cell(source, id=id)
    if tag:
        cell.metadata.tags = [tag]
    return cell


def graded(id: str, source: str, points: float | None = None) -> nbformat.NotebookNode:
    """A test cell with points, a solution cell without."""
    cell, test = code(id, source), points is not None
    cell.metadata.nbgrader = {
        "schema_version": 3, "grade_id": id, "grade": test, "solution": not test, "locked": test,
        "task": False,
    }  # fmt: skip
    if test:
        cell.metadata.nbgrader.points = points
    return cell


def exercise(id: str, body: str, check: str, points: float) -> list[nbformat.NotebookNode]:
    head, _, rest = body.partition("\n")
    answer = f"{head}\n    ### BEGIN SOLUTION\n{rest}\n    ### END SOLUTION"
    name = check.partition("(")[0]
    return [
        graded(id, answer),
        graded(f"check-{id}", f"from graders.checks import {name}\n\n{check}", points),
    ]


@pytest.fixture
def lesson() -> nbformat.NotebookNode:
    """Two exercises (3 and 2 XP), the first one of the course's own; a set-up cell and a demonstration."""
    cells = [
        v4.new_markdown_cell("# Soup", id="goal"),
        code("spoons", "PARTS = 2", "setup"),
        *exercise(
            "layer-rates",
            "def layer_rates(num_layers, lr, decay):\n"
            "    return [lr * decay ** (num_layers + PARTS - 1 - i) for i in range(num_layers + PARTS)]",
            "check_layer_rates(layer_rates)",
            3,
        ),
        code("taste", "TASTED = layer_rates(1, 1.0, 0.5)", "demo"),
        *exercise("salt", "def salt(x):\n    return 2 * x", "check_salt(salt)", 2),
    ]
    return v4.new_notebook(cells=cells)
