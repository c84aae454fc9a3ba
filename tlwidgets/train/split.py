"""One part of the data: its interface, and the part as tensors in memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .padding import DECODER_MASK, MASK, find_padding
from .reading import read_examples, what_of


class Batch(NamedTuple):
    """Some examples: inputs by name ("" for a model called with one tensor), labels, and the length that they
    were cut to (0 without a mask)."""

    inputs: dict[str, Tensor]
    labels: Tensor
    length: int


class Split:
    """One part of a `TaskData`, checked, on the training device.

    Attributes:
        name: "training", "validation", "test" or "source".
        inputs: by name; the first axis is the examples.
        labels: class numbers as 64-bit integers, or other numbers as they were given.
        size: number of examples.
        notes: sentences on what was changed, for a person.
        merge_last: whether a last batch of one is joined to the batch before it.
        labelled: whether there are labels; where there are none, `labels` are zeros.
        reads_later: whether batches are read while training.
        complete: whether `inputs` and `labels` are all there is. Data that are read while training have there
            the examples that were checked.
        why_not_again: why `identity` is None; a clause without a full stop.
        lengths: how many positions of each example are not padding, (examples,); None where there is no
            padding to leave out, or it cannot be known which tensors have it.
        width: positions with all padding; 0 without an attention mask.

    Raises:
        ValueError, TypeError: examples that cannot be trained on.
    """

    why_not_again = ""

    def __init__(self, examples: Any, name: str, device: torch.device) -> None:
        self.name, self.device, self.complete, self.reads_later = name, device, True, False
        self._converted: dict[str, torch.dtype] = {}
        read = read_examples(examples, name)
        if not read.inputs:
            raise ValueError(
                f"The {name} data have no 'labels'. Expected a mapping of tensors with 'labels' among them; "
                "it has nothing."
            )
        self.inputs, self.notes, self.labelled = read.inputs, read.notes, read.labels is not None
        labels = _no_labels(read.inputs) if read.labels is None else read.labels
        self.size = len(labels)
        self.merge_last = False
        for key, tensor in self.inputs.items():
            if len(tensor) != self.size:
                raise ValueError(
                    f"The {name} data have {self.size} labels and {len(tensor)} examples in "
                    f"{key or 'the inputs'!r}. Expected one label for each example."
                )
        if not self.size:
            raise ValueError(f"The {name} data are empty. Expected at least one example.")
        self.inputs = {key: tensor.to(device) for key, tensor in self.inputs.items()}
        self.labels = _as_labels(labels, device)
        self._derived: dict[str, Callable[[Tensor], Tensor]] = {}
        self._find_padding()

    def _find_padding(self) -> None:
        mask = self.inputs.get(MASK)
        self.width = mask.shape[1] if mask is not None and mask.dim() == 2 else 0
        self._padding = find_padding(self.inputs, self.labels, MASK)
        self._decoder_padding = find_padding(self.inputs, self.labels, DECODER_MASK)
        self.lengths = None if self._padding is None else self._padding.lengths

    def derive(self, name: str, make: Callable[[Tensor], Tensor]) -> None:
        """Give the model an input that is made of the labels."""
        self._derived[name] = make
        self.inputs[name] = make(self.labels)
        if not self.reads_later:
            self._find_padding()

    def take(self, index: Tensor | slice, length: int | None = None, *, decoder: bool = False) -> Batch:
        """The examples at `index`, cut to the longest of them, or to `length`.

        With `decoder` the decoder's inputs and labels are cut along their own padding as well.
        """
        ends: dict[str, int] = {}
        if self._padding is not None:
            length = self._padding.longest(index) if length is None else length
            ends = dict.fromkeys(self._padding.names, length)
        if decoder and self._decoder_padding is not None:
            ends |= dict.fromkeys(self._decoder_padding.names, self._decoder_padding.longest(index))
        # Cut first: the padding is then not copied.
        taken = {
            name: (tensor[:, : ends[name]] if name in ends else tensor)[index]
            for name, tensor in [*self.inputs.items(), ("labels", self.labels)]
        }
        labels = taken.pop("labels")
        return Batch(taken, labels, self.width if length is None else length)

    def shuffled(self, size: int, generator: torch.Generator, by_length: bool = False) -> Sequence[Tensor]:
        """Indices of the batches of one pass, in random order; `size` is that of a batch.

        With `by_length` a batch has examples of about the same length: they are sorted within random groups
        of fifty batches, so that neighbours still change from pass to pass, and less padding is computed.
        """
        order = torch.randperm(self.size, generator=generator)
        if by_length and self.lengths is not None:
            lengths = self.lengths.cpu()
            groups = [group[lengths[group].argsort(stable=True)] for group in torch.split(order, 50 * size)]
            batches = self._merged([batch for group in groups for batch in torch.split(group, size)])
            batches = [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]
        else:
            batches = self._merged(list(torch.split(order, size)))
        return [batch.to(self.device) for batch in batches]

    def _merged(self, batches: list[Tensor]) -> list[Tensor]:
        """With a last batch of one joined to the one before it, where that is asked for."""
        if self.merge_last and len(batches) > 1 and len(batches[-1]) == 1:
            batches[-2:] = [torch.cat(batches[-2:])]
        return batches

    def batches_a_pass(self, size: int) -> int:
        """Batches of one pass, `size` examples each."""
        return math.ceil(self.size / size) - (self.merge_last and self.last_batch(size) == 1)

    def last_batch(self, size: int) -> int:
        """Examples in the last batch of a pass, `size` in the others; `size` where it is the only one."""
        return self.size % size or size if self.size > size else size

    def convert(self, names: Iterable[str], dtype: torch.dtype) -> None:
        """Give inputs another floating-point type."""
        for name in names:
            self.notes.append(
                f"{what_of(name)} of the {self.name} data is of type {self.inputs[name].dtype}, and the "
                f"model's weights are of type {dtype}: it was converted to that."
            )
            self.inputs[name] = self.inputs[name].to(dtype)
            self._converted[name] = dtype

    def sample(self, rows: Tensor) -> Batch:
        """Some of the examples in `inputs`."""
        return Split.take(self, rows)

    def identity(self) -> Mapping[str, Tensor] | None:
        """Tensors that are equal where the inputs are; None where reading them again may give others."""
        return self.inputs

    # -- for data that are read while training ---------------------------------------------------------------

    def _read_later(self, size: int, complete: bool) -> None:
        """`inputs` and `labels` are only some of so many examples, and batches are not cut."""
        self.size, self.complete, self.reads_later = size, complete, True
        self.lengths, self.width, self._padding, self._decoder_padding = None, 0, None, None

    def _to_batch(self, batch: Any) -> Batch:
        """A batch as it was read, on the training device."""
        read = read_examples(batch, self.name)
        inputs = {
            name: tensor.to(self.device, self._converted.get(name, tensor.dtype), non_blocking=True)
            for name, tensor in read.inputs.items()
        }
        if (read.labels is not None) != self.labelled:
            raise ValueError(f"Not all batches of the {self.name} data have 'labels'. Expected them in all.")
        labels = _as_labels(_no_labels(inputs) if read.labels is None else read.labels, self.device)
        return Batch(inputs | {name: make(labels) for name, make in self._derived.items()}, labels, 0)

    @property
    def pass_size(self) -> int:
        """Examples at a time where a whole model computes without gradients.

        A CPU is no faster with more, and their activations fill its memory: 64 sounds took 200 MB more than
        16.
        """
        return 16 if self.device.type == "cpu" else 64

    def by_length(self, size: int) -> Iterable[Tensor]:
        """Indices of batches of `size` that cover all examples once, with as little padding as possible."""
        if self.lengths is None:
            return torch.split(torch.arange(self.size, device=self.device), size)
        return torch.split(self.lengths.argsort(stable=True), size)

    @property
    def classes(self) -> int | None:
        """Number of classes that the labels call for; None where they are not class numbers."""
        if self.labels.is_floating_point() or self.labels.dim() != 1:
            return None
        return int(self.labels.max()) + 1


def _no_labels(inputs: Mapping[str, Tensor]) -> Tensor:
    """Numbers in the place of labels."""
    return torch.zeros(len(next(iter(inputs.values()))), dtype=torch.int64)


def _as_labels(labels: Tensor, device: torch.device) -> Tensor:
    # Cross-entropy takes 64-bit class numbers; for a person, bool and short integers are just as good.
    return labels.to(device) if labels.is_floating_point() else labels.to(device, torch.int64)
