"""Whatever ends a grading run, the next one goes on, and the gradebook is as after an undisturbed run."""

import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from classroom import UNIT, Classroom, environment
from faults import Postgres, kill_something, locked, start, until
from ledger import attempts, attempts_so_far, grades, ledger
from quick import BEST, RIGHT, programs

pytestmark = [pytest.mark.timeout(1800), pytest.mark.slow]

STUDENTS = 5
KILLS = 8  # tests/bench/grading_faults.py does it 50 times

# A shell calls both 130. `python -m` ends by the signal itself where it came while a string was executed, as
# `dataclass` does in an import, although the exception was caught.
INTERRUPTED = (130, -signal.SIGINT)


@pytest.fixture(scope="module")
def handed_in(generated, tmp_path_factory) -> Classroom:
    """A course in which a class has handed in."""
    room = generated.copy(tmp_path_factory.mktemp("handed-in") / "course")
    for number in range(STUDENTS):
        room.hand_in(f"student-{number}", programs(number)[0])
    room.put("unreadable", b"my dog ate it")
    return room


@pytest.fixture(scope="module")
def undisturbed(handed_in, tmp_path_factory, grade_in) -> Classroom:
    """The same course, graded."""
    room = handed_in.copy(tmp_path_factory.mktemp("undisturbed") / "course")
    grade_in(room)
    return room


def goes_on(room: Classroom, undisturbed: Classroom, killed: str, grade) -> None:
    """Grade again: nothing was lost, nothing is graded twice, and nothing is left half written."""
    grade(room)
    assert ledger(room.address) == ledger(undisturbed.address), killed
    assert set(attempts(room.address).values()) == {1}, killed
    assert not list(room.folder.glob("autograded/*/*/.*.part")), killed
    assert len(list(room.folder.glob("autograded/*/*/*.ipynb"))) == STUDENTS + 1, killed


# The command line of `tlcourse grade`, which kills itself (-9) where a submission is written for the second
# time.
KILLED_AT = """
import itertools, os, signal, sys
from graders.autograde import grading
from graders.autograde.results.gradebook import GradeWriter
from graders.cli import main

where, calls = sys.argv.pop(1), itertools.count(1)

def killing(function, before):
    def called(*arguments):
        second = next(calls) == 2
        if second and before:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments)
        if second:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return called

if where == "before the files":
    grading.write_notebook = killing(grading.write_notebook, before=True)
else:
    GradeWriter.write = killing(GradeWriter.write, before=where == "between files and transaction")
main()
"""
PLACES = {
    "before the files": (1, 1),
    "between files and transaction": (2, 1),
    "after the transaction": (2, 2),
}
"""Where it is killed -> how many notebooks and grades are there then."""


@pytest.mark.parametrize("place", PLACES)
def test_killed_where_a_submission_is_written_the_next_run_goes_on(
    handed_in, undisturbed, tmp_path, place, grade_in
):
    room = handed_in.copy(tmp_path / "course")
    arguments = room.command()[3:]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_AT, place, *arguments], env=environment(), capture_output=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    written = len(list(room.folder.glob("autograded/*/*/*.ipynb")))
    assert (written, len(attempts(room.address))) == PLACES[place]
    by_command = place == "between files and transaction"  # the others in this process, which has a worker
    goes_on(room, undisturbed, place, Classroom.grade if by_command else grade_in)


@pytest.mark.long
def test_killed_at_any_point_nothing_is_lost_and_nothing_is_graded_twice(handed_in, undisturbed, tmp_path):
    chance = random.Random(20)
    began = time.monotonic()
    handed_in.copy(tmp_path / "timed").grade("--workers", "2")
    took = time.monotonic() - began
    for number in range(KILLS):
        room = handed_in.copy(tmp_path / str(number))
        killed = kill_something(room, chance, took, "--workers", str(1 + number % 2))
        goes_on(room, undisturbed, killed, Classroom.grade)


