"""Answers that are alike in form are found under other names, and what everybody has says nothing."""

import ast
import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.checks.programs import folder_of, read_programs
from graders.similar.compare import Answer, compare
from graders.similar.forms import NotPython, Subtree, imported, subtrees
from graders.similar.parsing import Parser
from graders.units import exercise_packages, unit_packages
from tests.machine import slowness

LESSON = {"torch": "torch", "nn": "torch.nn", "F": "torch.nn.functional"}

ORIGINAL = '''
def layer_rates(groups, base, decay=0.9):
    """A rate for each group."""
    rates = []
    for depth, group in enumerate(reversed(groups)):
        rate = base * decay ** depth
        if rate > 1e-6 and group.trainable:
            rates.append({"params": group.parameters(), "lr": rate, "weight_decay": 0.01})
    total = sum(one["lr"] for one in rates)
    scaled = [one["lr"] / total for one in rates]
    best = max(scaled, key=lambda share: abs(share - F.softmax(torch.tensor(scaled), dim=0)[0]))
    return rates, best
'''
# The same under other names, with other numbers, in another order, and prints.
DISGUISED = """
from torch.nn.functional import softmax
import torch as T
def layer_rates(g: list, lr: float, k=0.5) -> list:
    out = []                                       # my own idea
    for i, x in enumerate(reversed(g)):
        print(i)
        z = k ** i * lr
        if x.trainable and 1e-9 < z:
            out.append({"weight_decay": 0.1, "lr": z, "params": x.parameters()})
    s = sum(q["lr"] for q in out)
    t = [q["lr"] / s for q in out]
    def far(v):
        return abs(v - softmax(T.tensor(t), dim=0)[1])
    w = max(t, key=lambda v: abs(v - softmax(T.tensor(t), dim=0)[1]))
    return out, w
"""
OTHER = """
def layer_rates(groups, base, decay=0.9):
    count = len(groups)
    steps = torch.arange(count - 1, -1, -1)
    rates = (base * decay ** steps).tolist()
    chosen = {}
    while rates:
        group, rate = groups[len(chosen)], rates.pop(0)
        chosen[group] = rate if group.trainable else 0.0
    table = sorted(chosen.items(), key=lambda item: item[1])
    first, *_ = table or [(None, None)]
    return [{"params": group.parameters(), "lr": rate} for group, rate in table], first
"""


def answer(student: str, source: str) -> Answer:
    return Answer(student, source, tuple(subtrees(source, LESSON)))


def form(source: str) -> list[str]:
    return sorted(one.digest for one in subtrees(source, LESSON))


def test_other_names_numbers_order_and_prints_are_the_same_pair():
    filler = [answer(f"f{number}", f"def f(x):\n    return x.m{number}(x, {number})") for number in range(20)]
    (found,) = compare([answer("ada", ORIGINAL), answer("ben", DISGUISED), answer("cleo", OTHER), *filler])
    assert found.everybody == ("ada", "ben") and not found.equal
    assert found.alike > 0.75 and found.shared > 30
    marked = {ORIGINAL.split("\n")[line - 1].strip() for line in found.lines[0]}
    assert "return rates, best" in marked and '"""A rate for each group."""' not in marked


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1\ny = f(x)", "b = f(a)\na = 7"),
        ("def g(a):\n    b = h(a, key=1, of=2)\n    return b", "def g(z):\n    return h(z, of=0, key=9)"),
        ("def f(t, step):\n    t = t + step * 2\n    return t", "def g(s, d):\n    s += 3 * d\n    return s"),
        ("if not ok:\n    a()\nelse:\n    b()", "if ok:\n    b()\nelse:\n    a()"),
        ("x = F.relu(v) if 3 < v.size(0) else None", "import torch\ny = torch.nn.functional.relu(v) "
         "if v.size(1) > 8 else None"),
        ("f = lambda a: a.mean()", "def mean_of(model):\n    '''Mean.'''\n    return model.mean()"),
        ("x: int = len(s)", "y = len(s)"),
        ("class A(nn.Module):\n    def __init__(self):\n        self.head = nn.Linear(3, 4)",
         "class B(torch.nn.Module):\n    def __init__(self):\n        self.top = nn.Linear(7, 1)"),
        ("a == b and c", "c and (b == a)"),
    ],
)  # fmt: skip
def test_the_same_written_otherwise_has_the_same_form(one, other):
    assert form(one) == form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = a - b * c", "x = b - a.c"),
        ("for p in m.parameters():\n    p.requires_grad = False",
         "for p in m.parameters():\n    p.requires_grad = True"),
        ("y = torch.mean(x, dim=1)", "y = torch.sum(x, dim=1)"),
        ("y = f(x, a=1)", "y = f(x, b=1)"),
    ],
)  # fmt: skip
def test_what_does_something_else_has_another_form(one, other):
    assert form(one) != form(other)


def test_an_answer_that_half_of_the_class_shares_says_nothing():
    def many(count: int) -> list[Answer]:
        others = [answer(f"o{number}", OTHER.replace("len", f"len{number}")) for number in range(count)]
        return [*(answer(f"s{number}", ORIGINAL) for number in range(10)), *others]

    assert not [one for one in compare(many(8)) if "s0" in one.everybody]
    (group,) = [one for one in compare(many(60)) if "s0" in one.everybody]
    assert group.equal and group.everybody == tuple(f"s{number}" for number in range(10))
    (few,) = [one for one in compare([*many(60)[8:]]) if "s8" in one.everybody]
    assert few.shared > group.shared  # two of a class say more than ten


