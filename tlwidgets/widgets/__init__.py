"""The widgets: traits and messages only. What they do is in `core` and `train`; each has a static view beside
it."""

from .. import lazy

__getattr__, __dir__, __all__ = lazy.offer(__name__)
