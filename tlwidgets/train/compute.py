"""From batches to losses, gradients and what is measured; nothing here changes a weight."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from .config import TrainConfig
from .data import Batch, Split, Splits
from .failures import is_out_of_memory
from .features import FeatureCache, RunFeatures
from .finite import find_example_of
from .losses import outputs_of
from .metrics import Measuring
from .objective import Objective
from .reading import BatchError
from .records import Run
from .remedies import first_line

_HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}


class NotFinite(Exception):
    """A batch whose loss is infinite or NaN."""

    def __init__(self, loss: float, split: Split, index: Tensor, batch: Batch) -> None:
        super().__init__(f"a loss of {loss}")
        self.loss, self.split, self.index, self.batch = loss, split, index, batch


class Measured(NamedTuple):
    """Loss and accuracy of some examples.

    Attributes:
        loss: the mean over all that counts; NaN where nothing does.
        accuracy: share of the labels that are right; None where labels are not classes.
        counted: whether any label counts.
        metrics: what the user asked for besides, by name.
    """

    loss: float
    accuracy: float | None
    counted: bool
    metrics: Mapping[str, float] = {}


class Compute:
    """Runs batches through the model.

    Args:
        model: the model that is trained.
        splits: the data, on the training device.
        objective: the loss.
        config: the options.
        cache: where features are kept; None keeps none.
        run: the record that is being written.
    """

    def __init__(
        self,
        model: nn.Module,
        splits: Splits,
        objective: Objective,
        config: TrainConfig,
        cache: FeatureCache | None,
        run: Run,
    ) -> None:
        self._model, self._splits, self._objective, self._run = model, splits, objective, run
        self._augment = config.augment
        # Functions without this object: a circle would keep it, and the optimizer's state, after the run.
        self.forward: Callable[[Mapping[str, Tensor]], Tensor] = partial(
            outputs_of, model, labelled=splits.train.labelled
        )
        self.autocast = partial(autocast_of, config.precision, splits.train.device)
        self.features = self._features_from(cache)

    def forget_features(self) -> None:
        """Compute everything again from now on: what features depend on has changed."""
        self.features = self._features_from(None)

    def _features_from(self, cache: FeatureCache | None) -> RunFeatures:
        augmented = self._augment is not None
        return RunFeatures(
            self._model, self.forward, self._splits, cache, augmented, self.autocast, self._run
        )

    def gradients(
        self, split: Split, batches: Sequence[Tensor], backward: Callable[[Tensor], object]
    ) -> Measured:
        """Add up the gradients of these batches as if they were one, and return their loss and accuracy.

        Args:
            split: where they are.
            batches: indices of the examples of each.
            backward: called with each weighted loss, to call its `backward`.

        Raises:
            NotFinite: at the first batch of such a loss, before its `backward`.
        """
        taken = [self._take(split, index) for index in batches]
        shares: list[float] = []
        examples = (
            [self._objective.metric.counted(batch.labels) for batch in taken] if len(taken) > 1 else [1]
        )
        total, right = 0.0, None
        for place, (index, plain) in enumerate(zip(batches, taken, strict=True)):
            if not self._objective.count(plain.labels):
                continue  # its mean would be that of nothing
            batch = self._augmented(plain)
            outputs, value = self.loss_of(split, index, batch)
            accuracy = self._objective.metric.share(outputs, batch.labels)
            del outputs  # a language model's logits are large
            loss = float(value.detach())
            if not math.isfinite(loss):
                raise NotFinite(loss, split, index, batch)
            if not shares:  # the first loss shows what it counts
                shares = self._shares([each.labels for each in taken])
            share = shares[place]
            backward(value if share == 1 else value * share)
            total += loss * share
            if accuracy is not None:
                right = (right or 0.0) + accuracy * (examples[place] / sum(examples))
        return Measured(total, right, True) if shares else Measured(math.nan, None, False)

    def _shares(self, labels: Sequence[Tensor]) -> list[float]:
        if self._objective.summed:
            return [1.0] * len(labels)
        counts = [self._objective.count(each) for each in labels]
        return [count / sum(counts) for count in counts]

    def loss_of(self, split: Split, index: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """The model's outputs for a batch, and their loss."""

        def compute() -> tuple[Tensor, Tensor]:
            with self.autocast():
                try:
                    outputs = self.forward(batch.inputs)
                except Exception as error:
                    if isinstance(error, RuntimeError) and is_out_of_memory(error):
                        raise
                    raise BatchError(
                        f"The model cannot take a batch of the {split.name} data, though it could take the "
                        f"first examples: {first_line(error)}. Expected inputs like those in every batch."
                    ) from error
                return outputs, self._objective(outputs, batch.labels)

        return self.features.run(compute, split, index, batch.length)

    def loss_at(self, split: Split, index: Tensor) -> Tensor:
        """The loss of the examples at `index`."""
        return self.loss_of(split, index, self._take(split, index))[1]

    def example_not_finite(self, split: Split | None) -> int | None:
        """An example that alone in its batch has a loss that is not finite; None where there is none."""
        if split is None:
            return None
        return find_example_of(self._model, split.by_length(split.pass_size), partial(self.loss_at, split))

    def measure(self, split: Split, metrics: Mapping[str, Any] | None = None) -> Measured:
        """Loss, accuracy and metrics of a part of the data, however it is cut into batches."""
        self._model.eval()
        measuring = Measuring(metrics or {}, split.device)
        total, counted, right, classified = 0.0, 0.0, 0, 0
        with torch.no_grad():
            for index in split.by_length(split.pass_size):
                batch = self._take(split, index)
                outputs, value = self.loss_of(split, index, batch)
                measuring.add(index, outputs, batch.labels)
                count = self._objective.count(batch.labels)
                if count:
                    total += float(value) * (1 if self._objective.summed else count)
                    counted += count
                accuracy = self._objective.metric.share(outputs, batch.labels)
                if accuracy is not None:
                    examples = self._objective.metric.counted(batch.labels)
                    classified += examples
                    right += round(accuracy * examples)
        loss = total / counted if counted else math.nan
        accuracy = right / classified if classified else None
        return Measured(loss, accuracy, bool(counted), measuring.values())

    def _take(self, split: Split, index: Tensor) -> Batch:
        # Features of a decoder are kept at its full width.
        try:
            return split.take(index, decoder=not self.features.used)
        except (ValueError, TypeError) as error:
            raise BatchError(str(error)) from error

    def _augmented(self, batch: Batch) -> Batch:
        augment = self._augment
        if augment is None:
            return batch
        inputs = {"": augment(batch.inputs[""])} if "" in batch.inputs else augment(dict(batch.inputs))
        return batch._replace(inputs=inputs)


def autocast_of(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """A context in which a run of this precision computes."""
    half = _HALF.get(precision)
    return nullcontext() if half is None else torch.autocast(device.type, half)
