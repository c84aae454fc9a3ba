"""Training data as tensors in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

Examples: TypeAlias = "Mapping[str, Tensor] | tuple[Tensor, Tensor]"
"""Named tensors whose first axis is the examples, "labels" among them; or a pair (inputs, labels)."""


@dataclass(frozen=True)
class TaskData:
    """A task's examples. `valid` is for choosing, `test` is looked at once, after training.

    Each is a mapping from names to tensors (first axis: examples) with "labels", as `transformers` models take them;
    or a pair (inputs, labels) for a model called with one tensor.

    Where inputs come with an "attention_mask" that ends in padding, each batch is cut to its longest example.
    """

    train: Examples
    valid: Examples | None = None
    test: Examples | None = None


class Batch(NamedTuple):
    """Some examples: inputs by name, labels, and the length they were cut to (0 without a mask)."""

    inputs: dict[str, Tensor]
    labels: Tensor
    length: int


class Batches:
    """One part of a `TaskData`, checked, on the training device.

    Attributes:
        name: "training", "validation" or "test".
        size: number of examples.
        lengths: places of each example that are not padding; None where there is no padding to leave out.
        width: places with all padding; 0 without an attention mask.
    """

    def __init__(self, examples: Examples, part: str, device: torch.device) -> None:
        self.name = part
        self.inputs, labels = _split(examples, part)
        self.size = len(labels)
        for name, tensor in self.inputs.items():
            if len(tensor) != self.size:
                raise ValueError(
                    f"The {part} data have {self.size} labels and {len(tensor)} examples in {name or 'the inputs'!r}. "
                    "Expected one label an example."
                )
        if not self.size:
            raise ValueError(f"The {part} data are empty. Expected at least one example.")
        self.inputs = {name: tensor.to(device) for name, tensor in self.inputs.items()}
        # Cross-entropy takes 64-bit class numbers; bool and short integers are as good to a person.
        self.labels = labels.to(device) if labels.is_floating_point() else labels.to(device, torch.int64)
        mask = self.inputs.get("attention_mask")
        self.lengths = _lengths(mask)
        self.width = mask.shape[1] if mask is not None and mask.dim() == 2 else 0

    def take(self, index: Tensor | slice, length: int | None = None) -> Batch:
        """Some examples, cut to the longest of them, or to `length`."""
        if self.lengths is None:
            inputs = {name: tensor[index] for name, tensor in self.inputs.items()}
            return Batch(inputs, self.labels[index], self.width)
        if length is None:
            length = max(1, int(self.lengths[index].max()))
        inputs = {name: self._cut(tensor, length)[index] for name, tensor in self.inputs.items()}
        return Batch(inputs, self._cut(self.labels, length)[index], length)

    def _cut(self, tensor: Tensor, length: int) -> Tensor:
        by_place = tensor.dim() == 2 and tensor.shape[1] == self.width and not tensor.is_floating_point()
        return tensor[:, :length] if by_place else tensor

    def shuffled(self, size: int, generator: torch.Generator, by_length: bool = False) -> list[Tensor]:
        """Indices of the batches of one pass, in random order.

        With `by_length` a batch has examples of about the same length: they are sorted within random groups of fifty
        batches, so that neighbours still change from pass to pass, and less padding is computed.
        """
        order = torch.randperm(self.size, generator=generator)
        if by_length and self.lengths is not None:
            lengths = self.lengths.cpu()
            groups = [group[lengths[group].argsort(stable=True)] for group in order.split(50 * size)]
            batches = [batch for group in groups for batch in group.split(size)]
            batches = [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]
        else:
            batches = list(order.split(size))
        return [batch.to(self.labels.device) for batch in batches]

    @property
    def pass_size(self) -> int:
        """Examples at a time where a whole model only looks at them.

        A CPU is no faster with more, and their activations fill its memory: 64 sounds took 200 MB more than 16.
        """
        return 16 if self.labels.device.type == "cpu" else 64

    def by_length(self, size: int) -> tuple[Tensor, ...]:
        """Indices of batches that cover all examples once, with as little padding as can be."""
        if self.lengths is None:
            return torch.arange(self.size, device=self.labels.device).split(size)
        return self.lengths.argsort(stable=True).split(size)

    @property
    def classes(self) -> int | None:
        """Number of classes that the labels call for; None where they are no class numbers."""
        if self.labels.is_floating_point() or self.labels.dim() != 1:
            return None
        return int(self.labels.max()) + 1


def _lengths(mask: Tensor | None) -> Tensor | None:
    """Places before the padding, of each example; None where the mask is no such mask, or hides nothing."""
    if mask is None or mask.dim() != 2 or mask.is_floating_point():
        return None
    seen = mask != 0
    lengths = seen.sum(1)
    places = torch.arange(mask.shape[1], device=mask.device)
    if bool(seen.all()) or not torch.equal(seen, places < lengths[:, None]):
        return None
    return lengths


def as_task_data(data) -> TaskData:
    """Accept a `TaskData`, or training examples alone."""
    return data if isinstance(data, TaskData) else TaskData(data)


def _split(examples, part: str) -> tuple[dict[str, Tensor], Tensor]:
    if isinstance(examples, Mapping):
        if "labels" not in examples:
            raise ValueError(
                f"The {part} data have no 'labels'. Expected a mapping of tensors with 'labels' among them; "
                f"it has {', '.join(map(repr, examples)) or 'nothing'}."
            )
        inputs = {name: tensor for name, tensor in examples.items() if name != "labels"}
        labels = examples["labels"]
    elif isinstance(examples, (tuple, list)) and len(examples) == 2:
        inputs, labels = {"": examples[0]}, examples[1]
    else:
        raise TypeError(
            f"The {part} data are a {type(examples).__name__}. Expected a mapping of tensors with 'labels', or a pair "
            "(inputs, labels)."
        )
    for name, tensor in {**inputs, "labels": labels}.items():
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"{name or 'inputs'!r} of the {part} data is a {type(tensor).__name__}. Expected a torch.Tensor: "
                "torch.as_tensor(...) makes one."
            )
        if tensor.dim() == 0:
            raise ValueError(
                f"{name or 'inputs'!r} of the {part} data is a single number. Expected a tensor whose first axis is the "
                "examples."
            )
    if not inputs:
        raise ValueError(
            f"The {part} data hold labels and no inputs. Expected at least one tensor beside 'labels'."
        )
    return inputs, labels


def check_learnable(train: Batches) -> None:
    """Refuse data that teach nothing.

    Raises:
        ValueError: only one class, negative class numbers, or whole numbers in rows.
    """
    if train.labels.is_floating_point():
        return
    if train.labels.dim() != 1:
        raise ValueError(
            f"The labels are whole numbers of shape {tuple(train.labels.shape)}. Expected one class number an example, "
            "shape (examples,); for several numbers an example make them float, or pass `loss`."
        )
    found = train.labels.unique()
    if int(found[0]) < 0:
        raise ValueError(f"A label is {int(found[0])}. Expected class numbers from 0 up.")
    if len(found) == 1:
        raise ValueError(
            f"All {train.size} training examples have the same label ({int(found[0])}), so there is nothing to tell "
            "apart. Expected at least two classes: shuffle before you cut a small set, or take more examples."
        )
