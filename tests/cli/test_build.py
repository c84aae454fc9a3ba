"""A student's copies: brought up to date, and what a student wrote is never lost."""

import json
from pathlib import Path

import click
import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat import v4

from graders.checks.notebook import read_notebook
from graders.cli.build import MANIFEST, build_work
from graders.cli.student import student_notebook

pytestmark = pytest.mark.slow

UNIT = "07-soup"


def lesson(root: Path, text: str, test: str = "") -> Path:
    """A small lesson with one exercise; `test` is the source of its test cell."""
    solution = v4.new_code_cell(
        "def taste():\n    ### BEGIN SOLUTION\n    return 'good'\n    ### END SOLUTION"
    )
    solution.metadata.nbgrader = {
        "schema_version": 3, "grade_id": "taste", "grade": False, "solution": True, "locked": False,
        "task": False,
    }  # fmt: skip
    test = v4.new_code_cell(test or "from graders.checks import check_taste\n\ncheck_taste(taste)")
    test.metadata.nbgrader = {
        "schema_version": 3, "grade_id": "check-taste", "grade": True, "solution": False, "locked": True,
        "task": False,
        "points": 5,
    }  # fmt: skip
    intro = v4.new_markdown_cell(f"# Soup\n\n**By the end you can** {text}.\n")
    path = root / "course" / "source" / UNIT / f"{UNIT}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = v4.new_notebook(cells=[intro, solution, test])
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
    nbformat.write(notebook, path)
    return path


def what(built) -> dict[str, str]:
    return {Path(record.file).name: record.what for record in built}


def test_a_first_build_makes_everything_and_a_second_nothing(tmp_path):
    lesson(tmp_path, "cook soup")
    work = tmp_path / "work"
    assert set(what(build_work(tmp_path, work)).values()) == {"new"}
    before = {path: path.stat().st_mtime_ns for path in work.rglob("*.ipynb")}
    assert set(what(build_work(tmp_path, work)).values()) == {"kept"}
    assert {path: path.stat().st_mtime_ns for path in work.rglob("*.ipynb")} == before


def test_a_place_that_cant_be_written_to_gets_a_sentence_and_nothing_is_lost(tmp_path):
    lesson(tmp_path, "cook soup")
    work = tmp_path / "work"
    work.write_text("a file of mine")
    with pytest.raises(click.ClickException, match="cannot be written to .*--dir"):
        build_work(tmp_path, work)
    assert work.read_text() == "a file of mine"


def test_a_student_gets_no_solution_and_a_sentence_in_its_place(tmp_path):
    notebook = student_notebook(lesson(tmp_path, "cook soup"))
    text = nbformat.writes(notebook)
    assert "'good'\\n    ### END" not in text and "BEGIN SOLUTION" not in text
    assert "raise NotImplementedError" in text and "Your turn" in text
    assert notebook.cells[2].metadata.editable is False


def test_the_home_page_has_the_lesson_its_xp_and_its_goal(tmp_path):
    lesson(tmp_path, "cook soup")
    build_work(tmp_path, tmp_path / "work")
    page = (tmp_path / "work" / "Home.md").read_text()
    assert f"[07 · Soup]({UNIT}/{UNIT}.ipynb) | 5 | cook soup" in page


def test_an_update_reaches_an_untouched_copy(tmp_path):
    lesson(tmp_path, "cook soup")
    work = tmp_path / "work"
    build_work(tmp_path, work)
    lesson(tmp_path, "cook good soup")
    assert what(build_work(tmp_path, work))[f"{UNIT}.ipynb"] == "updated"
    assert "good soup" in (work / UNIT / f"{UNIT}.ipynb").read_text()


def test_an_update_is_put_beside_a_changed_copy_once(tmp_path):
    lesson(tmp_path, "cook soup")
    work = tmp_path / "work"
    build_work(tmp_path, work)
    mine = work / UNIT / f"{UNIT}.ipynb"
    mine.write_text(mine.read_text().replace("Soup", "My soup"))
    kept = mine.read_bytes()
    lesson(tmp_path, "cook good soup")
    (record,) = [one for one in build_work(tmp_path, work) if one.what == "beside"]
    assert mine.read_bytes() == kept
    assert "good soup" in (work / record.beside).read_text()
    assert not [one for one in build_work(tmp_path, work) if one.what == "beside"]


def test_a_deleted_copy_comes_back_and_a_damaged_manifest_costs_nothing(tmp_path):
    lesson(tmp_path, "cook soup")
    work = tmp_path / "work"
    build_work(tmp_path, work)
    mine = work / UNIT / f"{UNIT}.ipynb"
    mine.unlink()
    assert what(build_work(tmp_path, work))[mine.name] == "new"
    (work / MANIFEST).write_text("{ half a manif")
    mine.write_text(mine.read_text().replace("Soup", "My soup"))
    kept = mine.read_bytes()
    build_work(tmp_path, work)
    assert mine.read_bytes() == kept
    assert read_notebook(mine)
    assert json.loads((work / MANIFEST).read_text())


def test_a_lesson_that_breaks_a_rule_is_not_handed_out_and_nothing_is_touched(tmp_path):
    lesson(tmp_path, "cook soup")
    work = tmp_path / "work"
    build_work(tmp_path, work)
    before = {path: path.read_bytes() for path in work.rglob("*") if path.is_file()}
    lesson(tmp_path, "cook soup", test="assert taste() == 'good'")
    with pytest.raises(click.ClickException, match=r"check-taste: A bare comparison, `taste\(\) == 'good'`"):
        build_work(tmp_path, work)
    assert {path: path.read_bytes() for path in work.rglob("*") if path.is_file()} == before


steps = st.lists(
    st.tuples(st.sampled_from(["edit", "update", "build", "forget"]), st.integers(0, 3)),
    min_size=1,
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(steps)
def test_whatever_happens_a_students_words_are_still_there(tmp_path_factory, steps):
    root = tmp_path_factory.mktemp("course")
    work = root / "work"
    lesson(root, "cook soup")
    build_work(root, work)
    mine = work / UNIT / f"{UNIT}.ipynb"
    for step, number in steps:
        if step == "edit":
            mine.write_text(mine.read_text() + " " * (number + 1))
        elif step == "update":
            lesson(root, f"cook soup {number}")
        elif step == "forget":
            (work / MANIFEST).unlink(missing_ok=True)
        written = mine.read_bytes()
        edited = step == "edit"
        build_work(root, work)
        if edited:
            assert mine.read_bytes() == written
    assert not list(work.rglob("*.part"))
