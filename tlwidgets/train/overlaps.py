"""Parameters that are different objects over the same memory, so that training one moves the other."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn


def overlapping_weights(model: nn.Module) -> list[tuple[str, str]]:
    """Names of parameters that share memory, in pairs, although they are not one (tied) parameter.

    `a.weight.data = b.weight.data` makes such a pair, and so does a parameter made of a view of another.
    """
    kept: dict[tuple[str, int], list[tuple[int, int, str, Tensor]]] = {}
    for name, weight in model.named_parameters():
        if weight.is_meta or weight.layout != torch.strided or not weight.numel():
            continue
        size = weight.element_size()
        start = int(weight.storage_offset()) * size
        last = sum(
            int(length - 1) * int(step) for length, step in zip(weight.shape, weight.stride(), strict=True)
        )
        place = (str(weight.device), weight.untyped_storage().data_ptr())
        kept.setdefault(place, []).append((start, start + (last + 1) * size, name, weight.detach()))
    pairs = []
    for together in kept.values():
        together.sort(key=lambda each: each[:2])
        furthest = together[0]
        for each in together[1:]:
            if each[0] < furthest[1] and _touch(furthest[3], each[3]):
                pairs.append((furthest[2], each[2]))
            furthest = max(furthest, each, key=lambda one: one[1])
    return pairs


def _touch(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors in one storage, whose ranges overlap, have a number in common."""
    if one.dtype != other.dtype or (one.is_contiguous() and other.is_contiguous()):
        return True
    marks = torch.zeros(one.untyped_storage().nbytes() // one.element_size(), dtype=torch.bool)
    places = torch.arange(len(marks)).as_strided(one.shape, one.stride(), one.storage_offset())
    marks[places.reshape(-1)] = True
    return bool(marks.as_strided(other.shape, other.stride(), other.storage_offset()).any())


def half_frozen(pairs: Collection[tuple[str, str]], learning: Collection[str]) -> str:
    """What to do about a pair of which only one is among the names that learn; "" if there is none."""
    for pair in pairs:
        frozen = [name for name in pair if name not in learning]
        if len(frozen) == 1:
            (learns,) = (name for name in pair if name in learning)
            return (
                f"`{frozen[0]}` is frozen and `{learns}` is trained, but they share their memory, so that "
                "the frozen one would move as well. Expected both frozen or both trained; to tie them, make "
                "them one parameter, as in `a.weight = b.weight` (without `.data`)."
            )
    return ""


def trained_twice(pairs: Collection[tuple[str, str]], learning: Collection[str]) -> list[str]:
    """A note on pairs of which both learn."""
    both = [pair for pair in pairs if set(pair) <= set(learning)]
    if not both:
        return []
    one, other = both[0]
    return [
        f"`{one}` and `{other}` share their memory, but are two parameters: each step moves it twice. Make "
        "them one parameter, as in `a.weight = b.weight` (without `.data`), to tie them."
    ]
