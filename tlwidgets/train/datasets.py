"""From data of any kind to a `Split`; map-style data sets, which are read some at a time while training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from .fetching import Collate, changes, collate_of, collated, fetch, random_as_before, read_through
from .reading import is_list_of_examples, read_examples, wrong_kind
from .split import Batch, Split
from .streams import Batches, StreamSplit

HELD_BYTES = 64 * 2**20
"""A map-style data set up to this size is read once, where reading it again gives the same."""

LOOKED_AT = 512
"""How many examples of other data are checked before the first step."""

AGAIN = 16
"""How many of them are read twice, to see whether they stay the same."""

_CHANGES = "the examples change from pass to pass: reading them draws random numbers, or gives others again"


def split_of(examples: Any, name: str, device: torch.device, collate: Any = None) -> Split:
    """One part of the data, of whichever kind.

    Args:
        examples: tensors, arrays, lists or columns; a list of examples; a map-style data set (it has a length
            and can be indexed); a `DataLoader`; or a stream (it can be iterated over again and again).
        name: as in `Split`.
        device: where batches go.
        collate: makes batches of lists of examples; a tokenizer of `transformers` pads them.

    Raises:
        ValueError, TypeError: data that cannot be trained on.
    """
    together = collate_of(collate)
    if isinstance(examples, DataLoader):
        return StreamSplit(examples, name, device)
    if isinstance(examples, IterableDataset):
        return StreamSplit(Batches(examples, together), name, device)
    if isinstance(examples, (Tensor, np.ndarray, str, bytes, Iterator)):
        raise wrong_kind(examples, name)
    if is_list_of_examples(examples):
        return (
            Split(examples, name, device) if together is None else MapSplit(examples, name, device, together)
        )
    if isinstance(examples, (Mapping, list, tuple)) or hasattr(examples, "iloc"):
        return Split(examples, name, device)
    if hasattr(examples, "__getitem__") and hasattr(examples, "__len__"):
        held = _held(examples, name) if together is None else None
        return MapSplit(examples, name, device, together) if held is None else Split(held, name, device)
    if hasattr(examples, "__iter__"):
        return StreamSplit(Batches(examples, together), name, device)
    raise wrong_kind(examples, name)


def _held(data: Any, name: str) -> Any:
    """All examples of a small data set; None where they are many, or not the same in each pass."""
    size = len(data)
    if not size:
        raise ValueError(f"The {name} data are empty. Expected at least one example.")
    with random_as_before(1):
        first = fetch(data, [0], name)
        columns = read_examples(collated(first, None, name), name)
        tensors = [*columns.inputs.values(), *([] if columns.labels is None else [columns.labels])]
        if size * sum(tensor.numel() * tensor.element_size() for tensor in tensors) > HELD_BYTES:
            return None
        examples = fetch(data, range(size), name)
    return None if changes(lambda: [fetch(data, range(size), name)], name) else examples


class MapSplit(Split):
    """Examples that are read by their number, some at a time.

    `inputs` and `labels` are those of the examples that were checked, spread over all.
    """

    def __init__(self, data: Any, name: str, device: torch.device, collate: Collate | None) -> None:
        size = len(data)
        self._data, self._collate, self._name = data, collate, name
        if not size:
            raise ValueError(f"The {name} data are empty. Expected at least one example.")
        seen = min(size, LOOKED_AT)
        looked = [i * (size - 1) // max(1, seen - 1) for i in range(seen)]
        with random_as_before(1):
            super().__init__(self._batch(looked), name, device)
        self._read_later(size, complete=size <= LOOKED_AT)
        self._digest = b""
        if collate is not None:
            self.why_not_again = "a function of yours makes the batches, perhaps different ones each time"
        elif changes(lambda: [self._batch(looked[:AGAIN])], name):
            self.why_not_again = _CHANGES

    def _batch(self, index: Sequence[int]) -> Any:
        return collated(fetch(self._data, index, self._name), self._collate, self._name)

    def take(self, index: Tensor | slice, length: int | None = None, *, decoder: bool = False) -> Batch:
        places = range(self.size)[index] if isinstance(index, slice) else index.tolist()
        return self._to_batch(self._batch(places))

    def identity(self) -> Mapping[str, Tensor] | None:
        """A digest of all examples; None where reading them again may give others.

        Reads everything once, a few at a time.
        """
        if self.why_not_again:
            return None
        groups = (range(i, min(i + 256, self.size)) for i in range(0, self.size, 256))
        try:
            digest, drawn = read_through(lambda: map(self._batch, groups), self._name)
        except ValueError:
            self.why_not_again = "the examples differ in shape, or cannot all be read"
            return None
        if drawn or self._digest not in (b"", digest):
            self.why_not_again = _CHANGES
            return None
        self._digest = digest
        return {"examples": torch.frombuffer(bytearray(digest), dtype=torch.uint8)}
