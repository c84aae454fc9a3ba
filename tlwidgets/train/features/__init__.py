"""The feature cache: what is frozen below the first layer that learns is computed once.

`prefix` finds that part, `replay` runs the model on what it put out, `store` keeps it, and `key` names it.
`prefix_features` puts them together for given data, and `during_run` decides, while a run trains, when they
are used. `extract` is for models that train on features alone.
"""

from .during_run import RunFeatures
from .extract import frozen_features
from .prefix_features import CacheReport, PrefixFeatures
from .store import FeatureCache, FeatureStoreError

__all__ = [
    "CacheReport",
    "FeatureCache",
    "FeatureStoreError",
    "PrefixFeatures",
    "RunFeatures",
    "frozen_features",
]
