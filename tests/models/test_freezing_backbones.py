"""Freeze plans hold on the image and the audio backbone: frozen is bit-identical, BatchNorm's statistics
included.
"""

from __future__ import annotations

import pytest
import torch

from tlwidgets.core import FreezePlan, ModelTree, apply_plan, parameter_groups
from tlwidgets.models import AudioClassifier, ImageClassifier, load_audio_backbone, load_image_backbone

pytestmark = pytest.mark.slow


def image():
    model = ImageClassifier(load_image_backbone()[0], torch.nn.Linear(1280, 3))
    return model, lambda: torch.randn(4, 3, 64, 64), 16


def audio():
    model = AudioClassifier(load_audio_backbone()[0], torch.nn.Linear(256, 3))
    return model, lambda: torch.randn(4, 3, 1024), 6


def bits(model) -> dict[str, bytes]:
    return {
        name: tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        for name, tensor in model.state_dict().items()
    }


def train(model, plan, batch, steps: int = 2) -> None:
    """A loop that knows nothing of freezing."""
    optimizer = torch.optim.AdamW(parameter_groups(model, plan, 0.01), weight_decay=0.1)
    for _ in range(steps):
        model.train()
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(batch()), torch.tensor([0, 1, 2, 0])).backward()
        optimizer.step()


@pytest.mark.parametrize("make", [image, audio])
@pytest.mark.parametrize("preset", ["feature-extraction", "last", "full"])
def test_frozen_is_bit_identical_buffers_included_and_the_rest_learns(make, preset):
    torch.manual_seed(0)
    model, batch, _ = make()
    tree = ModelTree.of(model)
    plan = FreezePlan.preset(tree, preset)
    apply_plan(model, plan)
    before = bits(model)
    train(model, plan, batch)
    moved = {name for name, now in bits(model).items() if now != before[name]}
    buffers = {name for name, _ in model.named_buffers()}
    frozen = {name for group in tree.walk() if plan.state(group.id) == "frozen" for name in group.buffers}
    assert moved - buffers == set(plan.trainable)
    assert not moved & frozen
    assert bool(moved & buffers) == (preset != "feature-extraction")
    assert bool(frozen) == (preset != "full")


@pytest.mark.parametrize("make", [image, audio])
def test_without_a_plan_statistics_move_though_no_weight_learns(make):
    """What the plan is for: `requires_grad = False` alone does not freeze these models."""
    torch.manual_seed(0)
    model, batch, _ = make()
    model.backbone.requires_grad_(False)
    before = bits(model)
    with torch.no_grad():
        model.train()(batch())
    moved = {name for name, now in bits(model).items() if now != before[name]}
    assert any(name.endswith("running_mean") for name in moved)


@pytest.mark.parametrize("make", [image, audio])
def test_a_tree_shows_each_layer_and_the_head(make):
    model, _, layers = make()
    tree = ModelTree.of(model)
    assert [row.kind for row in tree.root.children].count("layer") == layers
    assert tree.head == ("head",)
    assert tree.total == sum(parameter.numel() for parameter in model.parameters())
