"""A task's data: the parts that a run is given, whatever kind they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch.utils.data import Dataset

from .datasets import split_of
from .split import Batch, Split

__all__ = [
    "Batch",
    "Examples",
    "Split",
    "Splits",
    "TaskData",
    "as_task_data",
    "batches_a_pass",
]

Examples: TypeAlias = Mapping[str, Any] | Sequence[Any] | Dataset[Any] | Iterable[Any]
"""Columns by name, whose first axis is the examples, "labels" among them; a pair (inputs, labels); a list of
examples; or data that are read while training: a data set, a `DataLoader`, a stream."""


@dataclass(frozen=True)
class TaskData:
    """A task's examples: `valid` is for choosing, `test` is used once, after training.

    Each is a mapping from names to columns (first axis: examples) with "labels", as `transformers` models
    take them; or a pair (inputs, labels) for a model called with one tensor. Columns are tensors, arrays or
    lists. A list of examples, each a mapping or a pair, is read likewise.

    Data may also be read while training: a map-style data set (one of `datasets`, too), a `DataLoader`, whose
    sampler, collate and workers stay, or a stream that can be iterated over again and again. A stream that
    does not say its length is counted once, before the first step.

    `collate` makes a batch of a list of examples, where these differ in shape: a function, or a tokenizer of
    `transformers`, which pads. It is for lists of examples, map-style data sets and streams of examples.

    Where the inputs have an "attention_mask" whose padding is at the end, each batch is cut to its longest
    example: "input_ids", "inputs_embeds" and other inputs that `transformers` documents together with "
    "them, and
    labels that are -100 at padding ("decoder_attention_mask" likewise). Nothing is cut if another tensor "
    "is equally wide: it may or may not have the same axis.
    """

    train: Examples
    valid: Examples | None = None
    test: Examples | None = None
    collate: Any = None


@dataclass(frozen=True)
class Splits:
    """The parts of a `TaskData`, checked, on the training device; None where a part was not given."""

    train: Split
    valid: Split | None
    test: Split | None

    @classmethod
    def of(cls, data: TaskData, device: torch.device) -> Splits:
        """Check the data and move them to `device`.

        Raises:
            ValueError, TypeError: data that cannot be trained on.
        """
        return cls(
            split_of(data.train, "training", device, data.collate),
            split_of(data.valid, "validation", device, data.collate) if data.valid is not None else None,
            split_of(data.test, "test", device, data.collate) if data.test is not None else None,
        )

    def all(self) -> list[Split]:
        """Those that were given, the training data first."""
        return [split for split in (self.train, self.valid, self.test) if split is not None]


def as_task_data(data: TaskData | Examples) -> TaskData:
    """A `TaskData`, also from training examples alone."""
    return data if isinstance(data, TaskData) else TaskData(data)


def batches_a_pass(data: TaskData, size: int) -> int:
    """Batches of one pass over the training data, `size` examples each where they do not come in batches."""
    return split_of(data.train, "training", torch.device("cpu"), data.collate).batches_a_pass(size)
