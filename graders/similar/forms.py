"""The form of an answer: its syntax tree without what can be changed at no cost.

Names, constants, comments, annotations, docstrings and prints are gone; so is the order of statements, of
keyword arguments, and of operands where it makes no difference. What is left is counted subtree by subtree.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

MIN_SIZE = 3  # nodes; smaller subtrees are everywhere
MOST = 5000  # subtrees of an answer; longer ones would make comparing a class slow


class Subtree(NamedTuple):
    """A subtree of an answer's form.

    Attributes:
        digest: the same for all subtrees of this form.
        line: where it begins in the answer, from 1.
    """

    digest: str
    line: int


class NotPython(ValueError):
    """The answer cannot be parsed."""


def imported(source: str) -> dict[str, str]:
    """What each name stands for that a program imports."""
    names: dict[str, str] = {}
    for node in ast.walk(_parsed(source)):
        if isinstance(node, ast.Import):
            for one in node.names:
                whole, first = one.name, one.name.partition(".")[0]
                names |= {one.asname: whole} if one.asname else {first: first}
        elif isinstance(node, ast.ImportFrom):
            module = f"{node.module}." if node.module else ""
            names |= {one.asname or one.name: module + one.name for one in node.names}
    return names


def subtrees(source: str, names: Mapping[str, str] | None = None) -> list[Subtree]:
    """The subtrees of an answer's form, of at least `MIN_SIZE` nodes.

    Args:
        names: what imported names of the lesson stand for (`imported`); the answer's own imports are added.

    Raises:
        NotPython: it cannot be parsed, is nested too deeply, or has more than `MOST` of them.
    """
    tree = _parsed(source)
    try:
        reader = _Reader(tree, {**(names or {}), **imported(source)})
        reader.body(tree.body)
    except RecursionError as error:
        raise NotPython("nested too deeply") from error
    if len(reader.found) > MOST:
        raise NotPython(
            f"too long to compare: {len(reader.found):,} parts, and at most {MOST:,} are compared"
        )
    return reader.found


def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise NotPython(str(error)[:200]) from error


class _Form(NamedTuple):
    text: str
    size: int


_UNORDERED = (ast.Add, ast.Mult, ast.BitAnd, ast.BitOr, ast.BitXor)
_FLIPPED = {ast.Gt: ast.Lt, ast.GtE: ast.LtE}
_LEFT_OUT = ("annotation", "returns", "type_comment", "type_params", "ctx", "kind", "lineno", "simple")


class _Reader:
    """Reads a tree from its leaves up, and notes each subtree on the way."""

    def __init__(self, tree: ast.Module, names: Mapping[str, str]) -> None:
        self.found: list[Subtree] = []
        self._own = set(_bound(tree))
        self._fields = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_self(node.value)
        }
        self._names = {name: meaning for name, meaning in names.items() if name not in self._own}

    def body(self, statements: Iterable[ast.stmt]) -> _Form:
        """Statements in any order."""
        return self._join("body", (self.read(one) for one in _tidy(list(statements))), in_order=False)

    def read(self, node: ast.AST) -> _Form:
        """The form of a node; it is noted if it is large enough."""
        form = self._form(_simpler(node))
        if isinstance(node, (ast.stmt, ast.expr, ast.comprehension)) and form.size >= MIN_SIZE:
            self.found.append(Subtree(form.text, getattr(node, "lineno", getattr(node, "line", 1))))
        return form

    def _form(self, node: ast.AST) -> _Form:
        if isinstance(node, ast.Constant):
            kept = node.value is None or node.value is ... or isinstance(node.value, bool)
            kind = "number" if isinstance(node.value, (int, float, complex)) else type(node.value).__name__
            return _leaf(repr(node.value) if kept else kind)
        dotted = self._dotted(node)
        if dotted:
            return _leaf(dotted)
        if isinstance(node, ast.Name):
            return _leaf("_")
        if isinstance(node, ast.arg):
            return _leaf("_")
        if isinstance(node, ast.Attribute):
            own = _is_self(node.value) and node.attr in self._fields
            return self._join(f".{'_' if own else node.attr}", [self.read(node.value)])
        if isinstance(node, ast.BinOp) and isinstance(node.op, _UNORDERED):
            parts = [self.read(one) for one in _operands(node, type(node.op))]
            return self._join(type(node.op).__name__, parts, in_order=False)
        if isinstance(node, ast.BoolOp):
            return self._join(type(node.op).__name__, map(self.read, node.values), in_order=False)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self._comparison(node)
        if isinstance(node, (ast.Set, ast.Dict)):
            return self._display(node)
        if isinstance(node, ast.Call):
            named = self._join("named", (self._keyword(one) for one in node.keywords), in_order=False)
            given = self._join("given", map(self.read, node.args))
            return self._join("Call", [self.read(node.func), given, named])
        return self._anything(node)

    def _anything(self, node: ast.AST) -> _Form:
        parts = []
        for name, value in ast.iter_fields(node):
            if name in _LEFT_OUT:
                continue
            if name in ("body", "orelse", "finalbody") and isinstance(value, list):
                parts.append(self.body(value))
            elif isinstance(value, ast.AST):
                parts.append(self.read(value))
            elif isinstance(value, list):
                parts.append(self._join(name, [self.read(one) for one in value if isinstance(one, ast.AST)]))
        return self._join(type(node).__name__, parts)

    def _keyword(self, node: ast.keyword) -> _Form:
        return self._join(f"{node.arg}=", [self.read(node.value)])

    def _comparison(self, node: ast.Compare) -> _Form:
        operator, sides = type(node.ops[0]), [self.read(node.left), self.read(node.comparators[0])]
        if operator in _FLIPPED:
            operator, sides = _FLIPPED[operator], sides[::-1]
        return self._join(operator.__name__, sides, in_order=operator not in (ast.Eq, ast.NotEq))

    def _display(self, node: ast.Set | ast.Dict) -> _Form:
        if isinstance(node, ast.Set):
            return self._join("Set", map(self.read, node.elts), in_order=False)
        items = [
            self._join("item", [self.read(one) for one in (key, value) if one is not None])
            for key, value in zip(node.keys, node.values, strict=True)
        ]
        return self._join("Dict", items, in_order=False)

    def _dotted(self, node: ast.AST) -> str:
        """`torch.nn.Linear`, by whatever name it was imported; "" for anything that begins in the answer."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id in self._own:
            return ""
        return ".".join([self._names.get(node.id, node.id), *reversed(parts)])

    @staticmethod
    def _join(kind: str, parts: Iterable[_Form], in_order: bool = True) -> _Form:
        parts = list(parts)
        texts = [one.text for one in parts]
        joined = f"{kind}({','.join(texts if in_order else sorted(texts))})"
        digest = hashlib.blake2b(joined.encode("utf-8", "replace"), digest_size=12).hexdigest()
        return _Form(digest, 1 + sum(one.size for one in parts))


