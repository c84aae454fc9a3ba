"""Programs in the ways that students bring along pass, and cheats never pass, not even by luck."""

import pytest

from graders.checks import EXERCISES, CheckFailed, evidence
from graders.checks.programs import functions

pytestmark = pytest.mark.slow

BY_ID = {exercise.id: exercise for exercise in EXERCISES}
IDIOMS = [(exercise, name) for exercise in EXERCISES for name in exercise.idioms]
CHEATS = [(exercise, name) for exercise in EXERCISES for name in exercise.cheats]


@pytest.fixture
def seeded():
    """A function that begins a submission with a seed; the usual one counts again afterwards."""
    yield evidence.begin
    evidence.begin()


@pytest.mark.parametrize(("exercise", "name"), IDIOMS, ids=[f"{one.id}-{name}" for one, name in IDIOMS])
def test_a_right_program_passes_however_it_is_written(exercise, name, seeded):
    for seed in (20, 301):
        seeded(seed)
        exercise.check(*functions(exercise.idioms[name], exercise.functions))
        assert evidence.comparisons_so_far() >= 1


@pytest.mark.long
@pytest.mark.parametrize(("exercise", "name"), CHEATS, ids=[f"{one.id}-{name}" for one, name in CHEATS])
def test_a_program_that_does_not_solve_it_never_passes_by_luck(exercise, name, seeded):
    for seed in range(105, 110):  # `lint-lesson` tries the five before
        seeded(seed)
        with pytest.raises(CheckFailed):
            exercise.check(*functions(exercise.cheats[name], exercise.functions))


@pytest.mark.parametrize("mistake", BY_ID["next-token-loss"].mistakes, ids=lambda mistake: mistake.id)
def test_no_two_mistakes_in_a_loss_give_the_same_by_chance(mistake, seeded):
    exercise = BY_ID["next-token-loss"]
    for seed in (20, 1109, 1291, *range(300, 305)):  # in the second and third values once coincided
        seeded(seed)
        with pytest.raises(CheckFailed) as caught:
            exercise.check(*functions(exercise.wrong[mistake.id], exercise.functions))
        assert caught.value.mistake is mistake, seed
