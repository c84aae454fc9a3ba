"""Late penalties: what the course's rule takes off, by the dates that hold when a submission is graded."""

from __future__ import annotations

from datetime import timedelta

from nbgrader.api import Assignment, SubmittedAssignment, SubmittedNotebook
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy.orm import Session

from ..course.folder import Course
from ..dates.file import UnitDates, read_dates
from ..records import GradingError


class LatePenalties:
    """The dates and the rule of a unit: those of `dates.json`, else the gradebook's and the plugin that
    `c.AssignLatePenalties` configures.

    Args:
        dates: in place of what `dates.json` says.

    Raises:
        GradingError: the plugin cannot be loaded, or `dates.json` has a mistake.
    """

    def __init__(self, course: Course, unit: str, dates: UnitDates | None = None) -> None:
        self.dates = read_dates(course.root).of(unit) if dates is None else dates
        try:
            self._plugin = AssignLatePenalties(config=course.config)
            self._plugin.init_plugin()
        except Exception as error:  # a plugin may raise anything
            raise GradingError(
                f"The plugin for late penalties cannot be loaded ({type(error).__name__}: {error}). Expected "
                "c.AssignLatePenalties.plugin_class to name a class that Python finds, such as one of a file "
                f"in {course.root}: correct it in nbgrader_config.py, then run the command again."
            ) from error

    def set_dates(self, assignment: Assignment, submission: SubmittedAssignment | None = None) -> None:
        """Copy the due date and the submission's extension from `dates.json` to the gradebook, where
        formgrader and nbgrader's own commands find them."""
        if self.dates.due is not None:
            assignment.duedate = self.dates.due.utc
        if self.dates.extensions is not None and submission is not None:
            submission.extension = self.dates.extension(submission.student_id, assignment.duedate)

    def renew(self, session: Session, submission: SubmittedAssignment, row: SubmittedNotebook) -> None:
        """Set the penalty of a notebook, as nbgrader's own step does; its grades must have been flushed."""
        row.late_submission_penalty = None
        assignment = session.get(Assignment, submission.assignment_id)
        if assignment is None:
            return
        self.set_dates(assignment, submission)
        if submission.timestamp is None or assignment.duedate is None:
            return
        late = submission.timestamp - assignment.duedate - (submission.extension or timedelta())
        if late <= timedelta():
            return
        session.refresh(row, ["score"])
        penalty = self._penalty(submission.student_id, row.score, late)
        if penalty is not None:
            row.late_submission_penalty = self._plugin._check_late_penalty(row, penalty)

    def _penalty(self, student: str, points: float, late: timedelta) -> float | None:
        if self.dates.rule is not None:
            return self.dates.rule.penalty(points, late) or None
        return self._plugin.plugin_inst.late_submission_penalty(student, points, late.total_seconds())
