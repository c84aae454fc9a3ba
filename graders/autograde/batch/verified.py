"""What can be told of evidence from a worker without trusting it: whether it can be true at all."""

from __future__ import annotations

from math import isfinite
from typing import get_args

from ..records import CheckOutcome, Evidence, Isolation, Status, Submission, Trust
from .jobs import grader_failed

_MAX_TEXT = 1 << 20  # characters of everything that it says


def verified(
    submissions: tuple[Submission, ...], evidence: object, isolation: Isolation
) -> tuple[Evidence, ...]:
    """The evidence, where it is possible; for each submission where it is not, that the grader failed."""
    if type(evidence) is not tuple or len(evidence) != len(submissions):
        return tuple(_failed(one, "something else than evidence of each notebook") for one in submissions)
    return tuple(
        _failed(submission, problem) if (problem := _problem(submission, one, isolation)) else one
        for submission, one in zip(submissions, evidence, strict=True)
    )


def _failed(submission: Submission, problem: str) -> Evidence:
    return grader_failed(submission, f"A worker of the cluster returned {problem}, which no grader does.")


def _problem(submission: Submission, one: object, isolation: Isolation) -> str:
    if type(one) is not Evidence or one.status not in get_args(Status):
        return "something else than evidence"
    if type(one.notes) is not tuple or type(one.audit_notes) is not tuple:
        return "something else than evidence"
    numbers = (one.wall_s, one.cpu_s, one.waited_s)
    if any(type(number) not in (int, float) or not isfinite(number) or number < 0 for number in numbers):
        return "impossible times"
    if type(one.checks) is not tuple or not all(type(check) is CheckOutcome for check in one.checks):
        return "something else than checks"
    texts: list[object] = [one.reason, one.output, *one.notes, *one.audit_notes]
    for check in one.checks:
        texts += [check.message, check.mistake, check.grade_id]
    if not all(type(text) is str for text in texts) or len("".join(map(str, texts))) > _MAX_TEXT:
        return "text that is too long, or none"
    if one.status == "grader-failed":
        return ""
    if one.isolation != isolation:
        return f"evidence of another isolation ({one.isolation!r}, asked for {isolation!r})"
    best = {cell.grade_id: cell.points for cell in submission.cells if cell.kind == "test"}
    if sorted(check.grade_id for check in one.checks) != sorted(best):
        return "other checks than the lesson's"
    for check in one.checks:
        if not _possible(check, best[check.grade_id]):
            return f"impossible points for {check.grade_id}"
    return ""


def _possible(check: CheckOutcome, best: float) -> bool:
    """Points within the lesson's, and none without proof."""
    numbers = (check.points, check.best)
    if any(type(number) not in (int, float) or not isfinite(number) for number in numbers):
        return False
    proof = check.completed is True and type(check.assertions) is int and check.assertions > 0
    known = check.trust in get_args(Trust) and check.best == best
    return known and 0 <= check.points <= best and (check.points == 0 or proof)
