"""Reads what was handed in: what is graded as it is, and what has to be graded, rebuilt from the lesson."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from .batch.jobs import Job
from .course.folder import Course
from .course.lesson import Assignment, Exercise, Lesson
from .course.version import grader_version
from .records import Isolation
from .results.audit import AuditEntry
from .results.one_exercise import why_not_alone
from .submission.files import SubmissionError
from .submission.groups import SubmittedFolder
from .submission.notebook import SubmittedNotebook, read_submission
from .submission.rebuild import Rebuilt, rebuild
from .submission.timestamps import SubmissionTime


@dataclass(frozen=True)
class PendingNotebook:
    """A notebook to grade: rebuilt, or with the reason why it could not be.

    Attributes:
        problem: what is wrong with the submission; it costs its points.
        failure: what went wrong in the grader; it costs nothing.
        before: each member's newest entry whose grades are in the gradebook.
    """

    lesson: Lesson
    digest: str
    rebuilt: Rebuilt | None
    problem: str = ""
    failure: str = ""
    before: Mapping[str, AuditEntry | None] = field(default_factory=dict)


@dataclass(frozen=True)
class PendingSubmission:
    """A submission to grade.

    Attributes:
        student: the id of a student or a group (`ben+fay`).
        notes: what its instructor, and not the student, should know.
        members: the ids of those whom it is credited to.
        group: the group's name, or "".
        sender: who handed it in through the exchange, if that is known.
    """

    student: str
    notebooks: tuple[PendingNotebook, ...]
    submitted: SubmissionTime
    notes: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    group: str = ""
    sender: str = ""

    @property
    def job(self) -> Job:
        """What goes to a worker."""
        return Job(self.student, tuple(one.rebuilt.submission for one in self.notebooks if one.rebuilt))


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
        finished: as `GradeWriter` gives them.
        changes: as `GradeWriter` gives them.
        exercise: grade it again alone, in every submission that is graded. `left_out` is called with a
            student and a sentence where that is not possible.
    """
    for student, folder in folders.items():
        try:
            pending, done = _read(course, assignment, student, folder, finished, changes, isolation, when)
        except Exception as error:
            pending, done = failed_submission(assignment, student, error, folder), False
        if exercise is not None and any(not one.failure for one in pending.notebooks):
            pending, reason = _alone(pending, exercise)
            if reason:
                left_out(student, f"{exercise.name} was not graded again: {reason}. {_whole(assignment)}")
                continue
            done = False
        if done:
            for member in folder.members:
                kept(member, pending.submitted)
        else:
            yield pending


def _read(
    course, assignment: Assignment, student: str, folder: SubmittedFolder, finished, changes, isolation, when
) -> tuple[PendingSubmission, bool]:
    """The submission, and whether it has been graded as it is."""
    notebooks, notes, done = [], [*folder.notes], True
    names = tuple(lesson.name for lesson in assignment.lessons)
    for lesson, submitted in zip(assignment.lessons, read_submission(folder.path, names), strict=True):
        pending = _rebuilt(assignment, lesson, student, submitted)
        before = {member: finished.get((member, lesson.name)) for member in folder.members}
        notebooks.append(replace(pending, before=before))
        for member, entry in before.items():
            written = course.folder("autograded", member, assignment.name) / f"{lesson.name}.ipynb"
            notes += filter(None, [changes.get((member, lesson.name)), _changed_file(entry, written)])
            done = done and written.exists() and _is_done(entry, pending, assignment, isolation)
    linked = folder.path.is_symlink() or folder.path.parent.is_symlink()
    sender, submitted_at = folder.members[0], SubmissionTime(None)
    if not linked:
        sender, submitted_at = _handed_in(folder, when)
    done = done and notes == [*folder.notes]  # what another program changed is graded again
    notes += filter(None, [submitted_at.note])
    who = (folder.members, folder.group, sender)
    return PendingSubmission(student, tuple(notebooks), submitted_at, tuple(notes), *who), done


def _handed_in(folder: SubmittedFolder, when: Callable[[str, Path], SubmissionTime]):
    """The member in whose name the submission is known, and its time; otherwise the first one."""
    owner = [one for one in folder.members if one == folder.path.parent.name]
    times = [(one, when(one, folder.path)) for one in dict.fromkeys([*owner, *folder.members])]
    return next((pair for pair in times if pair[1].when is not None), times[0])


def _whole(assignment: Assignment) -> str:
    return f"`tlcourse grade {assignment.name}` grades it as a whole."


def _alone(pending: PendingSubmission, exercise: Exercise) -> tuple[PendingSubmission, str]:
    """The notebook of a submission that has the exercise, and why that can't be graded alone, or ""."""
    mine = tuple(
        one for one in pending.notebooks if any(cell.grade_id in exercise.checks for cell in one.lesson.cells)
    )
    reasons = (
        why_not_alone(one.digest, one.rebuilt is not None, before)
        for one in mine
        for before in one.before.values()
    )
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


def failed_submission(
    assignment: Assignment, student: str, error: Exception, of: SubmittedFolder | PendingSubmission
) -> PendingSubmission:
    """A submission on which the grader stopped."""
    reason = (
        f"The grader stopped on this submission with {type(error).__name__}: {error}. Its old grade "
        "stays; the others are graded. Look at its folder, then run the same command again."
    )
    notebooks = tuple(PendingNotebook(lesson, "", None, failure=reason) for lesson in assignment.lessons)
    time = SubmissionTime(None)
    return PendingSubmission(student, notebooks, time, of.notes, of.members, of.group)


def _rebuilt(
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
