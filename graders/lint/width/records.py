"""What many calls show of a dimension, and what that says of the range it was drawn from."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from .dimensions import KIND, NAME, REAL, SIZE, WAY, WHOLE, Measured

_KEPT = 2_000
# Steps of values that are drawn on a grid, coarse ones first.
_STEPS = (1.0, 0.5, 0.25, 0.2, 0.125, 0.1, 1 / 16, 0.05, 1 / 32, 0.02, 1 / 64, 0.01, 0.005, 0.001)
FEW, ENOUGH = 3, 20  # values, in that many calls
_KIND_OF = "kind of "
_OF_PARTS = ((_KIND_OF, ""), ("len(", ")"), ("parts of ", ""))
_POOL = 50  # more names than this, nobody writes into a program


@dataclass
class Range:
    """What calls show of a dimension, over several runs of a check or in the cells of a lesson.

    Attributes:
        kind: as in `dimensions.Seen`.
        values: different ones, not all where there are many; each with the run that showed it first.
        many: whether there were more.
        low, high: of numbers.
        calls: how many had it.
        runs: how many.
        peaks: the largest number of each call.
    """

    kind: str
    values: dict = field(default_factory=dict)
    many: bool = False
    low: float = math.inf
    high: float = -math.inf
    calls: int = 0
    runs: int = 0
    peaks: list = field(default_factory=list)
    _last: int = -1

    def add(self, values: Iterable, run: int) -> None:
        """Add what one call shows."""
        values = list(values)
        self.calls += 1
        if run != self._last:
            self.runs, self._last = self.runs + 1, run
        for value in values:
            if value not in self.values:
                if len(self.values) < _KEPT:
                    self.values[value] = run
                else:
                    self.many = True
        if self.is_number and values:
            self.low, self.high = min(self.low, *values), max(self.high, *values)
            if len(self.peaks) < _KEPT:
                self.peaks.append(max(values))

    @property
    def is_number(self) -> bool:
        """Whether its values have an order."""
        return self.kind in (SIZE, WHOLE, REAL)

    @property
    def distinct(self) -> int:
        """How many different values there were; at least as many, where there were many."""
        return len(self.values)

    @property
    def constant(self) -> bool:
        """Whether all calls had the same."""
        return self.distinct == 1 and self.calls > 1 and self.kind != KIND

    @property
    def few(self) -> bool:
        """Whether many calls had two or three different numbers, or ways, between them."""
        return self.is_number and 1 < self.distinct <= FEW and self.calls >= ENOUGH

    @property
    def closed(self) -> bool:
        """Whether the names of the later runs are all among those of the earlier ones, and not many."""
        if self.kind != NAME or self.runs < 2 or self.distinct > _POOL:
            return False
        return max(self.values.values(), default=0) < self.runs / 2

    @property
    def step(self) -> float | None:
        """The step of the grid that all values are on; None if there is none, or too few to tell."""
        if self.kind == REAL and self.distinct > FEW:
            return next((step for step in _STEPS if all(_on(value, step) for value in self.values)), None)
        if self.kind in (SIZE, WHOLE) and self.distinct > FEW:
            common = math.gcd(*map(int, self.values))
            return float(common) if common > 1 else None
        return None

    def shown(self) -> str:
        """Its range, as a person reads it."""
        if self.is_number:
            low, high = _number(self.low), _number(self.high)
            return low if low == high else f"{low} to {high}"
        names = [str(value) for value in self.values]
        if self.kind in (KIND, WAY) or len(names) <= 4:
            return ", ".join(sorted(names)) or "none"
        return f"{len(names)}{'+' * self.many} names ({', '.join(names[:2])}, ...)"


@dataclass
class Record:
    """What a student's functions were given: a range for each dimension, by the function's name."""

    functions: dict[str, dict[str, Range]] = field(default_factory=dict)

    def add(self, function: str, measured: Measured, run: int = 0) -> None:
        """Add a call."""
        ranges = self.functions.setdefault(function, {})
        for name, seen in measured.items():
            ranges.setdefault(name, Range(seen.kind)).add(seen.values, run)

    def ranges(self, function: str) -> dict[str, Range]:
        """The ranges of a function, without those of parts that only some of the models have."""
        every = self.functions.get(function, {})
        some = {
            name.removeprefix(_KIND_OF)
            for name, one in every.items()
            if name.startswith(_KIND_OF) and one.calls < every[f"type of {_owner(name)}"].calls
        }
        gone = {f"{start}{part}{end}" for part in some for start, end in _OF_PARTS}
        return {name: one for name, one in every.items() if name not in gone}

    def plain(self) -> dict:
        """The record in lists and numbers, as JSON has them: keys that are not text are kept as pairs."""
        return {
            function: {
                name: {**asdict(one), "values": list(one.values.items())} for name, one in ranges.items()
            }
            for function, ranges in self.functions.items()
        }

    @classmethod
    def from_plain(cls, plain: dict) -> Record:
        """The inverse of `plain`."""
        return cls(
            {
                function: {
                    name: Range(**{**one, "values": {value: run for value, run in one["values"]}})
                    for name, one in ranges.items()
                }
                for function, ranges in plain.items()
            }
        )


def _owner(name: str) -> str:
    """The model of the part that `kind of model.part` is about."""
    return name.removeprefix(_KIND_OF).rpartition(".")[0]


def _on(value: float, step: float) -> bool:
    places = value / step
    return math.isfinite(places) and abs(places - round(places)) <= 1e-5 * max(1.0, abs(places) / 100)


def _number(value: float) -> str:
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value):,}"
    return f"{value:.3g}"
