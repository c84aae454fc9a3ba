"""The queue: every submission is graded whatever happens to workers, and few are held at a time."""

import contextlib
import time

import psutil
import pytest
from classroom import programs
from notebooks import hand_in, released

from graders.autograde.batch.jobs import AHEAD, Job
from graders.autograde.batch.local import grade_here
from graders.autograde.processes.zygote import Zygote
from graders.autograde.records import Limits
from graders.autograde.sandbox import available_isolation

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]

ISOLATION, _ = available_isolation()


def jobs(count: int, pulled: list[int] | None = None):
    """Submissions of a made-up class; `pulled` gets the number of each that is asked for."""
    for number in range(count):
        if pulled is not None:
            pulled.append(number)
        yield Job(f"student-{number}", (hand_in(released(programs(number)[0])).submission,))


def points(done) -> dict[str, float]:
    return {one.job.student: sum(check.points for check in one.evidence[0].checks) for one in done}


EXPECTED = {f"student-{number}": programs(number)[1] for number in range(10)}


def test_here_one_after_the_other():
    pulled, seen = [], 0
    for done in grade_here(jobs(3, pulled), Limits(), ISOLATION):
        seen += 1
        assert len(pulled) == seen
        assert done.evidence[0].status == "graded" and done.evidence[0].isolation == ISOLATION
    assert seen == 3


def test_with_two_workers_few_are_held_and_killed_servers_cost_nothing():
    pulled, found = [], []
    with (
        Zygote() as zygote,
        contextlib.closing(grade_here(jobs(10, pulled), Limits(), ISOLATION, 2, zygote)) as grading,
    ):
        for done in grading:
            found.append(done)
            assert len(pulled) <= len(found) + 2 * AHEAD
            if len(found) == 1:
                importer = psutil.Process(zygote.pid)
                for victim in (*importer.children(), importer):
                    with contextlib.suppress(psutil.NoSuchProcess):  # a server that was being ended
                        victim.kill()
    assert points(found) == EXPECTED
    assert all(done.evidence[0].status == "graded" for done in found)


def test_stopped_early_it_does_not_wait_for_the_slow_and_leaves_no_process():
    before = set(psutil.Process().children(recursive=True))
    slow = hand_in(released({"build-head": "while True: pass"})).submission
    both = [*jobs(1), Job("slow", (slow,))]
    with contextlib.closing(grade_here(both, Limits(), ISOLATION, 2)) as grading:
        assert next(grading).job.student == "student-0"
        started = time.monotonic()
    assert time.monotonic() - started < Limits().cell_s / 2
    assert (
        set(psutil.Process().children(recursive=True)) <= before
    )  # some of an earlier test's may have ended
