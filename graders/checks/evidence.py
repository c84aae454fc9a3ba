"""What a check leaves behind as proof for a grader: how many comparisons held, and the seed of its inputs.

Under stock nbgrader, and in a notebook, nobody reads the count and the seed is 20. `graders.autograde` gives
each submission a seed of its own and gives no points to a check that compared nothing.
"""

from __future__ import annotations

from tlwidgets.moved import renamed_in

__all__ = ["comparisons_so_far", "count_comparison", "seed_of_submission"]

__getattr__ = renamed_in(__name__)

DEFAULT_SEED = 20

_seed, _count = DEFAULT_SEED, 0


def count_comparison(count: int = 1) -> None:
    """Count a comparison of something the student made that came out right; a point needs at least one."""
    global _count
    _count += count


def comparisons_so_far() -> int:
    """How many comparisons held since the last `begin`."""
    return _count


def seed_of_submission() -> int:
    """The seed of the hidden inputs, the same each time the same submission is graded."""
    return _seed


def begin(seed: int = DEFAULT_SEED) -> None:
    """Start counting at 0, for a submission with this seed."""
    global _seed, _count
    _seed, _count = seed, 0
