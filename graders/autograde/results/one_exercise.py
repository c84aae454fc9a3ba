"""Grades one exercise again: its points are new, and everything else stays as it was given."""

from __future__ import annotations

from dataclasses import replace

from ..course.lesson import Exercise
from ..records import CheckOutcome, Evidence
from .audit import AuditEntry


def merged_evidence(evidence: Evidence, before: AuditEntry, exercise: Exercise) -> Evidence:
    """The evidence of a new run for the exercise's checks, and of the run before for all others."""
    if evidence.status == "grader-failed":
        return evidence
    new = {check.grade_id: check for check in evidence.checks if check.grade_id in exercise.checks}
    old = [CheckOutcome(**check) for check in before.checks]
    checks = [new.pop(check.grade_id, check) for check in old]
    note = (
        f"Only {exercise.name} was graded again. All other points are those of attempt {before.attempt} "
        f"(grader {before.grader_version})."
    )
    return replace(
        evidence,
        checks=(*checks, *new.values()),
        isolation="none" if "none" in (evidence.isolation, before.isolation) else evidence.isolation,
        audit_notes=(*evidence.audit_notes, note),
    )


def merged_scores(
    scores: dict[str, float | None], before: AuditEntry, exercise: Exercise
) -> dict[str, float | None]:
    """The new points of the exercise's checks, and those given before of all other cells."""
    return {
        cell: points if cell in exercise.checks else (before.scores or {}).get(cell, points)
        for cell, points in scores.items()
    }


def why_not_alone(digest: str, rebuilt: bool, before: AuditEntry | None) -> str:
    """Why an exercise of this notebook cannot be graded again on its own; "" if it can.

    Args:
        digest, rebuilt: of the notebook that is there now.
        before: its newest entry, if what that gave is still in the gradebook.
    """
    if before is None:
        return "it has no grades yet, or not those that were written"
    if digest != before.digest:
        return "it was handed in again since it was graded"
    if before.scores is None:
        return "it was graded by an older version"
    if not rebuilt or before.status == "not-rebuilt":
        return "it could not be read"
    return ""
