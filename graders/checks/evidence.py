"""What a check leaves behind for a grader that asks for proof: how many comparisons held, and the seed of its inputs.

Under stock nbgrader, and in a notebook, nobody reads the count and the seed is 20. `graders.autograde` gives each submission
a seed of its own and gives no points to a check that compared nothing.
"""

from __future__ import annotations

DEFAULT_SEED = 20

_seed, _held = DEFAULT_SEED, 0


def held(count: int = 1) -> None:
    """Say that a comparison of something the student made came out as it should."""
    global _held
    _held += count


def held_so_far() -> int:
    """How many comparisons held since the last `begin`."""
    return _held


def seed_of_submission() -> int:
    """What hidden inputs are drawn from; the same for each run of the same submission."""
    return _seed


def begin(seed: int = DEFAULT_SEED) -> None:
    """Start counting at 0, for a submission with this seed."""
    global _seed, _held
    _seed, _held = seed, 0
