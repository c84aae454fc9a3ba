"""The training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import psutil
import torch
from torch import Tensor, nn

from ..core import FreezePlan, apply_plan, parameter_groups
from ..core.scan import scan
from .control import Control
from .data import Batches, TaskData, as_task_data, check_learnable
from .events import EpochEnded, Event, Finished, Paused, PlanChanged, Resumed, Started, Stepped
from .optim import check_names, make_optimizer, make_schedule
from .records import Costs, Run

Loss = Callable[[Tensor, Tensor], Tensor]


class TrainingError(RuntimeError):
    """Training can't go on. `run` holds what was measured until then."""

    def __init__(self, message: str, run: Run) -> None:
        super().__init__(message)
        self.run = run


def fit(
    model: nn.Module,
    plan: FreezePlan | None,
    data: TaskData,
    *,
    epochs: int = 3,
    batch_size: int = 16,
    lr: float = 1e-3,
    optimizer="adamw",
    weight_decay: float = 0.01,
    schedule: str = "one-cycle",
    seed: int = 0,
    device: str | torch.device | None = None,
    loss: Loss | None = None,
    control: Control | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Run:
    """Train `model` in place under `plan` and return the record. The model is left in evaluation mode.

    Args:
        model: any module; one of `transformers` is called with the inputs' names and may return `.logits`.
        plan: what is frozen; None keeps the model as it is.
        data: a `TaskData` (see there), or training examples alone.
        optimizer: "adamw", "sgd" (momentum 0.9), or a function from parameter groups to an optimizer.
        schedule: "one-cycle" or "constant".
        seed: draws the order of the examples and dropout; the same seed gives the same bits on a CPU.
        device: None takes the GPU if there is one, else the CPU.
        loss: function of (outputs, labels); None takes cross-entropy for class numbers, mean squared error else.
        control: pause, stop and commands from another thread, honoured before the next step.
        on_event: called in the training thread with each `Event`.

    Raises:
        ValueError, TypeError: data or options that can't be trained on; no weight was changed.
        FreezeError: a plan that can't be applied; nothing was changed.
        TrainingError: the loss became infinite or NaN, or memory ran out; `.run` has what was measured.
    """
    data = as_task_data(data)
    _check_options(epochs, batch_size)
    check_names(optimizer, schedule, lr)
    target = _pick_device(device)
    train = Batches(data.train, "training", target)
    valid = Batches(data.valid, "validation", target) if data.valid is not None else None
    test = Batches(data.test, "test", target) if data.test is not None else None
    if loss is None:
        check_learnable(train)
    if plan is not None:
        apply_plan(plan, model)
    _check_something_learns(model)
    model.to(target)
    made = make_optimizer(optimizer, _groups(plan, model, lr), lr, weight_decay)
    steps = epochs * math.ceil(train.size / batch_size)
    config = {
        "epochs": epochs,
        "batch_size": batch_size,
        "lr": lr,
        "optimizer": optimizer if isinstance(optimizer, str) else getattr(optimizer, "__name__", "custom"),
        "weight_decay": weight_decay,
        "schedule": schedule,
        "seed": seed,
        "examples": train.size,
        "plan": plan.to_dict() if plan is not None else None,
    }
    loop = _Loop(
        model,
        made,
        make_schedule(schedule, made, steps),
        loss or _default_loss(train),
        control or Control(),
        on_event or (lambda event: None),
        Run(config, costs=Costs(**_counts(model)), device=_device_name(target)),
        seed,
    )
    # The caller's random numbers go on as if nothing had been drawn here.
    with torch.random.fork_rng(devices=[target] if target.type == "cuda" else []):
        torch.manual_seed(seed)
        return loop.run_all(train, valid, test, epochs, batch_size, steps)


class _Loop:
    """One run: the pieces it needs at each step."""

    def __init__(self, model, optimizer, schedule, loss, control, tell, run: Run, seed: int) -> None:
        self.model, self.optimizer, self.schedule = model, optimizer, schedule
        self.loss, self.control, self.tell, self.run = loss, control, tell, run
        self.order = torch.Generator().manual_seed(seed)
        self.process = psutil.Process()
        self.seconds = 0.0

    def run_all(self, train: Batches, valid, test, epochs: int, batch_size: int, steps: int) -> Run:
        run = self.run
        self.tell(Started(0, steps, run.costs.trainable, run.costs.total, run.device))
        if train.labels.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(train.labels.device)
        processor = time.process_time()
        try:
            for epoch in range(1, epochs + 1):
                if not self._epoch(train, batch_size):
                    run.status = "stopped"
                    break
                self._end_epoch(epoch, valid)
            run.costs.cpu_s = time.process_time() - processor
            if test is not None:
                run.test_accuracy = self._evaluate(test)[1]
        except torch.OutOfMemoryError as error:
            self._fail(
                f"The device ran out of memory at step {run.steps + 1}. Freeze more layers, or take a smaller batch "
                f"than {batch_size}.",
                error,
            )
        finally:
            self.model.eval()
            run.costs.wall_s = self.seconds
            self._sample_memory(train.labels.device)
        self.tell(Finished(run.steps, run.status))
        return run

    def _epoch(self, train: Batches, batch_size: int) -> bool:
        """One pass over the data; returns False when it was stopped."""
        self.model.train()
        order = torch.randperm(train.size, generator=self.order).to(train.labels.device)
        for index in order.split(batch_size):
            if not self._between_steps():
                return False
            self._step(*train.take(index))
        return True

    def _between_steps(self) -> bool:
        """Honour commands, pause and stop; returns whether to go on."""
        self._run_commands()
        if self.control.paused:
            self.tell(Paused(self.run.steps))
            while not self.control.wait(0.05):
                self._run_commands()
            if not self.control.stopped:
                self.tell(Resumed(self.run.steps))
        return not self.control.stopped

    def _run_commands(self) -> None:
        if self.control.run_commands():
            self.run.costs.trainable = _counts(self.model)["trainable"]
            self.tell(PlanChanged(self.run.steps, self.run.costs.trainable))

    def _step(self, inputs: dict[str, Tensor], labels: Tensor) -> None:
        start = time.perf_counter()
        outputs = _outputs(self.model, inputs)
        value = self.loss(outputs, labels)
        value.backward()
        self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad(set_to_none=True)
        number = float(value.detach())
        took = time.perf_counter() - start
        self.seconds += took
        curves = self.run.curves
        curves.step.append(len(curves.step) + 1)
        curves.loss.append(number)
        accuracy = _accuracy(outputs, labels)
        curves.accuracy.append(math.nan if accuracy is None else accuracy)
        if len(curves.step) % 20 == 1:
            self._sample_memory(labels.device)
        if not math.isfinite(number):
            self._fail(
                f"The loss became {number} at step {len(curves.step)}. A learning rate that is too high is the usual "
                f"cause: try a tenth of {self.run.config['lr']:g}; then look for NaN or huge numbers in the inputs."
            )
        self.tell(Stepped(len(curves.step), number, accuracy, took))

    def _end_epoch(self, epoch: int, valid: Batches | None) -> None:
        loss, accuracy = self._evaluate(valid) if valid is not None else (math.nan, math.nan)
        curves = self.run.curves
        curves.epoch.append(epoch)
        curves.valid_loss.append(loss)
        curves.valid_accuracy.append(math.nan if accuracy is None else accuracy)
        known = valid is not None
        self.tell(EpochEnded(self.run.steps, epoch, loss if known else None, accuracy if known else None))

    def _evaluate(self, part: Batches, batch_size: int = 64) -> tuple[float, float | None]:
        self.model.eval()
        total, right, counted = 0.0, 0, False
        with torch.no_grad():
            for start in range(0, part.size, batch_size):
                inputs, labels = part.take(slice(start, start + batch_size))
                outputs = _outputs(self.model, inputs)
                total += float(self.loss(outputs, labels)) * len(labels)
                accuracy = _accuracy(outputs, labels)
                if accuracy is not None:
                    counted = True
                    right += round(accuracy * len(labels))
        return total / part.size, right / part.size if counted else None

    def _sample_memory(self, device: torch.device) -> None:
        cuda = device.type == "cuda"
        used = torch.cuda.max_memory_allocated(device) if cuda else self.process.memory_info().rss
        self.run.costs.peak_bytes = max(self.run.costs.peak_bytes, used)

    def _fail(self, message: str, cause: BaseException | None = None) -> None:
        self.run.status, self.run.message = "failed", message
        self.tell(Finished(self.run.steps, "failed", message))
        raise TrainingError(message, self.run) from cause


def _outputs(model: nn.Module, inputs: dict[str, Tensor]) -> Tensor:
    """Scores of a batch, whichever way the model hands them over."""
    outputs = model(inputs[""]) if "" in inputs else model(**inputs)
    if isinstance(outputs, Tensor):
        return outputs
    logits = getattr(outputs, "logits", None)
    if logits is None and isinstance(outputs, dict):
        logits = outputs.get("logits")
    if logits is None and isinstance(outputs, tuple) and outputs:
        logits = outputs[0]
    if not isinstance(logits, Tensor):
        raise TypeError(
            f"The model returned a {type(outputs).__name__} without `logits`. Expected scores, a tensor "
            "(examples, classes): put a head on the backbone, or wrap it in a module that returns its scores."
        )
    return logits


def _default_loss(train: Batches) -> Loss:
    classes = train.classes
    if classes is None:
        return _squared_error

    def cross_entropy(outputs: Tensor, labels: Tensor) -> Tensor:
        if outputs.dim() != 2 or outputs.shape[1] < classes:
            raise ValueError(
                f"The model gives scores of shape {tuple(outputs.shape)}, and the labels go up to class {classes - 1}. "
                f"Expected (examples, {classes} or more): make the head's output as wide as there are classes."
            )
        return nn.functional.cross_entropy(outputs, labels)

    return cross_entropy


def _squared_error(outputs: Tensor, labels: Tensor) -> Tensor:
    if outputs.numel() != labels.numel():
        raise ValueError(
            f"The model gives outputs of shape {tuple(outputs.shape)} for labels of shape {tuple(labels.shape)}. "
            "Expected one output for each label: make the head as wide as an example has labels."
        )
    return nn.functional.mse_loss(outputs.reshape(labels.shape), labels)


def _accuracy(outputs: Tensor, labels: Tensor) -> float | None:
    if labels.is_floating_point() or outputs.dim() != 2 or labels.dim() != 1:
        return None
    return float((outputs.detach().argmax(1) == labels).float().mean())


def _counts(model: nn.Module) -> dict[str, int]:
    parameters = scan(model).parameters
    return {
        "trainable": sum(parameter.numel() for parameter in parameters if parameter.requires_grad),
        "total": sum(parameter.numel() for parameter in parameters),
    }


def _groups(plan: FreezePlan | None, model: nn.Module, lr: float) -> list[dict]:
    if plan is not None:
        return parameter_groups(plan, model, lr)
    return [
        {"params": [parameter for parameter in model.parameters() if parameter.is_floating_point()], "lr": lr}
    ]


def _check_something_learns(model: nn.Module) -> None:
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError(
            "Every weight of this model is frozen, so training could change nothing. Thaw at least one group: "
            "FreezePlan.preset('feature-extraction', tree) trains the head."
        )


def _check_options(epochs: int, batch_size: int) -> None:
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} is {value!r}. Expected a whole number of at least 1.")


def _pick_device(device: str | torch.device | None) -> torch.device:
    if device is not None:
        return torch.device(device)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return f"cpu ({torch.get_num_threads()} threads)" if device.type == "cpu" else str(device)
