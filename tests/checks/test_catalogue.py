"""Each named mistake triggers exactly its message; different right programs pass."""

import contextlib
import io

import pytest
import torch

from graders import checks
from graders.checks import EXERCISES, CheckFailed, evidence, exercises
from graders.checks.programs import functions as define

MISTAKES = [(exercise, mistake) for exercise in EXERCISES for mistake in exercise.mistakes]
RIGHT = [(exercise, place) for exercise in EXERCISES for place in range(len(exercise.right))]


def functions(exercise, program: str) -> list:
    """Run a student's cell and return what it defined."""
    return define(program, exercise.functions)


def test_every_check_is_imported_from_the_package_by_its_name():
    names = {f"check_{exercise.id.replace('-', '_')}": exercise.check for exercise in EXERCISES}
    assert {name: getattr(checks, name) for name in names} == names
    assert set(names) < set(dir(checks))
    with pytest.raises(AttributeError, match="no name 'check_nothing'; it offers"):
        _ = checks.check_nothing


@pytest.mark.parametrize(
    ("exercise", "mistake"), MISTAKES, ids=[f"{exercise.id}-{mistake.id}" for exercise, mistake in MISTAKES]
)
def test_a_named_mistake_gets_its_message_and_a_hint(exercise, mistake):
    with pytest.raises(CheckFailed) as caught:
        exercise.check(*functions(exercise, mistake.wrong))
    assert caught.value.mistake is mistake
    assert str(caught.value) == f"{mistake.message}\nTry: {mistake.hints[0]}"


@pytest.mark.parametrize(
    ("exercise", "place"), RIGHT, ids=[f"{exercise.id}-{place}" for exercise, place in RIGHT]
)
def test_a_right_program_passes_in_silence_and_leaves_evidence(exercise, place):
    evidence.begin()
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        assert exercise.check(*functions(exercise, exercise.right[place])) is None
    assert (out.getvalue(), err.getvalue()) == ("", "")
    assert evidence.held_so_far() >= 1


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_a_catalogue_has_enough_in_it(exercise):
    assert len(exercise.mistakes) >= 3
    assert len(exercise.right) >= 2
    messages = [mistake.message for mistake in exercise.mistakes]
    assert len(set(messages)) == len(messages)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_an_unanswered_exercise_says_so(exercise):
    def unanswered(*args):
        raise NotImplementedError

    with pytest.raises(CheckFailed, match="is not written yet"):
        exercise.check(*[unanswered] * len(exercise.functions))


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_what_is_no_function_gets_a_sentence(exercise):
    with pytest.raises(CheckFailed, match="a function was expected"):
        exercise.check(*[3] * len(exercise.functions))


def test_a_check_leaves_random_numbers_as_they_were():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    for exercise in EXERCISES:
        exercise.check(*functions(exercise, exercise.right[0]))
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    "unit",
    ["00-where-we-left-off", "01-transfer-learning", "02-which-layers-to-train", "03-multimodal-models"],
)
def test_a_lesson_is_worth_5_points(unit):
    assert sum(exercise.points for exercise in exercises(unit)) == 5
