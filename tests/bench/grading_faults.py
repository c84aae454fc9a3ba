"""One process of a grading run, the command itself or any that it started, killed at a random moment, 50
times over."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "grading"))

KILLS, STUDENTS = 50, 12


def measure(kills: int = KILLS, students: int = STUDENTS) -> dict[str, float]:
    """`grading_kills`, and how many of them left another gradebook after the next run, or graded something
    twice."""
    from classroom import Classroom, programs
    from faults import kill_something
    from ledger import attempts, ledger

    chance = random.Random(21)
    different = twice = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        handed_in = Classroom.make(Path(folder, "handed-in"))
        for number in range(students):
            handed_in.hand_in(f"student-{number}", programs(number)[0])
        undisturbed = handed_in.copy(Path(folder, "undisturbed"))
        start = time.perf_counter()
        undisturbed.grade("--workers", "2")
        took, expected = time.perf_counter() - start, ledger(undisturbed.address)
        for number in range(kills):
            room = handed_in.copy(Path(folder, str(number)))
            kill_something(room, chance, took, "--workers", "2")
            room.grade("--workers", "2")
            different += ledger(room.address) != expected
            twice += set(attempts(room.address).values()) != {1}
    return {"grading_kills": kills, "grading_kills_different": different, "grading_kills_twice": twice}
