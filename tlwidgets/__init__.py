"""Freeze and thaw the layers of real models, train them, and see what happened.

Importing this package is quick: torch and transformers load when a name is first used.
"""

import os
from importlib.metadata import PackageNotFoundError, version

from . import lazy, moved

# OpenMP's threads wait for each other hundreds of times in each step. If they stay awake for long, they take
# the cores from those that work, and where others compute as well a lesson lasts many times as long; if they
# sleep at once, waking them takes a third of the time of small models. So they stay awake for some
# microseconds. It counts only if it is set before torch loads.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ |= {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": os.environ.get("GOMP_SPINCOUNT", "1000")}

moved.install()

__getattr__, __dir__, __all__ = lazy.offer(__name__)

try:
    __version__ = version("transfer-learning-course")
except PackageNotFoundError:  # a source tree that is not installed
    __version__ = "0+unknown"
