"""Mutants: right programs with one small fault. A check that lets one pass may let a student's mistake pass.

After DeMillo, Lipton and Sayward, "Hints on test data selection" (1978).
"""

from __future__ import annotations

import ast
import copy
import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_COMPARE: dict[type, tuple[type, ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
}
_Change = Callable[
    [ast.AST], "ast.AST | None"
]  # changes a copy of the node in place, or returns one for its place


@dataclass(frozen=True)
class Mutant:
    """A faulty program.

    Attributes:
        change: the lines that differ, `old => new`; what an author marks it by.
        source: the whole program.
    """

    change: str
    source: str


def mutants(source: str) -> list[Mutant]:
    """All programs that one small change makes of this one; none that Python compiles to the same thing.

    Swapped comparisons and operators, constants one higher or lower, flags turned over, conditions negated,
    statements and keywords left out, arguments swapped, None returned, bounds of slices and ranges moved.
    Docstrings and annotations are left alone.
    """
    tree = ast.parse(source)
    original = ast.unparse(tree)
    seen, untouched = {_code(original)}, _untouched(tree)
    result = []
    for place, node in enumerate(ast.walk(tree)):
        if id(node) in untouched:
            continue
        for change in _changes(node):
            changed = _unparsed(tree, place, change)
            code = _code(changed)
            if code is not None and code not in seen:
                seen.add(code)
                result.append(Mutant(_difference(original, changed), changed))
    return result


def _unparsed(tree: ast.Module, place: int, change: _Change) -> str:
    other = copy.deepcopy(tree)
    node = next(node for number, node in enumerate(ast.walk(other)) if number == place)
    new = change(node)
    if new is not None:
        _replace(other, node, new)
    return ast.unparse(ast.fix_missing_locations(other))


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, field, new)
            elif isinstance(value, list):
                value[:] = [new if item is old else item for item in value]


def _code(source: str) -> bytes | None:
    """A program's bytecode, without line numbers; None if Python cannot compile it."""
    try:
        code = compile(source, "mutant", "exec", optimize=2)
    except (SyntaxError, ValueError):
        return None
    return repr(_essence(code)).encode()


def _essence(code) -> tuple:
    constants = tuple(_essence(one) if hasattr(one, "co_code") else one for one in code.co_consts)
    return code.co_code, constants, code.co_names, code.co_varnames, code.co_cellvars, code.co_freevars


def _untouched(tree: ast.AST) -> set[int]:
    """Docstrings and annotations."""
    roots: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module)) and ast.get_docstring(
            node, clean=False
        ):
            roots.append(node.body[0])
        for field in ("annotation", "returns"):
            value = getattr(node, field, None)
            if isinstance(value, ast.AST):
                roots.append(value)
    return {id(node) for root in roots for node in ast.walk(root)}


def _changes(node: ast.AST) -> Iterator[_Change]:
    if isinstance(node, ast.Compare):
        for place, op in enumerate(node.ops):
            for other in _COMPARE[type(op)]:
                yield _put("ops", other(), place)
    elif isinstance(node, (ast.BinOp, ast.AugAssign)):
        for other in _ARITHMETIC.get(type(node.op), ()):
            yield _put("op", other())
    elif isinstance(node, ast.BoolOp):
        yield _put("op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not)):
        yield _become(node.operand)
    elif isinstance(node, ast.Constant):
        yield from _constants(node)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.Slice):
        for field in ("lower", "upper", "step"):
            if getattr(node, field) is not None:
                yield _put(field, None)
    elif isinstance(node, ast.comprehension):
        for place in range(len(node.ifs)):
            yield _put("ifs", _negated(node.ifs[place]), place)
    if isinstance(node, (ast.If, ast.While, ast.IfExp)):
        yield _put("test", _negated(node.test))
    if isinstance(node, ast.Return) and node.value is not None:
        yield _put("value", ast.Constant(None))
    elif isinstance(node, ast.stmt) and not isinstance(
        node, (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Pass, ast.Return)
    ):
        yield _become(ast.Pass())


def _put(field: str, value: object, place: int | None = None) -> _Change:
    """Something else in a field of the node, or at a place of the list that is in it."""

    def change(node: ast.AST) -> None:
        if place is None:
            setattr(node, field, value)
        else:
            getattr(node, field)[place] = value

    return change


def _become(other: ast.AST) -> _Change:
    """Something else in the place of the node."""
    return lambda node: other


def _negated(test: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), test)


def _constants(node: ast.Constant) -> Iterator[_Change]:
    value = node.value
    if isinstance(value, bool):
        yield _put("value", not value)
    elif isinstance(value, (int, float)):
        for other in (value + 1, value - 1):
            yield _become(ast.Constant(other))


def _calls(node: ast.Call) -> Iterator[_Change]:
    if len(node.args) >= 2 and not any(isinstance(argument, ast.Starred) for argument in node.args):
        yield _put("args", [node.args[1], node.args[0], *node.args[2:]])
    for place in range(len(node.keywords)):
        yield _put("keywords", node.keywords[:place] + node.keywords[place + 1 :])
    if isinstance(node.func, ast.Name) and node.func.id == "range" and node.args:
        stop = min(1, len(node.args) - 1)
        for op in (ast.Add, ast.Sub):
            yield _put("args", ast.BinOp(node.args[stop], op(), ast.Constant(1)), stop)


def _difference(old: str, new: str) -> str:
    lines = list(difflib.ndiff(old.splitlines(), new.splitlines()))
    before, after = (" / ".join(line[2:].strip() for line in lines if line.startswith(mark)) for mark in "-+")
    return f"{before} => {after or '(left out)'}"
