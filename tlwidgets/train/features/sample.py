"""A few training examples in two batches, on which one can see what depends on what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ..data import Split

EXAMPLES = 4
_LARGE = 1e3  # far outside of what inputs are like
_LOOKED_AT = 4096  # examples that are searched for unusual ones
_MOST_VALUES = 2**20


@dataclass(frozen=True)
class Sample:
    """A few examples in two batches.

    Attributes:
        many: inputs of `EXAMPLES` examples.
        few: some of them first, in another order, with other padding and other neighbours.
        rows: where the first examples of `few` are in `many`.
        length_many, length_few: how far each batch is padded.
    """

    many: Mapping[str, Tensor]
    few: Mapping[str, Tensor]
    rows: tuple[int, ...]
    length_many: int
    length_few: int


def make_sample(train: Split) -> Sample | None:
    """A sample of these examples; None where there are too few of them.

    The neighbours in `few` are what a part that looks at its whole batch would notice: the examples with the
    largest, smallest and rarest inputs, and one far outside of what inputs are like.
    """
    if train.size < EXAMPLES:
        return None
    device, rows = train.device, (2, 0, 1)
    if train.lengths is None:
        index = torch.arange(EXAMPLES, device=device)
    else:  # the shortest ones, so that there is room for more padding
        index = train.lengths.argsort(stable=True)[:EXAMPLES]
    many = train.take(index)
    examined, neighbours = index[list(rows)], _unusual(train) or [EXAMPLES - 1]
    longer = None
    if train.lengths is not None:
        longest = int(train.lengths[torch.cat([examined, _at(neighbours, device)])].max())
        longer = min(max(many.length + 1, longest), train.width)
    far_out = any(tensor.dtype.is_floating_point for tensor in train.inputs.values())
    count = len(rows) + len(neighbours) + far_out
    # So that an axis of examples can be told from others.
    if count == EXAMPLES or (EXAMPLES, count) == (many.length, longer):
        neighbours.append(neighbours[-1])
    few = train.take(torch.cat([examined, _at(neighbours, device)]), length=longer)
    inputs = _with_far_out(few.inputs) if far_out else few.inputs
    return Sample(many.inputs, inputs, rows, many.length, few.length)


def _at(numbers: list[int], device: torch.device) -> Tensor:
    return torch.tensor(numbers, dtype=torch.int64, device=device)


def plain(sample: Sample) -> Sample:
    """The same with no neighbours: for models that refuse unusual ones."""
    count = len(sample.rows)
    few = {name: tensor[:count] for name, tensor in sample.few.items()}
    return Sample(sample.many, few, sample.rows, sample.length_many, sample.length_few)


def _unusual(train: Split) -> list[int]:
    """Numbers of a few examples whose inputs are the largest, the smallest or the rarest."""
    found: dict[int, None] = {}
    for tensor in train.inputs.values() if train.complete else ():
        flat = tensor[:_LOOKED_AT].flatten(1) if tensor.dim() > 1 else tensor[:_LOOKED_AT, None]
        if flat.is_complex() or flat.dtype == torch.bool or not flat.numel():
            continue
        if flat.dtype.is_floating_point:
            heights = torch.linalg.vector_norm(flat.float(), torch.inf, dim=1).nan_to_num(nan=0.0)
            found |= dict.fromkeys([int(heights.argmax()), int(heights.argmin())])
            continue
        low, high = int(flat.min()), int(flat.max())
        values = [high]
        if low >= 0 and high < _MOST_VALUES:
            counts = torch.bincount(flat.reshape(-1))
            values.append(int(torch.where(counts > 0, counts, flat.numel() + 1).argmin()))
        if low < high:
            found |= dict.fromkeys(int((flat == value).any(1).int().argmax()) for value in values)
    return list(found)[:4]


def _with_far_out(inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same with one example more, a copy of the last with far larger numbers."""
    return {
        name: torch.cat([tensor, tensor[-1:] * _LARGE if tensor.dtype.is_floating_point else tensor[-1:]])
        for name, tensor in inputs.items()
    }
