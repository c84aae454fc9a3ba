"""Small text and image tasks with models to freeze, and a training with and without the feature cache."""

from __future__ import annotations

import torch
import transformers as t
from torch import nn

from tlwidgets.core import FreezePlan, ModelTree
from tlwidgets.train import fit


def texts(number: int = 64, longest: int = 12, seed: int = 0) -> dict[str, torch.Tensor]:
    """Token ids of different lengths, padded at the end, in two classes."""
    draw = torch.Generator().manual_seed(seed)
    ids = torch.randint(3, 40, (number, longest), generator=draw)
    lengths = torch.randint(3, longest + 1, (number, 1), generator=draw)
    mask = (torch.arange(longest) < lengths).long()
    return {"input_ids": ids * mask, "attention_mask": mask, "labels": (ids[:, 0] > 20).long()}


def pictures(number: int = 64, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    images = torch.randn(number, 3, 16, 16, generator=draw)
    return images, (images.mean((1, 2, 3)) > 0).long()


def bert() -> nn.Module:
    torch.manual_seed(0)
    config = t.BertConfig(
        hidden_size=16, num_hidden_layers=4, num_attention_heads=2, intermediate_size=32, vocab_size=40
    )
    return t.BertForSequenceClassification(config)


def resnet() -> nn.Module:
    torch.manual_seed(0)
    config = t.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16, 16], depths=[1, 1, 1], layer_type="basic", num_labels=2
    )
    return t.ResNetForImageClassification(config)


def bottleneck() -> nn.Module:
    """Convolutions with BatchNorm and dropout, called with one tensor."""
    torch.manual_seed(0)

    def block(width, wider):
        return nn.Sequential(nn.Conv2d(width, wider, 3, padding=1), nn.BatchNorm2d(wider), nn.ReLU())

    return nn.Sequential(
        block(3, 8),
        block(8, 8),
        nn.Dropout(0.2),
        block(8, 16),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 2),
    )


def relative(one, other) -> float:
    one, other = torch.tensor(one), torch.tensor(other)
    return float(((one - other).abs() / other.abs()).max())


def both(make, plan_of, data, cache, **options):
    """The same training with and without the cache."""
    runs = []
    for each in (cache, False):
        model = make()
        runs.append(fit(model, plan_of(ModelTree.of(model)), data, cache=each, **options))
    assert not runs[1].cached
    return runs


def last(k):
    return lambda tree: FreezePlan.preset(tree, "last", k=k)


def head(tree):
    return FreezePlan.preset(tree, "feature-extraction")


def lower_blocks_frozen(tree):
    plan = FreezePlan.preset(tree, "full")
    for group in ("0", "1"):
        plan = plan.with_policy(group, "frozen")
    return plan
