"""Whether features are what the model would compute: running it again, in other company."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ...core.untouched import left_as_it_was
from .record import as_in_training
from .replay import Leaf

OTHERS_MATTER = "what the frozen part puts out for an example depends on its batch, or is not the same twice"
CALLS_VARY = "the frozen part's modules are called a varying number of times, or put out varying shapes"
USES_VARY = "the rest of the model does not always use the same of what the frozen part puts out"

# Examples that are computed again, and how many at a time: few, so that some of them are without any that
# changes what is computed for others.
_AGAIN, _TOGETHER, _LEAST = 8, 2, 8


class UnfitError(Exception):
    """Features cannot take the place of the frozen part; the message says why, as a clause."""


@contextmanager
def in_mode(model: nn.Module, training: bool) -> Iterator[None]:
    """As in a training step, or as in an evaluation; afterwards the model is as before."""
    with left_as_it_was(model):
        model.train(training)
        with as_in_training() if training else torch.no_grad():
            yield


class Again:
    """Some examples from as many batches as possible, to be computed again in other company.

    Where a batch has an example that changes what is computed for all others, one of those tells.

    Args:
        batches: how many batches there are.
    """

    def __init__(self, batches: int) -> None:
        self._draw = random.Random(0)
        wanted = min(batches, _AGAIN)
        self._from = {batches * number // wanted: -(-_LEAST // batches) for number in range(wanted)}
        self._numbers: list[int] = []
        self._outputs: list[list[Tensor]] = []

    def note(self, number: int, index: Tensor, leaves: Sequence[Leaf], values: Sequence[Tensor]) -> None:
        """Take some of a batch's examples, and what was put out for them, where it is among those chosen."""
        numbers = index.tolist()
        for place in self._draw.sample(range(len(numbers)), min(self._from.get(number, 0), len(numbers))):
            self._numbers.append(numbers[place])
            self._outputs.append(
                [
                    (value if leaf.batch is None else value.narrow(leaf.batch, place, 1)).clone()
                    for value, leaf in zip(values, leaves, strict=True)
                ]
            )

    def batches(self) -> Iterator[tuple[Tensor, list[list[Tensor]]]]:
        """Numbers of examples in small batches, and what was put out for each."""
        device = self._outputs[0][0].device
        for start in range(0, len(self._numbers), _TOGETHER):
            part = slice(start, start + _TOGETHER)
            yield torch.tensor(self._numbers[part], device=device), self._outputs[part]
