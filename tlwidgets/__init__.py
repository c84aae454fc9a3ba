"""Freeze and thaw the layers of real models, train them, and see what happened.

Importing this package is quick: torch and transformers load when a name is first used.
"""

import os
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

# OpenMP's threads wait for each other hundreds of times in each step. Awake for long, they take the cores from those that
# work, and where others compute as well a lesson lasts many times as long; asleep at once, being woken takes a third of the
# time of small models. So they stay awake for some microseconds. It counts only if it is set before torch loads.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ |= {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": os.environ.get("GOMP_SPINCOUNT", "1000")}

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
