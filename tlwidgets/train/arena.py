"""A fair fight: the same data and budget for several ways to train, over seeds and amounts of data.

Fair means: each contender's learning rate is chosen on validation data, from as many candidates as the others
have; all make the same number of steps with batches of the same size; a test set is used once, after the last
step of a run that counts.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..core import FreezePlan, ModelTree
from .arena_result import ArenaError, ArenaResult, Bout
from .config import TrainConfig, TrainOptions
from .control import Control
from .data import TaskData, batches_a_pass
from .datasets import split_of
from .digest import digest
from .engine import fit
from .failures import UNMEASURED_TEST
from .features import FeatureCache
from .optim import Rates
from .progress import Listener
from .records import Run, RunFileError

TUNING_SEED = 1000
_CURVE_POINTS = 60
_SET_BY_THE_ARENA = ("epochs", "batch_size", "lr", "seed", "valid_every", "cache", "trace")


@dataclass(frozen=True)
class Contender:
    """One way to train.

    Attributes:
        name: what a person reads.
        make: a function from a seed to a model, whose random weights come from the seed.
        plan: a function from the model's tree to the freeze plan.
        rates: learning rates to choose from.
        lr: a function from the tree and a rate to the `lr` of `fit`; None takes the rate for all rows.
        options: other options of `TrainConfig` ("weight_decay", "schedule", ...).

    Raises:
        TypeError, ValueError: as `TrainConfig.of`.
        ArenaError: an option that the arena sets for everyone.
    """

    name: str
    make: Callable[[int], nn.Module]
    plan: Callable[[ModelTree], FreezePlan]
    rates: tuple[float, ...]
    lr: Callable[[ModelTree, float], Rates] | None = None
    options: TrainOptions = field(default_factory=TrainOptions)

    def __post_init__(self) -> None:
        TrainConfig.of(**self.options)
        for name in self.options:
            if name in _SET_BY_THE_ARENA:
                raise ArenaError(
                    f"{self.name} asks for {name!r}, which the arena sets for everyone, or the fight would "
                    "not be fair. Leave it out."
                )


@dataclass(frozen=True)
class Arena:
    """Who fights, on what, and for how long.

    Attributes:
        name: what a person reads; the names of the files of finished runs depend on it.
        contenders: ways to train, each with the same number of rates to choose from.
        data: from a number of training examples and a seed to a task with class numbers, `valid` and `test`.
        sizes: numbers of training examples.
        seeds: of the runs that count; rates are chosen with another seed.
        steps: optimizer steps of each run.
        batch_size: the most examples in a step.

    Raises:
        ArenaError: an arena that would not be fair, or that has no contenders.
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
                "Each contender must choose its learning rate from the same number of candidates, or one is "
                "tuned better than the others; there are "
                f"{', '.join(f'{n} for {name}' for name, n in tries.items())}."
            )
        if TUNING_SEED in self.seeds:
            raise ArenaError(f"Seed {TUNING_SEED} chooses the rates; take others for the runs that count.")

    @property
    def runs(self) -> int:
        """How many trainings there are, including those that choose the rates."""
        tuning = len(self.contenders[0].rates)
        return len(self.contenders) * len(self.sizes) * (len(self.seeds) + (tuning if tuning > 1 else 0))

    def fight(
        self,
        folder: str | Path | None = None,
        *,
        on_progress: Listener | None = None,
        on_bout: Callable[[Bout], None] | None = None,
        control: Control | None = None,
        machine: str = "this machine",
    ) -> ArenaResult:
        """Run everything that has not been run yet.

        Args:
            folder: where finished runs are kept. A later call finds them again, unless their code, options or
                data have changed. None keeps nothing.
            on_progress: called with (runs done, runs in all, what comes next) before each run that is made,
                and at the end.
            on_bout: called with each run that counts, whether it was made or found.
            control: `stop()` ends after the current step; finished runs count.
            machine: a description of the machine, for people.

        Raises:
            TrainingError: a run failed; those before it are in the folder.
            ArenaError: the folder cannot be written to, or the task has no accuracy to compare.
        """
        fight = _Fight(self, Path(folder) if folder else None, on_progress, on_bout, control)
        return fight.run(machine)


