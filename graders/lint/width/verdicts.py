"""Compares what a check draws with what its lesson gives: a row for each dimension."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .dimensions import KIND, NAME, REAL, SIZE, WAY, WHOLE
from .records import Range, Record

SIZE_MARGIN, REAL_MARGIN = 1.2, 0.1
_ORDER = (SIZE, WHOLE, REAL, NAME, WAY, KIND)


@dataclass(frozen=True)
class Row:
    """One dimension of what a function is given.

    Attributes:
        function: its name.
        dimension: as in `dimensions`.
        lesson: its range in the lesson; "" if the lesson shows none.
        check: its range in the check; "" if the check gives nothing of the kind.
        problem: what is wrong with the check's range; "" if nothing is.
        why: why that is on purpose, if the exercise says so.
        varies: whether it is a size, a value or a name, rather than what something is.
    """

    function: str
    dimension: str
    lesson: str
    check: str
    problem: str = ""
    why: str = ""
    varies: bool = True

    @property
    def refused(self) -> bool:
        """Whether the range is too narrow, and not on purpose."""
        return bool(self.problem) and not self.why


def compare(lesson: Record, check: Record, functions: Sequence[str]) -> Iterator[Row]:
    """A row for each dimension of each function, and one for a function that the lesson does not call."""
    for function in functions:
        theirs, own = lesson.ranges(function), check.ranges(function)
        if not own:
            yield Row(function, "calls", "", "", "the check never calls it")
            continue
        if not theirs:
            yield Row(
                function,
                "calls",
                "none",
                f"{max(one.calls for one in own.values()):,}",
                "the lesson never calls it: declare calls like a student's, `lesson_calls=`",
            )
        for name in sorted(own.keys() | theirs.keys(), key=lambda name: _place(name, own, theirs)):
            if name not in own and any(mark in name for mark in ("[]", "{}", ".")):
                continue  # a field that the exercise does not mention, a part of the lesson's model alone
            one, other = own.get(name), theirs.get(name)
            problem = "; ".join(_problems(one, other)) if one else "the check never gives it one"
            in_lesson, in_check = (range.shown() if range else "" for range in (other, one))
            varies = all(range.kind != KIND for range in (one, other) if range)
            yield Row(function, name, in_lesson, in_check, problem, varies=varies)


def _place(name: str, *records: dict[str, Range]) -> tuple[int, str]:
    kind = next(record[name].kind for record in records if name in record)
    return _ORDER.index(kind), name


def _problems(check: Range, lesson: Range | None) -> Iterator[str]:
    if lesson is not None:
        yield from _uncovered(check, lesson)
    known = lesson is not None and lesson.values.keys() <= check.values.keys() and not lesson.many
    if check.constant:
        yield f"always {_one(check)}" if check.kind != NAME else f"always {_one(check)!r}"
    elif check.closed:
        yield f"always among the same {check.distinct} names"
    elif check.few and not (known and lesson is not None and lesson.distinct > 1):
        yield f"only {check.distinct} values: {', '.join(sorted(map(_shown, check.values)))}"
    elif check.step is not None and check.step != _natural(check) and not _on_grid(lesson, check.step):
        yield f"always a multiple of {check.step:g}"


def _uncovered(check: Range, lesson: Range) -> Iterator[str]:
    if check.is_number:
        low, high = needed(lesson)
        if check.high < high or check.low > low:
            yield f"narrower than the lesson: {_shown(low)} to {_shown(high)} is needed"
    elif check.kind == NAME:
        if check.closed and lesson.values.keys() - check.values.keys():
            yield "without names of the lesson"
    elif lesson.values.keys() - check.values.keys():
        missing = ", ".join(sorted(map(str, lesson.values.keys() - check.values.keys())))
        yield f"without the lesson's {missing}"


def needed(lesson: Range) -> tuple[float, float]:
    """The range that a check has to draw for a range of the lesson: wider, within what is possible.

    A size or a whole number has to reach `SIZE_MARGIN` times the lesson's largest; a real number a tenth of
    the lesson's range beyond it on each side, but no further than halfway to 0 and 1 where all of the
    lesson's are between them, and not below 0 where none of them is.
    """
    low, high = lesson.low, lesson.high
    if lesson.kind in (SIZE, WHOLE):
        if lesson.kind == WHOLE and low >= 0 and high <= 1:  # a mask, a class of two, a seed
            return low, high
        return low, round(high * SIZE_MARGIN) if high > 1 else high
    margin = REAL_MARGIN * (high - low)
    if low >= 0 and high <= 1:
        return max(low / 2, low - margin), min((1 + high) / 2, high + margin)
    return (max(low / 2, low - margin) if low >= 0 else low - margin), high + margin


def _natural(check: Range) -> float | None:
    """The step that numbers of this kind always have."""
    return 1.0 if check.kind in (SIZE, WHOLE) else None


def _on_grid(lesson: Range | None, step: float) -> bool:
    return lesson is not None and lesson.step is not None and lesson.step >= step


def _one(check: Range) -> str:
    return _shown(next(iter(check.values)))


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def on_purpose(narrow: Sequence[tuple[str, str]], function: str, dimension: str) -> tuple[str, str] | None:
    """The declaration that covers a dimension: of the function, or of all of the exercise's."""
    for pattern, why in narrow:
        regex = re.escape(pattern).replace(r"\*", ".*")
        if re.fullmatch(regex, dimension) or re.fullmatch(regex, f"{function}: {dimension}"):
            return pattern, why
    return None
