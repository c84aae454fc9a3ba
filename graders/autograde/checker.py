"""In the checker's process: walks the cells, has the student's run across, and judges the test cells here.

It alone knows the test cells. What it reports over its own channel to the worker is what earns points; the student's process
has no way to that channel.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import random
import signal
import sys
import threading
import time
import traceback
import types

import numpy as np
import torch

from graders.checks import evidence
from graders.checks.mistakes import CheckFailed
from graders.checks.shared import shared_source

from .cells import Shell
from .channel import Channel
from .plain import plain_source
from .records import Cell, Limits, Submission
from .sentences import too_long
from .source import (
    HELD,
    CountAssertions,
    first_line_of,
    hidden_lines,
    names_bound,
    names_changed,
    names_loaded,
    usual_alias,
)
from .stubs import NotSent, Remote, StudentGone, StudentLate
from .text import plain, shown

_NOTES, _SEND_S = 20, 30.0
_SLACK_S = 1.0  # a student's process that is late says so first
_DEAF_S = 3.0
_LEAVING = ("SystemExit", "KeyboardInterrupt", "TookTooLong")  # as well-known as builtin types of errors
_HEARING_S = 1.0  # from an interrupt to its answer


class CheckerError(RuntimeError):
    """The fault is the grader's or the lesson's: no grade may come of it."""


class Checker:
    """One submission's way through its cells."""

    def __init__(self, submission: Submission, limits: Limits, remote: Remote, report: Channel) -> None:
        self._submission, self._limits, self._remote, self._report = submission, limits, remote, report
        self._end = time.monotonic() + limits.total_s
        self._main = types.ModuleType("__main__")
        self._main.display, self._main.get_ipython = lambda *things, **_: None, Shell
        self._names = self._main.__dict__
        self._bound_by_student: set[str] = set()
        self._missing: set[str] = set()  # names of the lesson whose cell failed, through no student's fault
        self._errors: dict[str, str] = {}  # of solution cells
        self._notes: list[str] = []
        self._output, self._printed = [], 0
        self._hidden: frozenset[int] = frozenset()  # lines of the check that runs
        self._secrets_from = 0.0  # its line from which on the student's process knows inputs of hidden tests
        self._gone = ""
        self._met_student = False

    def run(self) -> None:
        """Grade; reports a record for each test cell, then one for the end."""
        sys.modules["__main__"] = self._main
        for cell in self._submission.cells:
            self._say({"cell": cell.grade_id, "kind": cell.kind})
            if self._gone:
                continue
            self._set_times(cell)
            try:
                if cell.kind == "test":
                    with self._bounded():
                        outcome = self._test(cell)
                    self._say({"outcome": outcome})
                else:
                    self._run_there(cell)
            except StudentGone as gone:
                self._gone = gone.kind
        self._say_end(self._gone)

    def _set_times(self, cell: Cell) -> None:
        """What runs too long is interrupted, and costs no more than itself; who does not hear that is hung up on."""
        now = time.monotonic()
        left = max(self._end - now, 0.0)
        # Cells that no exercise needs leave time for those that one does.
        seconds = min(self._limits.cell_s, left / 2 if cell.kind == "extra" else left)
        self._remote.interrupted = now + seconds
        self._remote.until = min(now + seconds + _HEARING_S, self._end)

    @contextlib.contextmanager
    def _bounded(self):
        """End a check that does not come to an end: a model of the student's may be small to describe and endless to run.

        A signal is heard between two operations of PyTorch. One that takes hours by itself is ended with this process.
        """

        def late(number, frame) -> None:
            raise StudentGone("late")

        left = max(self._remote.until - time.monotonic(), 0) + _SLACK_S
        before = signal.signal(signal.SIGALRM, late)
        signal.setitimer(signal.ITIMER_REAL, left)
        watch = threading.Timer(left + _DEAF_S, self._leave)
        watch.daemon = True
        with contextlib.suppress(
            RuntimeError
        ):  # no thread to be had: then the worker ends it, some time later
            watch.start()
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            watch.cancel()
            if watch.ident is not None:
                watch.join()  # one that has begun ends this process

    def _leave(self) -> None:
        """Say that the student's process was late, and end. Without a model of theirs it is the grader that hangs."""
        if self._remote.effects:
            self._say_end("late")
            os._exit(0)

    def _say_end(self, gone: str) -> None:
        notes = [*self._notes, *self._remote.notes]
        self._say({"end": gone, "output": "".join(self._output), "notes": notes[:_NOTES]})

    def _say(self, record: dict) -> None:
        _send(self._report, record)

    def _run_there(self, cell: Cell) -> None:
        error, output = self._remote.run(cell.grade_id, cell.source)
        room = 0 if self._remote.has_secrets else self._limits.output_bytes - self._printed
        # Its process cuts what it prints, unless the student's code had a hand in that.
        text = plain(output[: self._limits.output_bytes], room) if output and room > 0 else ""
        self._printed += len(text)
        self._output.append(text)
        if cell.kind == "setup":
            self._run_setup_here(cell, failed_there=error is not None)
            return
        self._bound_by_student |= names_bound(plain_source(cell.source))
        if error is None:
            self._errors.pop(cell.grade_id, None)
            return
        if cell.kind == "solution":
            self._errors[cell.grade_id] = self._told(error)
        else:
            self._notes.append(f"An extra cell stopped with {self._told(error)}.")

    def _run_setup_here(self, cell: Cell, failed_there: bool) -> None:
        source = plain_source(cell.source)
        tree = ast.parse(source)
        before, contacts, file = dict(self._names), self._remote.contacts, f"<setup {cell.grade_id}>"
        try:
            self._execute(tree, file)
        except StudentLate as late:
            self._notes.append("A cell of the lesson stopped: what it called of yours took too long.")
            self._make_the_rest(tree, file, late)
        except Exception as error:  # whatever the lesson's cell raises
            uses_student = (
                self._remote.contacts > contacts
                or names_loaded(tree) & self._bound_by_student
                or error in self._remote.raised
            )
            if not (failed_there or uses_student):
                raise CheckerError(
                    f"A cell of the lesson itself ({cell.grade_id or 'without id'}) stopped in the checker with {_said(error)}."
                ) from error
            self._notes.append(f"A cell of the lesson stopped with {self._told(error)}.")
            if uses_student:
                self._make_the_rest(tree, file, error)
            else:
                self._missing |= names_bound(source)
        self._bound_by_student -= {
            name for name, value in self._names.items() if before.get(name, self) is not value
        }

    def _make_the_rest(self, tree: ast.Module, file: str, stopped: BaseException) -> None:
        """Make what a cell of the lesson makes without the student, where their code stopped it.

        Otherwise it would be read from their process, and who stops the lesson could say what is right. So nothing is fetched
        here: a statement that needs what is theirs stops, and so does one that hangs on what such a one did not make.
        """
        line = next(iter(_lines_in(file, stopped)), 0)
        touched = {name for name in self._bound_by_student if self._is_students(name)}
        for node in tree.body:
            if node.end_lineno < line:
                continue
            if node.lineno > line and not names_loaded(node) & touched & self._names.keys():
                with contextlib.suppress(Exception, StudentLate):
                    self._execute(ast.Module([node], type_ignores=[]), file, fetch=False)
                    touched -= names_changed(node)
                    continue
            touched |= names_changed(node)

    def _test(self, cell: Cell) -> dict:
        tree = self._parsed(cell)
        self._hidden = hidden_lines(plain_source(cell.source))
        self._secrets_from = 0 if self._remote.has_secrets else first_line_of(tree, self._hidden)
        self._remote.has_secrets |= bool(self._hidden)
        self._seed()
        evidence.begin(self._submission.seed)
        self._remote.contacts, self._remote.effects, self._met_student = 0, False, False
        message, mistake, completed = "", "", False
        try:
            self._execute(
                ast.fix_missing_locations(CountAssertions().visit(tree)), f"<check {cell.grade_id}>"
            )
            completed = True
        except StudentLate:
            message = too_long(self._limits)
        except CheckFailed as error:
            message, mistake = self._failed(error)
        except Exception as error:  # whatever came of a student's values
            message = self._sentence(error, cell)
        assertions = evidence.held_so_far() if self._remote.contacts else 0
        if completed and not assertions:
            completed_without = (
                "called nothing of the student's" if not self._remote.contacts else "compared nothing"
            )
            message = "This check could not tell whether your answer is right; your teacher will look at it."
            self._notes.append(
                f"The check {cell.grade_id} ran to its end but {completed_without}: no points."
            )
        earned = cell.points if completed and assertions else 0.0
        return {
            "grade_id": cell.grade_id, "points": float(earned), "completed": completed, "assertions": assertions,
            "message": plain(message, 4000), "mistake": mistake, "trust": "effects" if self._remote.effects else "values",
        }  # fmt: skip

    def _parsed(self, cell: Cell) -> ast.Module:
        try:
            return ast.parse(plain_source(cell.source))
        except SyntaxError as error:
            raise CheckerError(
                f"The check {cell.grade_id} of the lesson is no Python: {error.msg}."
            ) from error

    def _seed(self) -> None:
        random.seed(self._submission.seed)
        np.random.seed(self._submission.seed % 2**32)
        torch.manual_seed(self._submission.seed % 2**63)

    def _execute(self, tree: ast.Module, file: str, fetch: bool = True) -> None:
        """Run a cell of the lesson; what it binds stays, the student's names are fetched anew each time."""
        fetched = self._fetched(tree) if fetch else {}
        hidden = {name: self._names[name] for name in fetched if name in self._names}
        self._names.update(fetched)
        self._names[HELD] = evidence.held
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                exec(compile(tree, file, "exec", dont_inherit=True), self._names)
        finally:
            for name, value in fetched.items():
                if self._names.get(name, self) is value:
                    del self._names[name]
                    if name in hidden:
                        self._names[name] = hidden[name]

    def _fetched(self, tree: ast.Module) -> dict[str, object]:
        """The student's names that a cell reads. What the lesson's own cells made can't be replaced, but for placeholders."""
        wanted = {name for name in names_loaded(tree) if self._is_students(name)}
        if not wanted:
            return {}
        values, imported = self._remote.fetch(wanted)
        self._met_student = self._met_student or bool(values)
        for name, module in imported.items():
            values.pop(name)
            if usual_alias(name, module) and module in sys.modules:
                values[name] = sys.modules[module]
        plain = [name for name, value in values.items() if not callable(value) and name not in imported]
        self._remote.contacts += len(plain)
        return values

    def _is_students(self, name: str) -> bool:
        if name not in self._names:
            return name not in self._missing
        return name in self._bound_by_student and (self._names[name] is None or self._names[name] is ...)

    def _is_hidden(self, error: Exception) -> bool:
        return any(line in self._hidden for line in _lines_in("<check ", error))

    def _may_tell(self, error: Exception) -> bool:
        """Whether what was raised in a check may have in it what the student's process knows of hidden tests."""
        lines = _lines_in("<check ", error) or [0]
        return self._remote.has_secrets and any(line >= self._secrets_from for line in lines)

    def _told(self, error: Exception) -> str:
        return _kind(error) if self._remote.has_secrets else _said(error)

    def _failed(self, error: CheckFailed) -> tuple[str, str]:
        """What a student reads of a check that failed, and the mistake; other words than the catalogue's may quote values."""
        if error.mistake is not None:
            return str(error), error.mistake.id
        if not self._may_tell(error):
            return str(error), ""
        if error.__cause__ not in self._remote.raised:
            return "This check did not hold.", ""
        where = "In a hidden test your code" if self._is_hidden(error) else "Your code"
        return f"{where} stopped with {_kind(error.__cause__)}.", ""

    def _sentence(self, error: Exception, cell: Cell) -> str:
        """What a student reads: never a hidden test's source, nor its traceback."""
        if any(error is raised for raised in self._remote.raised):
            if self._is_hidden(error):
                return f"In a hidden test your code stopped with {_kind(error)}."
            return f"Your code stopped with {_kind(error) if self._may_tell(error) else _said(error)}."
        if isinstance(error, AssertionError):
            # Only what the lesson itself says: numpy's own texts, for one, hold the values that were expected.
            text = plain(str(error)) if _raised_by_lesson(error) else ""
            return (
                text if text in cell.source or not self._may_tell(error) else ""
            ) or "This check did not hold."
        if isinstance(error, NameError) and error.name and error.name not in self._missing:
            because = "".join(f" The cell {id} stopped with {said}." for id, said in self._errors.items())
            if "NameError" in because:
                because += " Cells tagged `demo` are not run here: an answer can't use what they make."
            return f"`{shown(error.name)}` is not there: its cell was not filled in, or did not run to its end.{because}"
        if not self._met_student or (isinstance(error, NameError) and error.name in self._missing):
            raise CheckerError(
                f"The check {cell.grade_id} stopped before it met any answer: {_said(error)}."
            ) from error
        return f"The check could not use what your code gave it ({type(error).__name__}). Look at the type and the shape."


