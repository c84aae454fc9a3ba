"""What one lesson claims, and the experiments behind it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .judge import Claim, ClaimError

Experiment = Callable[[int], Mapping[str, float]]


@dataclass(frozen=True)
class Lesson:
    """A lesson's experiments (name to function of a seed) and the claims that rest on them.

    `record` is called with the number of seeds after a measurement whose claims all hold: it writes the runs
    that the lesson shows and cannot make live.
    """

    id: str
    experiments: Mapping[str, Experiment]
    claims: tuple[Claim, ...]
    record: Callable[[int], None] | None = None

    def __post_init__(self):
        for claim in self.claims:
            if claim.experiment not in self.experiments:
                raise ClaimError(
                    f"The claim {claim.id!r} rests on the experiment {claim.experiment!r}, which lesson "
                    f"{self.id} does not have; it has {', '.join(self.experiments)}."
                )
