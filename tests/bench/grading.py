"""Grading a class: `tlcourse grade` against stock `nbgrader autograde`, the cost of a submission, and memory.

The class hands in lesson 01 with the catalogue's right and wrong programs. Both ways run the same exercises
without demonstrations (the course's own configuration of nbgrader leaves them out) and write the gradebook.
Stock nbgrader is timed on 8 of the submissions, since it takes seconds for each; its figure is wall-clock
time by number, start-up included, as is ours for 200. The cost of a submission is the time between the first
and the last line of the audit by their number, so that the start of the workers, the same for any class, is
left out.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from sqlalchemy import create_engine, text

from tests.notebooks.conftest import Watch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "grading"))

STOCK, CLASS, SIZES = 8, 200, (20, 200, 1000)


def measure(stock: int = STOCK, size: int = CLASS, sizes: tuple[int, ...] = SIZES) -> dict[str, float]:
    """`grading_vs_nbgrader`, `grading_flat`, `grading_two_workers`, and the seconds and bytes behind them."""
    from classroom import UNIT, Classroom

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        generated = Classroom.make(Path(folder, "generated"))

        def room(count: int, name: str) -> Classroom:
            one = generated.copy(Path(folder, name))
            _hand_in(one, count)
            return one

        theirs = room(stock, "stock")
        start = time.perf_counter()
        theirs.nbgrader("autograde", UNIT)
        nbgrader_s = (time.perf_counter() - start) / stock

        ours = room(size, "ours")
        wall, peak = _grade(ours, os.cpu_count() or 1)
        _same_scores(theirs, ours)
        figures = {
            "nbgrader_s_each": nbgrader_s,
            "grading_s_each": wall / size,
            "grading_vs_nbgrader": nbgrader_s / (wall / size),
            "grading_peak_bytes": peak,
        }
        each = {}
        for count in sizes:
            one = room(count, f"flat-{count}")
            _, figures[f"grading_peak_bytes_{count}"] = _grade(one, 1)
            each[count] = figures[f"grading_s_each_{count}"] = _each(one)
        two = room(size, "two")
        _grade(two, 2)
        one_worker = each.get(size) or _each_with_one(room(size, "one"))
        return figures | {
            "grading_flat": each[sizes[-1]] / each[sizes[0]],
            "grading_two_workers": one_worker / _each(two),
        }


def _hand_in(room, count: int) -> None:
    from classroom import programs

    for number in range(count):
        room.hand_in(f"student-{number:04}", programs(number)[0])


def _grade(room, workers: int) -> tuple[float, float]:
    """Grade with the real command; seconds, and the largest sum of the processes' resident memory (shared
    pages count for each of them)."""
    from classroom import environment

    start = time.perf_counter()
    command = room.command("--workers", str(workers))
    with subprocess.Popen(
        command,
        cwd=room.folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        watch = Watch(process.pid)
        said, _ = process.communicate()
        _, peak = watch.stop()
    assert process.returncode == 0, said
    return time.perf_counter() - start, peak


def _each_with_one(room) -> float:
    _grade(room, 1)
    return _each(room)


def _each(room) -> float:
    engine = create_engine(room.address)
    with engine.connect() as connection:
        count, first, last = connection.execute(
            text("SELECT count(*), min(at), max(at) FROM tlcourse_audit")
        ).one()
    engine.dispose()
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds() / (count - 1)


def _same_scores(theirs, ours) -> None:
    """The same work, or the ratio means nothing."""
    mine = ours.xp()
    differs = {student: (xp, mine[student]) for student, xp in theirs.xp().items() if xp != mine[student]}
    assert not differs, differs
