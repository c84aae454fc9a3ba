"""What one lesson claims, and the experiments behind it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .judge import Claim, ClaimError

Experiment = Callable[[int], Mapping[str, float]]


@dataclass(frozen=True)
class Lesson:
    """A lesson's experiments (name to function of a seed) and the claims that rest on them.

    `records` holds, by experiment, what is called with the number of seeds after a measurement whose claims
    all hold: it writes the runs that the lesson shows and cannot make live.
    """

    id: str
    experiments: Mapping[str, Experiment]
    claims: tuple[Claim, ...]
    records: Mapping[str, Callable[[int], None]] = field(default_factory=dict)

    def __post_init__(self):
        for name in self.records:
            if name not in self.experiments:
                raise ClaimError(
                    f"Lesson {self.id} keeps a record of the experiment {name!r}, which it does not have; "
                    f"it has {', '.join(self.experiments)}."
                )
        for claim in self.claims:
            if claim.experiment not in self.experiments:
                raise ClaimError(
                    f"The claim {claim.id!r} rests on the experiment {claim.experiment!r}, which lesson "
                    f"{self.id} does not have; it has {', '.join(self.experiments)}."
                )
