"""Pretrained backbones of the course: what there is, whether it is intact, and functions that load it.

The weights arrive as ordinary Python packages (`tlcourse setup` installs them) and are read from the
package's folder without importing it. Nothing here touches the network, and importing this package
brings in neither torch nor transformers: they load with the first model.
"""

from .convert import ConversionError, converted_folder, is_converted
from .registry import BACKBONES, Backbone, BackboneStatus, UnknownBackboneError, WeightFile, find_backbone
from .text import load_language_model, load_text_backbone
from .weights import (
    DamagedWeightsError,
    MissingWeightsError,
    WeightsError,
    backbone_folder,
    checked_folder,
    status,
)

__all__ = [
    "BACKBONES",
    "Backbone",
    "BackboneStatus",
    "ConversionError",
    "DamagedWeightsError",
    "MissingWeightsError",
    "TextClassifier",
    "UnknownBackboneError",
    "WeightFile",
    "WeightsError",
    "backbone_folder",
    "checked_folder",
    "converted_folder",
    "find_backbone",
    "is_converted",
    "load_language_model",
    "load_text_backbone",
    "mean_pool",
    "status",
]


def __getattr__(name: str):
    if name in ("TextClassifier", "mean_pool"):  # torch classes: loaded when first asked for
        from . import classifier

        return getattr(classifier, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
