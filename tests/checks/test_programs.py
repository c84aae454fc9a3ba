"""Programs in programs/: right ones in the idioms that students bring, and ones that do not solve their exercise.

A file is an exercise. `## title` begins a program. The right ones use NumPy, other precisions, loops, classes and Python's
library; the wrong ones were made by somebody who has read the check. What each test does with them it says.
"""

import re
from pathlib import Path

import pytest

from graders.checks import EXERCISES, CheckFailed, evidence
from graders.checks.programs import functions

PROGRAMS = Path(__file__).parent / "programs"
BY_ID = {exercise.id: exercise for exercise in EXERCISES}


def read(kind: str) -> dict[str, tuple[str, str]]:
    """ "exercise: title" -> (the exercise, the program)."""
    found = {}
    for path in sorted((PROGRAMS / kind).glob("*.txt")):
        for text in re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.M)[1:]:
            title, _, program = text.partition("\n")
            assert f"{path.stem}: {title}" not in found
            found[f"{path.stem}: {title}"] = path.stem, program
    return found


RIGHT, WRONG = read("right"), read("wrong")


@pytest.fixture
def seeded():
    """A function that begins a submission with a seed; the usual one counts again afterwards."""
    yield evidence.begin
    evidence.begin()


@pytest.mark.parametrize(("exercise", "program"), RIGHT.values(), ids=RIGHT)
def test_a_right_program_passes_however_it_is_written(exercise, program, seeded):
    for seed in (20, 301):
        seeded(seed)
        BY_ID[exercise].check(*functions(program, BY_ID[exercise].functions))
        assert evidence.held_so_far() >= 1


@pytest.mark.parametrize(("exercise", "program"), WRONG.values(), ids=WRONG)
def test_a_program_that_does_not_solve_it_is_refused_and_never_passes_by_luck(exercise, program, seeded):
    for seed in range(100, 130):
        seeded(seed)
        with pytest.raises(CheckFailed):
            BY_ID[exercise].check(*functions(program, BY_ID[exercise].functions))


def test_there_are_programs_of_both_kinds():
    assert {exercise for exercise, _ in RIGHT.values()} == set(BY_ID)
    assert {exercise for exercise, _ in WRONG.values()} < set(BY_ID)


@pytest.mark.parametrize("mistake", BY_ID["next-token-loss"].mistakes, ids=lambda mistake: mistake.id)
def test_no_two_mistakes_in_a_loss_give_the_same_by_chance(mistake, seeded):
    check = BY_ID["next-token-loss"].check
    for seed in (20, 1109, 1291, *range(300, 305)):  # in the second and third values once coincided
        seeded(seed)
        with pytest.raises(CheckFailed) as caught:
            check(*functions(mistake.wrong, ("next_token_loss",)))
        assert caught.value.mistake is mistake, seed