def _kind(error: BaseException) -> str:
    """The builtin type that it is, or is derived from: a name of the student's own could tell what was passed to it."""
    if type(error).__name__ in _LEAVING:
        return type(error).__name__
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins")


def _lines_in(file: str, error: BaseException) -> list[int]:
    """Lines of cells so named that were running when it was raised, the outermost first."""
    frames = traceback.walk_tb(error.__traceback__)
    return [line for frame, line in frames if frame.f_code.co_filename.startswith(file)]


def _raised_by_lesson(error: BaseException) -> bool:
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_code.co_filename.startswith(("<check ", "<setup "))


def _said(error: BaseException) -> str:
    text = plain(str(error), 500)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def main(report: Channel, link: Channel, limits: Limits) -> None:
    """Read a submission from the worker, grade it, report."""
    try:
        submission = submission_in(json.loads(report.receive()))
        remote = Remote(link, shared_source)
        Checker(submission, limits, remote, report).run()
    except (CheckerError, NotSent) as error:
        _send(report, {"failed": str(error)[:2000]})
    except Exception as error:  # the checker's own fault: no grade comes of it
        text = f"The checker stopped with {type(error).__name__}: {error}"
        _send(report, {"failed": text[:2000]})


def _send(report: Channel, record: dict) -> None:
    report.send(json.dumps(record).encode(), time.monotonic() + _SEND_S)


def submission_in(said: dict) -> Submission:
    """The same submission again."""
    cells = tuple(Cell(*cell) for cell in said["cells"])
    return Submission(**{**said, "cells": cells, "notes": tuple(said["notes"])})
