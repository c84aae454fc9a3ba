"""Data that are read in their own order: a `DataLoader`, or a stream of examples."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, overload

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from .fetching import Collate, collated, random_as_before, without_text
from .reading import BatchError, is_list_of_examples, read_examples
from .split import Batch, Split

COUNTED = 1_000_000
"""How many examples of a stream are counted before it counts as endless."""


class Batches:
    """Batches of the examples of a stream."""

    def __init__(self, data: Any, collate: Collate | None) -> None:
        self.data, self.collate, self.size = data, collate, 16

    def __len__(self) -> int:
        return -(-len(self.data) // self.size)

    def __iter__(self) -> Iterator[Any]:
        examples = iter(self.data)
        while group := list(itertools.islice(examples, self.size)):
            yield collated([without_text(each) for each in group], self.collate, "streamed")


class StreamSplit(Split):
    """Batches in the order of their source: of a `DataLoader`, whose sampler, collate and workers stay, or of
    a stream.

    `inputs` and `labels` are those of the first batch. The random numbers of each pass (the loader's
    shuffling too, unless it has a generator of its own) come from those of the run, apart from the model's.
    """

    why_not_again = "the data are a stream, whose batches come as they are"

    def __init__(self, batches: DataLoader[Any] | Batches, name: str, device: torch.device) -> None:
        self._batches, self._name = batches, name
        self._ready: dict[int, Any] = {}
        with random_as_before(1), _readable(name, 1):
            first = next(iter(batches), None)
        if first is None:
            raise ValueError(f"The {name} data are empty. Expected at least one batch.")
        super().__init__(first, name, device)
        self._in_each = self.size
        self._a_pass, size = self._count()
        self._read_later(size, complete=self._a_pass == 1)

    def _count(self) -> tuple[int, int]:
        """Batches and examples of one pass."""
        batches = self._batches
        try:
            if isinstance(batches, DataLoader):
                return len(batches), _examples_in(batches, self.size)
            return len(batches), len(batches.data)
        except TypeError:  # it does not say how many there are
            pass
        number = examples = 0
        with random_as_before(1), _readable(self._name, "after the first"):
            for batch in batches:
                number, examples = number + 1, examples + _size_of(batch)
                if examples > COUNTED:
                    raise BatchError(
                        f"The {self._name} data had not ended after {COUNTED:,} examples. Expected a stream "
                        "that ends, or one that says its length: give its class `__len__`, the number of "
                        "examples of one pass."
                    )
        return number, examples

    def _with_batches_of(self, size: int) -> None:
        if isinstance(self._batches, Batches) and self._batches.size != size:
            self._batches.size = self._in_each = size
            self._a_pass = -(-self.size // size)

    def batches_a_pass(self, size: int) -> int:
        self._with_batches_of(size)
        return self._a_pass - self.merge_last

    def last_batch(self, size: int) -> int:
        self._with_batches_of(size)
        return self.size - (self._a_pass - 1) * self._in_each if self._a_pass > 1 else self._in_each

    def shuffled(self, size: int, generator: torch.Generator, by_length: bool = False) -> Sequence[Tensor]:
        """The batches of one pass, each read when it is asked for, in order."""
        self._with_batches_of(size)
        return _Pass(self, int(torch.randint(2**31, (), generator=generator)))

    def by_length(self, size: int) -> Iterable[Tensor]:
        return iter(_Pass(self, 1))

    def take(self, index: Tensor | slice, length: int | None = None, *, decoder: bool = False) -> Batch:
        first = int(index[0]) if isinstance(index, Tensor) else -1
        start = max((start for start in self._ready if start <= first), default=-1)
        batch = self._to_batch(self._ready[start]) if start >= 0 else None
        if batch is None or not isinstance(index, Tensor) or first + len(index) > start + len(batch.labels):
            raise ValueError(f"Examples of the {self._name} data have passed, or are in several batches.")
        if len(index) == len(batch.labels):
            return batch
        rows = index.to(self.device) - start
        return Batch({name: tensor[rows] for name, tensor in batch.inputs.items()}, batch.labels[rows], 0)

    def identity(self) -> Mapping[str, Tensor] | None:
        """None: the content of a stream is not known before it has been read."""
        return None

    def hold(self, batches: Sequence[Any], start: int) -> list[Tensor]:
        """Keep these batches until the next call; returns the numbers of their examples, from `start`."""
        self._ready.clear()
        found = []
        for batch in batches:
            size = _size_of(batch)
            self._ready[start] = batch
            found.append(torch.arange(start, start + size))
            start += size
        return found


class _Pass(Sequence[Tensor]):
    """The batches of one pass over a stream; slices have to come in order."""

    def __init__(self, split: StreamSplit, seed: int) -> None:
        self._split, self._seed = split, seed
        self._done = self._examples = 0
        self._source: Iterator[Any] | None = None
        self._random: tuple[Any, Any, Any] | None = None

    def __len__(self) -> int:
        return self._split._a_pass - self._split.merge_last

    @overload
    def __getitem__(self, place: int) -> Tensor: ...
    @overload
    def __getitem__(self, place: slice) -> list[Tensor]: ...
    def __getitem__(self, place: int | slice) -> Tensor | list[Tensor]:
        if isinstance(place, int):
            return self[place : place + 1][0]
        first, end, _ = place.indices(len(self))
        while self._done < first:  # where a run is continued in the middle of a pass
            self._examples += _size_of(self._next())
        start = self._examples
        read = [self._next() for _ in range(end - first)]
        if end == len(self) and self._split.merge_last:
            read[-1] = _joined(read[-1], self._next(), self._split.name)
        self._examples += sum(map(_size_of, read))
        return self._split.hold(read, start)

    def __iter__(self) -> Iterator[Tensor]:
        for place in range(len(self)):
            yield self[place]

    def _next(self) -> Any:
        """The next batch, with random numbers of its own: the model's go on as if none had been drawn."""
        self._done += 1
        with random_as_before(self._seed if self._random is None else None):
            if self._random is not None:
                torch.set_rng_state(self._random[0])
                np.random.set_state(self._random[1])
                random.setstate(self._random[2])
            with _readable(self._split.name, self._done):
                if self._source is None:
                    self._source = iter(self._split._batches)
                batch = next(self._source, None)
                if batch is None:  # fewer than last time: begun again
                    self._source = iter(self._split._batches)
                    batch = next(self._source, None)
            self._random = torch.get_rng_state(), np.random.get_state(), random.getstate()
        if batch is None:
            raise BatchError(
                f"The {self._split.name} data could be read once, but not again. Expected data that "
                "can be read again in each pass."
            )
        return batch


