"""Overfitting mutants: programs that are right for what a check happens to draw, and wrong for the rest.

They are made from a right answer, by what one run of the check gives to it, and tried with other seeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .dimensions import KIND, NAME, REAL, WAY
from .draws import Draws, Facts
from .records import FEW, Range, Record

_TOP = 0.98  # of shares and accuracies: beyond it there is nothing
_COARSE = 0.01  # share of the largest number, for numbers that are not on a grid


@dataclass(frozen=True)
class OverfittingMutant:
    """A wrong program.

    Attributes:
        function: the one of its functions that is wrong.
        dimension: what it is narrow in, by which an exercise can say that this is on purpose.
        change: how it is wrong, in words.
        source: the whole program.
        unseen: whether it was right for all that the check drew, in every run: no trial can catch it.
    """

    function: str
    dimension: str
    change: str
    source: str
    unseen: bool = False


def overfitting_mutants(program: str, draws: Draws, lesson: Record) -> list[OverfittingMutant]:
    """All that can be made of a right program.

    Args:
        program: its source.
        draws: what the check gives to it.
        lesson: what the lesson gives to it.
    """
    found: dict[str, OverfittingMutant] = {}
    for function, facts in draws.facts.items():
        first, theirs = draws.first.ranges(function), lesson.ranges(function)
        every = draws.record.ranges(function)
        for dimension, change, call, unseen in _narrow(first, every, theirs, facts):
            mutant = OverfittingMutant(function, dimension, change, _program(program, function, call), unseen)
            found.setdefault(mutant.source, mutant)
        for dimension, change, call in _careless(first, facts):
            mutant = OverfittingMutant(function, dimension, change, _program(program, function, call))
            found.setdefault(mutant.source, mutant)
    return list(found.values())


def _narrow(
    first: dict[str, Range], every: dict[str, Range], lesson: dict[str, Range], facts: Facts
) -> Iterator[tuple[str, str, str, bool]]:
    """Right in a narrow range: (dimension, change, the call of `overfitted`, whether no run shows it)."""
    effects = ", has_effects=True" if facts.returns == {"NoneType"} else ""
    for name, drawn in first.items():
        if drawn.kind == KIND or name not in every:
            continue
        few = drawn.is_number and drawn.distinct <= FEW and not _natural(drawn, lesson.get(name))
        if drawn.kind == NAME or (drawn.kind == WAY and drawn.distinct == 1) or few:
            known = sorted(drawn.values, key=str)
            shown = ", ".join(map(str, known[:4])) + (", ..." if len(known) > 4 else "")
            unseen = every[name].values.keys() <= drawn.values.keys() and not every[name].many
            call = f"right_for(_right, args, kwargs, {name!r}, {known!r}{effects})"
            yield name, f"right for {shown} alone", call, unseen
        elif drawn.is_number and drawn.distinct > FEW:
            for largest, what in _limits(drawn, every[name], lesson.get(name)):
                call = f"right_up_to(_right, args, kwargs, {name!r}, {largest!r}{effects})"
                yield name, f"right up to {largest:,.6g}{what}", call, every[name].high <= largest
        if name in facts.rounded:
            step = drawn.step or _COARSE * max(abs(drawn.low), abs(drawn.high))
            call = f"rounded(_right, args, kwargs, {name!r}, {step!r})"
            yield name, f"rounded to multiples of {step:.3g}", call, False


def _natural(drawn: Range, lesson: Range | None) -> bool:
    """Whether the lesson has the same few values: a mask of zeros and ones."""
    return lesson is not None and lesson.distinct > 1 and lesson.values.keys() == drawn.values.keys()


def _limits(drawn: Range, every: Range, lesson: Range | None) -> Iterator[tuple[float, str]]:
    """Numbers that a program may be right up to: those of most draws, no more than half the largest, and the
    lesson's largest."""
    peaks = sorted(drawn.peaks)
    most = max(peaks[0], min(peaks[(3 * (len(peaks) - 1)) // 4], every.high / 2))
    yield most, ""
    unit = drawn.kind == REAL and drawn.low >= 0 and drawn.high <= 1
    if lesson is not None and lesson.is_number and lesson.high != most and not (unit and lesson.high > _TOP):
        yield lesson.high, ", the lesson's largest"


def _careless(first: dict[str, Range], facts: Facts) -> Iterator[tuple[str, str, str]]:
    """Right in what is returned: gradients, arguments and parts are not as they should be."""
    if facts.gradients:
        yield "gradient", "computed under `no_grad`", "without_gradient(_right, args, kwargs)"
    for name in sorted(facts.gradients):
        yield (
            f"gradient of {name}",
            f"`{name}` detached",
            f"without_gradient(_right, args, kwargs, {name!r})",
        )
    for name, kind in sorted(facts.changeable):
        what = f"what becomes of {name}"
        if kind != "Module":
            yield what, f"`{name}` overwritten", f"overwriting(_right, args, kwargs, {name!r})"
    for name in sorted(facts.changeable_inside):
        inside = f"overwriting_inside(_right, args, kwargs, {name!r})"
        yield f"what becomes of {name}", f"what is in `{name}` overwritten", inside
    for place in sorted(facts.weights):
        name, _, part = place.partition(".")
        yield (
            f"what becomes of {place}",
            f"the weights of `{place}` overwritten",
            f"overwriting(_right, args, kwargs, {name!r}, {part!r})",
        )
    for place in sorted(facts.parts):
        name, _, part = place.partition(".")
        if part and f"kind of {place}" not in first:
            continue  # not a part that all models have
        known = sorted(first[f"parts of {place}"].values) if f"parts of {place}" in first else []
        shown = f"all but {', '.join(known)}" if known else "any with a name"
        yield (
            f"parts of {place}",
            f"parts of `{place}` left alone: {shown}",
            f"leaving_alone(_right, args, kwargs, {name!r}, {part!r}, {known!r})",
        )


def wrapped(program: str, function: str) -> str:
    """The right program, called as a mutant calls it."""
    return _program(program, function, "right_for(_right, args, kwargs, '', ())")


def _program(program: str, function: str, call: str) -> str:
    return (
        f"{program}\n\n\n_right = {function}\n\n\ndef {function}(*args, **kwargs):\n"
        f"    from graders.lint.width import overfitted\n\n    return overfitted.{call}\n"
    )
