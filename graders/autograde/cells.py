"""In the student's process: cells run as a notebook runs them, and what a notebook has that plain Python has not."""

from __future__ import annotations
import __future__

import ast
import asyncio
import contextlib
import copy
import inspect
import io
import multiprocessing
import signal
import sys
import types

from torch.utils.data import DataLoader

_POSTPONED = __future__.annotations.compiler_flag
_LOOP = {"create_task", "get_running_loop", "TaskGroup"}  # what asks for the loop that runs


class Cells:
    """Runs cells in one namespace. Cells may `await`, postponed annotations stay postponed, and `_` is the last value."""

    def __init__(self, names: dict[str, object]) -> None:
        self._names, self._last = names, None
        self._flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._loop: asyncio.AbstractEventLoop | None = None  # one for all cells: tasks go on in the next

    def run(self, source: str, file: str) -> None:
        """Run a cell; raises whatever it raises."""
        tree = ast.parse(source, file)
        if "graders" in source:
            tree = ast.fix_missing_locations(_ChecksElsewhere().visit(tree))
        last = [tree.body.pop()] if tree.body and isinstance(tree.body[-1], ast.Expr) else []
        sys.displayhook = self._keep
        for part, mode in ((tree, "exec"), (ast.Interactive(last), "single")):
            if part.body:
                code = compile(part, file, mode, self._flags, dont_inherit=True)
                self._flags |= code.co_flags & _POSTPONED
                self._execute(code)

    def _execute(self, code: types.CodeType) -> None:
        if code.co_flags & inspect.CO_COROUTINE:
            self._awaited(eval(code, self._names))
        elif _LOOP.isdisjoint(code.co_names):
            exec(code, self._names)
        else:
            self._awaited(self._inside(code))

    async def _inside(self, code: types.CodeType) -> None:
        exec(code, self._names)

    def _awaited(self, work) -> None:
        if self._loop is None or self._loop.is_closed():
            self._loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(work)

    def _keep(self, value: object) -> None:
        """What `_` is, unless the student made it something else."""
        if value is not None and self._names.get("_") is self._last:
            self._names["_"] = self._last = value


class _ChecksElsewhere(ast.NodeTransformer):
    """Checks that a cell of the student's own imports and calls do nothing: they are run elsewhere, and are not there."""

    def visit_ImportFrom(self, node: ast.ImportFrom):
        if node.module != "graders.checks":
            return node
        nothing = ast.parse("lambda *arguments, **options: None", mode="eval").body
        names = [ast.Name(one.asname or one.name, ast.Store()) for one in node.names if one.name != "*"]
        return ast.copy_location(ast.Assign(names, nothing) if names else ast.Pass(), node)


class TookTooLong(KeyboardInterrupt):
    """Ends a cell or a call that takes too long, as whoever sits before a notebook would."""

    __module__ = "builtins"  # is named without it


@contextlib.contextmanager
def interrupted_after(seconds: float):
    """Interrupt what runs within, once. Where it does not hear, the checker hangs up a moment later."""

    def late(number, frame) -> None:
        raise TookTooLong(f"it was interrupted after {seconds:.0f} seconds")

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class Shell:
    """Stands where a notebook has IPython: whatever it is asked to do is done, and does nothing."""

    def __getattr__(self, name: str):
        return lambda *arguments, **options: None

    def getoutput(self, *arguments, **options) -> list:
        """What a command printed: nothing."""
        return []

    def written(self, name: str, mode: str, text: str) -> None:
        """Do what `%%writefile` does."""
        with open(name, mode, encoding="utf-8") as file:
            file.write(text)

    def captured(self):
        """What `%%capture` binds to its name."""
        from IPython.utils.capture import CapturedIO

        return CapturedIO(io.StringIO(), io.StringIO())


def display(*things: object, display_id: object = None, **options: object) -> Shell | None:
    """Print things by their `repr`, which need not come to an end well."""
    for thing in things:
        try:
            print(repr(thing))
        except Exception as error:  # a student's __repr__
            print(f"<{type(thing).__name__}: {type(error).__name__}>")
    return Shell() if display_id else None


def load_without_workers() -> None:
    """Have a `DataLoader` load by itself where no process can be started for it, as under Landlock."""
    with_workers = DataLoader._get_iterator

    def iterator(loader: DataLoader):
        try:
            if loader.num_workers > 0:
                multiprocessing.Lock()  # which they need before anything else
            return with_workers(loader)
        except OSError:
            alone = copy.copy(loader)
            alone.num_workers = alone.timeout = 0
            return with_workers(alone)

    DataLoader._get_iterator = iterator
