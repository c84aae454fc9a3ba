"""Lesson 02, "Transfer learning, fine-tuning or from scratch?": three exercises, 5 XP."""

from .layer_rates import LAYER_RATES, check_layer_rates
from .pick import PICK, check_pick
from .set_dial import SET_DIAL, check_set_dial

EXERCISES = (SET_DIAL, LAYER_RATES, PICK)

__all__ = ["EXERCISES", "check_layer_rates", "check_pick", "check_set_dial"]
