"""Training: the engine, what steers it, and the records it leaves."""

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
from .optim import discriminative_rates, gradual_unfreezing
from .records import Costs, Curves, Run, RunFileError
from .trace import Trace

__all__ = [
    "CheckpointError",
    "Control",
    "Costs",
    "Curves",
    "EpochEnded",
    "Event",
    "FeatureCache",
    "FeaturesComputed",
    "Finished",
    "Paused",
    "PlanChanged",
    "Resumed",
    "Run",
    "RunFileError",
    "Started",
    "Stepped",
    "TaskData",
    "Trace",
    "TrainingError",
    "discriminative_rates",
    "fit",
    "gradual_unfreezing",
]
