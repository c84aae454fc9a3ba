"""nbgrader's first step when it makes a release: a lesson that breaks a rule is not released."""

from __future__ import annotations

from nbgrader.preprocessors import NbGraderPreprocessor

from .rules import static_findings


class UnfitLesson(ValueError):
    """The lesson breaks rules; the message says which, where, and what to do."""


class RefuseUnfitLesson(NbGraderPreprocessor):
    """Stops `nbgrader generate_assignment` for a lesson that breaks a rule that needs nothing to be run.

    First in `GenerateAssignment.preprocessors` (course/nbgrader_config.py).
    """

    def preprocess(self, nb, resources):
        refuse_unfit(nb, resources["nbgrader"]["assignment"])
        return nb, resources


def refuse_unfit(notebook, unit: str) -> None:
    """Raise if a lesson's source notebook breaks a static rule.

    Raises:
        UnfitLesson: with all that was found.
    """
    findings = static_findings(notebook, unit)
    if findings:
        lines = "".join(f"\n  {finding}" for finding in findings)
        raise UnfitLesson(
            f"{unit} is not ready to be released. `tlcourse lint-lesson {unit}` reports the same:{lines}"
        )
