"""Examples by their number, batches of them, and whether reading them again gives the same."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch

from ..core.contents import tensor_bytes
from .reading import is_list_of_examples, read_examples

Collate: TypeAlias = Callable[[list[Any]], Any]
"""From a list of examples to a batch: a mapping with "labels", or a pair (inputs, labels)."""


def collate_of(collate: Any) -> Collate | None:
    """The function that makes batches; None where examples are stacked.

    Raises:
        TypeError: neither a function nor a tokenizer.
    """
    if collate is None:
        return None
    if hasattr(collate, "pad") and hasattr(collate, "model_input_names"):  # a tokenizer
        return partial(collate.pad, return_tensors="pt")
    if not callable(collate):
        raise TypeError(
            f"collate is a {type(collate).__name__}. Expected a function from a list of examples to a batch, "
            "or a tokenizer."
        )
    return collate  # type: ignore[no-any-return]


def fetch(data: Any, index: Sequence[int], name: str) -> list[Any]:
    """These examples, without columns of text, which no model takes.

    Raises:
        ValueError: an example cannot be read.
    """
    try:
        found = data.__getitems__(list(index)) if hasattr(data, "__getitems__") else [data[i] for i in index]
    except Exception as error:
        raise ValueError(
            f"Examples {index[0]} to {index[-1]} of the {name} data cannot be read: {type(error).__name__}: "
            f"{str(error)[:200]}. Expected data[i] for each i from 0 up to the length."
        ) from error
    return [without_text(each) for each in found]


def without_text(example: Any) -> Any:
    """An example without its columns of text."""
    if not isinstance(example, Mapping):
        return tuple(example) if isinstance(example, list) and len(example) == 2 else example
    return {name: value for name, value in example.items() if not isinstance(value, str)}


def collated(examples: list[Any], collate: Collate | None, name: str) -> Any:
    """A batch of these examples, as `read_examples` takes it.

    Raises:
        ValueError, TypeError: `collate` failed, or the examples are of a kind that cannot be stacked.
    """
    if collate is None:
        if not is_list_of_examples(examples):
            kind = type(examples[0]).__name__
            raise TypeError(
                f"An example of the {name} data is a {kind}. Expected a mapping with 'labels', or a pair "
                "(inputs, labels); TaskData(..., collate=function) makes batches of others."
            )
        return examples
    try:
        return collate(examples)
    except Exception as error:
        raise ValueError(
            f"The `collate` of the {name} data failed on {len(examples)} examples: {type(error).__name__}: "
            f"{str(error)[:200]}. Expected a function from a list of examples to a batch."
        ) from error


@contextmanager
def random_as_before(seed: int | None = None) -> Iterator[None]:
    """Give the caller's random numbers back afterwards; begin with `seed`, where one is given."""
    numbers, python = np.random.get_state(), random.getstate()
    with torch.random.fork_rng(devices=[]):
        try:
            if seed is not None:
                torch.manual_seed(seed)
                np.random.seed(seed)
                random.seed(seed)
            yield
        finally:
            np.random.set_state(numbers)
            random.setstate(python)


def changes(read: Callable[[], Iterable[Any]], name: str) -> bool:
    """Whether reading again gives other examples, or draws random numbers, which has the same effect."""
    (first, drawn), (second, _) = read_through(read, name, 1), read_through(read, name, 2)
    return drawn or first != second


def read_through(batches: Callable[[], Iterable[Any]], name: str, seed: int = 1) -> tuple[bytes, bool]:
    """A digest of all batches, and whether reading them drew random numbers.

    Raises:
        ValueError: the batches differ in the shape of their examples.
    """
    digest, kinds = hashlib.sha256(), set()
    with random_as_before(seed):
        before = random_state()
        for batch in batches():
            read = read_examples(batch, name)
            columns = [*sorted(read.inputs.items()), ("labels", read.labels)]
            tensors = [(key, tensor) for key, tensor in columns if tensor is not None]
            kinds.add(tuple((key, tuple(tensor.shape[1:]), tensor.dtype) for key, tensor in tensors))
            digest.update(repr(kinds).encode() if len(kinds) == 1 else b"")
            for _, tensor in tensors:
                digest.update(tensor_bytes(tensor))
        drawn = random_state() != before
    if len(kinds) > 1:
        raise ValueError("the examples differ in shape")
    return digest.digest(), drawn


def random_state() -> tuple[bytes, str, object]:
    """The state of all random generators, to be compared."""
    state = torch.get_rng_state().numpy().tobytes()
    return state, repr(np.random.get_state()), random.getstate()
