"""Embeddings of objects, drawn from a wide world, for the contrastive loss."""

from __future__ import annotations

import math
import random

import torch
from torch import Tensor

from graders.checks.worlds import World, normal, reals, sizes

# Lengths and scales are such that an answer in float32 has enough digits.
WORLD = World(
    examples=sizes(2, 170),
    width=sizes(2, 512),
    different=sizes(1, 60),
    first=sizes(1, 20_000),
    length=reals(0.02, 100),
    scale=reals(0.1, 150),
    fits=lambda examples, width, first, **_: examples * width < 22_000 and examples * first < 200_000,
)


def draw(
    numbers: random.Random,
    twins: bool = True,
    examples: int = 5,
    width: int = 4,
    different: int = 3,
    first: int = 20,
    length: float = 1.0,
    scale: float = 3.0,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Random embeddings, of different objects or of some that are repeated.

    Their numbers follow each other, or are the same in their last eight bits.
    """
    several = min(different, examples - 1) if twins else examples
    objects = [first + place // 2 + 256 * (place % 2) for place in range(several)]
    objects += numbers.choices(objects, k=examples - several)
    numbers.shuffle(objects)
    image, text = (
        normal(numbers, examples, width)
        * torch.tensor([[length * numbers.uniform(0.3, 3.0)] for _ in range(examples)])
        for _ in range(2)
    )
    return image, text, torch.tensor(objects), torch.tensor(math.log(scale))
