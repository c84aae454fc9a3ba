"""A fair fight: the same data and budget for several ways to train, over seeds and amounts of data.

Fair means: each contender's learning rate is chosen on validation data, from as many candidates as the others have;
all make the same number of steps with batches of the same size; a test set is looked at once, after the last step of a
run that counts.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import nn

from ..core import FreezePlan, ModelTree
from .arena_result import ArenaError, ArenaResult, Bout
from .control import Control
from .data import TaskData
from .digest import digest
from .engine import fit
from .features import FeatureCache
from .records import Run, RunFileError

TUNING_SEED = 1000
_CURVE_POINTS = 60


@dataclass(frozen=True)
class Contender:
    """One way to train.

    Attributes:
        name: what a person reads.
        make: from a seed to a model; what is random in it comes from the seed.
        plan: from the model's tree to what is frozen.
        rates: learning rates to choose from.
        lr: from the tree and a rate to what `fit` takes; None takes the rate for all.
        options: other options of `fit` ("weight_decay", "schedule", ...).
    """

    name: str
    make: Callable[[int], nn.Module]
    plan: Callable[[ModelTree], FreezePlan]
    rates: tuple[float, ...]
    lr: Callable[[ModelTree, float], float | Mapping[str, float]] | None = None
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Arena:
    """Who fights, on what, and for how long.

    Attributes:
        name: what a person reads; also names the files of finished runs.
        contenders: ways to train, each with the same number of rates to choose from.
        data: from a number of training examples and a seed to a task; `valid` and `test` are needed.
        sizes: numbers of training examples.
        seeds: the runs that count; rates are chosen with a seed that is none of them.
        steps: optimizer steps of each run.
        batch_size: examples a step, at most.
    """

    name: str
    contenders: Sequence[Contender]
    data: Callable[[int, int], TaskData]
    sizes: Sequence[int]
    seeds: Sequence[int] = (0, 1, 2, 3, 4)
    steps: int = 100
    batch_size: int = 16

    def __post_init__(self) -> None:
        names = [contender.name for contender in self.contenders]
        if not names or not self.sizes or not self.seeds:
            raise ArenaError("An arena needs at least one contender, one size and one seed.")
        if len(set(names)) < len(names):
            raise ArenaError(f"Two contenders have the same name: {', '.join(names)}.")
        tries = {contender.name: len(contender.rates) for contender in self.contenders}
        if len(set(tries.values())) > 1 or 0 in tries.values():
            raise ArenaError(
                "Each contender must choose its learning rate from the same number of candidates, or one is tuned better "
                f"than the others; there are {', '.join(f'{n} for {name}' for name, n in tries.items())}."
            )
        if TUNING_SEED in self.seeds:
            raise ArenaError(f"Seed {TUNING_SEED} chooses the rates; take others for the runs that count.")

    @property
    def runs(self) -> int:
        """Trainings in all, those that choose the rates included."""
        tuning = len(self.contenders[0].rates)
        return len(self.contenders) * len(self.sizes) * (len(self.seeds) + (tuning if tuning > 1 else 0))

    def fight(
        self,
        folder: str | Path | None = None,
        *,
        on_progress: Callable[[int, int, str], None] | None = None,
        on_bout: Callable[[Bout], None] | None = None,
        control: Control | None = None,
        machine: str = "this machine",
    ) -> ArenaResult:
        """Run everything that has not been run yet.

        Args:
            folder: finished runs are kept here, and found again by a later call, unless code, options or data of theirs
                have changed; None keeps nothing.
            on_progress: told (runs done, runs in all, what comes next) before each run that is made, and at the end.
            on_bout: told each run that counts, made or found.
            control: `stop()` ends after the present step; what is finished counts.

        Raises:
            TrainingError: a run failed; those before it are in the folder.
            ArenaError: nothing can be kept in the folder.
        """
        fight = _Fight(self, Path(folder) if folder else None, on_progress, on_bout, control)
        return fight.run(machine)


class _Fight:
    """The state of one `Arena.fight`."""

    def __init__(
        self, arena: Arena, folder: Path | None, on_progress, on_bout, control: Control | None
    ) -> None:
        self.arena, self.folder = arena, folder
        self.on_progress = on_progress or (lambda done, total, words: None)
        self.on_bout = on_bout or (lambda bout: None)
        self.control = control or Control()
        self.cache = FeatureCache()
        self.tasks: dict[tuple[int, int], TaskData] = {}  # of the present number of examples
        self.digests = (
            {contender.name: _digest_of(contender) for contender in arena.contenders} if folder else {}
        )
        self.total, self.done = arena.runs, 0

    def run(self, machine: str) -> ArenaResult:
        self._open_folder()
        bouts = []
        for examples in self.arena.sizes:
            self.tasks.clear()
            for contender in self.arena.contenders:
                rate = self._choose_rate(contender, examples)
                for seed in self.arena.seeds:
                    run = None if rate is None else self._one(contender, examples, seed, rate, test=True)
                    if run is not None:
                        bouts.append(_bout(contender.name, examples, seed, rate, run))
                        self.on_bout(bouts[-1])
        if self.done == self.total:
            self.on_progress(self.done, self.total, "done")
        return ArenaResult(self.arena.name, machine, tuple(bouts))

    def _choose_rate(self, contender: Contender, examples: int) -> float | None:
        """The rate with the best validation accuracy; of equals, that with the lower loss."""
        if len(contender.rates) == 1:
            return contender.rates[0]
        tried = []
        for rate in contender.rates:
            run = self._one(contender, examples, TUNING_SEED, rate, test=False)
            if run is None:
                return None
            loss = run.curves.valid_loss[-1]
            tried.append((run.curves.valid_accuracy[-1], -loss if math.isfinite(loss) else -math.inf, rate))
        return max(tried)[2]

    def _one(self, contender: Contender, examples: int, seed: int, rate: float, *, test: bool) -> Run | None:
        """A run, from its file or by training; None when the fight was stopped."""
        if self.control.stopped:
            return None
        path = self._path(contender, examples, seed, rate, test)
        run = _found(path)
        if run is None:
            words = f"{contender.name}, {examples:,} examples, "
            words += f"seed {seed}" if test else f"trying rate {rate:g}"
            self.on_progress(self.done, self.total, words)
            run = self._train(contender, examples, seed, rate, test)
            if run.status == "stopped":
                return None
            if path is not None:
                self._keep(run, path)
        self.done += 1
        return run

    def _task(self, examples: int, seed: int) -> TaskData:
        if (examples, seed) not in self.tasks:
            self.tasks[examples, seed] = self.arena.data(examples, seed)
        return self.tasks[examples, seed]

    def _train(self, contender: Contender, examples: int, seed: int, rate: float, test: bool) -> Run:
        arena = self.arena
        data = self._task(examples, seed)
        model = contender.make(seed)
        tree = ModelTree.of(model)
        a_pass = math.ceil(examples / arena.batch_size)
        epochs = max(1, math.ceil(arena.steps / a_pass))
        return fit(
            model,
            contender.plan(tree),
            TaskData(data.train, data.valid, data.test if test else None),
            epochs=epochs,
            batch_size=arena.batch_size,
            lr=contender.lr(tree, rate) if contender.lr is not None else rate,
            seed=seed,
            valid_every=epochs,
            cache=self.cache,
            trace=False,
            control=self.control,
            **contender.options,
        )

    # -- the folder ------------------------------------------------------------------------------------------------

    def _open_folder(self) -> None:
        """Find out now, not after the first minutes of training, whether runs can be kept."""
        if self.folder is None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise self._no_folder(error) from error

    def _keep(self, run: Run, path: Path) -> None:
        try:
            run.save(path)
        except OSError as error:
            raise self._no_folder(error) from error

    def _no_folder(self, error: OSError) -> ArenaError:
        return ArenaError(
            f"Finished runs can't be kept in {str(self.folder)!r}: {error.strerror or error}. Expected a folder that can be "
            "written to, on a disk with room. Make room or name another folder; what was kept before is found again."
        )

    def _path(self, contender: Contender, examples: int, seed: int, rate: float, test: bool) -> Path | None:
        """The file of a run: its name is a digest of all that the run depends on."""
        if self.folder is None:
            return None
        arena, data = self.arena, self._task(examples, seed)
        what = (arena.name, contender.name, examples, seed, rate, test, arena.steps, arena.batch_size)
        used = (data.train, data.valid, data.test if test else None)
        return self.folder / f"{digest((what, self.digests[contender.name], used))[:24]}.run"


def _digest_of(contender: Contender) -> str:
    return digest((contender.make, contender.plan, contender.lr, contender.options))


def _found(path: Path | None) -> Run | None:
    if path is None or not path.exists():
        return None
    try:
        return Run.load(path)
    except RunFileError:
        return None  # it is made again


def _bout(name: str, examples: int, seed: int, rate: float, run: Run) -> Bout:
    every = max(1, run.steps // _CURVE_POINTS)
    return Bout(
        name,
        examples,
        seed,
        rate,
        run.test_accuracy,
        run.curves.valid_accuracy[-1],
        round(run.costs.wall_s, 3),
        run.costs.trainable,
        tuple(run.curves.step[::every]),
        tuple(round(loss, 5) for loss in run.curves.loss[::every]),
    )
