"""The world that a check draws from: sizes, numbers and names, over ranges that an author states.

A range includes what the lesson itself gives the student's function, with room on both sides. Sizes and
magnitudes are drawn by their logarithm, so that one and two occur as well as fifty thousand; nothing is on a
grid. `World` sees to it that every part of every range is tried:

    WORLD = World(
        texts=sizes(1, 64), tokens=sizes(1, 128), vocabulary=sizes(2, 80_000), scale=reals(0.1, 100),
        fits=lambda texts, tokens, vocabulary, **_: texts * tokens * vocabulary < 500_000,
    )
    against_reference(..., world=WORLD, draw=draw)      # draw(numbers, texts, tokens, vocabulary, scale)
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Range", "World", "names", "normal", "reals", "sizes"]

_ATTEMPTS, _END = 2000, 0.05


@dataclass(frozen=True)
class Range:
    """A range of numbers, spread by their logarithm. `low` and `high` can both occur, if they are whole."""

    low: float
    high: float
    whole: bool
    signed: bool = False

    def at(self, share: float, numbers: random.Random) -> float:
        """The number at a share (0 to 1) of the range; signed ones are negative half of the time."""
        low, high = (self.low - 0.5, self.high + 0.5) if self.whole else (self.low, self.high)
        value = low * (high / low) ** share
        if self.whole:
            return min(max(round(value), int(self.low)), int(self.high))
        return -value if self.signed and numbers.random() < 0.5 else value

    def __call__(self, numbers: random.Random):
        """Draw a number."""
        return self.at(numbers.random(), numbers)


def sizes(low: int, high: int) -> Range:
    """Whole numbers from `low` (1 at least) to `high`: of examples, classes, layers, tokens.

    Raises:
        ValueError: the range is empty or begins below 1.
    """
    if not 1 <= low <= high:
        raise ValueError(f"sizes({low}, {high}) is not a range. Expected 1 <= low <= high.")
    return Range(low, high, whole=True)


def reals(low: float, high: float, *, signed: bool = False) -> Range:
    """Numbers whose magnitude is between `low` and `high`, both above 0; positive ones unless `signed`.

    Raises:
        ValueError: the range is empty or does not begin above 0.
    """
    if not 0 < low <= high:
        raise ValueError(f"reals({low}, {high}) is not a range. Expected 0 < low <= high.")
    return Range(low, high, whole=False, signed=signed)


class World:
    """Ranges by name, from which the cases of a check are drawn so that no part of any range is left out.

    Each case puts one of the numbers into a stretch of its range of its own, and draws the others to fit. The
    first and the last stretch of a range are its outermost twentieths, so every submission meets the smallest
    sizes and the largest.

    Args:
        fits: takes the drawn numbers by name, and says whether a case of these is small enough to be run.
        ranges: by the name under which `draw` gets the number.
    """

    def __init__(self, fits: Callable[..., bool] = lambda **_: True, **ranges: Range) -> None:
        self.ranges, self.fits = ranges, fits

    def draw(self, numbers: random.Random, cases: int) -> list[dict]:
        """The numbers of this many cases, as dicts.

        Raises:
            ValueError: a part of a range fits with nothing; an author's mistake.
        """
        drawn = []
        for place, name in enumerate(self.ranges):
            count = len(range(place, cases, len(self.ranges)))  # its part of the cases
            drawn += [self._case(numbers, name, stretch) for stretch in _stretches(count)]
        numbers.shuffle(drawn)
        return drawn

    def _case(self, numbers: random.Random, name: str, stretch: tuple[float, float]) -> dict:
        for _ in range(_ATTEMPTS):
            case = {other: one(numbers) for other, one in self.ranges.items()}
            case[name] = self.ranges[name].at(numbers.uniform(*stretch), numbers)
            if self.fits(**case):
                return case
        raise ValueError(
            f"No case fits with a `{name}` as large as {case[name]}. Lower its range, or let `fits` allow "
            "more."
        )


def _stretches(count: int) -> list[tuple[float, float]]:
    """Parts of a range, as shares of it: together they are the whole."""
    if count < 3:
        return [(place / count, (place + 1) / count) for place in range(count)]
    inner = (1 - 2 * _END) / (count - 2)
    edges = [0.0, *(_END + inner * place for place in range(count - 1)), 1.0]
    return list(zip(edges, edges[1:], strict=False))


_LETTERS = string.ascii_lowercase
_OTHERS = ("é", "ß", "Ω", "层", " ", "-", "_", ".", "/", "#", "0", "7", "A", "Z")


def names(*usual: str, identifiers: bool = False) -> Callable[[random.Random, int], list[str]]:
    """Names that nobody can list in advance, a few of the `usual` ones (the lesson's own) among them.

    Some are one letter long, some have blanks and letters of other alphabets, some begin with another one
    ("head", "head-2"), and some differ from another one in capitals alone.

    Args:
        identifiers: only what Python takes for the name of an attribute.

    Returns:
        A function of the numbers and of how many names are wanted; they differ from each other.
    """

    def draw(numbers: random.Random, count: int) -> list[str]:
        found: list[str] = []
        while len(found) < count:
            kind = numbers.random()
            if usual and kind < 0.25:
                name = numbers.choice(usual)
            elif found and kind < 0.4:
                joint = numbers.choice("x_2" if identifiers else "-_ 2")
                name = numbers.choice(found) + joint + numbers.choice(_LETTERS)
            elif found and kind < 0.55:
                name = numbers.choice(found).swapcase()
            else:
                name = _made_up(numbers, identifiers)
            if name not in found:
                found.append(name)
        numbers.shuffle(found)
        return found

    return draw


def _made_up(numbers: random.Random, identifiers: bool) -> str:
    length = numbers.choice((1, 3, 5, 8, 13, 24))
    letters = [numbers.choice(_LETTERS) for _ in range(length)]
    if not identifiers:
        for _ in range(numbers.randint(0, 3)):
            letters[numbers.randrange(length)] = numbers.choice(_OTHERS)
        return "".join(letters)
    return f"{''.join(letters)}_{numbers.randint(0, 99)}"  # never a keyword


def normal(numbers: random.Random, *shape: int, scale: float = 1.0) -> Tensor:
    """Normally distributed numbers of float32, from the hidden numbers of a submission."""
    generator = torch.Generator().manual_seed(numbers.getrandbits(48))
    return scale * torch.randn(shape, generator=generator)
