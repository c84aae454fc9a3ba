"""Rules on the code of a test cell: it imports a check of graders.checks and ends by calling it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

# Comparisons that a shape without values, a foreign object or a patched function passes.
_COMPARISONS = frozenset(
    {
        "allclose", "isclose", "equal", "eq", "array_equal", "array_equiv", "approx",
        "assert_allclose", "assert_close", "assert_equal", "assert_array_equal",
        "assert_almost_equal", "assert_array_almost_equal", "assertEqual", "assertAlmostEqual",
        "assertTrue", "assertTupleEqual", "assertListEqual", "assertDictEqual",
    }
)  # fmt: skip
_NOISE = frozenset({"warn", "warn_explicit", "tqdm", "trange", "tqdm_notebook", "print_exc", "basicConfig"})


def code_problems(source: str) -> Iterator[tuple[str, str]]:
    """Rules that the source of a test cell breaks: (rule, message)."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        yield (
            "syntax",
            f"The cell cannot be read as Python: {error.msg} (line {error.lineno}). Leave magics out of test "
            "cells.",
        )
        return
    checks = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[:2] == ["graders", "checks"]
        for alias in node.names
    }
    seen = set()
    for node in ast.walk(tree):
        for rule, message in _node_problems(node):
            if (rule, message) not in seen:
                seen.add((rule, message))
                yield rule, f"{message} (line {getattr(node, 'lineno', 1)})"
    yield from _last_statement(tree, checks)


def _node_problems(node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Compare):
        shown = ast.unparse(node)[:60]
        yield (
            "comparison",
            f"A bare comparison, `{shown}`, believes any object's `==`. Use `same` of graders.checks in a "
            "check.",
        )
    elif isinstance(node, ast.Assert):
        yield (
            "assert",
            "A bare assert does not count as evidence, so it earns no points. Call a check of graders.checks "
            "instead.",
        )
    elif isinstance(node, (ast.Name, ast.Attribute, ast.alias)):
        name = next(getattr(node, field) for field in ("id", "attr", "name") if hasattr(node, field))
        if name in _COMPARISONS:
            yield (
                "comparison",
                f"`{name}` passes on empty shapes and foreign objects. Use `same` of graders.checks in a "
                "check.",
            )
        elif name in _NOISE:
            yield "stderr", f"`{name}` writes to stderr, which nbgrader takes for a failure. Leave it out."
        elif name == "stderr":
            yield "stderr", "The cell writes to stderr, which nbgrader takes for a failure. Leave it out."


def _last_statement(tree: ast.Module, checks: set[str]) -> Iterator[tuple[str, str]]:
    last = tree.body[-1] if tree.body else None
    call = last.value if isinstance(last, ast.Expr) else None
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in checks:
        return
    if isinstance(last, ast.Expr):
        yield (
            "last-line",
            f"The cell ends in `{ast.unparse(last)[:60]}`. nbgrader takes a trailing number for the score: "
            "end by calling a check imported from graders.checks, which returns None.",
        )
    else:
        yield (
            "asserts-nothing",
            "The cell does not end by calling a check. Import one (`from graders.checks import "
            "check_...`) and call it last.",
        )
