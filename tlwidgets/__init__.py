"""Freeze and thaw the layers of real models, train them, and see what happened.

Importing this package is quick: torch and transformers load when a name is first used.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

_HOME = {
    "ModelTree": "core",
    "FreezePlan": "core",
    "Policy": "core",
    "apply_plan": "core",
    "audit": "core",
    "estimate_cost": "core",
    "plan_code": "core",
    "fit": "train",
    "Run": "train",
    "FreezePanel": "views",
    "TrainPanel": "views",
    "Predict": "views",
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
