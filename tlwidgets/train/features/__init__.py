"""The feature cache: what is frozen below the first layer that learns is computed once.

`prefix` finds that part, `replay` runs the model on what it put out, `store` keeps it, `key` names it, and `frozen` puts
them together for a run.
"""

from .frozen import CacheReport, FrozenFeatures, Interrupted
from .store import FeatureCache, FeatureStoreError

__all__ = ["CacheReport", "FeatureCache", "FeatureStoreError", "FrozenFeatures", "Interrupted"]
