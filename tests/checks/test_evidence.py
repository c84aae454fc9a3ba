"""Checks say what held, and find the same mistakes whatever their hidden inputs are."""

import pytest
import torch
from torch import nn

from graders.checks import EXERCISES, CheckFailed, evidence
from graders.checks.compare import same
from graders.checks.shared import is_shared, shared_module

SEEDS = (1, 2**31, 2**62)


@pytest.fixture(autouse=True)
def stock_seed():
    yield
    evidence.begin()
    assert evidence.seed_of_submission() == evidence.DEFAULT_SEED


def run(exercise, program: str) -> None:
    names = {"torch": torch, "nn": nn}
    exec(program, names)
    exercise.check(*(names[name] for name in exercise.functions))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_every_program_gets_the_same_result_for_any_seed(exercise, seed):
    for program in exercise.right:
        evidence.begin(seed)
        run(exercise, program)
        assert evidence.held_so_far() >= 1
    for mistake in exercise.mistakes:
        evidence.begin(seed)
        with pytest.raises(CheckFailed) as caught:
            run(exercise, mistake.wrong)
        assert caught.value.mistake is mistake


def test_a_comparison_counts_once_and_only_if_it_holds():
    evidence.begin()
    same([1, [2.0, {"a": torch.ones(2)}]], [1, [2.0, {"a": torch.ones(2)}]], "it")
    assert evidence.held_so_far() == 1
    with pytest.raises(CheckFailed):
        same([1, 2], [1, 3], "it")
    assert evidence.held_so_far() == 1


def test_the_seed_is_what_a_check_draws_from():
    choose, right = next((one, one.right[0]) for one in EXERCISES if one.id == "choose-plan")

    def inputs(seed: int) -> list[str]:
        drawn, names = [], {}
        exec(right, names)
        evidence.begin(seed)
        choose.check(lambda runs, limit: drawn.append(str(runs)) or names["choose_plan"](runs, limit))
        return drawn

    assert inputs(1) == inputs(1) != inputs(2)


def test_only_marked_classes_are_shared():
    class Own(nn.Module):
        pass

    assert not is_shared(Own)
    assert shared_module(Own) is Own and is_shared(Own)
