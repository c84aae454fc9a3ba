"""Grading an assignment: find what was handed in, skip what is graded already, and write down each result."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from .batch.jobs import GradedJob, Job
from .course.folder import Course
from .course.lesson import Assignment, Exercise, Lesson
from .course.version import grader_version
from .records import KEPT_SO_FAR, CheckOutcome, Evidence, GradingError, Isolation
from .results.audit import AuditEntry
from .results.files import write_whole
from .results.gradebook import GradedNotebook, GradeWriter
from .results.notebook import autograded_notebook, points_by_cell, write_notebook
from .results.one_exercise import merged_evidence, merged_scores, why_not_alone
from .submission.files import SubmissionError
from .submission.folders import SubmittedFolder
from .submission.notebook import SubmittedNotebook, read_submission
from .submission.rebuild import Rebuilt, rebuild
from .submission.timestamps import SubmissionTime

# Errors of a disk or of this process, which every submission would meet.
_EVERYWHERE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE}


@dataclass(frozen=True)
class PendingNotebook:
    """A notebook to grade: rebuilt, or with the reason why it could not be.

    Attributes:
        problem: what is wrong with the submission; it costs its points.
        failure: what went wrong in the grader; it costs nothing.
        before: the newest entry whose grades are in the gradebook.
    """

    lesson: Lesson
    digest: str
    rebuilt: Rebuilt | None
    problem: str = ""
    failure: str = ""
    before: AuditEntry | None = None


@dataclass(frozen=True)
class PendingSubmission:
    """A submission to grade. `notes`: what its instructor, and not the student, should know."""

    student: str
    notebooks: tuple[PendingNotebook, ...]
    submitted: SubmissionTime
    notes: tuple[str, ...] = ()

    @property
    def job(self) -> Job:
        """What goes to a worker."""
        return Job(self.student, tuple(one.rebuilt.submission for one in self.notebooks if one.rebuilt))


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


def pending_submissions(
    course: Course,
    assignment: Assignment,
    folders: dict[str, SubmittedFolder],
    finished: dict[tuple[str, str], AuditEntry],
    isolation: Isolation,
    when: Callable[[str, Path], SubmissionTime],
    kept: Callable[[str, SubmissionTime], None],
    changes: Mapping[tuple[str, str], str] = MappingProxyType({}),
    exercise: Exercise | None = None,
    left_out: Callable[[str, str], None] = lambda student, sentence: None,
) -> Iterator[PendingSubmission]:
    """Read and rebuild the submissions one by one; `kept` is called with each student graded before, and the
    time of the submission that is there now.

    An error while one is read is that submission's, as a failure of the grader.

    Args:
        finished, changes: as `GradeWriter` gives them.
        exercise: grade it again alone, in every submission that is graded. `left_out` is called with a
            student and a sentence where that is not possible.
    """
    for student, folder in folders.items():
        try:
            pending, done = _read(course, assignment, student, folder, finished, changes, isolation, when)
        except Exception as error:
            pending, done = _failed(assignment, student, error, folder.notes), False
        if exercise is not None and any(not one.failure for one in pending.notebooks):
            pending, reason = _alone(pending, exercise)
            if reason:
                left_out(student, f"{exercise.name} was not graded again: {reason}. {_whole(assignment)}")
                continue
            done = False
        if done:
            kept(student, pending.submitted)
        else:
            yield pending


def _read(
    course, assignment: Assignment, student: str, folder: SubmittedFolder, finished, changes, isolation, when
) -> tuple[PendingSubmission, bool]:
    """The submission, and whether it has been graded as it is."""
    notebooks, notes, done = [], [*folder.notes], True
    names = tuple(lesson.name for lesson in assignment.lessons)
    for lesson, submitted in zip(assignment.lessons, read_submission(folder.path, names), strict=True):
        pending = _pending(assignment, lesson, student, submitted)
        notebooks.append(replace(pending, before=finished.get((student, lesson.name))))
        written = course.folder("autograded", student, assignment.name) / f"{lesson.name}.ipynb"
        entry = finished.get((student, lesson.name))
        notes += filter(None, [changes.get((student, lesson.name)), _changed_file(entry, written)])
        done = done and written.exists() and _is_done(entry, pending, assignment, isolation)
    linked = folder.path.is_symlink() or folder.path.parent.is_symlink()
    submitted_at = SubmissionTime(None) if linked else when(student, folder.path)
    done = done and notes == [*folder.notes]  # what another program changed is graded again
    notes += filter(None, [submitted_at.note])
    return PendingSubmission(student, tuple(notebooks), submitted_at, tuple(notes)), done


def _whole(assignment: Assignment) -> str:
    return f"`tlcourse grade {assignment.name}` grades it as a whole."


def _alone(pending: PendingSubmission, exercise: Exercise) -> tuple[PendingSubmission, str]:
    """The notebook of a submission that has the exercise, and why that can't be graded alone, or ""."""
    mine = tuple(
        one for one in pending.notebooks if any(cell.grade_id in exercise.checks for cell in one.lesson.cells)
    )
    reasons = (why_not_alone(one.digest, one.rebuilt is not None, one.before) for one in mine)
    return replace(pending, notebooks=mine), next(filter(None, reasons), "")


