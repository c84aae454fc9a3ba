"""Towers: the stacks of layers that run side by side or feed each other, and how deep each row is in its own.

A ResNet's four stages are one tower; an encoder and a decoder, or an image and a text side, are two. Depth is
counted from the top of each tower, so that neither counts as the deeper part of the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from .groups import Group
from .heads import LISTS
from .kinds import last_name
from .scan import Scan

_STAGE = re.compile(r"^(\w*(layer|stage|block|level|group)s?)_?\d+$", re.I)
_FRONT_END = re.compile(r"^(\w*feature_?(extractor|encoder)|\w*stem|frontend|subsampl\w*|conv\w*)$", re.I)
_SIDES = frozenset(
    word
    for line in (
        "text image vision visual audio speech sound video source target encoder decoder enc dec left right",
        "query key document doc passage context anchor positive negative user item question answer",
    )
    for word in line.split()
)


def find_towers(scan: Scan, blocks: Iterable[int]) -> tuple[tuple[int, ...], ...]:
    """Sort layers, as indices into a scan's modules, into towers."""
    stacks: dict[int, list[int]] = {}
    for block in blocks:
        stacks.setdefault(max(scan.modules[block].parent, 0), []).append(block)
    held: dict[int, list[int]] = {}
    for stack in stacks:
        held.setdefault(_holder(scan, stack), []).append(stack)
    towers: dict[object, list[int]] = {}
    for holder, own in held.items():
        apart = len(own) > 1 and _side_by_side(scan, own, stacks)
        for stack in own:
            towers.setdefault((stack if apart else _whole(scan, holder)), []).extend(stacks[stack])
    return _with_front_ends([tuple(tower) for tower in towers.values()], scan)


def _holder(scan: Scan, stack: int) -> int:
    """What a list of layers is part of."""
    is_list = isinstance(scan.modules[stack].module, LISTS)
    return max(scan.modules[stack].parent, 0) if is_list else stack


def _whole(scan: Scan, holder: int) -> tuple[int, str]:
    """What a holder is a stage of (`stage2`), or itself."""
    stage = _STAGE.match(last_name(scan.modules[holder].name))
    return (scan.modules[holder].parent, stage[1]) if stage else (holder, "")


def _side_by_side(scan: Scan, own: Sequence[int], stacks: Mapping[int, list[int]]) -> bool:
    """Whether lists in one module are towers (`query`, `document`), and not stages that follow each other."""
    names = [last_name(scan.modules[stack].name) for stack in own]
    sides = [frozenset(re.split(r"_|\d+", name.lower())) & _SIDES for name in names]
    if len(set(sides)) == len(own) and all(sides):
        return True
    alike = len({_shapes(scan, stacks[stack]) for stack in own}) == 1
    return alike and not any(re.search(r"\d", name) for name in names)


def _shapes(scan: Scan, blocks: Sequence[int]) -> tuple[object, ...]:
    return tuple(
        tuple(
            scan.parameters[slot].shape
            for slot in scan.slots[scan.modules[block].first : scan.modules[block].last]
        )
        for block in blocks
    )


def _with_front_ends(towers: list[tuple[int, ...]], scan: Scan) -> tuple[tuple[int, ...], ...]:
    """Put what prepares the input of a tower (convolutions over sound) before the tower's own layers."""
    found: list[tuple[int, ...]] = []
    front: tuple[int, ...] = ()
    for place, tower in enumerate(towers):
        path = scan.modules[tower[0]].name.split(".")[:-1]
        if place + 1 < len(towers) and any(_FRONT_END.match(part) for part in path[-2:]):
            front += tower
        else:
            found.append(front + tower)
            front = ()
    return tuple(found)


def depths(
    rows: Sequence[Group], towers: Sequence[Sequence[str]], head: Sequence[str] = ()
) -> dict[str, int]:
    """How deep each row is in its tower: 0 above the last layer, 1 that layer, and so on to the input.

    What is in no tower is above all where it comes after a layer, and below all where it comes before them.

    Args:
        rows: in forward order; a range of layers counts as one.
        towers: ids of layers.
        head: ids of the head's rows, which are above all.
    """
    every = {layer for tower in towers for layer in tower}
    layers = {row.id for row in rows if row.id in every or row.kind == "layers"}
    inside = [tower_of(row.id, towers) for row in rows]
    found: dict[str, int] = {}
    for tower in range(len(towers)):
        own = [row.id for row, place in zip(rows, inside, strict=True) if place == tower]
        count = sum(id in layers for id in own)
        depth = 0
        for id in reversed(own):
            depth += id in layers
            found[id] = depth + (id not in layers and 0 < count == depth)
    deepest = max(found.values(), default=0)
    deepest += any(found[id] == deepest for id in layers if id in found)
    first = next((place for place, row in enumerate(rows) if row.id in layers), 0)
    for place, row in enumerate(rows):
        if row.id in head or row.id not in found:
            found[row.id] = deepest if place < first and row.id not in head else 0
    return {row.id: found[row.id] for row in rows}


def tower_of(id: str, towers: Sequence[Sequence[str]]) -> int | None:
    """The place of the tower that a row is in, by its name; None where it is in none, or as much in two."""
    if len(towers) < 2:
        return 0 if towers else None
    path = id.partition("[")[0].split(".")
    near = [max(shared(path, layer.split(".")) for layer in tower) for tower in towers]
    best = max(near)
    return near.index(best) if near.count(best) == 1 else None


def shared(left: Sequence[str], right: Sequence[str]) -> int:
    """How many parts two paths have in common, from the first on."""
    count = 0
    for a, b in zip(left, right, strict=False):
        if a != b:
            break
        count += 1
    return count
