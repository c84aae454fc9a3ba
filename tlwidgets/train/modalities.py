"""Does a model use a modality? Each can be on, off, noise, shuffled among the examples, or missing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import torch
from torch import Tensor, nn

MODES = ("on", "off", "noise", "shuffled", "missing")


@dataclass(frozen=True)
class ModeResult:
    """What a model answers with its modalities switched in one way.

    Attributes:
        modes: the mode of each modality.
        confusion: how many examples of each label (row) get each answer (column), (classes, classes).
        answers: a class number for each example.
    """

    modes: dict[str, str]
    confusion: tuple[tuple[int, ...], ...]
    answers: tuple[int, ...]

    @property
    def right(self) -> int:
        """How many examples are answered correctly."""
        return sum(row[label] for label, row in enumerate(self.confusion))

    @property
    def accuracy(self) -> float:
        """Share of the examples answered correctly."""
        return self.right / len(self.answers)

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the accuracy."""
        return wilson_interval(self.right, len(self.answers))

    @property
    def per_class(self) -> tuple[tuple[int, int], ...]:
        """For each class: how many of its examples are answered correctly, and how many it has."""
        return tuple((row[label], sum(row)) for label, row in enumerate(self.confusion))


def switch_modalities(
    features: Mapping[str, Tensor],
    modes: Mapping[str, str],
    *,
    present: Mapping[str, Tensor] | None = None,
    seed: int = 0,
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Features switched by mode, and which are present.

    Args:
        features: by modality, (N, D) or (N, T, D); not changed.
        modes: one of `MODES` by modality; those not named are on. "off": zeros. "noise": Gaussian, each
            column with that modality's own mean and standard deviation over the examples (and the T steps).
            "shuffled": each example gets those of another one (its own only where N is 1). "missing": zeros,
            and marked as not present.
        present: which examples have each modality: bool (N,), or (N, T) where steps are padding. None: all of
            them.
        seed: of noise and shuffling. Each modality draws its own: the mode of another changes nothing.

    Returns:
        The features, and each modality's mask `present`, all False where it is missing: what a fusion model
        takes.

    Raises:
        ValueError: there is no modality or no mode of that name, or features have other shapes.
    """
    _check(features, modes, present or {})
    switched, there = {}, {}
    for name, tensor in features.items():
        mode = modes.get(name, "on")
        generator = torch.Generator().manual_seed(modality_seed(name, seed))
        everything = torch.ones(len(tensor), dtype=torch.bool, device=tensor.device)
        there[name] = (present or {}).get(name, everything)
        if mode == "noise":
            columns = tensor[there[name]].flatten(0, -2)
            mean, std = columns.mean(0), columns.std(0, correction=0)
            noise = torch.randn(tensor.shape, generator=generator).to(tensor)
            switched[name] = mean + std * noise
        elif mode == "shuffled":
            order = torch.randperm(len(tensor), generator=generator).to(tensor.device)
            switched[name], there[name] = (
                each[order.roll(1)][order.argsort()] for each in (tensor, there[name])
            )
        else:
            switched[name] = tensor if mode == "on" else torch.zeros_like(tensor)
        if mode == "missing":
            there[name] = torch.zeros_like(there[name])
    return switched, there


def measure_modes(
    model: nn.Module,
    features: Mapping[str, Tensor],
    labels: Tensor,
    settings: Sequence[Mapping[str, str]],
    *,
    present: Mapping[str, Tensor] | None = None,
    classes: int | None = None,
    seed: int = 0,
    batch_size: int = 512,
) -> list[ModeResult]:
    """What a model answers with each setting of `switch_modalities`, in evaluation mode, without gradients.

    Args:
        model: called as `model(features, present)`, both by modality; gives logits (examples, classes). Its
            modes (training or evaluation) are restored.
        features: by modality, (N, D) or (N, T, D).
        labels: class numbers (N,).
        settings: modes by modality, one mapping for each result.
        present: as `switch_modalities` takes it.
        classes: how many classes there are; None: as many as the model has logits.
        seed: of noise and shuffling.
        batch_size: examples at a time.

    Raises:
        ValueError: features, modes or labels that don't fit, or logits of another shape or not finite.
    """
    if not isinstance(labels, Tensor) or labels.dim() != 1 or labels.is_floating_point():
        raise ValueError("The labels must be a tensor of class numbers, one for each example, shape (N,).")
    for name, tensor in features.items():
        if len(tensor) != len(labels):
            raise ValueError(
                f"There are {len(labels)} labels and {len(tensor)} examples of {name!r}. Expected one label "
                "for each example."
            )
    device = next((weight.device for weight in model.parameters()), labels.device)
    found = []
    for modes in settings:
        switched = switch_modalities(features, modes, present=present, seed=seed)
        found.append(
            _result(modes, _answers(model, switched, modes, batch_size, device), labels.tolist(), classes)
        )
    return found


def wilson_interval(right: int, of: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's interval for the share `right` of `of`, 95 % by default, always within 0 and 1 (Wilson, 1927).

    Raises:
        ValueError: `of` is 0, or `right` is not between 0 and `of`.
    """
    if not 0 <= right <= of or not of:
        raise ValueError(f"{right} of {of} is not a share. Expected 0 <= right <= of, and of at least 1.")
    share, extra = right / of, z * z / of
    middle = (share + extra / 2) / (1 + extra)
    half = z * math.sqrt(share * (1 - share) / of + extra / (4 * of)) / (1 + extra)
    # Rounding must not leave the share itself outside.
    return min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half))


