"""Grading with evidence that is made up: the whole way to the gradebook, without running a submission."""

from collections.abc import Callable

from classroom import UNIT, Classroom

from graders.autograde.batch.jobs import GradedJob
from graders.autograde.course.folder import open_course
from graders.autograde.course.lesson import find_exercise, load_assignment
from graders.autograde.grading import Tally, grade_all, keep, pending_submissions
from graders.autograde.records import CheckOutcome, Evidence
from graders.autograde.results.gradebook import GradeWriter
from graders.autograde.submission.folders import choose_submissions, submission_folders
from graders.autograde.submission.timestamps import timestamps


def share(part: float) -> Callable:
    """A worker whose checks each give this part of their points."""

    def how(jobs):
        for job in jobs:
            yield GradedJob(job, tuple(_evidence(one, part) for one in job.submissions))

    return how


def _evidence(submission, part: float) -> Evidence:
    checks = tuple(
        CheckOutcome(cell.grade_id, part * cell.points, cell.points, True, 1, "" if part == 1 else "Not yet.")
        for cell in submission.cells
        if cell.kind == "test"
    )
    return Evidence("graded", "", checks, isolation="namespaces")


def grade(
    room: Classroom, how: Callable, exercise: str = "", dry: bool = False, force: bool = False
) -> Tally:
    """Grade as `tlcourse grade` does. The tally also has `planned`, of a dry run, and `jobs`."""
    course = open_course(room.folder)
    assignment = load_assignment(course, UNIT)
    tally, said = Tally(), []
    with GradeWriter(course, assignment, said.append, dry=dry) as writer:
        found = submission_folders(
            course, assignment, writer.students(), lambda *it: tally.attention.append(it)
        )
        one = find_exercise(assignment, exercise) if exercise else None
        works = pending_submissions(
            course,
            assignment,
            choose_submissions(found, None, assignment),
            {} if force else writer.finished(),
            "namespaces",
            timestamps(course, UNIT, "file"),
            lambda who, when: keep(course, assignment, writer, tally, who, when),
            writer.changes(),
            one,
            lambda *it: tally.attention.append(it),
        )
        tally.jobs = []

        def counted(jobs):
            return how(tally.jobs.append(job) or job for job in jobs)

        grade_all(course, assignment, writer, works, counted, tally, said.append, one)
        tally.planned = writer.planned
    return tally
