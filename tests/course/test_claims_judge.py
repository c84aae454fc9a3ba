"""A claim holds when every seed is in its favour and the paired interval lies above zero."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.claims import Claim, ClaimError, Lesson, judge, share_right
from tlwidgets.train import Run

pytestmark = pytest.mark.slow

CLAIM = Claim("more", "01", "A is more than B.", "experiment", "a", "b")
ZERO = Claim("none", "01", "Nothing changed.", "experiment", "changed", unit="tensors")
fractions = st.floats(0, 1)


def seeds(*pairs):
    return [{"a": a, "b": b} for a, b in pairs]


@settings(deadline=None)  # the first example imports scipy
@given(st.lists(st.tuples(fractions, fractions), min_size=2, max_size=9))
def test_the_interval_holds_the_mean_difference_and_swapping_sides_turns_it_round(pairs):
    forth = judge(CLAIM, seeds(*pairs))
    back = judge(CLAIM, seeds(*((b, a) for a, b in pairs)))
    assert forth.low - 1e-9 <= forth.difference <= forth.high + 1e-9
    assert forth.difference == pytest.approx(100 * sum(a - b for a, b in pairs) / len(pairs), abs=1e-9)
    assert (back.low, back.high) == pytest.approx((-forth.high, -forth.low), abs=1e-9)
    assert not (forth.holds and back.holds)


def test_a_claim_holds_when_every_seed_agrees():
    verdict = judge(CLAIM, seeds((0.8, 0.6), (0.7, 0.6), (0.75, 0.6)))
    assert verdict.holds and verdict.in_favour == verdict.seeds == 3
    assert (verdict.this, verdict.against, verdict.difference) == pytest.approx((75.0, 60.0, 15.0))


def test_one_seed_against_is_enough_to_refuse():
    verdict = judge(CLAIM, seeds((0.9, 0.1), (0.9, 0.1), (0.9, 0.1), (0.9, 0.1), (0.5, 0.6)))
    assert verdict.in_favour == 4 and not verdict.holds
    assert "does NOT hold" in str(verdict)


def test_an_interval_that_reaches_below_zero_is_enough_to_refuse():
    verdict = judge(CLAIM, seeds((0.51, 0.50), (0.99, 0.50)))
    assert verdict.in_favour == 2 and verdict.low < 0 and not verdict.holds


def test_a_claim_of_nothing_holds_only_at_zero():
    assert judge(ZERO, [{"changed": 0.0}] * 5).holds
    refused = judge(ZERO, [{"changed": 0.0}] * 4 + [{"changed": 1.0}])
    assert not refused.holds and "0.2 tensors where 0 were claimed" in str(refused)


def test_an_interval_known_by_hand():
    # differences 1, 2, 3 points: mean 2, standard error 1/sqrt(3), t(0.975, 2) = 4.3027
    verdict = judge(CLAIM, seeds((0.01, 0), (0.02, 0), (0.03, 0)))
    assert (verdict.low, verdict.high) == pytest.approx((2 - 4.3027 / 3**0.5, 2 + 4.3027 / 3**0.5), abs=1e-3)


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_a_missing_or_endless_number_is_named(value):
    with pytest.raises(ClaimError, match="needs the number 'b' from 'experiment'"):
        judge(CLAIM, [{"a": 1.0, "b": value}] * 3)


def test_one_seed_is_too_few():
    with pytest.raises(ClaimError, match="at least 2 seeds"):
        judge(CLAIM, seeds((1, 0)))


def test_a_claim_must_rest_on_an_experiment_of_its_lesson():
    with pytest.raises(ClaimError, match="which lesson 01 does not have; it has other"):
        Lesson("01", {"other": lambda seed: {}}, (CLAIM,))


def test_perplexities_are_shown_as_they_are():
    claim = Claim("less", "00", "It falls.", "experiment", "before", "after", unit="perplexity")
    verdict = judge(claim, [{"before": 160.0 + seed, "after": 110.0} for seed in range(3)])
    assert (verdict.this, verdict.against) == (161.0, 110.0)
    assert "+51.0 perplexity" in str(verdict)


def test_a_run_without_test_examples_has_no_share_that_could_be_claimed():
    assert share_right(Run({}, test_accuracy=0.75)) == 0.75
    with pytest.raises(ValueError, match="not scored on test examples"):
        share_right(Run({}))