@contextmanager
def _readable(name: str, batch: int | str) -> Iterator[None]:
    """Say in a sentence what went wrong while a batch was read."""
    try:
        yield
    except BatchError:
        raise
    except Exception as error:
        said = " ".join(str(error).split())[:200].rstrip(".")
        raise BatchError(
            f"Batch {batch} of the {name} data cannot be read: {type(error).__name__}: {said}. Expected a "
            "loader or stream that gives a mapping with 'labels', or a pair (inputs, labels)."
        ) from error


def _joined(one: Any, other: Any, name: str) -> Any:
    """Two batches as one."""
    first, second = read_examples(one, name), read_examples(other, name)
    both = {key: torch.cat([tensor, second.inputs[key]]) for key, tensor in first.inputs.items()}
    labels = None
    if first.labels is not None and second.labels is not None:
        labels = torch.cat([first.labels, second.labels])
    return (both[""], labels) if "" in both else both | ({} if labels is None else {"labels": labels})


def _size_of(batch: Any) -> int:
    """Examples in a batch."""
    if is_list_of_examples(batch):
        return len(batch)
    values = list(batch.values()) if isinstance(batch, Mapping) else [batch[-1]]
    return len(values[0])


def _examples_in(loader: DataLoader[Any], first: int) -> int:
    """Examples of one pass of a loader that says how many batches there are."""
    if loader.batch_size is None or isinstance(loader.dataset, IterableDataset):
        return len(loader) * first
    sampled = len(loader.sampler)  # type: ignore[arg-type]
    return min(sampled, len(loader) * loader.batch_size) if loader.drop_last else sampled
