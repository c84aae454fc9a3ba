"""What lateness costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from .moments import write_duration

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class PenaltyRule:
    """A rule for late submissions.

    Attributes:
        per_day: per cent of the points earned that each day costs, once it has begun.
        grace: so much lateness costs nothing; whoever is later than that is late from the due date on.
        floor: per cent of the points earned that the days leave in any case.
        none_after: whoever is later than this gets no points, whatever the floor; None for no such end.
    """

    per_day: float = 0.0
    grace: timedelta = timedelta()
    floor: float = 0.0
    none_after: timedelta | None = None

    def penalty(self, points: float, late: timedelta) -> float:
        """The points that a submission loses; never more than it has."""
        if points <= 0 or late <= self.grace or late <= timedelta():
            return 0.0
        if self.none_after is not None and late > self.none_after:
            return points
        lost = min(math.ceil(late / _DAY) * self.per_day, 100.0 - self.floor)
        return points * lost / 100.0

    def __str__(self) -> str:
        parts = [f"{self.per_day:g} % of the points for each day begun"] if self.per_day else []
        if self.floor and self.per_day:
            parts.append(f"at least {self.floor:g} % stay")
        if self.none_after is not None:
            parts.append(f"no points after {write_duration(self.none_after)}")
        if self.grace:
            parts.append(f"the first {write_duration(self.grace)} cost nothing")
        return ", ".join(parts) or "nothing is taken off"
