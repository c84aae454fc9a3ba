"""States of a run, kept while it trains, from which any of its steps is reached again.

Each is a checkpoint in a file. A training on a CPU is deterministic, so a step between two of them is reached by training
on from the one before it. Where layers were frozen or thawed, and at the start, a snapshot is always kept: no replay
would know of a click, and a weight is written from its first step on.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from .checkpoint import frozen_digest, read_record, record_of, write_record
from .place import Place, state_of

if TYPE_CHECKING:
    from .data import Batches
    from .loop import Loop
    from .records import Run

DISK_BYTES = 2**30


class Snapshots:
    """Keep the state of a run every so many steps, for `fork`.

    Args:
        every: steps from one to the next.
        folder: where their files go, in a folder of their own; None takes the system's folder for temporary files. They
            are removed when nothing holds the run any more.
        disk_bytes: how much they may take. Beyond it `every` is doubled and those in between are removed; the run's
            notes say so.

    Each run needs its own. In memory there is one state at a time, while it is written.

    Raises:
        ValueError: `every` or `disk_bytes` is no whole number above 0.
    """

    def __init__(
        self, every: int = 25, folder: str | Path | None = None, *, disk_bytes: int = DISK_BYTES
    ) -> None:
        for name, value in (("every", every), ("disk_bytes", disk_bytes)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} is {value!r}. Expected a whole number of at least 1.")
        self.every, self.folder, self.disk_bytes = every, folder, disk_bytes
        self.asked = every
        self.parent: Run | None = None
        self.arguments: dict = {}
        self.data: dict[str, str] = {}
        self._home: tempfile.TemporaryDirectory | None = None
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
        """What a person should know of them."""
        found = []
        if self.every != self.asked:
            found.append(
                f"Snapshots are kept every {self.every} steps, not every {self.asked}: more would take over "
                f"{self.disk_bytes / 1e6:,.0f} MB. A fork trains up to {self.every - 1} steps again to reach its step."
            )
        if self._lost is not None:
            found.append(
                f"The snapshot of step {self._lost[0]} could not be written ({self._lost[1]}). Steps after it can't be "
                "forked from."
            )
        return found

    # -- for the loop ----------------------------------------------------------------------------------------

    def begin(self, arguments: Mapping, parts: list[Batches]) -> None:
        """Take the options of a run (`fit`'s arguments but for the model), and remember what its data are.

        Raises:
            ValueError: there is a run in these snapshots already.
        """
        if self._home is not None:
            raise ValueError(
                "These snapshots belong to another run. Expected new ones for each run: snapshots=Snapshots(...), or the "
                "number of steps from one to the next."
            )
        if self.folder is not None:
            Path(self.folder).mkdir(parents=True, exist_ok=True)
        self._home = tempfile.TemporaryDirectory(prefix="run-", dir=self.folder, ignore_cleanup_errors=True)
        self.arguments = dict(arguments)
        self.data = {part.name: data_digest(part) for part in parts}

    def look(self, loop: Loop, place: Place, changed: bool) -> None:
        """Keep the state of this step, if its turn has come, or if the plan has just changed."""
        step = loop.run.steps
        if self._lost is not None or not (changed or step % self.every == 0):
            return
        if self._frozen[0] != len(loop.learned):  # they only ever grow
            self._frozen = (len(loop.learned), frozen_digest(loop.model, loop.learned))
        record = record_of(loop.model, loop.learned, self._frozen[1], state_of(loop, place))
        try:
            write_record(self._path(step), record)
        except (OSError, RuntimeError) as error:  # torch's writer says RuntimeError when a disk is full
            self._lost = (step, str(error).splitlines()[0])
            return
        self._sizes[step] = self._path(step).stat().st_size
        if changed:
            self._pinned.add(step)
        while self.nbytes > self.disk_bytes and self._thin():
            pass

    def _thin(self) -> bool:
        """Remove those in between; returns whether there are any left that may be removed."""
        self.every *= 2
        free = [step for step in self._sizes if step not in self._pinned]
        for step in free:
            if step % self.every:
                self._path(step).unlink(missing_ok=True)
                del self._sizes[step]
        return bool(free)

    def _path(self, step: int) -> Path:
        return Path(self._home.name) / f"{step:08d}.pt"

    # -- for forks -------------------------------------------------------------------------------------------

    def before(self, step: int) -> dict:
        """The last state at or before this step.

        Raises:
            ValueError: there is none, or the one that would be needed could not be written.
            CheckpointError: its file is damaged or gone.
        """
        if self._lost is not None and step >= self._lost[0]:
            raise ValueError(
                f"Step {step} can't be reached: the snapshot of step {self._lost[0]} could not be written "
                f"({self._lost[1]}). Expected a step before it."
            )
        found = [kept for kept in self.steps if kept <= step]
        if not found:
            raise ValueError(f"No snapshot was kept at or before step {step}; the first is {self.steps[:1]}.")
        return read_record(self._path(found[-1]))

    def last(self) -> dict:
        """The state in which most weights had learned."""
        return read_record(self._path(self.steps[-1]))

    def initial(self) -> dict[str, torch.Tensor]:
        """Every weight that learned in this run or those it was forked from, and the buffers, as they were at first."""
        first: dict[str, torch.Tensor] = {}
        for step in sorted(self._pinned):
            for name, value in read_record(self._path(step))["weights"].items():
                first.setdefault(name, value)
        if self.parent is not None:
            first.update(self.parent.snapshots.initial())
        return first

    def __repr__(self) -> str:
        return f"Snapshots({len(self._sizes)} states, every {self.every} steps, {self.nbytes / 1e6:,.1f} MB)"


def data_digest(part: Batches) -> str:
    """Of the inputs and labels of a part of the data, in their order."""
    digest = hashlib.sha256()
    for name, tensor in [*sorted(part.inputs.items()), ("labels", part.labels)]:
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(memoryview(flat.view(torch.uint8).numpy()) if flat.numel() else b"")
    return digest.hexdigest()
