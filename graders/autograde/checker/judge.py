"""The checker's process: has the student's cells run in theirs, and runs the test cells here.

Only this process knows the test cells. Points come only from what it reports to the worker, over a channel
that the student's process cannot reach.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import random
import sys
import time
import types

import numpy as np
import torch

from graders.checks import evidence
from graders.checks.mistakes import CheckFailed
from graders.checks.shared import shared_source

from ..cells.magics import strip_magics
from ..cells.shell import Shell
from ..own_time import WALL_FACTOR
from ..protocol.channel import Channel
from ..records import Cell, Limits, Submission
from ..stopped import too_long
from ..text import printable_name, strip_control_characters
from .bounded import bounded
from .cell_analysis import (
    COUNT_COMPARISON,
    CountAssertions,
    first_line_of,
    hidden_lines,
    last_line_of,
    names_bound,
    names_changed,
    names_loaded,
    usual_alias,
)
from .remote import NotSent, RemoteStudent, StudentGone, StudentLate
from .wording import described, kind_of, lines_in, raised_by_lesson

_NOTES, _SEND_S = 20, 30.0
_SLACK_S = 2.0  # lets a student's process that is late say so first


class CheckerError(RuntimeError):
    """The fault is the grader's or the lesson's; no grade may result from it."""


class Checker:
    """Grades one submission, cell by cell."""

    def __init__(
        self, submission: Submission, limits: Limits, remote: RemoteStudent, report: Channel
    ) -> None:
        self._submission, self._limits, self._remote, self._report = submission, limits, remote, report
        self._end = time.monotonic() + limits.total_s * WALL_FACTOR
        self._left = limits.total_s
        self._main = types.ModuleType("__main__")
        self._main.__dict__.update(display=lambda *things, **_: None, get_ipython=Shell)
        self._names = self._main.__dict__
        self._bound_by_student: set[str] = set()
        # Names defined by cells of the lesson that failed through no fault of the student's.
        self._missing: set[str] = set()
        self._errors: dict[str, str] = {}  # of solution cells, by grade_id
        self._notes: list[str] = []
        self._output: list[str] = []
        self._printed = 0
        self._hidden: frozenset[int] = frozenset()  # hidden lines of the running check
        # The line of it after which the student's process knows inputs of hidden tests.
        self._secrets_from = 0.0
        self._gone = ""
        self._met_student = False

    def run(self) -> None:
        """Grade; reports one record per test cell, then one for the end."""
        sys.modules["__main__"] = self._main
        for cell in self._submission.cells:
            self._say({"cell": cell.grade_id, "kind": cell.kind})
            if self._gone:
                continue
            self._set_times(cell)
            used = self._remote.used
            try:
                if cell.kind == "test":
                    with bounded(self._limits.cell_s + _SLACK_S, self._stop, self._leave):
                        outcome = self._test(cell)
                    self._say({"outcome": outcome})
                else:
                    self._run_there(cell)
            except StudentGone as gone:
                self._gone = gone.kind
            self._left -= self._remote.used - used
        self._say_end(self._gone)

    def _set_times(self, cell: Cell) -> None:
        """Code that runs too long is interrupted and costs only itself; otherwise the worker ends it.

        The checker hangs up only when so much time has gone by that no load of the machine explains it.
        """
        left = max(self._left, 0.0)
        # Cells that no exercise needs leave time for those that one needs.
        seconds = min(self._limits.cell_s, left / 2 if cell.kind == "extra" else left)
        self._remote.left = seconds
        self._remote.until = min(time.monotonic() + (seconds + _SLACK_S) * WALL_FACTOR, self._end)

    def _stop(self) -> None:
        raise StudentGone("late")

    def _leave(self) -> None:
        """Report that the student's process was late, and end.

        If no model of theirs is here, the grader itself hangs.
        """
        if self._remote.effects:
            self._say_end("late")
            os._exit(0)

    def _say_end(self, gone: str) -> None:
        notes = [*self._notes, *self._remote.notes]
        late = self._remote.late or gone == "late"
        self._say({"end": gone, "output": "".join(self._output), "notes": notes[:_NOTES], "late": late})

    def _say(self, record: dict) -> None:
        _send(self._report, record)

    def _run_there(self, cell: Cell) -> None:
        error, output = self._remote.run(cell.grade_id, cell.source)
        room = 0 if self._remote.has_secrets else self._limits.output_bytes - self._printed
        # Their process cuts its output, unless the student's code tampered with that.
        text = (
            strip_control_characters(output[: self._limits.output_bytes], room) if output and room > 0 else ""
        )
        self._printed += len(text)
        self._output.append(text)
        if cell.kind == "setup":
            self._run_setup_here(cell, failed_there=error is not None)
            return
        self._bound_by_student |= names_bound(strip_magics(cell.source))
        if error is None:
            self._errors.pop(cell.grade_id, None)
            return
        if cell.kind == "solution":
            self._errors[cell.grade_id] = self._quoted(error)
        else:
            self._notes.append(f"A cell that you added stopped with {self._quoted(error)}.")

    def _run_setup_here(self, cell: Cell, failed_there: bool) -> None:
        source = strip_magics(cell.source)
        tree = ast.parse(source)
        before, contacts, file = dict(self._names), self._remote.contacts, f"<setup {cell.grade_id}>"
        try:
            self._execute(tree, file)
        except StudentLate as late:
            self._notes.append(
                "A cell of the lesson stopped because code of yours that it called took too long."
            )
            self._run_the_rest(tree, file, late)
        except Exception as error:  # whatever the cell raises
            uses_student = (
                self._remote.contacts > contacts
                or names_loaded(tree) & self._bound_by_student
                or error in self._remote.raised
            )
            if not (failed_there or uses_student):
                raise CheckerError(
                    f"A cell of the lesson itself ({cell.grade_id or 'without id'}) stopped in the checker "
                    f"with {described(error)}."
                ) from error
            self._notes.append(f"A cell of the lesson stopped with {self._quoted(error)}.")
            if uses_student:
                self._run_the_rest(tree, file, error)
            else:
                self._missing |= names_bound(source)
        self._bound_by_student -= {
            name for name, value in self._names.items() if before.get(name, self) is not value
        }

    def _run_the_rest(self, tree: ast.Module, file: str, stopped: BaseException) -> None:
        """Run the statements of a stopped set-up cell that do not depend on the student's code.

        Otherwise the names they define would be read from the student's process, and whoever stops the
        lesson's cell could decide what is right. So nothing is fetched here: a statement that needs the
        student's code is skipped, and so is one that depends on a skipped statement.
        """
        line = next(iter(lines_in(file, stopped)), 0)
        touched = {name for name in self._bound_by_student if self._is_students(name)}
        for node in tree.body:
            if last_line_of(node) < line:
                continue
            if node.lineno > line and not names_loaded(node) & touched & self._names.keys():
                with contextlib.suppress(Exception, StudentLate):
                    self._execute(ast.Module([node], type_ignores=[]), file, fetch=False)
                    touched -= names_changed(node)
                    continue
            touched |= names_changed(node)

    def _test(self, cell: Cell) -> dict:
        tree = self._parsed(cell)
        self._hidden = hidden_lines(strip_magics(cell.source))
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
        except Exception as error:  # whatever a student's values lead to
            message = self._sentence(error, cell)
        assertions = evidence.comparisons_so_far() if self._remote.contacts else 0
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
            "grade_id": cell.grade_id,
            "points": float(earned),
            "completed": completed,
            "assertions": assertions,
            "message": strip_control_characters(message, 4000),
            "mistake": mistake,
            "trust": "effects" if self._remote.effects else "values",
        }

    def _parsed(self, cell: Cell) -> ast.Module:
        try:
            return ast.parse(strip_magics(cell.source))
        except SyntaxError as error:
            raise CheckerError(
                f"The check {cell.grade_id} of the lesson is not valid Python: {error.msg}."
            ) from error

    def _seed(self) -> None:
        random.seed(self._submission.seed)
        np.random.seed(self._submission.seed % 2**32)
        torch.manual_seed(self._submission.seed % 2**63)

    def _execute(self, tree: ast.Module, file: str, fetch: bool = True) -> None:
        """Run a cell of the lesson. Names it binds stay; the student's names are fetched again each time."""
        fetched = self._fetched(tree) if fetch else {}
        hidden = {name: self._names[name] for name in fetched if name in self._names}
        self._names.update(fetched)
        self._names[COUNT_COMPARISON] = evidence.count_comparison
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
        """The student's names that a cell reads.

        They cannot replace what the lesson's own cells defined, except placeholders.
        """
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
        return any(line in self._hidden for line in lines_in("<check ", error))

    def _may_tell(self, error: Exception) -> bool:
        """Whether an error in a check may carry what the student's process knows about hidden tests."""
        lines = lines_in("<check ", error) or [0]
        return self._remote.has_secrets and any(line >= self._secrets_from for line in lines)

    def _quoted(self, error: Exception) -> str:
        return kind_of(error) if self._remote.has_secrets else described(error)

    def _failed(self, error: CheckFailed) -> tuple[str, str]:
        """The message of a check that failed, and the mistake's id.

        Words other than the catalogue's may quote values.
        """
        if error.mistake is not None:
            return str(error), error.mistake.id
        if not self._may_tell(error):
            return str(error), ""
        if error.__cause__ not in self._remote.raised:
            return "This check failed.", ""
        where = "In a hidden test your code" if self._is_hidden(error) else "Your code"
        return f"{where} stopped with {kind_of(error.__cause__)}.", ""

    def _sentence(self, error: Exception, cell: Cell) -> str:
        """The message for an error in a check; never a hidden test's source or its traceback."""
        if any(error is raised for raised in self._remote.raised):
            if self._is_hidden(error):
                return f"In a hidden test your code stopped with {kind_of(error)}."
            return f"Your code stopped with {kind_of(error) if self._may_tell(error) else described(error)}."
        if isinstance(error, AssertionError):
            # Only the lesson's own words: numpy's messages, for example, contain the expected values.
            text = strip_control_characters(str(error)) if raised_by_lesson(error) else ""
            return (text if text in cell.source or not self._may_tell(error) else "") or "This check failed."
        if isinstance(error, NameError) and error.name and error.name not in self._missing:
            because = "".join(f" The cell {id} stopped with {said}." for id, said in self._errors.items())
            if "NameError" in because:
                because += " Cells tagged `demo` are not run here: an answer cannot use what they define."
            return (
                f"`{printable_name(error.name)}` is not defined: its cell was not filled in, or did not run "
                f"to its end.{because}"
            )
        if not self._met_student or (isinstance(error, NameError) and error.name in self._missing):
            raise CheckerError(
                f"The check {cell.grade_id} stopped before it used any answer: {described(error)}."
            ) from error
        return (
            f"The check could not use what your code returned ({type(error).__name__}). Check its type and "
            "its shape."
        )


def main(report: Channel, link: Channel, limits: Limits) -> None:
    """Read a submission from the worker, grade it, and report."""
    try:
        submission = submission_in(json.loads(report.receive()))
        remote = RemoteStudent(link, shared_source)
        Checker(submission, limits, remote, report).run()
    except (CheckerError, NotSent) as error:
        _send(report, {"failed": str(error)[:2000]})
    except Exception as error:  # the checker's own fault: no grade results from it
        text = f"The checker stopped with {type(error).__name__}: {error}"
        _send(report, {"failed": text[:2000]})


def _send(report: Channel, record: dict) -> None:
    report.send(json.dumps(record).encode(), time.monotonic() + _SEND_S)


def submission_in(fields: dict) -> Submission:
    """The submission that `submission_out` of the worker turned into plain values."""
    cells = tuple(Cell(*cell) for cell in fields["cells"])
    return Submission(**{**fields, "cells": cells, "notes": tuple(fields["notes"])})
