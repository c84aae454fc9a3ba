"""What shows only when a lesson runs: exercises that lean on others, checks that count nothing, faults that pass."""

from dataclasses import replace

import nbformat
import pytest

from graders.checks import EXERCISES
from graders.cli.student import unchecked_student_notebook
from graders.lint.lesson import lint_lesson

UNIT = "01-soup"
RATES = replace(next(one for one in EXERCISES if one.id == "layer-rates"), unit=UNIT, points=5)
SILENT = "from graders.checks.evidence import begin\n\nbegin(3)"  # calls something of graders.checks, compares nothing


@pytest.fixture
def course(lesson, tmp_path):
    """Lint a lesson with one exercise, after a change of its cells, for an exercise's record."""
    lesson.cells = [cell for cell in lesson.cells if "salt" not in cell.id]

    def run(record=RATES, mutate=False, **sources: str):
        for cell in lesson.cells:
            cell.source = sources.get(cell.id.replace("-", "_"), cell.source)
            if cell.id == "check-layer-rates":
                cell.metadata.nbgrader.points = 5
        path = tmp_path / f"{UNIT}.ipynb"
        nbformat.write(lesson, path)
        records = (record,) if record else ()
        return lint_lesson(lesson, unchecked_student_notebook(path), UNIT, records, mutate=mutate, timeout=10)

    return run


def rules(report) -> set[tuple[str, str]]:
    return {(finding.cell, finding.rule) for finding in report.findings}


def answer(body: str, head: str = "def layer_rates(num_layers, lr, decay):") -> str:
    return f"{head}\n    ### BEGIN SOLUTION\n    {body}\n    ### END SOLUTION"


GOOD = "return [lr * decay ** (num_layers + 1 - i) for i in range(num_layers + 2)]"


def test_a_good_lesson_is_clean_and_its_check_catches_everything(course):
    report = course(mutate=True)
    assert report.findings == ()
    (rate,) = report.rates
    assert (rate.named, rate.of_named) == (len(RATES.mistakes), len(RATES.mistakes))
    assert rate.caught == rate.mutants > 20
    assert rate.survivors == ()


@pytest.mark.parametrize("need", ["TASTED", "later"])
def test_an_exercise_that_needs_a_demonstration_does_not_stand_alone(course, need):
    report = course(layer_rates=answer(f"{need}\n    {GOOD}"))
    assert ("check-layer-rates", "right") in rules(report)
    assert "cells tagged `setup` alone" in str(report.findings[0]) and need in str(report.findings[0])


def test_a_cell_that_needs_a_demonstration_to_run_at_all_is_found(course):
    report = course(spoons="PARTS = len(TASTED)")
    assert ("check-layer-rates", "stands-alone") in rules(report)


def test_an_answer_outside_its_region_is_handed_out(course):
    head = f"def layer_rates(num_layers, lr, decay):\n    {GOOD}"
    report = course(layer_rates=answer("pass", head))
    assert rules(report) == {("layer-rates", "solution")}
    assert "unanswered" in str(report.findings[0])


def test_noise_below_python_is_heard(course):
    report = course(layer_rates=answer(f"import os\n    os.write(2, b'loud')\n    {GOOD}"))
    assert rules(report) == {("check-layer-rates", "stderr")}
    assert "'loudloud" in str(report.findings[0])


def test_a_check_that_compares_nothing_is_found_in_every_way(course):
    report = course(mutate=True, check_layer_rates=SILENT)
    assert rules(report) == {
        ("check-layer-rates", "asserts-nothing"),
        ("layer-rates", "solution"),
        ("layer-rates", "mistake"),
    }
    (rate,) = report.rates
    assert (rate.named, rate.caught) == (0, 0)
    assert len(rate.survivors) == rate.mutants


def test_a_last_line_with_a_value_is_found(course):
    report = course(check_layer_rates="from graders.checks.running import numbers\n\nnumbers()")
    assert ("check-layer-rates", "last-line") in rules(report)


def test_a_right_program_that_fails_is_found(course):
    report = course(
        replace(RATES, right=(*RATES.right, "def layer_rates(num_layers, lr, decay):\n    return []\n"))
    )
    assert rules(report) == {("check-layer-rates", "right")}
    assert f"right program {len(RATES.right) + 1}" in str(report.findings[0])


def test_a_mistake_without_its_own_message_is_found(course):
    first, second, *others = RATES.mistakes
    odd = (replace(first, message="Something else."), replace(second, wrong=first.wrong), *others)
    report = course(replace(RATES, mistakes=odd))
    assert rules(report) == {("layer-rates", "mistake")}
    assert len(report.findings) == 2
    assert "'head-decayed' gets the message of 'upside-down'" in str(report.findings[1])
    assert report.rates[0].named == len(RATES.mistakes) - 2


def test_a_survivor_is_listed_until_it_is_marked(course):
    odd = "def layer_rates(num_layers, lr, decay):\n    unused = 3\n    rates = [lr]\n    for i in range(num_layers + 1):\n"
    odd += "        rates.insert(0, rates[0] * decay)\n    return rates\n"
    record = replace(RATES, right=(odd,))
    (rate,) = course(record, mutate=True).rates
    assert {one.change for one in rate.survivors} == {
        "unused = 3 => pass", "unused = 3 => unused = 4", "unused = 3 => unused = 2",
    }  # fmt: skip
    marked = replace(record, equivalent=tuple((one.change, "nobody reads it") for one in rate.survivors))
    report = course(marked, mutate=True)
    assert (report.findings, report.rates[0].survivors, report.rates[0].equivalent) == ((), (), 3)


def test_a_mark_that_fits_nothing_is_found(course):
    report = course(replace(RATES, equivalent=(("a => b", "it was so once"),)), mutate=True)
    assert rules(report) == {("layer-rates", "equivalent")}


def test_a_mutant_that_never_ends_counts_as_caught(course):
    slow = (
        "def layer_rates(num_layers, lr, decay):\n    rates = [lr]\n    while len(rates) < num_layers + 2:\n"
    )
    slow += "        rates.insert(0, rates[0] * decay)\n    return rates\n"
    (rate,) = course(replace(RATES, right=(slow,)), mutate=True).rates
    assert rate.survivors == ()


def test_an_exercise_without_a_record_and_a_record_without_an_exercise_are_found(course):
    assert rules(course(None)) == {("layer-rates", "record")}
    assert "EXERCISES" in course(None).findings[0].message
    assert rules(course(replace(RATES, id="rates"))) == {("layer-rates", "record"), ("rates", "record")}
    assert rules(course(replace(RATES, points=4))) == {("layer-rates", "points")}
