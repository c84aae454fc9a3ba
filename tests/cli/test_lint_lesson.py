"""`tlcourse lint-lesson` on the course's own lessons and on broken ones: sentences, JSON, exit status."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from graders.checks import EXERCISES

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
UNIT = "02-which-layers-to-train"


def lint(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "graders.cli", "lint-lesson", *arguments]
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths}
    )


@pytest.mark.timeout(1200)  # hundreds of programs
@pytest.mark.parametrize(
    "mutants",
    [False, pytest.param(True, marks=[pytest.mark.long, pytest.mark.timeout(3600)])],
    ids=["programs", "mutants and width as well"],
)
def test_the_course_s_lessons_are_clean_and_only_true_equivalents_survive(mutants):
    options = ["--mutants", "--width"] if mutants else ["--no-mutants", "--no-width"]
    done = lint("--strict", "--json", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    reports = json.loads(done.stdout)
    assert {report["unit"] for report in reports} >= {"01-transfer-learning", UNIT}
    for report in reports:
        assert report["findings"] == []
        for rate in report["rates"]:
            assert rate["named"] == rate["of_named"] >= 3
            assert rate["caught"] == rate["mutants"] and (rate["mutants"] > 10) == mutants
            assert rate["survivors"] == []


@pytest.fixture
def course(tmp_path):
    """A course with lesson 02 alone, whose cells may be changed."""
    source = ROOT / "course" / "source" / UNIT / f"{UNIT}.ipynb"
    target = tmp_path / "course" / "source" / UNIT / source.name
    target.parent.mkdir(parents=True)

    def make(change) -> Path:
        notebook = nbformat.read(source, as_version=4)
        for cell in notebook.cells:
            change(cell)
        nbformat.write(notebook, target)
        return tmp_path

    return make


def test_a_broken_rule_ends_with_status_1_and_says_where_and_what_to_do(course):
    def change(cell):
        if cell.id == "check-pick":
            cell.source = "assert pick([], 3, 0.1) == None"

    root = course(change)
    done = lint("02", "--static", cwd=root)
    assert done.returncode == 1
    assert "check-pick: A bare comparison" in done.stdout and "Use `same` of graders.checks" in done.stdout
    (report,) = json.loads(lint("02", "--static", "--json", cwd=root).stdout)
    assert {finding["rule"] for finding in report["findings"]} == {"comparison", "assert", "asserts-nothing"}
    assert lint("02", cwd=root).returncode == 1


def test_what_shows_only_when_it_runs_is_refused_as_well(course):
    def change(cell):
        if cell.id == "setup-torch":
            cell.metadata.tags = ["demo"]
        if cell.id == "layer-rates":
            cell.source = cell.source.replace("parts = ", "torch.manual_seed(0)\n    parts = ")

    done = lint("--no-mutants", "--no-width", cwd=course(change))
    assert done.returncode == 1
    assert "check-layer-rates: With the lesson's answer" in done.stdout
    assert "name 'torch' is not defined" in done.stdout
    named = len(next(exercise for exercise in EXERCISES if exercise.id == "layer-rates").mistakes)
    assert f"{named} of {named}" in done.stdout


def test_an_unknown_unit_gets_a_sentence():
    done = lint("99")
    assert done.returncode == 2
    assert "There is no unit '99'" in done.stderr and UNIT in done.stderr
