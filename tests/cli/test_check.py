"""`tlcourse check`: the lesson's own exercises, read as the grader reads them, whatever became of a student's
copy."""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from graders.checks import exercises
from graders.checks.notebook import NotebookError, read_notebook
from graders.cli.answers import read_answers
from graders.cli.places import units
from graders.cli.student import student_notebook

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
WITH_THIS_PACKAGE = {**os.environ, "PYTHONPATH": str(ROOT)}  # also from another folder
SOURCES = units(ROOT)
SOURCE = next(path for path in SOURCES if path.stem == "01-transfer-learning")
BY_ID = {exercise.id: exercise for exercise in exercises(SOURCE.stem)}
RIGHT = {id: next(iter(exercise.right.values())) for id, exercise in BY_ID.items()}


@pytest.fixture(scope="module")
def released() -> dict:
    """What students get, as JSON."""
    return json.loads(nbformat.writes(student_notebook(SOURCE)))


def answered(released: dict, answers: dict[str, str]) -> dict:
    notebook = copy.deepcopy(released)
    for cell in notebook["cells"]:
        cell["source"] = answers.get(grade_id(cell), cell["source"])
    return notebook


def grade_id(cell: dict) -> str:
    return cell["metadata"].get("nbgrader", {}).get("grade_id", "")


def place(notebook: dict, id: str) -> int:
    return next(number for number, cell in enumerate(notebook["cells"]) if grade_id(cell) == id)


def becomes(kind: str, id: str):
    def change(notebook: dict) -> None:
        cell = notebook["cells"][place(notebook, id)]
        cell["cell_type"] = kind
        cell.pop("outputs", None), cell.pop("execution_count", None)

    return change


def copied(notebook: dict) -> None:
    number = place(notebook, "check-build-head")
    twin = copy.deepcopy(notebook["cells"][number])
    notebook["cells"].insert(number + 1, {**twin, "id": "another", "source": "pass"})


def renamed(notebook: dict) -> None:
    notebook["cells"][place(notebook, "check-build-head")]["metadata"]["nbgrader"]["grade_id"] = "check-mine"


def renamed_answer(notebook: dict) -> None:
    notebook["cells"][place(notebook, "build-head")]["metadata"]["nbgrader"]["grade_id"] = "mine"


def emptied(notebook: dict) -> None:
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade"):
            cell["source"] = "pass"
            cell["metadata"]["tags"] = ["demo"]
            cell["metadata"]["nbgrader"]["points"] = 100


def own_check(notebook: dict) -> None:
    grade = {"grade": True, "solution": False, "locked": True, "points": 300, "grade_id": "check-easy"}
    notebook["cells"].append(
        {
            "cell_type": "code", "id": "easy", "source": "pass", "outputs": [], "execution_count": None,
            "metadata": {"nbgrader": {**grade, "schema_version": 3}},
        }
    )  # fmt: skip


def without_ids(notebook: dict) -> None:
    for cell in notebook["cells"]:
        cell.pop("id", None)


def equal_ids(notebook: dict) -> None:
    for cell in notebook["cells"]:
        cell["id"] = "same"


CHANGES = {
    "nothing": lambda notebook: None,
    "its check is Markdown": becomes("markdown", "check-build-head"),
    "its check is raw text": becomes("raw", "check-build-head"),
    "its answer is Markdown": becomes("markdown", "build-head"),
    "its check is there twice": copied,
    "its check was renamed": renamed,
    "its answer was renamed": renamed_answer,
    "every cell is there twice": lambda notebook: notebook.update(
        cells=[copy.deepcopy(cell) for cell in notebook["cells"] for _ in range(2)]
    ),
    "it is there twice, once unanswered": lambda notebook: notebook["cells"].extend(
        json.loads(nbformat.writes(student_notebook(SOURCE)))["cells"]
    ),
    "its check was deleted": lambda notebook: notebook["cells"].pop(place(notebook, "check-build-head")),
    "its checks are empty, demonstrations, and worth 100": emptied,
    "a check of its own": own_check,
    "format 4.4 with ids": lambda notebook: notebook.update(nbformat_minor=4),
    "format 4.5 without ids": without_ids,
    "cells with one id": equal_ids,
    "a later nbgrader's records": lambda notebook: [
        cell["metadata"]["nbgrader"].update(schema_version=4) for cell in notebook["cells"] if grade_id(cell)
    ],
    "a later notebook format": lambda notebook: notebook.update(nbformat_minor=99),
}
ENCODINGS = {
    "UTF-8": lambda text: text.encode(),
    "a byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
}


def read(folder: Path, content: bytes, name: str = SOURCE.name):
    (folder / name).write_bytes(content)
    return read_answers(folder / name, SOURCES)


@pytest.mark.parametrize("change", CHANGES)
def test_the_lessons_own_checks_run_on_the_answers_whatever_the_copy_became(tmp_path, released, change):
    notebook = answered(released, RIGHT)
    CHANGES[change](notebook)
    rebuilt = read(tmp_path, json.dumps(notebook).encode())
    checks = [cell for cell in rebuilt.submission.cells if cell.kind == "test"]
    written = [cell for cell in read_notebook(SOURCE).cells if cell.metadata.get("nbgrader", {}).get("grade")]
    assert [(cell.grade_id, cell.source, cell.points) for cell in checks] == [
        (cell.metadata.nbgrader.grade_id, cell.source, cell.metadata.nbgrader.points) for cell in written
    ]
    assert {id: rebuilt.answers[id] for id in RIGHT} == RIGHT


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_file_is_read_in_the_encodings_that_the_grader_reads(tmp_path, released, encoding):
    rebuilt = read(tmp_path, ENCODINGS[encoding](json.dumps(answered(released, RIGHT))))
    assert {id: rebuilt.answers[id] for id in RIGHT} == RIGHT


