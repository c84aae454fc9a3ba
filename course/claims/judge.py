"""A claim compares two measured numbers; a verdict says over several seeds whether it holds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

CONFIDENCE = 0.95
UNITS = {"points": 100.0, "tensors": 1.0, "perplexity": 1.0}


class ClaimError(ValueError):
    """A claim that the measurements do not support, or that cannot be judged from them."""


@dataclass(frozen=True)
class Claim:
    """A sentence of a lesson; it holds when measurement `this` is above `against` for every seed.

    Both name numbers that `experiment` returns. `unit` is "points" (fractions shown in per cent, their
    difference in percentage points), "tensors" (counts) or "perplexity". With `against=""` the claim is that
    `this` is 0.
    """

    id: str
    lesson: str
    statement: str
    experiment: str
    this: str
    against: str = ""
    unit: str = "points"


@dataclass(frozen=True)
class Verdict:
    """What the seeds say. `this`, `against` and `difference` are means, in the claim's unit."""

    claim: Claim
    this: float
    against: float
    difference: float
    low: float
    high: float
    seeds: int
    in_favour: int

    @property
    def holds(self) -> bool:
        if not self.claim.against:
            return self.in_favour == self.seeds
        return self.in_favour == self.seeds and self.low > 0

    def __str__(self) -> str:
        if not self.claim.against:
            found = f"{self.this:g} {self.claim.unit} where 0 were claimed"
        else:
            found = (
                f"{self.difference:+.1f} {self.claim.unit}, 95 % interval {self.low:.1f} to {self.high:.1f}"
            )
        word = "holds" if self.holds else "does NOT hold"
        return f"{self.claim.id} {word}: {found} ({self.in_favour} of {self.seeds} seeds)."


def judge(claim: Claim, measured: Sequence[Mapping[str, float]]) -> Verdict:
    """The paired verdict on one claim: `measured` has what its experiment returned, seed by seed.

    The interval is Student's t interval of the mean difference over the seeds. Raises `ClaimError` where a
    number is missing or not finite, or there are fewer than two seeds.
    """
    if len(measured) < 2:
        raise ClaimError(f"{claim.id} needs at least 2 seeds for an interval; it got {len(measured)}.")
    scale = UNITS[claim.unit]
    this = [scale * _number(claim, numbers, claim.this) for numbers in measured]
    against = [
        scale * _number(claim, numbers, claim.against) if claim.against else 0.0 for numbers in measured
    ]
    differences = [one - other for one, other in zip(this, against, strict=True)]
    low, high = _interval(differences)
    favours = (lambda d: d > 0) if claim.against else (lambda d: d == 0)
    return Verdict(
        claim=claim,
        this=fmean(this),
        against=fmean(against),
        difference=fmean(differences),
        low=low,
        high=high,
        seeds=len(measured),
        in_favour=sum(map(favours, differences)),
    )


def _number(claim: Claim, numbers: Mapping[str, float], name: str) -> float:
    value = numbers.get(name)
    if value is None or not math.isfinite(value):
        raise ClaimError(
            f"{claim.id} needs the number {name!r} from {claim.experiment!r}, which gave {value!r}; "
            f"it measures {', '.join(sorted(numbers))}."
        )
    return float(value)


def _interval(differences: Sequence[float]) -> tuple[float, float]:
    if max(differences) == min(differences):  # no spread: the interval is a point
        return differences[0], differences[0]
    from scipy.stats import ttest_1samp

    low, high = ttest_1samp(differences, 0).confidence_interval(CONFIDENCE)
    return float(low), float(high)
