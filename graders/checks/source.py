"""Rules about an answer's source, checked on its syntax tree: never on its text, and without running it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable, Mapping

from .evidence import count_comparison
from .mistakes import CheckFailed

__all__ = ["answer_source", "source_rules"]

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_provided: dict[str, str] = {}


def provide(sources: Mapping[str, str]) -> None:
    """Set the source of a submission's answers (`grade_id` -> text); the grader does this first."""
    _provided.clear()
    _provided.update(sources)


def answer_source(exercise: str, function) -> str:
    """The source of an exercise's cell, from the grader; in a student's own notebook, that of its function.

    Raises:
        CheckFailed: there is none to be had.
    """
    if exercise in _provided:
        return _provided[exercise]
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        raise CheckFailed(
            f"The source of the answer {exercise!r} cannot be read. Write it in its own cell, run it, check "
            "again."
        ) from None


def source_rules(
    source: str,
    *,
    calls: Iterable[str] = (),
    never_calls: Iterable[str] = (),
    never_imports: Iterable[str] = (),
    loops: bool = True,
    comprehensions: bool = True,
    longest_literal: int | None = None,
    what: str = "Your answer",
) -> None:
    """Check how an answer is written.

    A call is named by its end: "softmax" is `softmax(...)`, `x.softmax(...)` and
    `nn.functional.softmax(...)`, under whatever name it was imported; "functional.softmax" is only the last.
    A name that is only read (`f = softmax`) counts as called. This tells an honest student what to change. It
    does not stop one who hides a call (`getattr`, `exec`): checks by value do.

    Args:
        source: of the cell.
        calls: what it must call.
        never_calls: what it must not.
        never_imports: modules it must not import, or take names from ("scipy" is `scipy.special`, too).
        loops: whether `for` and `while` statements may be used.
        comprehensions: whether comprehensions and generator expressions may be.
        longest_literal: how many constants a list, tuple, set or dict may be written out with.

    Raises:
        CheckFailed: with the rule and the line.
    """
    try:
        tree = ast.parse(textwrap.dedent(source))
    except SyntaxError as error:
        raise CheckFailed(f"{what} cannot be read as Python: {error.msg} (line {error.lineno}).") from None
    names = _imported(tree)
    expressions = [node for node in ast.walk(tree) if isinstance(node, ast.expr)]
    used = [(node, name) for node in expressions if (name := _dotted(node, names))]
    for wanted in calls:
        if not any(_ends(name, wanted) for _, name in used):
            raise CheckFailed(f"{what} does not use `{wanted}`. Expected it to.")
    for use, name in used:
        for banned in never_calls:
            if _ends(name, banned):
                raise CheckFailed(f"{what} uses `{banned}` (line {use.lineno}). Expected it to do without.")
    for node in ast.walk(tree):
        _no_import(node, tuple(never_imports), what)
        if not loops and isinstance(node, _LOOPS):
            raise CheckFailed(f"{what} has a loop (line {node.lineno}). Expected whole tensors at a time.")
        if not comprehensions and isinstance(node, _COMPREHENSIONS):
            raise CheckFailed(f"{what} has a comprehension (line {node.lineno}). Expected it to do without.")
        if longest_literal is not None and isinstance(node, ast.expr) and _constants(node) > longest_literal:
            raise CheckFailed(
                f"{what} has {_constants(node)} values written out (line {node.lineno}). Expected them to be "
                "computed."
            )
    count_comparison()


def _imported(tree: ast.AST) -> dict[str, str]:
    """What each imported name stands for."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            module = f"{node.module}." if node.module else ""
            names |= {alias.asname or alias.name: module + alias.name for alias in node.names}
    return names


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    """`a.b.c` for attributes or a name that is read, with imported names in full; "" for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        if not parts and not isinstance(node.ctx, ast.Load):
            return ""
        parts.append(names.get(node.id, node.id))
    return ".".join(reversed(parts))


def _ends(name: str, wanted: str) -> bool:
    return f".{name}".endswith(f".{wanted}")


def _no_import(node: ast.AST, banned: tuple[str, ...], what: str) -> None:
    if isinstance(node, ast.Import):
        modules = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module:
        modules = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    else:
        return
    for module in modules:
        for one in banned:
            if f"{module}.".startswith(f"{one}."):
                raise CheckFailed(f"{what} imports `{one}` (line {node.lineno}). Expected it to do without.")


def _constants(node: ast.expr) -> int:
    """How many constants a display is written out with, nested ones counted."""
    if not isinstance(node, (ast.List, ast.Tuple, ast.Set, ast.Dict)):
        return 0
    items = [*node.values, *node.keys] if isinstance(node, ast.Dict) else node.elts
    signed = [item.operand if isinstance(item, ast.UnaryOp) else item for item in items if item is not None]
    return sum(isinstance(item, ast.Constant) or _constants(item) for item in signed)
