"""XP never falls when a score rises; ranks come in order; a point is an XP."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.xp import BADGES, RANKS, Student, standing

pytestmark = pytest.mark.slow

scores = st.dictionaries(
    st.sampled_from(["00", "01", "02", "03", "P1", "P2", "P3"]),
    st.tuples(st.floats(0, 15), st.just(15.0)),
)


def student(units) -> Student:
    return Student("ada", "Ada Lovelace", units)


@given(scores)
def test_a_point_is_an_xp(units):
    assert standing(student(units)).xp == sum(score for score, _ in units.values())


@given(scores, st.sampled_from(["00", "01", "P1"]), st.floats(0, 5))
def test_more_points_never_cost_xp_rank_or_badges(units, unit, more):
    score, best = units.get(unit, (0.0, 15.0))
    before, after = (
        standing(student(units)),
        standing(student({**units, unit: (min(best, score + more), best)})),
    )
    assert after.xp >= before.xp - 1e-9
    assert after.level >= before.level
    assert set(before.badges) <= set(after.badges)


@given(scores)
def test_the_rank_is_the_highest_whose_threshold_is_reached(units):
    one = standing(student(units))
    assert one.rank == RANKS[one.level - 1].title
    assert RANKS[one.level - 1].xp <= one.xp + 1e-6
    assert one.level == len(RANKS) or one.xp < RANKS[one.level].xp
    assert one.to_next >= 0


def test_a_penalty_larger_than_the_points_counts_as_none():
    assert standing(student({"01": (-3.0, 5.0), "02": (4.0, 5.0)})).xp == 4


def test_ranks_and_badges():
    assert standing(student({})).rank == "commis"
    assert standing(student({"01": (5.0, 5.0)})).badges == ("first-plate", "clean-plate")
    every = {f"{number:02}": (5.0, 5.0) for number in range(13)}
    assert standing(student(every)).rank == "chef"
    assert standing(student(every)).badges == tuple(badge.id for badge in BADGES)
    assert standing(student(every)).next_rank == ""
