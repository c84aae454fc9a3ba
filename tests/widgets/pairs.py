"""Real drawings and their names, as features of the course's own backbones, for tests of what shows several
modalities."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

from tlwidgets.data import load_drawings
from tlwidgets.models import load_image_backbone, load_text_backbone, mean_pool

GROUPS = ("Animals & Nature", "Food & Drink", "Travel & Places", "Objects")


@dataclass(frozen=True)
class Pairs:
    """Row i of each is the same object: name, group, picture (72, 72, 3), image (1280) and text (384)
    features."""

    names: list[str]
    groups: list[str]
    pictures: np.ndarray
    image: Tensor
    text: Tensor

    @property
    def labels(self) -> Tensor:
        """The groups as class numbers."""
        return torch.tensor([GROUPS.index(group) for group in self.groups])


@lru_cache(maxsize=1)
def picture_and_name(each: int = 20) -> Pairs:
    """`each` objects of every group, spread over Unicode's order, one group after another in turn."""
    drawings = load_drawings(["noto"])
    by_group = [[i for i, group in enumerate(drawings.groups) if group == wanted] for wanted in GROUPS]
    spread = [[members[place * len(members) // each] for place in range(each)] for members in by_group]
    chosen = drawings.take([i for four in zip(*spread, strict=True) for i in four])
    backbone, prepare = load_image_backbone()
    text_model, tokenizer = load_text_backbone()
    batch = tokenizer(list(chosen.names), return_tensors="pt", padding=True)
    with torch.no_grad():
        image = torch.cat([backbone(prepare(part)) for part in np.array_split(chosen.images, 4)])
        text = mean_pool(text_model(**batch).last_hidden_state, batch["attention_mask"])
    return Pairs(list(chosen.names), list(chosen.groups), chosen.images, image, text)


class Late(nn.Module):
    """A head for each modality; the mean of the scores of those that are present."""

    def __init__(self, widths: dict[str, int], classes: int) -> None:
        super().__init__()
        self.heads = nn.ModuleDict({name: nn.Linear(width, classes) for name, width in widths.items()})
        self.dropout = nn.Dropout(0.5)

    def forward(self, features, present=None):
        scores, weights = [], []
        for name, head in self.heads.items():
            there = _there(features, present, name)
            scores.append(head(self.dropout(_pooled(features[name]))) * there)
            weights.append(there)
        return sum(scores) / sum(weights).clamp(min=1)


class Early(nn.Module):
    """One network over all features side by side; a missing modality is zeros."""

    def __init__(self, widths: dict[str, int], classes: int) -> None:
        super().__init__()
        self.names = list(widths)
        self.net = nn.Sequential(nn.Linear(sum(widths.values()), 32), nn.ReLU(), nn.Linear(32, classes))

    def forward(self, features, present=None):
        return self.net(
            torch.cat(
                [_pooled(features[name]) * _there(features, present, name) for name in self.names], dim=1
            )
        )


def _pooled(tensor: Tensor) -> Tensor:
    return tensor if tensor.dim() == 2 else tensor.mean(1)


def _there(features, present, name: str) -> Tensor:
    there = torch.ones(len(features[name])) if present is None else present[name].float()
    return there[:, None]


def trained(
    kind: type[nn.Module], features: dict[str, Tensor], labels: Tensor, steps: int = 150
) -> nn.Module:
    """A fusion model trained on these features, deterministically."""
    torch.manual_seed(0)
    model = kind({name: tensor.shape[-1] for name, tensor in features.items()}, int(labels.max()) + 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(features), labels).backward()
        optimizer.step()
    return model.eval()


class SharedSpace:
    """Two projections into one space, trained by contrast on some of the pairs (CLIP, Radford et al.
    2021)."""

    def __init__(self, pairs: Pairs, width: int = 32) -> None:
        torch.manual_seed(0)
        self.image = nn.Linear(pairs.image.shape[1], width)
        self.text = nn.Linear(pairs.text.shape[1], width)

    def train(self, image: Tensor, text: Tensor, steps: int = 100) -> None:
        optimizer = torch.optim.AdamW([*self.image.parameters(), *self.text.parameters()], lr=3e-3)
        for _ in range(steps):
            optimizer.zero_grad()
            one, other = (nn.functional.normalize(z) for z in (self.image(image), self.text(text)))
            scores = one @ other.T / 0.1
            right = torch.arange(len(scores))
            loss = nn.functional.cross_entropy(scores, right) + nn.functional.cross_entropy(scores.T, right)
            loss.backward()
            optimizer.step()

    def encode(self, words: str) -> Tensor:
        """Own words as a point of the space."""
        model, tokenizer = load_text_backbone()
        batch = tokenizer([words], return_tensors="pt")
        with torch.no_grad():
            return self.text(mean_pool(model(**batch).last_hidden_state, batch["attention_mask"]))[0]


def shared_space(pairs: Pairs, trained_on: slice = slice(40)) -> SharedSpace:
    """A space trained on some of the pairs; the others were never seen."""
    space = SharedSpace(pairs)
    space.train(pairs.image[trained_on], pairs.text[trained_on])
    return space


def before_and_after(
    pairs: Pairs, trained_on: slice = slice(40)
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Where the pairs are in a space before any training, and after training on some of them."""
    found = []
    for space in (SharedSpace(pairs), shared_space(pairs, trained_on)):
        with torch.no_grad():
            found.append({"image": space.image(pairs.image), "text": space.text(pairs.text)})
    return found[0], found[1]
