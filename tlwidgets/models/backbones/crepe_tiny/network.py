"""CREPE (tiny), a network that hears pitch, with nothing but torch: the architecture, names in the file, and
the pitch.

Source: J. W. Kim, J. Salamon, P. Li and J. P. Bello (2018), CREPE: A Convolutional Representation for Pitch
Estimation.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_CHANNELS = (1, 128, 16, 16, 16, 32, 64)
WIDTH, BINS = 256, 360
_FIRST_CENTS, _CENTS_A_BIN = 1997.3794084376191, 20  # above 10 Hz: bin 0 is the note C1 (32.70 Hz)
_NEIGHBOURS = 4


class PitchLayer(nn.Module):
    """Convolution, ReLU, BatchNorm, and the larger of each two neighbours."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, momentum: float):
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, kernel, stride)
        self.norm = nn.BatchNorm1d(outputs, eps=1e-3, momentum=momentum)
        padding = kernel - stride
        self.padding = (padding // 2, padding - padding // 2)  # as many steps come out as strides fit in

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool1d(self.norm(F.relu(self.conv(F.pad(x, self.padding)))), 2)


class Crepe(nn.Module):
    """Windows (sounds, windows, 1024) of sound, each of mean 0 and deviation 1, to features (sounds, windows,
    256).

    `momentum` is how far a batch moves BatchNorm's running statistics.
    """

    def __init__(self, momentum: float = 0.01):
        super().__init__()
        self.layers = nn.ModuleList(
            PitchLayer(inputs, outputs, 64 if place else 512, 1 if place else 4, momentum)
            for place, (inputs, outputs) in enumerate(zip(_CHANNELS, _CHANNELS[1:], strict=False))
        )

    def forward(self, windows: Tensor) -> Tensor:
        sounds, count, samples = windows.shape
        x = windows.reshape(sounds * count, 1, samples)
        for layer in self.layers:
            x = layer(x)
        return x.transpose(1, 2).reshape(
            sounds, count, WIDTH
        )  # time before channels, as the source head reads them


create = Crepe


def split_state(state: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The published weights as those of a `Crepe`, and of the linear layer over its 360 steps of pitch."""
    backbone = {}
    for name, tensor in state.items():
        part, _, kind = name.partition(".")
        if part == "classifier":
            continue
        layer = int(part.removeprefix("conv").removesuffix("_BN")) - 1
        ours = "norm" if part.endswith("_BN") else "conv"
        # The file has convolutions over pictures one pixel wide.
        backbone[f"layers.{layer}.{ours}.{kind}"] = tensor.squeeze(-1) if tensor.dim() == 4 else tensor
    return backbone, {"weight": state["classifier.weight"], "bias": state["classifier.bias"]}


def pitch_in_hertz(scores: Tensor) -> Tensor:
    """The pitch that the source head's scores (..., 360) stand for, of shape (...), in hertz.

    As in the paper: the mean of the steps around the likeliest one, weighted by how likely each is. A window
        without a
    pitch gets a number too; the largest `scores.sigmoid()` says how sure the network is.
    """
    if scores.shape[-1] != BINS:
        raise ValueError(
            f"These scores have shape {tuple(scores.shape)}, and {BINS} steps of pitch were expected last: "
            "pass the output of `load_source_head('crepe-tiny')`."
        )
    steps = torch.arange(BINS, device=scores.device)
    near = (steps - scores.argmax(-1, keepdim=True)).abs() <= _NEIGHBOURS
    weights = scores.sigmoid() * near
    cents = _FIRST_CENTS + _CENTS_A_BIN * (weights * steps).sum(-1) / weights.sum(-1)
    return 10 * 2 ** (cents / 1200)
