"""An exercise's programs: files in its folder, read when they are needed, and made into functions.

mistakes/MISTAKE_ID.py   the program that makes a named mistake (hyphens become underscores)
right/NAME.py            solves the exercise; `tlcourse lint-lesson` also tries faulty versions of it
right/idioms/NAME.py     solves it the way a student might; only run
cheats/NAME.py           does not solve it, and was written by somebody who has read the check
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path

KINDS = ("mistakes", "right", "right/idioms", "cheats")


class ProgramError(ValueError):
    """A program is missing, or nothing needs it; the message says which and what to do."""


def folder_of(package: str) -> Path:
    """The folder of an exercise's package."""
    return Path(str(files(package)))


def read_programs(folder: Path, kind: str) -> dict[str, str]:
    """The programs of one kind, source by file name (without its ending), in the order of their names."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted((folder / kind).glob("*.py"))}


def functions(source: str, names: Sequence[str], title: str = "program") -> list[Callable]:
    """Run a program as a cell with torch's usual imports before it, and return the functions of these names.

    Raises:
        NameError: the program does not define one of them; its author has to correct that.
    """
    import torch

    scope: dict = {"__name__": "__main__", "torch": torch, "nn": torch.nn}
    exec(compile(source, f"<{title}>", "exec"), scope)
    missing = [name for name in names if name not in scope]
    if missing:
        raise NameError(f"The program {title!r} does not define {', '.join(missing)}.")
    return [scope[name] for name in names]


def folder_problems(folder: Path, mistakes: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """What is wrong with the programs of an exercise, in sentences. Nothing is run.

    Args:
        mistakes: ids of the named mistakes.
        names: the functions that every program has to define.
    """
    wanted = {file_name(id): id for id in mistakes}
    found = {kind: read_programs(folder, kind) for kind in KINDS}
    for name, id in wanted.items():
        if name not in found["mistakes"]:
            place = _shown(folder, "mistakes", name)
            yield f"The mistake {id!r} has no program. Write one that makes it, as {place}."
    for name in found["mistakes"].keys() - wanted.keys():
        yield (
            f"{_shown(folder, 'mistakes', name)} belongs to no named mistake. Add a Mistake with the id "
            f"{name.replace('_', '-')!r} to exercise.py, or remove the file."
        )
    if not found["right"]:
        place = _shown(folder, "right", "NAME")
        yield f"There is no right program. Write one that solves the exercise, as {place}."
    for kind, programs in found.items():
        for name, source in programs.items():
            problem = _program_problem(source, names)
            if problem:
                yield f"{_shown(folder, kind, name)} {problem}"


def file_name(mistake: str) -> str:
    """The name of a mistake's program, without its ending."""
    return mistake.replace("-", "_")


def _shown(folder: Path, kind: str, name: str) -> str:
    return f"{folder.name}/{kind}/{name}.py"


def _program_problem(source: str, names: Sequence[str]) -> str:
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        return f"cannot be read as Python: {error.msg} (line {error.lineno})."
    missing = [name for name in names if name not in set(_defined(tree))]
    return f"does not define {', '.join(missing)}." if missing else ""


def _defined(tree: ast.Module) -> Iterator[str]:
    """Names that a program binds at its top level, as far as can be told without running it."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name for alias in node.names)
        else:
            names = (one for one in ast.walk(node) if isinstance(one, ast.Name))
            yield from (one.id for one in names if isinstance(one.ctx, ast.Store))
