"""What a training run leaves: a record that can be saved, loaded and drawn."""

from __future__ import annotations

import io
import json
import math
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .snapshots import Snapshots
from .trace import Trace

SCHEMA = 2
READABLE = (1, 2)  # version 1 lacks what has a default below
# What zipfile, json and numpy raise on bytes that are not what they were.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    AttributeError,
    TypeError,
    KeyError,
    ValueError,
    OSError,
    EOFError,
)
_SERIES = ("step", "loss", "accuracy", "epoch", "valid_loss", "valid_accuracy", "source_accuracy")
_TRACED = ("step", "gradient", "drift")


class RunFileError(ValueError):
    """A file that does not hold a run, is damaged, or is of a newer version."""


@dataclass
class Curves:
    """Measurements over time. A missing value (accuracy of a regression, validation without data) is NaN.

    Attributes:
        step, loss, accuracy: one entry for each step; accuracies are shares.
        epoch, valid_loss, valid_accuracy: one entry for each epoch after which they were measured.
        source_accuracy: what the model still knows of its source task, before the first epoch and after each
            that was evaluated; empty where it was not asked for.
    """

    step: list[int] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    epoch: list[int] = field(default_factory=list)
    valid_loss: list[float] = field(default_factory=list)
    valid_accuracy: list[float] = field(default_factory=list)
    source_accuracy: list[float] = field(default_factory=list)

    def add_step(self, step: int, loss: float, accuracy: float | None) -> None:
        """Add what was measured at a step; an accuracy of None is written as NaN."""
        self.step.append(step)
        self.loss.append(loss)
        self.accuracy.append(math.nan if accuracy is None else accuracy)

    def add_epoch(self, epoch: int, loss: float, accuracy: float | None) -> None:
        """Add what was measured on the validation data after an epoch; an accuracy of None becomes NaN."""
        self.epoch.append(epoch)
        self.valid_loss.append(loss)
        self.valid_accuracy.append(math.nan if accuracy is None else accuracy)


@dataclass
class Costs:
    """What training took, without the evaluation after it.

    Attributes:
        wall_s, cpu_s: seconds by the clock, and of the processor.
        peak_bytes: memory: on a GPU the most that tensors took; on a CPU that of the whole process, sampled.
        trainable, total: how many elements learn, and how many there are.
        features_s: the part of `wall_s` in which the frozen part's features were computed (or found again).
    """

    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_bytes: int = 0
    trainable: int = 0
    total: int = 0
    features_s: float = 0.0


