"""Exercises, and the mistakes made in them: named and explained, each with a program that makes it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NoReturn, overload

from .programs import ProgramError, file_name, folder_of, folder_problems, read_programs

__all__ = ["Catalogue", "CheckFailed", "Exercise", "Mistake"]


@dataclass(frozen=True)
class Mistake:
    """A mistake that a check recognises. The program that makes it is a file in the exercise's `mistakes/`.

    Attributes:
        id: a readable name ("batch-norm-drift").
        message: says kindly what seems to be wrong; the check raises exactly this text.
        hints: what to try, each a step further.
    """

    id: str
    message: str
    hints: tuple[str, ...]


class CheckFailed(AssertionError):
    """What a check raises: a message for the student, and the named mistake if the check recognised one."""

    def __init__(self, message: str, mistake: Mistake | None = None) -> None:
        self.message, self.mistake = message, mistake
        hint = f"\nTry: {mistake.hints[0]}" if mistake is not None and mistake.hints else ""
        super().__init__(message + hint)

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the message and, if the student's code stopped, the line where it did."""
        lines = [f"CheckFailed: {self}"]
        if self.__cause__ is not None:
            frames = traceback.extract_tb(self.__cause__.__traceback__)
            own = [frame for frame in frames if _of_a_cell(frame.filename) and frame.line]
            lines += [f"Line {frame.lineno} of its cell: {frame.line}" for frame in own[-1:]]
        return lines


def _of_a_cell(filename: str) -> bool:
    """Whether IPython gives a cell this name: in a kernel that of a file, elsewhere `<ipython-input-...>`."""
    return "ipykernel_" in filename or filename.startswith("<ipython-input")


class Catalogue(Sequence[Mistake]):
    """The named mistakes of one exercise, in the order in which a check looks for them.

    Args:
        place: the exercise's package (`__package__`), or its folder.
    """

    def __init__(self, place: str | Path, *mistakes: Mistake) -> None:
        self.folder = folder_of(place) if isinstance(place, str) else place
        self._mistakes = mistakes
        self._by_id = {mistake.id: mistake for mistake in mistakes}

    def fail(self, id: str) -> NoReturn:
        """Raise the message of a mistake."""
        mistake = self._by_id[id]
        raise CheckFailed(mistake.message, mistake)

    @cached_property
    def programs(self) -> dict[str, str]:
        """The program that makes each mistake, by the mistake's id.

        Raises:
            ProgramError: a program is missing.
        """
        found = read_programs(self.folder, "mistakes")
        missing = [id for id in self._by_id if file_name(id) not in found]
        if missing:
            raise ProgramError(
                f"The mistake {missing[0]!r} has no program in {self.folder / 'mistakes'}. "
                f"Write one that makes it, as {file_name(missing[0])}.py."
            )
        return {id: found[file_name(id)] for id in self._by_id}

    @overload
    def __getitem__(self, place: int) -> Mistake: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Mistake, ...]: ...
    def __getitem__(self, place: int | slice) -> Mistake | tuple[Mistake, ...]:
        return self._mistakes[place]

    def __len__(self) -> int:
        return len(self._mistakes)

    def __iter__(self) -> Iterator[Mistake]:
        return iter(self._mistakes)


@dataclass(frozen=True)
class Exercise:
    """A graded exercise. Its programs are read from its folder when they are first needed.

    Attributes:
        id: the `grade_id` of the cell to fill in ("build-head").
        unit: the unit it belongs to ("01-transfer-learning").
        number: its place in the unit, from 1.
        points: XP.
        title: what a person reads.
        functions: names that the cell defines, in the order in which `check` takes them.
        check: raises `CheckFailed`, or returns None.
        mistakes: the catalogue of named mistakes.
        equivalent: faults put into a right program that change nothing, as `tlcourse lint-lesson` lists them:
            (change, why).
        narrow: what the check draws from a narrow range on purpose: (dimension, why).
        lesson_calls: returns calls such as the lesson makes, for functions that none of its cells calls.
        off_limits: dotted names of what an answer may not call (`graders.off_limits`).
    """

    id: str
    unit: str
    number: int
    points: int
    title: str
    functions: tuple[str, ...]
    check: Callable[..., None]
    mistakes: Catalogue
    equivalent: tuple[tuple[str, str], ...] = ()
    narrow: tuple[tuple[str, str], ...] = ()
    lesson_calls: Callable[[], Iterable[tuple[str, tuple]]] | None = None
    off_limits: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Where its programs are."""
        return self.mistakes.folder

    @property
    def wrong(self) -> dict[str, str]:
        """The program that makes each named mistake, by the mistake's id."""
        return self.mistakes.programs

    @cached_property
    def right(self) -> dict[str, str]:
        """Programs that solve it, by name; `tlcourse lint-lesson` also tries faulty versions of them."""
        return read_programs(self.folder, "right")

    @cached_property
    def idioms(self) -> dict[str, str]:
        """Programs that solve it in the ways that students bring along, by name; only run."""
        return read_programs(self.folder, "right/idioms")

    @cached_property
    def cheats(self) -> dict[str, str]:
        """Programs that do not solve it, written by somebody who has read the check, by name."""
        return read_programs(self.folder, "cheats")

    def problems(self) -> list[str]:
        """What is wrong with the exercise's record and its folder, in sentences. Nothing is run."""
        found = list(folder_problems(self.folder, [mistake.id for mistake in self.mistakes], self.functions))
        for what in ("id", "message"):
            seen: set[str] = set()
            for mistake in self.mistakes:
                value = getattr(mistake, what)
                if value in seen:
                    found.append(f"Two mistakes have the {what} {value!r}. Give each its own.")
                seen.add(value)
        return found