def modality_seed(name: str, seed: int) -> int:
    """The seed of a modality's noise and shuffling: its own, whatever the other modalities are."""
    return crc32(name.encode()) + seed


def _answers(
    model: nn.Module,
    given: tuple[dict[str, Tensor], dict[str, Tensor]],
    modes: Mapping[str, str],
    batch_size: int,
    device: torch.device,
) -> tuple[Tensor, int]:
    """A class number for each example, and how many classes the model has logits for."""
    switched, present = given
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        with torch.no_grad():
            found = []
            for start in range(0, len(next(iter(switched.values()))), batch_size):
                part = slice(start, start + batch_size)
                inputs, there = (
                    {name: tensor[part].to(device) for name, tensor in each.items()}
                    for each in (switched, present)
                )
                found.append(_checked_logits(model(inputs, there), len(next(iter(inputs.values()))), modes))
    finally:
        for module in training:
            module.training = True
    return torch.cat([logits.argmax(1) for logits in found]).cpu(), found[0].shape[1]


def _checked_logits(logits: object, examples: int, modes: Mapping[str, str]) -> Tensor:
    if not isinstance(logits, Tensor) or logits.dim() != 2 or len(logits) != examples:
        shape = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise ValueError(
            f"For {examples} examples the model gives {shape}. Expected logits, a tensor (examples, classes)."
        )
    if not torch.isfinite(logits).all():
        raise ValueError(
            f"With {modes_in_words(modes)} the model gives logits that are not finite. Features must be "
            "finite, and the model must cope with missing modalities, even with all of them missing."
        )
    return logits


def modes_in_words(modes: Mapping[str, str]) -> str:
    """A setting in words: "audio off, text shuffled"."""
    return ", ".join(f"{name} {mode}" for name, mode in modes.items())


def _result(
    modes: Mapping[str, str], answered: tuple[Tensor, int], labels: list[int], classes: int | None
) -> ModeResult:
    answers, width = answered
    classes = classes or width
    if min(labels) < 0 or max(labels) >= classes or width > classes:
        raise ValueError(
            f"The model has logits for {width} classes, and the labels go from {min(labels)} to "
            f"{max(labels)}. Expected {classes} classes, numbered from 0."
        )
    confusion = [[0] * classes for _ in range(classes)]
    for label, answer in zip(labels, answers.tolist(), strict=True):
        confusion[label][answer] += 1
    return ModeResult(dict(modes), tuple(map(tuple, confusion)), tuple(answers.tolist()))


def _check(features: Mapping[str, Tensor], modes: Mapping[str, str], present: Mapping[str, Tensor]) -> None:
    if not features:
        raise ValueError(
            "There are no features. Expected them by modality: {'image': tensor, 'text': tensor}."
        )
    for name in (*modes, *present):
        if name not in features:
            raise ValueError(f"There is no modality {name!r}. Expected one of {', '.join(features)}.")
    for name, mode in modes.items():
        if mode not in MODES:
            raise ValueError(f"{name!r} has no mode {mode!r}. Expected one of {', '.join(MODES)}.")
    length = None
    for name, tensor in features.items():
        shape = tuple(tensor.shape) if isinstance(tensor, Tensor) else type(tensor).__name__
        if not isinstance(tensor, Tensor) or tensor.dim() not in (2, 3) or not tensor.is_floating_point():
            raise ValueError(
                f"The features of {name!r} are {shape}. Expected a float tensor, (N, D) or (N, T, D)."
            )
        length = len(tensor) if length is None else length
        if not length or len(tensor) != length:
            raise ValueError(
                f"{name!r} has {len(tensor)} examples, others {length}. Expected the same number for all, "
                "at least one."
            )
        mask = present.get(name)
        if mask is not None and (
            mask.dtype != torch.bool or mask.shape not in (tensor.shape[:1], tensor.shape[:-1])
        ):
            raise ValueError(
                f"present[{name!r}] has shape {tuple(mask.shape)} and type {mask.dtype}. Expected bool, one "
                "for each example (N,) or for each step (N, T)."
            )