@dataclass
class Run:
    """One training run.

    Attributes:
        config: the options (`TrainConfig.to_json`), the number of training examples and the plan, as plain
            JSON data; "fork" says where a fork comes from.
        curves, costs: see `Curves` and `Costs`.
        device: where it ran.
        status: "finished", "stopped" or "failed".
        message: why it failed.
        test_accuracy: share of the test examples that are right after training; None without test data.
        trace: gradients and drift of each group, see `Trace`.
        cache: what became of the frozen part's features, one entry each time that was decided: "epoch",
            "used", "why" not, "sites" (modules whose output is kept), "nbytes", "warm" (there from an earlier
            run), "on_disk", "seconds".
        best_epoch: with `patience`, the epoch with the lowest validation loss, otherwise 0. When the run has
            finished, the model has that epoch's weights; a run that was stopped keeps those of its last step.
        notes: sentences that a person should read.
        metrics: what `TrainConfig.metrics` measured on the validation data, by name, one entry for each of
            `curves.epoch`.
        test_metrics: what they measured on the test data after training.
        snapshots: the states that fit(snapshots=...) kept, from which `fork` starts; None in a record that
            was loaded from a file.
        parent: the run that this one was forked from; None in a record that was loaded from a file.
    """

    config: dict[str, Any]
    curves: Curves = field(default_factory=Curves)
    costs: Costs = field(default_factory=Costs)
    device: str = "cpu"
    status: str = "finished"
    message: str = ""
    test_accuracy: float | None = None
    trace: Trace = field(default_factory=Trace)
    cache: list[dict[str, Any]] = field(default_factory=list)
    best_epoch: int = 0
    notes: list[str] = field(default_factory=list)
    metrics: dict[str, list[float]] = field(default_factory=dict)
    test_metrics: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Not fields: a record in a file has neither.
        self.snapshots: Snapshots | None = None
        self.parent: Run | None = None

    @property
    def steps(self) -> int:
        """Optimizer steps made."""
        return len(self.curves.step)

    @property
    def cached(self) -> bool:
        """Whether the whole training read the frozen part's output back instead of computing it."""
        return bool(self.cache) and all(entry["used"] for entry in self.cache)

    def state(self) -> dict[str, Any]:
        """What was measured so far, as plain data."""
        keys = ("curves", "costs", "trace", "cache", "best_epoch", "notes", "metrics")
        whole = asdict(self)
        return {key: whole[key] for key in keys}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned."""
        self.curves, self.costs = Curves(**state["curves"]), Costs(**state["costs"])
        self.trace = Trace(**state["trace"])
        self.metrics = state.get("metrics", {})
        self.cache, self.best_epoch, self.notes = state["cache"], state["best_epoch"], state["notes"]

    def save(self, path: str | Path) -> Path:
        """Write the run to one file (a zip of JSON and npz); an interrupted write keeps the older one."""
        path = Path(path)
        record = {key: value for key, value in asdict(self).items() if key not in ("curves", "trace")}
        record["groups"] = self.trace.groups
        arrays = io.BytesIO()
        series: dict[str, Any] = {name: np.asarray(getattr(self.curves, name)) for name in _SERIES}
        series |= {f"trace_{name}": np.asarray(getattr(self.trace, name), float) for name in _TRACED}
        np.savez_compressed(arrays, **series)
        half = path.with_name(path.name + ".part")
        with zipfile.ZipFile(half, "w") as archive:
            archive.writestr("run.json", json.dumps({"schema": SCHEMA, **record}, indent=2))
            archive.writestr("curves.npz", arrays.getvalue())
        os.replace(half, path)
        return path

    @classmethod
    def load(cls, path: str | Path) -> Run:
        """Read a run that `save` wrote.

        Raises:
            FileNotFoundError: there is no such file.
            RunFileError: it does not hold a run, is damaged, or is of a newer version.
        """
        path = Path(path)
        if not path.exists():
            raise FileNotFoundError(f"There is no file {path}. Expected a run that Run.save wrote.")
        try:
            with zipfile.ZipFile(path) as archive:
                record = json.loads(archive.read("run.json"))
                _check_schema(path, record.pop("schema"))
                with np.load(io.BytesIO(archive.read("curves.npz")), allow_pickle=False) as arrays:
                    series = {name: arrays[name].tolist() for name in _SERIES if name in arrays}
                    traced = {name: arrays[f"trace_{name}"] for name in _TRACED if f"trace_{name}" in arrays}
            trace = Trace(
                record.pop("groups", []), **{name: value.tolist() for name, value in traced.items()}
            )
            trace.step = [int(step) for step in trace.step]
            return cls(curves=Curves(**series), costs=Costs(**record.pop("costs")), trace=trace, **record)
        except RunFileError:
            raise
        except _DAMAGE as error:
            raise RunFileError(
                f"{path} does not hold a complete run ({error}). Expected a file that Run.save wrote; train "
                "again."
            ) from error

    def __repr__(self) -> str:
        test = "" if self.test_accuracy is None else f", test accuracy {self.test_accuracy:.1%}"
        return f"Run({self.status}: {self.steps} steps in {self.costs.wall_s:.1f} s on {self.device}{test})"


def _check_schema(path: Path, schema: object) -> None:
    if schema not in READABLE:
        raise RunFileError(
            f"{path} has version {schema!r}, and a version up to {SCHEMA} was expected. Update the course's "
            "package."
        )
