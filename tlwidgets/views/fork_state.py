"""What the fork panel shows, as a plain dict: the widget, its twin and the tests all read this."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from torch import nn

from ..render.curves import nice_ticks, share_words
from ..render.words import percent, plural
from ..train import EpochEnded, Run, Stepped
from .train_state import Trace

SCHEMA = 1
MOST_FORKS = 4


@dataclass
class Fork:
    """One fork: the record and the trained model; None while it trains.

    Attributes:
        name: "A", "B", ...
        base: the name of the fork it was forked from; "" for the run.
        step: after how many steps.
        change: what is another there, in words.
        place: which of the chart's colours is its.
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


def trace_of(run: Run, until: int | None = None) -> Trace:
    """A run's curves as a panel draws them, up to a step."""
    trace, curves, each = Trace(), run.curves, steps_an_epoch(run)
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


def line_of(trace: Trace, name: str, title: str, place: int, since: int = 0) -> dict:
    """One line of both charts: training, smoothed, and validation, from a step on."""
    points = [point for point in trace.points if point[0] >= max(since, 1)]
    rows = [row for row in trace.rows if row[1] >= since]
    return {
        "name": name,
        "title": title,
        "place": place,
        "loss": [[point[0], point[2]] for point in points if point[2] is not None],
        "accuracy": [[point[0], point[4]] for point in points if point[4] is not None],
        "valid_loss": [[row[1], row[4]] for row in rows if row[4] is not None],
        "valid_accuracy": [[row[1], row[5]] for row in rows if row[5] is not None],
        "epochs": [[row[0], *row[6][1:]] for row in trace.rows],
    }


def axis_of(lines: list[dict], key: str, ceiling: float | None) -> dict:
    """The y axis that all lines fit in: low, high, ticks with words."""
    values = [value for line in lines for part in (key, f"valid_{key}") for _, value in line[part]]
    low, high = min([0.0, *values]), ceiling if ceiling is not None else max([1e-9, *values])
    ticks = nice_ticks(low, high)
    words = share_words if ceiling is not None else (lambda value: f"{value:.3g}")
    return {"low": ticks[0], "high": ticks[-1], "ticks": [[tick, words(tick)] for tick in ticks]}


def result_row(line: dict, run: Run | None, since: str, change: str) -> dict:
    """A row of the table below the charts."""
    epochs = line["epochs"]
    loss, right, valid_loss, valid_right = epochs[-1][1:] if epochs else ("–",) * 4
    ended = run is not None
    return {
        "name": line["name"],
        "title": line["title"],
        "place": line["place"],
        "since": since,
        "change": change,
        "loss": loss,
        "accuracy": right,
        "valid_loss": valid_loss,
        "valid_accuracy": valid_right,
        "test": share_words(run.test_accuracy) if ended and run.test_accuracy is not None else "–",
        "status": run.status if ended else "running",
    }


def kept_steps(run: Run) -> list[int]:
    """The steps at which a state is kept, of a run and those it was forked from."""
    kept = list(run.snapshots.steps)
    while run.snapshots.parent is not None:
        first, run = run.snapshots.steps[0], run.snapshots.parent
        kept += [step for step in run.snapshots.steps if step < first]
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
    """How much of its way the fork that trains has made, 0 to 1."""
    return 0.0 if fork is None else max(0, at - fork.step) / max(1, steps - fork.step)


def progress_words(fork: Fork | None, at: int, steps: int) -> str:
    """How far the fork that trains is."""
    if fork is None:
        return ""
    if at <= fork.step:
        return f"fork {fork.name}: reaching step {fork.step:,} again"
    return f"fork {fork.name}: step {at:,} of {steps:,}"


def compare_words(name: str, row: dict, base: dict) -> str:
    """A fork that ended, beside what it was forked from, in a sentence."""
    title = f"Fork {name}"
    if row["status"] != "finished":
        return f"{title} was {row['status']}." if row["status"] == "stopped" else f"{title} broke off."
    other = base["title"] if base["name"] else base["title"].lower()
    if row["valid_loss"] == "–":
        return f"{title} ended with a training loss of {row['loss']}; {other} with {base['loss']}."
    return (
        f"{title} ended with a validation loss of {row['valid_loss']} ({row['valid_accuracy']} right); {other} with "
        f"{base['valid_loss']} ({base['valid_accuracy']})."
    )
