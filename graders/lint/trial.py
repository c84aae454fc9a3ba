"""One trial: set-up, answers and a test cell, run from top to bottom in a process of their own."""

from __future__ import annotations

import ast
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TEXT = 2_000


@dataclass(frozen=True)
class Trial:
    """What to run.

    Attributes:
        cells: sources, in order: set-up and answers.
        test: source of the test cell.
        seed: of the hidden inputs.
    """

    cells: tuple[str, ...]
    test: str
    seed: int = 20


@dataclass(frozen=True)
class Outcome:
    """The outcome of a trial.

    Attributes:
        stage: where it ended: "passed", "test" (the test cell raised), "cells" (an earlier cell did),
            "timeout" or "died".
        error: name of the exception's type; "" without one.
        message: what it said.
        mistake: id of the named mistake, if it was one.
        assertions: comparisons that held and were counted, in the test cell.
        stderr: what the test cell wrote there.
        value: what the test cell's last expression gave, as text; "" for None.
        wall_s: seconds of the test cell.
    """

    stage: str
    error: str = ""
    message: str = ""
    mistake: str = ""
    assertions: int = 0
    stderr: str = ""
    value: str = ""
    wall_s: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether the test cell ran to its end."""
        return self.stage == "passed"


def run_trial(trial: Trial) -> Outcome:
    """Run a trial in this process, which is of no other use afterwards: what it prints is lost."""
    import torch

    from graders.checks import evidence

    torch.set_num_threads(1)
    with silenced(), tempfile.TemporaryFile() as noise:
        try:
            scope = run_cells(trial.cells)
        except BaseException as error:  # whatever an answer raises, SystemExit included
            return _failed("cells", error)
        _point(noise.fileno(), 2)
        evidence.begin(trial.seed)
        start = time.perf_counter()
        try:
            value = run_test(trial.test, scope)
        except BaseException as error:  # likewise
            return _failed("test", error, time.perf_counter() - start)
        wall = time.perf_counter() - start
        sys.stderr.flush()
        noise.seek(0)
        return Outcome(
            "passed",
            assertions=evidence.comparisons_so_far(),
            stderr=noise.read(_TEXT).decode(errors="replace").strip(),
            value="" if value is None else repr(value)[:_TEXT],
            wall_s=wall,
        )


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Lose what this process prints, from now on."""
    with open(os.devnull, "w") as nowhere:
        _point(nowhere.fileno(), 1)
        _point(nowhere.fileno(), 2)
        yield


def _point(target: int, descriptor: int) -> None:
    """Let a stream go elsewhere, with what libraries write below Python."""
    (sys.stdout if descriptor == 1 else sys.stderr).flush()
    os.dup2(target, descriptor)


def run_cells(cells: Sequence[str]) -> dict:
    """Run cells as a notebook does, and return their globals."""
    scope: dict = {"__name__": "__main__"}
    for place, source in enumerate(cells):
        exec(compile(source, f"<cell {place + 1}>", "exec"), scope)
    return scope


def run_test(source: str, scope: dict):
    """Run a test cell; its value is that of a trailing expression, as in a notebook."""
    tree = ast.parse(source)
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr):
        tree.body.pop()
    exec(compile(tree, "<test cell>", "exec"), scope)
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(last.value), "<test cell>", "eval"), scope)


def _failed(stage: str, error: BaseException, wall: float = 0.0) -> Outcome:
    mistake = getattr(error, "mistake", None)
    message = getattr(error, "message", None) or str(error)
    return Outcome(
        stage,
        error=type(error).__name__,
        message=str(message)[:_TEXT],
        mistake=getattr(mistake, "id", "") or "",
        wall_s=wall,
    )
