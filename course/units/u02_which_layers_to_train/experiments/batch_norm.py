"""The BatchNorm trap: with only its weights frozen, a backbone keeps changing its running statistics."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Trap:
    """Accuracy on the source digits before and after training a new head; the frozen tensors that moved."""

    before: float
    after: float
    moved: tuple[str, ...]


def digit_network(seed: int) -> nn.Module:
    """A small network with BatchNorm that has learned to tell 0 to 4 apart (scikit-learn's digits)."""
    import torch
    from torch import nn

    from tlwidgets.train import TaskData, fit

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        body = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 16, 3, padding=1, stride=2),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Flatten(),
        )
        model = nn.Sequential(OrderedDict(backbone=body, head=nn.Linear(256, 5)))
    images, labels = _digits(range(5), seed, held_out=False)
    fit(model, None, TaskData((images, labels)), epochs=6, lr=1e-2, seed=seed)
    return model


def fall_into_the_trap(model: nn.Module, seed: int, *, hold: bool) -> Trap:
    """Train a new head on 5 to 9, from a scanner whose pixels go to 16 instead of 1, on frozen weights.

    With `hold` the backbone stays in `eval`, too. The old head is then asked about the old digits again.
    """
    import copy

    import torch
    from torch import nn

    model = copy.deepcopy(model)
    backbone, old_head = model.get_submodule("backbone"), model.get_submodule("head")
    before = {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    source = _digits(range(5), seed, held_out=True)
    at_first = _right(model, source)
    backbone.requires_grad_(False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model.head = nn.Linear(256, 5)
    images, labels = _digits(range(5, 10), seed, held_out=False)
    images, labels = 16 * images, labels - 5
    optimizer = torch.optim.AdamW(model.head.parameters(), lr=1e-2)
    for start in range(0, len(images), 32):
        model.train()
        if hold:
            backbone.eval()
        loss = nn.functional.cross_entropy(model(images[start : start + 32]), labels[start : start + 32])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.head = old_head
    now = backbone.state_dict()
    moved = tuple(name for name in now if not torch.equal(now[name], before[name]))
    return Trap(at_first, _right(model, source), moved)


def _digits(kinds, seed: int, *, held_out: bool) -> tuple[Tensor, Tensor]:
    import torch
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images = torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
    labels = torch.tensor(labels)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    chosen = [i for i in order.tolist() if int(labels[i]) in kinds]
    third = len(chosen) // 3
    part = chosen[:third] if held_out else chosen[third:]
    return images[part], labels[part]


def _right(model: nn.Module, examples: tuple[Tensor, Tensor]) -> float:
    import torch

    model.eval()
    with torch.no_grad():
        return float((model(examples[0]).argmax(1) == examples[1]).float().mean())


def measure_trap(seed: int) -> dict[str, float]:
    """Accuracy on the old digits before and after training a new head, with the backbone in `eval` or not."""
    model = digit_network(seed)
    flags, held = (fall_into_the_trap(model, seed, hold=hold) for hold in (False, True))
    return {
        "before": flags.before,
        "after, flags alone": flags.after,
        "held tensors changed": float(len(held.moved)),
    }
