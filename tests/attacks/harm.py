"""What an attack did, in a record and in words; nothing may be left to say of ours."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Found:
    """What became of an attack.

    Attributes:
        points: what it earned; its exercises are not solved, so each is too many.
        next: what the student after it earned, whose answers are right; None: was not graded. followed:
            whether there was one.
        leaked: secrets that its student can see, by where they lay.
        written: what was changed, left behind, or is different in the gradebook.
        running: processes that it left.
        acting: what in its feedback would act on a reader.
        seconds: how long grading it took. ended: whether it came to an end by itself.
    """

    points: float
    next: float | None
    leaked: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    running: tuple[str, ...] = ()
    acting: tuple[str, ...] = ()
    followed: bool = True
    ended: bool = True
    seconds: float = 0.0

    def harm(self, best: float) -> list[str]:
        """Each harm that was done, as words for a table; empty where there was none."""
        said = []
        if self.points > 0:
            said.append(f"{self.points:g} of {best:g} points unearned")
        if self.leaked:
            said.append(f"read: {', '.join(self.leaked)}")
        if self.written:
            said.append(f"wrote: {', '.join(self.written[:3])}" + (", ..." if len(self.written) > 3 else ""))
        if self.running:
            said.append("left a process behind")
        if self.acting:
            said.append(f"acts in the feedback: {', '.join(self.acting)}")
        if not self.ended:
            said.append("grading did not end")
        if self.followed and self.next != best:
            said.append(
                "the next student was not graded"
                if self.next is None
                else f"the next student got {self.next:g}"
            )
        return said

    def to_dict(self) -> dict:
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @classmethod
    def from_dict(cls, data: dict) -> Found:
        return cls(**{name: tuple(value) if type(value) is list else value for name, value in data.items()})


def changes(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Names of files that are not as they were."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
