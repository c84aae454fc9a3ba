"""Types: strict in the core and for a program that uses the toolkit; every module is read."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("tlwidgets", "graders", "course")
PROGRAMS = {"right", "mistakes", "cheats", "idioms"}  # of exercises: they stand for students' cells


def mypy(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "mypy", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_a_type_checker_reads_every_module_and_finds_nothing():
    done = mypy()
    assert done.returncode == 0, done.stdout + done.stderr
    ours = [path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    ours = [path for path in ours if not PROGRAMS & set(path.parts)]
    assert int(re.search(r"in (\d+) source files", done.stdout)[1]) == len(ours) + 1  # and typed_program.py


def test_it_is_strict_about_the_program_that_uses_the_toolkit(tmp_path):
    """Otherwise neither the types in that program nor what it marks as refused would show anything."""
    program = tmp_path / "typed_program.py"
    program.write_text("def untyped(x):\n    return x\n\n\ny = 1  # type: ignore[misc]\n")
    found = mypy("--cache-dir", str(tmp_path), str(program)).stdout
    assert "[no-untyped-def]" in found and "[unused-ignore]" in found


def test_what_is_installed_says_that_it_has_types():
    for package in ("tlwidgets", "graders"):
        assert (ROOT / package / "py.typed").is_file()  # all that is in them is in the wheel
