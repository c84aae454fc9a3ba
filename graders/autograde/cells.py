"""In the student's process: cells run as a notebook runs them, and what a notebook has that plain Python has not."""

from __future__ import annotations
import __future__

import ast
import asyncio
import copy
import inspect
import io
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
            return with_workers(loader)
        except OSError:
            alone = copy.copy(loader)
            alone.num_workers = alone.timeout = 0
            return with_workers(alone)

    DataLoader._get_iterator = iterator
