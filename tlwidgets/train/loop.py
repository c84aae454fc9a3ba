"""The training loop: one run, step by step."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping

import psutil
import torch
from torch import Tensor, nn

from ..core import FreezePlan, ModelTree, apply_plan
from ..core.scan import scan
from .checkpoint import frozen_digest, load_checkpoint, record_of, write_record
from .control import Control
from .data import Batch, Batches
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
from .features import FrozenFeatures, Interrupted
from .place import Place, put_back, state_of
from .recipe import Parts, Recipe
from .records import Run
from .scores import Loss, accuracy_of, scores_of
from .snapshots import Snapshots
from .trace import Tracer, where_it_broke

REPLAYED = 64  # examples at a time where their features are there and little is left to compute


class TrainingError(RuntimeError):
    """Training can't go on. `run` holds what was measured until then."""

    def __init__(self, message: str, run: Run) -> None:
        super().__init__(message)
        self.run = run


class Loop:
    """One run: the pieces it needs at each step."""

    def __init__(
        self,
        model: nn.Module,
        tree: ModelTree,
        parts: Parts,
        recipe: Recipe,
        optimizer: torch.optim.Optimizer,
        schedule,
        loss: Loss,
        tracer: Tracer | None,
        groups: Mapping[str, list[nn.Parameter]],
        control: Control,
        tell: Callable[[Event], None],
        run: Run,
        snapshots: Snapshots | None = None,
    ) -> None:
        self.model, self.tree, self.parts, self.recipe = model, tree, parts, recipe
        self.optimizer, self.schedule, self.loss = optimizer, schedule, loss
        self.tracer, self.groups, self.control, self.tell, self.run = tracer, groups, control, tell, run
        self.device = parts.train.labels.device
        self.order = torch.Generator().manual_seed(run.config["seed"])
        self.process = psutil.Process()
        self.steps = recipe.steps(parts.train.size)
        self.features: FrozenFeatures | None = None
        self.signature: tuple | None = None
        self.best: tuple[float, dict[str, Tensor]] | None = None
        self.learned: set[str] = set()
        self.snapshots = snapshots
        self.record: dict | None = None  # the state to begin with, in place of the start
        self.fork: tuple[int, Callable[[int], None]] | None = (
            None  # what happens after so many steps, told the epoch
        )
        self.fed_before = False
        self._plan_is_new = True
        half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(recipe.precision)
        self.autocast = (
            contextlib.nullcontext if half is None else lambda: torch.autocast(self.device.type, half)
        )
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=half is torch.float16)

    # -- the run -----------------------------------------------------------------------------------------------

    def run_all(self) -> Run:
        """Train to the end, and return the record."""
        run = self.run
        self.tell(Started(0, self.steps, run.costs.trainable, run.costs.total, run.device))
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        if self.tracer is not None:
            run.trace = self.tracer.trace
        processor = time.process_time()
        try:
            self._train()
            run.costs.cpu_s += time.process_time() - processor
            self._restore_best()
            if self.parts.test is not None:
                run.test_accuracy = self._evaluate(self.parts.test)[1]
        except torch.OutOfMemoryError as error:
            self._out_of_memory(error)
        except RuntimeError as error:
            if not any(words in str(error) for words in ("can't allocate memory", "not enough memory")):
                raise
            self._out_of_memory(error)
        finally:
            self.model.eval()
            self._sample_memory()
            if self.snapshots is not None:
                run.snapshots = self.snapshots
                run.notes += self.snapshots.notes
        self.tell(Finished(run.steps, run.status))
        return run

    def _train(self) -> None:
        self.optimizer.zero_grad(
            set_to_none=True
        )  # a run that broke off leaves gradients that are no numbers
        place = self._resume()
        if place is None:
            self._measure_source()
            place = Place(1, 0, self.order.get_state(), entered=False)
        for epoch in range(place.epoch, self.recipe.epochs + 1):
            if not place.entered:
                self._change_plan(epoch)
            self._prepare_features(epoch)
            if self.control.stopped or not self._epoch(epoch, place.batch):
                self.run.status = "stopped"
                return
            place = Place(epoch + 1, 0, self.order.get_state(), entered=False)
            looked = epoch % self.recipe.valid_every == 0 or epoch == self.recipe.epochs
            if looked:
                self._end_epoch(epoch)
            if looked and self._ran_out_of_patience(epoch):
                self.run.notes.append(
                    f"Stopped after epoch {epoch}: the validation loss had not fallen for {self.recipe.patience} "
                    f"epochs. The weights are those of epoch {self.run.best_epoch}."
                )
                break
            self._save(place)
        if self.recipe.checkpoint is not None:
            self.recipe.checkpoint.unlink(missing_ok=True)

    def _epoch(self, epoch: int, skip: int) -> bool:
        """One pass over the data, from its `skip`-th batch; returns False when it was stopped."""
        self.model.train()
        at_start = self.order.get_state()
        batches = self.parts.train.shuffled(self.recipe.batch_size, self.order, self.recipe.group_by_length)
        accumulate = self.recipe.accumulate
        for first in range(skip, len(batches), accumulate):
            place = Place(epoch, first, at_start, entered=True)
            if not self._between_steps(place):
                self._save(place)
                return False
            self._step(batches[first : first + accumulate], last=first + accumulate >= len(batches))
        return True

    def _between_steps(self, place: Place) -> bool:
        """Fork, keep a snapshot, honour commands, pause and stop; returns whether to go on."""
        epoch = place.epoch
        if self.fork is not None and self.run.steps == self.fork[0]:
            (_, turn), self.fork = self.fork, None
            turn(epoch)
        self._run_commands(epoch)
        if self.control.paused:
            self.tell(Paused(self.run.steps))
            while not self.control.wait(0.05):
                self._run_commands(epoch)
            if not self.control.stopped:
                self.tell(Resumed(self.run.steps))
        if self.snapshots is not None and self.fork is None:
            self.snapshots.look(self, place, self._plan_is_new)
            self._plan_is_new = False
        return not self.control.stopped

    def _run_commands(self, epoch: int) -> None:
        if self.control.run_commands():
            self._plan_changed(epoch)

    def _step(self, batches: list[Tensor], last: bool) -> None:
        start = time.perf_counter()
        examples = sum(map(len, batches))
        total, right, batch = 0.0, None, None
        for index in batches:
            batch = self._augmented(self.parts.train.take(index))
            with self._fed(self.parts.train, index, batch.length), self.autocast():
                outputs = scores_of(self.model, batch.inputs)
                value = self.loss(outputs, batch.labels)
            accuracy = accuracy_of(outputs, batch.labels)
            del outputs  # a language model's scores are large
            share = len(index) / examples
            self.scaler.scale(value if share == 1 else value * share).backward()
            total += float(value.detach()) * share
            if accuracy is not None:
                right = (right or 0.0) + accuracy * share
        curves = self.run.curves
        number = len(curves.step) + 1
        if not math.isfinite(total):  # before the step, so that the weights stay as they were
            curves.step.append(number)
            curves.loss.append(total)
            curves.accuracy.append(math.nan if right is None else right)
            self._broke(total, batch)
        traced = self.tracer is not None and (
            last or number == 1 or (self.recipe.trace_every and number % self.recipe.trace_every == 0)
        )
        if traced:
            self.scaler.unscale_(self.optimizer)
            gradients = self.tracer.gradients()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.schedule.step()
        self.optimizer.zero_grad(set_to_none=True)
        took = time.perf_counter() - start
        self.run.costs.wall_s += took
        curves.step.append(number)
        curves.loss.append(total)
        curves.accuracy.append(math.nan if right is None else right)
        if number % 20 == 1:
            self._sample_memory()
        if traced:
            self.tell(self.tracer.measure(number, gradients))
        self.tell(Stepped(number, total, right, took))

    def _augmented(self, batch: Batch) -> Batch:
        augment = self.recipe.augment
        if augment is None:
            return batch
        inputs = {"": augment(batch.inputs[""])} if "" in batch.inputs else augment(dict(batch.inputs))
        return batch._replace(inputs=inputs)

    # -- the frozen prefix ---------------------------------------------------------------------------------------

    def _fed(self, part: Batches, index: Tensor | slice, length: int):
        if self.features is None:
            return contextlib.nullcontext()
        return self.features.feed(part, index, length)

    def _prepare_features(self, epoch: int) -> None:
        """Have the frozen prefix's output for the passes to come, if there is a gain in it."""
        signature = self._signature()
        if signature == self.signature:
            return
        self.signature, self.features = signature, None
        recipe, note = self.recipe, self.run.cache
        why = ""
        if recipe.cache is None:
            why = "it was switched off"
        elif recipe.augment is not None:
            why = "augmentation changes the inputs at each pass"
        elif recipe.epochs - epoch < 1 and not self.fed_before:
            why = "only one pass over the data is left, so nothing would be used twice"
        elif hasattr(self.model, "dynamo_ctx"):
            why = "the model is compiled"
        self.fed_before = False
        if why:
            note.append({"epoch": epoch, "used": False, "why": why})
            return
        start, last_told = time.perf_counter(), 0.0

        def progress(part: str, done: int, total: int) -> bool:
            nonlocal last_told
            if done == total or time.perf_counter() - last_told > 0.1:
                last_told = time.perf_counter()
                self.tell(FeaturesComputed(self.run.steps, part, done, total))
            return not self.control.stopped  # commands wait: one may change what is being computed

        features = FrozenFeatures(self.model, lambda inputs: scores_of(self.model, inputs), recipe.cache)
        with self.autocast():
            try:
                report = features.prepare(self.parts.all(), progress)
            except Interrupted:
                return
        took = time.perf_counter() - start
        self.run.costs.features_s += took
        self.run.costs.wall_s += took
        if report.used:
            self.features = features
        note.append({"epoch": epoch, **vars(report), "sites": list(report.sites), "seconds": took})

    def _signature(self) -> tuple:
        """Changes when the frozen prefix may have: what learns, or a frozen weight written to."""
        return tuple(
            (parameter.requires_grad, 0 if parameter.requires_grad else parameter._version)
            for parameter in scan(self.model).parameters
        )

    # -- plans that change ----------------------------------------------------------------------------------------

    def _change_plan(self, epoch: int) -> None:
        plan = self.recipe.unfreeze.get(epoch)
        if plan is not None:
            self.adopt(plan, epoch)

    def adopt(self, plan: FreezePlan, epoch: int) -> None:
        """Go on under this plan."""
        if apply_plan(plan, self.model, self.optimizer):
            self._plan_changed(epoch)

    def _plan_changed(self, epoch: int) -> None:
        self.run.costs.trainable = counts(self.model)["trainable"]
        if self.tracer is not None:
            self.tracer.note_start()
        self._note_learned()
        self._plan_is_new = True
        self._prepare_features(epoch)
        self.tell(PlanChanged(self.run.steps, self.run.costs.trainable))

    def _note_learned(self) -> None:
        self.learned.update(name for name, weight in self.model.named_parameters() if weight.requires_grad)

    # -- between passes -------------------------------------------------------------------------------------------

    def _end_epoch(self, epoch: int) -> None:
        valid = self.parts.valid
        loss, accuracy = self._evaluate(valid) if valid is not None else (math.nan, math.nan)
        curves = self.run.curves
        curves.epoch.append(epoch)
        curves.valid_loss.append(loss)
        curves.valid_accuracy.append(math.nan if accuracy is None else accuracy)
        self._measure_source()
        known = valid is not None
        self.tell(EpochEnded(self.run.steps, epoch, loss if known else None, accuracy if known else None))

    def _evaluate(self, part: Batches) -> tuple[float, float | None]:
        self.model.eval()
        total, right, counted = 0.0, 0, False
        with torch.no_grad():
            for index in part.by_length(part.pass_size if self.features is None else REPLAYED):
                batch = part.take(index)
                with self._fed(part, index, batch.length), self.autocast():
                    outputs = scores_of(self.model, batch.inputs)
                    total += float(self.loss(outputs, batch.labels)) * len(index)
                accuracy = accuracy_of(outputs, batch.labels)
                if accuracy is not None:
                    counted = True
                    right += round(accuracy * len(index))
        return total / part.size, right / part.size if counted else None

    def _measure_source(self) -> None:
        """How well the model still does what it could before."""
        source = self.recipe.source
        if source is None:
            return
        if isinstance(source, Batches):
            accuracy = self._evaluate(source)[1]
        else:
            self.model.eval()
            with torch.no_grad():
                accuracy = source(self.model)
        self.run.curves.source_accuracy.append(math.nan if accuracy is None else float(accuracy))

    # -- early stopping -------------------------------------------------------------------------------------------

    def _ran_out_of_patience(self, epoch: int) -> bool:
        if self.recipe.patience is None:
            return False
        loss = self.run.curves.valid_loss[-1]
        if self.best is None or loss < self.best[0]:
            tensors = dict(self.model.named_parameters()) | dict(self.model.named_buffers())
            names = [*self.learned, *(name for name, _ in self.model.named_buffers())]
            self.best = (loss, {name: tensors[name].detach().clone() for name in names})
            self.run.best_epoch = epoch
        return epoch - self.run.best_epoch >= self.recipe.patience

    def _restore_best(self) -> None:
        if self.best is None or self.run.status == "stopped":
            return
        tensors = dict(self.model.named_parameters()) | dict(self.model.named_buffers())
        with torch.no_grad():
            for name, value in self.best[1].items():
                tensors[name].copy_(value)

    # -- stopping and going on ------------------------------------------------------------------------------------

    def _save(self, place: Place) -> None:
        if self.recipe.checkpoint is not None:
            frozen = frozen_digest(self.model, self.learned)
            write_record(
                self.recipe.checkpoint, record_of(self.model, self.learned, frozen, state_of(self, place))
            )

    def _resume(self) -> Place | None:
        """Where to begin, if it is not the start: at a given state, or at the checkpoint's where there is one."""
        self._note_learned()
        if self.record is not None:
            return put_back(self, self.record)
        path = self.recipe.checkpoint
        if path is None or not path.exists():
            return None
        place = put_back(self, load_checkpoint(path, self.model, self.run.config))
        self.run.notes.append(f"Went on from step {self.run.steps}, where an earlier run had stopped.")
        return place

    # -- what can go wrong ------------------------------------------------------------------------------------------

    def _broke(self, number: float, batch: Batch) -> None:
        where = where_it_broke(
            self.model, self.groups, batch.inputs, lambda inputs: scores_of(self.model, inputs)
        )
        began = f" It began in {where}." if where else ""
        rate = max(group["lr"] for group in self.optimizer.param_groups)
        self._fail(
            f"The loss became {number} at step {self.run.steps}.{began} A learning rate that is too high is the usual "
            f"cause: try a tenth of {self.run.config['lr'] if not isinstance(self.run.config['lr'], dict) else rate:g}; "
            "then look for NaN or huge numbers in the inputs."
        )

    def _out_of_memory(self, error: BaseException) -> None:
        self._fail(
            f"The device ran out of memory at step {self.run.steps + 1}. Freeze more layers, or take a smaller batch "
            f"than {self.recipe.batch_size} (accumulate=2 with half the batch gives the same steps).",
            error,
        )

    def _fail(self, message: str, cause: BaseException | None = None) -> None:
        self.run.status, self.run.message = "failed", message
        self.tell(Finished(self.run.steps, "failed", message))
        raise TrainingError(message, self.run) from cause

    def _sample_memory(self) -> None:
        cuda = self.device.type == "cuda"
        used = torch.cuda.max_memory_allocated(self.device) if cuda else self.process.memory_info().rss
        self.run.costs.peak_bytes = max(self.run.costs.peak_bytes, used)


def counts(model: nn.Module) -> dict[str, int]:
    """Elements that learn, and all."""
    parameters = scan(model).parameters
    return {
        "trainable": sum(parameter.numel() for parameter in parameters if parameter.requires_grad),
        "total": sum(parameter.numel() for parameter in parameters),
    }
