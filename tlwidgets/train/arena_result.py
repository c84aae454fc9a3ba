"""What an arena leaves: each bout in numbers, standings with intervals, and paired differences."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

SCHEMA = 1


class ArenaError(ValueError):
    """An arena that would not be fair, or whose results cannot be read."""


@dataclass(frozen=True)
class Bout:
    """One run that counts, in numbers.

    Attributes:
        contender: its name.
        examples, seed, rate: how many training examples it had, and the seed and the learning rate.
        test_accuracy, valid_accuracy: shares, after the last step.
        wall_s: seconds of training, including those in which features were computed.
        trainable: elements that learned.
        steps, losses: a thinned training curve.
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
    """Mean accuracy of a contender with a number of examples, and its 95 % interval (Student's t)."""

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
    """How much better one contender is than another, seed by seed: the mean difference and its 95 % interval.

    `in_favour` of the `seeds` are better.
    """

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
        """Their names, in the order in which they fought."""
        return tuple(dict.fromkeys(bout.contender for bout in self.bouts))

    @property
    def sizes(self) -> tuple[int, ...]:
        """The numbers of training examples, ascending."""
        return tuple(sorted({bout.examples for bout in self.bouts}))

    def of(self, contender: str, examples: int) -> list[Bout]:
        """The bouts of a contender with that many examples, by seed.

        Raises:
            ArenaError: there are none.
        """
        found = [b for b in self.bouts if (b.contender, b.examples) == (contender, examples)]
        if not found:
            raise ArenaError(
                f"The arena has no bout of {contender!r} with {examples} examples. It has "
                f"{', '.join(self.contenders)}, with {', '.join(map(str, self.sizes))} examples."
            )
        return sorted(found, key=lambda bout: bout.seed)

    def standings(self) -> list[Standing]:
        """One for each contender and number of examples."""
        found = []
        for examples in self.sizes:
            for name in self.contenders:
                bouts = [b for b in self.bouts if (b.contender, b.examples) == (name, examples)]
                if not bouts:
                    continue
                accuracies = [bout.test_accuracy for bout in bouts]
                found.append(
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
        return found

    def difference(self, one: str, other: str, examples: int) -> Paired:
        """Test accuracy of `one` minus that of `other`, on the seeds that both have.

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
        """These results, with the bouts of `mine` in place of the same ones here."""
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
            ArenaError: there is no such file, or it does not hold results.
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
                f"{path} does not hold results of an arena ({error}). Expected a file that ArenaResult.save "
                "wrote."
            ) from error


def interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """Student's t interval of the mean of `values`; where all are equal, that value twice."""
    if len(values) < 2 or max(values) == min(values):
        return values[0], values[0]
    from scipy.stats import ttest_1samp

    low, high = ttest_1samp(values, 0).confidence_interval(confidence)
    return float(low), float(high)