def test_what_the_lesson_gave_counts_nothing_and_a_known_right_answer_counts_less():
    class_ = [answer("ada", ORIGINAL), answer("ben", ORIGINAL)]
    class_ += [answer(f"o{number}", f"x = {'-' * (number + 3)}y.a{number}") for number in range(8)]
    (plain,) = compare(class_)
    assert compare(class_, given=form(ORIGINAL)) == []
    (known,) = compare(class_, idioms=[form(ORIGINAL)])
    assert known.shared < plain.shared
    assert compare(class_, idioms=[form(ORIGINAL)] * 9) == []


def test_small_answers_are_not_listed_however_equal():
    assert compare([answer("ada", "return_value = f(x)"), answer("ben", "y = f(z)")]) == []


def test_the_same_is_found_whatever_the_order_of_the_class():
    class_ = [
        answer("ada", ORIGINAL),
        answer("ben", DISGUISED),
        answer("cleo", ORIGINAL),
        answer("dan", OTHER),
    ]
    one, other = compare(class_), compare(class_[::-1])
    assert [set(likeness.everybody) for likeness in one] == [set(likeness.everybody) for likeness in other]


def test_a_thousand_answers_are_compared_in_seconds():
    answers = [
        answer(f"s{number}", ORIGINAL.replace("rates.append", f"rates.m{number % 400}"))
        for number in range(1000)
    ]
    before, start = slowness(), time.perf_counter()
    compare(answers)
    assert time.perf_counter() - start < 10 * max(before, slowness())


HARD = [
    "f(x, y)\n" * 30_000,
    "(" * 5000 + ")" * 5000,
    "x = " + "-" * 50_000 + "1",
    "\0",
    "def f(:",
    "x = '\\N{bad}'",
    "9" * 5000,
]


@pytest.mark.parametrize("source", HARD)
def test_what_cannot_be_parsed_costs_one_answer_and_never_the_command(source):
    with Parser(LESSON) as parser:
        try:
            parser.subtrees(source)
        except NotPython as error:
            assert str(error)
        assert parser.subtrees(ORIGINAL) == subtrees(ORIGINAL, LESSON)


def test_a_parser_that_dies_or_hangs_is_started_again(monkeypatch):
    with Parser(LESSON) as parser:
        parser.subtrees("x = 1")
        parser._process.kill()
        with pytest.raises(NotPython, match="takes too long"):
            parser.subtrees("x = f(1)")
        assert parser.subtrees("x = f(y)")


def test_imports_are_followed():
    assert imported("import torch.nn as N, os.path\nfrom torch.nn import functional as F, Linear") == {
        "N": "torch.nn", "os": "os", "F": "torch.nn.functional", "Linear": "torch.nn.Linear",
    }  # fmt: skip


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=8), max_size=8))
def test_likeness_is_between_nothing_and_all_and_only_the_same_forms_are_equal(class_):
    answers = [Answer(str(who), "", tuple(Subtree(x, 1) for x in one)) for who, one in enumerate(class_)]
    for one in compare(answers, at_least=0.01, evidence=0.1):
        assert 0 < one.alike <= 1 and one.shared > 0
        assert len(set(one.everybody)) == len(one.everybody) > 1
        mine, theirs = (Counter(class_[int(who)]) for who in (one.everybody[0], one.everybody[-1]))
        assert mine & theirs
        assert (mine == theirs) is one.equal


class Disguise(ast.NodeTransformer):
    """Gives a program other names and other numbers, and its keyword arguments another order."""

    def __init__(self, tree: ast.AST) -> None:
        found = {
            one.id for one in ast.walk(tree) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
        }
        found |= {one.arg for one in ast.walk(tree) if isinstance(one, ast.arg)}
        self.names = {name: f"v{place}" for place, name in enumerate(sorted(found - {"self"}))}

    def visit_Name(self, node):
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_arg(self, node):
        node.arg = self.names.get(node.arg, node.arg)
        return node

    def visit_Constant(self, node):
        if isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
            node.value += 3
        return node

    def visit_Call(self, node):
        self.generic_visit(node)
        node.keywords.reverse()
        return node


def right_programs() -> list[dict[str, str]]:
    packages = [name for unit in unit_packages().values() for name in exercise_packages(unit)]
    folders = map(folder_of, packages)
    return [{**read_programs(one, "right"), **read_programs(one, "right/idioms")} for one in folders]


def test_independent_right_answers_of_the_course_are_not_listed_and_disguised_copies_are():
    """The class of each exercise: its right programs, of which none was written from another."""
    independent = listed = copies = found = 0
    for programs in right_programs():
        class_ = [answer(name, source) for name, source in programs.items()]
        independent += len(class_) * (len(class_) - 1) // 2
        listed += len(compare(class_))
        for name, source in programs.items():
            tree = ast.parse(source)
            copy = answer("COPY", ast.unparse(Disguise(tree).visit(tree)))
            original = next(one for one in class_ if one.student == name)
            if len(original.subtrees) >= 14:  # shorter ones are alike by necessity
                copies += 1
                found += any({"COPY", name} <= set(one.everybody) for one in compare([*class_, copy]))
    assert independent > 250 and listed == 0
    assert copies > 60 and found > 0.9 * copies
