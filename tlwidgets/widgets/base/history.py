"""Undo and redo: the present value of something, those before it, and those that undo took back."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class History(Generic[T]):
    """The values that something had, of which one is present. It remembers up to `most` earlier ones.

    A step that fails is taken back by the opposite one: `undo()`, try to put the value into effect, else
    `redo()`.
    """

    def __init__(self, present: T, most: int = 200):
        self.present = present
        self._most = most
        self._past: list[T] = []
        self._future: list[T] = []

    def __len__(self) -> int:
        """How many steps `undo` can go back."""
        return len(self._past)

    @property
    def can_undo(self) -> bool:
        """Whether there is an earlier value."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is a value that `undo` took back."""
        return bool(self._future)

    def record(self, value: T) -> None:
        """Make `value` the present one, so that `undo` leads back to the one before it."""
        self._past.append(self.present)
        del self._past[: -self._most]
        self.present = value
        self._future.clear()

    def replace(self, value: T) -> None:
        """Make `value` the present one without a step of its own: it belongs to the last change, like a drag
        that goes on."""
        self.present = value
        self._future.clear()

    def drop_idle_step(self) -> bool:
        """Forget the last change if it ended where it began; returns whether it did."""
        idle = bool(self._past) and self._past[-1] == self.present
        if idle:
            self._past.pop()
        return idle

    def undo(self) -> T:
        """Go back to the value before the present one, and return it.

        Raises:
            IndexError: there is none; see `can_undo`.
        """
        value = self._past.pop()
        self._future.append(self.present)
        self.present = value
        return value

    def redo(self) -> T:
        """Take back the last `undo`, and return the value.

        Raises:
            IndexError: there is none; see `can_redo`.
        """
        value = self._future.pop()
        self._past.append(self.present)
        self.present = value
        return value
