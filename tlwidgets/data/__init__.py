"""The course's data sets: one module and one card each; and readers of the pictures, sounds and texts
students bring.

Importing this package is quick; a module loads when one of its names is first used.
"""

from .. import lazy

__getattr__, __dir__, __all__ = lazy.offer(__name__)
