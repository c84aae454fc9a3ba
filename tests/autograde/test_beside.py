"""Honest work gets beside others, however they keep the machine busy, what it gets alone."""

import contextlib
import os
import subprocess
import sys

import pytest

from graders.autograde.batch.jobs import Job, deserves_another_try
from graders.autograde.batch.local import grade_here
from graders.autograde.processes.worker import Worker
from graders.autograde.records import Evidence, Limits
from graders.autograde.sandbox import available_isolation
from graders.checks import EXERCISES

from .conftest import answer, check, exercise_cells, submission

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]

HEAD = next(one for one in EXERCISES if one.id == "build-head")
SPIN = """import os, signal, sys
signal.alarm(300)  # should nobody be left to end it
os.sched_setaffinity(0, {int(sys.argv[1])})
while True: pass"""
# A second of work, whatever the time on the wall.
WORK = "import time\nend = time.process_time() + {}\nwhile time.process_time() < end: pass\n"
HOSTILE = """import os
for _ in range(28):
    if os.fork() == 0:
        while True: pass
while True: pass"""


@contextlib.contextmanager
def busy(core: int, count: int):
    """Keep a core busy with so many processes, each in a session: systems may share time among sessions."""
    command = [sys.executable, "-S", "-c", SPIN, str(core)]
    running = [subprocess.Popen(command, start_new_session=True) for _ in range(count)]
    try:
        yield
    finally:
        for one in running:
            one.kill()
            one.wait()


@pytest.mark.parametrize("isolation", ["namespaces", "landlock"])
def test_time_in_which_others_keep_the_processor_costs_nothing(zygote, isolation):
    core = min(os.sched_getaffinity(0))
    cells = answer(WORK.format(1) + "def f(): return 1"), check("assert f() == 1", 1)
    limits = Limits(cell_s=2)
    with Worker(limits, isolation, zygote=zygote, cores=(core,)) as worker, busy(core, 5):
        evidence = worker.grade(submission(*cells))
    assert [one.points for one in evidence.checks] == [1] and not evidence.late
    assert evidence.waited_s > limits.cell_s


def test_honest_work_beside_attackers_gets_what_it_gets_alone():
    honest = submission(
        answer(WORK.format(0.5) + "def f(): return 1"),
        check("assert f() == 1", 1),
        *exercise_cells(HEAD, HEAD.right["one_linear"]),
    )
    hostile = submission(answer(HOSTILE), check("assert 1"))
    jobs = [Job(f"{kind} {n}", (one,)) for n in range(2) for kind, one in (("honest", honest), ("", hostile))]
    done = {}
    for one in grade_here(jobs, Limits(cell_s=2, total_s=4), available_isolation()[0], workers=2):
        done[one.job.student] = [check.points for check in one.evidence[0].checks]
    assert len(done) == len(jobs)
    assert [points for who, points in done.items() if who.startswith("honest")] == [[1, 1]] * 2
    assert [points for who, points in done.items() if who.startswith(" ")] == [[0]] * 2


@pytest.mark.parametrize(
    ("late", "waited_s", "cpu_s", "again"),
    [(True, 5, 4, True), (False, 5, 4, False), (True, 1, 9, False), (True, 9, 10, False)],
    ids=["kept waiting", "in time", "not kept waiting", "by its own processes"],
)
def test_what_took_too_long_because_of_others_is_tried_again(late, waited_s, cpu_s, again):
    one = Evidence("student-failed", "", (), wall_s=10.0, cpu_s=cpu_s, late=late, waited_s=waited_s)
    assert deserves_another_try((one,)) is again
