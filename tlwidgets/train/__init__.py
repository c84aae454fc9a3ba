"""Training: the engine, what steers it, and the records it leaves."""

from .control import Control
from .data import TaskData
from .engine import TrainingError, fit
from .events import EpochEnded, Event, Finished, Paused, PlanChanged, Resumed, Started, Stepped
from .records import Costs, Curves, Run, RunFileError

__all__ = [
    "Control",
    "Costs",
    "Curves",
    "EpochEnded",
    "Event",
    "Finished",
    "Paused",
    "PlanChanged",
    "Resumed",
    "Run",
    "RunFileError",
    "Started",
    "Stepped",
    "TaskData",
    "TrainingError",
    "fit",
]
