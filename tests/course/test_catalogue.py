"""The course's exercises are found by their folders, and every one of them has what an exercise needs.

`tlcourse lint-lesson --strict` (tests/cli/test_lint_lesson.py) proves the rest on every lesson: right
programs pass in silence and are counted, every named mistake gets its own message, cheats fail, and mutants
are caught.
"""

import contextlib
import io
import re
import sys

import pytest
import torch

from graders import checks
from graders.checks import EXERCISES, CheckFailed, Mistake, evidence, exercises
from graders.checks.programs import functions
from graders.lint.rules import unit_xp
from graders.units import unit_packages

pytestmark = pytest.mark.slow

SEEDS = (2**62, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2**31)))
BY_ID = {exercise.id: exercise for exercise in EXERCISES}
each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)


@pytest.fixture(autouse=True)
def usual_seed():
    """The usual seed counts again afterwards."""
    yield
    evidence.begin()


def test_every_check_is_imported_from_the_package_by_its_name():
    names = {f"check_{exercise.id.replace('-', '_')}": exercise.check for exercise in EXERCISES}
    assert len(names) == len(EXERCISES) == len(BY_ID)
    assert {name: getattr(checks, name) for name in names} == names
    assert set(names) < set(dir(checks))
    with pytest.raises(AttributeError, match="no name 'check_nothing'; it offers"):
        _ = checks.check_nothing


@pytest.mark.parametrize("unit", unit_packages())
def test_a_unit_s_exercises_are_numbered_and_add_up_to_its_xp(unit):
    own = exercises(unit)
    assert [exercise.number for exercise in own] == list(range(1, len(own) + 1))
    assert {exercise.unit for exercise in own} == {unit}
    assert sum(exercise.points for exercise in own) == unit_xp(unit)


def test_an_unknown_unit_has_no_exercises():
    assert exercises("99-nothing") == ()


@each_exercise
def test_a_catalogue_has_enough_in_it(exercise):
    assert exercise.problems() == []
    assert len(exercise.mistakes) >= 3 and len(exercise.right) >= 2 and exercise.idioms
    assert all(mistake.hints for mistake in exercise.mistakes)
    assert len({mistake.message for mistake in exercise.mistakes}) == len(exercise.mistakes)


def test_there_are_cheats():
    assert sum(bool(exercise.cheats) for exercise in EXERCISES) >= 12


@pytest.mark.parametrize("seed", SEEDS)
@each_exercise
def test_every_program_gets_the_same_result_for_any_seed(exercise, seed):
    for program in exercise.right.values():
        evidence.begin(seed)
        exercise.check(*functions(program, exercise.functions))
        assert evidence.comparisons_so_far() >= 1
    for mistake in exercise.mistakes:
        evidence.begin(seed)
        with pytest.raises(CheckFailed) as caught:
            exercise.check(*functions(exercise.wrong[mistake.id], exercise.functions))
        assert caught.value.mistake is mistake
        assert str(caught.value) == f"{mistake.message}\nTry: {mistake.hints[0]}"


@each_exercise
def test_a_check_that_is_passed_prints_nothing(exercise, monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)  # as where submissions are graded
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        for program in exercise.right.values():
            assert exercise.check(*functions(program, exercise.functions)) is None
    assert (out.getvalue(), err.getvalue()) == ("", "")


@each_exercise
def test_an_unanswered_exercise_says_so(exercise):
    def unanswered(*args):
        raise NotImplementedError

    with pytest.raises(CheckFailed, match="is not written yet"):
        exercise.check(*[unanswered] * len(exercise.functions))


@each_exercise
def test_what_is_not_a_function_gets_a_sentence(exercise):
    with pytest.raises(CheckFailed, match="a function was expected"):
        exercise.check(*[3] * len(exercise.functions))


def test_a_check_leaves_random_numbers_as_they_were():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    for exercise in EXERCISES:
        exercise.check(*functions(next(iter(exercise.right.values())), exercise.functions))
    assert torch.equal(torch.rand(3), expected)


def test_a_mistake_without_hints_has_its_message_alone():
    assert str(CheckFailed("It is wrong.", Mistake("wrong", "It is wrong.", ()))) == "It is wrong."


@each_exercise
def test_mistakes_have_readable_ids(exercise):
    assert [one.id for one in exercise.mistakes if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one.id)] == []
