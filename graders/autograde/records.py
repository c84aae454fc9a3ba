"""What passes between the rooms of the grader: a rebuilt submission goes in, evidence comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

CellKind = Literal["setup", "solution", "extra", "test"]
Status = Literal["graded", "student-failed", "grader-failed"]
Trust = Literal["values", "effects", "probe"]
FRAME_BYTES = 64 << 20  # the largest value that goes from one process to another
Isolation = Literal["namespaces", "landlock", "none"]


KEPT = "What is graded so far is kept; run the same command again and it goes on from there."


class GradingError(RuntimeError):
    """Grading can't start or go on; the message is a sentence that says what to do."""


@dataclass(frozen=True)
class Cell:
    """A code cell of a rebuilt notebook, in the order of execution.

    Attributes:
        kind: "setup" and "test" are the instructor's, word for word; "solution" and "extra" are the student's source.
        grade_id: nbgrader's id; "" for extra cells.
        source: Python source; line ends are `\\n`.
        points: of a test cell.
    """

    kind: CellKind
    grade_id: str
    source: str
    points: float = 0.0


@dataclass(frozen=True)
class Submission:
    """A notebook to run: the instructor's, with the source of the student's answers in it.

    Attributes:
        digest: SHA-256 of what was handed in.
        seed: draws the hidden inputs; the same submission gets the same ones again.
        notes: what a person should know of the rebuilding ("the cell build-head was there twice; the first one counts").
    """

    student: str
    assignment: str
    notebook: str
    cells: tuple[Cell, ...]
    digest: str
    seed: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Limits:
    """What one submission may use. Seconds are wall-clock; sizes are bytes."""

    cell_s: float = 30.0
    total_s: float = 120.0
    memory_bytes: int = 2 << 30
    processes: int = 32
    file_bytes: int = 64 << 20
    output_bytes: int = 64 << 10


@dataclass(frozen=True)
class CheckOutcome:
    """What became of one test cell.

    Attributes:
        points: earned; more than 0 only where `completed` and `assertions` are.
        best: what the cell is worth.
        completed: the checker ran the cell to its end.
        assertions: comparisons that the checker made and that held.
        message: what a student reads; "" where it passed.
        mistake: id of the named mistake it looks like, or "".
        trust: "values" were compared; "effects" on a module were judged in the checker; a "probe" ran beside the student's
            code.
    """

    grade_id: str
    points: float
    best: float
    completed: bool
    assertions: int
    message: str = ""
    mistake: str = ""
    trust: Trust = "values"


@dataclass(frozen=True)
class Evidence:
    """What grading a submission found.

    Attributes:
        status: "student-failed": the student's code crashed, ran out of time or memory; the checks say what that cost.
            "grader-failed": nothing is known of the submission, no grade may change.
        reason: why, in a sentence; "" for "graded".
        output: what the student's cells printed, as plain text, cut to the limit.
        isolation: how the student's code was held apart.
    """

    status: Status
    reason: str
    checks: tuple[CheckOutcome, ...]
    output: str = ""
    wall_s: float = 0.0
    cpu_s: float = 0.0
    isolation: Isolation = "none"
    notes: tuple[str, ...] = field(default=())
