"""What the training panel shows, as plain data: curves of bounded length, and words."""

from __future__ import annotations

import math
import time
from typing import Literal, TypedDict

from ...core.scan import scan
from ...train import EpochEnded, Run, Stepped
from ..base.formats import count, percent
from ..base.plot import step_axis, value_axis
from ..base.records import Axis, DeviceMemory, PanelState
from .static import loss_words, share_words


class TrainAxes(TypedDict):
    """The axes of both charts; they share "step"."""

    step: Axis
    loss: Axis
    accuracy: Axis


class TrainNow(TypedDict):
    """The last values, in words."""

    loss: str
    accuracy: str


class TrainActions(TypedDict):
    """What can be asked for now."""

    start: bool
    pause: bool
    resume: bool
    stop: bool


class TrainState(PanelState):
    """The state of a `TrainPanel`; `CurveBuffer` says what points and rows are."""

    view: Literal["train"]
    points: list[tuple[int, float | None, float | None, float | None, float | None]]
    rows: list[tuple[int, int, float | None, float | None, float | None, float | None, list[str]]]
    phase: str
    status: str
    step: int
    steps: int
    epochs: int
    axes: TrainAxes
    share: float
    progress: str
    left: str
    learns: str
    device: DeviceMemory
    now: TrainNow
    result: str
    actions: TrainActions


SCHEMA = 1
MOST_POINTS = 400  # as many as a chart has pixels to show
_SMOOTH = 0.9  # a mean over about the last ten steps


class CurveBuffer:
    """The curves of a training as lists that never grow beyond `MOST_POINTS`.

    `points`: [step, loss, smoothed loss, accuracy, smoothed accuracy], one for each step at first; when there
    are too many, two neighbours become one. `rows`: [epoch, step, training loss, training accuracy,
    validation loss, validation accuracy, the same but the step in words], one an epoch. None where there is
    no number (NaN has no JSON). `generation` counts how often points were merged: a view's points of an older
    generation are obsolete.
    """

    def __init__(self) -> None:
        self.points: list[list] = []
        self.rows: list[list] = []
        self.generation = 0
        self._stride = 1
        self._bucket = (_Mean(), _Mean())
        self._epoch = (_Mean(), _Mean())
        self._smooth = (_Smooth(), _Smooth())
        self._step = 0
        self._waiting = 0

    def step(self, event: Stepped) -> None:
        """Take in one optimizer step."""
        self._step = event.step
        self._waiting += 1
        for index, value in enumerate((event.loss, event.accuracy)):
            for mean in (self._bucket[index], self._epoch[index], self._smooth[index]):
                mean.add(value)
        if self._waiting >= self._stride:
            self.finish()

    def epoch(self, event: EpochEnded) -> None:
        """Take in the end of an epoch."""
        train = [mean.value for mean in self._epoch]
        valid = [_number(event.valid_loss), _number(event.valid_accuracy)]
        words = [str(event.epoch)]
        for loss, accuracy in (train, valid):
            words += [loss_words(loss), share_words(accuracy)]
        self.rows.append([event.epoch, event.step, *train, *valid, words])
        self._epoch = (_Mean(), _Mean())

    @property
    def now(self) -> dict[str, str]:
        """The last values of both curves, in words."""
        last = self.rows[-1] if self.rows else [None] * 6
        loss, accuracy = (smooth.value for smooth in self._smooth)
        return {
            "loss": _now_words(loss_words, loss, last[4]),
            "accuracy": _now_words(share_words, accuracy, last[5]),
        }

    def finish(self) -> None:
        """Make a point of the steps since the last one."""
        if not self._waiting:
            return
        loss, accuracy = self._bucket
        self.points.append(
            [self._step, loss.value, self._smooth[0].value, accuracy.value, self._smooth[1].value]
        )
        self._bucket, self._waiting = (_Mean(), _Mean()), 0
        if len(self.points) >= MOST_POINTS:
            self.points = [_together(*pair) for pair in zip(self.points[::2], self.points[1::2], strict=True)]
            self._stride *= 2
            self.generation += 1


