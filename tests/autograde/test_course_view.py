"""A student's process sees a unit's experiments, but no exercise, no notebook and no file of a class."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from graders.autograde import Limits, Worker
from graders.units import exercise_folders, unit_packages

from .conftest import check, extra, submission

ROOT = Path(__file__).resolve().parents[2]
COURSE = ROOT / "course"
UNITS = list(unit_packages().values())
PACKAGES = [str(folder.relative_to(ROOT)).replace("/", ".") for folder in exercise_folders()]
PROGRAMS = sorted(COURSE.glob("units/*/*/*/*.py"))
NOTEBOOKS = sorted(COURSE.glob("source/*/*.ipynb"))

LOOK = """
import importlib, os, sys

reached = []
for name in {modules!r}:
    try:
        importlib.import_module(name)
        reached.append(name)
    except (ImportError, OSError):
        pass
for path in {files!r}:
    try:
        open(path).read()
        reached.append(path)
    except OSError:
        pass
print(reached)
try:
    print(sorted(os.listdir({course!r})))
except OSError:
    print([])
print([name for name in sys.modules if name.startswith("course.units.") and name.count(".") > 2])
"""


@pytest.fixture(params=["namespaces", "landlock"], scope="module")
def apart(request):
    """A worker of each kind of isolation."""
    with Worker(Limits(cell_s=60, total_s=200), isolation=request.param) as worker:
        yield worker


def seen(worker, modules=(), files=()) -> list:
    """What a student's process reaches of these, what it lists of the course, and what it has imported."""
    look = LOOK.format(modules=list(modules), files=[str(path) for path in files], course=str(COURSE))
    output = worker.grade(submission(extra(look), check("assert 1"))).output
    reached, listed, met = output.splitlines()
    return [ast.literal_eval(line) for line in (reached, listed, met)]


def test_no_exercise_no_program_and_no_notebook_can_be_reached(apart):
    assert len(PACKAGES) >= 13 and len(PROGRAMS) >= 260 and len(NOTEBOOKS) >= 4
    modules = [*PACKAGES, *(f"{package}.exercise" for package in PACKAGES), "graders.checks"]
    programs = [f"{package}.{kind}" for package in PACKAGES for kind in ("mistakes", "right", "cheats")]
    files = [*PROGRAMS, *NOTEBOOKS, COURSE / "nbgrader_config.py", *COURSE.glob("units/*/*/exercise.py")]
    reached, listed, met = seen(apart, modules + programs, files)
    assert (reached, met) == ([], [])
    assert set(listed) <= {"__init__.py", "claims", "units"}


def test_experiments_can_be_imported_and_what_they_record_can_be_read(apart):
    modules = ["course", "course.claims", "course.units", *UNITS, *(f"{unit}.experiments" for unit in UNITS)]
    recorded = list(COURSE.glob("units/*/experiments/recorded/*.json"))
    reached, _, met = seen(apart, modules, recorded)
    assert recorded and reached == [*modules, *map(str, recorded)]
    assert [name for name in met if ".experiments" not in name] == []


GRADE = """
import sys
from graders.autograde import Cell, Limits, Submission, Worker

cells = (Cell("extra", "", sys.argv[2]), Cell("test", "check", "assert 1", 1.0))
with Worker(Limits(cell_s=60, total_s=200), isolation=sys.argv[1]) as worker:
    print(worker.grade(Submission("ada", "lesson", "lesson", cells, "", 7)).output)
"""


def test_of_an_installed_course_no_more_is_in_view(apart, tmp_path):
    """There, the whole folder of packages is in view, and with it what a class may have handed in."""
    course = tmp_path / "site-packages" / "course"
    shutil.copytree(COURSE, course, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("submitted", "release", "autograded", "feedback"):
        (course / name).mkdir(exist_ok=True)
        (course / name / "secret.txt").write_text("a grade")
    files = [path for path in course.rglob("*") if path.is_file()]
    hidden = [path for path in files if _is_hidden(path.relative_to(course).parts)]
    assert len(hidden) > 260
    modules = [*UNITS, *(f"{package}.exercise" for package in PACKAGES)]
    look = LOOK.format(modules=modules, files=list(map(str, hidden)), course=str(course))
    done = subprocess.run(
        [sys.executable, "-c", GRADE, apart.isolation, look],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(course.parent), str(ROOT)))},
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines()[:1] == [str(UNITS)], done.stdout + done.stderr


def _is_hidden(parts: tuple[str, ...]) -> bool:
    """Whether a file of the course belongs to an exercise, or lies in a folder that is not the package's."""
    if parts[0] != "units":
        return len(parts) > 1 and parts[0] != "claims"
    return len(parts) > 3 and parts[2] != "experiments"
