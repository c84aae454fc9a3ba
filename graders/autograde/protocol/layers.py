"""PyTorch layers that can be rebuilt from a description: class by name, attributes, weights by value."""

from __future__ import annotations

from torch import nn

_NAMES = (
    *("Linear", "Bilinear", "Identity", "Flatten", "Unflatten", "Embedding", "EmbeddingBag"),
    *("Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d"),
    *("MaxPool1d", "MaxPool2d", "AvgPool1d", "AvgPool2d"),
    *("AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d"),
    *("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "LayerNorm", "GroupNorm", "RMSNorm"),
    *("InstanceNorm1d", "InstanceNorm2d"),
    *("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout"),
    *(
        "ReLU",
        "ReLU6",
        "LeakyReLU",
        "PReLU",
        "ELU",
        "SELU",
        "CELU",
        "GELU",
        "SiLU",
        "Mish",
        "Tanh",
        "Sigmoid",
    ),
    *("Hardtanh", "Hardswish", "Hardsigmoid", "Softplus", "Softsign", "LogSigmoid", "GLU"),
    *("Softmax", "LogSoftmax", "Softmin"),
    *("CrossEntropyLoss", "NLLLoss", "MSELoss", "L1Loss", "SmoothL1Loss", "BCELoss", "BCEWithLogitsLoss"),
    *("Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict"),
)

LAYERS: dict[str, type[nn.Module]] = {name: getattr(nn, name) for name in _NAMES if hasattr(nn, name)}
NAME_OF_LAYER = {cls: name for name, cls in LAYERS.items()}


def empty(cls: type[nn.Module]) -> nn.Module:
    """An instance whose constructor did not run; its attributes, weights and children are filled in later."""
    module = cls.__new__(cls)
    nn.Module.__init__(module)
    return module
