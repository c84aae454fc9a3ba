"""The course installed from its wheel: the lessons come with it, and nothing is written beside them."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("tlwidgets", "graders", "course")

pytestmark = pytest.mark.slow


def tracked(*folders: str) -> set[str]:
    command = ["git", "ls-files", "-z", "--", *folders]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {name for name in names.split("\0") if (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy, since a build writes into its folder."""
    tree, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    for name in tracked(*PACKAGES, "pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    # What an instructor's and a student's work leaves in a checkout is not for others.
    (tree / "course" / "gradebook.db").write_text("grades")
    for folder in ("submitted/ada", "source/01-transfer-learning/.ipynb_checkpoints", "units/__pycache__"):
        (tree / "course" / folder).mkdir(parents=True, exist_ok=True)
        (tree / "course" / folder / "private.ipynb").write_text("{}")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    command += ["-w", out, tree]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder that holds the installed wheel and cannot be written to, as a system's often cannot."""
    target = tmp_path_factory.mktemp("site-packages")
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", target, wheel]
    subprocess.run(command, check=True, capture_output=True)
    for path in (target, *target.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o222)
    yield target
    for path in (target, *target.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)


def tlcourse(installed: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess:
    """The installed command; the packages of this checkout are not in reach."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    code = (
        f"import sys, graders, tlwidgets; assert graders.__file__.startswith({str(installed)!r});"
        "from graders.cli import main; main(prog_name='tlcourse')"
    )
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=environment)


def test_it_holds_what_version_control_has_in_the_packages_and_nothing_else(wheel):
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == tracked(*PACKAGES)


def test_in_an_empty_folder_it_makes_the_lessons_and_finds_them_again(installed, tmp_path):
    before = sorted(path for path in installed.rglob("*"))
    done = tlcourse(installed, tmp_path, "build", "--json")
    assert done.returncode == 0, done.stderr
    work = tmp_path / "work"
    lessons = {path.stem for path in (ROOT / "course" / "source").glob("*/*.ipynb")}
    assert lessons and {path.stem for path in work.glob("*/*.ipynb")} == lessons
    assert (work / "Home.md").is_file()
    # From within the copies it brings the same ones up to date.
    inside = work / "01-transfer-learning"
    again = json.loads(tlcourse(installed, inside, "build", "--json").stdout)
    assert {record["what"] for record in again} == {"kept"}
    assert not list(inside.rglob("work"))
    assert sorted(path for path in installed.rglob("*")) == before


def test_its_commands_work_there(installed, tmp_path):
    assert "Open the course in JupyterLab" in tlcourse(installed, tmp_path, "lab", "--help").stdout
    done = tlcourse(installed, tmp_path, "doctor", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    code = "from graders.cli.setup import torch_requirement; print(torch_requirement())"
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    found = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True)
    assert found.stdout.decode().strip().startswith("torch==")


def test_grades_are_not_written_into_the_installed_package(installed, tmp_path):
    for command in (["grade", "01-transfer-learning"], ["xp"]):
        done = tlcourse(installed, tmp_path, *command)
        assert done.returncode == 1
        assert "There is no course here" in done.stderr and "cd" in done.stderr
