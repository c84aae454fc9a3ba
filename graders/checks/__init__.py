"""Checks of the course's exercises: each raises with the mistake it looks like, or returns None.

Lessons import them by name: `from graders.checks import check_build_head`.
"""

from .mistakes import CheckFailed, Exercise, Mistake
from .unit00 import EXERCISES as _UNIT_00
from .unit00 import check_lora_linear, check_next_token_loss, check_perplexity
from .unit01 import EXERCISES as _UNIT_01
from .unit01 import check_build_head, check_choose_plan, check_freeze_backbone
from .unit02 import EXERCISES as _UNIT_02
from .unit02 import check_layer_rates, check_pick, check_set_dial

EXERCISES: tuple[Exercise, ...] = (*_UNIT_00, *_UNIT_01, *_UNIT_02)

__all__ = [
    "EXERCISES",
    "CheckFailed",
    "Exercise",
    "Mistake",
    "check_build_head",
    "check_choose_plan",
    "check_freeze_backbone",
    "check_layer_rates",
    "check_lora_linear",
    "check_next_token_loss",
    "check_perplexity",
    "check_pick",
    "check_set_dial",
    "exercises",
]


def exercises(unit: str) -> tuple[Exercise, ...]:
    """The exercises of a unit ("01-transfer-learning"), in the lesson's order; none for an unknown one."""
    return tuple(exercise for exercise in EXERCISES if exercise.unit == unit)
