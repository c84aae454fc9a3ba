"""Classrooms, each a copy of one in which nbgrader has generated a lesson: lesson 01, or a quick one."""

import contextlib
import sys
from functools import partial
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from classroom import UNIT, Classroom
from nbgrader.api import Gradebook
from quick import with_quick_exercises

from graders.autograde.batch.jobs import GradedJob
from graders.autograde.batch.slot import WorkerSlot
from graders.autograde.course.folder import open_course
from graders.autograde.course.lesson import load_assignment
from graders.autograde.grading import Tally, grade_all, keep, pending_submissions
from graders.autograde.records import Limits
from graders.autograde.report.summary import summarise
from graders.autograde.results.gradebook import GradeWriter
from graders.autograde.sandbox import available_isolation
from graders.autograde.submission.folders import choose_submissions, submission_folders
from graders.autograde.submission.timestamps import SubmissionTime, timestamps


@pytest.fixture(scope="session")
def whole(tmp_path_factory) -> Classroom:
    """A course folder with lesson 01 as it is."""
    return Classroom.make(tmp_path_factory.mktemp("whole") / "course")


@pytest.fixture(scope="session")
def generated(tmp_path_factory) -> Classroom:
    """A course folder with the quick lesson."""
    # A lesson with exercises of another one would not be released.
    fit = "c.RefuseUnfitLesson.enabled = False\n"
    return Classroom.make(tmp_path_factory.mktemp("generated") / "course", fit, with_quick_exercises)


@pytest.fixture
def room(generated, tmp_path) -> Classroom:
    """A course folder into which nobody has handed in anything."""
    return generated.copy(tmp_path / "course")


@pytest.fixture
def book(room):
    with Gradebook(room.address, "transfer-learning") as gradebook:
        yield gradebook


@pytest.fixture(scope="session")
def here():
    """This process's own worker, started once for all these tests."""
    with contextlib.closing(WorkerSlot(Limits(), available_isolation()[0])) as held:
        yield lambda jobs: (GradedJob(job, held.grade(job.submissions)) for job in jobs)


@pytest.fixture(scope="session")
def grade_in(here):
    """Grade a course folder as `tlcourse grade` does, in this process; what it did."""

    def grade(
        room: Classroom, how=here, force: bool = False, student: str | None = None, trust: str = "exchange"
    ) -> Tally:
        course = open_course(room.folder)
        assignment = load_assignment(course, UNIT)
        tally = Tally()

        with GradeWriter(course, assignment, print) as writer:

            def kept(name: str, submitted: SubmissionTime) -> None:
                keep(course, assignment, writer, tally, name, submitted)

            found = submission_folders(
                course, assignment, writer.students(), lambda *said: tally.attention.append(said)
            )
            folders = choose_submissions(found, student, assignment)
            finished = {} if force else writer.finished()
            when = timestamps(course, UNIT, trust)
            works = pending_submissions(
                course, assignment, folders, finished, available_isolation()[0], when, kept, writer.changes()
            )
            grade_all(course, assignment, writer, works, how, tally, print)
            tally.summary = writer.read(lambda session: summarise(session, assignment))
        return tally

    return grade


@pytest.fixture
def grade(room, grade_in):
    """Grade the room in this process; what it did."""
    return partial(grade_in, room)
