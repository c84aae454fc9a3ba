"""Grading an assignment: find what was handed in, skip what is graded already, and write down each result."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from .batch.jobs import GradedJob, Job
from .course.folder import Course
from .course.lesson import Assignment, Exercise
from .pending import PendingNotebook, PendingSubmission, failed_submission, pending_submissions
from .records import KEPT_SO_FAR, CheckOutcome, Evidence, GradingError
from .results.files import write_whole
from .results.gradebook import GradedNotebook, GradeWriter
from .results.notebook import autograded_notebook, points_by_cell, write_notebook
from .results.one_exercise import merged_evidence, merged_scores
from .submission.timestamps import SubmissionTime

__all__ = ["Tally", "grade_all", "keep", "pending_submissions", "record", "remarks"]

# Errors of a disk or of this process, which every submission would meet.
_EVERYWHERE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE}


@dataclass
class Tally:
    """What a run did.

    Attributes:
        graded, kept, failed: numbers of students: graded now, left as they were, and those on whom the grader
            failed.
        penalties: how many of those left as they were have another late penalty now.
        attention: (student, sentence) for each that a person should look at.
    """

    graded: int = 0
    kept: int = 0
    failed: int = 0
    penalties: int = 0
    attention: list[tuple[str, str]] = field(default_factory=list)


def record(
    course: Course,
    assignment: Assignment,
    writer: GradeWriter,
    pending: PendingSubmission,
    evidence: Iterable[Evidence],
    exercise: Exercise | None = None,
) -> bool:
    """Write a graded submission for each of those whom it is credited to: the notebooks first, then the
    transaction.

    If the run ends in between, the gradebook has no entry for it yet, so the next run grades it again and
    writes the same. Returns whether the grader failed on it.

    Raises:
        GradingError: the disk or the database cannot be written to.
    """
    found = iter(evidence)
    results = [next(found) if one.rebuilt else _not_rebuilt(one) for one in pending.notebooks]
    failed = [
        _record_for(member, course, assignment, writer, pending, results, exercise)
        for member in pending.members
    ]
    return any(failed)


def _record_for(
    student: str,
    course: Course,
    assignment: Assignment,
    writer: GradeWriter,
    pending: PendingSubmission,
    results: list[Evidence],
    exercise: Exercise | None,
) -> bool:
    graded: list[GradedNotebook] = []
    for one, result in zip(pending.notebooks, results, strict=True):
        before = one.before.get(student)
        if exercise is not None and before is not None:
            result = merged_evidence(result, before, exercise)
        notebook = autograded_notebook(one.lesson, one.rebuilt, result)
        points = points_by_cell(notebook, one.rebuilt, one.lesson)
        if exercise is not None and before is not None:
            points = merged_scores(points, before, exercise)
        digest = ""
        if result.status != "grader-failed" and not writer.dry:
            try:
                digest = write_notebook(course, assignment.name, student, one.lesson, notebook)
            except OSError as error:
                if error.errno not in _EVERYWHERE and os.access(_autograded(course), os.W_OK):
                    raise
                raise GradingError(
                    f"autograded/ cannot be written to ({error.strerror}). Fix that first. {KEPT_SO_FAR}"
                ) from error
        stubs = {cell.grade_id: cell.source for cell in one.lesson.cells if cell.role == "solution"}
        answers = one.rebuilt.answers if one.rebuilt else {}
        untouched = frozenset(id for id, source in answers.items() if source == stubs[id])
        # For the audit and the summary page, not for the student.
        private = (*result.audit_notes, *(pending.notes if not graded else ()))
        result = replace(result, notes=(*result.notes, *private))
        graded.append(
            GradedNotebook(
                one.lesson.name,
                one.digest,
                one.rebuilt is not None,
                result,
                points,
                untouched,
                digest,
                exercise,
                pending.group,
            )
        )
    if not writer.dry:
        submitted = pending.submitted
        if student != pending.sender:  # the feedback of one is released under the secret of that one
            submitted = replace(submitted, secret="")
        _copy_exchange_files(course.folder("autograded", student, assignment.name), submitted)
    writer.write(student, tuple(graded), pending.submitted.when)
    return any(one.status == "grader-failed" for one in graded)


def _autograded(course: Course) -> Path:
    folder = course.root / course.directory.autograded_directory
    return folder if folder.exists() else course.root


def _copy_exchange_files(folder: Path, submitted: SubmissionTime) -> None:
    """Write the files that nbgrader carries along to `feedback/`; `nbgrader release_feedback` needs them."""
    carried = {"timestamp.txt": submitted.text, "submission_secret.txt": submitted.secret}
    with contextlib.suppress(OSError):  # no grade depends on it
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in carried.items():
            if text:
                write_whole(folder / name, text.encode())
            else:
                (folder / name).unlink(missing_ok=True)


def remarks(pending: PendingSubmission, evidence: Iterable[Evidence]) -> Iterator[str]:
    """Sentences on a submission that a person should look at."""
    found = iter(evidence)
    for one in pending.notebooks:
        if one.rebuilt is None:
            yield one.problem or one.failure
            continue
        result = next(found)
        yield from filter(None, (result.reason, *one.rebuilt.submission.notes))
    yield from pending.notes


def grade_all(
    course: Course,
    assignment: Assignment,
    writer: GradeWriter,
    pending: Iterable[PendingSubmission],
    grade: Callable[[Iterable[Job]], Generator[GradedJob, None, None]],
    tally: Tally,
    progress: Callable[[str], None],
    exercise: Exercise | None = None,
) -> None:
    """Grade and record each submission. One that cannot be recorded is a failure of the grader, and said.

    `tally` is kept up to date, so that it is right whenever this is interrupted.
    """
    waiting: dict[str, PendingSubmission] = {}
    unreadable: list[PendingSubmission] = []

    def finish(one: PendingSubmission, evidence: tuple[Evidence, ...]) -> None:
        try:
            failed = record(course, assignment, writer, one, evidence, exercise)
        except GradingError:
            raise
        except Exception as error:  # the next submission has to be graded all the same
            one, failed = failed_submission(assignment, one.student, error, one), True
            with contextlib.suppress(Exception):  # where not even this can be written there is still a line
                record(course, assignment, writer, one, ())
        tally.failed += len(one.members) * failed
        tally.graded += len(one.members) * (not failed)
        tally.attention += [(one.student, sentence) for sentence in remarks(one, evidence)]
        for member in one.members:
            progress(member)

    def jobs() -> Iterator[Job]:
        for one in pending:
            if one.job.submissions:
                waiting[one.student] = one
                yield one.job
            else:
                unreadable.append(one)

    with contextlib.closing(grade(jobs())) as graded:
        for done in graded:
            finish(waiting.pop(done.job.student), done.evidence)
            while unreadable:
                finish(unreadable.pop(), ())
    while unreadable:
        finish(unreadable.pop(), ())


def keep(
    course: Course,
    assignment: Assignment,
    writer: GradeWriter,
    tally: Tally,
    student: str,
    submitted: SubmissionTime,
) -> None:
    """Leave the grades of a submission that was graded before, and have its late penalty follow what holds
    now.

    Raises:
        GradingError: the database cannot be written to.
    """
    tally.kept += 1
    if not writer.renew_penalties(student, submitted.when):
        return
    tally.penalties += 1
    if writer.dry:
        return
    for lesson in assignment.lessons:  # the feedback shows the penalty: from now on it is older than this
        with contextlib.suppress(OSError):
            (course.folder("autograded", student, assignment.name) / f"{lesson.name}.ipynb").touch()


def _not_rebuilt(pending: PendingNotebook) -> Evidence:
    if pending.failure:
        return Evidence("grader-failed", pending.failure, ())
    checks = tuple(
        CheckOutcome(cell.grade_id, 0.0, cell.points, False, 0, pending.problem)
        for cell in pending.lesson.cells
        if cell.role == "test"
    )
    return Evidence("student-failed", pending.problem, checks)
