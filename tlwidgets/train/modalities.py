"""Does a model use a modality? Each can be switched: on, off, noise in its place, shuffled among examples, or missing."""

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

    `confusion` is (classes, classes): row the label, column the answer; `answers` are class numbers, one an example.
    """

    modes: dict[str, str]
    confusion: tuple[tuple[int, ...], ...]
    answers: tuple[int, ...]

    @property
    def right(self) -> int:
        """How many examples are answered right."""
        return sum(row[label] for label, row in enumerate(self.confusion))

    @property
    def accuracy(self) -> float:
        """Share of the examples answered right."""
        return self.right / len(self.answers)

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the accuracy."""
        return wilson_interval(self.right, len(self.answers))

    @property
    def per_class(self) -> tuple[tuple[int, int], ...]:
        """For each class: how many of its examples are answered right, of how many."""
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
        features: by modality, (N, D) or (N, T, D); left as they are.
        modes: one of `MODES` by modality; those not named are on. "off": zeros. "noise": Gaussian, each column with that
            modality's own mean and standard deviation over the examples (and the T steps). "shuffled": each example has
            another one's (itself only where N is 1). "missing": zeros, and told as not present.
        present: what is there at all, by modality: bool (N,), or (N, T) where steps are padding. None: everything.
        seed: of noise and shuffling. They are each modality's own: another modality's mode changes nothing.

    Returns:
        The features, and by modality its mask `present`, all false where it is missing: what a fusion model takes.

    Raises:
        ValueError: no modality of that name, no such mode, or features of other shapes.
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
    """What a model answers with each setting of `switch_modalities`, in evaluation mode and without gradients.

    Args:
        model: called `model(features, present)`, both by modality; gives scores (examples, classes). Its modes (training
            or evaluation) are put back.
        features: by modality, (N, D) or (N, T, D).
        labels: class numbers (N,).
        present: what is there at all, as `switch_modalities` takes it.
        classes: how many classes there are; None: as many as the model has scores.

    Raises:
        ValueError: features, modes or labels that don't fit, or scores of another shape or not finite.
    """
    if not isinstance(labels, Tensor) or labels.dim() != 1 or labels.is_floating_point():
        raise ValueError("The labels should be a tensor of class numbers, one an example, shape (N,).")
    for name, tensor in features.items():
        if len(tensor) != len(labels):
            raise ValueError(
                f"There are {len(labels)} labels and {len(tensor)} examples of {name!r}. Give one label an example."
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
    """Wilson's score interval for a share, 95 % by default; stays within 0 and 1 (Wilson, 1927).

    Raises:
        ValueError: not 0 <= right <= of, or of is 0.
    """
    if not 0 <= right <= of or not of:
        raise ValueError(f"{right} of {of} is no share. Expected 0 <= right <= of, and of at least 1.")
    share, extra = right / of, z * z / of
    middle = (share + extra / 2) / (1 + extra)
    half = z * math.sqrt(share * (1 - share) / of + extra / (4 * of)) / (1 + extra)
    return min(share, max(0.0, middle - half)), max(
        share, min(1.0, middle + half)
    )  # rounding may not push it out


def modality_seed(name: str, seed: int) -> int:
    """The seed of a modality's noise and shuffling: its own, whatever the other modalities are."""
    return crc32(name.encode()) + seed


def _answers(model, given, modes, batch_size: int, device) -> tuple[Tensor, int]:
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
                found.append(_scores(model(inputs, there), len(next(iter(inputs.values()))), modes))
    finally:
        for module in training:
            module.training = True
    return torch.cat([scores.argmax(1) for scores in found]).cpu(), found[0].shape[1]


def _scores(scores, examples: int, modes) -> Tensor:
    if not isinstance(scores, Tensor) or scores.dim() != 2 or len(scores) != examples:
        shape = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
        raise ValueError(
            f"For {examples} examples the model gives {shape}. Expected scores, a tensor (examples, classes)."
        )
    if not torch.isfinite(scores).all():
        raise ValueError(
            f"With {words_of(modes)} the model gives scores that are not finite. Features have to be finite, and a model "
            "has to cope with modalities that are missing, all of them too."
        )
    return scores


def words_of(modes: Mapping[str, str]) -> str:
    """A setting in words: "audio off, text shuffled"."""
    return ", ".join(f"{name} {mode}" for name, mode in modes.items())


def _result(modes, answered: tuple[Tensor, int], labels: list[int], classes: int | None) -> ModeResult:
    answers, width = answered
    classes = classes or width
    if min(labels) < 0 or max(labels) >= classes or width > classes:
        raise ValueError(
            f"The model has scores for {width} classes, and the labels go from {min(labels)} to {max(labels)}; "
            f"{classes} classes were expected, numbered from 0."
        )
    confusion = [[0] * classes for _ in range(classes)]
    for label, answer in zip(labels, answers.tolist(), strict=True):
        confusion[label][answer] += 1
    return ModeResult(dict(modes), tuple(map(tuple, confusion)), tuple(answers.tolist()))


def _check(features: Mapping[str, Tensor], modes: Mapping[str, str], present: Mapping[str, Tensor]) -> None:
    if not features:
        raise ValueError(
            "There is no modality. Expected features by name: {'image': tensor, 'text': tensor}."
        )
    for name in (*modes, *present):
        if name not in features:
            raise ValueError(f"There is no modality {name!r}. Expected one of {', '.join(features)}.")
    for name, mode in modes.items():
        if mode not in MODES:
            raise ValueError(f"{mode!r} is no mode of {name!r}. Expected one of {', '.join(MODES)}.")
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
                f"{name!r} has {len(tensor)} examples, others {length}. Expected as many of each, at least one."
            )
        mask = present.get(name)
        if mask is not None and (
            mask.dtype != torch.bool or mask.shape not in (tensor.shape[:1], tensor.shape[:-1])
        ):
            raise ValueError(
                f"What is present of {name!r} has shape {tuple(mask.shape)} and type {mask.dtype}. Expected bool, one an "
                "example (N,) or one a step (N, T)."
            )
