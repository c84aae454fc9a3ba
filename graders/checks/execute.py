"""nbgrader's execution step, without the demonstrations."""

from __future__ import annotations

from nbgrader.preprocessors import Execute

from .notebook import is_demonstration


class ExecuteExercises(Execute):
    """Runs the cells that exercises depend on, and leaves out cells tagged `demo`, so that grading takes
    seconds.

    In place of `nbgrader.preprocessors.Execute` in `Autograde.autograde_preprocessors` and
    `Validator.preprocessors` (course/nbgrader_config.py); its options are those of `Execute`.
    """

    def preprocess_cell(self, cell, resources, index):
        if is_demonstration(cell):
            return cell, resources
        return super().preprocess_cell(cell, resources, index)
