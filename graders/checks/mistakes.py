"""Exercises, and the mistakes that are made in them: named, explained, each with the program that makes it."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Mistake:
    """A mistake a check recognises.

    Attributes:
        id: a readable name ("batch-norm-drift").
        message: what it looks like, said kindly; the exact text that the check raises with.
        hints: what to try, each a step further.
        wrong: a program that makes this mistake, and must trigger this message.
    """

    id: str
    message: str
    hints: tuple[str, ...]
    wrong: str


@dataclass(frozen=True)
class Exercise:
    """A graded exercise.

    Attributes:
        id: the `grade_id` of the cell to fill in ("build-head").
        unit: folder of the lesson ("01-transfer-learning").
        points: XP.
        title: what a person reads.
        functions: names that the cell defines, in the order `check` takes them.
        check: raises `CheckFailed`, or returns None.
        mistakes: the catalogue.
        right: programs that must pass.
        equivalent: faults put into a right program that are none, as `tlcourse lint-lesson` lists them: (change, why).
    """

    id: str
    unit: str
    points: int
    title: str
    functions: tuple[str, ...]
    check: Callable[..., None]
    mistakes: tuple[Mistake, ...]
    right: tuple[str, ...]
    equivalent: tuple[tuple[str, str], ...] = ()


class CheckFailed(AssertionError):
    """What a check raises: a message for the student, and the mistake it looks like, if it is a known one."""

    def __init__(self, message: str, mistake: Mistake | None = None) -> None:
        self.message, self.mistake = message, mistake
        hint = f"\nTry: {mistake.hints[0]}" if mistake is not None and mistake.hints else ""
        super().__init__(message + hint)

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the message, not the way through the check; of code that stopped, its last line of a cell."""
        lines = [f"CheckFailed: {self}"]
        if self.__cause__ is not None:
            frames = traceback.extract_tb(self.__cause__.__traceback__)
            own = [frame for frame in frames if _of_a_cell(frame.filename) and frame.line]
            lines += [f"Line {frame.lineno} of its cell: {frame.line}" for frame in own[-1:]]
        return lines


def _of_a_cell(filename: str) -> bool:
    """Whether IPython names a cell's code so: in a kernel a file of that process, elsewhere `<ipython-input-...>`."""
    return "ipykernel_" in filename or filename.startswith("<ipython-input")


class Catalogue:
    """The mistakes of one exercise, to raise by name."""

    def __init__(self, *mistakes: Mistake) -> None:
        self.mistakes = mistakes
        self._by_id = {mistake.id: mistake for mistake in mistakes}

    def fail(self, id: str) -> None:
        """Raise the message of a mistake."""
        mistake = self._by_id[id]
        raise CheckFailed(mistake.message, mistake)
