"""What the fork panel shows, as a plain dict: the widget, its static view and the tests all read this."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, TypedDict

from torch import nn

from ...train import EpochEnded, Run, Stepped
from ..base.formats import percent, plural
from ..base.plot import sign, step_axis, value_axis
from ..base.records import Axis, PanelState, Preset, Sign
from ..train.state import CurveBuffer
from ..train.static import share_words


class ForkAxes(TypedDict):
    """The axes of both charts; they share "step"."""

    step: Axis
    loss: Axis
    accuracy: Axis


class ForkLine(Sign):
    """One line of both charts. `epochs`: the number of each epoch, and its losses and accuracies in words."""

    name: str
    title: str
    loss: list[tuple[int, float]]
    accuracy: list[tuple[int, float]]
    valid_loss: list[tuple[int, float]]
    valid_accuracy: list[tuple[int, float]]
    epochs: list[tuple[int, str, str, str, str]]


class ForkRow(Sign):
    """The results of a line, in words."""

    name: str
    title: str
    since: str
    change: str
    loss: str
    accuracy: str
    valid_loss: str
    valid_accuracy: str
    test: str
    status: str


class ForkTable(TypedDict):
    """The numbers of each epoch, in words."""

    head: list[str]
    rows: list[list[str]]
    caption: str


class ForkChoice(TypedDict):
    """A button for a rate, or for what is forked."""

    name: str
    title: str
    active: bool


class ForkActions(TypedDict):
    """What can be asked for now."""

    fork: bool
    stop: bool
    remove: bool
    restore: bool


class ForkState(PanelState):
    """The state of a `ForkPanel`. The marker stands at `step` of at most `most`; an epoch has `each`
    steps."""

    view: Literal["fork"]
    lines: list[ForkLine]
    order: list[str]
    step: int
    most: int
    steps: int
    each: int
    place: str
    how: str
    axes: ForkAxes
    bases: list[ForkChoice]
    plans: list[Preset]
    rates: list[ForkChoice]
    rows: list[ForkRow]
    epochs: ForkTable
    share: float
    progress: str
    left: str
    running: bool
    actions: ForkActions
    code: str
    status: str


SCHEMA = 1
MOST_FORKS = 4


@dataclass
class Fork:
    """One fork: its record and its trained model, both None while it trains.

    Attributes:
        name: "A", "B", ...
        base: the name of the fork it was forked from; "" for the run.
        step: after how many steps.
        change: what it changes from there on, in words.
        place: the number of its colour in the charts.
    """

    name: str
    base: str
    step: int
    change: str
    place: int
    run: Run | None = None
    model: nn.Module | None = field(default=None, repr=False)
    line: dict = field(default_factory=dict, repr=False)
    version: int = 0


def steps_an_epoch(run: Run) -> int:
    """Optimizer steps of one pass over the data."""
    config = run.config
    return math.ceil(math.ceil(config["examples"] / config["batch_size"]) / config["accumulate"])


def curves_of(run: Run, until: int | None = None) -> CurveBuffer:
    """A run's curves as a panel draws them, up to a step."""
    trace, curves, each = CurveBuffer(), run.curves, steps_an_epoch(run)
    ends = {epoch * each: index for index, epoch in enumerate(curves.epoch)}
    for step, loss, accuracy in zip(curves.step, curves.loss, curves.accuracy, strict=True):
        if until is not None and step > until:
            break
        trace.step(Stepped(step, loss, accuracy, 0.0))
        if step in ends:
            index = ends[step]
            trace.epoch(
                EpochEnded(step, curves.epoch[index], curves.valid_loss[index], curves.valid_accuracy[index])
            )
    return trace


def line_of(trace: CurveBuffer, name: str, title: str, place: int, since: int = 0) -> dict:
    """One line of both charts: training, smoothed, and validation, from a step on."""
    points = [point for point in trace.points if point[0] >= max(since, 1)]
    rows = [row for row in trace.rows if row[1] >= since]
    return {
        "name": name,
        "title": title,
        **sign(place),
        "loss": [[point[0], point[2]] for point in points if point[2] is not None],
        "accuracy": [[point[0], point[4]] for point in points if point[4] is not None],
        "valid_loss": [[row[1], row[4]] for row in rows if row[4] is not None],
        "valid_accuracy": [[row[1], row[5]] for row in rows if row[5] is not None],
        "epochs": [[row[0], *row[6][1:]] for row in trace.rows],
    }


