"""`tlcourse check`: a lesson's exercises, run as the grader runs them; bad notebooks get a sentence."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from graders.checks import exercises
from graders.checks.notebook import NotebookError, read_notebook, run_checks, with_original_checks
from graders.cli.places import units
from graders.cli.student import student_notebook

ROOT = Path(__file__).resolve().parents[2]
SOURCE = next(path for path in units(ROOT) if path.stem == "01-transfer-learning")
BY_ID = {exercise.id: exercise for exercise in exercises(SOURCE.stem)}


@pytest.fixture
def notebook(tmp_path) -> Path:
    """A student's copy with no answer yet."""
    path = tmp_path / SOURCE.name
    nbformat.write(student_notebook(SOURCE), path)
    return path


def change(path: Path, edit) -> None:
    content = nbformat.read(path, as_version=4)
    for cell in content.cells:
        edit(cell)
    nbformat.write(content, path)


def answer(path: Path, programs: dict[str, str]) -> None:
    def edit(cell):
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = programs.get(grade_id, cell.source)

    change(path, edit)


def test_answers_are_told_apart_one_by_one(notebook):
    wrong = BY_ID["choose-plan"].mistakes[0]
    answer(notebook, {"build-head": BY_ID["build-head"].right[0], "choose-plan": wrong.wrong})
    before = notebook.read_bytes()
    results = {result.check: result for result in run_checks(notebook, SOURCE)}
    assert results["check-build-head"].passed
    assert "not written yet" in results["check-freeze-backbone"].message
    assert wrong.message in results["check-choose-plan"].message
    assert notebook.read_bytes() == before


def test_a_check_that_a_student_emptied_is_run_as_the_lesson_has_it(notebook):
    def edit(cell):
        if cell.metadata.get("nbgrader", {}).get("grade"):
            cell.source = "pass"

    change(notebook, edit)
    assert not any(result.passed for result in run_checks(notebook, SOURCE))


def test_a_check_tagged_as_a_demonstration_is_run_all_the_same(notebook):
    change(notebook, lambda cell: cell.metadata.update(tags=["demo"]))
    assert not any(result.passed for result in run_checks(notebook))


def test_the_command_says_it_is_provisional_and_fails_while_something_is_open(notebook):
    answer(notebook, {id: exercise.right[1] for id, exercise in BY_ID.items()})
    command = [sys.executable, "-m", "graders.cli", "check", str(notebook), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    record = json.loads(done.stdout)
    assert (done.returncode, record["xp"], record["best"], record["provisional"]) == (0, 5, 5, True)


def test_a_missing_notebook_gets_a_sentence(tmp_path):
    with pytest.raises(NotebookError, match="There is no notebook"):
        read_notebook(tmp_path / "gone.ipynb")


@pytest.mark.parametrize(
    "text", ["", "{", '{"cells": [', "[]", '{"cells": 3, "nbformat": 4, "nbformat_minor": 5}']
)
def test_broken_json_gets_a_sentence(tmp_path, text):
    path = tmp_path / "broken.ipynb"
    path.write_text(text)
    with pytest.raises(NotebookError, match="is no notebook that can be read"):
        read_notebook(path)


def test_a_renamed_check_gets_a_sentence(notebook):
    def edit(cell):
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("grade_id") == "check-build-head":
            meta["grade_id"] = "check-something"

    change(notebook, edit)
    with pytest.raises(NotebookError, match="lacks the check 'check-build-head'"):
        with_original_checks(read_notebook(notebook), read_notebook(SOURCE))
