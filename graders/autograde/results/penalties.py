"""Late penalties: what the course's rule takes off, by the dates that hold when a submission is graded."""

from __future__ import annotations

from nbgrader.api import Assignment, SubmittedAssignment, SubmittedNotebook
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy.orm import Session

from ..course.folder import Course
from ..records import GradingError


class LatePenalties:
    """The course's rule, as `c.AssignLatePenalties` configures it.

    Raises:
        GradingError: its plugin cannot be loaded.
    """

    def __init__(self, course: Course) -> None:
        try:
            self._rule = AssignLatePenalties(config=course.config)
            self._rule.init_plugin()
        except Exception as error:  # a plugin may raise anything
            raise GradingError(
                f"The plugin for late penalties cannot be loaded ({type(error).__name__}: {error}). Expected "
                "c.AssignLatePenalties.plugin_class to name a class that Python finds, such as one of a file "
                f"in {course.root}: correct it in nbgrader_config.py, then run the command again."
            ) from error

    def renew(self, session: Session, submission: SubmittedAssignment, row: SubmittedNotebook) -> None:
        """Set the penalty of a notebook, as nbgrader's own step does; its grades must have been flushed."""
        row.late_submission_penalty = None
        assignment = session.get(Assignment, submission.assignment_id)
        if submission.timestamp is None or assignment is None or assignment.duedate is None:
            return
        due = assignment.duedate + submission.extension if submission.extension else assignment.duedate
        late = max(0.0, (submission.timestamp - due).total_seconds())
        if late > 0:
            session.refresh(row, ["score"])
            penalty = self._rule.plugin_inst.late_submission_penalty(submission.student_id, row.score, late)
            if penalty is not None:
                row.late_submission_penalty = self._rule._check_late_penalty(row, penalty)
