"""The feature cache: what is frozen below the first layer that learns is computed once.

`prefix` finds that part, `replay` runs the model on what it put out, `store` keeps it, `key` names it, and `frozen` puts
them together for a run. `once` is for models that train on features alone.
"""

from .frozen import CacheReport, FrozenFeatures, Interrupted
from .once import frozen_features
from .store import FeatureCache, FeatureStoreError

__all__ = [
    "CacheReport",
    "FeatureCache",
    "FeatureStoreError",
    "FrozenFeatures",
    "Interrupted",
    "frozen_features",
]
