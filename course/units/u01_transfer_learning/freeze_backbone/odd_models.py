"""Models that have more in them than a chain of layers: any depth and names, real ones of `transformers`."""

from __future__ import annotations

import random

import torch
from torch import Tensor, nn

from graders.checks.models import RealModel, real_model
from graders.checks.shared import shared_module
from graders.checks.worlds import names, sizes

__all__ = ["odd_models"]

_DEPTH, _LAYERS, _WIDTH, _CLASSES = sizes(1, 5), sizes(7, 14), sizes(2, 40), sizes(2, 12)
_HEAD_NAMES = names("dense", "dropout", "classifier", identifiers=True)
_NAMES = names("embeddings", "encoder", "layers", "norm", "pooler", identifiers=True)


@shared_module
class Chain(nn.Module):
    """Parts one after the other, under any names."""

    def __init__(self, parts: dict[str, nn.Module]) -> None:
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)
        self.order = list(parts)

    def forward(self, x):
        for name in self.order:
            x = getattr(self, name)(x)
        return x


@shared_module
class Parts(nn.Module):
    """The same, with a weight and a buffer of its own. A shared class has to stand alone."""

    def __init__(self, parts: dict[str, nn.Module], width: int) -> None:
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)
        self.order = list(parts)
        self.token = nn.Parameter(torch.randn(width))
        self.register_buffer("offset", torch.randn(width))

    def forward(self, x):
        x = x + self.token + self.offset
        for name in self.order:
            x = getattr(self, name)(x)
        return x


@shared_module
class Whole(nn.Module):
    """A backbone and a head. The head may come first, and a part of it may be frozen from the start."""

    def __init__(self, backbone: nn.Module, head: nn.Module, head_first: bool) -> None:
        super().__init__()
        if head_first:
            self.head, self.backbone = head, backbone
        else:
            self.backbone, self.head = backbone, head

    def forward(self, x):
        return self.head(self.backbone(x))


class RealWhole(Whole):
    """The same on top of a real model, whose vectors the head gets."""

    def __init__(self, real: RealModel, head: nn.Module, head_first: bool) -> None:
        super().__init__(real.module, head, head_first)
        self._real = [real]

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self._real[0].vectors(x))


def odd_models(numbers: random.Random) -> list[tuple[nn.Module, Tensor, int]]:
    """Models, a few inputs for each, and how many classes they have."""
    found: list[tuple[nn.Module, Tensor, int]] = []
    for head_first in (True, False):
        width, classes = _WIDTH(numbers), _CLASSES(numbers)
        parts = {name: _part(numbers, width) for name in _NAMES(numbers, _DEPTH(numbers))}
        if head_first:  # and once a deep one, with more layers than the lesson's six
            last = list(parts)[-1]
            parts[last] = nn.Sequential(*(_part(numbers, width) for _ in range(_LAYERS(numbers))))
        model = Whole(Parts(parts, width), _head(numbers, width, classes), head_first)
        found.append((model, torch.randn(8, width), classes))
    for family in (numbers.choice(("bert", "vit")), "resnet"):
        real, classes = real_model(family, numbers, examples=8), _CLASSES(numbers)
        (x,) = real.inputs.values()
        found.append(
            (RealWhole(real, _head(numbers, real.width, classes), numbers.random() < 0.5), x, classes)
        )
    return found


def _part(numbers: random.Random, width: int) -> nn.Module:
    """A part two to four levels deep, with norms, dropout, and an activation that learns."""
    deep: nn.Module = nn.Sequential(nn.Linear(width, width), nn.PReLU(), nn.Dropout(0.3))
    for _ in range(numbers.randint(0, 2)):
        deep = nn.Sequential(deep, nn.LayerNorm(width))
    return nn.Sequential(deep, nn.BatchNorm1d(width)) if numbers.random() < 0.7 else deep


def _head(numbers: random.Random, width: int, classes: int) -> nn.Module:
    """A head of a single layer, or of a few, in a list or under any names.

    With more than one layer it has statistics of its own, which have to move, and a first layer that does not
    learn. Whatever learns in it gets a gradient in any case: no weight stands where a norm takes its effect
    away, and no activation has one that some inputs do not reach.
    """
    if numbers.random() < 0.2:
        return nn.Linear(width, classes)
    inner = [layer for _ in range(_DEPTH(numbers) - 1) for layer in (nn.Linear(6, 6), nn.Tanh())]
    first = nn.Linear(width, 6).requires_grad_(False)
    layers = [first, nn.BatchNorm1d(6), *inner, nn.Sequential(nn.Dropout(0.2), nn.Linear(6, classes))]
    if numbers.random() < 0.5:
        return nn.Sequential(*layers)
    return Chain(dict(zip(_HEAD_NAMES(numbers, len(layers)), layers, strict=True)))
