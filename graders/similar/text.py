"""What is alike in a unit, as lines for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from graders.names import shown

from .answers import OWN_CELLS, ExerciseLikeness, UnitLikeness
from .compare import Likeness

NO_VERDICT = (
    "Alike is not copied: people who learn together, or follow the same page, write alike. Look at both "
    "answers side by side, and ask."
)
_NAMED, _EXPANDED = 8, 12


def lines(unit: UnitLikeness, most: int) -> Iterator[str]:
    """The lines; of each exercise the `most` telling."""
    yield f"{unit.unit}: {unit.students} submissions"
    for name, reason in unit.skipped:
        yield f"  not compared: {shown(name)}: {shown(reason)}"
    for one in unit.exercises:
        if one.exercise == OWN_CELLS and not one.answers:
            continue
        yield f"{shown(one.exercise)}: {counts(one)}"
        for likeness in one.found[:most]:
            yield f"  {measure(likeness):<36} {who(likeness)}"
        if len(one.found) > most:
            yield f"  ... and {len(one.found) - most} more"
    often = repeated(unit)
    if often:
        yield "Alike in more than one exercise:"
        yield from (
            f"  {shown(a)} and {shown(b)}: {', '.join(map(shown, ids))}" for a, b, ids in often[:most]
        )
    if any(one.found for one in unit.exercises):
        yield NO_VERDICT


def counts(one: ExerciseLikeness) -> str:
    """How many answers there were, and what became of them."""
    said = [f"{one.answers} answers", f"{len(one.found)} to look at"]
    said += [f"{one.untouched} as handed out"] if one.untouched else []
    said += [f"{len(one.unread)} not compared"] if one.unread else []
    return ", ".join(said)


def measure(likeness: Likeness) -> str:
    """How much alike, in words."""
    much = "equal form" if likeness.equal else f"{likeness.alike:.0%} alike"
    return f"{much}, {likeness.shared:g} rare parts shared"


def who(likeness: Likeness) -> str:
    """The students of both forms."""
    groups = [_names(group) for group in likeness.students if group]
    return " ~ ".join(groups)


def repeated(unit: UnitLikeness) -> list[tuple[str, str, list[str]]]:
    """Pairs who are alike in more than one exercise, the most often first; large groups are left out."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in unit.exercises:
        pairs = {
            pair
            for likeness in one.found
            if len(likeness.everybody) <= _EXPANDED
            for pair in combinations(sorted(likeness.everybody), 2)
        }
        for pair in pairs:
            found.setdefault(pair, []).append(one.exercise)
    often = Counter({pair: len(ids) for pair, ids in found.items() if len(ids) > 1})
    return [(*pair, found[pair]) for pair, _ in sorted(often.items(), key=lambda item: (-item[1], item[0]))]


def _names(students: tuple[str, ...]) -> str:
    named = ", ".join(shown(one) for one in students[:_NAMED])
    return named + (f" and {len(students) - _NAMED} others" if len(students) > _NAMED else "")
