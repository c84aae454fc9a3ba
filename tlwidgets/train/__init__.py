"""Training: the engine, what steers it, and the records it leaves."""

from ..moved import renamed_in
from .arena import Arena, Contender
from .arena_result import ArenaError, ArenaResult, Bout, Paired, Standing
from .checkpoint import CheckpointError
from .config import TrainConfig, TrainOptions
from .contrastive import Pairs, contrastive_loss, fit_contrastive, info_nce
from .control import Control
from .data import TaskData
from .engine import fit
from .events import (
    EpochEnded,
    Event,
    FeaturesComputed,
    Finished,
    Paused,
    PlanChanged,
    Resumed,
    Started,
    Stepped,
    Traced,
)
from .failures import TrainingError
from .features import FeatureCache, frozen_features
from .fork import ForkError, fork, run_digest
from .language import next_token_loss, perplexity
from .lora import add_lora, merge_lora
from .modalities import MODES, ModeResult, measure_modes, switch_modalities, wilson_interval
from .optim import discriminative_rates, gradual_unfreezing
from .progress import progress_listener
from .range_test import RangeTest, lr_range_test
from .records import Costs, Curves, Run, RunFileError
from .retrieval import Retrieval, class_points, prompts, retrieval, zero_shot
from .snapshots import Snapshots
from .trace import Trace
from .unfreeze_schedule import UnfreezeSchedule

__all__ = [
    "Arena",
    "ArenaError",
    "ArenaResult",
    "Bout",
    "CheckpointError",
    "Contender",
    "Control",
    "Costs",
    "Curves",
    "EpochEnded",
    "Event",
    "FeatureCache",
    "FeaturesComputed",
    "Finished",
    "ForkError",
    "MODES",
    "ModeResult",
    "Paired",
    "Pairs",
    "Paused",
    "PlanChanged",
    "RangeTest",
    "Resumed",
    "Retrieval",
    "Run",
    "RunFileError",
    "Snapshots",
    "Standing",
    "Started",
    "Stepped",
    "TaskData",
    "Trace",
    "Traced",
    "TrainConfig",
    "TrainOptions",
    "TrainingError",
    "UnfreezeSchedule",
    "add_lora",
    "class_points",
    "contrastive_loss",
    "discriminative_rates",
    "fit",
    "fit_contrastive",
    "fork",
    "frozen_features",
    "gradual_unfreezing",
    "info_nce",
    "lr_range_test",
    "measure_modes",
    "merge_lora",
    "next_token_loss",
    "perplexity",
    "prompts",
    "retrieval",
    "run_digest",
    "zero_shot",
    "switch_modalities",
    "progress_listener",
    "wilson_interval",
]

__getattr__ = renamed_in(__name__)
