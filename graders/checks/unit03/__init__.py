"""Lesson 03, "Multimodal models": four exercises, 5 XP."""

from .contrastive_loss import CONTRASTIVE_LOSS, check_contrastive_loss
from .fuse_late import FUSE_LATE, check_fuse_late
from .really_uses import REALLY_USES, check_really_uses
from .split_clips import SPLIT_CLIPS, check_split_clips

EXERCISES = (CONTRASTIVE_LOSS, REALLY_USES, SPLIT_CLIPS, FUSE_LATE)

__all__ = [
    "EXERCISES",
    "check_contrastive_loss",
    "check_fuse_late",
    "check_really_uses",
    "check_split_clips",
]
