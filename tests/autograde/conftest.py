"""One zygote and one worker for all tests of a process, and submissions made of pieces of source."""

import contextlib
import dataclasses
import hashlib

import pytest

from graders.autograde import Cell, Limits, Submission, Worker
from graders.autograde.processes.zygote import Zygote

SETUP = "import torch\nfrom torch import nn"


@pytest.fixture(scope="session")
def zygote():
    """The process that imports PyTorch once, for every worker of these tests that does not need its own."""
    with Zygote() as zygote:
        yield zygote


@pytest.fixture(scope="session")
def worker(zygote):
    with Worker(Limits(cell_s=60, total_s=200), zygote=zygote) as worker:
        yield worker


@pytest.fixture
def limited(worker):
    """The same worker with other limits for a while: `with limited(cell_s=1): ...`."""

    @contextlib.contextmanager
    def change(**limits):
        before = worker.limits
        worker.limits = dataclasses.replace(before, **limits)
        try:
            yield worker
        finally:
            worker.limits = before

    return change


def submission(*cells: Cell, seed: int = 7, setup: str = SETUP) -> Submission:
    """A submission with these cells after the set-up."""
    digest = hashlib.sha256(repr(cells).encode()).hexdigest()
    return Submission("ada", "lesson", "lesson", (Cell("setup", "", setup), *cells), digest, seed)


def answer(source: str) -> Cell:
    return Cell("solution", "answer", source)


def extra(source: str) -> Cell:
    return Cell("extra", "", source)


def check(source: str, points: float = 3.0, grade_id: str = "check") -> Cell:
    return Cell("test", grade_id, source, points)


def exercise_cells(exercise, program: str) -> list[Cell]:
    """An exercise as its lesson has it: the answer, then the test cell, word for word."""
    name = exercise.check.__name__
    source = f"from graders.checks import {name}\n\n{name}({', '.join(exercise.functions)})"
    return [
        Cell("solution", exercise.id, program),
        Cell("test", f"check-{exercise.id}", source, exercise.points),
    ]


def graded(worker, *cells: Cell, **options):
    """The outcome of the first check; the student's process has to have lasted."""
    evidence = worker.grade(submission(*cells, **options))
    assert evidence.status == "graded", evidence
    return evidence.checks[0]
