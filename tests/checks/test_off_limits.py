"""An answer may import our library, but not call the very function that its exercise asks for."""

import copy
import sys

import pytest
import torch

from graders.off_limits import names_off_limits, off_limits
from tlwidgets.train import language

NAME = "tlwidgets.train.language.next_token_loss"
GIVEN = (torch.zeros(1, 3, 4), torch.ones(1, 3, dtype=torch.long))
kept = language.next_token_loss


def through_the_module():
    return language.next_token_loss(*GIVEN)


def through_a_name_that_was_kept():
    return kept(*GIVEN)


def through_its_helper():
    return language._losses(*GIVEN, "mean")


def imported_when_called():
    from tlwidgets.train.language import next_token_loss as theirs

    return theirs(*copy.deepcopy(GIVEN))


WAYS = [through_the_module, through_a_name_that_was_kept, imported_when_called]


@pytest.mark.parametrize("way", WAYS)
def test_a_function_off_limits_raises_however_it_is_reached_and_only_then(way):
    before = way()
    with off_limits([NAME]), pytest.raises(RuntimeError, match=f"{NAME} does what this exercise asks for"):
        way()
    assert torch.equal(way(), before)


@pytest.mark.parametrize("way", [*WAYS, through_its_helper])
def test_a_module_off_limits_takes_all_its_functions_along(way):
    with off_limits(["tlwidgets.train.language"]), pytest.raises(RuntimeError, match="write it yourself"):
        way()
    assert way().dim() == 0


def test_a_class_takes_its_methods_along_and_a_decorator_hides_nothing():
    class Doubles:
        @torch.no_grad()
        def forward(self):
            return 2

    sys.modules[__name__].Doubles = Doubles
    with off_limits([f"{__name__}.Doubles"]), pytest.raises(RuntimeError, match="Expected your own code"):
        Doubles().forward()
    assert Doubles().forward() == 2


def test_what_is_off_limits_is_known_by_name_and_may_nest():
    with off_limits([NAME]):
        with off_limits(["tlwidgets.core.apply.freeze"]):
            assert names_off_limits() == (NAME, "tlwidgets.core.apply.freeze")
        with pytest.raises(RuntimeError):
            through_the_module()
    assert names_off_limits() == ()


@pytest.mark.parametrize("name", ["tlwidgets.nothing", "nowhere.at_all", "tlwidgets.train.language.nothing"])
def test_a_name_of_nothing_is_the_author_s_mistake(name):
    with pytest.raises((AttributeError, ImportError)), off_limits([name]):
        pass
