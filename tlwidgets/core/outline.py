"""Which rows a person sees first: the outline of a model, found without rules for particular models.

A *stack* is a list of blocks of the same type. Whatever holds a stack (wrappers such as `bert` or `bert.encoder`, and
the list itself) is opened, so that the first rows are embeddings, each layer, pooler, head. Stacks with the same parent
make one *tower* (a ResNet's four stages, an encoder); a model of several towers has encoders and decoders, or an image
and a text side.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from torch import nn

from .kinds import is_leaf, kind_of, last_name, looks_like_head
from .scan import Scan

_LISTS = (nn.ModuleList, nn.Sequential)


@dataclass(frozen=True)
class Outline:
    """Indices into `Scan.modules`: what is opened, the repeated blocks in order, and the head."""

    opened: frozenset[int]
    blocks: tuple[int, ...]
    towers: tuple[tuple[int, ...], ...]  # the blocks, one tuple a tower
    branches: tuple[str, ...]  # where each tower is: the prefix of names in which it differs from the others
    head: tuple[int, ...]


def outline(scan: Scan) -> Outline:
    """Find the outline of a scanned model."""
    children = _children(scan)
    stacks = _stacks(scan, children, composite=True)
    plain = not stacks
    stacks = stacks or _stacks(scan, children, composite=False)
    opened = {0}
    for stack in stacks:
        node = stack
        while node > 0:
            opened.add(node)
            node = scan.modules[node].parent
    if not stacks:
        _open_single_backbone(scan, children, opened)
    head = _head(scan, children, opened)
    rows = [index for index in range(len(scan.modules)) if _is_row(scan, opened, index)]
    blocks = tuple(row for row in rows if row not in head and _is_block(scan, row, set(stacks), plain))
    towers = _towers(scan, blocks)
    return Outline(frozenset(opened), blocks, towers, _branches(scan, towers), head)


def _children(scan: Scan) -> list[list[int]]:
    children: list[list[int]] = [[] for _ in scan.modules]
    for index, entry in enumerate(scan.modules[1:], start=1):
        children[entry.parent].append(index)
    return children


def _owns(scan: Scan, index: int) -> bool:
    entry = scan.modules[index]
    return entry.last > entry.first


def _stacks(scan: Scan, children: list[list[int]], composite: bool) -> list[int]:
    """Outermost lists of at least two blocks of one type; of plain layers only where no list of blocks is found."""
    found: list[int] = []
    end = 0
    for index, entry in enumerate(scan.modules):
        if index < end or not isinstance(entry.module, _LISTS):
            continue
        if index and looks_like_head(last_name(entry.name)):
            continue
        owners = [child for child in children[index] if _owns(scan, child)]
        blocks = [child for child in owners if not is_leaf(scan.modules[child].module)]
        if composite:
            types = Counter(type(scan.modules[child].module).__name__ for child in blocks)
            good = bool(types) and max(types.values()) >= 2 and 2 * max(types.values()) >= len(owners)
        else:
            good = len(owners) >= 2
        if good:
            found.append(index)
            end = entry.end
    return found


def _open_single_backbone(scan: Scan, children: list[list[int]], opened: set[int]) -> None:
    """With no stack anywhere (ALBERT shares one block), open the child that holds most of the model."""
    whole = scan.modules[0].last
    node = 0
    while True:
        big = [
            child
            for child in children[node]
            if 2 * (scan.modules[child].last - scan.modules[child].first) > whole
            and sum(_owns(scan, grandchild) for grandchild in children[child]) >= 1
            and not is_leaf(scan.modules[child].module)
        ]
        # Open wrappers, but stop at the part that is one row's worth: an encoder whose layers are shared.
        if not big or kind_of(scan.modules[big[0]].name, scan.modules[big[0]].module) != "module":
            return
        if node and last_name(scan.modules[big[0]].name).endswith("encoder"):
            return
        node = big[0]
        opened.add(node)


def _is_block(scan: Scan, row: int, stacks: set[int], plain: bool) -> bool:
    """Rows that are counted as layers: a stack's elements; in a chain of plain layers, those that are no norm.

    With no stack at all (ALBERT's layers are one shared layer) each part between embeddings and pooler is a layer.
    """
    entry = scan.modules[row]
    if stacks and entry.parent not in stacks:
        return False
    return not plain or kind_of(entry.name, entry.module) in ("module", "head")


def _towers(scan: Scan, blocks: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    towers: dict[int, list[int]] = {}
    for block in blocks:
        parent = scan.modules[block].parent
        if isinstance(scan.modules[parent].module, _LISTS):
            parent = max(scan.modules[parent].parent, 0)
        towers.setdefault(parent, []).append(block)
    return tuple(tuple(tower) for tower in towers.values())


def _branches(scan: Scan, towers: tuple[tuple[int, ...], ...]) -> tuple[str, ...]:
    if len(towers) < 2:
        return ("",) * len(towers)
    paths = [scan.modules[tower[0]].name.split(".") for tower in towers]
    found = []
    for path in paths:
        shared = max(_common(path, other) for other in paths if other is not path)
        found.append(".".join(path[: shared + 1]))
    return tuple(found)


def _common(left: list[str], right: list[str]) -> int:
    count = 0
    for a, b in zip(left, right, strict=False):
        if a != b:
            break
        count += 1
    return count


def _head(scan: Scan, children: list[list[int]], opened: set[int]) -> tuple[int, ...]:
    """The parts that turn features into the task's answer.

    In order: what a `transformers` model has beside its base model; parts with a head's name; the last layer of a
    chain. A bare backbone has none.
    """
    root = scan.modules[0].module
    outer = [child for child in children[0] if _owns(scan, child)]
    prefix = getattr(root, "base_model_prefix", "")
    if prefix and prefix in root._modules:
        beside = [child for child in outer if scan.modules[child].name != prefix]
        return tuple(
            child
            for child in beside
            if kind_of(scan.modules[child].name, scan.modules[child].module) != "norm"
        )
    named = [
        child
        for child in outer
        if looks_like_head(last_name(scan.modules[child].name)) and child not in opened
    ]
    if named:
        return tuple(named)
    projections = [child for child in outer if last_name(scan.modules[child].name).endswith("projection")]
    if projections:
        return tuple(projections)
    rows = [index for index in range(len(scan.modules)) if _is_row(scan, opened, index)]
    if not rows or hasattr(root, "config"):  # a bare backbone of `transformers`
        return ()
    last = rows[-1]
    entry = scan.modules[last]
    plain = is_leaf(entry.module) and kind_of(entry.name, entry.module) == "module"
    return (last,) if plain and len(rows) > 1 else ()


def _is_row(scan: Scan, opened: set[int], index: int) -> bool:
    return index not in opened and scan.modules[index].parent in opened and _owns(scan, index)
