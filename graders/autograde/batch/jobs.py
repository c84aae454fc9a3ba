"""What goes into the queue, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..records import CheckOutcome, Evidence, Submission

AHEAD = 4  # submissions sent ahead per worker: enough to keep it busy, few enough to keep memory low

# Shares of the time: that it waited for a processor, and of processor time that only several processes use.
_BUSY, _OWN_DOING = 0.2, 1.5
_AGAIN = "It took too long while the machine was busy, so it was graded once more, alone; that result counts."


@dataclass(frozen=True)
class Job:
    """One student's submission: its notebooks, to be graded one after the other."""

    student: str
    submissions: tuple[Submission, ...]


@dataclass(frozen=True)
class GradedJob:
    """A job with its evidence, one for each notebook."""

    job: Job
    evidence: tuple[Evidence, ...]


def deserves_another_try(evidence: tuple[Evidence, ...]) -> bool:
    """Whether something took too long while others kept the machine busy: then it is tried once more, alone.

    Not if the submission's own processes kept each other waiting.
    """
    return any(
        one.late
        and one.waited_s > _BUSY * one.wall_s
        and one.cpu_s < _OWN_DOING * (one.wall_s - one.waited_s)
        for one in evidence
    )


def tried_again(evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """The evidence of the second try, with a note."""
    return tuple(replace(one, notes=(*one.notes, _AGAIN)) for one in evidence)


def grader_failed(submission: Submission, reason: str) -> Evidence:
    """Evidence that says that nothing is known about a submission."""
    checks = tuple(
        CheckOutcome(cell.grade_id, 0.0, cell.points, False, 0, reason)
        for cell in submission.cells
        if cell.kind == "test"
    )
    return Evidence("grader-failed", reason, checks)
