"""One step: gradients of some batches, checked before any weight moves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from .compute import Compute, Measured, NotFinite
from .config import TrainConfig
from .data import Split
from .failures import bad_gradient_message, endless_skipping_message, not_finite_message
from .finite import MovingBuffers, all_finite, find_example, find_gradient, find_not_finite
from .state import TrainState

_SKIPPED_AT_MOST = 24  # in a row: the scale of "fp16" has fallen to 2 ** -8


class NoStep(Exception):
    """A step that was not made; weights and buffers are as they were, and the message says why."""

    def __init__(self, message: str, loss: float, accuracy: float | None) -> None:
        super().__init__(message)
        self.loss, self.accuracy = loss, accuracy


class Stepper:
    """Makes the steps of a run.

    Args:
        state: what the steps change.
        config: the options.
        train: the training data.
        compute: what computes losses.
    """

    def __init__(self, state: TrainState, config: TrainConfig, train: Split, compute: Compute) -> None:
        self._state, self._config, self._train, self._compute = state, config, train, compute
        self._buffers = MovingBuffers(state.model)
        self._skipped = self._skipped_in_a_row = 0  # by the scaler of "fp16"

    def make(
        self, batches: Sequence[Tensor], number: int, trace: bool
    ) -> tuple[Measured, list[float] | None]:
        """Make step `number` with these batches.

        Returns:
            What was measured, and the norm of each group's gradient where `trace` asks for it.

        Raises:
            NoStep: the loss or a gradient is not finite.
        """
        state = self._state
        self._buffers.keep()
        try:
            measured = self._compute.gradients(
                self._train, batches, lambda value: state.scaler.scale(value).backward()
            )
        except NotFinite as found:
            raise self._bad_loss(found, number) from None
        gradients = None
        if measured.counted:
            gradients = self._traced_and_clipped(trace)
            if not (state.scaler.is_enabled() or all_finite(state.gradients())):
                raise self._bad_gradient(batches, number, measured)
            self._update(number, measured)
        else:
            self._note_nothing_counted(number)
        state.scheduler.step()
        state.optimizer.zero_grad(set_to_none=True)
        return measured, gradients

    def note_skipped(self) -> None:
        """Say in the run's notes if many steps were left out."""
        run = self._state.run
        if self._skipped * 4 > run.steps:
            run.notes.append(
                f"{self._skipped} of {run.steps} steps were left out, as their gradients overflowed in "
                "float16: precision='bf16' leaves none out."
            )

    def _traced_and_clipped(self, trace: bool) -> list[float] | None:
        state, most = self._state, self._config.max_grad_norm
        tracer = state.tracer if trace else None
        if tracer is not None or most is not None:
            state.scaler.unscale_(state.optimizer)
        found = None if tracer is None else tracer.gradients()
        if most is not None:
            torch.nn.utils.clip_grad_norm_(state.learning_weights(), most)
        return found

    def _update(self, number: int, measured: Measured) -> None:
        scaler = self._state.scaler
        before = scaler.get_scale()
        scaler.step(self._state.optimizer)
        scaler.update()
        skipped = scaler.is_enabled() and scaler.get_scale() < before
        self._skipped += skipped
        self._skipped_in_a_row = self._skipped_in_a_row + 1 if skipped else 0
        if self._skipped_in_a_row == _SKIPPED_AT_MOST:
            weight, _ = find_gradient(self._state.model)
            message = endless_skipping_message(weight, _SKIPPED_AT_MOST, number)
            raise NoStep(message, measured.loss, measured.accuracy)

    def _note_nothing_counted(self, number: int) -> None:
        start, notes = "Some steps changed nothing", self._state.run.notes
        if not any(note.startswith(start) for note in notes):
            notes.append(
                f"{start} (the first was step {number}): all labels of their examples are -100, which the "
                "loss leaves out."
            )

    def _bad_loss(self, found: NotFinite, number: int) -> NoStep:
        state, compute = self._state, self._compute
        self._buffers.put_back()
        where = find_not_finite(state.model, state.groups, found.batch.inputs, compute.forward)
        example = find_example(state.model, found.index, partial(compute.loss_at, self._train))
        state.optimizer.zero_grad(set_to_none=True)
        asked = state.run.config["lr"]
        highest = max(group["lr"] for group in state.optimizer.param_groups)
        rate = highest if isinstance(asked, dict) else asked
        precision = self._config.precision
        return NoStep(
            not_finite_message(found.loss, number, rate, where, example, precision), found.loss, None
        )

    def _bad_gradient(self, batches: Sequence[Tensor], number: int, measured: Measured) -> NoStep:
        state = self._state
        weight, bad = find_gradient(state.model)
        self._buffers.put_back()
        loss_at = partial(self._compute.loss_at, self._train)
        example = find_example(state.model, torch.cat(list(batches)), loss_at, state.learning_weights())
        state.optimizer.zero_grad(set_to_none=True)
        message = bad_gradient_message(weight, bad - 1, number, example, self._config.precision)
        return NoStep(message, measured.loss, measured.accuracy)