def test_interrupted_it_says_what_is_done_and_goes_on(handed_in, undisturbed, tmp_path, grade_in):
    room = handed_in.copy(tmp_path / "course")
    room.hand_in("a-slow-one", RIGHT | {"build-head": f"import time\ntime.sleep(8)\n{RIGHT['build-head']}"})
    room.hand_in("0-first", RIGHT)
    process = start(room, "--workers", "1")
    until(lambda: "0-first" in attempts_so_far(room.address))
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=180)
    assert process.returncode in INTERRUPTED, said
    # 0: the signal came between the commit that was seen and the count.
    assert re.search(
        r"^Stopped: [01] graded, 0 graded before.* Run the same command again to continue", said, re.M
    )
    grade_in(room)
    assert room.xp()["a-slow-one"] == room.xp()["0-first"] == BEST
    assert set(attempts(room.address).values()) == {1}


def test_interrupted_before_the_first_submission_it_says_that_it_goes_on(handed_in, tmp_path):
    room = handed_in.copy(tmp_path / "course")
    process = start(room)
    until((room.folder / ".tlcourse-grade.lock").exists)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=180)
    assert process.returncode in INTERRUPTED, said
    assert re.search(r"^Stopped.* again to continue\.$", said, re.M) and "Traceback" not in said


def test_a_lock_of_some_seconds_is_waited_for_and_said(handed_in, undisturbed, tmp_path):
    room = handed_in.copy(tmp_path / "course")
    with locked(room) as holder:
        process = start(room)
        line = next(line for line in process.stdout if "trying again" in line)
        assert "database is locked" in line
        holder.stdin.close()
        process.communicate()
    assert process.returncode == 0
    assert ledger(room.address) == ledger(undisturbed.address)


FULL_DISK = """
set -e
mount -t tmpfs -o size=16m tmpfs "$1/small"
cp -r "$1/course/." "$1/small"
head -c 20m /dev/zero > "$1/small/ballast" 2>/dev/null || true
cd "$1/small"
"$2" -m graders.cli grade "$3" --course . --workers 1 > "$1/full.txt" 2>&1 && exit 3
rm ballast
"$2" -m graders.cli grade "$3" --course . --workers 1
cp gradebook.db "$1/course/gradebook.db"
cp -r autograded "$1/course/"
"""


def test_a_full_disk_gets_a_sentence_and_the_next_run_goes_on(handed_in, undisturbed, tmp_path):
    room = handed_in.copy(tmp_path / "course")
    (tmp_path / "small").mkdir()
    command = [
        "unshare",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        FULL_DISK,
        "sh",
        str(tmp_path),
        sys.executable,
        UNIT,
    ]
    done = subprocess.run(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said = (tmp_path / "full.txt").read_text()
    assert done.returncode == 0, done.stdout + said
    assert "full" in said.lower() or "No space left" in said
    assert "Traceback" not in said and "run the same command again" in said.lower()
    assert grades(room.address) == grades(undisturbed.address)


@pytest.fixture(scope="module")
def postgres():
    server = Postgres()
    yield server
    server.close()


def on_postgres(server: Postgres, source: Classroom, folder: Path) -> Classroom:
    """A course whose gradebook is the server's."""
    room = source.copy(folder)
    (room.folder / "gradebook.db").unlink()
    config = room.folder / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}\nc.CourseDirectory.db_url = {server.url!r}\n")
    room.nbgrader("generate_assignment", UNIT, "--force")
    return room


def test_a_postgresql_that_is_away_for_a_while_costs_nothing(
    postgres, handed_in, undisturbed, tmp_path, grade_in
):
    room = on_postgres(postgres, handed_in, tmp_path / "course")
    process = start(room, "--workers", "1")
    until(lambda: any(room.folder.glob("autograded/*/*/*.ipynb")))
    process.send_signal(signal.SIGSTOP)  # or it might be done before the server is
    postgres.stop()
    process.send_signal(signal.SIGCONT)
    line = next(line for line in process.stdout if "trying again" in line)
    assert "The gradebook cannot be reached just now" in line
    postgres.start()
    said, _ = process.communicate()
    assert process.returncode == 0, said
    assert ledger(postgres.url) == ledger(undisturbed.address)
    assert set(attempts(postgres.url).values()) == {1}
    again = grade_in(room)
    assert (again.graded, again.kept) == (0, 6)