class _Fight:
    """The state of one `Arena.fight`."""

    def __init__(
        self,
        arena: Arena,
        folder: Path | None,
        on_progress: Listener | None,
        on_bout: Callable[[Bout], None] | None,
        control: Control | None,
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
                if rate is None:
                    continue
                for seed in self.arena.seeds:
                    run = self._one(contender, examples, seed, rate, test=True)
                    if run is not None:
                        bouts.append(_bout(contender.name, examples, seed, rate, run))
                        self.on_bout(bouts[-1])
        if self.done == self.total:
            self.on_progress(self.done, self.total, "done")
        return ArenaResult(self.arena.name, machine, tuple(bouts))

    def _choose_rate(self, contender: Contender, examples: int) -> float | None:
        """The rate with the best validation accuracy, then the lowest loss; None when stopped."""
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
        a_pass = batches_a_pass(data, arena.batch_size)
        epochs = max(1, math.ceil(arena.steps / a_pass))
        everyone = TrainConfig(
            epochs=epochs,
            batch_size=arena.batch_size,
            lr=contender.lr(tree, rate) if contender.lr is not None else rate,
            seed=seed,
            valid_every=epochs,
            cache=self.cache,
            trace=False,
        )
        return fit(
            model,
            contender.plan(tree),
            TaskData(data.train, data.valid, data.test if test else None, data.collate),
            config=TrainConfig.of(everyone, **contender.options),
            control=self.control,
        )

    # -- the folder ------------------------------------------------------------------------------------------

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

    def _content(self, part: Any, name: str, collate: Any) -> Any:
        """What a digest can be made of; that of a data set is made of its examples."""
        if part is None or isinstance(part, (Mapping, tuple, list)):
            return part
        split = split_of(part, name, torch.device("cpu"), collate)
        content = split.identity()
        if content is None:
            raise ArenaError(
                f"Runs on the {name} data cannot be found again: {split.why_not_again}. Expected tensors, or "
                "a data set that gives the same examples in each pass; or leave out the folder."
            )
        return {**content, "labels": split.labels}

    def _no_folder(self, error: OSError) -> ArenaError:
        return ArenaError(
            f"Finished runs cannot be kept in {str(self.folder)!r}: {error.strerror or error}. Expected a "
            "folder that can be written to, on a disk with room. Make room or name another folder; what was "
            "kept before is found again."
        )

    def _path(self, contender: Contender, examples: int, seed: int, rate: float, test: bool) -> Path | None:
        """The file of a run: its name is a digest of everything that the run depends on."""
        if self.folder is None:
            return None
        arena, data = self.arena, self._task(examples, seed)
        what = (arena.name, contender.name, examples, seed, rate, test, arena.steps, arena.batch_size)
        tested = data.test if test else None
        parts = (("training", data.train), ("validation", data.valid), ("test", tested))
        used = tuple(self._content(part, name, data.collate) for name, part in parts)
        return self.folder / f"{digest((what, self.digests[contender.name], used))[:24]}.run"


def _digest_of(contender: Contender) -> str:
    return digest((contender.make, contender.plan, contender.lr, contender.options))


def _found(path: Path | None) -> Run | None:
    if path is None or not path.exists():
        return None
    try:
        return Run.load(path)
    except RunFileError:
        return None  # the run is made again


def _bout(name: str, examples: int, seed: int, rate: float, run: Run) -> Bout:
    if run.test_accuracy is None:
        raise ArenaError(
            next((note for note in run.notes if note.startswith(UNMEASURED_TEST)), "")
            or "This task has no test accuracy, so nothing can be compared. Expected test data, and class "
            "numbers as labels."
        )
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
