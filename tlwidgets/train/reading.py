"""Reading examples as people have them: tensors, NumPy arrays, lists, columns, by name or as a pair."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

LABELS = "labels"
_ALSO_LABELS = ("label", "label_ids")  # as the collators of `transformers` take them
_EXPECTED = "Expected a mapping of tensors with 'labels', or a pair (inputs, labels)"


class BatchError(ValueError):
    """A batch that can't be read, or that the model or the loss can't take."""


@dataclass
class Read:
    """Examples as tensors on the device that they were on.

    Attributes:
        inputs: by name; "" for a model called with one tensor.
        labels: None where there are none.
        notes: sentences on what was changed, for a person.
    """

    inputs: dict[str, Tensor]
    labels: Tensor | None
    notes: list[str] = field(default_factory=list)


def read_examples(examples: Any, part: str) -> Read:
    """Examples in memory as tensors.

    Args:
        examples: a mapping from names to columns (a `BatchEncoding` or a data frame too), a pair (inputs,
            labels), or a list of examples, each a mapping or a pair. A column is a tensor, an array, or a
            list of numbers.
        part: "training", "validation", "test" or "source".

    Raises:
        TypeError: something that is not numbers, or that can be read only once.
        ValueError: names, shapes or sizes that make no examples.
    """
    columns, labels = _columns(examples, part)
    notes: list[str] = []
    read = Read({name: _tensor(value, name, part, notes) for name, value in columns.items()}, None, notes)
    if labels is not None:
        read.labels = _tensor(labels, LABELS, part, notes)
    if not read.inputs and labels is not None:
        raise ValueError(
            f"The {part} data have labels but no inputs. Expected at least one tensor besides 'labels'."
        )
    return read


def split_labels(examples: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """The inputs by name, and the labels, also where they are called "label"; None where there are none."""
    name = next((name for name in (LABELS, *_ALSO_LABELS) if name in examples), None)
    inputs = {str(key): examples[key] for key in examples if key != name}
    return inputs, None if name is None else examples[name]


def is_list_of_examples(data: Any) -> bool:
    """Whether this is a list with an example (a mapping or a pair) in each place."""
    if not isinstance(data, (list, tuple)) or not data:
        return False
    if all(isinstance(each, Mapping) for each in data):
        return True
    pairs = all(isinstance(each, tuple) and len(each) == 2 for each in data)
    return pairs and (isinstance(data, list) or len(data) > 2)


def wrong_kind(data: Any, part: str) -> TypeError:
    """The error for data of a kind that cannot be read."""
    kind = type(data).__name__
    if isinstance(data, Iterator):
        return TypeError(
            f"The {part} data are a {kind}, which can be read only once, and training reads them in each "
            "pass. Expected data that can be read again: list(...) keeps them."
        )
    if isinstance(data, (list, tuple)):
        kind += f" of {len(data)}"
        if len(data) == 3:
            return TypeError(
                f"The {part} data are a {kind}. {_EXPECTED}. For validation and test data: TaskData(train, "
                "valid, test), each a mapping or a pair."
            )
    return TypeError(f"The {part} data are a {kind}. {_EXPECTED}.")


def _columns(examples: Any, part: str) -> tuple[dict[str, Any], Any]:
    """The inputs by name, and the labels, not read yet."""
    if isinstance(examples, Mapping) or _is_frame(examples):
        return split_labels(examples)
    if is_list_of_examples(examples):
        return _stacked(examples, part)
    if not isinstance(examples, (list, tuple)) or len(examples) != 2:
        raise wrong_kind(examples, part)
    if all(isinstance(each, tuple) for each in examples):
        raise TypeError(
            f"The {part} data are a pair of pairs. {_EXPECTED}. For training and validation data: "
            "TaskData(train=(inputs, labels), valid=(inputs, labels))."
        )
    if isinstance(examples[0], Mapping):
        return {str(name): value for name, value in examples[0].items()}, examples[1]
    return {"": examples[0]}, examples[1]


def _is_frame(examples: Any) -> bool:
    return hasattr(examples, "columns") and hasattr(examples, "iloc")


def _stacked(examples: Sequence[Any], part: str) -> tuple[dict[str, Any], Any]:
    """The columns of a list of examples."""
    if not isinstance(examples[0], Mapping):
        inputs, labels = zip(*examples, strict=True)
        if all(isinstance(each, Mapping) for each in inputs):
            return _column_each(inputs, part), list(labels)
        return {"": list(inputs)}, list(labels)
    return split_labels(_column_each(examples, part))


def _column_each(examples: Sequence[Any], part: str) -> dict[str, list[Any]]:
    names = list(examples[0])
    for number, each in enumerate(examples):
        if set(each) != set(names):
            raise ValueError(
                f"Example {number} of the {part} data has {_named(each)}, and example 0 has "
                f"{_named(names)}. Expected the same names in every example."
            )
    return {name: [each[name] for each in examples] for name in names}


def _named(names: Any) -> str:
    return ", ".join(map(repr, names)) or "nothing"


# -- one column ----------------------------------------------------------------------------------------------


def what_of(name: str) -> str:
    """The name of a column in a sentence."""
    return f"{name or 'inputs'!r}"


def _tensor(value: Any, name: str, part: str, notes: list[str]) -> Tensor:
    what = f"{what_of(name)} of the {part} data"
    if isinstance(value, (list, tuple)) and value and all(isinstance(each, Tensor) for each in value):
        value = _stack(value, what)
    tensor = value if isinstance(value, Tensor) else _from_numbers(value, name, part)
    if tensor.dim() == 0:
        raise ValueError(f"{what} is a single number. Expected a tensor whose first axis is the examples.")
    if tensor.layout is not torch.strided or tensor.is_nested:
        remedy = "to_padded_tensor(0)" if tensor.is_nested else "to_dense()"
        raise TypeError(
            f"{what} is a {'nested' if tensor.is_nested else 'sparse'} tensor. Expected one that holds every "
            f"number: .{remedy} makes one."
        )
    if tensor.is_meta:
        raise TypeError(f"{what} is on the 'meta' device, which holds no numbers. Expected a real tensor.")
    if tensor.requires_grad:
        if tensor.grad_fn is not None:
            notes.append(
                f"{what} came with an autograd graph. It was used as it is: the modules that computed it are "
                "not trained here. To train them as well, make them part of the model."
            )
        tensor = tensor.detach()
    return tensor


def _stack(tensors: Sequence[Tensor], what: str) -> Tensor:
    shapes = {tuple(each.shape): number for number, each in reversed(list(enumerate(tensors)))}
    if len(shapes) > 1:
        raise _uneven(what, sorted((number, shape) for shape, number in shapes.items()))
    return torch.stack([each.detach() for each in tensors])


def _uneven(what: str, found: Sequence[tuple[int, tuple[int, ...]]]) -> ValueError:
    one, other = found[:2]
    return ValueError(
        f"{what} has shape {one[1]} in example {one[0]} and {other[1]} in example {other[0]}. Expected the "
        "same shape in all: pad them, or pass TaskData(..., collate=function) with a function that makes a "
        "batch of a list of examples."
    )


def _from_numbers(value: Any, name: str, part: str) -> Tensor:
    what = f"{what_of(name)} of the {part} data"
    plain = isinstance(value, (list, tuple, range))
    if not plain and not hasattr(value, "__array__"):
        raise TypeError(
            f"{what} is a {type(value).__name__}. Expected a tensor, an array or a list of numbers."
        )
    try:
        array = np.asarray(value)
    except ValueError:
        shapes = [np.shape(each) if _is_even(each) else None for each in value]
        odd = next((number for number, shape in enumerate(shapes) if shape != shapes[0]), None)
        other = None if odd is None else shapes[odd]
        if odd is None or shapes[0] is None or other is None:
            raise TypeError(
                f"{what} is not an even table of numbers. Expected a tensor, an array or a list in which all "
                "examples have the same shape."
            ) from None
        raise _uneven(what, [(0, shapes[0]), (odd, other)]) from None
    if array.dtype.kind == "O":
        array = _unboxed(array)
    if array.dtype.kind in "SU" or (array.dtype.kind == "O" and _holds_text(array)):
        raise TypeError(_text_sentence(array, name, part))
    if array.dtype.kind not in "biufc":
        raise TypeError(f"{what} holds {_content_of(array)}. Expected numbers, one or more for each example.")
    if plain and array.dtype == np.float64:  # as torch.tensor reads a list
        array = array.astype(torch.zeros(()).numpy().dtype)
    if array.dtype.kind == "u" and array.dtype.itemsize > 1:
        array = array.astype(np.int64)
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    # A tensor over a read-only array would let it be written to.
    ready = array.flags.writeable and all(step >= 0 for step in array.strides)
    return torch.from_numpy(array if ready else array.copy())


def _is_even(value: Any) -> bool:
    try:
        np.shape(value)
    except ValueError:
        return False
    return True


def _unboxed(array: np.ndarray[Any, np.dtype[Any]]) -> np.ndarray[Any, np.dtype[Any]]:
    """An array of objects that are all numbers, as numbers."""
    flat = array.ravel()
    if len(flat) and all(isinstance(each, (bool, int, float, np.number, np.bool_)) for each in flat):
        return np.asarray(array.tolist())
    return array


def _holds_text(array: np.ndarray[Any, np.dtype[Any]]) -> bool:
    flat = array.ravel()
    return bool(len(flat)) and isinstance(flat[0], (str, bytes))


def _content_of(array: np.ndarray[Any, np.dtype[Any]]) -> str:
    if array.dtype.kind == "O" and array.size:
        odd = next(
            (each for each in array.ravel() if not isinstance(each, (bool, int, float))), array.ravel()[0]
        )
        return f"{odd!r:.60}"
    return f"values of type {array.dtype}"


def _text_sentence(array: np.ndarray[Any, np.dtype[Any]], name: str, part: str) -> str:
    first = str(array.ravel()[0])
    if name == LABELS:
        return (
            f"The labels of the {part} data are text ({first!r:.40}, ...). Expected class numbers from 0 up: "
            "`names = sorted(set(labels))`, then `torch.tensor([names.index(label) for label in labels])`, "
            "with the same names for all parts."
        )
    return (
        f"{what_of(name)} of the {part} data is text ({first!r:.40}, ...). Expected numbers: a tokenizer "
        "makes them, tokenizer(texts, padding=True, return_tensors='pt'); leave out columns that the model "
        "does not take."
    )
