"""Checks count the comparisons that held, and draw their inputs from the submission's seed."""

import pytest
import torch
from torch import nn

from graders.checks import EXERCISES, CheckFailed, evidence
from graders.checks.compare import same
from graders.checks.shared import is_shared, shared_module


@pytest.fixture(autouse=True)
def stock_seed():
    yield
    evidence.begin()
    assert evidence.seed_of_submission() == evidence.DEFAULT_SEED


def test_a_comparison_counts_once_and_only_if_it_holds():
    evidence.begin()
    same([1, [2.0, {"a": torch.ones(2)}]], [1, [2.0, {"a": torch.ones(2)}]], "it")
    assert evidence.comparisons_so_far() == 1
    with pytest.raises(CheckFailed):
        same([1, 2], [1, 3], "it")
    assert evidence.comparisons_so_far() == 1


def test_the_seed_is_what_a_check_draws_from():
    choose = next(one for one in EXERCISES if one.id == "choose-plan")
    right = choose.right["mean_of_each_plan"]

    def inputs(seed: int) -> list[str]:
        drawn, names = [], {}
        exec(right, names)
        evidence.begin(seed)
        choose.check(lambda runs, limit=None: drawn.append(str(runs)) or names["choose_plan"](runs, limit))
        return drawn

    assert inputs(1) == inputs(1) != inputs(2)


def test_only_marked_classes_are_shared():
    class Own(nn.Module):
        pass

    assert not is_shared(Own)
    assert shared_module(Own) is Own and is_shared(Own)
