"""Mutants differ from their program in what they do, each by one small change."""

import ast

import pytest

from graders.checks import EXERCISES
from graders.lint.mutants import mutants

pytestmark = pytest.mark.slow


def changes(source: str) -> set[str]:
    return {bare(mutant.change) for mutant in mutants(source)}


def bare(change: str) -> str:
    """Versions of Python write parentheses in other places."""
    return change.replace("(", "").replace(")", "")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a < b", {"x = a < b => x = a <= b", "x = a < b => x = a >= b", "x = a < b => pass"}),
        ("x = a is None", {"x = a is None => x = a is not None"}),
        ("x = a - 1", {"x = a - 1 => x = a + 1", "x = a - 1 => x = a - 2", "x = a - 1 => x = a - 0"}),
        ("x += 1", {"x += 1 => x -= 1"}),
        ("x = a and not b", {"x = a and (not b) => x = a or not b", "x = a and (not b) => x = a and b"}),
        ("x = -a", {"x = -a => x = a"}),
        ("x = f(True)", {"x = f(True) => x = f(False)"}),
        (
            "x = f(a, b, key=c)",
            {"x = f(a, b, key=c) => x = f(b, a, key=c)", "x = f(a, b, key=c) => x = f(a, b)"},
        ),
        ("x = a[1:n]", {"x = a[1:n] => x = a[:n]", "x = a[1:n] => x = a[1:]", "x = a[1:n] => x = a[2:n]"}),
        ("x = range(n)", {"x = range(n) => x = range(n - 1)", "x = range(n) => x = range(n + 1)"}),
        ("x = [a for a in b if a]", {"x = [a for a in b if a] => x = [a for a in b if not a]"}),
        ("def f(a):\n    return a", {"return a => return None"}),
        ("if a:\n    b()", {"if a: => if not a:", "b() => pass"}),
        ("x = a if b else c", {"x = a if b else c => x = a if not b else c"}),
        ("x = 0.5", {"x = 0.5 => x = 1.5", "x = 0.5 => x = -0.5"}),
    ],
)
def test_small_faults_are_put_in(source, expected):
    assert set(map(bare, expected)) <= changes(source)


def test_docstrings_annotations_and_names_are_left_alone():
    source = 'def f(a: "int" = 1) -> "float":\n    """Three."""\n    b: int = a\n    return b'
    for mutant in mutants(source):
        tree = ast.parse(mutant.source)
        assert ast.get_docstring(tree.body[0]) == "Three."
        assert ast.unparse(tree.body[0].returns) == "'float'"


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_every_mutant_is_another_program_that_python_can_read(exercise):
    for program in exercise.right.values():
        found = mutants(program)
        assert found
        sources = [mutant.source for mutant in found]
        assert len(set(sources)) == len(sources)
        for mutant in found:
            assert ast.dump(ast.parse(mutant.source)) != ast.dump(ast.parse(program))
            assert " => " in mutant.change


def test_what_python_compiles_to_the_same_is_left_out():
    assert changes("x = 1\npass") == {"x = 1 => x = 2", "x = 1 => x = 0", "x = 1 => pass"}
