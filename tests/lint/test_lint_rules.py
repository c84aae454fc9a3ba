"""A lesson that keeps the rules has no findings; each broken rule is found, with the cell and what to do."""

import copy
from pathlib import Path

import nbformat
import pytest

from graders.cli.places import units
from graders.lint.cell_code import code_problems as problems
from graders.lint.refuse import UnfitLesson, refuse_unfit
from graders.lint.rules import static_findings, unit_xp

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
UNIT = "01-soup"


def cell(notebook, id: str):
    return next(one for one in notebook.cells if one.id == id)


def test_a_lesson_that_keeps_the_rules_has_no_findings(lesson):
    assert static_findings(lesson, UNIT) == ()
    refuse_unfit(lesson, UNIT)


@pytest.mark.parametrize("path", units(ROOT), ids=lambda path: path.stem)
def test_the_course_s_lessons_keep_the_rules(path):
    assert static_findings(nbformat.read(path, as_version=4), path.stem) == ()


def edit_source(id: str, old: str, new: str):
    def change(notebook):
        source = cell(notebook, id).source
        assert old in source
        cell(notebook, id).source = source.replace(old, new)

    return change


def edit_meta(id: str, **values):
    return lambda notebook: cell(notebook, id).metadata.nbgrader.update(values)


def edit_tags(id: str, *tags: str):
    return lambda notebook: cell(notebook, id).metadata.update(tags=list(tags))


TEST = "check-layer-rates"
BROKEN = {
    "output": (lambda n: cell(n, "taste").update(execution_count=3), "taste", "outputs", "Clear all outputs"),
    "hidden": (
        edit_source(TEST, "\n\n", "\n### BEGIN HIDDEN TESTS\n"), TEST, "hidden-tests", "feedback would",
    ),
    "unlocked": (edit_meta(TEST, locked=False), TEST, "locked", "Set it to locked"),
    "no tag": (edit_tags("taste"), "taste", "tags", "neither setup nor demo"),
    "two tags": (edit_tags("taste", "setup", "demo"), "taste", "tags", "setup and demo"),
    "demo test": (edit_tags(TEST, "demo"), TEST, "tags", "Remove the tag"),
    "stray region": (
        edit_source("taste", "TASTED", "### BEGIN SOLUTION\nTASTED"), "taste", "solution",
        "is not a solution cell",
    ),
    "no region": (edit_source("layer-rates", "### ", "# "), "layer-rates", "solution", "does not know"),
    "no marks": (
        lambda n: cell(n, "layer-rates").update(source="layer_rates = int"), "layer-rates", "solution",
        "has no region",
    ),
    "open region": (edit_source("layer-rates", "### END SOLUTION", ""), "layer-rates", "solution", "pair up"),
    "no id": (edit_meta("layer-rates", grade_id=""), "layer-rates", "grade-id", "has no grade_id"),
    "same id": (edit_meta("salt", grade_id="layer-rates"), "layer-rates", "grade-id", "2 cells"),
    "no test": (lambda n: n.cells.remove(cell(n, "check-salt")), "salt", "pair", "has no test cell"),
    "no answer": (lambda n: n.cells.remove(cell(n, "salt")), "check-salt", "pair", "belongs to no solution"),
    "worthless": (edit_meta(TEST, points=0), TEST, "points", "worth nothing"),
    "sum": (edit_meta(TEST, points=4), "", "points", "add up to 6, and the unit is worth 5"),
    "allclose": (edit_source(TEST, "(layer_rates)", "(torch.allclose)"), TEST, "comparison", "empty"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_found(lesson, name):
    change, where, rule, words = BROKEN[name]
    change(lesson)
    findings = static_findings(lesson, UNIT)
    assert [one for one in findings if (one.cell, one.rule) == (where, rule) and words in one.message], (
        findings
    )
    with pytest.raises(UnfitLesson, match="lint-lesson 01-soup"):
        refuse_unfit(lesson, UNIT)


def test_points_go_by_the_curriculum(lesson):
    assert [unit_xp(unit) for unit in ("00-recap", "03-multimodal", "P2-emotion", "soup")] == [5, 5, 15, None]
    assert "worth 15" in str(static_findings(lesson, "P1-soup")[0])
    assert "not a unit's name" in str(static_findings(lesson, "soup")[0])


CHECK = "from graders.checks import check_a\n"


@pytest.mark.parametrize(
    ("source", "rules"),
    [
        (CHECK + "check_a(a)", []),
        (CHECK + "check_a(a, b=lambda x: x + 1)", []),
        (CHECK + "check_a(a);", []),
        (
            "from graders.checks.reference import against_reference as check\ncheck(a, sorted, b, name='a')",
            [],
        ),
        (CHECK + "assert a(1) == 2\ncheck_a(a)", ["comparison", "assert"]),
        (CHECK + "assert torch.allclose(a, b)\ncheck_a(a)", ["comparison", "assert"]),
        (CHECK + "from numpy.testing import assert_allclose as fine\ncheck_a(a)", ["comparison"]),
        (CHECK + "close = torch.isclose\ncheck_a(a)", ["comparison"]),
        (CHECK + "import sys\nprint(1, file=sys.stderr)\ncheck_a(a)", ["stderr"]),
        (CHECK + "import warnings\nwarnings.warn('x')\ncheck_a(a)", ["stderr"]),
        (CHECK + "for x in tqdm(range(3)):\n    pass\ncheck_a(a)", ["stderr"]),
        (CHECK + "check_a(a)\n3", ["last-line"]),
        (CHECK + "check_a(a)\na.score()", ["last-line"]),
        (CHECK + "check_a(a)\nx = 1", ["asserts-nothing"]),
        ("", ["asserts-nothing"]),
        ("pass", ["asserts-nothing"]),
        ("def check_a(a):\n    return 1\n\ncheck_a(a)", ["last-line"]),
        ("%time check_a(a)", ["syntax"]),
    ],
)
def test_the_code_of_a_test_cell(source, rules):
    assert sorted(rule for rule, _ in problems(source)) == sorted(rules)


def test_nothing_is_changed_by_looking(lesson):
    before = copy.deepcopy(lesson)
    static_findings(lesson, "soup")
    assert lesson == before