def _changed_file(entry: AuditEntry | None, written: Path) -> str:
    """A sentence if another program has changed a graded notebook, as stock autograding does."""
    if entry is None or not entry.written:
        return ""
    try:
        with open(written, "rb") as file:
            same = hashlib.sha256(file.read()).hexdigest() == entry.written
    except FileNotFoundError:
        return ""  # deleted: it is written again
    return (
        ""
        if same
        else (
            f"Another program had changed autograded/.../{written.name} since it was written. The "
            "submission was graded again."
        )
    )


def _failed(
    assignment: Assignment, student: str, error: Exception, notes: tuple[str, ...]
) -> PendingSubmission:
    """A submission on which the grader stopped."""
    reason = (
        f"The grader stopped on this submission with {type(error).__name__}: {error}. Its old grade "
        "stays; the others are graded. Look at its folder, then run the same command again."
    )
    notebooks = tuple(PendingNotebook(lesson, "", None, failure=reason) for lesson in assignment.lessons)
    return PendingSubmission(student, notebooks, SubmissionTime(None), notes)


def record(
    course: Course,
    assignment: Assignment,
    writer: GradeWriter,
    pending: PendingSubmission,
    evidence: Iterable[Evidence],
    exercise: Exercise | None = None,
) -> bool:
    """Write a graded submission: its notebooks first, then the transaction.

    If the run ends in between, the gradebook has no entry for it yet, so the next run grades it again and
    writes the same. Returns whether the grader failed on it.

    Raises:
        GradingError: the disk or the database cannot be written to.
    """
    found = iter(evidence)
    graded: list[GradedNotebook] = []
    for one in pending.notebooks:
        result = next(found) if one.rebuilt else _not_rebuilt(one)
        if exercise is not None and one.before is not None:
            result = merged_evidence(result, one.before, exercise)
        notebook = autograded_notebook(one.lesson, one.rebuilt, result)
        points = points_by_cell(notebook, one.rebuilt, one.lesson)
        if exercise is not None and one.before is not None:
            points = merged_scores(points, one.before, exercise)
        digest = ""
        if result.status != "grader-failed" and not writer.dry:
            try:
                digest = write_notebook(course, assignment.name, pending.student, one.lesson, notebook)
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
            )
        )
    if not writer.dry:
        folder = course.folder("autograded", pending.student, assignment.name)
        _copy_exchange_files(folder, pending.submitted)
    writer.write(pending.student, tuple(graded), pending.submitted.when)
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
            one, failed = _failed(assignment, one.student, error, one.notes), True
            with contextlib.suppress(Exception):  # where not even this can be written there is still a line
                record(course, assignment, writer, one, ())
        tally.failed += failed
        tally.graded += not failed
        tally.attention += [(one.student, sentence) for sentence in remarks(one, evidence)]
        progress(one.student)

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


def _pending(
    assignment: Assignment, lesson: Lesson, student: str, notebook: SubmittedNotebook
) -> PendingNotebook:
    try:
        rebuilt = rebuild(assignment, lesson, notebook, student)
    except SubmissionError as error:
        return PendingNotebook(lesson, notebook.digest, None, str(error))
    return PendingNotebook(lesson, notebook.digest, rebuilt)


def _is_done(
    entry: AuditEntry | None, pending: PendingNotebook, assignment: Assignment, isolation: Isolation
) -> bool:
    return (
        entry is not None
        and (entry.digest, entry.assignment_digest, entry.grader_version)
        == (pending.digest, assignment.digest, grader_version())
        and (pending.rebuilt is None) == (entry.status == "not-rebuilt")
        and (pending.rebuilt is None or entry.isolation != "none" or isolation == "none")
    )


def _not_rebuilt(pending: PendingNotebook) -> Evidence:
    if pending.failure:
        return Evidence("grader-failed", pending.failure, ())
    checks = tuple(
        CheckOutcome(cell.grade_id, 0.0, cell.points, False, 0, pending.problem)
        for cell in pending.lesson.cells
        if cell.role == "test"
    )
    return Evidence("student-failed", pending.problem, checks)
