"""Keeps formgrader's Autograde button from running students' code beside their checks."""

from __future__ import annotations

import shlex

from nbgrader.apps.api import NbGraderAPI
from nbgrader.converters import Autograde
from nbgrader.preprocessors import NbGraderPreprocessor


class AutogradeBlocked(RuntimeError):
    """Formgrader was asked to autograde; the message says what to do instead."""


class BlockAutograde(NbGraderPreprocessor):
    """Stops formgrader's Autograde before it touches a file or a grade; does nothing to any notebook.

    One of `NotebookExporter.preprocessors` (course/nbgrader_config.py): an exporter makes these when it is
    made, and Autograde makes its exporter before anything else. Its own steps come too late: by then the
    graded notebook has been deleted. `nbgrader autograde` in a terminal is not stopped.
    """

    def __init__(self, **options) -> None:
        super().__init__(**options)
        converter = getattr(self.parent, "parent", None)
        if isinstance(converter, Autograde) and isinstance(converter.parent, NbGraderAPI):
            directory = converter.coursedir
            raise AutogradeBlocked(
                "Autograde is switched off here: it would run this student's code with your rights, beside "
                "the checks. Nothing was changed. Run `tlcourse grade "
                f"{directory.assignment_id} --student {shlex.quote(directory.student_id)}` in a terminal "
                "instead; its grades show here."
            )

    def preprocess(self, nb, resources):
        return nb, resources
