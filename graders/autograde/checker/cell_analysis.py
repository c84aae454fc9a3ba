"""What a test cell needs and does, read from its syntax tree: names, and assertions to count."""

from __future__ import annotations

import ast
import builtins

COUNT_COMPARISON = "__count_comparison__"
# The marks of nbgrader's ClearHiddenTests.
_HIDDEN_BEGIN, _HIDDEN_END = "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"
_ALIASES = {
    "np": "numpy",
    "pd": "pandas",
    "nn": "torch.nn",
    "F": "torch.nn.functional",
    "plt": "matplotlib.pyplot",
}


def names_loaded(tree: ast.AST) -> set[str]:
    """Names that a cell reads, except builtins, which are never a student's."""
    loaded = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    return loaded - set(vars(builtins)) - {COUNT_COMPARISON}


def names_bound(source: str) -> set[str]:
    """Names that a cell assigns, defines or imports anywhere in it."""
    try:
        return _bound_in(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()


def _bound_in(tree: ast.AST) -> set[str]:
    bound: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, ast.alias):
            bound.add(node.asname or node.name.partition(".")[0])
    return bound


def names_changed(tree: ast.AST) -> set[str]:
    """Names that a statement binds, and names of objects to whose attributes or items it assigns."""
    changed = _bound_in(tree)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
            while isinstance(node, (ast.Attribute, ast.Subscript)):
                node = node.value
            if isinstance(node, ast.Name):
                changed.add(node.id)
    return changed


def hidden_lines(source: str) -> frozenset[int]:
    """Numbers of the lines between nbgrader's marks for hidden tests."""
    inside, found = False, set()
    for number, line in enumerate(source.splitlines(), 1):
        if _HIDDEN_BEGIN in line:
            inside = True
        elif _HIDDEN_END in line:
            inside = False
        elif inside:
            found.add(number)
    return frozenset(found)


def first_line_of(tree: ast.Module, lines: frozenset[int]) -> float:
    """First line of the first top-level statement that ends at or after one of these lines, or infinity."""
    reaching = (node.lineno for node in tree.body if any(line <= last_line_of(node) for line in lines))
    return min(reaching, default=float("inf"))


def last_line_of(node: ast.stmt) -> int:
    """Last line of a statement."""
    return node.end_lineno or node.lineno


def usual_alias(name: str, module: str) -> bool:
    """Whether a Python module is commonly imported under this name."""
    return name == module or _ALIASES.get(name) == module or module.endswith(f".{name}")


class CountAssertions(ast.NodeTransformer):
    """Counts a comparison after each `assert` and each statement that calls something named `assert...`."""

    def visit_Assert(self, node: ast.Assert):
        return [node, _count(node)]

    def visit_Expr(self, node: ast.Expr):
        if isinstance(node.value, ast.Call) and _name_called(node.value.func).startswith("assert"):
            return [node, _count(node)]
        return node


def _name_called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _count(after: ast.stmt) -> ast.stmt:
    call = ast.Expr(ast.Call(ast.Name(COUNT_COMPARISON, ast.Load()), [], []))
    return ast.fix_missing_locations(ast.copy_location(call, after))
