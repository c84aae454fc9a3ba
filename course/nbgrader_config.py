"""nbgrader's configuration. Run its commands here: `nbgrader generate_assignment 01-transfer-learning`."""

from typing import TYPE_CHECKING

from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    IgnorePattern,
    LimitOutput,
    SaveAutoGrades,
)

from graders.autograde.feedback_style import FeedbackStyle
from graders.autograde.formgrader import BlockAutograde
from graders.autograde.regrade.show import ShowAnswers
from graders.autograde.release import ReleaseFeedback
from graders.checks.execute import ExecuteExercises
from graders.cli.student import STUB
from graders.lint.refuse import RefuseUnfitLesson
from graders.rubrics.formgrader import ShowRubric

if TYPE_CHECKING:
    from traitlets.config import Config

    def get_config() -> Config: ...  # traitlets defines it where it runs this file


c = get_config()

c.CourseDirectory.course_id = "transfer-learning"

# What students get in place of a solution; `tlcourse build` takes the same text.
c.ClearSolutions.code_stub = {"python": STUB}

# A lesson that breaks a rule of `tlcourse lint-lesson` is not released.
c.GenerateAssignment.preprocessors = [RefuseUnfitLesson, *GenerateAssignment.preprocessors.default()]

# Pictures that fit the page, and hints that open: in feedback and in formgrader. Rubrics: in formgrader.
# Answers to requests to look at a grade again: in both.
c.HTMLExporter.preprocessors = [FeedbackStyle, ShowRubric, ShowAnswers]

# Formgrader's Autograde button says to use `tlcourse grade` instead.
c.NotebookExporter.preprocessors = [BlockAutograde]

# Feedback is released for all who used the exchange, also where other submissions came by mail.
c.ExchangeFactory.release_feedback = ReleaseFeedback

# The stock steps, but for the first: demonstrations (long training, widgets) are left out.
c.Autograde.autograde_preprocessors = [
    ExecuteExercises,
    IgnorePattern,
    ClearMetadataPreprocessor,
    LimitOutput,
    SaveAutoGrades,
    AssignLatePenalties,
    CheckCellMetadata,
]
c.Execute.timeout = 120  # seconds a cell may take
