"""Isolation is found by trying, is insisted on, and Landlock holds where there are no namespaces."""

import contextlib
import threading
import time

import psutil
import pytest

import graders.autograde.sandbox.isolation as isolation
from graders.autograde import IsolationError, Limits, Worker, available_isolation
from graders.checks import EXERCISES

from .conftest import check, exercise_cells, extra, graded, submission

pytestmark = pytest.mark.slow


def test_the_best_isolation_is_found_by_trying(worker):
    best, why = available_isolation()
    assert worker.isolation == best
    assert (why == "") == (best == "namespaces")


def test_without_namespaces_landlock_is_taken_and_said(monkeypatch):
    monkeypatch.setattr(isolation, "_try", lambda kind: "forbidden" if kind == "namespaces" else "")
    best, why = available_isolation()
    assert best == "landlock" and "forbidden" in why
    assert isolation.choose_isolation("auto") == "landlock"
    with pytest.raises(IsolationError, match="forbidden"):
        isolation.choose_isolation("namespaces")


def test_a_trial_that_is_killed_decides_nothing():
    best, why = available_isolation()
    killed = []
    already = set(psutil.Process().children())
    hunter = threading.Thread(target=_kill_the_next_child, args=(already, killed))
    hunter.start()
    try:
        assert available_isolation() == (best, why)
    finally:
        hunter.join()
    assert killed


def _kill_the_next_child(already: set[psutil.Process], killed: list[int]) -> None:
    give_up = time.monotonic() + 60
    while not killed and time.monotonic() < give_up:
        for child in set(psutil.Process().children()) - already:
            with contextlib.suppress(psutil.NoSuchProcess):  # it had ended: the next one, then
                child.kill()
                killed.append(child.pid)


def test_with_neither_nothing_is_graded_unless_that_is_asked_for(monkeypatch):
    monkeypatch.setattr(isolation, "_try", lambda kind: f"no {kind}")
    with pytest.raises(IsolationError, match="with all your rights"):
        Worker()
    assert isolation.choose_isolation("none") == "none"
    with pytest.raises(IsolationError, match="There is no isolation 'jail'"):
        isolation.choose_isolation("jail")


def test_with_no_isolation_the_evidence_says_so(zygote):
    head = next(exercise for exercise in EXERCISES if exercise.id == "build-head")
    with Worker(Limits(cell_s=60), isolation="none", zygote=zygote) as worker:
        evidence = worker.grade(submission(*exercise_cells(head, head.right["one_linear"])))
    assert (evidence.isolation, evidence.checks[0].points) == ("none", head.points)


REACHES = {
    "its parent's signals": "os.kill(os.getppid(), 0)",
    "all signals": "os.kill(-1, 0)",
    "its parent's memory": "open(f'/proc/{os.getppid()}/mem', 'rb')",
    "the root": "os.listdir('/')",
    "the users": "open('/etc/passwd')",
    "the checks": "open(Path(tlwidgets.__file__).parents[1] / 'graders' / 'checks' / 'compare.py')",
    "a program": "os.execv('/bin/sh', ['sh'])",
    "a process": "os.fork()",
    "a socket": "socket.socket()",
    "its parent's limits": "resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))",
    "a file outside": "open('/tmp/outside', 'w')",
    "another's processors": "os.sched_setaffinity(4_000_000, {0})",
    "signals by a descriptor": "fcntl.fcntl(os.open('own', os.O_CREAT | os.O_RDWR), fcntl.F_SETOWN, "
    "os.getppid())",
    "files by their names": "os.truncate('own', 0)",
    "notices of files": "if ctypes.CDLL(None).inotify_init1(0) < 0: raise PermissionError",
}


@pytest.fixture(scope="module")
def landlocked(zygote):
    with Worker(Limits(cell_s=60), isolation="landlock", zygote=zygote) as worker:
        yield worker


def test_landlock_keeps_a_student_from_all_that_is_not_theirs(landlocked):
    lines = ["import ctypes, fcntl, os, socket, resource, tlwidgets\nfrom pathlib import Path"]
    for what, attempt in REACHES.items():
        lines.append(
            f"try:\n    {attempt}\n    print({what!r})\nexcept (PermissionError, FileNotFoundError): pass"
        )
    lines.append("open('own', 'w').write('x')\nprint(open('own').read())")
    evidence = landlocked.grade(submission(extra("\n".join(lines)), check("assert 1")))
    assert (evidence.isolation, evidence.output) == ("landlock", "x\n")


@pytest.mark.parametrize("exercise", EXERCISES[:3], ids=lambda exercise: exercise.id)
def test_landlock_grades_the_same(landlocked, exercise):
    assert (
        graded(landlocked, *exercise_cells(exercise, [*exercise.right.values()][-1])).points
        == exercise.points
    )
    mistake = exercise.mistakes[0]
    assert graded(landlocked, *exercise_cells(exercise, exercise.wrong[mistake.id])).mistake == mistake.id


def test_under_landlock_which_starts_no_process_a_loader_does_without_workers(landlocked):
    cell = (
        "from torch.utils.data import DataLoader\n"
        "loader = DataLoader(range(6), batch_size=2, num_workers=2, timeout=5, persistent_workers=True)\n"
        "print([torch.cat(list(loader)).tolist() for epoch in range(2)])"
    )
    evidence = landlocked.grade(submission(extra(cell), check("assert 1")))
    assert evidence.output == "[[0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]]\n"


def test_what_one_student_wrote_under_landlock_is_gone_for_the_next(landlocked):
    landlocked.grade(submission(extra("open('left', 'w').write('x')"), check("assert 1")))
    evidence = landlocked.grade(submission(extra("import os\nprint(os.listdir('.'))"), check("assert 1")))
    assert evidence.output == "[]\n"