@pytest.mark.parametrize("name", ["my lesson (1).ipynb", "02-which-layers-to-train.ipynb"])
@pytest.mark.parametrize("kept", ["exercises", "ids", "programs"])
def test_a_renamed_copy_is_checked_as_the_lesson_that_it_has_most_of(tmp_path, released, name, kept):
    notebook = answered(released, RIGHT)
    for cell in notebook["cells"]:
        if kept != "exercises":
            cell["metadata"].pop("nbgrader", None)
        if kept == "programs":
            cell.pop("id", None)
    own_check(notebook)
    rebuilt = read(tmp_path, json.dumps(notebook).encode(), name)
    assert (rebuilt.submission.notebook, rebuilt.answers) == (SOURCE.stem, RIGHT)
    assert sum(cell.points for cell in rebuilt.submission.cells) == sum(one.points for one in BY_ID.values())
    assert f"is called {name}; it was taken for {SOURCE.name}." in rebuilt.submission.notes[0]


def test_a_notebook_of_no_lesson_gets_a_sentence_and_no_points(tmp_path):
    notebook = nbformat.v4.new_notebook()
    own_check(notebook)
    with pytest.raises(NotebookError, match="has no exercise of this course. Expected a copy of one of its"):
        read(tmp_path, json.dumps(notebook).encode(), "easy.ipynb")


def test_a_missing_notebook_gets_a_sentence(tmp_path):
    with pytest.raises(NotebookError, match="There is no notebook"):
        read_answers(tmp_path / "gone.ipynb", SOURCES)


@pytest.mark.parametrize(
    "text", ["", "{", '{"cells": [', "[]", '{"cells": 3, "nbformat": 4, "nbformat_minor": 5}']
)
def test_broken_json_gets_a_sentence(tmp_path, text):
    with pytest.raises(NotebookError, match="cannot be checked. The (file|notebook) is"):
        read(tmp_path, text.encode())


def checked(path: Path) -> tuple[int, dict]:
    command = [sys.executable, "-m", "graders.cli", "check", str(path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    return done.returncode, json.loads(done.stdout)


def test_answers_are_told_apart_one_by_one_and_the_file_stays_as_it_is(tmp_path, released):
    wrong = BY_ID["choose-plan"].mistakes[0]
    answers = {"build-head": RIGHT["build-head"], "choose-plan": BY_ID["choose-plan"].wrong[wrong.id]}
    path = tmp_path / SOURCE.name
    notebook = answered(released, answers)
    becomes("markdown", "check-freeze-backbone")(notebook)
    path.write_text(json.dumps(notebook))
    before = path.read_bytes()
    status, found = checked(path)
    said = {check["check"]: check["message"] for check in found["checks"]}
    assert said["check-build-head"] == ""
    assert "not written yet" in said["check-freeze-backbone"]
    assert wrong.message in said["check-choose-plan"]
    assert (status, found["best"], found["provisional"]) == (1, 5, True)
    assert path.read_bytes() == before


def test_the_command_succeeds_when_all_is_solved(tmp_path, released):
    path = tmp_path / SOURCE.name
    path.write_text(json.dumps(answered(released, RIGHT)))
    status, found = checked(path)
    assert (status, found["xp"], found["lesson"]) == (0, 5, SOURCE.stem)


@pytest.fixture
def place_to_work(tmp_path, released) -> Path:
    """A checkout in which a student has solved lesson 01 and not begun lesson 02."""
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "source").symlink_to(ROOT / "course" / "source", target_is_directory=True)
    second = next(path for path in SOURCES if path.stem.startswith("02"))
    copies = {
        SOURCE: answered(released, RIGHT),
        second: json.loads(nbformat.writes(student_notebook(second))),
    }
    for source, notebook in copies.items():
        path = tmp_path / "work" / source.stem / source.name
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(notebook))
    return tmp_path


def in_folder(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "graders.cli", "check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=WITH_THIS_PACKAGE)


def test_without_a_notebook_all_copies_are_checked_and_their_xp_added(place_to_work):
    done = in_folder(place_to_work, "--json")
    found = json.loads(done.stdout)
    assert {lesson["lesson"][:2]: lesson["xp"] for lesson in found["lessons"]} == {"01": 5, "02": 0}
    assert (done.returncode, found["xp"], found["best"]) == (1, 5, 10)


def test_a_lesson_s_number_stands_for_its_copy(place_to_work):
    done = in_folder(place_to_work, "01")
    assert (done.returncode, done.stdout.splitlines()[-1].split(",")[0]) == (0, "5 of 5 XP")
    unknown = in_folder(place_to_work, "07")
    assert unknown.returncode == 2 and "There is no notebook 07" in unknown.stderr


def test_without_copies_there_is_a_sentence(tmp_path):
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "source").symlink_to(ROOT / "course" / "source", target_is_directory=True)
    done = in_folder(tmp_path)
    assert done.returncode == 2 and "There are no copies of the lessons in" in done.stderr
