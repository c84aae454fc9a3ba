"""A lesson's source is in order: graded as nbgrader wants it, readable, quoting only what was measured."""

import ast
import re
from pathlib import Path

import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator

from course.claims import quoted_numbers, read_table
from graders.lint.rules import unit_xp

ROOT = Path(__file__).parents[2]
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"


@pytest.fixture(scope="module")
def notebook(lesson):
    return nbformat.read(lesson, as_version=4)


def prose(notebook) -> str:
    """What is read at first sight: text without hints that must be opened, pictures and markup."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    text = re.sub(r"<details>.*?</details>", " ", text, flags=re.DOTALL)
    return re.sub(r"!\[[^\]]*\]\([^)]*\)|<[^>]+>", " ", text)


def graded(notebook, kind):
    return [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get(kind)]


def test_every_cell_has_an_id_that_says_what_it_is(notebook):
    ids = [cell["id"] for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert [id for id in ids if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", id)] == []
    assert (notebook.nbformat, notebook.nbformat_minor) >= (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"


def test_grade_ids_are_readable_unique_and_the_cell_s_own_id(notebook):
    cells = graded(notebook, "grade") + graded(notebook, "solution")
    ids = [cell.metadata.nbgrader.grade_id for cell in cells]
    assert len(set(ids)) == len(ids)
    assert ids == [cell["id"] for cell in cells]


def test_nbgrader_accepts_the_metadata(notebook):
    MetadataValidator().validate_nb(notebook)


def test_points_add_up_to_the_lesson_s_xp(notebook, lesson):
    xp = unit_xp(lesson.parent.name)
    assert sum(cell.metadata.nbgrader.points for cell in graded(notebook, "grade")) == xp
    assert f"**{xp} XP**" in notebook.cells[0].source


def test_an_exercise_is_a_solution_cell_followed_by_its_locked_test(notebook):
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    solutions = [i for i, cell in enumerate(code) if cell.metadata.get("nbgrader", {}).get("solution")]
    assert solutions
    for index in solutions:
        solution, test = code[index], code[index + 1]
        assert solution.source.count(BEGIN) == solution.source.count(END) >= 1
        assert test["id"] == f"check-{solution['id']}"
        assert test.metadata.nbgrader.locked and test.metadata.nbgrader.grade


def test_a_test_cell_only_imports_its_check_and_calls_it(notebook):
    for cell in graded(notebook, "grade"):
        statements = ast.parse(cell.source).body
        assert [type(s).__name__ for s in statements] == ["ImportFrom", "Expr"], cell["id"]
        assert statements[0].module == "graders.checks"
        assert isinstance(statements[1].value, ast.Call)


def test_a_lesson_is_read_in_one_sitting(notebook):
    words = re.findall(r"[^\W\d_][\w'’-]*", prose(notebook))
    assert 400 <= len(words) <= 900, f"{len(words)} words"


def test_code_cells_are_short(notebook):
    long = {
        cell["id"]: cell.source.count("\n") + 1
        for cell in notebook.cells
        if cell.cell_type == "code" and cell.source.count("\n") >= 30
    }
    assert long == {}


def test_no_cell_can_end_in_an_assertion_without_words(notebook):
    bare = [
        cell["id"]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Assert) and node.msg is None
    ]
    assert bare == [], "say what was expected and measured, with `expect` of course.claims"


def test_every_image_in_the_text_has_words_and_is_there(notebook):
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        for alt, target in re.findall(r"!\[([^\]]*)\]\(([^)]*)\)", cell.source):
            assert len(alt) > 20, cell["id"]
            assert target.removeprefix("attachment:") in cell.get("attachments", {}), target
        for image in re.findall(r"<img\b[^>]*>", cell.source):
            assert re.search(r'alt="[^"]{20,}"', image), image


def test_every_exercise_has_hints_that_step(notebook):
    hints = {
        cell["id"]: cell.source.count("<details>")
        for cell in notebook.cells
        if cell.cell_type == "markdown" and cell["id"].startswith("exercise-")
    }
    assert len(hints) == len(graded(notebook, "grade"))
    assert min(hints.values()) >= 2


def test_every_quoted_number_is_the_table_s(notebook, lesson):
    table = read_table(ROOT / "docs" / "claims.md")
    quotes = [q for cell in notebook.cells for q in quoted_numbers(cell.source)]
    assert quotes
    for claim, field, number in quotes:
        assert claim in table, f"{lesson.stem} quotes {claim}, which docs/claims.md does not have"
        assert number == table[claim][field], f"{claim}.{field}"


def test_no_measured_number_stands_in_the_prose_unquoted(notebook):
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        bare = re.sub(r"<span data-claim=[^>]*>[^<]*</span>", "", cell.source)
        assert re.findall(r"\d[\d.,]*\s*(?:%(?! interval)|points|per ?cent)", bare) == [], cell["id"]
