"""States of a run, kept while it trains, from which any of its steps is reached again.

Each is a checkpoint in a file. A training on a CPU is deterministic, so a step between two of them is reached
by training on from the one before it. Where layers were frozen or thawed, and at the start, a snapshot is
always kept: no replay would know of a click, and a weight is written from its first step on.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

from ..core.contents import tensor_bytes
from .checkpoint import LoopPosition, frozen_digest, read_record, write_record
from .data import Split, Splits, TaskData
from .whole_numbers import check_whole_number

DISK_BYTES = 2**30


class HasState(Protocol):
    """What a snapshot is made of: a `TrainState`."""

    model: nn.Module
    learned: set[str]

    @property
    def step(self) -> int: ...

    def to_record(self, position: LoopPosition, frozen: str) -> dict[str, Any]: ...


class Snapshots:
    """Keep the state of a run at regular intervals of steps, for `fork`.

    Args:
        every: the number of steps from one to the next.
        folder: where their files go, in a folder of their own; None takes the system's folder for temporary
            files. They are removed when the run is no longer used.
        disk_bytes: how much they may take. When there is more, `every` is doubled and those in between are
            removed; the run's notes say so.

    Each run needs snapshots of its own. In memory there is one state at a time, while it is written.

    Raises:
        ValueError: `every` or `disk_bytes` is not a whole number above 0.
    """

    def __init__(
        self, every: int = 25, folder: str | Path | None = None, *, disk_bytes: int = DISK_BYTES
    ) -> None:
        check_whole_number("every", every)
        check_whole_number("disk_bytes", disk_bytes)
        self.every, self.folder, self.disk_bytes = every, folder, disk_bytes
        self.asked = every
        self.options: dict[str, Any] = {}
        self.data: TaskData | None = None
        self._data_digests: dict[str, str] = {}
        self._home: tempfile.TemporaryDirectory[str] | None = None
        self._sizes: dict[int, int] = {}
        self._pinned: set[int] = set()
        self._frozen: tuple[int, str] = (-1, "")
        self._lost: tuple[int, str] | None = None

    @property
    def steps(self) -> list[int]:
        """Steps after which a state is kept, ascending."""
        return sorted(self._sizes)

    @property
    def nbytes(self) -> int:
        """Size of the files."""
        return sum(self._sizes.values())

    @property
    def notes(self) -> list[str]:
        """Sentences for a person: that there are fewer than asked for, or that one could not be written."""
        found = []
        if self.every != self.asked:
            found.append(
                f"Snapshots are kept every {self.every} steps, not every {self.asked}: more would take over "
                f"{self.disk_bytes / 1e6:,.0f} MB. A fork trains up to {self.every - 1} steps again to reach "
                "its step."
            )
        if self._lost is not None:
            found.append(
                f"The snapshot of step {self._lost[0]} could not be written ({self._lost[1]}). Steps after "
                "it cannot be forked."
            )
        return found

    # -- for the loop ----------------------------------------------------------------------------------------

    def begin(self, options: Mapping[str, Any], data: TaskData, splits: Splits) -> None:
        """Take over the options and the data of a run, so that a fork can be made of them.

        Raises:
            ValueError: there is a run in these snapshots already, or the data change from pass to pass.
        """
        if self._home is not None:
            raise ValueError(
                "These snapshots belong to another run. Expected new ones for each run: "
                "snapshots=Snapshots(...), or the number of steps from one to the next."
            )
        if self.folder is not None:
            Path(self.folder).mkdir(parents=True, exist_ok=True)
        self._home = tempfile.TemporaryDirectory(prefix="run-", dir=self.folder, ignore_cleanup_errors=True)
        self.options, self.data = dict(options), data
        self._data_digests = {split.name: data_digest(split) for split in splits.all()}

    def maybe_save(self, state: HasState, position: LoopPosition, plan_changed: bool) -> None:
        """Keep the state of this step if its turn has come, or if the plan has just changed."""
        step = state.step
        if self._lost is not None or not (plan_changed or step % self.every == 0):
            return
        if self._frozen[0] != len(state.learned):  # they only ever grow
            self._frozen = (len(state.learned), frozen_digest(state.model, state.learned))
        record = state.to_record(position, self._frozen[1])
        try:
            write_record(self._path(step), record)
        except (OSError, RuntimeError) as error:  # torch's writer says RuntimeError when a disk is full
            self._lost = (step, str(error).splitlines()[0])
            return
        self._sizes[step] = self._path(step).stat().st_size
        if plan_changed:
            self._pinned.add(step)
        while self.nbytes > self.disk_bytes and self._thin():
            pass

    def _thin(self) -> bool:
        """Double `every` and remove what is in between; returns whether any are left that may be removed."""
        self.every *= 2
        free = [step for step in self._sizes if step not in self._pinned]
        for step in free:
            if step % self.every:
                self._path(step).unlink(missing_ok=True)
                del self._sizes[step]
        return bool(free)

    def _path(self, step: int) -> Path:
        if self._home is None:
            raise ValueError(
                "These snapshots do not belong to a run yet: pass them to fit(snapshots=...) first."
            )
        return Path(self._home.name) / f"{step:08d}.pt"

    # -- for forks -------------------------------------------------------------------------------------------

    def before(self, step: int) -> dict[str, Any]:
        """The last state at or before this step.

        Raises:
            ValueError: no state was kept there, or the one that is needed could not be written.
            CheckpointError: its file is damaged or gone.
        """
        if self._lost is not None and step >= self._lost[0]:
            raise ValueError(
                f"Step {step} cannot be reached: the snapshot of step {self._lost[0]} could not be written "
                f"({self._lost[1]}). Expected a step before it."
            )
        found = [kept for kept in self.steps if kept <= step]
        if not found:
            raise ValueError(f"No snapshot was kept at or before step {step}; the first is {self.steps[:1]}.")
        return read_record(self._path(found[-1]))

    def last(self) -> dict[str, Any]:
        """The state in which most weights had learned."""
        return read_record(self._path(self.steps[-1]))

    def initial(self) -> dict[str, Tensor]:
        """Every weight that learned in this run, and the buffers, as they were before their first step."""
        first: dict[str, Tensor] = {}
        for step in sorted(self._pinned):
            for name, value in read_record(self._path(step))["weights"].items():
                first.setdefault(name, value)
        return first

    def changed_data(self, splits: Splits) -> str:
        """The name of a part of the data that is not what the run was trained on; "" where all are."""
        changed = (s.name for s in splits.all() if data_digest(s) != self._data_digests[s.name])
        return next(changed, "")

    def __repr__(self) -> str:
        return f"Snapshots({len(self._sizes)} states, every {self.every} steps, {self.nbytes / 1e6:,.1f} MB)"


def data_digest(split: Split) -> str:
    """Hexadecimal SHA-256 of the inputs and labels of a part of the data, in their order.

    Raises:
        ValueError: reading them again may give others.
    """
    inputs = split.identity()
    if inputs is None:
        raise ValueError(
            f"Steps on the {split.name} data cannot be repeated: {split.why_not_again}. Expected tensors, "
            "or a data set that gives the same examples in each pass, where snapshots are kept."
        )
    digest = hashlib.sha256()
    for name, tensor in [*sorted(inputs.items()), ("labels", split.labels)]:
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor_bytes(tensor))
    return digest.hexdigest()