class _Mean:
    def __init__(self) -> None:
        self._sum, self._count = 0.0, 0

    def add(self, value: float | None) -> None:
        number = _number(value)
        if number is not None:
            self._sum += number
            self._count += 1

    @property
    def value(self) -> float | None:
        return self._sum / self._count if self._count else None


class _Smooth:
    """Exponential moving average, without the bias of its start (as in Adam)."""

    def __init__(self) -> None:
        self._average, self._weight = 0.0, 0.0

    def add(self, value: float | None) -> None:
        number = _number(value)
        if number is not None:
            self._average = _SMOOTH * self._average + (1 - _SMOOTH) * number
            self._weight = _SMOOTH * self._weight + (1 - _SMOOTH)

    @property
    def value(self) -> float | None:
        return self._average / self._weight if self._weight else None


def _now_words(words, training: float | None, validation: float | None) -> str:
    parts = [("training", training), ("validation", validation)]
    return " · ".join(f"{name} {words(value)}" for name, value in parts if value is not None)


def _together(first: list, second: list) -> list:
    def mean(index: int) -> float | None:
        known = [point[index] for point in (first, second) if point[index] is not None]
        return sum(known) / len(known) if known else None

    return [second[0], mean(1), second[2], mean(3), second[4]]


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


class Clock:
    """Seconds of training, pauses left out."""

    def __init__(self) -> None:
        self._gone = 0.0
        self._since: float | None = None

    def go(self) -> None:
        if self._since is None:
            self._since = time.monotonic()

    def halt(self) -> None:
        self._gone, self._since = self.seconds, None

    @property
    def seconds(self) -> float:
        return self._gone + (time.monotonic() - self._since if self._since is not None else 0.0)


def result_words(run: Run | None) -> str:
    """The result of a training, in words; empty before its end."""
    if run is None:
        return ""
    seconds = run.costs.wall_s
    took = f"{seconds:.1f} s of training" if seconds >= 1 else f"{1000 * seconds:.0f} ms of training"
    if run.test_accuracy is None:
        return took
    return f"{percent(run.test_accuracy)} of the test data right, {took}"


def axes(curves: CurveBuffer, steps: int) -> dict[str, dict]:
    """The axes of both charts: "step", which they share, "loss" and "accuracy"."""
    last = max([steps, 1, *(point[0] for point in curves.points[-1:])])
    return {
        "step": step_axis(last, f"step {steps:,}" if steps else "steps"),
        "loss": value_axis(_values(curves, (1, 2), 4)),
        "accuracy": value_axis(_values(curves, (3, 4), 5), share=True),
    }


def _values(curves: CurveBuffer, columns: tuple[int, int], valid: int) -> list[float]:
    found = [point[column] for point in curves.points for column in columns]
    return [value for value in (*found, *(row[valid] for row in curves.rows)) if value is not None]


def learns_words(model) -> str:
    """How much of a model learns."""
    parameters = scan(model).parameters
    learning = sum(parameter.numel() for parameter in parameters if parameter.requires_grad)
    return f"{count(learning)} of {count(sum(map(_numel, parameters)))} parameters learn"


def _numel(parameter) -> int:
    return parameter.numel()


def status_words(phase: str, step: int, steps: int, epoch: int, epochs: int, tested: bool) -> str:
    """One sentence for each phase. Changes seldom, so that it can be read out."""
    last = " The model is now being evaluated on the test data." if tested else ""
    return {
        "ready": "Training has not begun. Start it with the button, or with .start().",
        "running": f"Epoch {min(epoch + 1, epochs)} of {epochs}."
        if step < steps or not steps
        else f"All {steps} steps are done.{last}",
        "pausing": "Pausing before the next step.",
        "paused": "Paused. No weight moves until you resume or stop.",
        "stopping": f"Stopping before the next step.{last}",
        "finished": f"Finished: {steps} steps.",
        "stopped": f"Stopped after {step} of {steps} steps. The weights stay as they are now.",
        "failed": f"Training failed after {step} steps.",
    }[phase]
