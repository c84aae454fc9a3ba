"""Writes nbgrader's gradebook. There is one trusted writer, and each submission is one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import uuid4

from nbgrader.api import Assignment as AssignmentRow
from nbgrader.api import Comment, Grade, Student, SubmittedAssignment, SubmittedNotebook
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from ..course.folder import Course
from ..course.lesson import Assignment, Exercise
from ..course.version import grader_version
from ..records import Evidence, GradingError
from ..submission.received import utc_now
from ..text import strip_control_characters
from .audit import (
    AuditEntry,
    add_entry,
    create_table,
    has_entry,
    has_table,
    latest_entries,
    latest_entry,
    outcomes,
)
from .changes import changes
from .connection import PATIENCE_S, OpenGradebook
from .dates import moved_dates
from .penalties import LatePenalties
from .planned import PlannedChange, Standing, standing

T = TypeVar("T")


@dataclass(frozen=True)
class GradedNotebook:
    """The result for one notebook of a submission.

    Attributes:
        digest: of the file, "" if there is none.
        rebuilt: whether it could be rebuilt; if not, the evidence has the reason and no check passed.
        scores: points of each graded cell; None if a person has to grade it.
        written: SHA-256 of the notebook in `autograded/`, "" if none was written.
        untouched: solution cells that are as they were handed out.
        exercise: if it alone was graded again; other cells' grades and comments stay untouched then.
        group: the group that handed it in, or "".
    """

    notebook: str
    digest: str
    rebuilt: bool
    evidence: Evidence
    scores: dict[str, float | None]
    untouched: frozenset[str] = frozenset()
    written: str = ""
    exercise: Exercise | None = None
    group: str = ""

    @property
    def status(self) -> str:
        """The status as the audit records it."""
        failed = self.evidence.status == "grader-failed"
        return self.evidence.status if self.rebuilt or failed else "not-rebuilt"


class GradeWriter:
    """The writer of a grading run; a context manager.

    Keeps one session open, since opening a gradebook takes 0.2 s or more.

    Args:
        dry: write nothing: every transaction is rolled back, and `planned` says what it would have changed.

    Raises:
        GradingError: the gradebook is missing or too old, its assignment differs from the one in `source/`,
            `dates.json` has a mistake, or the plugin for late penalties cannot be loaded.
    """

    def __init__(
        self,
        course: Course,
        assignment: Assignment,
        say: Callable[[str], None],
        patience_s: float = PATIENCE_S,
        dry: bool = False,
    ) -> None:
        self._assignment, self.dry, self._has_audit = assignment, dry, True
        self._planned: dict[str, PlannedChange] = {}
        self._penalties = LatePenalties(course, assignment.name)
        self._database = OpenGradebook(course, say, patience_s, assignment.name)
        self._database.patiently(self._open)

    def __enter__(self) -> GradeWriter:
        return self

    def __exit__(self, *_) -> None:
        self._database.close()

    @property
    def session(self):
        """The session. Work done with it directly is not repeated if the database is unreachable."""
        return self._database.session

    def finished(self) -> dict[tuple[str, str], AuditEntry]:
        """The newest audit entry of each (student, notebook) whose grades are still in the gradebook.

        Entries of a failed grader are left out, and so are those of `changes`.
        """
        return self._database.patiently(self._compared)[0]

    def changes(self) -> dict[tuple[str, str], str]:
        """What another program has changed in the grades of a (student, notebook) since, as a sentence."""
        return self._database.patiently(self._compared)[1]

    @property
    def planned(self) -> list[PlannedChange]:
        """What a dry run would have changed, by student."""
        return [self._planned[student] for student in sorted(self._planned)]

    def moved_dates(self) -> list[tuple[str, str]]:
        """Where the gradebook has other dates than `dates.json`, which count: (name, sentence) of each."""
        return self.read(lambda session: list(moved_dates(session, self._assignment.name, self._penalties)))

    def read(self, query: Callable[[Session], T]) -> T:
        """The result of `query` on the gradebook (for the summary page).

        Raises:
            GradingError: the database cannot be read.
        """
        return self._database.patiently(lambda: query(self.session))

    def write(self, student: str, notebooks: tuple[GradedNotebook, ...], handed_in: datetime | None) -> None:
        """Write a submission in one transaction: student, grades, comments, late penalty and audit entries.

        Manual scores, extra credit and a person's comments stay. If the grader failed, the old grades stay
        and the submission is flagged.

        Args:
            handed_in: in UTC; None if unknown, and then the gradebook's time stays.

        Raises:
            GradingError: the database cannot be written to; nothing was written.
        """
        ids = {one.notebook: uuid4().hex for one in notebooks}
        self._database.patiently(lambda: self._write(student, notebooks, handed_in, ids))

    def renew_penalties(self, student: str, handed_in: datetime | None) -> bool:
        """Have the late penalties of a graded submission follow what holds now; returns whether any changed.

        The due date, the student's extension, the course's rule, a score given by hand, or the time of the
        submission may have changed since it was graded.

        Args:
            handed_in: in UTC; None if unknown, and then the gradebook's time stays.

        Raises:
            GradingError: the database cannot be written to; nothing was written.
        """
        return self._database.patiently(lambda: self._renew_penalties(student, handed_in))

    def students(self) -> list[str]:
        """The id of every student in the gradebook.

        Raises:
            GradingError: the database cannot be read.
        """
        return self.read(lambda session: list(session.execute(select(Student.id)).scalars()))

    def _open(self) -> None:
        if self.dry:
            self._has_audit = has_table(self._database.engine)
        else:
            create_table(self._database.engine)
        row = self.session.execute(
            select(AssignmentRow).where(AssignmentRow.name == self._assignment.name)
        ).scalar_one_or_none()
        known = {notebook.name: notebook for notebook in row.notebooks} if row else {}
        for lesson in self._assignment.lessons:
            notebook = known.get(lesson.name)
            counted = [cell for cell in lesson.cells if cell.grade_id]
            mine = {cell.grade_id: cell.source for cell in counted}
            theirs = {cell.name: cell.source for cell in notebook.source_cells} if notebook else {}
            points = {cell.grade_id: cell.points for cell in counted if cell.role == "test" or cell.by_hand}
            cells = (*notebook.grade_cells, *notebook.task_cells) if notebook else ()
            if mine != theirs or points != {cell.name: cell.max_score for cell in cells}:
                raise GradingError(
                    f"The gradebook does not have {lesson.name} as it is in source/: the notebook was "
                    "changed since it was generated, or was never generated. Run `nbgrader "
                    f"generate_assignment {self._assignment.name} --force`, then this command again."
                )
        self._id = row.id
        self._notebooks = {
            name: (
                notebook.id,
                {cell.name: cell.id for cell in (*notebook.grade_cells, *notebook.task_cells)},
                {cell.name: cell.id for cell in (*notebook.solution_cells, *notebook.task_cells)},
            )
            for name, notebook in known.items()
        }
        self.session.rollback()

    def _compared(self) -> tuple[dict[tuple[str, str], AuditEntry], dict[tuple[str, str], str]]:
        entries = latest_entries(self.session, self._assignment.name) if self._has_audit else {}
        changed = changes(self.session, self._id, entries)
        self.session.rollback()
        finished = {
            who: entry
            for who, entry in entries.items()
            if entry.auto_score is not None and who not in changed
        }
        return finished, changed

    def _write(
        self,
        student: str,
        graded: tuple[GradedNotebook, ...],
        handed_in: datetime | None,
        ids: dict[str, str],
    ) -> None:
        session = self.session
        if self._has_audit and any(has_entry(session, id) for id in ids.values()):
            return  # the commit succeeded, only its confirmation was lost
        stood = standing(session, self._id, student) if self.dry else None
        submission = self._submission(student)
        if handed_in is not None:
            submission.timestamp = handed_in
        rows = {row.notebook_id: row for row in submission.notebooks}
        for one in graded:
            row = self._notebook(submission, rows, one.notebook)
            name = self._assignment.name
            before = latest_entry(session, name, student, one.notebook) if self._has_audit else None
            failed = one.evidence.status == "grader-failed"
            if failed:
                row.flagged = True
            else:
                if before is not None and before.status == "grader-failed":
                    row.flagged = False
                self._grade(row, one)
                session.flush()
                self._penalties.renew(session, submission, row)
            if not self.dry:
                add_entry(session, ids[one.notebook], self._entry(student, one, before))
        self._end(student, stood)

    def _renew_penalties(self, student: str, handed_in: datetime | None) -> bool:
        session = self.session
        stood = standing(session, self._id, student) if self.dry else None
        submission = self._submission(student)
        if handed_in is not None:
            submission.timestamp = handed_in
        before = {row.id: row.late_submission_penalty for row in submission.notebooks}
        for row in submission.notebooks:
            self._penalties.renew(session, submission, row)
        changed = before != {row.id: row.late_submission_penalty for row in submission.notebooks}
        self._end(student, stood)
        return changed

    def _end(self, student: str, stood: Standing | None) -> None:
        """Commit what was written for a student, or in a dry run compare it with how they stood."""
        if self.dry:
            self.session.flush()
            now = standing(self.session, self._id, student)
            if now is not None:
                self._planned[student] = PlannedChange(student, stood, now)
            self.session.rollback()
        else:
            self.session.commit()
        self.session.expunge_all()

    def _submission(self, student: str) -> SubmittedAssignment:
        query = (
            select(SubmittedAssignment)
            .where(SubmittedAssignment.assignment_id == self._id, SubmittedAssignment.student_id == student)
            .options(
                selectinload(SubmittedAssignment.notebooks).selectinload(SubmittedNotebook.grades),
                selectinload(SubmittedAssignment.notebooks).selectinload(SubmittedNotebook.comments),
            )
        )
        submission = self.session.execute(query).scalar_one_or_none()
        if submission is None:
            if self.session.get(Student, student) is None:
                self.session.add(Student(id=student))
                self.session.flush()
            submission = SubmittedAssignment(assignment_id=self._id, student_id=student)
            self.session.add(submission)
            self.session.flush()
        return submission

    def _notebook(self, submission, rows: dict[str, SubmittedNotebook], name: str) -> SubmittedNotebook:
        """The row of a notebook, with a row for each cell, as `Gradebook.add_submission` makes them."""
        id, graded, commented = self._notebooks[name]
        row = rows.get(id)
        if row is None:
            row = SubmittedNotebook(notebook_id=id, assignment=submission)
            self.session.add(row)
        have = {grade.cell_id for grade in row.grades}
        row.grades += [Grade(cell_id=cell) for cell in graded.values() if cell not in have]
        have = {comment.cell_id for comment in row.comments}
        row.comments += [Comment(cell_id=cell) for cell in commented.values() if cell not in have]
        return row

    def _grade(self, row: SubmittedNotebook, one: GradedNotebook) -> None:
        """Like nbgrader's `SaveAutoGrades`, but for every cell of the notebook, handed in or not."""
        _, graded, commented = self._notebooks[one.notebook]
        names = {id: name for name, id in graded.items()}
        for grade in row.grades:
            if one.exercise is not None and names[grade.cell_id] not in one.exercise.checks:
                continue
            grade.auto_score = one.scores.get(names[grade.cell_id], 0.0)
            grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None
        if one.exercise is not None:
            return
        names = {id: name for name, id in commented.items()}
        for comment in row.comments:
            said = ["No response."] if names[comment.cell_id] in one.untouched else []
            if not one.rebuilt:
                said = [one.evidence.reason]
            elif one.evidence.isolation == "none":
                said.append("Graded without isolation.")
            comment.auto_comment = strip_control_characters(" ".join(said)) or None

    def _entry(self, student: str, one: GradedNotebook, before: AuditEntry | None) -> AuditEntry:
        evidence = one.evidence
        failed = evidence.status == "grader-failed"
        return AuditEntry(
            assignment=self._assignment.name,
            student=student,
            notebook=one.notebook,
            attempt=1 if before is None else before.attempt + 1,
            digest=one.digest,
            assignment_digest=self._assignment.digest,
            grader_version=grader_version(),
            status=one.status,
            reason=evidence.reason,
            isolation=evidence.isolation,
            at=utc_now(),
            wall_s=evidence.wall_s,
            cpu_s=evidence.cpu_s,
            auto_score=None if failed else sum(score or 0.0 for score in one.scores.values()),
            checks=outcomes(evidence),
            notes=evidence.notes,
            scores=None if failed else one.scores,
            written="" if failed else one.written,
            group_name=one.group,
        )
