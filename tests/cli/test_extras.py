"""A command that needs more than a student has installed says which extra brings it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
HIDE = """
import sys

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {hidden}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Hide())
"""
# What each extra brings and a student does not have: the names by which it is imported.
EXTRAS = {"grading": {"rich", "psycopg"}, "cluster": {"distributed", "dask"}, "test": {"papermill", "pytest"}}


def tlcourse(folder: Path, hidden: set[str], *arguments: str) -> subprocess.CompletedProcess:
    """The command in an environment where these packages cannot be imported."""
    (folder / "sitecustomize.py").write_text(HIDE.format(hidden=hidden))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    command = [sys.executable, "-m", "graders.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)


@pytest.mark.parametrize(
    ("arguments", "command", "package", "extra"),
    [
        (("grade", "01-transfer-learning"), "tlcourse grade", "rich", "grading"),
        (("xp",), "tlcourse xp", "rich", "grading"),
        (("xp", "--db", "postgresql+psycopg://host/x"), "tlcourse xp", "psycopg", "grading"),
        (("lint-lesson", "01", "--static"), "tlcourse lint-lesson", "rich", "grading"),
        (
            ("grade", "01", "--scheduler", "tcp://127.0.0.1:1"),
            "tlcourse grade --scheduler",
            "distributed",
            "cluster",
        ),
    ],
)
def test_what_is_missing_is_named_with_the_extra_that_brings_it(tmp_path, arguments, command, package, extra):
    done = tlcourse(tmp_path, {package}, *arguments)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"`{command}` needs the package {package}" in done.stderr
    assert f"pip install 'transfer-learning-course[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_students_need_none_of_the_extras(tmp_path):
    hidden = set().union(*EXTRAS.values())
    for command in (["build", "--dir", str(tmp_path / "work")], ["doctor"], ["lab", "--help"]):
        done = tlcourse(tmp_path, hidden, *command)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "work" / "01-transfer-learning" / "01-transfer-learning.ipynb").is_file()


def test_what_students_import_is_installed_for_them():
    """No package of an extra is imported by the toolkit or the checks, which is all that a notebook
    imports."""
    hidden = set().union(*EXTRAS.values())
    pattern = re.compile(rf"^\s*(?:from|import) ({'|'.join(hidden)})\b", re.M)
    sources = [
        path
        for folder in ("tlwidgets", "graders/checks", "course/units")
        for path in (ROOT / folder).rglob("*.py")
    ]
    assert sources
    assert [str(path) for path in sources if pattern.search(path.read_text())] == []


def test_the_test_tools_bring_every_other_extra():
    """`make test` needs them all, and set-up takes what has [test] for complete."""
    text = (ROOT / "pyproject.toml").read_text()
    section = text.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    extras = dict(re.findall(r"^(\w+) = \[(.*?)^\]", section, re.M | re.S))

    def brought(extra: str) -> set[str]:
        named = re.findall(r"transfer-learning-course\[([\w,]+)\]", extras[extra])
        return {extra}.union(*(brought(name) for names in named for name in names.split(",")))

    assert brought("test") == set(extras)
