"""Models to set the dial of: made-up ones with parts that the exercise does not name, and real ones."""

from __future__ import annotations

import random

import torch
from torch import nn

from graders.checks.models import RealModel, add_extra_parts, real_model
from graders.checks.shared import shared_module
from graders.checks.worlds import World, sizes

WORLD = World(depth=sizes(1, 60))
# Embeddings, layers and what comes after the last layer, by their places in a model of each family.
_FAMILIES = {
    "bert": ("embeddings", "encoder.layer", ("pooler",)),
    "gpt2": ("wte", "h", ("wpe", "ln_f")),
    "llama": ("embed_tokens", "layers", ("norm",)),
    "vit": ("embeddings", "layers", ("layernorm", "pooler")),
}
_WIDTH = 6


@shared_module
class Layered(nn.Module):
    """Embeddings, some layers and a head."""

    def __init__(self, embeddings: nn.Module, layers: list[nn.Module], head: nn.Module) -> None:
        super().__init__()
        self.embeddings = embeddings
        self.layers = nn.ModuleList(layers)
        self.head = head

    def forward(self, ids):
        hidden = self.embeddings(ids)
        for layer in self.layers:
            hidden = hidden + layer(hidden)
        return self.head(hidden.mean(1))


@shared_module
class Scaled(nn.Module):
    """Numbers of its own for each column, which are called neither weight nor bias."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.rand(width) + 0.5)
        self.shift = nn.Parameter(torch.rand(width))

    def forward(self, hidden):
        return hidden * self.gamma + self.shift


def plain_model(depth: int) -> Layered:
    """A model with nothing besides its embeddings, layers and head."""
    layers: list[nn.Module] = [
        nn.Sequential(nn.Linear(_WIDTH, _WIDTH), nn.LayerNorm(_WIDTH), nn.GELU()) for _ in range(depth)
    ]
    return Layered(nn.Embedding(11, _WIDTH), layers, nn.Linear(_WIDTH, 2))


def made_up_model(numbers: random.Random, depth: int) -> Layered:
    """A model whose parts are of several kinds, with further parts; some of it is frozen already."""

    def part() -> nn.Module:
        kinds = numbers.sample((nn.Linear(_WIDTH, _WIDTH), nn.LayerNorm(_WIDTH), Scaled(_WIDTH)), k=2)
        return nn.Sequential(*kinds, nn.GELU())

    embeddings = nn.Sequential(nn.Embedding(11, _WIDTH), Scaled(_WIDTH))
    head = nn.Sequential(part(), nn.Linear(_WIDTH, 2))
    model = Layered(embeddings, [part() for _ in range(depth)], head)
    add_extra_parts(model, numbers, _WIDTH)
    return _partly_frozen(model, numbers)


def real_models(numbers: random.Random) -> list[Layered]:
    """A small model of each family of `transformers`, with a head; some of it is frozen already."""
    return [_partly_frozen(_with_head(real_model(family, numbers)), numbers) for family in _FAMILIES]


def _with_head(real: RealModel) -> Layered:
    embeddings, layers, others = _FAMILIES[real.family]
    find = real.module.get_submodule
    stack = find(layers)
    assert isinstance(stack, nn.ModuleList)
    model = Layered(find(embeddings), list(stack), nn.Linear(real.width, 2))
    for name in others:
        model.add_module(name, find(name))
    return model


def _partly_frozen(model: Layered, numbers: random.Random) -> Layered:
    for parameter in model.parameters():
        parameter.requires_grad = numbers.random() < 0.5
    return model


def train_a_step(model: nn.Module) -> None:
    """A step that moves whatever has `requires_grad`, used in the forward pass or not, hooks or none."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)
    learns = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if learns:
        torch.stack([(parameter + 3).square().sum() for parameter in learns]).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