def axes(lines: list[dict], steps: int) -> dict[str, dict]:
    """The axes that all lines fit in: "step", which both charts share, "loss" and "accuracy"."""

    def values(key: str) -> list[float]:
        return [value for line in lines for part in (key, f"valid_{key}") for _, value in line[part]]

    return {
        "step": step_axis(steps, f"step {steps:,}"),
        "loss": value_axis(values("loss")),
        "accuracy": value_axis(values("accuracy"), share=True),
    }


def epoch_table(lines: list[dict]) -> dict:
    """Loss and accuracy after each epoch, two columns a line: in validation or, where there is none, in
    training."""
    head = ["Epoch", *(words for line in lines for words in (f"{line['title']}: loss", "accuracy"))]
    rows = [[str(epoch + 1)] for epoch in range(max((len(line["epochs"]) for line in lines), default=0))]
    for line in lines:
        for epoch, row in enumerate(rows):
            known = epoch < len(line["epochs"])
            loss, right, valid_loss, valid_right = line["epochs"][epoch][1:] if known else ("",) * 4
            row += [loss if valid_loss == "–" else valid_loss, right if valid_right == "–" else valid_right]
    return {"head": head, "rows": rows, "caption": "Validation loss and accuracy after each epoch"}


def result_row(line: dict, run: Run | None, since: str, change: str) -> dict:
    """A row of the table below the charts."""
    epochs = line["epochs"]
    loss, right, valid_loss, valid_right = epochs[-1][1:] if epochs else ("–",) * 4
    return {
        "name": line["name"],
        "title": line["title"],
        **{key: line[key] for key in ("slot", "glyph", "dash")},
        "since": since,
        "change": change,
        "loss": loss,
        "accuracy": right,
        "valid_loss": valid_loss,
        "valid_accuracy": valid_right,
        "test": share_words(run.test_accuracy) if run is not None and run.test_accuracy is not None else "–",
        "status": "running" if run is None else run.status,
    }


def kept_steps(run: Run) -> list[int]:
    """The steps at which a state is kept, of a run and those it was forked from."""
    kept: list[int] = []
    line: Run | None = run
    first = math.inf
    while line is not None and line.snapshots is not None:
        steps = line.snapshots.steps
        kept += [step for step in steps if step < first]
        first, line = steps[0], line.parent
    return kept


def place_words(step: int, each: int, kept: list[int]) -> tuple[str, str]:
    """Where the marker is, and how that step is reached; `each` is the number of steps of an epoch."""
    epoch, into = divmod(step, each)
    where = (
        f"before epoch {epoch + 1}" if not into else f"in epoch {epoch + 1}, {percent(into / each)} through"
    )
    before = max((other for other in kept if other <= step), default=0)
    how = "a snapshot was kept there"
    if step > before:
        how = f"{plural(step - before, 'step is', 'steps are')} trained again from the snapshot at {before:,}"
    return f"after step {step:,} ({where})", how


def share_of(fork: Fork | None, at: int, steps: int) -> float:
    """The progress of the running fork, from 0 to 1."""
    return 0.0 if fork is None else max(0, at - fork.step) / max(1, steps - fork.step)


def progress_words(fork: Fork | None, at: int, steps: int) -> str:
    """The progress of the running fork, in words."""
    if fork is None:
        return ""
    if at <= fork.step:
        return f"fork {fork.name}: training up to step {fork.step:,} again"
    return f"fork {fork.name}: step {at:,} of {steps:,}"


def compare_words(name: str, row: dict, base: dict) -> str:
    """A sentence that compares a fork that ended with the run or fork that it continued."""
    title = f"Fork {name}"
    if row["status"] != "finished":
        return f"{title} was {row['status']}." if row["status"] == "stopped" else f"{title} broke off."
    other = base["title"] if base["name"] else base["title"].lower()
    if row["valid_loss"] == "–":
        return f"{title} ended with a training loss of {row['loss']}; {other} with {base['loss']}."
    return (
        f"{title} ended with a validation loss of {row['valid_loss']} ({row['valid_accuracy']} right); "
        f"{other} with "
        f"{base['valid_loss']} ({base['valid_accuracy']})."
    )
