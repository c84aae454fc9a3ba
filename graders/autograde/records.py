"""The records that pass through the grader: a rebuilt submission goes in, evidence comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

CellKind = Literal["setup", "solution", "extra", "test"]
Status = Literal["graded", "student-failed", "grader-failed"]
Trust = Literal["values", "effects", "probe"]
FRAME_BYTES = 64 << 20  # the largest value that passes from one process to another
Isolation = Literal["namespaces", "landlock", "none"]


KEPT_SO_FAR = "Everything graded so far is kept; run the same command again to continue."


class GradingError(RuntimeError):
    """Grading cannot start or continue; the message says what to do."""


@dataclass(frozen=True)
class Cell:
    """A code cell of a rebuilt notebook, in the order of execution.

    Attributes:
        kind: "setup" and "test" are the instructor's, word for word; "solution" and "extra" are the student's
            source.
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
        notes: what a person should know of the rebuilding ("the cell build-head was there twice; the first
            one counts").
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
    """What one submission may use. Sizes are in bytes.

    Seconds are the submission's own (`own_time`): those in which its code runs or sleeps, and not those in
    which it waits for a processor that others keep busy. `total_s` also bounds the processor time of all its
    processes together.
    """

    cell_s: float = 30.0
    total_s: float = 120.0
    memory_bytes: int = 2 << 30
    processes: int = 32
    file_bytes: int = 64 << 20
    output_bytes: int = 64 << 10


@dataclass(frozen=True)
class CheckOutcome:
    """The outcome of one test cell.

    Attributes:
        points: earned; above 0 only if `completed` is true and `assertions` is above 0.
        best: the most points that the cell gives.
        completed: whether the checker ran the cell to its end.
        assertions: number of comparisons that the checker made and that held.
        message: what the student reads; "" if the cell passed.
        mistake: id of the named mistake that was recognised, or "".
        trust: "values" if values were compared; "effects" if a change to a module was judged in the checker;
            "probe" if instructor code ran beside the student's.
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
    """What grading found out about a submission.

    Attributes:
        status: "student-failed" if the student's code crashed or ran out of time or memory; the checks say
            what that cost. "grader-failed" if nothing is known about the submission; no grade may change
            then.
        reason: why, as a sentence; "" for "graded".
        output: what the student's cells printed, as plain text, cut at the limit.
        isolation: how the student's code was isolated.
        audit_notes: what the audit should say, and neither a student nor the terminal.
        late: whether something was stopped because it took too long.
        waited_s: how long it waited for a processor that others kept busy.
    """

    status: Status
    reason: str
    checks: tuple[CheckOutcome, ...]
    output: str = ""
    wall_s: float = 0.0
    cpu_s: float = 0.0
    isolation: Isolation = "none"
    notes: tuple[str, ...] = field(default=())
    audit_notes: tuple[str, ...] = ()
    late: bool = False
    waited_s: float = 0.0
