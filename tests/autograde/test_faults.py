"""A process of the grader that dies costs no grade: the submission is graded again."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

import graders.autograde.processes.worker as machinery
from graders.autograde import Limits, Worker
from graders.autograde.processes.monitor import descendants

from .conftest import answer, check, graded, submission

pytestmark = pytest.mark.slow

CELLS = answer("def f(x):\n    return x"), check("assert f(1) == 1")
ENDLESS = answer("while True: pass"), check("assert 1")  # so that the kill comes before the end


@pytest.fixture
def own_worker(zygote):
    """A worker whose servers may be killed; the zygote is shared."""
    with Worker(Limits(cell_s=60), zygote=zygote) as worker:
        yield worker


def kill_midway(monkeypatch, of) -> None:
    """Kill a process once both are running and before the checker is heard."""
    follow = machinery._Grading._follow

    def followed(grading, channel):
        monkeypatch.setattr(machinery._Grading, "_follow", follow)
        os.kill(of(grading), signal.SIGKILL)
        return follow(grading, channel)

    monkeypatch.setattr(machinery._Grading, "_follow", followed)


@pytest.mark.parametrize("kind", ["student", "checker"])
@pytest.mark.parametrize("what", ["process", "server"])
def test_a_kill_midway_is_the_graders_failure(own_worker, monkeypatch, kind, what):
    own_worker.start()
    kill_midway(
        monkeypatch,
        lambda grading: grading._pids[kind] if what == "process" else grading._servers[kind].pid,
    )
    evidence = own_worker.grade(submission(*ENDLESS))
    assert (evidence.status, evidence.checks) == ("grader-failed", ())
    assert evidence.reason
    assert graded(own_worker, *CELLS).points == 3.0


@pytest.mark.parametrize("kind", ["student", "checker"])
def test_a_server_that_died_in_between_is_started_again(own_worker, kind):
    own_worker.start()
    os.kill(own_worker.server_pids[kind], signal.SIGKILL)
    own_worker.grade(submission(*CELLS))
    assert graded(own_worker, *CELLS).points == 3.0


def test_a_zygote_that_died_in_between_is_started_again():
    with Worker(Limits(cell_s=60)) as own_worker:
        lose_the_zygote_of(own_worker)


def lose_the_zygote_of(own_worker) -> None:
    assert graded(own_worker, *CELLS).points == 3.0
    zygote, servers = own_worker.pids - {*own_worker.server_pids.values()}, own_worker.server_pids
    os.kill(*zygote, signal.SIGKILL)
    assert graded(own_worker, *CELLS).points == 3.0
    assert own_worker.server_pids == servers  # which do not need it
    os.kill(servers["student"], signal.SIGKILL)
    own_worker.grade(submission(*CELLS))
    assert graded(own_worker, *CELLS).points == 3.0
    assert not zygote & own_worker.pids


def test_workers_that_share_a_zygote_end_without_each_other(zygote):
    first, second = (Worker(Limits(cell_s=60), zygote=zygote) for _ in range(2))
    with second:
        with first:
            assert graded(first, *CELLS).points == graded(second, *CELLS).points == 3.0
            assert not set(first.server_pids.values()) & set(second.server_pids.values())
        assert graded(second, *CELLS).points == 3.0
    with Worker(Limits(cell_s=60), zygote=zygote) as third:
        assert graded(third, *CELLS).points == 3.0


def test_a_worker_that_is_stopped_ends_what_it_grades(zygote):
    with Worker(Limits(cell_s=60), zygote=zygote) as worker, ThreadPoolExecutor(1) as pool:
        worker.start()
        grading = pool.submit(worker.grade, submission(*ENDLESS))
        while not any(map(descendants_of, worker.server_pids.values())):
            assert not grading.done()
        worker.stop()
        assert grading.result(20).status == "grader-failed"
        assert worker.grade(submission(*CELLS)).status == "grader-failed"


def test_a_process_that_ends_while_it_is_looked_at_stops_nobody(monkeypatch):
    """What is killed because it takes too long ends bit by bit, while its memory and time are still read."""

    def ended(path):
        raise ProcessLookupError(3, "No such process", path)

    monkeypatch.setattr("graders.autograde.processes.monitor.os.listdir", ended)
    assert descendants(os.getpid()) == [os.getpid()]


def descendants_of(pid: int) -> list[int]:
    return descendants(pid)[1:]


def test_servers_are_started_afresh_now_and_then(zygote):
    with Worker(Limits(cell_s=60), restart_after=2, zygote=zygote) as worker:
        pids = []
        for _ in range(4):
            assert graded(worker, *CELLS).points == 3.0
            pids.append(worker.server_pids)
    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_nothing_is_left_when_a_worker_closes():
    with Worker(Limits(cell_s=60)) as worker:
        worker.start()
        pids, folder = worker.server_pids.values(), worker._folder
    assert not folder.exists()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
