"""The training loop: one run, step by step."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import psutil
import torch
from torch import Tensor, nn

from ..core import FreezePlan, apply_plan
from .checkpoint import LoopPosition, frozen_digest, load_checkpoint, write_record
from .compute import Compute, Measured
from .config import TrainConfig
from .control import Control
from .data import Split, Splits
from .events import (
    EpochEnded,
    Event,
    FeaturesComputed,
    Finished,
    Paused,
    PlanChanged,
    Resumed,
    Started,
    Stepped,
)
from .failures import (
    UNMEASURED_TEST,
    TrainingError,
    half_message,
    half_weight,
    is_out_of_memory,
    out_of_memory_message,
)
from .features import FeatureCache
from .made_of import MadeOf
from .objective import Objective
from .overlaps import half_frozen, overlapping_weights
from .reading import BatchError
from .records import Run
from .remedies import first_line
from .snapshots import Snapshots
from .state import TrainState, count_parameters
from .stepper import NoStep, Stepper

_NOTHING = Measured(math.nan, math.nan, False)


class Turn(NamedTuple):
    """What a fork does once, after so many steps; `take` is called with the epoch."""

    step: int
    take: Callable[[int], None]


class TrainingLoop:
    """One run: `run_all` trains to the end.

    Args:
        state: what the steps change.
        config: the options.
        splits: the data, on the training device.
        objective: the loss, and what it averages over.
        source: what `config.source` gives, on the training device.
        cache: where features are kept; None keeps none.
        control: as in `fit`.
        on_event: as in `fit`.

    `snapshots`, `begin_from` (a record to start from in place of the start), `turn` and `plans` (still to
    come, by epoch) may be set before the run.
    """

    def __init__(
        self,
        state: TrainState,
        config: TrainConfig,
        splits: Splits,
        objective: Objective,
        source: Split | Callable[[nn.Module], float] | None,
        cache: FeatureCache | None,
        control: Control,
        on_event: Callable[[Event], None],
    ) -> None:
        self.state, self.config, self.splits, self.source = state, config, splits, source
        self.control, self._emit = control, on_event
        self.plans: Mapping[int, FreezePlan] = dict(config.unfreeze or {})
        self.snapshots: Snapshots | None = None
        self.begin_from: Mapping[str, Any] | None = None
        self.turn: Turn | None = None
        self.steps = steps_of(config, splits.train)
        self._checkpoint = Path(config.checkpoint) if config.checkpoint is not None else None
        self._made_of = MadeOf(config, splits) if self._checkpoint is not None else None
        self._process = psutil.Process()
        self._plan_is_new = True
        self._compute = Compute(state.model, splits, objective, config, cache, state.run)
        self._stepper = Stepper(state, config, splits.train, self._compute)

    @property
    def run(self) -> Run:
        """The record that is being written."""
        return self.state.run

    def run_all(self) -> Run:
        """Train to the end, and return the record.

        Raises:
            TrainingError: the loss became infinite or NaN, memory ran out, or a batch after the first step
                can't be trained on.
            BatchError: the first one can't.
        """
        run, state = self.run, self.state
        self._emit(Started(0, self.steps, run.costs.trainable, run.costs.total, run.device))
        if state.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(state.device)
        if state.tracer is not None:
            run.trace = state.tracer.trace
        processor = time.process_time()
        try:
            self._train()
            run.costs.cpu_s += time.process_time() - processor
            if run.status != "stopped" and state.take_best():
                self._compute.forget_features()
            self._stepper.note_skipped()
            self._measure_test()
        except BatchError as error:
            if not run.steps:
                raise
            self._fail(f"{error} This was at step {run.steps + 1}; the weights are those before it.", error)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            self._fail(out_of_memory_message(run.steps + 1, self.config.batch_size), error)
        finally:
            state.model.eval()
            self._sample_memory()
            if self.snapshots is not None:
                run.snapshots = self.snapshots
                run.notes += self.snapshots.notes
        self._emit(Finished(run.steps, run.status))
        return run

    # -- epochs ----------------------------------------------------------------------------------------------

    def _train(self) -> None:
        state, config = self.state, self.config
        # A run that broke off leaves gradients that are not numbers.
        state.optimizer.zero_grad(set_to_none=True)
        position = self._resume()
        if position is None:
            self._measure_source()
            position = state.position(epoch=1)
        for epoch in range(position.epoch, config.epochs + 1):
            plan = self.plans.get(epoch)
            if not position.entered and plan is not None:
                self.adopt(plan, epoch)
            self._prepare_features(epoch)
            if self.control.stopped or not self._epoch(epoch, position.batch):
                self.run.status = "stopped"
                return
            position = state.position(epoch + 1)
            if epoch % config.valid_every == 0 or epoch == config.epochs:
                self._end_epoch(epoch)
                if self._ran_out_of_patience(epoch):
                    break
            self._save(position)
        if self._checkpoint is not None:
            self._checkpoint.unlink(missing_ok=True)

    def _epoch(self, epoch: int, skip: int) -> bool:
        """One pass over the data, from its `skip`-th batch; returns False when it was stopped."""
        self.state.model.train()
        config, order = self.config, self.state.order
        at_start = order.get_state()
        batches = self.splits.train.shuffled(config.batch_size, order, config.group_by_length)
        for first in range(skip, len(batches), config.accumulate):
            position = LoopPosition(epoch, first, at_start, entered=True)
            if not self._between_steps(position):
                self._save(position)
                return False
            end = first + config.accumulate
            self._step(batches[first:end], last=end >= len(batches))
        return True

    def _between_steps(self, position: LoopPosition) -> bool:
        """Fork, keep a snapshot, honour commands, pause and stop; returns whether to continue."""
        epoch = position.epoch
        if self.turn is not None and self.run.steps == self.turn.step:
            turn, self.turn = self.turn, None
            turn.take(epoch)
        self._run_commands(epoch)
        if self.control.paused:
            self._emit(Paused(self.run.steps))
            while not self.control.wait(0.05):
                self._run_commands(epoch)
            if not self.control.stopped:
                self._emit(Resumed(self.run.steps))
        if self.snapshots is not None and self.turn is None:
            self.snapshots.maybe_save(self.state, position, self._plan_is_new)
            self._plan_is_new = False
        return not self.control.stopped

    def _run_commands(self, epoch: int) -> None:
        if self.control.run_commands():
            self._plan_changed(epoch)

    # -- a step ----------------------------------------------------------------------------------------------

    def _step(self, batches: Sequence[Tensor], last: bool) -> None:
        start = time.perf_counter()
        state, curves = self.state, self.run.curves
        number = len(curves.step) + 1
        every = self.config.trace_every
        trace = last or number == 1 or bool(every and number % every == 0)
        try:
            measured, gradients = self._stepper.make(batches, number, trace)
        except NoStep as failure:
            curves.add_step(number, failure.loss, failure.accuracy)
            self._fail(str(failure))
        loss, accuracy = measured.loss, measured.accuracy
        took = time.perf_counter() - start
        self.run.costs.wall_s += took
        curves.add_step(number, loss, accuracy)
        if number % 20 == 1:
            self._sample_memory()
        if state.tracer is not None and gradients is not None:
            self._emit(state.tracer.measure(number, gradients))
        self._emit(Stepped(number, loss, accuracy, took))

    # -- plans that change, and the frozen prefix ------------------------------------------------------------

    def adopt(self, plan: FreezePlan, epoch: int) -> None:
        """Continue under this plan."""
        if apply_plan(self.state.model, plan, self.state.optimizer):
            self._plan_changed(epoch)

    def _plan_changed(self, epoch: int) -> None:
        self.run.costs.trainable = count_parameters(self.state.model)["trainable"]
        model = self.state.model
        learning = {name for name, weight in model.named_parameters() if weight.requires_grad}
        half = half_weight(model)
        wrong = half_message(half) if half else half_frozen(overlapping_weights(model), learning)
        if wrong:
            self._fail(wrong)
        self.state.note_learning()
        self._plan_is_new = True
        self._prepare_features(epoch)
        self._emit(PlanChanged(self.run.steps, self.run.costs.trainable))

    def _prepare_features(self, epoch: int) -> None:
        """Prepare the frozen prefix's output for the coming passes, if that saves time."""
        start, last_told = time.perf_counter(), 0.0

        def progress(part: str, done: int, total: int) -> bool:
            nonlocal last_told
            if done == total or time.perf_counter() - last_told > 0.1:
                last_told = time.perf_counter()
                self._emit(FeaturesComputed(self.run.steps, part, done, total))
            return not self.control.stopped  # commands wait: one may change what is being computed

        last_pass = epoch >= self.config.epochs and not self.state.read_features
        decided = self._compute.features.prepare(epoch, last_pass, progress)
        if decided is None:
            return
        self.state.read_features = False
        report, computed = decided
        if not computed:
            self.run.cache.append({"epoch": epoch, "used": False, "why": report.why})
            return
        took = time.perf_counter() - start
        self.run.costs.features_s += took
        self.run.costs.wall_s += took
        self.run.cache.append({"epoch": epoch, **vars(report), "sites": list(report.sites), "seconds": took})

    # -- between passes --------------------------------------------------------------------------------------

    def _end_epoch(self, epoch: int) -> None:
        valid, curves = self.splits.valid, self.run.curves
        loss, accuracy, _, metrics = self._measure_valid(valid, epoch) if valid is not None else _NOTHING
        for name, value in metrics.items():
            self.run.metrics.setdefault(name, []).append(value)
        curves.add_epoch(epoch, loss, accuracy)
        self._measure_source()
        known = valid is not None
        self._emit(
            EpochEnded(self.run.steps, epoch, loss if known else None, accuracy if known else None, metrics)
        )

    def _measure_valid(self, valid: Split, epoch: int) -> Measured:
        try:
            return self._compute.measure(valid, self.config.metrics)
        except Exception as error:
            if isinstance(error, RuntimeError) and is_out_of_memory(error):
                raise
            self._fail(
                f"The validation data could not be measured after epoch {epoch} ({type(error).__name__}: "
                f"{first_line(error)}). The model has the weights of that epoch.",
                error,
            )

    def _measure_test(self) -> None:
        """Measure once, after training; what fails here must not cost the run."""
        if self.splits.test is None:
            return
        try:
            measured = self._compute.measure(self.splits.test, self.config.metrics)
            self.run.test_accuracy, self.run.test_metrics = measured.accuracy, dict(measured.metrics)
        except Exception as error:
            self.run.notes.append(
                f"{UNMEASURED_TEST} ({type(error).__name__}: {first_line(error)}). The run is complete: its "
                "weights and curves are as trained."
            )

    def _measure_source(self) -> None:
        """Measure how well the model still does its source task."""
        if self.source is None:
            return
        accuracy: float | None
        try:
            if isinstance(self.source, Split):
                accuracy = self._compute.measure(self.source).accuracy
            else:
                self.state.model.eval()
                with torch.no_grad():
                    accuracy = self.source(self.state.model)
        except Exception as error:
            if not self.run.steps:
                raise  # nothing is lost
            accuracy = None
            self.run.notes.append(
                f"The source task could not be measured after step {self.run.steps} "
                f"({type(error).__name__}: {first_line(error)}); training continued."
            )
        self.run.curves.source_accuracy.append(math.nan if accuracy is None else float(accuracy))

    def _ran_out_of_patience(self, epoch: int) -> bool:
        run, patience = self.run, self.config.patience
        if patience is None:
            return False
        loss = run.curves.valid_loss[-1]
        self.state.note_epoch(epoch, loss)
        if math.isnan(loss):
            example = self._compute.example_not_finite(self.splits.valid)
            whose = "" if example is None else f" (that of example {example}, counted from 0)"
            why = f"the validation loss is nan{whose}, so no epoch can be compared with it"
        elif epoch - run.best_epoch >= patience:
            why = f"the validation loss had not fallen for {patience} epochs"
        else:
            return False
        whose = f"epoch {run.best_epoch}" if run.best_epoch else "the last step, as no epoch was better"
        run.notes.append(f"Stopped after epoch {epoch}: {why}. The weights are those of {whose}.")
        return True

    # -- stopping and going on -------------------------------------------------------------------------------

    def _save(self, position: LoopPosition) -> None:
        if self._checkpoint is not None and self._made_of is not None:
            frozen = frozen_digest(self.state.model, self.state.learned)
            record = self.state.to_record(position, frozen)
            write_record(self._checkpoint, {**record, "made_of": self._made_of.to_record()})

    def _resume(self) -> LoopPosition | None:
        """Where to begin, if not at the start: from a given record, or from the checkpoint."""
        self.state.note_learning()
        if self.begin_from is not None:
            return self.state.restore(self.begin_from)
        if self._checkpoint is None or self._made_of is None or not self._checkpoint.exists():
            return None
        record = load_checkpoint(
            self.state.model, self._checkpoint, self.run.config, self._made_of.difference
        )
        position = self.state.restore(record)
        self.run.notes.append(f"Continued from step {self.run.steps}, where an earlier run had stopped.")
        return position

    # -- what can go wrong -----------------------------------------------------------------------------------

    def _fail(self, message: str, cause: BaseException | None = None) -> NoReturn:
        self.run.status, self.run.message = "failed", message
        self._emit(Finished(self.run.steps, "failed", message))
        raise TrainingError(message, self.run) from cause

    def _sample_memory(self) -> None:
        device = self.state.device
        cuda = device.type == "cuda"
        used = torch.cuda.max_memory_allocated(device) if cuda else self._process.memory_info().rss
        self.run.costs.peak_bytes = max(self.run.costs.peak_bytes, used)


def steps_of(config: TrainConfig, train: Split) -> int:
    """Optimizer steps in all."""
    return config.epochs * math.ceil(train.batches_a_pass(config.batch_size) / config.accumulate)
