"""Setting up from a bare machine: one clear sentence when something is missing, and safe to run again."""

import json
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from graders.cli import bootstrap

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def stamp(venv: Path, root: Path, *extras: str, fingerprint: str = "") -> None:
    """What a set-up that has finished leaves behind."""
    left = {"fingerprint": fingerprint or bootstrap.fingerprint(root), "extras": extras}
    (venv / "tlcourse-setup.json").write_text(json.dumps(left))


def test_it_needs_nothing_but_the_standard_library():
    done = subprocess.run(
        [sys.executable, "-I", "-S", ROOT / "graders/cli/bootstrap.py", "--help"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_a_python_that_is_too_old_is_named(monkeypatch):
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 8, 1))
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    with pytest.raises(bootstrap.Problem, match="Python 3.8 is too old: the course needs 3.10 or newer"):
        bootstrap.check_python()


def test_a_newer_python_that_is_there_is_taken(monkeypatch):
    taken = []
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 8, 1))
    monkeypatch.setattr(
        bootstrap.shutil, "which", lambda name: f"/opt/{name}" if name == "python3.12" else None
    )
    monkeypatch.setattr(bootstrap.os, "execv", lambda path, arguments: taken.append(path) or sys.exit(0))
    with pytest.raises(SystemExit):
        bootstrap.check_python()
    assert taken == ["/opt/python3.12"]


def test_a_full_disk_is_seen_before_anything_is_done(monkeypatch, tmp_path):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(bootstrap.shutil, "disk_usage", lambda path: usage(10, 10, 0.2e9))
    with pytest.raises(bootstrap.Problem, match=r"0\.2 GB free .* needs about 4 GB"):
        bootstrap.set_up(ROOT, tmp_path / "venv")
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        (
            "NewConnectionError(...): Failed to establish a new connection: [Errno 111] Connection refused",
            "could not be reached",
        ),
        ("Temporary failure in name resolution", "could not be reached"),
        ("ERROR: No matching distribution found for soup", "No matching distribution found for soup"),
        ("", "no reason was given"),
    ],
)
def test_what_a_failed_installation_means(output, said):
    assert said in bootstrap.explain(output)


def test_without_a_network_it_says_so_and_can_be_run_again(tmp_path):
    """A real pip in a real environment, whose package index refuses connections."""
    copy = tmp_path / "course"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "graders", copy / "graders", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tlwidgets", copy / "tlwidgets", ignore=shutil.ignore_patterns("__pycache__"))
    nowhere = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_CACHE_DIR": "1",
    }
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_"))
    } | nowhere
    command = [sys.executable, copy / "graders/cli/bootstrap.py", "setup"]
    for _ in range(2):
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 1
        assert "the package index could not be reached" in done.stderr
        assert "Traceback" not in done.stderr
    assert not bootstrap.is_set_up(copy / ".venv", copy)


def test_a_second_set_up_does_nothing(tmp_path, monkeypatch):
    venv = tmp_path / "venv"
    venv.mkdir()
    stamp(venv, ROOT, "test")
    monkeypatch.setattr(bootstrap.subprocess, "run", lambda *a, **k: pytest.fail("nothing is to be done"))
    bootstrap.set_up(ROOT, venv, frozenset({"test"}))
    bootstrap.set_up(ROOT, venv)
    bootstrap.set_up(ROOT, venv, frozenset({"grading", "docs"}))  # [test] brings all the others
    (venv / "tlcourse-setup.json").write_text("{ half")
    assert not bootstrap.is_set_up(venv, ROOT)


def test_an_extra_that_was_asked_for_once_stays(tmp_path, monkeypatch):
    """An instructor's extras are installed again when the course is updated, whatever is started next."""
    venv = tmp_path / "venv"
    venv.mkdir()
    stamp(venv, ROOT, "grading", fingerprint="of an older course")
    asked = []
    monkeypatch.setattr(bootstrap, "make_venv", lambda venv: None)
    monkeypatch.setattr(bootstrap, "shown", lambda command, log: asked.append(command[-1]))
    monkeypatch.setattr(
        bootstrap.subprocess, "run", lambda command, cwd: subprocess.CompletedProcess(command, 0)
    )
    bootstrap.set_up(ROOT, venv)
    assert asked == [f"{ROOT}[grading]"]
    assert bootstrap.is_set_up(venv, ROOT, frozenset({"grading"}))
    assert not bootstrap.is_set_up(venv, ROOT, frozenset({"docs"}))
    bootstrap.set_up(ROOT, venv, frozenset({"docs"}))
    assert asked[1:] == [f"{ROOT}[docs,grading]"]


def test_the_stamp_goes_by_what_is_to_be_installed(tmp_path):
    (tmp_path / "graders/cli").mkdir(parents=True)
    for name in ("pyproject.toml", bootstrap.CONSTRAINTS):
        shutil.copy(ROOT / name, tmp_path / name)
    before = bootstrap.fingerprint(tmp_path)
    assert bootstrap.fingerprint(tmp_path) == before
    (tmp_path / bootstrap.CONSTRAINTS).write_text("torch==9.9\n")
    assert bootstrap.fingerprint(tmp_path) != before


@pytest.mark.parametrize(
    ("target", "given", "taken"),
    [
        ("lab", "", ["graders.cli", "lab"]),
        ("lab", "-- --allow-root", ["graders.cli", "lab", "--", "--allow-root"]),
        (
            "lab",
            "--port 9000 -- --allow-root --with",
            ["graders.cli", "lab", "--port", "9000", "--", "--allow-root", "--with"],
        ),
        ("test", "tests/core -k 'one or two'", ["pytest", "tests/core", "-k", "one or two"]),
        ("test", "-- -odd-name.py", ["pytest", "--", "-odd-name.py"]),
        ("docs", "--site-dir elsewhere", ["mkdocs", "build", "--strict", "--site-dir", "elsewhere"]),
    ],
)
def test_what_make_is_given_arrives_word_for_word(tmp_path, target, given, taken):
    """In place of the environment's Python, a program that writes down what it is asked to do."""
    (tmp_path / "graders/cli").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", bootstrap.CONSTRAINTS, "graders/cli/bootstrap.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    python = bootstrap.python_of(tmp_path / ".venv")
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\" > told\n")
    python.chmod(0o755)
    stamp(tmp_path / ".venv", tmp_path, "test")
    make = ["make", "-C", tmp_path, target, f"PYTHON={sys.executable}", f"ARGS={given}"]
    subprocess.run(make, check=True)
    assert (tmp_path / "told").read_text().splitlines() == ["-m", *taken]
