"""Training: the engine, what steers it, and the records it leaves."""

from .arena import Arena, ArenaError, ArenaResult, Bout, Contender, Paired, Standing
from .checkpoint import CheckpointError
from .control import Control
from .data import TaskData
from .engine import TrainingError, fit
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
)
from .features import FeatureCache
from .language import next_token_loss, perplexity
from .lora import add_lora, merge_lora
from .optim import discriminative_rates, gradual_unfreezing
from .range_test import RangeTest, lr_range_test
from .records import Costs, Curves, Run, RunFileError
from .trace import Trace

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
    "Paired",
    "Paused",
    "PlanChanged",
    "RangeTest",
    "Resumed",
    "Run",
    "RunFileError",
    "Standing",
    "Started",
    "Stepped",
    "TaskData",
    "Trace",
    "TrainingError",
    "add_lora",
    "discriminative_rates",
    "fit",
    "gradual_unfreezing",
    "lr_range_test",
    "merge_lora",
    "next_token_loss",
    "perplexity",
]
