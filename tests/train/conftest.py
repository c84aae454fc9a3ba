"""A small task that a small network learns in a moment."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tlwidgets.train import TaskData


def examples(number: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Two classes of points in four dimensions, told apart by a line."""
    inputs = torch.randn(number, 4, generator=torch.Generator().manual_seed(seed))
    return inputs, (inputs.sum(1) > 0).long()


@pytest.fixture
def data() -> TaskData:
    return TaskData(examples(64, 1), examples(32, 2), examples(32, 3))


@pytest.fixture
def make_model():
    """`make_model(seed=0)`: layers with weights, running statistics and dropout, and a head."""

    def make(seed: int = 0) -> nn.Sequential:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return nn.Sequential(
                nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2)
            )

    return make
