"""What a training run leaves: a record that can be saved, loaded and drawn."""

from __future__ import annotations

import io
import json
import os
import zipfile
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

SCHEMA = 1
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
_SERIES = ("step", "loss", "accuracy", "epoch", "valid_loss", "valid_accuracy")


class RunFileError(ValueError):
    """A file that holds no run, a damaged one, or one of a newer version."""


@dataclass
class Curves:
    """Measurements over time. `step`, `loss`, `accuracy`: one entry a step; the others: one an epoch.

    A missing value (accuracy of a regression, validation without data) is NaN.
    """

    step: list[int] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    epoch: list[int] = field(default_factory=list)
    valid_loss: list[float] = field(default_factory=list)
    valid_accuracy: list[float] = field(default_factory=list)


@dataclass
class Costs:
    """Wall-clock and processor seconds of training alone (no evaluation after it), memory, and elements.

    `peak_bytes`: on a GPU what tensors took at most; on a CPU the whole process, sampled.
    """

    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_bytes: int = 0
    trainable: int = 0
    total: int = 0


@dataclass
class Run:
    """One training run.

    Attributes:
        config: what was asked for (epochs, batch size, rate, seed, plan), as plain JSON data.
        curves, costs: see `Curves` and `Costs`.
        device: where it ran.
        status: "finished", "stopped" or "failed".
        message: why it failed.
        test_accuracy: share of the test examples that are right, after training; None without test data.
    """

    config: dict
    curves: Curves = field(default_factory=Curves)
    costs: Costs = field(default_factory=Costs)
    device: str = "cpu"
    status: str = "finished"
    message: str = ""
    test_accuracy: float | None = None

    @property
    def steps(self) -> int:
        """Optimizer steps made."""
        return len(self.curves.step)

    def save(self, path: str | Path) -> Path:
        """Write the run to one file (a zip of JSON and npz); an interrupted write leaves an older file whole."""
        path = Path(path)
        record = {key: value for key, value in asdict(self).items() if key != "curves"}
        arrays = io.BytesIO()
        np.savez_compressed(arrays, **{name: np.asarray(getattr(self.curves, name)) for name in _SERIES})
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
            RunFileError: it holds no run, is damaged, or of a newer version.
        """
        path = Path(path)
        if not path.exists():
            raise FileNotFoundError(f"There is no file {path}. Expected a run that Run.save wrote.")
        try:
            with zipfile.ZipFile(path) as archive:
                record = json.loads(archive.read("run.json"))
                _check_schema(path, record.pop("schema"))
                with np.load(io.BytesIO(archive.read("curves.npz")), allow_pickle=False) as arrays:
                    series = {name: arrays[name].tolist() for name in _SERIES}
            return cls(curves=Curves(**series), costs=Costs(**record.pop("costs")), **record)
        except RunFileError:
            raise
        except _DAMAGE as error:
            raise RunFileError(
                f"{path} holds no whole run ({error}). Expected a file that Run.save wrote; make the run again."
            ) from error

    def __repr__(self) -> str:
        test = "" if self.test_accuracy is None else f", test accuracy {self.test_accuracy:.1%}"
        return f"Run({self.status}: {self.steps} steps in {self.costs.wall_s:.1f} s on {self.device}{test})"


def _check_schema(path: Path, schema) -> None:
    if schema != SCHEMA:
        raise RunFileError(
            f"{path} has version {schema!r}, and version {SCHEMA} was expected. Update the course's package."
        )
