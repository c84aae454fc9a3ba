"""Lesson 01, "Transfer learning": three exercises, 5 XP."""

from .build_head import BUILD_HEAD, check_build_head
from .choose_plan import CHOOSE_PLAN, check_choose_plan
from .freeze_backbone import FREEZE_BACKBONE, check_freeze_backbone

EXERCISES = (BUILD_HEAD, FREEZE_BACKBONE, CHOOSE_PLAN)

__all__ = ["EXERCISES", "check_build_head", "check_choose_plan", "check_freeze_backbone"]
