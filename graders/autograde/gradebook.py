"""nbgrader's gradebook, written by one trusted writer: a submission is one transaction, whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from nbgrader.api import Assignment as AssignmentRow
from nbgrader.api import Comment, Grade, Gradebook, Student, SubmittedAssignment, SubmittedNotebook
from nbgrader.api import Notebook as NotebookRow
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy import func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session, selectinload

from .assignment import Assignment, grader_version
from .audit import Line, add_line, create_table, has_line, last_line, last_lines, now, outcomes
from .course import Course
from .records import KEPT, Evidence, GradingError

PATIENCE_S = 60.0
_FIRST_WAIT_S, _LONGEST_WAIT_S, _UNSAID_S = 0.05, 2.0, 1.0

T = TypeVar("T")


@dataclass(frozen=True)
class Graded:
    """What became of one notebook of a submission.

    Attributes:
        digest: of the file, "" where there is none.
        rebuilt: whether it could be rebuilt; where not, the evidence has the reason and no check passed.
        scores: points of each graded cell; None: a person has to grade it.
        untouched: solution cells that are as they were handed out.
    """

    notebook: str
    digest: str
    rebuilt: bool
    evidence: Evidence
    scores: dict[str, float | None]
    untouched: frozenset[str] = frozenset()

    @property
    def status(self) -> str:
        """As the audit has it."""
        return self.evidence.status if self.rebuilt else "not-rebuilt"


class GradeWriter:
    """The one writer of a grading run; a context manager. Holds one session: opening a gradebook costs 0.2 s and more.

    Raises:
        GradingError: no gradebook, an older one, the assignment in it is not the one in `source/`, or the plugin for late
            penalties can't be loaded.
    """

    def __init__(
        self,
        course: Course,
        assignment: Assignment,
        say: Callable[[str], None],
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._assignment, self._say, self._patience_s = assignment, say, patience_s
        self._url = make_url(course.directory.db_url)
        self._penalties = _late_penalties(course)
        file = self._url.database if self._url.get_backend_name() == "sqlite" else None
        if file and not Path(file).exists():
            raise GradingError(
                f"There is no gradebook at {file}. Run `nbgrader generate_assignment {assignment.name}` in the course folder "
                "first: it writes one."
            )
        self._gradebook: Gradebook | None = None
        self._patiently(lambda: self._open(course))

    def __enter__(self) -> GradeWriter:
        return self

    def __exit__(self, *_) -> None:
        if self._gradebook is not None:
            self._gradebook.close()

    @property
    def session(self):
        """The session; what uses it is not repeated while the database is away."""
        return self._gradebook.db

    def finished(self) -> dict[tuple[str, str], Line]:
        """The newest audit line of each (student, notebook) whose grades still are in the gradebook.

        Lines of a grader's failure, and those whose grades another program has changed since, are left out.
        """
        return self._patiently(self._finished)

    def read(self, query: Callable[[Session], T]) -> T:
        """What `query` finds in the gradebook (for the summary page).

        Raises:
            GradingError: the database can't be read.
        """
        return self._patiently(lambda: query(self.session))

    def write(self, student: str, notebooks: tuple[Graded, ...], handed_in: datetime | None) -> None:
        """Write a submission: student, every grade, comments, late penalty and audit lines, in one transaction.

        Manual scores, extra credit and a person's comments stay. Where the grader failed, the old grades stay and the
        submission is flagged.

        Args:
            handed_in: in UTC; None: not known, what the gradebook has stays.

        Raises:
            GradingError: the database can't be written to; nothing was.
        """
        ids = {one.notebook: uuid4().hex for one in notebooks}
        self._patiently(lambda: self._write(student, notebooks, handed_in, ids))

    def _open(self, course: Course) -> None:
        if self._gradebook is None:
            self._gradebook = Gradebook(course.directory.db_url, course.directory.course_id)
        create_table(self._gradebook.engine)
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
                    f"The gradebook does not have {lesson.name} as it is in source/: it was changed since it was generated, "
                    f"or never was. Run `nbgrader generate_assignment {self._assignment.name} --force`, then this again."
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

    def _finished(self) -> dict[tuple[str, str], Line]:
        lines = last_lines(self.session, self._assignment.name)
        query = (
            select(
                SubmittedAssignment.student_id,
                NotebookRow.name,
                func.coalesce(func.sum(Grade.auto_score), 0.0),
            )
            .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .join(NotebookRow, NotebookRow.id == SubmittedNotebook.notebook_id)
            .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
            .where(SubmittedAssignment.assignment_id == self._id)
            .group_by(SubmittedAssignment.student_id, NotebookRow.name)
        )
        there = {(student, notebook): total for student, notebook, total in self.session.execute(query)}
        self.session.rollback()
        return {
            who: line
            for who, line in lines.items()
            if line.auto_score is not None and abs(there.get(who, -1.0) - line.auto_score) < 1e-6
        }

    def _write(
        self, student: str, graded: tuple[Graded, ...], handed_in: datetime | None, ids: dict[str, str]
    ) -> None:
        session = self.session
        if any(has_line(session, id) for id in ids.values()):
            return  # the commit was done, only its answer was lost
        submission = self._submission(student)
        if handed_in is not None:
            submission.timestamp = handed_in
        rows = {row.notebook_id: row for row in submission.notebooks}
        for one in graded:
            row = self._notebook(submission, rows, one.notebook)
            before = last_line(session, self._assignment.name, student, one.notebook)
            failed = one.evidence.status == "grader-failed"
            if failed:
                row.flagged = True
            else:
                if before is not None and before.status == "grader-failed":
                    row.flagged = False
                self._grade(row, one)
                session.flush()
                self._penalise(submission, row, student)
            add_line(session, ids[one.notebook], self._line(student, one, before))
        session.commit()
        session.expunge_all()

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
        """The row of a notebook, with a row for every cell of it: as `Gradebook.add_submission` mirrors an assignment."""
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

    def _grade(self, row: SubmittedNotebook, one: Graded) -> None:
        """As nbgrader's `SaveAutoGrades`, but for every cell of the notebook, whether it was handed in or not."""
        _, graded, commented = self._notebooks[one.notebook]
        names = {id: name for name, id in graded.items()}
        for grade in row.grades:
            grade.auto_score = one.scores.get(names[grade.cell_id], 0.0)
            grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None
        names = {id: name for name, id in commented.items()}
        for comment in row.comments:
            said = ["No response."] if names[comment.cell_id] in one.untouched else []
            if not one.rebuilt:
                said = [one.evidence.reason]
            elif one.evidence.isolation == "none":
                said.append("Graded without isolation.")
            comment.auto_comment = " ".join(said) or None

    def _penalise(self, submission: SubmittedAssignment, row: SubmittedNotebook, student: str) -> None:
        """As nbgrader's `AssignLatePenalties`, with the plugin that the course has configured."""
        row.late_submission_penalty = None
        assignment = self.session.get(AssignmentRow, self._id)
        if submission.timestamp is None or assignment.duedate is None:
            return
        due = assignment.duedate + submission.extension if submission.extension else assignment.duedate
        late = max(0.0, (submission.timestamp - due).total_seconds())
        if late > 0:
            self.session.refresh(row, ["score"])
            penalty = self._penalties.plugin_inst.late_submission_penalty(student, row.score, late)
            if penalty is not None:
                row.late_submission_penalty = self._penalties._check_late_penalty(row, penalty)

    def _line(self, student: str, one: Graded, before: Line | None) -> Line:
        evidence = one.evidence
        failed = evidence.status == "grader-failed"
        return Line(
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
            at=now(),
            wall_s=evidence.wall_s,
            cpu_s=evidence.cpu_s,
            auto_score=None if failed else sum(score or 0.0 for score in one.scores.values()),
            checks=outcomes(evidence),
            notes=evidence.notes,
        )

    def _patiently(self, action: Callable[[], T]) -> T:
        """Do it again, ever more slowly, while the database is locked or away; say so once."""
        start, wait, said = time.monotonic(), _FIRST_WAIT_S, False
        while True:
            try:
                return action()
            except DBAPIError as error:
                self._forget()
                reason = str(error.orig).strip().splitlines()[0]
                left = start + self._patience_s - time.monotonic()
                if not _passes(error) or left < 0:
                    raise GradingError(self._explain(reason, left < 0)) from error
                if not said and time.monotonic() - start > _UNSAID_S:
                    self._say(f"The gradebook can't be reached just now ({reason}); trying again ...")
                    said = True
            time.sleep(min(wait, max(left, 0.0)))
            wait = min(wait * 2, _LONGEST_WAIT_S)

    def _forget(self) -> None:
        if self._gradebook is not None:
            self._gradebook.db.remove()  # rolls back
            self._gradebook.engine.dispose()

    def _explain(self, reason: str, waited: bool) -> str:
        where = self._url.render_as_string(hide_password=True)
        if "full" in reason:
            return f"The disk of the gradebook {where} is full. Free some space. {KEPT}"
        if waited:
            return f"The gradebook {where} could not be reached for {self._patience_s:g} s ({reason}). {KEPT}"
        if "no such" in reason or "does not exist" in reason:
            return (
                f"The gradebook {where} is of an older nbgrader, or not complete ({reason}). Run `nbgrader db upgrade` in the "
                "course folder (it makes a backup first), then try again."
            )
        return (
            f"The gradebook {where} can't be written to ({reason}). Check the address and the rights. {KEPT}"
        )


def _late_penalties(course: Course) -> AssignLatePenalties:
    try:
        penalties = AssignLatePenalties(config=course.config)
        penalties.init_plugin()
    except Exception as error:  # a plugin is an instructor's Python
        raise GradingError(
            f"The plugin for late penalties can't be loaded ({type(error).__name__}: {error}). Expected "
            f"c.AssignLatePenalties.plugin_class to name a class that Python finds, such as one of a file in {course.root}: "
            "correct it in nbgrader_config.py, then run the command again."
        ) from error
    return penalties


def _passes(error: DBAPIError) -> bool:
    """Whether waiting may help: a lock, a lost or refused connection, or two programs that added the same row."""
    reason = str(error.orig)
    if isinstance(error, IntegrityError) or "locked" in reason or "busy" in reason:
        return True
    if (
        type(error.orig).__module__.startswith("sqlite3")
        or "authentication" in reason
        or "does not exist" in reason
    ):
        return False
    return error.connection_invalidated or type(error.orig).__name__ in (
        "OperationalError",
        "InterfaceError",
        "AdminShutdown",
        "CannotConnectNow",
        "CrashShutdown",
        "ConnectionTimeout",
    )
