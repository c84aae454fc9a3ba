"""A backbone with a head on top."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def mean_pool(hidden: Tensor, attention_mask: Tensor | None = None) -> Tensor:
    """One vector a sentence: the mean over its real word pieces, padding left out.

    `hidden` (sentences, pieces, width) and `attention_mask` (sentences, pieces) of 0 and 1 give
    (sentences, width). Without a mask every piece counts.
    """
    if attention_mask is None:
        return hidden.mean(1)
    mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)


def segment_pool(hidden: Tensor, lengths: Sequence[int] | None = None, *, segments: int) -> Tensor:
    """What comes first and what later, at one width: the means over `segments` equal stretches of each
    sequence.

    `hidden` (sequences, steps, width), of which the first `lengths` steps count (all by default), gives
    (sequences, segments * width), stretch after stretch. A step on a border counts in either stretch by how
    much of it lies there, so a sequence may have fewer steps than there are segments.

    Raises ValueError for no segment, other shapes, or lengths that are not from 1 to the number of steps.
    """
    if segments < 1:
        raise ValueError(f"segments={segments} should be a whole number of at least 1.")
    if hidden.dim() != 3:
        raise ValueError(
            f"The hidden states have shape {tuple(hidden.shape)}; (sequences, steps, width) was expected."
        )
    sequences, steps, _ = hidden.shape
    counts = torch.tensor([steps] * sequences if lengths is None else [int(length) for length in lengths])
    if counts.shape != (sequences,) or (counts < 1).any() or (counts > steps).any():
        raise ValueError(
            f"The lengths should be {sequences} numbers of steps from 1 to {steps}, one for each sequence."
        )
    counts = counts.to(hidden.device, hidden.dtype)
    bounds = torch.arange(segments + 1, device=hidden.device) * counts[:, None] / segments
    step = torch.arange(steps, device=hidden.device)
    starts, ends = bounds[:, :-1, None], bounds[:, 1:, None]
    share = (torch.minimum(step + 1, ends) - torch.maximum(step + 0.0, starts)).clamp(min=0)
    return (share / share.sum(2, keepdim=True) @ hidden).flatten(1)


class MeanPool(nn.Module):
    """`mean_pool` as a module, so that its output can be kept if everything before it is frozen."""

    def forward(self, hidden: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        return mean_pool(hidden, attention_mask)


class TextClassifier(nn.Module):
    """A head on the mean of the backbone's outputs.

    Ids and mask of shape (sentences, pieces) give scores of shape (sentences, classes).
    """

    def __init__(self, backbone: nn.Module, head: nn.Module):
        super().__init__()
        self.backbone = backbone
        self.pool = MeanPool()
        self.head = head

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        hidden = self.backbone(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return self.head(self.pool(hidden, attention_mask))


class ImageClassifier(nn.Module):
    """A head on the backbone's output: pictures (pictures, 3, size, size) to scores (pictures,
    classes).
    """

    def __init__(self, backbone: nn.Module, head: nn.Module):
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, pixel_values: Tensor) -> Tensor:
        return self.head(self.backbone(pixel_values))


class AudioClassifier(nn.Module):
    """A head on the mean over a sound's windows: (sounds, windows, samples) to scores (sounds, classes)."""

    def __init__(self, backbone: nn.Module, head: nn.Module):
        super().__init__()
        self.backbone = backbone
        self.pool = MeanPool()
        self.head = head

    def forward(self, windows: Tensor) -> Tensor:
        return self.head(self.pool(self.backbone(windows)))
