"""The widgets: one line each. `lazy.offer` reads it, and so do type checkers and editors."""

from .arena.panel import ArenaPanel as ArenaPanel
from .base.progress import progress_bar as progress_bar
from .drift.panel import DriftPanel as DriftPanel
from .embedding.panel import EmbeddingMap as EmbeddingMap
from .fork.panel import ForkPanel as ForkPanel
from .freeze.panel import FreezePanel as FreezePanel
from .media.panel import MediaInput as MediaInput
from .predict.panel import Predict as Predict
from .retrieval.panel import RetrievalGrid as RetrievalGrid
from .switchboard.panel import ModalitySwitchboard as ModalitySwitchboard
from .train.panel import TrainPanel as TrainPanel
from .unfreeze.panel import UnfreezeSchedulePanel as UnfreezeSchedulePanel