def _leaf(text: str) -> _Form:
    return _Form(text, 1)


def _bound(tree: ast.AST) -> Iterable[str]:
    """The names that a program itself gives."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) or (
            isinstance(node, ast.ExceptHandler) and node.name
        ):
            yield node.name or ""


def _is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _tidy(statements: list[ast.stmt]) -> list[ast.stmt]:
    """Statements without what has no effect; `x = ...; return x` returns at once."""
    kept = [one for one in statements if not _has_no_effect(one)]
    if len(kept) > 1 and isinstance(kept[-1], ast.Return) and isinstance(kept[-1].value, ast.Name):
        before = _simpler(kept[-2])
        if isinstance(before, ast.Assign) and len(before.targets) == 1:
            target = before.targets[0]
            if isinstance(target, ast.Name) and target.id == kept[-1].value.id:
                kept[-2:] = [ast.copy_location(ast.Return(before.value), kept[-2])]
    return kept


def _has_no_effect(node: ast.stmt) -> bool:
    if isinstance(node, (ast.Pass, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal)):
        return True
    if isinstance(node, ast.AnnAssign):
        return node.value is None
    if not isinstance(node, ast.Expr):
        return False
    value = node.value
    called = value.func if isinstance(value, ast.Call) else None
    return isinstance(value, ast.Constant) or (isinstance(called, ast.Name) and called.id == "print")


def _simpler(node: ast.AST) -> ast.AST:
    """The same, written the shorter way."""
    if isinstance(node, ast.AugAssign):
        value = ast.copy_location(ast.BinOp(node.target, node.op, node.value), node)
        return ast.Assign([node.target], value)
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        return ast.Assign([node.target], node.value)
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda) and len(node.targets) == 1:
        returned = ast.copy_location(ast.Return(node.value.body), node)
        return ast.FunctionDef("_", node.value.args, [returned], [], None)
    if isinstance(node, (ast.If, ast.IfExp)) and node.orelse:
        test = node.test
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            return type(node)(test.operand, node.orelse, node.body)  # type: ignore[arg-type]
    return node


def _operands(node: ast.expr, operator: type) -> Iterable[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, operator):
        yield from _operands(node.left, operator)
        yield from _operands(node.right, operator)
    else:
        yield node
