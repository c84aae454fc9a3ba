"""What shows only when a lesson runs: exercises that need others, checks that count nothing."""

import shutil
from dataclasses import replace

import nbformat
import pytest

from graders.checks import EXERCISES, Catalogue, Exercise
from graders.checks.programs import ProgramError, file_name
from graders.cli.student import unchecked_student_notebook
from graders.lint.lesson import lint_lesson, record_findings

pytestmark = pytest.mark.slow

UNIT = "01-soup"
RATES = replace(next(one for one in EXERCISES if one.id == "layer-rates"), unit=UNIT, number=1, points=5)
# Calls something of graders.checks and compares nothing.
SILENT = "from graders.checks.evidence import begin\n\nbegin(3)"


@pytest.fixture
def with_programs(tmp_path):
    """The exercise with other programs in its folder.

    Of those it has, the ones in `instead_of` (right programs) and `left_out` (paths) are left out.
    """

    def make(programs: dict[str, str], instead_of=(), left_out=()) -> Exercise:
        folder = tmp_path / str(len(list(tmp_path.iterdir()))) / "layer_rates"
        shutil.copytree(RATES.folder, folder)
        for name in (*(f"right/{one}" for one in instead_of), *left_out):
            (folder / f"{name}.py").unlink()
        for name, source in programs.items():
            (folder / f"{name}.py").parent.mkdir(exist_ok=True)
            (folder / f"{name}.py").write_text(source)
        return replace(RATES, mistakes=Catalogue(folder, *RATES.mistakes))

    return make


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
    assert "only on cells tagged `setup`" in str(report.findings[0]) and need in str(report.findings[0])


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
        ("layer-rates", "cheat"),
    }
    (rate,) = report.rates
    assert (rate.named, rate.caught) == (0, 0)
    assert len(rate.survivors) == rate.mutants


def test_a_last_line_with_a_value_is_found(course):
    report = course(check_layer_rates="from graders.checks.running import numbers\n\nnumbers()")
    assert ("check-layer-rates", "last-line") in rules(report)


def test_a_right_program_that_fails_is_found(course, with_programs):
    for kind in ("right", "right/idioms"):
        wrong = {f"{kind}/empty": "def layer_rates(num_layers, lr, decay):\n    return []\n"}
        report = course(with_programs(wrong))
        assert rules(report) == {("check-layer-rates", "right")}
        assert f"With {kind}/empty.py, set-up and nothing else, the check fails" in str(report.findings[0])


def test_a_cheat_that_passes_is_found(course, with_programs):
    report = course(with_programs({"cheats/honest": RATES.right["powers"]}))
    assert rules(report) == {("layer-rates", "cheat")}
    assert "cheats/honest.py does not solve the exercise, but passes" in str(report.findings[0])


def test_a_mistake_without_its_own_message_is_found(course, with_programs):
    first, second, *others = RATES.mistakes
    folder = with_programs({f"mistakes/{file_name(second.id)}": RATES.wrong[first.id]}).folder
    odd = Catalogue(folder, replace(first, message="Something else."), second, *others)
    report = course(replace(RATES, mistakes=odd))
    assert rules(report) == {("layer-rates", "mistake")}
    assert len(report.findings) == 2
    assert "'head-decayed' gets the message of 'upside-down'" in str(report.findings[1])
    assert report.rates[0].named == len(RATES.mistakes) - 2


def test_a_survivor_is_listed_until_it_is_marked(course, with_programs):
    odd = "def layer_rates(num_layers, lr, decay):\n    unused = 3\n    rates = [lr]\n"
    odd += (
        "    for i in range(num_layers + 1):\n        rates.insert(0, rates[0] * decay)\n    return rates\n"
    )
    record = with_programs({"right/odd": odd}, RATES.right)
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


def test_a_mutant_that_never_ends_counts_as_caught(course, with_programs):
    slow = (
        "def layer_rates(num_layers, lr, decay):\n    rates = [lr]\n    while len(rates) < num_layers + 2:\n"
    )
    slow += "        rates.insert(0, rates[0] * decay)\n    return rates\n"
    (rate,) = course(with_programs({"right/slow": slow}, RATES.right), mutate=True).rates
    assert rate.survivors == ()


def test_an_exercise_without_a_record_and_a_record_without_an_exercise_are_found(course):
    assert rules(course(None)) == {("layer-rates", "record")}
    assert "tlcourse new-exercise" in course(None).findings[0].message
    assert rules(course(replace(RATES, id="rates"))) == {("layer-rates", "record"), ("rates", "record")}
    assert rules(course(replace(RATES, points=4))) == {("layer-rates", "points")}
    assert rules(course(replace(RATES, number=2))) == {("layer-rates", "order")}


@pytest.mark.parametrize(
    ("programs", "left_out", "said"),
    [
        ({"mistakes/no_such": "def layer_rates(): pass\n"}, (), "Add a Mistake with the id 'no-such'"),
        ({}, ("mistakes/divided",), "The mistake 'divided' has no program. Write one that makes it, as"),
        ({}, [f"right/{name}" for name in RATES.right], "There is no right program"),
        ({"cheats/broken": "def layer_rates(:\n"}, (), "broken.py cannot be read as Python: invalid syntax"),
        ({"right/other": "def rates(): pass\n"}, (), "right/other.py does not define layer_rates."),
    ],
    ids=["surplus", "missing", "no right one", "unreadable", "another function"],
)  # fmt: skip
def test_a_folder_that_is_not_in_order_is_found_without_running_anything(
    lesson, with_programs, programs, left_out, said
):
    record = with_programs(programs, left_out=left_out)
    found = [str(finding) for finding in record_findings(lesson, (record,)) if finding.rule == "programs"]
    assert any(said in one for one in found), found


def test_a_missing_program_is_a_sentence_where_it_is_needed(with_programs):
    record = with_programs({}, left_out=("mistakes/divided",))
    with pytest.raises(ProgramError, match="'divided' has no program in .* as divided.py"):
        _ = record.wrong
