"""Freeze and thaw the layers of real models, train them, and see what happened.

Importing this package is quick: torch and transformers load when a name is first used.
"""

import os
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

# On a shared or small machine, OpenMP threads that wait should sleep: spinning, they take the cores from those that
# work, and a lesson lasts several times as long. It counts only if it is set before torch loads.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_HOME = {
    "ModelTree": "core",
    "FreezePlan": "core",
    "Policy": "core",
    "apply_plan": "core",
    "audit": "core",
    "estimate_cost": "core",
    "plan_code": "core",
    "fit": "train",
    "fork": "train",
    "Snapshots": "train",
    "Unfreezing": "train",
    "Run": "train",
    "FreezePanel": "views",
    "TrainPanel": "views",
    "ArenaPanel": "views",
    "DriftPanel": "views",
    "Predict": "views",
    "progress_bar": "views",
    "UnfreezeScore": "views",
    "ForkPanel": "views",
    "ModalitySwitchboard": "views",
    "RetrievalGrid": "views",
    "EmbeddingMap": "views",
    "MediaInput": "views",
}

__all__ = sorted(_HOME)

try:
    __version__ = version("transfer-learning-course")
except PackageNotFoundError:  # a source tree that is not installed
    __version__ = "0+unknown"


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"tlwidgets has no name {name!r}; it offers {', '.join(__all__)}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return __all__
