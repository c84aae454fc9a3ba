"""On a Dask cluster that dies, hangs or has another version, grading ends in a sentence or completes.

Whatever happened, nothing is graded twice, and the next run, with a scheduler or without, leaves the
gradebook of an undisturbed one.
"""

import random
import shutil
import signal
import socket
import threading

import psutil
import pytest
from classroom import ROOT, Classroom
from dask_cluster import Cluster, kill_tree
from faults import start, until
from ledger import attempts, attempts_so_far, ledger
from quick import RIGHT, programs
from test_batch import EXPECTED, ISOLATION, jobs, points

from graders.autograde.batch import cluster as machinery
from graders.autograde.batch.cluster import grade_on, isolation_of, remote_cluster
from graders.autograde.records import GradingError, Limits

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]

STUDENTS = 4
# So that whatever happens, happens before the end.
SLOW = RIGHT | {"build-head": f"import time\ntime.sleep(5)\n{RIGHT['build-head']}"}


@pytest.fixture(scope="module")
def handed_in(generated, tmp_path_factory) -> Classroom:
    """A course in which a class has handed in, one of them something slow."""
    room = generated.copy(tmp_path_factory.mktemp("handed-in") / "course")
    for number in range(STUDENTS):
        room.hand_in(f"student-{number}", programs(number)[0])
    room.hand_in("student-slow", SLOW)
    room.put("unreadable", b"my dog ate it")
    return room


@pytest.fixture(scope="module")
def undisturbed(handed_in, tmp_path_factory, grade_in) -> dict:
    """What the gradebook says after a run without a scheduler."""
    room = handed_in.copy(tmp_path_factory.mktemp("undisturbed") / "course")
    grade_in(room)
    return ledger(room.address)


@pytest.fixture
def room(handed_in, tmp_path) -> Classroom:
    return handed_in.copy(tmp_path / "course")


@pytest.fixture
def dask(tmp_path):
    with Cluster(tmp_path / "dask") as running:
        yield running


def graded_once(room: Classroom, undisturbed: dict) -> None:
    assert ledger(room.address) == undisturbed
    assert set(attempts(room.address).values()) == {1}


def begun(room: Classroom) -> None:
    """Wait for the first grade, for which a worker has to import PyTorch."""
    until(lambda: attempts_so_far(room.address))


def said(process, status: int) -> str:
    """What `tlcourse grade` said until it ended."""
    words, _ = process.communicate(timeout=180)
    assert process.returncode == status, words
    assert "Traceback" not in words and "distributed" not in words, words
    return words


@pytest.mark.long
def test_undisturbed_it_is_as_without(room, undisturbed, dask):
    dask.worker()
    said(start(room, "--scheduler", dask.address, "--insecure-cluster"), 0)
    graded_once(room, undisturbed)


@pytest.mark.parametrize("again", [pytest.param("with", marks=pytest.mark.long), "without"])
def test_a_scheduler_that_dies_midway_ends_it_and_the_next_run_goes_on(
    room, undisturbed, dask, tmp_path, again, grade
):
    dask.worker()
    process = start(room, "--scheduler", dask.address, "--insecure-cluster")
    begun(room)
    dask.scheduler.kill()
    words = said(process, 1)
    assert "The Dask scheduler is gone" in words and "again to continue" in words
    assert 0 < len(attempts(room.address)) < STUDENTS + 2
    if again == "with":
        with Cluster(tmp_path / "other") as other:
            other.worker()
            said(start(room, "--scheduler", other.address, "--insecure-cluster"), 0)
    else:
        grade()
    graded_once(room, undisturbed)


def test_a_worker_that_dies_midway_costs_nothing_and_leaves_no_process(room, undisturbed, dask):
    """Its nanny starts it again, as `dask worker` does by itself."""
    nanny = dask.worker()
    process = start(room, "--scheduler", dask.address, "--insecure-cluster")
    begun(room)
    lost = [one for child in nanny.children() for one in kill_tree(child)]
    assert len(lost) > 3  # the worker and the grader's own processes
    said(process, 0)
    graded_once(room, undisturbed)


@pytest.mark.long
def test_a_worker_killed_alone_takes_the_graders_processes_with_it(room, undisturbed, dask):
    worker = dask.worker(nanny=False)
    process = start(room, "--scheduler", dask.address, "--insecure-cluster")
    begun(room)
    started = worker.children(recursive=True)
    worker.kill()
    _, left = psutil.wait_procs(started, timeout=60)
    assert not left
    dask.worker()
    said(process, 0)
    graded_once(room, undisturbed)


@pytest.mark.long
def test_workers_killed_at_any_moment_cost_nothing(room, undisturbed, dask):
    chance = random.Random(4)
    workers = [dask.worker() for _ in range(2)]
    process = start(room, "--scheduler", dask.address, "--insecure-cluster")
    for number in range(1, 4):
        until(
            lambda number=number: len(attempts_so_far(room.address)) >= number or process.poll() is not None
        )
        for child in chance.choice(workers).children():
            kill_tree(child)
    said(process, 0)
    graded_once(room, undisturbed)


