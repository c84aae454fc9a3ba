"""Runs cells as a notebook does, in the student's process."""

from __future__ import annotations
import __future__

import ast
import asyncio
import contextlib
import copy
import inspect
import multiprocessing
import signal
import sys
import types
from typing import TYPE_CHECKING

from torch.utils.data import DataLoader

from ..own_time import OwnTime

if TYPE_CHECKING:
    from torch.utils.data.dataloader import _BaseDataLoaderIter

_POSTPONED = __future__.annotations.compiler_flag
_LOOP = {"create_task", "get_running_loop", "TaskGroup"}  # names that ask for the running loop


class CellRunner:
    """Runs cells in one namespace.

    Cells may `await`, `from __future__` holds for later cells, and `_` is the last value.
    """

    def __init__(self, names: dict[str, object]) -> None:
        self._names = names
        self._last: object = None
        self._flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        # Shared by all cells: tasks continue in the next one.
        self._loop: asyncio.AbstractEventLoop | None = None

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
        """Bind `_` to the last value, unless the student gave it another."""
        if value is not None and self._names.get("_") is self._last:
            self._names["_"] = self._last = value


class _ChecksElsewhere(ast.NodeTransformer):
    """Makes checks that a student's own cell imports do nothing, since checks run elsewhere."""

    def visit_ImportFrom(self, node: ast.ImportFrom):
        if node.module != "graders.checks":
            return node
        nothing = ast.parse("lambda *arguments, **options: None", mode="eval").body
        names: list[ast.expr] = [
            ast.Name(one.asname or one.name, ast.Store()) for one in node.names if one.name != "*"
        ]
        return ast.copy_location(ast.Assign(names, nothing) if names else ast.Pass(), node)


class TookTooLong(KeyboardInterrupt):
    """Interrupts a cell or a call that takes too long, as a person at a notebook would."""

    __module__ = "builtins"  # so that messages show the bare name


@contextlib.contextmanager
def interrupted_after(seconds: float):
    """Interrupt the code in the `with` block, once, when it has used so many seconds of its own time.

    Gives an `OwnTime` whose `late` says whether it was interrupted. If the code does not react, its process
    is ended a moment later.
    """
    own = OwnTime()

    def late(number, frame) -> None:
        left = seconds - own.seconds
        if left > 0:  # a part of the time went by while others kept the processors busy
            signal.setitimer(signal.ITIMER_REAL, max(left, 0.001))
            return
        own.late = True
        raise TookTooLong(f"it was interrupted after {seconds:.0f} seconds")

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield own
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def load_without_workers() -> None:
    """Let a `DataLoader` load without workers if processes cannot be started, as under Landlock."""
    with_workers = DataLoader._get_iterator

    def iterator(loader: DataLoader) -> _BaseDataLoaderIter:
        try:
            if loader.num_workers > 0:
                multiprocessing.Lock()  # the first thing that workers need
            return with_workers(loader)
        except OSError:
            alone = copy.copy(loader)
            alone.num_workers = alone.timeout = 0
            return with_workers(alone)

    DataLoader._get_iterator = iterator  # type: ignore[method-assign,assignment]  # no other way
