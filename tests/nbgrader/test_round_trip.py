"""A class of three with the stock commands: release, submit, collect, autograde, feedback, XP."""

import json
import os
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import nbformat
import pytest

from graders.checks import exercises
from graders.xp import read_students, standing

ROOT = Path(__file__).resolve().parents[2]
UNIT = "01-transfer-learning"
BY_ID = {exercise.id: exercise for exercise in exercises(UNIT)}


def wrong(exercise: str, id: str) -> str:
    return BY_ID[exercise].wrong[id]


def message(exercise: str, id: str) -> str:
    return next(one.message for one in BY_ID[exercise].mistakes if one.id == id)


RIGHT = {id: next(iter(exercise.right.values())) for id, exercise in BY_ID.items()}
CLASS = {
    "ben": RIGHT | {"freeze-backbone": wrong("freeze-backbone", "statistics-drift")},
    "cleo": {
        "build-head": wrong("build-head", "softmax-in-head"),
        "freeze-backbone": wrong("freeze-backbone", "froze-the-head"),
        "choose-plan": wrong("choose-plan", "chose-by-test"),
    },
}
XP = {"ben": 3, "cleo": 0}


# `python -m nbgrader`, without what takes a second to import and is not used (see graders/cli/__init__.py).
NBGRADER = """
import sys
sys.modules["rfc3987_syntax"] = None
from nbgrader.apps.nbgraderapp import main
main()
"""


class Course:
    """A copy of the course folder, an exchange, and students' homes, in a temporary place."""

    def __init__(self, folder: Path):
        self.folder, self.exchange = folder / "course", folder / "exchange"
        self.exchange.mkdir()
        self.exchange.chmod(0o777)
        # What an instructor made in the checkout is no part of the course.
        shutil.copytree(ROOT / "course" / "source" / UNIT, self.folder / "source" / UNIT)
        shutil.copy(ROOT / "course" / "nbgrader_config.py", self.folder)
        self.homes = folder / "homes"

    def run(self, *arguments: str, cwd: Path | None = None, good: bool = True) -> str:
        environment = {
            **os.environ,
            # nbgrader calls `alembic` by name, as it does in an environment that is activated.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "JUPYTER_CONFIG_DIR": str(self.folder / ".jupyter"),
            "OMP_NUM_THREADS": "1",
        }
        command = [sys.executable, "-c", NBGRADER, *arguments, f"--Exchange.root={self.exchange}"]
        done = subprocess.run(
            command, cwd=cwd or self.folder, env=environment, capture_output=True, text=True
        )
        output = done.stdout + done.stderr
        assert (done.returncode == 0) is good, output
        return output

    def submit(self, student: str, change) -> None:
        """Fetch the released lesson into a student's home, change it, and hand it in."""
        home = self.homes / student
        home.mkdir(parents=True)
        own = ["--course", "transfer-learning"]
        self.run("fetch_assignment", UNIT, *own, cwd=home)
        change(home / UNIT / f"{UNIT}.ipynb")
        self.run("submit", UNIT, *own, cwd=home)

    def collected(self, student: str, change) -> None:
        """Hand in as another student: the exchange goes by the account, and there is one account here."""
        target = self.folder / "submitted" / student / UNIT
        target.mkdir(parents=True)
        notebook = target / f"{UNIT}.ipynb"
        shutil.copy(self.folder / "release" / UNIT / notebook.name, notebook)
        change(notebook)

    @property
    def address(self) -> str:
        return f"sqlite:///{self.folder / 'gradebook.db'}"

    def xp(self) -> dict[str, float]:
        return {student.id: standing(student).xp for student in read_students(self.address)}

    def feedback(self, student: str) -> str:
        return (self.folder / "feedback" / student / UNIT / f"{UNIT}.html").read_text()


def answer(programs: dict[str, str]):
    """A change that fills in the cells to answer."""

    def change(path: Path) -> None:
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
            if grade_id in programs:
                cell.source = programs[grade_id]
        nbformat.write(notebook, path)

    return change


@pytest.fixture(scope="module")
def graded(tmp_path_factory) -> Course:
    course = Course(tmp_path_factory.mktemp("class"))
    course.run("generate_assignment", UNIT)
    course.run("release_assignment", UNIT)
    course.submit("me", answer(RIGHT))
    course.run("collect", UNIT)
    for student, programs in CLASS.items():
        course.collected(student, answer(programs))
    course.run("autograde", UNIT)
    course.run("generate_feedback", UNIT)
    return course


pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]


def test_each_student_gets_the_xp_they_earned(graded):
    xp = graded.xp()
    assert {student: xp[student] for student in XP} == XP


def test_what_went_through_the_exchange_is_graded_as_well(graded):
    through_exchange = set(graded.xp()) - set(XP)
    assert [graded.xp()[student] for student in through_exchange] == [5]


def test_feedback_names_the_mistake(graded):
    assert message("freeze-backbone", "statistics-drift").split(":")[0] in plain(graded.feedback("ben"))
    for exercise, id in (("build-head", "softmax-in-head"), ("choose-plan", "chose-by-test")):
        assert message(exercise, id)[:60] in plain(graded.feedback("cleo"))


def plain(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", html))


def test_demonstrations_are_not_run_when_grading(graded):
    notebook = nbformat.read(graded.folder / "autograded" / "ben" / UNIT / f"{UNIT}.ipynb", as_version=4)
    demos = [cell for cell in notebook.cells if "demo" in cell.metadata.get("tags", [])]
    assert not any(cell.outputs for cell in demos)
    source = nbformat.read(graded.folder / "source" / UNIT / f"{UNIT}.ipynb", as_version=4)
    assert any("demo" in cell.metadata.get("tags", []) for cell in source.cells)


def test_the_release_has_no_solution_in_it(graded):
    text = (graded.folder / "release" / UNIT / f"{UNIT}.ipynb").read_text()
    assert "BEGIN SOLUTION" not in text
    assert "NotImplementedError" in text


def test_the_command_prints_the_same_xp(graded):
    command = [sys.executable, "-m", "graders.cli", "xp", "--db", graded.address, "--json"]
    standings = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert {one["student"]["id"]: one["xp"] for one in standings} == graded.xp()


def test_a_bad_submission_costs_nobody_else_a_grade(graded):
    """No notebook, broken JSON, a renamed check: each is reported, graded as nothing, and the others keep
    theirs."""
    before = graded.xp()
    missing = graded.folder / "submitted" / "dan" / UNIT
    missing.mkdir(parents=True)
    (missing / "notes.txt").write_text("my dog ate it")
    graded.collected("eve", lambda path: path.write_text('{"cells": ['))

    def rename(path: Path) -> None:
        answer(RIGHT)(path)
        path.write_text(path.read_text().replace('"check-build-head"', '"check-something"'))

    graded.collected("fay", rename)
    said = graded.run("autograde", UNIT, good=False)
    assert all(one in said for one in ("No notebooks", "JSON", "metadata may be corrupted"))
    after = graded.xp()
    assert {student: after[student] for student in before} == before
    assert [after.get(student, 0) for student in ("dan", "eve", "fay")] == [0, 0, 0]
