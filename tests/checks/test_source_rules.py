"""Rules about source go by the syntax tree: names by what they stand for, comments and strings not at all."""

import pytest

from graders.checks import CheckFailed, evidence
from graders.checks.source import answer_source, provide, source_rules


@pytest.mark.parametrize(
    ("source", "rules"),
    [
        ("y = x.softmax(-1)", {"calls": ["softmax"]}),
        ("from torch.nn import functional as F\ny = F.softmax(x)", {"calls": ["functional.softmax"]}),
        ("from torch import softmax as s\ny = s(x)", {"calls": ["softmax"]}),
        ("y = x  # softmax\nz = 'softmax'\nsoftmax_like = 3\nsoftmax = 2", {"never_calls": ["softmax"]}),
        ("import scipyx", {"never_imports": ["scipy"]}),
        ("y = [a for a in b]", {"loops": False}),
        ("y = [1, 2, x]", {"longest_literal": 2}),
        ("    def f():\n        return 1", {"calls": []}),
    ],
)
def test_what_keeps_to_the_rules_passes_and_counts(source, rules):
    evidence.begin()
    source_rules(source, **rules)
    assert evidence.comparisons_so_far() == 1


@pytest.mark.parametrize(
    ("source", "rules", "message"),
    [
        ("y = x", {"calls": ["softmax"]}, "does not use `softmax`"),
        ("y = nn.softmax(x)", {"calls": ["functional.softmax"]}, "does not use `functional.softmax`"),
        ("y = x.\\\nsoftmax(1)", {"never_calls": ["softmax"]}, "uses `softmax`"),
        ("from torch import softmax as s\n\ny = s(x)", {"never_calls": ["softmax"]}, "line 3"),
        ("f = softmax", {"never_calls": ["softmax"]}, "uses `softmax`"),
        ("import scipy.special as sp", {"never_imports": ["scipy"]}, "imports `scipy`"),
        ("from scipy.special import expit", {"never_imports": ["scipy"]}, "imports `scipy`"),
        ("from scipy import special", {"never_imports": ["scipy.special"]}, "imports `scipy.special`"),
        ("for a in b:\n    pass", {"loops": False}, "has a loop .line 1"),
        ("while a:\n    pass", {"loops": False}, "has a loop"),
        ("y = sum(a for a in b)", {"comprehensions": False}, "has a comprehension"),
        ("y = [1, -2, 3.0]", {"longest_literal": 2}, "has 3 values written out"),
        ("y = [[1, 2], [3, 4]]", {"longest_literal": 3}, "has 4 values"),
        ("y = {'a': 1, 'b': 2}", {"longest_literal": 3}, "has 4 values"),
        ("y = (", {}, "cannot be read as Python"),
    ],
)
def test_a_broken_rule_is_named(source, rules, message):
    with pytest.raises(CheckFailed, match=message):
        source_rules(source, **rules)


def mean(values):
    return sum(values) / len(values)


def test_the_grader_s_source_goes_before_the_function_s_own():
    assert "sum(values)" in answer_source("mean", mean)
    provide({"mean": "def mean(values):\n    return 0\n"})
    try:
        assert answer_source("mean", mean).endswith("return 0\n")
    finally:
        provide({})
    with pytest.raises(CheckFailed, match="'mean' cannot be read"):
        answer_source("mean", 3)