@pytest.mark.long
def test_without_any_worker_for_a_while_it_ends(dask, monkeypatch):
    monkeypatch.setattr(machinery, "PATIENCE_S", 4.0)
    worker = dask.worker(nanny=False)
    with remote_cluster(dask.address) as client:
        done = grade_on(client, jobs(10), Limits(), ISOLATION)
        next(done)
        worker.kill()
        with pytest.raises(GradingError, match="has had no workers for 4 s.*again to continue"):
            list(done)


@pytest.mark.long
def test_a_scheduler_that_hangs_midway_ends_it(dask, monkeypatch):
    dask.worker()
    with remote_cluster(dask.address) as client:
        done = grade_on(client, jobs(10), Limits(), ISOLATION)
        next(done)
        monkeypatch.setattr(machinery, "ANSWER_S", 3.0)
        dask.scheduler.send_signal(signal.SIGSTOP)
        with pytest.raises(GradingError, match="scheduler is gone .it has said nothing for 3 s"):
            list(done)


@pytest.mark.long
def test_a_worker_that_hangs_from_the_start_is_said(dask, monkeypatch):
    worker = dask.worker(nanny=False)
    with remote_cluster(dask.address) as client:
        monkeypatch.setattr(machinery, "ABOUT_S", 3.0)
        worker.suspend()
        with pytest.raises(GradingError, match="Not all workers answer: one has said nothing for 3 s"):
            isolation_of(client)


def another_course(folder):
    """The course's packages, with a check that is newer."""
    for package in ("graders", "tlwidgets"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def newer_check(packages):
    path = packages / "graders" / "checks" / "__init__.py"
    path.write_text(path.read_text() + "\n# a newer check\n")


def newer_toolkit(packages):
    path = packages / "tlwidgets" / "core" / "__init__.py"
    path.write_text(path.read_text() + "\n# a newer toolkit\n")


def older_grader(packages):
    (packages / "graders" / "autograde" / "batch" / "cluster.py").unlink()


@pytest.mark.parametrize(
    "change",
    [
        newer_check,
        pytest.param(newer_toolkit, marks=pytest.mark.long),
        pytest.param(older_grader, marks=pytest.mark.long),
    ],
)
def test_a_worker_with_another_version_is_refused_before_anything_is_graded(
    room, undisturbed, dask, tmp_path, change
):
    change(packages := another_course(tmp_path / "packages"))
    dask.worker()
    other = dask.worker(packages, nanny=False)
    words = said(start(room, "--scheduler", dask.address, "--insecure-cluster"), 1)
    assert "A worker has another version of the course" in words
    assert not attempts_so_far(room.address)
    other.kill()
    until(lambda: not other.is_running() or other.status() == psutil.STATUS_ZOMBIE)
    said(start(room, "--scheduler", dask.address, "--insecure-cluster"), 0)
    graded_once(room, undisturbed)


@pytest.mark.long
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (newer_check, "A worker has another version of the course"),
        # It cannot read its tasks, and ends.
        pytest.param(older_grader, "has had no workers for 6 s", marks=pytest.mark.long),
    ],
)
def test_a_worker_with_another_version_that_joins_midway_grades_nothing(
    dask, tmp_path, monkeypatch, change, sentence
):
    monkeypatch.setattr(machinery, "PATIENCE_S", 6.0)
    change(packages := another_course(tmp_path / "packages"))
    first = dask.worker(nanny=False)
    with remote_cluster(dask.address) as client:
        grading = grade_on(client, jobs(10), Limits(), ISOLATION)
        found = [next(grading)]
        dask.worker(packages)
        first.kill()
        with pytest.raises(GradingError, match=sentence):
            found += grading
    graded = [one for one in found if one.evidence[0].status == "graded"]
    assert graded and all(EXPECTED[student] == worth for student, worth in points(graded).items())


def listener(say: bytes = b"") -> str:
    """The address of somebody who takes calls, and says something that is not Dask's, or nothing."""
    server = socket.create_server(("127.0.0.1", 0))

    def answer(held=()):
        while True:
            call, _ = server.accept()
            call.sendall(say)
            held = (*held, call)

    threading.Thread(target=answer, daemon=True).start()
    return f"127.0.0.1:{server.getsockname()[1]}"


def nobody() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    "address",
    [nobody, listener, lambda: listener(b"SSH-2.0-OpenSSH_9.2\r\n" * 20), lambda: "", lambda: "grader:http"],
    ids=["closed", "silent", "another", "empty", "no-address"],
)
def test_an_address_where_no_scheduler_answers(address, monkeypatch):
    monkeypatch.setattr(machinery, "ANSWER_S", 2.0)
    with (
        pytest.raises(GradingError, match="No Dask scheduler answers at .*Start one"),
        remote_cluster(address()),
    ):
        pass


def test_an_empty_address_is_rejected(room):
    assert "No Dask scheduler answers" in said(start(room, "--scheduler", "", "--insecure-cluster"), 1)


def test_a_worker_s_address_is_not_the_scheduler_s(dask):
    dask.worker()
    with remote_cluster(dask.address) as client:
        address = next(iter(client.scheduler_info(n_workers=-1)["workers"]))
    with pytest.raises(GradingError, match="a worker answered"), remote_cluster(address):
        pass


def test_a_scheduler_without_workers(dask):
    with pytest.raises(GradingError, match="has no workers. Start some"), remote_cluster(dask.address):
        pass
