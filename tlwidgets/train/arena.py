"""A fair fight: the same data and budget for several ways to train, over seeds and amounts of data.

Fair means: each contender's learning rate is chosen on validation data, from as many candidates as the others have;
all make the same number of steps with batches of the same size; a test set is looked at once, after the last step of a
run that counts.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean

from torch import nn

from ..core import FreezePlan, ModelTree
from .control import Control
from .data import TaskData
from .engine import fit
from .features import FeatureCache
from .records import Run, RunFileError

SCHEMA = 1
TUNING_SEED = 1000
_CURVE_POINTS = 60


class ArenaError(ValueError):
    """An arena that can't be fair, or whose results can't be read."""


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
class Bout:
    """One run that counts, in numbers.

    `steps` and `losses` are a thinned training curve; `wall_s` includes the feature pass.
    """

    contender: str
    examples: int
    seed: int
    rate: float
    test_accuracy: float
    valid_accuracy: float
    wall_s: float
    trainable: int
    steps: tuple[int, ...]
    losses: tuple[float, ...]


@dataclass(frozen=True)
class Standing:
    """A contender with so many examples: mean over the seeds, and its 95 % interval (Student's t)."""

    contender: str
    examples: int
    rate: float
    accuracy: float
    low: float
    high: float
    seeds: int
    wall_s: float
    trainable: int


@dataclass(frozen=True)
class Paired:
    """How much better one contender is than another, seed by seed: mean difference and its 95 % interval."""

    difference: float
    low: float
    high: float
    in_favour: int
    seeds: int


@dataclass(frozen=True)
class ArenaResult:
    """All bouts of an arena, and where they were fought."""

    name: str
    machine: str
    bouts: tuple[Bout, ...]

    @property
    def contenders(self) -> tuple[str, ...]:
        """In the order in which they entered."""
        return tuple(dict.fromkeys(bout.contender for bout in self.bouts))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Numbers of training examples, ascending."""
        return tuple(sorted({bout.examples for bout in self.bouts}))

    def of(self, contender: str, examples: int) -> list[Bout]:
        """The bouts of a contender with so many examples, by seed.

        Raises:
            ArenaError: there is none.
        """
        found = [b for b in self.bouts if (b.contender, b.examples) == (contender, examples)]
        if not found:
            raise ArenaError(
                f"The arena has no bout of {contender!r} with {examples} examples. It has {', '.join(self.contenders)}, with "
                f"{', '.join(map(str, self.sizes))} examples."
            )
        return sorted(found, key=lambda bout: bout.seed)

    def standings(self) -> list[Standing]:
        """A line for each contender and number of examples."""
        lines = []
        for examples in self.sizes:
            for name in self.contenders:
                bouts = [b for b in self.bouts if (b.contender, b.examples) == (name, examples)]
                if not bouts:
                    continue
                accuracies = [bout.test_accuracy for bout in bouts]
                lines.append(
                    Standing(
                        name,
                        examples,
                        bouts[0].rate,
                        fmean(accuracies),
                        *interval(accuracies),
                        len(bouts),
                        fmean(bout.wall_s for bout in bouts),
                        bouts[0].trainable,
                    )
                )
        return lines

    def difference(self, one: str, other: str, examples: int) -> Paired:
        """Test accuracy of `one` less that of `other`, on the seeds that both have.

        Raises:
            ArenaError: they have no seed in common.
        """
        others = {bout.seed: bout for bout in self.of(other, examples)}
        pairs = [
            bout.test_accuracy - others[bout.seed].test_accuracy
            for bout in self.of(one, examples)
            if bout.seed in others
        ]
        if not pairs:
            raise ArenaError(f"{one!r} and {other!r} have no seed in common with {examples} examples.")
        return Paired(fmean(pairs), *interval(pairs), sum(pair > 0 for pair in pairs), len(pairs))

    def replaced_by(self, mine: ArenaResult) -> ArenaResult:
        """These results, with those of one's own machine in the place of the same bouts."""
        own = {(bout.contender, bout.examples, bout.seed): bout for bout in mine.bouts}
        kept = [own.pop((b.contender, b.examples, b.seed), b) for b in self.bouts]
        machine = (
            mine.machine if not set(kept) - set(mine.bouts) else f"{self.machine}; in part {mine.machine}"
        )
        return ArenaResult(self.name, machine, (*kept, *own.values()))

    def save(self, path: str | Path) -> Path:
        """Write the results as JSON; an interrupted write leaves an older file whole."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(path.name + ".part")
        half.write_text(json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1) + "\n", encoding="utf-8")
        os.replace(half, path)
        return path

    @classmethod
    def load(cls, path: str | Path) -> ArenaResult:
        """Read what `save` wrote.

        Raises:
            ArenaError: there is no such file, or it holds no results.
        """
        try:
            record = json.loads(Path(path).read_text(encoding="utf-8"))
            if record["schema"] != SCHEMA:
                raise ArenaError(
                    f"{path} has version {record['schema']!r}, and version {SCHEMA} was expected."
                )
            bouts = [
                Bout(**{**bout, "steps": tuple(bout["steps"]), "losses": tuple(bout["losses"])})
                for bout in record["bouts"]
            ]
            return cls(record["name"], record["machine"], tuple(bouts))
        except ArenaError:
            raise
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ArenaError(
                f"{path} holds no results of an arena ({error}). Expected a file that ArenaResult.save wrote."
            ) from error


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

    def fight(
        self,
        folder: str | Path | None = None,
        *,
        on_progress: Callable[[int, int, str], None] | None = None,
        control: Control | None = None,
        machine: str = "this machine",
    ) -> ArenaResult:
        """Run everything that has not been run yet.

        Args:
            folder: finished runs are kept here, and found again by a later call; None keeps nothing.
            on_progress: told (runs done, runs in all, what comes next).
            control: `stop()` ends after the present step; what is finished counts.

        Raises:
            TrainingError: a run failed; those before it are in the folder.
        """
        return _Fight(self, Path(folder) if folder else None, on_progress, control).run(machine)


class _Fight:
    """The state of one `Arena.fight`."""

    def __init__(self, arena: Arena, folder: Path | None, on_progress, control: Control | None) -> None:
        self.arena, self.folder, self.on_progress = arena, folder, on_progress
        self.control = control or Control()
        self.cache = FeatureCache()
        tuning = len(arena.contenders[0].rates)
        each = len(arena.seeds) + (tuning if tuning > 1 else 0)
        self.total, self.done = len(arena.contenders) * len(arena.sizes) * each, 0

    def run(self, machine: str) -> ArenaResult:
        bouts = []
        for examples in self.arena.sizes:
            for contender in self.arena.contenders:
                rate = self._choose_rate(contender, examples)
                for seed in self.arena.seeds:
                    run = None if rate is None else self._one(contender, examples, seed, rate, test=True)
                    if run is not None:
                        bouts.append(_bout(contender.name, examples, seed, rate, run))
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
        words = f"{contender.name}, {examples:,} examples, " + (
            f"seed {seed}" if test else f"trying rate {rate:g}"
        )
        if self.on_progress is not None:
            self.on_progress(self.done, self.total, words)
        path = self._path(contender, examples, seed, rate, test)
        run = _found(path)
        if run is None:
            run = self._train(contender, examples, seed, rate, test)
            if run.status == "stopped":
                return None
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                run.save(path)
        self.done += 1
        if self.on_progress is not None and self.done == self.total:
            self.on_progress(self.done, self.total, "done")
        return run

    def _train(self, contender: Contender, examples: int, seed: int, rate: float, test: bool) -> Run:
        arena = self.arena
        data = arena.data(examples, seed)
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

    def _path(self, contender: Contender, examples: int, seed: int, rate: float, test: bool) -> Path | None:
        if self.folder is None:
            return None
        arena = self.arena
        what = [arena.name, contender.name, examples, seed, rate, test, arena.steps, arena.batch_size]
        what += [sorted((key, repr(value)) for key, value in contender.options.items())]
        return self.folder / f"{hashlib.sha256(json.dumps(what).encode()).hexdigest()[:24]}.run"


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


def interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """Student's t interval of the mean; the value itself, twice, where there is no spread."""
    if len(values) < 2 or max(values) == min(values):
        return values[0], values[0]
    from scipy.stats import ttest_1samp

    low, high = ttest_1samp(values, 0).confidence_interval(confidence)
    return float(low), float(high)
